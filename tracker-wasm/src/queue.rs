//! Events between being made and being answered for.
//!
//! New events gather in the open batch. Sealed batches wait in line and go out one at a time, so
//! that they arrive in order and a collector in trouble is not pressed. There is one way to try
//! again: a batch that failed stays where it is in the line, under the same id and with the same
//! events, and the whole line waits until the retry policy lets it go.

use shoreline_shared::{
    limits::{TRACKER_BATCH_BYTES, TRACKER_BATCH_EVENTS, TRACKER_FLUSH_MS},
    retry::{Fate, RetryPolicy, fate},
};

use crate::{
    batch::{Events, SealedBatch},
    line::{Line, Waiting},
    port::Ids,
};

/// Events kept at most while the collector cannot be reached: some hours of a busy visitor, and
/// what Snowplow keeps. The oldest batches give way.
pub const QUEUE_EVENTS: usize = 1000;

/// Bytes kept at most: about as much as 1,000 page views, and nothing that a page would notice.
pub const QUEUE_BYTES: usize = 256 * 1024;

/// Bytes that may be under way when a page is left. Browsers allow requests that outlive the page
/// 64 KiB in all and refuse the one that goes over; 4 KiB are left to the page's own.
pub const LEAVING_BYTES: usize = 60 * 1024;

/// [`TRACKER_FLUSH_MS`] as the clock counts.
const FLUSH_MS: f64 = TRACKER_FLUSH_MS as f64;

/// The longest a timer is set for, milliseconds. Browsers take a delay beyond 2³¹ ms for none.
const WAKE_MS: f64 = 3_600_000.0;

/// What came back for a batch.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The batch.
    pub batch_id: &'a str,
    /// The HTTP status; [`NO_ANSWER`] or [`HANDED_OVER`] where there was none.
    pub status: u16,
    /// What the collector's `Retry-After` asks for.
    pub retry_after_ms: Option<u64>,
    /// Any number, at random: it spreads the next attempts of many pages.
    pub random: u32,
}

/// What became of a batch when its answer was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// Nothing to tell: it was split, or was not in flight at all.
    Nothing,
    /// Taken; the batch is gone.
    Sent,
    /// Refused for good; the batch is gone.
    Rejected,
    /// Nothing was taken; the batch is still in line.
    Waiting,
}

/// The request failed, or nothing came back in time.
pub const NO_ANSWER: u16 = 0;

/// The browser took the batch over (`sendBeacon`) and will not tell how it went.
pub const HANDED_OVER: u16 = 1;

/// The pending events of one page.
#[derive(Debug)]
pub struct Queue {
    open: Events,
    opened_at: f64,
    line: Line,
    /// Attempts that failed in a row.
    failures: u32,
    /// Backoff: the line rests until then.
    rests_until: f64,
    /// The collector's own `Retry-After`: not even a flush goes before.
    barred_until: f64,
    /// The latest time seen, to notice a clock that was set back.
    latest: f64,
}

impl Queue {
    /// Nothing is pending.
    pub const fn new() -> Self {
        Self {
            open: Events::new(),
            opened_at: 0.0,
            line: Line::new(),
            failures: 0,
            rests_until: 0.0,
            barred_until: 0.0,
            latest: 0.0,
        }
    }

    /// Adds a serialized event; returns how many older ones had to give way.
    pub fn push(&mut self, event: &str, now: f64, ids: &impl Ids) -> usize {
        if self.open.body_bytes_with(event.len()) > TRACKER_BATCH_BYTES {
            self.seal(ids);
        }
        if self.open.count() == 0 {
            self.opened_at = now;
        }
        self.open.push(event);
        if self.open.count() >= TRACKER_BATCH_EVENTS {
            self.seal(ids);
        }
        self.make_room()
    }

    /// Closes the open batch, if there is anything in it.
    pub fn seal(&mut self, ids: &impl Ids) {
        if self.open.count() > 0 {
            let batch = SealedBatch::seal(ids.new_id(), self.open.take());
            self.put(|_| false, batch);
        }
    }

    /// Ends the backoff, because somebody asks for it or because it may be the last chance. What
    /// the collector itself ordered by `Retry-After` stays in force, unless this is `the_end`.
    pub fn hurry(&mut self, the_end: bool) {
        self.rests_until = 0.0;
        if the_end {
            self.barred_until = 0.0;
        }
    }

    /// The batch to send now, if one may go; it counts as in flight until it is settled.
    pub fn due(&mut self, now: f64, ids: &impl Ids) -> Option<&SealedBatch> {
        // After a clock was set back, times noted before lie too far ahead to wait for.
        if now < self.latest {
            self.opened_at = now;
            self.hurry(true);
        }
        self.latest = now;
        if now >= self.opened_at + FLUSH_MS {
            self.seal(ids);
        }
        if self.bytes_in_flight() > 0 || now < self.line_opens_at() {
            return None;
        }
        self.depart(usize::MAX)
    }

    /// The next batch to send beside those in flight while the page is being left; none when all
    /// are under way, or no more would be let through.
    pub fn leaving(&mut self, now: f64) -> Option<&SealedBatch> {
        if now < self.barred_until {
            return None;
        }
        self.depart(LEAVING_BYTES.saturating_sub(self.bytes_in_flight()))
    }

    /// Takes in the answer to a batch in flight.
    pub fn settle(&mut self, answer: &Answer<'_>, now: f64, ids: &impl Ids) -> Settled {
        let is_it = |waiting: &Waiting| waiting.in_flight && waiting.batch.id() == answer.batch_id;
        let Some(rest) = self.line.from(is_it) else {
            return Settled::Nothing;
        };
        let fate = match answer.status {
            HANDED_OVER => Fate::Done,
            status => fate(status),
        };
        if fate == Fate::Retry
            && let Some(waiting) = rest.first()
        {
            waiting.in_flight = false;
            self.rest(answer, now);
            return Settled::Waiting;
        }
        let Some(waiting) = rest.take() else {
            return Settled::Nothing;
        };
        let mut settled = match fate {
            Fate::Done => Settled::Sent,
            _ => Settled::Rejected,
        };
        if fate == Fate::Split
            && let Some([first, second]) = waiting.batch.halves()
        {
            rest.put(SealedBatch::seal(ids.new_id(), second));
            rest.put(SealedBatch::seal(ids.new_id(), first));
            settled = Settled::Nothing;
        }
        self.failures = 0;
        self.hurry(false);
        settled
    }

    /// In how many milliseconds [`Queue::due`] is worth asking again; none while there is nothing
    /// to wait for but an answer.
    pub fn wake_in(&self, now: f64) -> Option<f64> {
        let mut at = f64::INFINITY;
        if self.open.count() > 0 {
            at = self.opened_at + FLUSH_MS;
        }
        if self.bytes() > 0 && self.bytes_in_flight() == 0 {
            at = at.min(self.line_opens_at());
        }
        at.is_finite().then_some((at - now).clamp(0.0, WAKE_MS))
    }

    /// How many events are not answered for.
    pub fn pending(&self) -> usize {
        self.line
            .sum(|waiting| waiting.batch.count())
            .wrapping_add(self.open.count())
    }

    fn bytes_in_flight(&self) -> usize {
        self.line.sum(|waiting| {
            if waiting.in_flight {
                waiting.batch.bytes()
            } else {
                0
            }
        })
    }

    fn bytes(&self) -> usize {
        self.line.sum(|waiting| waiting.batch.bytes())
    }

    fn line_opens_at(&self) -> f64 {
        self.rests_until.max(self.barred_until)
    }

    fn put(&mut self, before: impl Fn(&Waiting) -> bool, batch: SealedBatch) {
        if let Some(rest) = self.line.from(before) {
            rest.put(batch);
        }
    }

    /// Sends off the first batch that is not in flight and has at most so many bytes.
    fn depart(&mut self, bytes: usize) -> Option<&SealedBatch> {
        let can = |waiting: &Waiting| !waiting.in_flight && waiting.batch.bytes() <= bytes;
        let waiting = self.line.from(can)?.first()?;
        waiting.in_flight = true;
        Some(&waiting.batch)
    }

    fn rest(&mut self, answer: &Answer<'_>, now: f64) {
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

    /// Drops the oldest batches that are not in flight until the rest is within bounds.
    fn make_room(&mut self) -> usize {
        let mut lost: usize = 0;
        while self.pending() > QUEUE_EVENTS || self.bytes() > QUEUE_BYTES {
            let oldest = self
                .line
                .from(|waiting| !waiting.in_flight)
                .and_then(Line::take);
            let Some(waiting) = oldest else { break };
            lost = lost.wrapping_add(waiting.batch.count());
        }
        lost
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}
