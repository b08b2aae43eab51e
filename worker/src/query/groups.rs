//! Rows under way: which group each event is of.

mod counts;

use std::collections::HashMap;

use super::loaded::Loaded;
use super::measures::Stats;
use crate::archive::scan::Places;
pub(super) use counts::Counts;
use shoreline_shared::crowd::NO_ROW;
use shoreline_shared::tally::{self, Tally};

/// Rows by their values of each dimension. Row 0 is of all events.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Numbers of a dimension's values, and these.
    values: Vec<HashMap<String, u64>>,
    names: Vec<Vec<String>>,
    /// Of each dimension: the place of a pair of what the dimensions before have, and a value's number.
    tree: Vec<Places>,
    /// Of each row its events and views.
    events: Vec<[i64; 2]>,
    /// What else is counted of it, but who.
    counts: Vec<Counts>,
    /// As many as there are measures, for each row.
    pub(super) stats: Vec<Stats>,
    pub(super) measures: usize,
    users: Tally,
    converted: Tally,
    sessions: Tally,
    /// Values that percentiles are made of.
    pub(super) kept: usize,
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
        let kept = self.kept.saturating_mul(8);
        // Each text is kept twice, and told.
        let texts = self.texts.saturating_mul(3);
        let tallies = [&self.users, &self.converted, &self.sessions].map(Tally::bytes);
        let tallies = tallies.into_iter().fold(0, usize::saturating_add);
        rows.saturating_add(stats)
            .saturating_add(kept)
            .saturating_add(texts)
            .saturating_add(tallies)
    }

    /// Numbers that are told of all rows.
    pub(super) fn told(&self) -> usize {
        let of_rows = self.counts.len().saturating_mul(Counts::COUNT);
        let of_stats = self.stats.len().saturating_mul(8);
        of_rows.saturating_add(of_stats).saturating_add(self.kept)
    }

    fn grow(&mut self) {
        let rows = self.len().saturating_add(1);
        self.events.resize(rows, [0; 2]);
        self.counts.resize(rows, Counts::default());
        let stats = rows.saturating_mul(self.measures);
        self.stats.resize_with(stats, Stats::default);
    }

    /// The row of each event that passes. `loaded` is what events have of each dimension.
    pub(super) fn place(&mut self, passing: &[bool], loaded: &[&Loaded<'_>]) -> Vec<u32> {
        let mut rows = Vec::with_capacity(passing.len());
        for passes in passing {
            rows.push(if *passes { 0 } else { NO_ROW });
        }
        let dimensions = self
            .values
            .iter_mut()
            .zip(&mut self.names)
            .zip(&mut self.tree);
        for (at, (((values, names), tree), loaded)) in dimensions.zip(loaded).enumerate() {
            // By code; 0 is a value like others: none.
            let codes = loaded.dict.len().saturating_add(1);
            let texts = &mut self.texts;
            let mut number = |code: usize| {
                let entry = loaded.dict.get(code.wrapping_sub(1));
                entry.map_or(0, |entry| numbered(values, names, texts, &entry.text))
            };
            if at > 0 {
                place_pairs(&mut rows, &loaded.codes, codes, tree, &mut number);
                continue;
            }
            let mut table = vec![NO_ROW; codes];
            let used = tally::used(&rows, &loaded.codes, codes);
            for (code, (row, is_used)) in table.iter_mut().zip(used).enumerate() {
                if is_used {
                    *row = tree.place(number(code).into()).saturating_add(1);
                }
            }
            tally::place(&mut rows, &loaded.codes, &table);
        }
        self.grow();
        rows
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

/// Puts each event from its row into that of its row and its value.
fn place_pairs(
    rows: &mut [u32],
    codes: &[u32],
    len: usize,
    tree: &mut Places,
    number: &mut dyn FnMut(usize) -> u32,
) {
    let mut numbers = vec![NO_ROW; len];
    // Events that follow each other are alike, often.
    let mut last = (NO_ROW, NO_ROW, NO_ROW);
    for (row, code) in rows.iter_mut().zip(codes) {
        if *row == NO_ROW {
            continue;
        }
        if (*row, *code) != (last.0, last.1) {
            let Some(known) = numbers.get_mut(*code as usize) else {
                continue;
            };
            if *known == NO_ROW {
                *known = number(*code as usize);
            }
            let key = u64::from(*row) << 32 | u64::from(*known);
            last = (*row, *code, tree.place(key).saturating_add(1));
        }
        *row = last.2;
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
