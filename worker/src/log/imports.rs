//! What a shard knows of imports: which of its rows are theirs, and which of their events were here
//! before.
//!
//! An import's rows go through the log like any others. They are never counted live, they wait while
//! the log is full, and their end is told to the import that asks.

use serde::{Deserialize, Serialize};

use super::waiting::Waiting;
use super::{Log, as_i64};
use crate::base::sql::{Cell, Sql, SqlError};

pub(super) const SCHEMA: [&str; 1] = [
    "CREATE TABLE IF NOT EXISTS imports (import_id TEXT PRIMARY KEY, at INTEGER NOT NULL, \
     duplicate INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
];

/// Seconds that an import is asked to wait: the consumer empties several rows a second.
pub(super) const RETRY_AFTER_S: u32 = 1;

/// What became of an import's events on a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    /// Rows that are not confirmed yet: not known to be stored and handed to the lake.
    pub pending: i64,
    /// Events that had been brought before.
    pub duplicate: i64,
}

impl<S: Sql> Log<S> {
    /// What became of an import's events here.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_state(&self, import_id: &str) -> Result<ImportState, SqlError> {
        let rows: Vec<[Cell; 1]> = self.sql.cells(
            "SELECT duplicate FROM imports WHERE import_id = ?1",
            &[import_id.into()],
        )?;
        Ok(ImportState {
            pending: self.memory.borrow().waiting.of_import(import_id),
            duplicate: rows.first().map_or(0, |[duplicate]| duplicate.int()),
        })
    }
}

/// Notes that a shard has events of an import.
pub(super) fn note(sql: &impl Sql, import: &str, at: i64) -> Result<(), SqlError> {
    sql.run(
        "INSERT INTO imports (import_id, at) VALUES (?1, ?2) \
         ON CONFLICT (import_id) DO UPDATE SET at = excluded.at",
        &[import.into(), at.into()],
    )
}

/// Counts the duplicates of a row for its import.
pub(super) fn count_duplicates(sql: &impl Sql, import: &str, n: usize) -> Result<(), SqlError> {
    sql.run(
        "UPDATE imports SET duplicate = duplicate + ?2 WHERE import_id = ?1",
        &[import.into(), as_i64(n).into()],
    )
}

/// Forgets imports that nobody asks for any more, and of which no row waits.
pub(super) fn prune(sql: &impl Sql, before: i64, waiting: &Waiting) -> Result<(), SqlError> {
    let pending: Vec<&String> = waiting.imports().collect();
    sql.run(
        "DELETE FROM imports WHERE at < ?1 AND import_id NOT IN (SELECT value FROM json_each(?2))",
        &[
            before.into(),
            serde_json::to_string(&pending).unwrap_or_default().into(),
        ],
    )
}
