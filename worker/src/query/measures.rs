//! Numbers of properties: sums exact to a millionth, and each value where percentiles are asked for.

use super::loaded::{Entry, Loaded};
use super::origin::money_of;
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
    /// Of money the sum of each currency, in millionths.
    pub(super) money: Vec<(i64, i128)>,
}

/// A number, exact to a millionth, and as it is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    micro: i128,
    value: f64,
    /// The number of its currency; 0 for what is no money.
    currency: i64,
}

impl Amount {
    /// Of a distinct value; none where it is no number that is added.
    fn of(entry: &Entry<'_>) -> Option<Self> {
        Some(Self {
            value: entry.number()?,
            micro: signed(&entry.text)?,
            currency: 0,
        })
    }

    /// Of an amount with its currency.
    fn of_money(entry: &Entry<'_>) -> Option<Self> {
        let (currency, digits) = money_of(&entry.text)?;
        Some(Self {
            micro: signed(digits.trim())?,
            value: 0.0,
            currency,
        })
    }

    /// Of each distinct value.
    pub(super) fn all(loaded: &Loaded<'_>, is_money: bool) -> Vec<Option<Self>> {
        let of = if is_money { Self::of_money } else { Self::of };
        loaded.dict.iter().map(of).collect()
    }
}

/// Digits with or without a sign, in millionths.
fn signed(text: &str) -> Option<i128> {
    match text.strip_prefix('-') {
        Some(digits) => millionths(digits, MOST).map(i128::saturating_neg),
        None => millionths(text, MOST),
    }
}

impl Stats {
    /// Takes what an event has.
    pub(super) fn add(&mut self, amount: Option<Amount>, each: bool) {
        let Some(amount) = amount else {
            self.others = self.others.saturating_add(1);
            return;
        };
        let Amount { micro, value, .. } = amount;
        if amount.currency != 0 {
            self.n = self.n.saturating_add(1);
            self.add_money(amount.currency, micro);
            return;
        }
        self.widen(value, value);
        self.n = self.n.saturating_add(1);
        self.sum = self.sum.saturating_add(micro);
        if each {
            self.values.push(value);
        }
    }

    fn add_money(&mut self, currency: i64, micro: i128) {
        match self.money.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(micro),
            None => self.money.push((currency, micro)),
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
        for (currency, micro) in &other.money {
            self.add_money(*currency, *micro);
        }
        if other.n > 0 {
            self.widen(other.least, other.most);
            self.n = self.n.saturating_add(other.n);
            self.sum = self.sum.saturating_add(other.sum);
            self.values.extend_from_slice(&other.values);
        }
    }

    /// The sum.
    pub(super) fn total(&self) -> f64 {
        whole_of(self.sum)
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

/// Millionths as a number, to the nearest double.
pub(super) fn whole_of(sum: i128) -> f64 {
    let micro = i128::from(MICRO);
    // Whole ones and the rest apart: the quotient of two doubles would be off for large sums.
    let (whole, rest) = (sum.div_euclid(micro), sum.rem_euclid(micro));
    if whole.unsigned_abs() < 1 << 53 {
        return sum as f64 / MICRO as f64;
    }
    whole as f64 + rest as f64 / MICRO as f64
}
