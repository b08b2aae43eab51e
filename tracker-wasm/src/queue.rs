//! Events between being made and being answered for.
//!
//! New events gather in the open batch. Sealed batches wait in line and go out one at a time, so
//! that they arrive in order and a collector in trouble is not pressed. There is one way to try
//! again: a batch that failed stays where it is in the line, under the same id and with the same
//! events, and the whole line waits until the retry policy lets it go.

use shoreline_shared::limits::{
    MAX_EVENT_BYTES, TRACKER_BATCH_BYTES, TRACKER_BATCH_EVENTS, TRACKER_FLUSH_MS,
};

use crate::{
    batch::{Batch, ENVELOPE_BYTES, SEPARATOR_BYTES, State},
    line::{Line, QUEUE_EVENTS},
};

/// Bytes kept at most: about as much as 1,000 page views, and nothing that a page would notice.
pub const QUEUE_BYTES: u32 = 256 * 1024;

/// Bytes that may be under way when a page is left. Browsers allow requests that outlive the page
/// 64 KiB in all and refuse the one that goes over; 4 KiB are left to the page's own.
pub const LEAVING_BYTES: u32 = 60 * 1024;

/// Bytes by which a batch may have grown since its events were counted: the title of a view is taken when
/// the view is sent, and has at most 2,000 characters (`js/text.js`), each of six bytes if it is escaped.
pub const TITLE_BYTES: u32 = 12_000;

/// Events that one batch can tell were given up before it.
const DROPPED_MAX: u32 = 1_000_000;

const BATCH_BYTES: u32 = TRACKER_BATCH_BYTES as u32;
const BATCH_EVENTS: u32 = TRACKER_BATCH_EVENTS as u32;
const EVENT_BYTES: u32 = MAX_EVENT_BYTES as u32;

/// [`TRACKER_FLUSH_MS`] as the clock counts.
const FLUSH_MS: f64 = TRACKER_FLUSH_MS as f64;

/// The longest a timer is set for, milliseconds. Browsers take a delay beyond 2³¹ ms for none.
const WAKE_MS: f64 = 3_600_000.0;

/// The pending events of one page.
#[derive(Debug)]
pub struct Queue {
    pub(crate) line: Line,
    handles: u32,
    /// Events given up that no batch tells of yet.
    dropped: u32,
    /// Attempts that failed in a row.
    pub(crate) failures: u32,
    /// Backoff: the line rests until then.
    pub(crate) rests_until: f64,
    /// The collector's own `Retry-After`: not even a flush goes before.
    pub(crate) barred_until: f64,
    /// The latest time seen, to notice a clock that was set back.
    latest: f64,
}

impl Queue {
    /// Nothing is pending.
    pub const fn new() -> Self {
        Self {
            line: Line::new(),
            handles: 0,
            dropped: 0,
            failures: 0,
            rests_until: 0.0,
            barred_until: 0.0,
            latest: 0.0,
        }
    }

    /// What must give way before an event of so many bytes has room: the oldest batch that is not
    /// in flight, which is given up herewith; none if there is room.
    pub fn make_room(&mut self, bytes: u32) -> Option<Batch> {
        if self.has_room(1, bytes) {
            return None;
        }
        let oldest = self
            .line
            .iter()
            .position(|batch| batch.state == State::Waiting)?;
        let batch = self.line.remove(oldest)?;
        self.give_up(batch.events.wrapping_add(batch.dropped));
        Some(batch)
    }

    /// An event of so many bytes; the handle of the batch it belongs to. None if it is too large,
    /// or there is no room for it ([`Queue::make_room`]): it is given up.
    pub fn push(&mut self, bytes: u32, now: f64) -> Option<u32> {
        if bytes > EVENT_BYTES || !self.has_room(1, bytes) {
            self.give_up(1);
            return None;
        }
        let bytes = bytes.wrapping_add(SEPARATOR_BYTES);
        let is_full = |batch: &Batch| batch.body_bytes().wrapping_add(bytes) > BATCH_BYTES;
        if self.line.open().is_some_and(|batch| is_full(batch)) {
            self.seal();
        }
        if self.line.open().is_none() {
            let handle = self.next_handle();
            let batch = Batch {
                handle,
                made_at: now,
                ..Batch::NONE
            };
            self.line.insert(usize::MAX, batch);
        }
        let batch = self.line.open()?;
        batch.events = batch.events.wrapping_add(1);
        batch.bytes = batch.bytes.wrapping_add(bytes);
        let handle = batch.handle;
        if batch.events >= BATCH_EVENTS {
            self.seal();
        }
        Some(handle)
    }

    /// Takes on a sealed batch that another page made and did not see answered, in the order in
    /// which batches were made. None if it is none that a page of ours would make, or has no room:
    /// it is given up.
    pub fn adopt(&mut self, made_at: f64, events: u32, bytes: u32, dropped: u32) -> Option<u32> {
        let most = BATCH_BYTES
            .wrapping_sub(ENVELOPE_BYTES)
            .wrapping_add(TITLE_BYTES);
        let is_ours = events > 0 && events <= BATCH_EVENTS && bytes <= most;
        if !is_ours || !self.has_room(events, bytes) {
            self.give_up(events.min(BATCH_EVENTS));
            return None;
        }
        let handle = self.next_handle();
        let batch = Batch {
            handle,
            events,
            bytes,
            // What no page can have counted was written by somebody else.
            dropped: if dropped > DROPPED_MAX { 0 } else { dropped },
            made_at,
            state: State::Waiting,
        };
        let younger = |other: &Batch| other.made_at > made_at || other.state == State::Open;
        let at = self.line.iter().position(younger).unwrap_or(usize::MAX);
        self.line.insert(at, batch).then_some(handle)
    }

    /// Seals the open batch, if there is one. It tells of what was given up until now.
    pub fn seal(&mut self) {
        let dropped = self.dropped;
        if let Some(batch) = self.line.open() {
            batch.state = State::Waiting;
            batch.dropped = dropped;
            self.dropped = 0;
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

    /// Another page was told by the collector not to come before this time.
    pub fn bar_until(&mut self, until: f64, now: f64) {
        let longest = now + WAKE_MS / 2.0; // RETRY_MAX_MS: whatever the browser keeps, no longer
        if until > now && until <= longest {
            self.barred_until = until;
        }
    }

    /// Until when the collector has barred this page; in the past, or 0: it has not.
    pub fn barred_until(&self) -> f64 {
        self.barred_until
    }

    /// The batch to send now, if one may go; it counts as in flight until it is settled.
    pub fn due(&mut self, now: f64) -> Option<u32> {
        // After a clock was set back, times noted before lie too far ahead to wait for.
        if now < self.latest {
            if let Some(batch) = self.line.open() {
                batch.made_at = now;
            }
            self.hurry(true);
        }
        self.latest = now;
        if self
            .line
            .open()
            .is_some_and(|batch| now >= batch.made_at + FLUSH_MS)
        {
            self.seal();
        }
        if self.bytes_in_flight() > 0 || now < self.line_opens_at() {
            return None;
        }
        self.depart(u32::MAX)
    }

    /// The next batch to send beside those in flight while the page is being left; none when all
    /// are under way, or no more would be let through.
    pub fn leaving(&mut self, now: f64) -> Option<u32> {
        if now < self.barred_until {
            return None;
        }
        self.depart(LEAVING_BYTES.saturating_sub(self.bytes_in_flight()))
    }

    /// In how many milliseconds [`Queue::due`] is worth asking again; none while there is nothing
    /// to wait for but an answer.
    pub fn wake_in(&mut self, now: f64) -> Option<f64> {
        let mut at = f64::INFINITY;
        if let Some(batch) = self.line.open() {
            at = batch.made_at + FLUSH_MS;
        }
        let waits = self.line.iter().any(|batch| batch.state == State::Waiting);
        if waits && self.bytes_in_flight() == 0 {
            at = at.min(self.line_opens_at());
        }
        at.is_finite().then_some((at - now).clamp(0.0, WAKE_MS))
    }

    /// How many events are not answered for.
    pub fn pending(&self) -> u32 {
        self.line.sum(|batch| batch.events)
    }

    /// How many bytes they have, without their batches' envelopes.
    pub fn bytes(&self) -> u32 {
        self.line.sum(|batch| batch.bytes)
    }

    /// How many events were given up before this batch, as its envelope has to say.
    pub fn dropped_before(&self, handle: u32) -> u32 {
        let mut batches = self.line.iter();
        let batch = batches.find(|batch| batch.handle == handle);
        batch.map_or(0, |batch| batch.dropped)
    }

    /// Forgets everything, and what is in flight: nothing is asked of its answers.
    pub fn clear(&mut self) {
        self.line.clear();
        self.dropped = 0;
    }

    pub(crate) fn next_handle(&mut self) -> u32 {
        self.handles = self.handles.wrapping_add(1);
        self.handles
    }

    fn give_up(&mut self, events: u32) {
        self.dropped = self.dropped.saturating_add(events).min(DROPPED_MAX);
    }

    /// Whether so many more events of so many bytes in all stay within the bounds.
    fn has_room(&self, events: u32, bytes: u32) -> bool {
        let more = bytes.saturating_add(SEPARATOR_BYTES);
        self.pending().saturating_add(events) <= QUEUE_EVENTS
            && self.bytes().saturating_add(more) <= QUEUE_BYTES
    }

    fn bytes_in_flight(&self) -> u32 {
        self.line.sum(|batch| {
            if batch.state == State::InFlight {
                batch.body_bytes()
            } else {
                0
            }
        })
    }

    fn line_opens_at(&self) -> f64 {
        self.rests_until.max(self.barred_until)
    }

    /// Sends off the first batch that waits and has at most so many bytes.
    fn depart(&mut self, bytes: u32) -> Option<u32> {
        let can = |batch: &&mut Batch| batch.state == State::Waiting && batch.body_bytes() <= bytes;
        let batch = self.line.iter_mut().find(can)?;
        batch.state = State::InFlight;
        Some(batch.handle)
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}
