//! A batch that will not change any more.

use std::borrow::Cow;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::ambient;
use crate::batcher::Weighed;
use crate::event::Event;
use crate::outcome::{Outcome, PublishError};

/// The room that a queued event takes. Dropped when the event has ended.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) _events: OwnedSemaphorePermit,
    pub(crate) _bytes: OwnedSemaphorePermit,
}

/// An event on its way.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) event: Event,
    /// Bytes of its JSON text.
    pub(crate) bytes: usize,
    /// Its place in the call that it came by.
    pub(crate) place: usize,
    pub(crate) _room: Option<Room>,
}

impl Weighed for Entry {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Events that are sent together, always the same under the same key, so that the collector knows a
/// retry when it sees one.
#[derive(Debug)]
pub(crate) struct Sealed {
    key: String,
    body: Bytes,
    entries: Vec<Entry>,
    attempts: u32,
    cause: Cow<'static, str>,
}

impl Sealed {
    /// Seals a batch under a key of its own.
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let events: Vec<&Event> = entries.iter().map(|entry| &entry.event).collect();
        // Each was serialized once already, when it was checked.
        let body = serde_json::to_vec(&events).unwrap_or_default();
        Self {
            key: ambient::fresh_id(),
            body: body.into(),
            entries,
            attempts: 0,
            cause: "its turn did not come".into(),
        }
    }

    /// The `Idempotency-Key`.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The JSON body. The clone shares the bytes.
    pub(crate) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// How many events it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Counts a try that begins; how many there are with it.
    pub(crate) fn begin_attempt(&mut self) -> u32 {
        self.attempts = self.attempts.saturating_add(1);
        self.cause = "the time was over while it was being sent".into();
        self.attempts
    }

    /// Notes why the last try failed.
    pub(crate) fn note(&mut self, cause: Cow<'static, str>) {
        self.cause = cause;
    }

    /// Its halves, each a batch of its own, in order. A batch of one has no halves.
    pub(crate) fn split(mut self) -> Result<(Self, Self), Self> {
        if self.entries.len() < 2 {
            return Err(self);
        }
        let second = self.entries.split_off(self.entries.len().div_ceil(2));
        Ok((Self::new(self.entries), Self::new(second)))
    }

    /// Its events, each with its outcome.
    pub(crate) fn end(self, outcomes: Vec<Outcome>) -> impl Iterator<Item = (Entry, Outcome)> {
        self.entries.into_iter().zip(outcomes)
    }

    /// Its events, each undelivered.
    pub(crate) fn give_up(self) -> impl Iterator<Item = (Entry, Outcome)> {
        let error = PublishError::Undelivered {
            attempts: self.attempts,
            cause: self.cause,
        };
        let outcomes = vec![Err(error); self.entries.len()];
        self.entries.into_iter().zip(outcomes)
    }
}
