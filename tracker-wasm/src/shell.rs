//! The tracker in a browser: what `js/core.js` calls. Numbers in, numbers out; 0 is "none" where a
//! batch is answered, and −1 where a time is.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::RefCell,
};

use crate::{
    answer::{Answer, Settled},
    page::{Move, is_view},
    session,
    tracker::Tracker,
};

struct State(RefCell<Tracker>);

// SAFETY: a page runs its scripts, and so this module, in one thread; the module shares its memory
// with no worker.
unsafe impl Sync for State {}

static STATE: State = State(RefCell::new(Tracker::new()));

/// There is no memory to allocate: what the tracker keeps has a place of fixed size. The linker asks
/// for an allocator because the rules shared with the collector have other functions that use one;
/// none of them is part of the module.
struct NoAllocator;

// SAFETY: it gives nothing out.
unsafe impl GlobalAlloc for NoAllocator {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoAllocator = NoAllocator;

// What would panic ends the module; `js/` takes a module that answers no more for one that has
// nothing to say.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Never borrowed already: no call leads to another.
fn with<T: Default>(act: impl FnOnce(&mut Tracker) -> T) -> T {
    STATE
        .0
        .try_borrow_mut()
        .map(|mut tracker| act(&mut tracker))
        .unwrap_or_default()
}

/// Exports functions under their own names.
macro_rules! export {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty $body:block)*) => {$(
        $(#[$doc])*
        // SAFETY: the module links nothing that has such a name.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($arg: $type),*) -> $result $body
    )*};
}

export! {
    /// Whether the page is viewed: 0 it is shown, 1 it went elsewhere, 2 it was renamed.
    fn view(how: u32, elsewhere: u32) -> u32 {
        let how = match how {
            0 => Move::Shown,
            1 => Move::Went,
            _ => Move::Replaced,
        };
        is_view(how, elsewhere != 0).into()
    }

    /// Whether a visit goes on.
    fn lives(now: f64, began: f64, latest: f64) -> u32 {
        session::goes_on(now, began, latest).into()
    }

    /// Whether a visit is counted.
    fn sampled(word: u32, share: f64) -> u32 {
        session::is_sampled(word, share).into()
    }

    /// The visitor agrees, or not.
    fn consent(granted: u32) -> u32 {
        with(|tracker| tracker.consent(granted != 0));
        0
    }

    /// Gives up a batch if an event of so many bytes has no room: call until there is none.
    fn room(bytes: u32) -> u32 {
        with(|tracker| tracker.queue.make_room(bytes).map_or(0, |batch| batch.handle))
    }

    /// An event; the batch it belongs to.
    fn record(bytes: u32, now: f64) -> u32 {
        with(|tracker| tracker.record(bytes, now).unwrap_or(0))
    }

    /// A batch of another page.
    fn adopt(made_at: f64, events: u32, bytes: u32, dropped: u32) -> u32 {
        with(|tracker| tracker.queue.adopt(made_at, events, bytes, dropped).unwrap_or(0))
    }

    /// What a batch tells of events given up before it.
    fn dropped(batch: u32) -> u32 {
        with(|tracker| tracker.queue.dropped_before(batch))
    }

    /// Seals the open batch and ends the backoff; at the page's end, whatever the collector said.
    fn flush(the_end: u32) -> u32 {
        with(|tracker| {
            tracker.queue.seal();
            tracker.queue.hurry(the_end != 0);
        });
        0
    }

    /// The batch to send now.
    fn due(now: f64) -> u32 {
        with(|tracker| tracker.queue.due(now).unwrap_or(0))
    }

    /// The next batch to send while the page is being left.
    fn leaving(now: f64) -> u32 {
        with(|tracker| tracker.queue.leaving(now).unwrap_or(0))
    }

    /// An answer; `Retry-After` is negative where there is none. 1 sent, 2 rejected, 3 waits, 4 to be
    /// split.
    fn settle(batch: u32, status: u32, retry_after_ms: f64, random: u32, now: f64) -> u32 {
        let answer = Answer {
            handle: batch,
            status: status as u16,
            retry_after_ms: (retry_after_ms >= 0.0).then_some(retry_after_ms as u64),
            random,
        };
        match with(|tracker| Some(tracker.queue.settle(&answer, now))) {
            None | Some(Settled::Nothing) => 0,
            Some(Settled::Sent) => 1,
            Some(Settled::Rejected) => 2,
            Some(Settled::Waiting) => 3,
            Some(Settled::Split) => 4,
        }
    }

    /// Cuts a batch in two; the first half, and one more is the second.
    fn split(batch: u32, first_bytes: u32) -> u32 {
        with(|tracker| tracker.queue.split(batch, first_bytes).unwrap_or(0))
    }

    /// What another page was told by `Retry-After`.
    fn bar(until: f64, now: f64) -> u32 {
        with(|tracker| tracker.queue.bar_until(until, now));
        0
    }

    /// What this page was told.
    fn barred() -> f64 {
        with(|tracker| tracker.queue.barred_until())
    }

    /// When to ask again.
    fn wake(now: f64) -> f64 {
        with(|tracker| tracker.queue.wake_in(now)).unwrap_or(-1.0)
    }

    /// How many events are not answered for.
    fn pending() -> u32 {
        with(|tracker| tracker.queue.pending())
    }
}
