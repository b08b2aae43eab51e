//! What a fold adds to D1's sums: rows of numbers, of which some stand for texts.

use serde::{Deserialize, Serialize};

use super::counts::Texts;
use super::table::{Kind, Table, dim_name};
use crate::base::sort;

/// What a fold adds to D1's sums. Equal sums are equal, in whatever order the events came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// In order, but for what was [taken](Self::take).
    pub(super) texts: Vec<String>,
    /// Of each table its rows, in order, one after the other.
    pub(super) tables: [Vec<i64>; Table::ALL.len()],
}

/// A row of `breakdowns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow<'a> {
    /// The dimension.
    pub dim: &'a str,
    /// Days since 1970.
    pub day: i64,
    /// The key.
    pub key: &'a str,
    /// More events.
    pub events: i64,
    /// Of dimension feature milliseconds, of model tokens.
    pub a: i64,
    /// Of dimension feature uses with a duration, of model cost in millionths.
    pub b: i64,
}

/// A row of `member_gaps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapRow<'a> {
    /// The dimension.
    pub dim: &'a str,
    /// Days since 1970.
    pub day: i64,
    /// The key.
    pub key: &'a str,
    /// Days since the users had the key before; 0: never.
    pub gap: i64,
    /// More users, or fewer.
    pub n: i64,
}

impl GapRow<'_> {
    /// Whether these users' first day with the key, of all from `first` (since 1970) on, is this one: who they are
    /// is counted once in a range then.
    pub fn reaches_before(&self, first: i64) -> bool {
        self.gap == 0 || self.gap > self.day.saturating_sub(first)
    }
}

impl Sums {
    /// Of tables whose texts are these texts' numbers.
    pub(super) fn of(texts: &Texts, tables: [Vec<i64>; Table::ALL.len()]) -> Self {
        let list = texts.list();
        let mut used = vec![false; list.len()];
        each_text(&tables, &mut |number| {
            if let Some(used) = used.get_mut(number) {
                *used = true;
            }
        });
        let used = list
            .iter()
            .zip(&used)
            .enumerate()
            .filter(|(_, (_, used))| **used);
        let mut sorted: Vec<(&str, usize)> = used.map(|(at, (text, _))| (*text, at)).collect();
        sort::sort(&mut sorted);
        let mut ranks = vec![0_i64; list.len()];
        for (rank, (_, number)) in sorted.iter().enumerate() {
            if let (Some(slot), Ok(rank)) = (ranks.get_mut(*number), i64::try_from(rank)) {
                *slot = rank;
            }
        }
        let mut sums = Self {
            texts: sorted
                .into_iter()
                .map(|(text, _)| text.to_owned())
                .collect(),
            tables,
        };
        for (table, rows) in Table::ALL.into_iter().zip(&mut sums.tables) {
            let rank = |number: i64| usize::try_from(number).ok().and_then(|at| ranks.get(at));
            let ranked = |(value, kind): (&i64, Option<&Kind>)| match kind {
                Some(Kind::Text) => rank(*value).copied().unwrap_or(0),
                _ => *value,
            };
            let kinds = || table.keys().iter().map(Some).chain(std::iter::repeat(None));
            let mut all: Vec<Vec<i64>> = rows
                .chunks_exact(table.width())
                .map(|row| row.iter().zip(kinds()).map(ranked).collect())
                .collect();
            sort::sort(&mut all);
            *rows = all.concat();
        }
        sums
    }

    /// Whether there is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(Vec::is_empty)
    }

    /// What is added to `breakdowns`, in order.
    pub fn keys(&self) -> impl Iterator<Item = KeyRow<'_>> {
        self.rows(Table::Keys).filter_map(|row| match row {
            [dim, day, key, events, a, b] => Some(KeyRow {
                dim: dim_name(*dim),
                day: *day,
                key: self.text(*key),
                events: *events,
                a: *a,
                b: *b,
            }),
            _ => None,
        })
    }

    /// What is added to `member_gaps`, in order.
    pub fn gaps(&self) -> impl Iterator<Item = GapRow<'_>> {
        self.rows(Table::Gaps).filter_map(|row| match row {
            [dim, day, key, gap, n] => Some(GapRow {
                dim: dim_name(*dim),
                day: *day,
                key: self.text(*key),
                gap: *gap,
                n: *n,
            }),
            _ => None,
        })
    }

    /// What is added to `minute_counts`: minute of receipt (Unix milliseconds), type, source, events.
    pub fn minutes(&self) -> impl Iterator<Item = (i64, &str, &str, i64)> {
        self.of_type(Table::Minutes)
    }

    /// What is added to `domain_hours`: hour (Unix milliseconds), type, status, events.
    pub fn domain_hours(&self) -> impl Iterator<Item = (i64, &str, &str, i64)> {
        self.of_type(Table::DomainHours)
    }

    /// What is added to `user_days`: day, users first seen, signups.
    pub fn user_days(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        self.by_day(Table::UserDays)
    }

    /// What is added to `session_days`: day, sessions begun, milliseconds they lasted.
    pub fn session_days(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        self.by_day(Table::SessionDays)
    }

    /// What is added to `operation_minutes`: site, minute (Unix milliseconds), action, status; calls, milliseconds,
    /// and calls within each bound of [`crate::observe::operations::BOUNDS_MS`].
    pub fn calls(&self) -> impl Iterator<Item = ([&str; 2], [i64; 2], &[i64])> {
        self.rows(Table::Operations).filter_map(|row| match row {
            [site, minute, action, status, amounts @ ..] => Some((
                [self.text(*site), self.text(*action)],
                [*minute, *status],
                amounts,
            )),
            _ => None,
        })
    }

    /// What is added to `operation_outcomes`: outcome, events.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, i64)> {
        self.rows(Table::Outcomes).filter_map(|row| match row {
            [outcome, n] => Some((self.text(*outcome), *n)),
            _ => None,
        })
    }

    fn of_type(&self, table: Table) -> impl Iterator<Item = (i64, &str, &str, i64)> {
        self.rows(table).filter_map(|row| match row {
            [at, event_type, of, n] => Some((*at, self.text(*event_type), self.text(*of), *n)),
            _ => None,
        })
    }

    fn by_day(&self, table: Table) -> impl Iterator<Item = (i64, i64, i64)> {
        self.rows(table).filter_map(|row| match row {
            [day, one, other] => Some((*day, *one, *other)),
            _ => None,
        })
    }

    pub(super) fn rows(&self, table: Table) -> std::slice::ChunksExact<'_, i64> {
        let rows = self
            .tables
            .get(table as usize)
            .map_or(&[][..], Vec::as_slice);
        rows.chunks_exact(table.width())
    }

    pub(super) fn text(&self, number: i64) -> &str {
        let text = usize::try_from(number)
            .ok()
            .and_then(|at| self.texts.get(at));
        text.map_or("", String::as_str)
    }

    /// A row as a JSON array.
    pub(super) fn json(&self, table: Table, row: &[i64]) -> String {
        let mut out = String::from("[");
        for (place, value) in row.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            let text = match table.keys().get(place) {
                Some(Kind::Text) => self.text(*value),
                Some(Kind::Dim) => dim_name(*value),
                _ => {
                    out.push_str(&value.to_string());
                    continue;
                }
            };
            // A text always serializes.
            out.push_str(&serde_json::to_string(text).unwrap_or_default());
        }
        out.push(']');
        out
    }
}

fn each_text(tables: &[Vec<i64>], visit: &mut dyn FnMut(usize)) {
    for (table, rows) in Table::ALL.into_iter().zip(tables) {
        for row in rows.chunks_exact(table.width()) {
            for (value, kind) in row.iter().zip(table.keys()) {
                if let (Kind::Text, Ok(number)) = (kind, usize::try_from(*value)) {
                    visit(number);
                }
            }
        }
    }
}
