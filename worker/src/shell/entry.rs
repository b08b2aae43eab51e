//! How a request comes into wasm, and its answer out: [`answer`] and [`read`] are called by `entry.js`.
//!
//! A promise costs as much as reading ten headers. So a request is worked on at once, as far as it
//! goes, and has a promise only where it must wait for something other than its body.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::Uint8Array;
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, worker_sys};

use super::http_worker;
use super::reply::{Cors, problem};
use crate::error::Fault;
use crate::turns::Turns;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// A request, and its body where that is asked for.
#[derive(Debug)]
pub(super) struct Incoming {
    request: web_sys::Request,
    hand: Rc<Hand>,
}

/// Where the script hands the body over.
#[derive(Debug, Default)]
struct Hand {
    /// The script waits for what [`answer`] says, and can be asked for the body.
    script_waits: Cell<bool>,
    asked: Cell<bool>,
    /// `Some(None)`: the body could not be read to its end.
    given: RefCell<Option<Option<Vec<u8>>>>,
}

impl Incoming {
    /// The request on the platform.
    pub(super) fn request(&self) -> &web_sys::Request {
        &self.request
    }

    /// The request on the platform, for those who want it alone.
    pub(super) fn into_request(self) -> web_sys::Request {
        self.request
    }

    /// The whole body, as it came; `None` where it could not be read to its end.
    pub(super) async fn bytes(&self) -> Option<Vec<u8>> {
        if self.hand.script_waits.get() {
            self.hand.asked.set(true);
            return poll_fn(|_| match self.hand.given.take() {
                Some(body) => Poll::Ready(body),
                None => Poll::Pending,
            })
            .await;
        }
        // Something else was waited for, so the script has a promise and reads no body.
        let buffer = JsFuture::from(self.request.array_buffer().ok()?).await;
        Some(Uint8Array::new(&buffer.ok()?).to_vec())
    }
}

/// Begins a request: its answer, the promise of one, or the number of a turn that waits for the body
/// ([`read`]).
#[expect(
    unreachable_pub,
    reason = "what is exported to JavaScript must be public"
)]
#[wasm_bindgen]
pub fn answer(
    head: String,
    request: web_sys::Request,
    env: Env,
    context: worker_sys::Context,
) -> Result<JsValue, JsValue> {
    let hand = Rc::<Hand>::default();
    let incoming = Incoming {
        request,
        hand: Rc::clone(&hand),
    };
    hand.script_waits.set(true);
    let work = http_worker::answer(head, incoming, env, Context::new(context));
    let turn = Turn {
        work: Box::pin(async { Ok(work.await?.into()) }),
        hand,
    };
    turn.go_on()
}

/// Goes on with the body, or without one where it could not be read to its end: the answer, or the
/// promise of one. A turn that is no longer kept is to be sent again: nothing of it was taken.
#[expect(
    unreachable_pub,
    reason = "what is exported to JavaScript must be public"
)]
#[wasm_bindgen]
pub fn read(turn: u32, body: Option<Vec<u8>>) -> Result<JsValue, JsValue> {
    match TURNS.with_borrow_mut(|turns| turns.take(turn)) {
        Some(turn) => {
            turn.hand.given.replace(Some(body));
            turn.go_on()
        }
        None => {
            let fault = Fault::Unavailable("Too many requests are under way.");
            let answer: web_sys::Response = problem(&fault, &Cors::Any)?.into();
            Ok(answer.into())
        }
    }
}

thread_local! {
    /// The requests of this isolate that wait for their bodies.
    static TURNS: RefCell<Turns<Turn>> = RefCell::default();
}

/// A request under way.
struct Turn {
    work: Work,
    hand: Rc<Hand>,
}

impl Turn {
    /// Works as far as it goes without waiting.
    fn go_on(mut self) -> Result<JsValue, JsValue> {
        // Whatever is waited for is asked again where the promise is made, and then wakes that.
        let mut context = std::task::Context::from_waker(Waker::noop());
        let polled = self.work.as_mut().poll(&mut context);
        self.hand.script_waits.set(false);
        match polled {
            Poll::Ready(answer) => answer,
            Poll::Pending if self.hand.asked.replace(false) => {
                let turn = TURNS.with_borrow_mut(|turns| turns.keep(self));
                Ok(turn.into())
            }
            Poll::Pending => Ok(future_to_promise(self.work).into()),
        }
    }
}
