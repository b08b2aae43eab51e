//! What a shard found, on the way from the archive to the worker that asked it.

use serde::{Deserialize, Serialize};

use super::groups::Counts;
use super::groups::Groups;
use super::measures::Stats;

/// What a shard found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Why it gave up, as [`TooMuch`] has it; 0 where it did not.
    pub(super) too_much: u8,
    /// Events in the range that were looked at.
    pub(super) scanned: i64,
    /// The first moment whose events are kept, Unix milliseconds.
    pub(super) kept_from: i64,
    /// Of each panel.
    pub(super) panels: Vec<Told>,
}

/// The rows of a panel: one list of texts and one of numbers, as `Row` reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
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

impl Told {
    /// Tells all rows.
    pub(super) fn of(groups: &Groups, measures: usize) -> Self {
        let mut told = Self::default();
        let chunk = measures.max(1);
        let mut stats = groups.stats.chunks(chunk);
        for (at, mut counts) in groups.counted().enumerate() {
            if at > 0 {
                told.keys.extend(
                    groups
                        .key(at)
                        .into_iter()
                        .map(|value| value.map(str::to_owned)),
                );
            }
            told.numbers.extend(counts.all().map(|count| *count));
            for stats in stats.next().unwrap_or_default() {
                told.put_stats(stats);
            }
        }
        told
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
            stats.money.len() as i64,
            stats.values.len() as i64,
        ]);
        for (currency, sum) in &stats.money {
            let parts = [*currency, (*sum >> 64) as i64, *sum as i64];
            self.numbers.extend(parts);
        }
        self.numbers.extend(stats.values.iter().copied().map(bits));
    }

    /// The rows that were told, the first of all events.
    pub(super) fn rows(self, dimensions: usize, measures: usize) -> Vec<Row> {
        let mut numbers = self.numbers.into_iter();
        let mut keys = self.keys.into_iter();
        let mut rows: Vec<Row> = Vec::new();
        while let Some(events) = numbers.next() {
            let mut row = Row::default();
            row.counts.events = events;
            if !rows.is_empty() {
                row.key.extend(keys.by_ref().take(dimensions));
            }
            let mut next = || numbers.next().unwrap_or(0);
            for count in row.counts.all().into_iter().skip(1) {
                *count = next();
            }
            row.stats.extend((0..measures).map(|_| stats(&mut next)));
            rows.push(row);
        }
        rows
    }
}

fn stats(next: &mut dyn FnMut() -> i64) -> Stats {
    let (n, others) = (next(), next());
    let wide = |high: i64, low: i64| i128::from(high) << 64 | i128::from(low as u64);
    let (high, low) = (next(), next());
    let (least, most) = (next(), next());
    let (currencies, count) = (next(), next());
    let mut amount = |_| (next(), wide(next(), next()));
    let money = (0..currencies).map(&mut amount).collect();
    let float = |bits: i64| f64::from_bits(bits as u64);
    Stats {
        n,
        others,
        sum: wide(high, low),
        money,
        least: float(least),
        most: float(most),
        values: (0..count).map(|_| float(next())).collect(),
    }
}

impl Row {
    /// Takes what another shard has of it.
    pub(super) fn unite(&mut self, other: &Self) {
        let mut theirs = other.counts;
        for (ours, theirs) in self.counts.all().into_iter().zip(theirs.all()) {
            *ours = ours.saturating_add(*theirs);
        }
        for (ours, theirs) in self.stats.iter_mut().zip(&other.stats) {
            ours.unite(theirs);
        }
    }
}
