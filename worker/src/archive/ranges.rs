//! Which rows of a log were appended: a set of numbers, kept as runs.

use serde::{Deserialize, Serialize};

/// A set of numbers as runs (first, last), ascending, none next to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// Whether it holds a number.
    pub(super) fn contains(&self, number: i64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        let run = after.checked_sub(1).and_then(|index| self.0.get(index));
        run.is_some_and(|(_, last)| number <= *last)
    }

    /// The runs, in order.
    pub(super) fn runs(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Adds a run that is after all that it holds.
    pub(super) fn insert_run(&mut self, first: i64, last: i64) {
        match self.0.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(first) => run.1 = last,
            _ => self.0.push((first, last)),
        }
    }

    /// Adds a number.
    pub(super) fn insert(&mut self, number: i64) {
        if self.contains(number) {
            return;
        }
        let at = self.0.partition_point(|(first, _)| *first <= number);
        self.0.insert(at, (number, number));
        self.join(at);
        if let Some(before) = at.checked_sub(1) {
            self.join(before);
        }
    }

    /// Joins the run at `index` with the next one, where they touch.
    fn join(&mut self, index: usize) {
        let next = index.saturating_add(1);
        let (Some((_, last)), Some((first, end))) =
            (self.0.get(index).copied(), self.0.get(next).copied())
        else {
            return;
        };
        if last.checked_add(1) == Some(first) {
            self.0.remove(next);
            if let Some(run) = self.0.get_mut(index) {
                run.1 = end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    proptest! {
        #[test]
        fn a_set_holds_what_was_added_in_the_fewest_runs(
            numbers in prop::collection::vec(-3_i64..40, 0..60),
        ) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for number in numbers {
                ranges.insert(number);
                set.insert(number);
                for n in -5..45 {
                    prop_assert_eq!(ranges.contains(n), set.contains(&n));
                }
                prop_assert!(ranges.0.windows(2).all(|w| w[0].1 + 1 < w[1].0));
                let text = serde_json::to_string(&ranges).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Ranges>(&text).unwrap(), &ranges);
            }
        }
    }

    #[test]
    fn the_ends_of_all_numbers_are_numbers_like_others() {
        let mut ranges = Ranges::default();
        for number in [i64::MAX, i64::MIN, i64::MAX - 1] {
            ranges.insert(number);
            assert!(ranges.contains(number));
        }
        assert_eq!(ranges.0, [(i64::MIN, i64::MIN), (i64::MAX - 1, i64::MAX)]);
    }
}
