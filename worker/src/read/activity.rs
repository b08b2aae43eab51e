//! Who was active: distinct users of any range, from the counts of gaps.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Said with every answer that counts users.
pub const ANONYMOUS_NOTE: &str =
    "Day-scoped ids of visitors who asked not to be followed count in daily active users only.";

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
        serde_json::from_str(&self.list).unwrap_or_default()
    }
}

/// Users by the day they were there and the gap before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    known: BTreeMap<i64, Vec<(i64, i64)>>,
    anonymous: BTreeMap<i64, i64>,
}

impl Activity {
    /// Takes a row of kind `user` or `anon`: `[[gap, n], …]`.
    pub fn add(&mut self, row: &Row) {
        let gaps: Vec<(i64, i64)> = row.items();
        if row.kind == "anon" {
            let n = gaps
                .iter()
                .fold(0, |sum: i64, (_, n)| sum.saturating_add(*n));
            self.anonymous.insert(row.day, n);
        } else {
            self.known.insert(row.day, gaps);
        }
    }

    /// Distinct users of the days from `first` to `last`: of each user the first day in the range
    /// is the one whose gap reaches back before it.
    pub fn users(&self, first: i64, last: i64) -> i64 {
        self.known
            .range(first..=last.max(first))
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

/// A part of a whole, to four places; 0 of nothing.
pub fn ratio(part: i64, whole: i64) -> f64 {
    if whole <= 0 {
        return 0.0;
    }
    (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0
}
