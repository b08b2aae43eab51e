//! Operations that wait in an isolate to be committed together.
//!
//! The first few of a second are kept each by itself. What comes on top is folded: it is counted on
//! a call that is alike in all that is counted (site, action, method, status, code, bucket of the
//! duration), whose event then stands for several. So sums over `calls` are exact under any load,
//! while memory and events are bounded.

use std::collections::HashMap;

use super::event::{Likeness, Operation};

/// Calls a second and isolate that have an event each.
pub const EXACT_PER_SECOND: u32 = 10;

/// How long a call waits for others, milliseconds: what an isolate that is ended takes with it, and
/// how late the read model is. The platform lets work go on for 30 s after an answer.
pub const FLUSH_EVERY_MS: i64 = 5_000;

/// Calls that wait at most before they are committed all the same: one message of the queue.
pub const FLUSH_FROM: usize = 100;

/// Events that name a site at most: where there are more, what is folded keeps its action and loses
/// its site, so that the totals stay true. At about 700 bytes each they are below 300 KB.
pub const MAX_WITH_SITE: usize = 400;

/// Events that wait at most. Without a site there are few that are not alike; a call for which there
/// is no room here is lost, and told to the log by its number.
pub const MAX_GROUPS: usize = 600;

/// What waits.
#[derive(Debug, Default)]
pub struct Buffer {
    events: Vec<Operation>,
    places: HashMap<Likeness, usize>,
    since: Option<i64>,
    second: i64,
    in_second: u32,
    lost: u64,
}

impl Buffer {
    /// Adds a call; `true` where it is the first that waits.
    pub fn add(&mut self, operation: Operation, now_ms: i64) -> bool {
        let first = self.since.is_none();
        self.since.get_or_insert(now_ms);
        let second = now_ms.div_euclid(1_000);
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        if self.in_second < EXACT_PER_SECOND && self.events.len() < FLUSH_FROM {
            self.in_second = self.in_second.saturating_add(1);
            self.events.push(operation);
        } else {
            self.fold(operation);
        }
        first
    }

    fn fold(&mut self, mut operation: Operation) {
        let full = self.events.len() >= MAX_WITH_SITE;
        if full && !self.places.contains_key(&operation.likeness()) {
            operation.site = None;
        }
        let likeness = operation.likeness();
        let waiting = self.events.len();
        let place = self.places.get(&likeness);
        if let Some(known) = place.and_then(|place| self.events.get_mut(*place)) {
            known.stand_for(operation);
        } else if waiting < MAX_GROUPS {
            self.places.insert(likeness, waiting);
            self.events.push(operation);
        } else {
            self.lost = self.lost.saturating_add(operation.calls);
        }
    }

    /// Whether it is time: the first has waited long enough, or there are many.
    pub fn is_due(&self, now_ms: i64) -> bool {
        let waited = |since| now_ms.saturating_sub(since) >= FLUSH_EVERY_MS;
        self.since.is_some_and(waited) || self.events.len() >= FLUSH_FROM
    }

    /// All that waits, and how many calls were lost.
    pub fn take(&mut self) -> (Vec<Operation>, u64) {
        let lost = std::mem::take(&mut self.lost);
        self.since = None;
        self.places.clear();
        (std::mem::take(&mut self.events), lost)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::operation;
    use super::*;
    use crate::testing::NOW;
    use proptest::prelude::*;

    const PATH: &str = "/v1/events";

    #[test]
    fn few_calls_have_an_event_each() {
        let mut buffer = Buffer::default();
        for second in 0..4 {
            for n in 0..i64::from(EXACT_PER_SECOND) {
                let first = buffer.add(operation(PATH, Some("a"), 202, n), NOW + second * 1_000);
                assert_eq!(first, second == 0 && n == 0);
            }
        }
        assert!(!buffer.is_due(NOW + FLUSH_EVERY_MS - 1));
        assert!(buffer.is_due(NOW + FLUSH_EVERY_MS));
        let (events, lost) = buffer.take();
        assert_eq!((events.len(), lost), (40, 0));
        assert!(events.iter().all(|event| event.calls == 1));
        assert!(!buffer.is_due(NOW + 2 * FLUSH_EVERY_MS));
    }

    #[test]
    fn a_hundred_thousand_calls_of_a_second_are_a_few_events_that_add_up() {
        let mut buffer = Buffer::default();
        for n in 0..100_000 {
            let mut call = operation(PATH, Some("a"), 202, n % 4);
            call.outcomes.insert("accepted", 25);
            buffer.add(call, NOW);
        }
        let (events, lost) = buffer.take();
        assert!(
            events.len() <= EXACT_PER_SECOND as usize + 3,
            "{}",
            events.len()
        );
        let sum = |of: fn(&Operation) -> u64| events.iter().map(of).sum::<u64>();
        assert_eq!((sum(|e| e.calls), lost), (100_000, 0));
        assert_eq!(sum(|e| e.outcomes["accepted"]), 2_500_000);
        assert_eq!(sum(|e| e.total_ms.unsigned_abs()), 150_000);
    }

    #[test]
    fn where_sites_are_too_many_totals_stay_true() {
        let mut buffer = Buffer::default();
        for n in 0..10_000 {
            buffer.add(operation(PATH, Some(&format!("s{n}")), 202, 1), NOW);
        }
        let (events, lost) = buffer.take();
        assert!(events.len() <= MAX_GROUPS);
        assert_eq!(lost, 0);
        assert_eq!(events.iter().map(|e| e.calls).sum::<u64>(), 10_000);
        let nameless = events.iter().filter(|event| event.site.is_none());
        assert_eq!(nameless.count(), 1);
    }

    proptest! {
        #[test]
        fn every_call_is_in_one_event_and_in_its_own_bucket(
            calls in prop::collection::vec((0_usize..3, 0_i64..12_000, prop::bool::ANY, 0_i64..3_000), 0..2_000),
        ) {
            let mut buffer = Buffer::default();
            let mut want: HashMap<Likeness, u64> = HashMap::new();
            for (site, ms, fails, at) in &calls {
                let site = format!("s{site}");
                let call = operation(PATH, Some(&site), if *fails { 503 } else { 202 }, *ms);
                *want.entry(call.likeness()).or_default() += 1;
                buffer.add(call, NOW + at);
            }
            let (events, lost) = buffer.take();
            let mut found: HashMap<Likeness, u64> = HashMap::new();
            for event in &events {
                *found.entry(event.likeness()).or_default() += event.calls;
            }
            prop_assert_eq!((found, lost), (want, 0));
            prop_assert!(events.len() <= MAX_GROUPS);
        }
    }
}
