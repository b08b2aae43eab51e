//! The tracker: events in, batches out.

use alloc::string::String;

use shoreline_shared::limits::MAX_EVENT_BYTES;

use crate::{
    page::{Move, Page},
    port::{Ids, Port},
    queue::{Answer, Queue, Settled},
    session::Session,
    text::{push_all, push_number},
};

/// Where the browser keeps the visitor's id.
pub const VISITOR_KEY: &str = "shoreline.visitor";

/// Where the browser keeps the visit, for all tabs of the site.
pub const SESSION_KEY: &str = "shoreline.session";

/// One page's tracker.
///
/// What a page tells comes as JSON, serialized by the platform, and is put together here.
#[derive(Debug)]
pub struct Tracker<P> {
    port: P,
    page: Page,
    session: Session,
    queue: Queue,
    /// The user's id as JSON.
    user: String,
}

impl<P: Port> Tracker<P> {
    /// Begins on this page; [`Tracker::identify`] is to be called before anything else.
    pub const fn new(port: P) -> Self {
        Self {
            port,
            page: Page::new(),
            session: Session::new(),
            queue: Queue::new(),
            user: String::new(),
        }
    }

    /// From now on the visitor is this user (their id as JSON); if that is empty, a new unknown
    /// one, which this browser keeps.
    pub fn identify(&mut self, user: &str) {
        self.user = String::from(user);
        if user.is_empty() {
            let id = self.port.new_id();
            self.port.save(VISITOR_KEY, &id);
            push_all(&mut self.user, &["\"", &id, "\""]);
        }
    }

    /// The page has this path now; true if that is a view of it.
    pub fn moved(&mut self, how: Move, path: &str) -> bool {
        self.page.moved(how, path)
    }

    /// Something happened: its type and what there is to tell about it, both as JSON, the latter
    /// an object. `session` is what this browser keeps under [`SESSION_KEY`].
    pub fn record(&mut self, event_type: &str, data: &str, session: &str) {
        let now = self.port.now();
        let session = self.session.at(now, session, || self.port.new_id());
        self.port.save(SESSION_KEY, session);

        let mut event = String::new();
        let parts = [
            "{\"eventId\":\"",
            &self.port.new_id(),
            "\",\"eventType\":",
            event_type,
            ",\"userId\":",
            &self.user,
            ",\"sessionId\":\"",
            self.session.id(),
            "\",\"timestamp\":",
        ];
        push_all(&mut event, &parts);
        push_number(&mut event, now);
        let parts = [
            ",\"eventData\":",
            data,
            ",\"metadata\":{\"platform\":\"web\"}}",
        ];
        push_all(&mut event, &parts);

        if event.len() > MAX_EVENT_BYTES {
            self.port.dropped(1, "too_large");
            return;
        }
        self.port.made(&event);
        let lost = self.queue.push(&event, now, &self.port);
        if lost > 0 {
            self.port.dropped(lost, "no_room");
        }
        self.wake();
    }

    /// Sends what is due and asks to be called again when more will be.
    pub fn wake(&mut self) {
        let now = self.port.now();
        if let Some(batch) = self.queue.due(now, &self.port) {
            self.port.post(batch, &batch.body(now), false);
        }
        if let Some(after_ms) = self.queue.wake_in(now) {
            self.port.wake(after_ms);
        }
    }

    /// Sends all there is, one batch after the other.
    pub fn flush(&mut self) {
        self.queue.seal(&self.port);
        self.queue.hurry(false);
        self.wake();
    }

    /// The page is hidden, and may never be seen again; with `the_end` it is being unloaded. Sends
    /// all there is at once, as far as the browser lets it through.
    pub fn leave(&mut self, the_end: bool) {
        let now = self.port.now();
        self.queue.seal(&self.port);
        self.queue.hurry(the_end);
        while let Some(batch) = self.queue.leaving(now) {
            self.port.post(batch, &batch.body(now), true);
        }
        self.wake();
    }

    /// Takes in the answer to a batch: its HTTP status (see [`Answer`]), and
    /// what `Retry-After` asks for.
    pub fn settle(&mut self, batch_id: &str, status: u16, retry_after_ms: Option<u64>) -> Settled {
        let now = self.port.now();
        let [a, b, c, d, ..] = self.port.random();
        let random = u32::from_be_bytes([a, b, c, d]);
        let answer = Answer {
            batch_id,
            status,
            retry_after_ms,
            random,
        };
        let settled = self.queue.settle(&answer, now, &self.port);
        self.wake();
        settled
    }

    /// How many events are not answered for.
    pub fn pending(&self) -> usize {
        self.queue.pending()
    }
}
