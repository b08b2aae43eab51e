//! What the consumer tells the log: rows that are stored and handed on, so that the log may drop them.

use serde::{Deserialize, Serialize};

use crate::base::sort;

/// Rows that are done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The log's, as in its messages: rows of another log have other contents under the same numbers.
    pub epoch: String,
    /// Runs of rows, first and last number of each.
    pub ranges: Vec<(i64, i64)>,
    /// Of rows that brought events which came before in another one: the number, and their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<(i64, Vec<String>)>,
}

impl Confirmation {
    /// The confirmation of these rows, each with the ids of its events that came before.
    pub fn of(epoch: &str, rows: impl IntoIterator<Item = (i64, Vec<String>)>) -> Self {
        let mut rows: Vec<(i64, Vec<String>)> = rows.into_iter().collect();
        sort::sort(&mut rows);
        rows.dedup_by_key(|(seq, _)| *seq);
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for (seq, _) in &rows {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*seq) => *last = *seq,
                _ => ranges.push((*seq, *seq)),
            }
        }
        rows.retain(|(_, duplicates)| !duplicates.is_empty());
        Self {
            epoch: epoch.to_owned(),
            ranges,
            duplicates: rows,
        }
    }

    /// Whether it takes anything out of the live counts.
    pub fn changes_live(&self) -> bool {
        !self.duplicates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_after_each_other_are_one_range() {
        let rows = [
            (5, vec!["b".to_owned()]),
            (3, vec![]),
            (4, vec![]),
            (9, vec![]),
        ];
        let told = Confirmation::of("e", rows);
        assert_eq!(told.ranges, [(3, 5), (9, 9)]);
        assert_eq!(told.duplicates, [(5, vec!["b".to_owned()])]);
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Confirmation>(&text).unwrap(), told);
    }

    proptest! {
        #[test]
        fn ranges_hold_each_row_and_no_other(rows in prop::collection::btree_set(-5_i64..50, 0..40)) {
            let told = Confirmation::of("e", rows.iter().map(|seq| (*seq, Vec::new())));
            let held: Vec<i64> = told.ranges.iter().flat_map(|(a, b)| *a..=*b).collect();
            prop_assert_eq!(held, rows.into_iter().collect::<Vec<_>>());
        }
    }
}
