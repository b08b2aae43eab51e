//! A request, and what the script of this worker does for it: it waits for the body and for the commit.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use js_sys::Uint8Array;
use js_sys::futures::JsFuture;
use worker::Env;

use crate::shell::platform::objects;

/// A request, and what the script does for it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) request: web_sys::Request,
    pub(crate) hand: Rc<Hand>,
}

/// What the script is asked for, and where it hands it over.
#[derive(Debug, Default)]
pub(crate) struct Hand {
    /// The script waits for the first answer, and can be asked for the body.
    pub(crate) reads: Cell<bool>,
    /// The script waits for what is said next, and can be asked to commit a batch.
    pub(crate) stores: Cell<bool>,
    pub(crate) asked: RefCell<Option<Asked>>,
    /// `Some(None)`: the body could not be read to its end.
    pub(crate) body: RefCell<Option<Option<Vec<u8>>>>,
    pub(crate) said: RefCell<Option<Said>>,
}

#[derive(Debug)]
pub(crate) enum Asked {
    Body,
    /// Of the object with this name.
    Commit(String, Uint8Array),
}

/// What a log says of a batch: nothing where it is taken, else its receipt; or why it could not be asked.
pub(crate) type Said = Result<Option<String>, String>;

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
        if self.hand.stores.get() {
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
