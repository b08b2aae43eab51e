//! Numbers of properties: sums exact to a millionth, and each value where percentiles are asked for.

use super::loaded::{Entry, Loaded};
use crate::archive::counted::{MICRO, millionths};
use crate::base::sort;

/// The largest number that is added, in millionths: 10^20. So a sum of 10^12 of them is exact.
const MOST: i128 = 100_000_000_000_000_000_000_000_000;

/// What the events of a group have of a measure.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Stats {
    /// Events that have a number.
    pub(super) n: i64,
    /// Events that have something else: a text, a boolean, a number over 10^20.
    pub(super) others: i64,
    /// In millionths.
    pub(super) sum: i128,
    /// The least number, and the largest; 0 where there is none.
    pub(super) least: f64,
    pub(super) most: f64,
    /// Each number, in no order, where it is asked for.
    pub(super) values: Vec<f64>,
}

/// A number, exact to a millionth, and as it is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    micro: i128,
    value: f64,
}

impl Amount {
    /// Of a distinct value; none where it is no number that is added.
    fn of(entry: &Entry<'_>) -> Option<Self> {
        let value = entry.number()?;
        let digits = entry.text.strip_prefix('-');
        let micro = millionths(digits.unwrap_or(&entry.text), MOST)?;
        let micro = if digits.is_some() {
            micro.saturating_neg()
        } else {
            micro
        };
        Some(Self { micro, value })
    }

    /// Of each distinct value.
    pub(super) fn all(loaded: &Loaded<'_>) -> Vec<Option<Self>> {
        loaded.dict.iter().map(Self::of).collect()
    }
}

impl Stats {
    /// Takes what an event has.
    pub(super) fn add(&mut self, amount: Option<Amount>, each: bool) {
        let Some(Amount { micro, value }) = amount else {
            self.others = self.others.saturating_add(1);
            return;
        };
        self.widen(value, value);
        self.n = self.n.saturating_add(1);
        self.sum = self.sum.saturating_add(micro);
        if each {
            self.values.push(value);
        }
    }

    fn widen(&mut self, least: f64, most: f64) {
        let is_first = self.n == 0;
        self.least = if is_first {
            least
        } else {
            self.least.min(least)
        };
        self.most = if is_first { most } else { self.most.max(most) };
    }

    /// Takes what others have.
    pub(super) fn unite(&mut self, other: &Self) {
        self.others = self.others.saturating_add(other.others);
        if other.n > 0 {
            self.widen(other.least, other.most);
            self.n = self.n.saturating_add(other.n);
            self.sum = self.sum.saturating_add(other.sum);
            self.values.extend_from_slice(&other.values);
        }
    }

    /// The sum, to the nearest double.
    pub(super) fn total(&self) -> f64 {
        let micro = i128::from(MICRO);
        // Whole ones and the rest apart: the quotient of two doubles would be off for large sums.
        let (whole, rest) = (self.sum.div_euclid(micro), self.sum.rem_euclid(micro));
        if whole.unsigned_abs() < 1 << 53 {
            return self.sum as f64 / MICRO as f64;
        }
        whole as f64 + rest as f64 / MICRO as f64
    }

    /// Puts the values in order, for [`Stats::percentile`].
    pub(super) fn settle(&mut self) {
        sort::sort_floats(&mut self.values);
    }

    /// The percentile by nearest rank: the part of the count, rounded up.
    pub(super) fn percentile(&self, percent: i64) -> Option<f64> {
        let count = self.values.len() as u64;
        let rank = count.saturating_mul(percent.unsigned_abs()).div_ceil(100);
        self.values.get((rank as usize).checked_sub(1)?).copied()
    }
}
