//! Which batches were committed before, by the id that their sender gave them.
//!
//! One table a UTC day, of keys alone: forgetting is the drop of a table, not a deletion a batch. An id
//! is known on the day it came and on the next.

use serde::Deserialize;

use crate::base::hash::sha256;
use crate::base::sql::{Cell, Param, Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::protocol::{BatchName, Head};

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * HOUR_MS;

/// What the names of the tables begin with; the day's number follows, counted from 1970.
const PREFIX: &str = "batches_";

/// The tables of today and yesterday.
#[derive(Debug, Default)]
pub(super) struct Batches {
    day: i64,
    insert: String,
    look: String,
    /// Whether anything is in one of them.
    any: bool,
}

impl Batches {
    /// Opens the tables of today.
    pub(super) fn open(sql: &impl Sql, now_ms: i64) -> Result<Self, SqlError> {
        let mut batches = Self::default();
        batches.turn(sql, now_ms)?;
        Ok(batches)
    }

    /// Goes on to the next day's tables, where it has begun. A clock that is set back changes nothing.
    pub(super) fn turn(&mut self, sql: &impl Sql, now_ms: i64) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Table {
            name: String,
        }
        let day = now_ms.div_euclid(DAY_MS);
        if day <= self.day {
            return Ok(());
        }
        let yesterday = day.saturating_sub(1);
        let tables: Vec<Table> = sql.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'batches_*'",
            &[],
        )?;
        let mut newest = day;
        for table in tables {
            match table.name.strip_prefix(PREFIX).map(str::parse::<i64>) {
                Some(Ok(old)) if old < yesterday => {
                    sql.run(&format!("DROP TABLE {}", table.name), &[])?;
                }
                Some(Ok(other)) => newest = newest.max(other),
                _ => {}
            }
        }
        let (now, before) = (table(newest), table(newest.saturating_sub(1)));
        for name in [&now, &before] {
            sql.run(
                &format!("CREATE TABLE IF NOT EXISTS {name} (key BLOB PRIMARY KEY) WITHOUT ROWID"),
                &[],
            )?;
        }
        let any: Vec<[Cell; 1]> = sql.cells(
            &format!(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM {now}) OR EXISTS (SELECT 1 FROM {before})"
            ),
            &[],
        )?;
        self.any = !any.is_empty();
        self.day = newest;
        self.insert = format!(
            "INSERT INTO {now} (key) SELECT ?1 WHERE NOT EXISTS \
             (SELECT 1 FROM {before} WHERE key = ?1) ON CONFLICT DO NOTHING RETURNING 1"
        );
        self.look = format!(
            "SELECT 1 FROM {now} WHERE key = ?1 UNION ALL SELECT 1 FROM {before} WHERE key = ?1"
        );
        Ok(())
    }

    /// Whether the batch is new (or has no id to be known by), from now on remembered.
    pub(super) fn remember(&self, sql: &impl Sql, head: &Head<'_>) -> Result<bool, SqlError> {
        let Some(batch) = &head.batch else {
            return Ok(true);
        };
        let fresh: Vec<[Cell; 1]> = sql.cells(&self.insert, &[key(batch)])?;
        Ok(!fresh.is_empty())
    }

    /// Whether the batch is known.
    pub(super) fn knows(&self, sql: &impl Sql, head: &Head<'_>) -> Result<bool, SqlError> {
        let Some(batch) = &head.batch else {
            return Ok(false);
        };
        let known: Vec<[Cell; 1]> = sql.cells(&self.look, &[key(batch)])?;
        Ok(!known.is_empty())
    }

    /// When the older table may be dropped; never, where nothing is remembered.
    pub(super) fn due(&self) -> Option<i64> {
        let end = self.day.saturating_add(1).saturating_mul(DAY_MS);
        self.any.then_some(end)
    }

    /// Notes that a batch was remembered, where it has a name.
    pub(super) fn note_if(&mut self, has_name: bool) {
        self.any |= has_name;
    }
}

fn table(day: i64) -> String {
    format!("{PREFIX}{day}")
}

/// The id's 16 bytes and 8 of what tells a retry: 24 bytes a batch, for two days.
fn key(batch: &BatchName<'_>) -> Param {
    let BatchName(id, digest) = batch;
    let mut key = match shoreline_shared::id::uuid_bits(id) {
        Some(bits) => bits.to_be_bytes().to_vec(),
        // Every id is a UUID; if one ever is none, it is told apart all the same.
        None => sha256(id.as_bytes()).iter().take(16).copied().collect(),
    };
    let digest = u64::from_str_radix(digest.get(..16).unwrap_or(digest), 16).unwrap_or_default();
    key.extend_from_slice(&digest.to_be_bytes());
    Param::Blob(key)
}
