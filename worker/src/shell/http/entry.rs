//! How a request comes into wasm, and its answer out: [`answer`], [`read`] and [`stored`] are called by
//! `entry.js`.
//!
//! A promise costs as much as reading ten headers. So a request is worked on at once, as far as it
//! goes. What each batch waits for, its body and its commit, the script waits for; only where it must wait
//! for something else has it a promise of its own.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::Array;
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, worker_sys};

use crate::http::error::Fault;
use crate::http::turns::Turns;
use crate::shell::http::incoming::{Asked, Hand, Incoming};
use crate::shell::http::reply::{Cors, problem};
use crate::shell::http::router;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// Begins a request: its answer, the promise of one, the number of a turn that waits for the body
/// ([`read`]), or what [`read`] answers.
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
    hand.reads.set(true);
    let work = router::answer(head, incoming, env, Context::new(context));
    let turn = Turn {
        work: Box::pin(async { Ok(work.await?.into()) }),
        hand,
    };
    turn.go_on()
}

/// Goes on with the body, or without one where it could not be read to its end: the answer, the promise of
/// one, or, of a batch that is to be committed, the number of the turn, the name of the log and the batch
/// ([`stored`]). A turn that is no longer kept is to be sent again: nothing of it was taken.
#[expect(
    unreachable_pub,
    reason = "what is exported to JavaScript must be public"
)]
#[wasm_bindgen]
pub fn read(turn: u32, body: Option<Vec<u8>>) -> Result<JsValue, JsValue> {
    match READING.with_borrow_mut(|turns| turns.take(turn)) {
        Some(turn) => {
            turn.hand.body.replace(Some(body));
            turn.go_on()
        }
        None => lost("Too many requests are under way."),
    }
}

/// Goes on with what the log said of the batch, or why it could not be asked: as [`read`].
#[expect(
    unreachable_pub,
    reason = "what is exported to JavaScript must be public"
)]
#[wasm_bindgen]
pub fn stored(
    turn: u32,
    receipt: Option<String>,
    failure: Option<String>,
) -> Result<JsValue, JsValue> {
    match STORING.with_borrow_mut(|turns| turns.take(turn)) {
        Some(turn) => {
            let said = failure.map_or(Ok(receipt), Err);
            turn.hand.said.replace(Some(said));
            turn.go_on()
        }
        // An instance of wasm that failed took its turns along.
        None => lost("The batch could not be stored right now."),
    }
}

fn lost(why: &'static str) -> Result<JsValue, JsValue> {
    let answer: web_sys::Response = problem(&Fault::Unavailable(why), &Cors::Any)?.into();
    Ok(answer.into())
}

thread_local! {
    /// The requests of this isolate that wait for their bodies.
    static READING: RefCell<Turns<Turn>> = RefCell::default();

    /// Those that wait for their logs.
    static STORING: RefCell<Turns<Turn>> = RefCell::default();
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
        self.hand
            .stores
            .set(STORING.with_borrow(|turns| !turns.is_full()));
        let polled = self.work.as_mut().poll(&mut context);
        self.hand.stores.set(false);
        self.hand.reads.set(false);
        if let Poll::Ready(answer) = polled {
            return answer;
        }
        match self.hand.asked.take() {
            Some(Asked::Body) => {
                let turn = READING.with_borrow_mut(|turns| turns.keep(self));
                Ok(turn.into())
            }
            Some(Asked::Commit(name, batch)) => {
                let turn = STORING.with_borrow_mut(|turns| turns.keep(self));
                Ok(Array::of3(&turn.into(), &name.into(), &batch).into())
            }
            None => Ok(future_to_promise(self.work).into()),
        }
    }
}
