//! What a shard found, on the way from the archive to the worker that asked it.

use serde::{Deserialize, Serialize};

use super::groups::{Counts, Groups};
use super::measures::Stats;

/// What a shard found. Rows are told as one list of texts and one of numbers, as `Row` reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Why it gave up, as [`TooMuch`] has it; 0 where it did not.
    pub(super) too_much: u8,
    /// Events in the range that were looked at.
    pub(super) scanned: i64,
    /// The first moment whose events are kept, Unix milliseconds.
    pub(super) kept_from: i64,
    /// The values of each row but the first, as many as there are dimensions.
    pub(super) keys: Vec<Option<String>>,
    /// The counts and measures of each row. The first is of all events.
    pub(super) numbers: Vec<i64>,
}

/// Why a question is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum TooMuch {
    Rows = 1,
    Memory = 2,
    Work = 3,
}

/// A row of an answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) key: Vec<Option<String>>,
    pub(super) counts: Counts,
    pub(super) stats: Vec<Stats>,
}

impl Found {
    /// Tells all rows.
    pub(super) fn put(&mut self, groups: &Groups, measures: usize) {
        let chunk = measures.max(1);
        let mut stats = groups.stats.chunks(chunk);
        for (at, counts) in groups.counts.iter().enumerate() {
            if at > 0 {
                self.keys.extend(
                    groups
                        .key(at)
                        .into_iter()
                        .map(|value| value.map(str::to_owned)),
                );
            }
            self.numbers.extend([
                counts.events,
                counts.views,
                counts.users,
                counts.sessions,
                counts.bounces,
                counts.duration,
            ]);
            for stats in stats.next().unwrap_or_default() {
                self.put_stats(stats);
            }
        }
    }

    fn put_stats(&mut self, stats: &Stats) {
        let bits = |float: f64| float.to_bits() as i64;
        self.numbers.extend([
            stats.n,
            stats.others,
            (stats.sum >> 64) as i64,
            stats.sum as i64,
            bits(stats.least),
            bits(stats.most),
            stats.values.len() as i64,
        ]);
        self.numbers.extend(stats.values.iter().copied().map(bits));
    }

    /// The rows that were told, the first of all events.
    pub(super) fn rows(self, dimensions: usize, measures: usize) -> Vec<Row> {
        let mut numbers = self.numbers.into_iter();
        let mut keys = self.keys.into_iter();
        let mut rows: Vec<Row> = Vec::new();
        while let Some(events) = numbers.next() {
            let mut row = Row::default();
            if !rows.is_empty() {
                row.key.extend(keys.by_ref().take(dimensions));
            }
            let mut next = || numbers.next().unwrap_or(0);
            row.counts = Counts {
                events,
                views: next(),
                users: next(),
                sessions: next(),
                bounces: next(),
                duration: next(),
            };
            row.stats.extend((0..measures).map(|_| stats(&mut next)));
            rows.push(row);
        }
        rows
    }
}

fn stats(next: &mut dyn FnMut() -> i64) -> Stats {
    let (n, others) = (next(), next());
    let sum = i128::from(next()) << 64 | i128::from(next() as u64);
    let (least, most) = (next(), next());
    let count = next();
    let float = |bits: i64| f64::from_bits(bits as u64);
    Stats {
        n,
        others,
        sum,
        least: float(least),
        most: float(most),
        values: (0..count).map(|_| float(next())).collect(),
    }
}

impl Row {
    /// Takes what another shard has of it.
    pub(super) fn unite(&mut self, other: &Self) {
        let (ours, theirs) = (&mut self.counts, &other.counts);
        ours.events = ours.events.saturating_add(theirs.events);
        ours.views = ours.views.saturating_add(theirs.views);
        ours.users = ours.users.saturating_add(theirs.users);
        ours.sessions = ours.sessions.saturating_add(theirs.sessions);
        ours.bounces = ours.bounces.saturating_add(theirs.bounces);
        ours.duration = ours.duration.saturating_add(theirs.duration);
        for (ours, theirs) in self.stats.iter_mut().zip(&other.stats) {
            ours.unite(theirs);
        }
    }
}
