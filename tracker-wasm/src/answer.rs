//! What becomes of a batch when it is answered for.

use shoreline_shared::retry::{Fate, RetryPolicy, fate};

use crate::{
    batch::{Batch, State},
    queue::Queue,
};

/// What came back for a batch.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The batch.
    pub handle: u32,
    /// The HTTP status; [`NO_ANSWER`], [`HANDED_OVER`] or [`TAKEN_OVER`] where there was none.
    pub status: u16,
    /// What the collector's `Retry-After` asks for.
    pub retry_after_ms: Option<u64>,
    /// Any number, at random: it spreads the next attempts of many pages.
    pub random: u32,
}

/// What became of a batch when its answer was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// Nothing to tell: another page has it, or it was not in flight at all.
    Nothing,
    /// Taken; the batch is gone.
    Sent,
    /// Refused for good; the batch is gone.
    Rejected,
    /// Nothing was taken; the batch is still in line.
    Waiting,
    /// Too large: it waits to be cut by [`Queue::split`].
    Split,
}

/// The request failed, or nothing came back in time.
pub const NO_ANSWER: u16 = 0;

/// The browser took the batch over (`sendBeacon`) and will not tell how it went.
pub const HANDED_OVER: u16 = 1;

/// Another page of the site has taken the batch over.
pub const TAKEN_OVER: u16 = 2;

impl Queue {
    /// Takes in the answer to a batch in flight.
    pub fn settle(&mut self, answer: &Answer, now: f64) -> Settled {
        let Some(at) = self.line.position(answer.handle) else {
            return Settled::Nothing;
        };
        let Some(batch) = self.line.iter_mut().nth(at) else {
            return Settled::Nothing;
        };
        if batch.state != State::InFlight {
            return Settled::Nothing;
        }
        let settled = match answer.status {
            HANDED_OVER => Settled::Sent,
            TAKEN_OVER => Settled::Nothing,
            status => match fate(status) {
                Fate::Done => Settled::Sent,
                Fate::Retry => Settled::Waiting,
                Fate::Split if batch.events > 1 => Settled::Split,
                _ => Settled::Rejected,
            },
        };
        if matches!(settled, Settled::Waiting | Settled::Split) {
            batch.state = State::Waiting;
        } else {
            self.line.remove(at);
        }
        if settled == Settled::Waiting {
            self.rest(answer, now);
        } else {
            self.failures = 0;
            self.hurry(false);
        }
        settled
    }

    /// Cuts a waiting batch in two, at half of its events: `bytes` are in the first half. The handle
    /// of the first half; the second's is one more. The events keep their ids, so that what was
    /// taken after all is known again.
    pub fn split(&mut self, handle: u32, bytes: u32) -> Option<u32> {
        let at = self.line.position(handle)?;
        let whole = *self.line.iter().nth(at)?;
        let events = whole.events / 2;
        if whole.state != State::Waiting || events == 0 {
            return None;
        }
        self.line.remove(at);
        let first = Batch {
            handle: self.next_handle(),
            events,
            bytes,
            ..whole
        };
        let second = Batch {
            handle: self.next_handle(),
            events: whole.events.wrapping_sub(events),
            bytes: whole.bytes.saturating_sub(bytes),
            dropped: 0,
            ..whole
        };
        self.line.insert(at, second);
        self.line.insert(at, first);
        Some(first.handle)
    }

    fn rest(&mut self, answer: &Answer, now: f64) {
        // Batches that were sent side by side and failed together failed once.
        if self.rests_until <= now {
            self.failures = self.failures.saturating_add(1);
        }
        let delay =
            RetryPolicy::default().delay_ms(self.failures, answer.random, answer.retry_after_ms);
        self.rests_until = now + delay as f64;
        if answer.retry_after_ms.is_some() {
            self.barred_until = self.barred_until.max(self.rests_until);
        }
    }
}
