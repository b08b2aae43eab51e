//! The rows of an answer: the parts of shards made one.

use std::collections::HashMap;

use super::panel::Panel;
use super::part::{Found, Row, Told, TooMuch};
use crate::http::error::Fault;

/// What all shards found for a range.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Events in the range that were looked at.
    pub(super) scanned: i64,
    /// From when on all shards have events.
    pub(super) kept_from: i64,
    /// Of each panel what each shard told.
    pub(super) panels: Vec<Vec<Told>>,
}

impl Parts {
    /// Of the shards' answers, to so many panels.
    ///
    /// # Errors
    /// Where a shard gave up.
    pub(super) fn of(parts: Vec<Found>, panels: usize) -> Result<Self, Fault> {
        let mut all = Self::default();
        all.panels.resize_with(panels, Vec::new);
        for part in parts {
            check(part.too_much)?;
            all.scanned = all.scanned.saturating_add(part.scanned);
            all.kept_from = all.kept_from.max(part.kept_from);
            for (told, more) in all.panels.iter_mut().zip(part.panels) {
                told.push(more);
            }
        }
        Ok(all)
    }
}

/// The rows of a panel.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// Of all events that pass.
    pub(super) total: Row,
    /// By their dimensions; without any there are none.
    pub(super) rows: Vec<Row>,
}

impl Rows {
    /// Of what shards told.
    pub(super) fn of(panel: &Panel, parts: Vec<Told>) -> Self {
        let (dimensions, measures) = (panel.dimensions.len(), panel.counted.measures.len());
        let mut all = Self::default();
        let mut places: HashMap<String, u64> = HashMap::new();
        let is_alone = parts.len() < 2;
        for part in parts {
            let rows = part.rows(dimensions, measures);
            if is_alone {
                all.rows = rows;
                continue;
            }
            for row in rows.into_iter().enumerate() {
                // The first is of no row's name, though it has no values either.
                let key = if row.0 == 0 {
                    String::new()
                } else {
                    name(&row.1.key) + ";"
                };
                let next = all.rows.len() as u64;
                let place = *places.entry(key).or_insert(next);
                match all.rows.get_mut(place as usize) {
                    Some(known) => known.unite(&row.1),
                    None => all.rows.push(row.1),
                }
            }
        }
        if !all.rows.is_empty() {
            all.total = all.rows.remove(0);
        }
        for row in &all.rows {
            for (ours, theirs) in all.total.stats.iter_mut().zip(&row.stats) {
                ours.unite(theirs);
            }
        }
        all
    }
}

/// A row's values as one text: no two rows have the same.
pub(super) fn name(key: &[Option<String>]) -> String {
    let mut name = String::new();
    for value in key {
        match value {
            Some(text) => name.push_str(&format!("{}:{text}", text.len())),
            None => name.push('-'),
        }
    }
    name
}

/// Whether a shard gave up, and why.
///
/// # Errors
/// Where it did.
pub(super) fn check(too_much: u8) -> Result<(), Fault> {
    let known = [TooMuch::Rows, TooMuch::Memory, TooMuch::Work];
    let why = known.into_iter().find(|why| *why as u8 == too_much);
    why.map_or(Ok(()), |why| {
        Err(Fault::QuestionTooLarge(match why {
            TooMuch::Rows => {
                "The answer has more than 100,000 rows. Ask for fewer dimensions, longer units of time, or filter."
            }
            TooMuch::Memory => {
                "The question counts more users, sessions or values than there is room for. Ask for a shorter range, \
                fewer dimensions or percentiles, or filter."
            }
            TooMuch::Work => {
                "The question takes more than two seconds of computing. Ask for a shorter range or fewer fields; \
                properties with long or very many values take longest."
            }
        }))
    })
}
