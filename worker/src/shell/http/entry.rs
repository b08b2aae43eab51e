//! How a request comes into wasm, and its answer out: [`answer`], [`read`] and [`stored`] are called by
//! `entry.js`.
//!
//! A promise costs as much as reading ten headers. So a request is worked on at once, as far as it
//! goes. What each batch waits for, its body and its commit, the script waits for; only where it must wait
//! for something else has it a promise of its own.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::futures::{JsFuture, future_to_promise};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, worker_sys};

use crate::http::error::Fault;
use crate::http::turns::Turns;
use crate::shell::http::reply::{Cors, problem};
use crate::shell::http::router;
use crate::shell::platform::objects;

type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// A request, and what the script does for it.
#[derive(Debug)]
pub(crate) struct Incoming {
    request: web_sys::Request,
    hand: Rc<Hand>,
}

/// What the script is asked for, and where it hands it over.
#[derive(Debug, Default)]
struct Hand {
    /// The script waits for what [`answer`] says, and can be asked for the body.
    reads: Cell<bool>,
    /// The script waits for what is said next, and can be asked to commit a batch.
    stores: Cell<bool>,
    asked: RefCell<Option<Asked>>,
    /// `Some(None)`: the body could not be read to its end.
    body: RefCell<Option<Option<Vec<u8>>>>,
    said: RefCell<Option<Said>>,
}

#[derive(Debug)]
enum Asked {
    Body,
    /// Of the object with this name.
    Commit(String, Uint8Array),
}

/// What a log says of a batch: nothing where it is taken, else its receipt; or why it could not be asked.
type Said = Result<Option<String>, String>;

impl Incoming {
    /// The request on the platform.
    pub(crate) fn request(&self) -> &web_sys::Request {
        &self.request
    }

    /// The request on the platform, for those who want it alone.
    pub(crate) fn into_request(self) -> web_sys::Request {
        self.request
    }

    /// The whole body, as it came; `None` where it could not be read to its end.
    pub(crate) async fn bytes(&self) -> Option<Vec<u8>> {
        if self.hand.reads.get() {
            self.hand.asked.replace(Some(Asked::Body));
            return handed(&self.hand.body).await;
        }
        // Something else was waited for, so the script has a promise and reads no body.
        let buffer = JsFuture::from(self.request.array_buffer().ok()?).await;
        Some(Uint8Array::new(&buffer.ok()?).to_vec())
    }

    /// Commits a batch to the log `name`.
    pub(crate) async fn commit(&self, env: &Env, name: &str, batch: &[u8]) -> Said {
        let has_room = STORING.with_borrow(|turns| !turns.is_full());
        if self.hand.stores.get() && has_room {
            let asked = Asked::Commit(name.to_owned(), Uint8Array::from(batch));
            self.hand.asked.replace(Some(asked));
            return handed(&self.hand.said).await;
        }
        objects::commit(env, name, batch).await
    }
}

/// What the script hands over here.
async fn handed<T>(place: &RefCell<Option<T>>) -> T {
    poll_fn(|_| place.take().map_or(Poll::Pending, Poll::Ready)).await
}

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
        self.hand.stores.set(true);
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
