//! How many events, and how many of a crowd, are in which rows of an answer.
//!
//! Here, not in the worker beside the questions that count by it, for the reason that [`crate::bits`] is here.

use crate::crowd::{NO_ROW, NOBODY, Rows};

/// How many of a crowd each row has. Row 0 is of all events: who is new to any row is counted there, too.
#[derive(Debug, Default)]
pub struct Tally {
    rows: Rows,
    counts: Vec<i64>,
}

impl Tally {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let counts = self.counts.len().saturating_mul(8);
        self.rows.bytes().saturating_add(counts)
    }

    /// Counts of each event the member of the crowd, by its place, in the event's row, if it is new there. `len` is
    /// how many rows there are.
    ///
    /// ```
    /// use shoreline_shared::{crowd::{NO_ROW, NOBODY}, tally::Tally};
    /// let mut tally = Tally::default();
    /// tally.add(&[7, 7, 7, NOBODY, 8], &[1, 1, 2, 2, NO_ROW], 3);
    /// assert_eq!((tally.count(0), tally.count(1), tally.count(2)), (1, 1, 1));
    /// ```
    #[inline(never)]
    pub fn add(&mut self, members: &[u32], rows: &[u32], len: usize) {
        self.counts.resize(self.counts.len().max(len), 0);
        for (member, row) in members.iter().zip(rows) {
            if *member == NOBODY || *row == NO_ROW {
                continue;
            }
            let (is_new, is_first) = self.rows.add(*member, *row);
            if is_new && let Some(count) = self.counts.get_mut(*row as usize) {
                *count = count.wrapping_add(1);
            }
            if is_first
                && *row > 0
                && let Some(all) = self.counts.first_mut()
            {
                *all = all.wrapping_add(1);
            }
        }
    }

    /// How many a row has.
    pub fn count(&self, row: usize) -> i64 {
        self.counts.get(row).copied().unwrap_or(0)
    }

    /// Who is in which rows.
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }
}

/// Counts the events of each row, and those of them that have the code `view`; in row 0 those of all rows.
#[inline(never)]
pub fn count(rows: &[u32], codes: &[u32], view: u32, counts: &mut [[i64; 2]]) {
    let mut total = [0_i64; 2];
    for (row, code) in rows.iter().zip(codes) {
        if *row == NO_ROW {
            continue;
        }
        let more = [1, i64::from(*code == view)];
        total = sum(total, more);
        if *row > 0
            && let Some(count) = counts.get_mut(*row as usize)
        {
            *count = sum(*count, more);
        }
    }
    if let Some(all) = counts.first_mut() {
        *all = sum(*all, total);
    }
}

const fn sum([a, b]: [i64; 2], [c, d]: [i64; 2]) -> [i64; 2] {
    [a.wrapping_add(c), b.wrapping_add(d)]
}

/// Which codes events of any row have, of codes below `len`.
#[inline(never)]
pub fn used(rows: &[u32], codes: &[u32], len: usize) -> Vec<bool> {
    let mut used = vec![false; len];
    for (row, code) in rows.iter().zip(codes) {
        if *row != NO_ROW
            && let Some(used) = used.get_mut(*code as usize)
        {
            *used = true;
        }
    }
    used
}

/// Puts each event that is in a row into that which a table has for its code.
#[inline(never)]
pub fn place(rows: &mut [u32], codes: &[u32], table: &[u32]) {
    for (row, code) in rows.iter_mut().zip(codes) {
        if *row != NO_ROW {
            *row = table.get(*code as usize).copied().unwrap_or(NO_ROW);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_a_set_counts(all in prop::collection::vec((0_u32..20, 0_u32..6), 0..200)) {
            // One of the rows and one of the crowd stand for none.
            let rows: Vec<u32> = all.iter().map(|each| if each.1 == 0 { NO_ROW } else { each.1 }).collect();
            let members: Vec<u32> = all.iter().map(|each| if each.0 == 0 { NOBODY } else { each.0 }).collect();
            let mut tally = Tally::default();
            let (before, after) = (all.len() / 2, 6);
            tally.add(&members[..before], &rows[..before], after);
            tally.add(&members[before..], &rows[before..], after);
            let counted: BTreeSet<_> = all.iter().filter(|each| each.0 > 0 && each.1 > 0).collect();
            for row in 1..6 {
                let want = counted.iter().filter(|each| each.1 == row).count();
                prop_assert_eq!(tally.count(row as usize), want as i64);
            }
            let want: BTreeSet<u32> = counted.iter().map(|each| each.0).collect();
            prop_assert_eq!(tally.count(0), want.len() as i64);
        }

        #[test]
        fn events_are_counted_in_the_rows_of_their_codes(
            all in prop::collection::vec((any::<bool>(), 0_u32..5, 0_u32..3), 0..100),
        ) {
            let mut rows: Vec<u32> = all.iter().map(|each| if each.0 { 0 } else { NO_ROW }).collect();
            let codes: Vec<u32> = all.iter().map(|each| each.1).collect();
            let types: Vec<u32> = all.iter().map(|each| each.2).collect();
            for (code, used) in (0..).zip(used(&rows, &codes, 5)) {
                prop_assert_eq!(used, all.iter().any(|each| each.0 && each.1 == code));
            }
            place(&mut rows, &codes, &[3, 1, 2, 2]);
            let mut counts = [[0; 2]; 4];
            count(&rows, &types, 1, &mut counts);
            let want = |codes: &[u32]| {
                let own = || all.iter().filter(|each| each.0 && codes.contains(&each.1));
                [own().count() as i64, own().filter(|each| each.2 == 1).count() as i64]
            };
            prop_assert_eq!(counts, [want(&[0, 1, 2, 3]), want(&[1]), want(&[2, 3]), want(&[0])]);
        }
    }
}
