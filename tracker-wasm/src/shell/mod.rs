//! The tracker in a browser: what `js/` calls.
//!
//! There is no unwinding and nothing to print to: what would panic ends the module, and `js/` takes
//! a module that answers no more for one that has nothing to say.

mod browser;

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::RefCell,
};

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
use wasm_bindgen::prelude::*;

use crate::{
    page::Move,
    queue::Settled,
    text::{cut, read_number},
    tracker::Tracker,
};
use browser::Browser;

struct Allocator(AssumeSingleThreaded<FreeListAllocator>);

// SAFETY: a page runs its scripts, and so this module, in one thread; the module shares its memory
// with no worker.
#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator(unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) });

// SAFETY: hands on to an allocator that keeps the rules.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { self.0.alloc(layout) };
        // Ends here what would end in a panic anyway, without the text for it.
        if memory.is_null() {
            core::arch::wasm32::unreachable()
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(memory, layout) }
    }
}

struct State(RefCell<Tracker<Browser>>);

// SAFETY: as above; there is no other thread to share it with.
unsafe impl Sync for State {}

static STATE: State = State(RefCell::new(Tracker::new(Browser)));

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The one door into the tracker: what is asked for, and its arguments, one a line. (A door of its
/// own for each would cost every visitor a hundred bytes, here and in the glue.) JSON and ids have
/// no line breaks.
///
/// | `what` | arguments | |
/// |---|---|---|
/// | 0, 1, 2 | path | the page is shown, went there, was renamed; answers 1 if that is a view |
/// | 3 | type, data, stored visit | something happened: type and data as JSON |
/// | 4 | id | the visitor is this user (as JSON); empty: somebody new |
/// | 5 | | the time asked for has come |
/// | 6 | | send all there is |
/// | 7, 8 | | the page is hidden, is unloaded |
/// | 9 | status, `Retry-After` (ms, or nothing), batch | an answer; 1 sent, 2 rejected, 3 waits |
/// | 10 | | answers how many events are pending |
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub fn ask(what: u32, arguments: &str) -> usize {
    // Never borrowed already: the port does not call back.
    let Ok(mut tracker) = STATE.0.try_borrow_mut() else {
        return 0;
    };
    let (first, rest) = cut(arguments, b'\n');
    let (second, third) = cut(rest, b'\n');
    match what {
        0 => tracker.moved(Move::Shown, first).into(),
        1 => tracker.moved(Move::Went, first).into(),
        2 => tracker.moved(Move::Replaced, first).into(),
        3 => {
            tracker.record(first, second, third);
            0
        }
        4 => {
            tracker.identify(first);
            0
        }
        5 => {
            tracker.wake();
            0
        }
        6 => {
            tracker.flush();
            0
        }
        7 | 8 => {
            tracker.leave(what == 8);
            0
        }
        9 => {
            let retry_after_ms = (!second.is_empty()).then(|| read_number(second) as u64);
            match tracker.settle(third, read_number(first) as u16, retry_after_ms) {
                Settled::Nothing => 0,
                Settled::Sent => 1,
                Settled::Rejected => 2,
                Settled::Waiting => 3,
            }
        }
        _ => tracker.pending(),
    }
}
