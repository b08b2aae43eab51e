//! A day counted again: what D1's sums must be, by what is folded here. The caller holds it against D1
//! ([`crate::upkeep::recompute`]).
//!
//! It is counted in slices, between which appends get their turn. Where a fold comes in between, or the
//! day is not told whole any more, there is no answer; where segments became one, the count begins anew.

use serde::{Deserialize, Serialize};

use super::fold::Cursor;
use super::folded::{Folded, folded};
use super::joined;
use super::prune::kept_from;
use crate::base::sort;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::DAY_MS;

mod events;
mod people;

/// What is counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Events of the day by key, and domain events by hour.
    Keys,
    /// Events by the minute of their receipt, of the day of that.
    Received,
    /// Users by the gaps of the days on which they had a key, by their first event and registration;
    /// sessions by their begin.
    People,
}

/// What the archive is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// What is to be counted.
    pub part: Part,
    /// The day, since 1970.
    pub day: i64,
}

/// A table of sums in D1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Dimension, key: events and two measures.
    Breakdowns,
    /// Type, status, hour (Unix milliseconds): events.
    DomainHours,
    /// Type, source, minute (Unix milliseconds): events.
    MinuteCounts,
    /// Dimension, key, gap: users.
    MemberGaps,
    /// Users first seen, and signed up.
    UserDays,
    /// Sessions begun, milliseconds that they lasted.
    SessionDays,
}

/// A row of such a table: its model, two texts and a number that are its key, and its amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(pub Model, pub String, pub String, pub i64, pub [i64; 3]);

impl Row {
    /// What tells it from others.
    pub fn key(&self) -> (Model, &str, &str, i64) {
        (self.0, &self.1, &self.2, self.3)
    }
}

/// What D1's rows of the day must be, those of nothing left out; in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The fold up to which is counted, of each of the site's archives in their order.
    pub at: Vec<Cursor>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Counted {
    /// What all archives of a site have counted; nothing where one of them does not tell.
    pub fn united(parts: Vec<Option<Self>>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let mut all = parts.next()??;
        for part in parts {
            let part = part?;
            all.at.extend(part.at);
            all.rows.extend(part.rows);
        }
        add_up(&mut all.rows);
        Some(all)
    }

    /// When the storage of the youngest archive was made, Unix milliseconds.
    pub fn made_at(&self) -> i64 {
        self.at.iter().map(|at| at.epoch).max().unwrap_or(0)
    }

    /// Where D1 must stand: `shard epoch fold`, of each archive of which there is a fold.
    pub fn stand(&self) -> String {
        let mut text = String::new();
        for (shard, Cursor { epoch, fold }) in self.at.iter().enumerate() {
            if *fold > 0 {
                text.push_str(&format!("{shard} {epoch} {fold},"));
            }
        }
        text
    }
}

/// A count under way.
#[derive(Debug)]
pub struct Recount {
    of: Day,
    folded: Folded,
    rows: Vec<Row>,
    /// How many rows were left when equal ones were added up last.
    compact: usize,
    events: events::Place,
    people: people::People,
    is_whole: bool,
    /// How often segments had been rewritten when it began.
    rewrites: Option<u64>,
}

/// Rows more than were left when equal ones were added up last, before they are again.
const MORE_ROWS: usize = 20_000;

impl Recount {
    /// Begins to count a day.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn begin(sql: &impl Sql, of: Day) -> Result<Self, SqlError> {
        Ok(Self {
            of,
            folded: folded(sql)?,
            rows: Vec::new(),
            compact: 0,
            events: events::Place::default(),
            people: people::People::of(joined::folded(sql)?),
            is_whole: is_whole(sql, of)?,
            rewrites: None,
        })
    }

    /// Counts a slice; whether there are more. `rewrites` is how often segments were rewritten since the object
    /// was made.
    ///
    /// # Errors
    /// Whatever the database says, and where a page of people cannot be read.
    pub fn slice(&mut self, sql: &impl Sql, rewrites: u64) -> Result<bool, SqlError> {
        if self.rewrites.is_some_and(|known| known != rewrites) {
            self.rows.clear();
            self.compact = 0;
            self.events = events::Place::default();
            self.people = people::People::of(joined::folded(sql)?);
        }
        self.rewrites = Some(rewrites);
        let now = folded(sql)?;
        self.is_whole &= (now.epoch, now.number) == (self.folded.epoch, self.folded.number);
        if !self.is_whole {
            return Ok(false);
        }
        let (day, seq) = (self.of.day, self.folded.seq);
        let more = match self.of.part {
            Part::Keys => self.events.keys(sql, day, seq, &mut self.rows)?,
            Part::Received => self.events.received(sql, day, seq, &mut self.rows)?,
            Part::People => self.people.slice(sql, day, &mut self.rows)?,
        };
        if self.rows.len() > self.compact.saturating_add(MORE_ROWS) {
            add_up(&mut self.rows);
            self.compact = self.rows.len();
        }
        Ok(more)
    }

    /// What was counted; nothing where that is not all there was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn end(mut self, sql: &impl Sql) -> Result<Option<Counted>, SqlError> {
        if !self.is_whole || !is_whole(sql, self.of)? {
            return Ok(None);
        }
        add_up(&mut self.rows);
        self.rows.retain(|row| row.4 != [0; 3]);
        Ok(Some(Counted {
            at: vec![Cursor {
                epoch: self.folded.epoch,
                fold: self.folded.number,
            }],
            rows: self.rows,
        }))
    }
}

/// Puts rows in order, equal ones as one.
fn add_up(rows: &mut Vec<Row>) {
    sort::sort_by(rows, |a, b| a.key().cmp(&b.key()));
    rows.dedup_by(|next, kept| {
        let is_same = next.key() == kept.key();
        if is_same {
            for (sum, more) in kept.4.iter_mut().zip(next.4) {
                *sum = sum.saturating_add(more);
            }
        }
        is_same
    });
}

/// Whether what is here still tells all that was counted of the day: nobody was erased who was there, and
/// no segment is gone.
fn is_whole(sql: &impl Sql, of: Day) -> Result<bool, SqlError> {
    let table = match of.part {
        Part::Keys | Part::People => "erased_days",
        // Erasure leaves what stands here: type, source and time of receipt.
        Part::Received => "pruned_days",
    };
    let query = format!("SELECT day FROM {table} WHERE day = ?1");
    let gone: Option<serde::de::IgnoredAny> = sql.first(&query, &[of.day.into()])?;
    let is_kept = of.part != Part::Keys || kept_from(sql)? <= of.day.saturating_mul(DAY_MS);
    Ok(gone.is_none() && is_kept)
}
