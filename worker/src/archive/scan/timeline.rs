//! Entries in order of time, though segments come in none, and within a bound of memory.
//!
//! Entries are collected until there are enough, and then told in order, as far as no segment that is left is of
//! an earlier time: mostly segments come nearly in order, and few entries wait. Where too many wait, the window
//! of time is cut to its earlier half of them, and the segments are read again for the rest.

use std::ops::Range;

/// Entries that are kept at most: 32 MB, a quarter of an object's memory.
pub(super) const MAX_ENTRIES: usize = 1 << 20;

/// Entries that are collected before they are told, if that is possible: 2 MB, which a processor's cache holds.
const FEW_ENTRIES: usize = 1 << 16;

/// What an event is to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// When it happened, Unix milliseconds.
    pub(super) at: i64,
    /// Its id: the order of what happened at once.
    pub(super) id: u128,
    /// Whose it is, by a number from 0 on.
    pub(super) whose: u32,
    /// What it is.
    pub(super) what: u32,
}

/// Entries of a window of time.
#[derive(Debug)]
pub(super) struct Timeline {
    window: Range<i64>,
    /// From the start of the first window to the end of the last.
    range: Range<i64>,
    entries: Vec<Entry>,
    /// How many are enough.
    enough: usize,
    most: usize,
}

impl Timeline {
    /// Of a range of time, that keeps so many entries at most, if they are not all of one moment.
    pub(super) fn new(range: Range<i64>, most: usize) -> Self {
        Self {
            window: range.clone(),
            range,
            entries: Vec::new(),
            enough: FEW_ENTRIES.min(most),
            most,
        }
    }

    /// The window now.
    pub(super) fn window(&self) -> Range<i64> {
        self.window.clone()
    }

    /// Forgets all entries and begins with the first window.
    pub(super) fn reset(&mut self) {
        self.entries.clear();
        self.window = self.range.clone();
    }

    /// Takes an entry, unless it is of another window.
    pub(super) fn add(&mut self, entry: Entry) {
        if !self.window.contains(&entry.at) {
            return;
        }
        if self.entries.len() >= self.most {
            self.narrow();
            if entry.at >= self.window.end {
                return;
            }
        }
        self.entries.push(entry);
    }

    /// Cuts the window where half of the entries are before.
    fn narrow(&mut self) {
        let middle = self.entries.len() / 2;
        if middle >= self.entries.len() {
            return;
        }
        // A selection would do, at 3 KB of the worker; this is seldom, and the next sort finds what is in order.
        self.sort();
        let median = self.entries.get(middle).map_or(0, |entry| entry.at);
        // A window is one moment at least.
        let end = median.max(self.window.start.saturating_add(1));
        self.window.end = self.window.end.min(end);
        self.entries.retain(|entry| entry.at < end);
        // Those of one moment cannot be parted: a bound that changes nothing is raised.
        self.most = self.most.max(self.entries.len().saturating_mul(2));
    }

    #[inline(never)]
    fn sort(&mut self) {
        // Mostly runs that are in order, which this sort finds.
        self.entries.sort_by_key(key);
    }

    /// Whether there are enough to be told.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.enough
    }

    /// Tells the entries of before a moment in order of time, equals by id: no others of that time come.
    pub(super) fn settle(&mut self, before: i64, tell: &mut dyn FnMut(&Entry)) {
        self.sort();
        let count = self.entries.partition_point(|entry| entry.at < before);
        for entry in self.entries.drain(..count) {
            tell(&entry);
        }
        let waiting = self.entries.len();
        self.enough = FEW_ENTRIES.max(waiting.saturating_mul(2)).min(self.most);
    }

    /// Ends the window: tells what waits, and goes on to the next one; whether there is one.
    pub(super) fn next(&mut self, tell: &mut dyn FnMut(&Entry)) -> bool {
        self.settle(i64::MAX, tell);
        self.window = self.window.end..self.range.end;
        !self.window.is_empty()
    }
}

fn key(entry: &Entry) -> (i64, u128) {
    (entry.at, entry.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_are_told_once_and_in_order_whatever_the_bound(
            events in prop::collection::vec((0_u32..5, -3_i64..12, 0_u128..40), 0..80),
            most in 1_usize..20, range in (-4_i64..6, 0_i64..12).prop_map(|(from, days)| from..from + days),
        ) {
            let mut want: BTreeMap<usize, Vec<(i64, u128)>> = BTreeMap::new();
            for (whose, at, id) in &events {
                if range.contains(at) {
                    want.entry(*whose as usize).or_default().push((*at, *id));
                }
            }
            want.values_mut().for_each(|list| list.sort_unstable());
            let mut timeline = Timeline::new(range, most);
            let mut told: BTreeMap<usize, Vec<(i64, u128)>> = BTreeMap::new();
            let mut tell = |entry: &Entry| told.entry(entry.whose as usize).or_default().push(key(entry));
            for pass in 0.. {
                prop_assert!(pass < 40);
                for (n, (whose, at, id)) in events.iter().enumerate() {
                    timeline.add(Entry { at: *at, id: *id, whose: *whose, what: 0 });
                    if timeline.is_full() || n % 7 == 0 {
                        let left = events[n + 1..].iter().map(|(_, at, _)| *at).min();
                        timeline.settle(left.unwrap_or(i64::MAX), &mut tell);
                    }
                }
                if !timeline.next(&mut tell) {
                    break;
                }
            }
            prop_assert_eq!(told, want);
        }
    }
}
