//! Events in batches: which go together, and which are left.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::http::{Answer, SinkRequest};
use super::verdict::{Entry, Failure};
use crate::base::sort;

/// An event as a sink's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// JSON, as far as it does not depend on the entry's place in its batch.
    pub json: String,
    /// Its bytes, as the sink counts them.
    pub size: usize,
}

/// What a sink takes in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes of one entry; a larger one is refused before it is sent.
    pub entry_bytes: usize,
    /// Bytes of all entries.
    pub bytes: usize,
    /// Events of one attempt: several requests, whose fate is noted once.
    pub window: usize,
}

/// A sink that takes events in batches.
pub trait RecordSink {
    /// What it takes in one request.
    fn limits(&self) -> Limits;

    /// The entry of a stored event.
    ///
    /// # Errors
    /// The code for which the event can never be sent.
    fn record(&self, line: &str) -> Result<Record, &'static str>;

    /// The signed request for a batch.
    fn request(&self, batch: &[&Record], at_ms: i64) -> SinkRequest;

    /// What became of each of `count` entries.
    ///
    /// # Errors
    /// [`Failure`] of the whole request.
    fn judge(&self, answer: &Answer, count: usize) -> Result<Vec<Entry>, Failure>;
}

/// How far a sink is with an object's events, which are counted from 0 in the order of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// All before this one were sent at least once.
    next: u32,
    /// Of those, the ones that did not get through, ascending.
    left: Vec<u32>,
}

impl Progress {
    /// The events to be sent now, in order, `most` of them: first those that are left, then the next.
    pub fn window(&self, total: u32, most: usize) -> Vec<u32> {
        let left = self.left.iter().copied();
        left.chain(self.next..total).take(most).collect()
    }

    /// The progress after those of `window` got through that are not in `left`.
    #[must_use]
    fn after(&self, window: &[u32], left: &[u32]) -> Self {
        let sent = window.iter().max().map_or(0, |last| last.saturating_add(1));
        let mut next = self.next.max(sent);
        // Of those that were left, a narrow window may not have held all.
        let mut left: Vec<u32> = self
            .left
            .iter()
            .filter(|index| !window.contains(index))
            .chain(left)
            .copied()
            .collect();
        sort::sort(&mut left);
        // A tail that did not get through was as good as not sent.
        while let Some(last) = next.checked_sub(1)
            && left.last() == Some(&last)
        {
            left.pop();
            next = last;
        }
        Self { next, left }
    }

    /// Whether all of `total` events got through.
    pub fn is_complete(&self, total: u32) -> bool {
        self.next >= total && self.left.is_empty()
    }
}

/// What an attempt did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// How far the sink is now.
    pub progress: Progress,
    /// Events that got through.
    pub taken: u32,
    /// Events that the sink will never take. They are not sent again.
    pub refused: u32,
    /// Why the last of them is refused.
    pub refused_code: Option<String>,
    /// Why the attempt ended before its last event, or left some.
    pub failure: Option<Failure>,
}

/// What became of the entries of an attempt, collected.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    window: &'a [u32],
    /// In order, as a window is.
    left: Vec<u32>,
    sent: Sent,
}

impl<'a> Tally<'a> {
    /// Before anything is sent, all are left.
    pub(super) fn new(window: &'a [u32]) -> Self {
        Self {
            window,
            left: window.to_vec(),
            sent: Sent::default(),
        }
    }

    pub(super) fn note(&mut self, index: u32, entry: Entry) {
        match entry {
            Entry::Taken => {
                self.is_done(index);
                self.sent.taken = self.sent.taken.saturating_add(1);
            }
            Entry::Refused(code) => {
                self.is_done(index);
                self.sent.refused = self.sent.refused.saturating_add(1);
                self.sent.refused_code = Some(code);
            }
            Entry::Failed(failure) => self.fail(failure),
        }
    }

    fn is_done(&mut self, index: u32) {
        if let Ok(at) = self.left.binary_search(&index) {
            self.left.remove(at);
        }
    }

    /// The first failure is the one that is told.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.sent.failure.get_or_insert(failure);
    }

    pub(super) fn failed(&self) -> bool {
        self.sent.failure.is_some()
    }

    pub(super) fn finish(self, progress: &Progress) -> Sent {
        let mut sent = self.sent;
        sent.progress = progress.after(self.window, &self.left);
        if sent.taken > 0
            && let Some(failure) = sent.failure.take()
        {
            // A sink that takes some is not one that somebody must mend.
            sent.failure = Some(Failure {
                retry_after_ms: failure.retry_after_ms,
                ..Failure::passing(&failure.code)
            });
        }
        sent
    }
}

/// Cuts entries of these sizes, in order, into the longest batches within the limits. One that is
/// too large by itself is a batch of its own; [`RecordSink::record`] makes none.
pub fn cut_batches(sizes: &[usize], limits: Limits) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0_usize, 0_usize);
    for (at, size) in sizes.iter().enumerate() {
        let full = at.saturating_sub(start) >= limits.entries
            || bytes.saturating_add(*size) > limits.bytes;
        if full && at > start {
            batches.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes = bytes.saturating_add(*size);
    }
    if sizes.len() > start {
        batches.push(start..sizes.len());
    }
    batches
}

#[cfg(test)]
mod tests;
