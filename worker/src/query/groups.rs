//! Rows under way: which group each event is of, and what is counted of it.

use std::collections::HashMap;

use super::loaded::Loaded;
use super::measures::{Amount, Stats};
use super::set::{Set, of_group};
use super::visits::Visits;
use crate::archive::scan::Places;

/// What is counted of a row beside its measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) events: i64,
    pub(super) views: i64,
    pub(super) users: i64,
    pub(super) sessions: i64,
    pub(super) bounces: i64,
    /// Milliseconds of all sessions.
    pub(super) duration: i64,
}

/// Of each event that does not pass.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Rows by their values of each dimension. Row 0 is of all events.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Numbers of a dimension's values, and these.
    values: Vec<HashMap<String, u64>>,
    names: Vec<Vec<String>>,
    /// Of each dimension: the place of a pair of what the dimensions before have, and a value's number.
    tree: Vec<Places>,
    pub(super) counts: Vec<Counts>,
    /// As many as there are measures, for each row.
    pub(super) stats: Vec<Stats>,
    measures: usize,
    users: Set,
    sessions: Set,
    /// Rows and the places of sessions that each has, where sessions are looked at as a whole.
    members: Vec<(u32, u32)>,
    /// Values that percentiles are made of.
    kept: usize,
    /// Bytes of the distinct values of dimensions.
    texts: usize,
}

impl Groups {
    /// By so many dimensions, with so many measures.
    pub(super) fn new(dimensions: usize, measures: usize) -> Self {
        let mut groups = Self {
            measures,
            ..Self::default()
        };
        for _ in 0..dimensions {
            groups.values.push(HashMap::new());
            groups.names.push(Vec::new());
            groups.tree.push(Places::default());
        }
        groups.grow();
        groups
    }

    /// How many there are, without row 0.
    pub(super) fn len(&self) -> usize {
        self.tree.last().map_or(0, Places::len)
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let rows = self.counts.len().saturating_mul(200);
        let stats = self.stats.len().saturating_mul(size_of::<Stats>());
        let kept = self
            .members
            .len()
            .saturating_add(self.kept)
            .saturating_mul(8);
        // Each text is kept twice, and told.
        let texts = self.texts.saturating_mul(3);
        let sets = self.users.bytes().saturating_add(self.sessions.bytes());
        rows.saturating_add(stats)
            .saturating_add(kept)
            .saturating_add(texts)
            .saturating_add(sets)
    }

    /// Numbers that are told of all rows.
    pub(super) fn told(&self) -> usize {
        let of_rows = self.counts.len().saturating_mul(6);
        let of_stats = self.stats.len().saturating_mul(7);
        of_rows.saturating_add(of_stats).saturating_add(self.kept)
    }

    fn grow(&mut self) {
        let rows = self.len().saturating_add(1);
        self.counts.resize(rows, Counts::default());
        let stats = rows.saturating_mul(self.measures);
        self.stats.resize_with(stats, Stats::default);
    }

    /// The row of each event that passes. `loaded` is what events have of each dimension.
    pub(super) fn place(&mut self, passing: &[bool], loaded: &[&Loaded<'_>]) -> Vec<u32> {
        let mut rows = Vec::with_capacity(passing.len());
        for passes in passing {
            rows.push(if *passes { 0 } else { NO_GROUP });
        }
        let dimensions = self
            .values
            .iter_mut()
            .zip(&mut self.names)
            .zip(&mut self.tree);
        for (((values, names), tree), loaded) in dimensions.zip(loaded) {
            // By code; 0 is a value like others: none.
            let mut numbers = vec![NO_GROUP; loaded.dict.len().saturating_add(1)];
            // Events that follow each other are alike, often.
            let mut last = (NO_GROUP, NO_GROUP, NO_GROUP);
            for (row, code) in rows.iter_mut().zip(&loaded.codes) {
                if *row == NO_GROUP {
                    continue;
                }
                if (*row, *code) != (last.0, last.1) {
                    let Some(number) = numbers.get_mut(*code as usize) else {
                        continue;
                    };
                    if *number == NO_GROUP {
                        let entry = loaded.dict.get((*code as usize).wrapping_sub(1));
                        *number = entry.map_or(0, |entry| {
                            numbered(values, names, &mut self.texts, &entry.text)
                        });
                    }
                    let key = u64::from(*row) << 32 | u64::from(*number);
                    last = (*row, *code, tree.place(key).saturating_add(1));
                }
                *row = last.2;
            }
        }
        self.grow();
        rows
    }

    /// Counts the events of each row; those of the type `view` are views.
    pub(super) fn count(&mut self, rows: &[u32], types: &[u32], view: u32) {
        let mut total = Counts::default();
        for (row, kind) in rows.iter().zip(types) {
            if *row == NO_GROUP {
                continue;
            }
            let view = i64::from(*kind == view);
            total.events = total.events.wrapping_add(1);
            total.views = total.views.wrapping_add(view);
            if let (true, Some(counts)) = (*row > 0, self.counts.get_mut(*row as usize)) {
                counts.events = counts.events.wrapping_add(1);
                counts.views = counts.views.wrapping_add(view);
            }
        }
        if let Some(counts) = self.counts.first_mut() {
            counts.events = counts.events.saturating_add(total.events);
            counts.views = counts.views.saturating_add(total.views);
        }
    }

    /// Counts the users of each row: those of them that are new to it.
    pub(super) fn count_users(&mut self, rows: &[u32], user: &dyn Fn(usize) -> Option<u64>) {
        for (at, row) in rows.iter().enumerate() {
            if *row != NO_GROUP
                && let Some(hash) = user(at)
            {
                self.users.each_new(*row, hash, &mut |row| {
                    if let Some(counts) = self.counts.get_mut(row as usize) {
                        counts.users = counts.users.wrapping_add(1);
                    }
                });
            }
        }
    }

    /// Counts the sessions of each row. With `visits` their places are kept, for they are looked at in the end.
    pub(super) fn count_sessions(
        &mut self,
        rows: &[u32],
        session: &dyn Fn(usize) -> Option<u64>,
        visits: Option<&Visits>,
    ) {
        for (at, row) in rows.iter().enumerate() {
            if *row != NO_GROUP
                && let Some(hash) = session(at)
            {
                self.sessions.each_new(*row, hash, &mut |row| {
                    if let Some(counts) = self.counts.get_mut(row as usize) {
                        counts.sessions = counts.sessions.wrapping_add(1);
                    }
                    if let Some(place) = visits.and_then(|visits| visits.place(hash)) {
                        self.members.push((row, place));
                    }
                });
            }
        }
    }

    /// Takes what the events of each row have of a measure, by the codes of its distinct amounts.
    pub(super) fn measure(
        &mut self,
        rows: &[u32],
        place: usize,
        amounts: &[Option<Amount>],
        codes: &[u32],
        each: bool,
    ) {
        for (row, code) in rows.iter().zip(codes) {
            let amount = amounts.get((*code as usize).wrapping_sub(1));
            let (Some(amount), true) = (amount, *row != NO_GROUP) else {
                continue;
            };
            let at = (*row as usize)
                .saturating_mul(self.measures)
                .saturating_add(place);
            if let Some(stats) = self.stats.get_mut(at) {
                stats.add(*amount, each);
                self.kept = self.kept.wrapping_add(usize::from(each));
            }
        }
    }

    /// All segments were taken: looks at sessions as a whole.
    pub(super) fn settle(&mut self, visits: &Visits) {
        for (row, place) in std::mem::take(&mut self.members) {
            let (is_bounce, duration) = visits.of(place);
            if let Some(counts) = self.counts.get_mut(row as usize) {
                counts.bounces = counts.bounces.saturating_add(is_bounce.into());
                counts.duration = counts.duration.saturating_add(duration);
            }
        }
    }

    /// The values of a row, the first dimension first.
    pub(super) fn key(&self, row: usize) -> Vec<Option<&str>> {
        let mut key = Vec::new();
        let mut row = row;
        for (tree, names) in self.tree.iter().zip(&self.names).rev() {
            let pair = tree.keys().get(row.wrapping_sub(1)).copied().unwrap_or(0);
            let name = names.get((pair as u32 as usize).wrapping_sub(1));
            key.push(name.map(String::as_str));
            row = (pair >> 32) as usize;
        }
        key.reverse();
        key
    }
}

impl Set {
    /// Adds a hash to a row and to row 0, and tells those of the two to which it is new.
    fn each_new(&mut self, row: u32, hash: u64, tell: &mut dyn FnMut(u32)) {
        // Who is not new to a row is not new to all of them.
        if self.insert(of_group(row, hash)) {
            tell(row);
            if row > 0 && self.insert(hash) {
                tell(0);
            }
        }
    }
}

/// The number of a value, from 1 on.
fn numbered(
    values: &mut HashMap<String, u64>,
    names: &mut Vec<String>,
    bytes: &mut usize,
    text: &str,
) -> u32 {
    if let Some(known) = values.get(text) {
        return *known as u32;
    }
    *bytes = bytes.saturating_add(text.len());
    names.push(text.to_owned());
    let number = names.len() as u64;
    values.insert(text.to_owned(), number);
    number as u32
}
