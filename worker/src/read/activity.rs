//! Who was active: distinct users of any range, from the counts of gaps.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::archive::fold::{Sums, Table, Want};
use crate::base::json;
use crate::base::sorted::Map;
use crate::http::days::Days;

/// Said with every answer that counts users.
pub const ANONYMOUS_NOTE: &str =
    "Day-scoped ids of visitors who asked not to be followed count in daily active users only.";

/// The gaps of all users that [`Activity`] needs for a range: from 29 days before it on, for its first month.
pub fn gaps(days: Days) -> Want {
    let first = days.first.saturating_sub(29);
    Want::new(Table::Gaps, &["user", "anon"], (first, days.last))
}

/// A row of a metrics query: all of a day's rows of one kind, as one JSON array, because a row is
/// what costs on its way from the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// What it holds.
    pub kind: String,
    /// The day.
    pub day: i64,
    /// A JSON array of arrays; what these hold depends on the kind.
    pub list: String,
}

impl Row {
    /// The list, read; the statement wrote it, so it reads.
    pub fn items<T: DeserializeOwned>(&self) -> Vec<T> {
        json::told(&self.list).unwrap_or_default()
    }
}

/// Users by the day they were there and the gap before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    known: Map<i64, Vec<(i64, i64)>>,
    anonymous: Map<i64, i64>,
}

impl Activity {
    /// Takes a row of kind `user` or `anon`: `[[gap, n], …]`.
    pub fn add(&mut self, row: &Row) {
        for (gap, n) in row.items() {
            self.add_gap(&row.kind, row.day, gap, n);
        }
    }

    /// Takes what the rows lack.
    pub fn add_lacking(&mut self, lacking: &Sums) {
        for row in lacking.gaps() {
            self.add_gap(row.dim, row.day, row.gap, row.n);
        }
    }

    fn add_gap(&mut self, kind: &str, day: i64, gap: i64, n: i64) {
        if kind == "anon" {
            let sum = self.anonymous.entry(day).or_default();
            *sum = sum.saturating_add(n);
        } else {
            self.known.entry(day).or_default().push((gap, n));
        }
    }

    /// Distinct users of the days from `first` to `last`: of each user the first day in the range
    /// is the one whose gap reaches back before it.
    pub fn users(&self, first: i64, last: i64) -> i64 {
        self.known
            .range(first..=last)
            .flat_map(|(day, gaps)| gaps.iter().map(move |(gap, n)| (day, gap, n)))
            .filter(|(day, gap, _)| **gap == 0 || **gap > day.saturating_sub(first))
            .fold(0, |sum: i64, (_, _, n)| sum.saturating_add(*n))
    }

    /// Day-scoped ids of a day.
    pub fn anonymous(&self, day: i64) -> i64 {
        self.anonymous.get(&day).copied().unwrap_or(0)
    }

    /// Daily active users.
    pub fn daily(&self, day: i64) -> i64 {
        self.users(day, day).saturating_add(self.anonymous(day))
    }

    /// Weekly active users: of the seven days that end with `day`.
    pub fn weekly(&self, day: i64) -> i64 {
        self.users(day.saturating_sub(6), day)
    }

    /// Monthly active users: of the thirty days that end with `day`.
    pub fn monthly(&self, day: i64) -> i64 {
        self.users(day.saturating_sub(29), day)
    }

    /// Stickiness: users of the day among the users of its month, to four places.
    pub fn stickiness(&self, day: i64) -> f64 {
        ratio(self.users(day, day), self.monthly(day))
    }
}

/// A part of a whole, to four places, half up; 0 of nothing.
pub fn ratio(part: i64, whole: i64) -> f64 {
    if whole <= 0 {
        return 0.0;
    }
    // In whole numbers: a quotient of floats can fall short of the half that it is.
    let (part, whole) = (i128::from(part), i128::from(whole));
    let twice = part.saturating_mul(20_000).saturating_add(whole);
    let places = twice.checked_div_euclid(whole.saturating_mul(2));
    places.unwrap_or(0) as f64 / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_half_up_at_its_fourth_place() {
        for (part, whole, want) in [
            (1, 20_000, 0.0001),
            (1, 20_001, 0.0),
            (2, 3, 0.6667),
            (3, 3, 1.0),
            (0, 7, 0.0),
            (5, 0, 0.0),
            (i64::MAX, i64::MAX, 1.0),
        ] {
            assert_eq!(ratio(part, whole), want, "{part} of {whole}");
        }
        // Each half of a place, over many wholes: floats miss some of these.
        for whole in 1..2_000_i64 {
            for part in 0..8 {
                let half = (2 * part + 1, 20_000 * whole);
                let got = ratio(half.0 * whole, half.1);
                assert_eq!(got, (part + 1) as f64 / 10_000.0, "{half:?}");
            }
        }
    }
}
