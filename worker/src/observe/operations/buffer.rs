//! Operations that wait in an isolate to be committed together.
//!
//! Calls that are alike in all that is counted (minute, site, action, method, status, code) are
//! folded into one event with the histogram of their durations. A call that failed, or whose caller
//! asks for it, has an event by itself, as many of each as [`ALONE_PER_FLUSH`]; what comes on top is
//! folded. Every call is in exactly one event, so sums over events are exact under any load, while
//! memory and events are bounded.

use std::collections::HashMap;

use super::event::{Likeness, Operation};

/// How long a call waits for others, milliseconds: what an isolate that is ended takes with it, and
/// how late the read model is. The platform lets work go on for 30 s after an answer.
pub const FLUSH_EVERY_MS: i64 = 5_000;

/// Failures that have an event each, and likewise calls whose caller asks for one: enough to see
/// what goes wrong, and so few that neither a flood of refused calls nor a caller who asks always
/// adds more than ten events a second.
const ALONE_PER_FLUSH: u32 = 25;

/// Events from which on they are committed before their time. At about 800 bytes each they are 320 KB.
const FLUSH_FROM: usize = 400;

/// Milliseconds that must lie between two commits, even where there are many events: a deployment of
/// thousands of sites is not to spend its time on its own events.
const FLUSH_APART_MS: i64 = 1_000;

/// Events that name a site at most: where there are more in a second, what is folded keeps its
/// action and loses its site, so that the totals stay true.
const MAX_WITH_SITE: usize = 500;

/// Events that wait at most. Without a site there are few that are not alike; a call for which there
/// is no room here is lost, and told to the log by its number.
const MAX_EVENTS: usize = 600;

/// What waits.
#[derive(Debug, Default)]
pub struct Buffer {
    events: Vec<Operation>,
    places: HashMap<Likeness, usize>,
    since: Option<i64>,
    taken_at: Option<i64>,
    failures: u32,
    asked_for: u32,
    lost: i64,
}

/// What is to be done after a call was added.
#[derive(Debug, PartialEq, Eq)]
pub enum Added {
    /// It is the first that waits, so somebody has to come back for it.
    First,
    /// Nothing: it waits with others.
    Waits,
    /// These are to be committed now.
    Due(Taken),
}

/// What waited.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The events.
    pub events: Vec<Operation>,
    /// Calls for which there was no room.
    pub lost: i64,
}

impl Buffer {
    /// Adds a call.
    pub fn add(&mut self, call: Operation, now_ms: i64) -> Added {
        let first = self.since.is_none();
        self.since.get_or_insert(now_ms);
        if self.has_an_event_alone(&call) {
            self.events.push(call);
        } else {
            self.fold(call);
        }
        match self.take_if_due(now_ms) {
            Some(taken) => Added::Due(taken),
            None if first => Added::First,
            None => Added::Waits,
        }
    }

    fn has_an_event_alone(&mut self, call: &Operation) -> bool {
        if self.events.len() >= FLUSH_FROM {
            return false;
        }
        let reasons = [
            (call.is_failure(), &mut self.failures),
            (call.trace.is_sampled(), &mut self.asked_for),
        ];
        for (holds, n) in reasons {
            if holds && *n < ALONE_PER_FLUSH {
                *n = n.saturating_add(1);
                return true;
            }
        }
        false
    }

    fn fold(&mut self, mut call: Operation) {
        let mut likeness = call.likeness();
        let waiting = self.events.len();
        if waiting >= MAX_WITH_SITE && !self.places.contains_key(&likeness) {
            call.site = None;
            likeness = call.likeness();
        }
        let place = self.places.get(&likeness);
        if let Some(known) = place.and_then(|place| self.events.get_mut(*place)) {
            known.stand_for(&call);
        } else if waiting < MAX_EVENTS {
            self.places.insert(likeness, waiting);
            self.events.push(call);
        } else {
            self.lost = self.lost.saturating_add(call.calls());
        }
    }

    /// All that waits, whether it is time or not; nothing where nothing does.
    pub fn take_now(&mut self, now_ms: i64) -> Option<Taken> {
        self.since?;
        self.taken_at = Some(now_ms);
        Some(self.take())
    }

    /// All that waits, where it is time: the first has waited long enough, or there are many.
    pub fn take_if_due(&mut self, now_ms: i64) -> Option<Taken> {
        // The platform's clock may be set back: what is in its future has waited, too.
        let over = |since: i64, ms: i64| now_ms < since || now_ms.saturating_sub(since) >= ms;
        let waited = self.since.is_some_and(|at| over(at, FLUSH_EVERY_MS));
        let many = self.events.len() >= FLUSH_FROM
            && self.taken_at.is_none_or(|at| over(at, FLUSH_APART_MS));
        (waited || many).then(|| {
            self.taken_at = Some(now_ms);
            self.take()
        })
    }

    fn take(&mut self) -> Taken {
        self.since = None;
        (self.failures, self.asked_for) = (0, 0);
        self.places.clear();
        Taken {
            events: std::mem::take(&mut self.events),
            lost: std::mem::take(&mut self.lost),
        }
    }
}

#[cfg(test)]
mod tests;
