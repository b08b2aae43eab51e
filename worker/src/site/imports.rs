//! What a shard knows of imports: which of its parts are theirs, and which of their events were here
//! before.
//!
//! An import's parts go through the outbox like any others. They are never counted live, they wait
//! while the outbox is full, and their end is told to the import that asks.

use serde::{Deserialize, Serialize};

use super::{Commit, ConfirmedPart, OUTCOME_MEMORY_MS, SiteStore};
use crate::sql::{Sql, SqlError};

pub(super) const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS import_parts (part_id TEXT PRIMARY KEY, import_id TEXT NOT NULL) \
     WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS import_parts_of ON import_parts (import_id)",
    "CREATE TABLE IF NOT EXISTS imports (import_id TEXT PRIMARY KEY, at INTEGER NOT NULL, \
     duplicate INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
];

/// Parts in the outbox from which on an import waits: four times what may be under way to the
/// consumer, about 24 MB. Full enough that the consumer is never idle, and little enough that a page's
/// events are not kept from the dashboard for long by those before them.
pub(super) const FULL_PARTS: i64 = 256;

/// Seconds that an import is asked to wait: the consumer empties several parts a second.
pub(super) const RETRY_AFTER_S: u32 = 1;

/// What became of an import's events on a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    /// Parts that are not confirmed yet: not known to be stored and handed to the lake.
    pub pending: i64,
    /// Events that had been brought before.
    pub duplicate: i64,
}

impl<S: Sql> SiteStore<S> {
    /// What became of an import's events here.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_state(&self, import_id: &str) -> Result<ImportState, SqlError> {
        let state: Option<ImportState> = self.sql.first(
            "SELECT (SELECT count(*) FROM import_parts WHERE import_id = ?1) AS pending, \
             coalesce((SELECT duplicate FROM imports WHERE import_id = ?1), 0) AS duplicate",
            &[import_id.into()],
        )?;
        Ok(state.unwrap_or_default())
    }

    /// Whether an import has to wait: looks at no more rows than it must.
    pub(super) fn is_full(&self) -> Result<bool, SqlError> {
        let row: Option<serde::de::IgnoredAny> = self.sql.first(
            "SELECT seq FROM outbox LIMIT 1 OFFSET ?1",
            &[FULL_PARTS.into()],
        )?;
        Ok(row.is_some())
    }

    /// Notes whose the parts of this commit are.
    pub(super) fn note_imported(&self, import: &str, commit: &Commit<'_>) -> Result<(), SqlError> {
        self.sql.run(
            "INSERT INTO imports (import_id, at) VALUES (?1, ?2) \
             ON CONFLICT (import_id) DO UPDATE SET at = excluded.at",
            &[import.into(), commit.at.into()],
        )?;
        let ids: Vec<&str> = commit.parts.iter().map(|part| part.id.as_str()).collect();
        self.sql.run(
            "INSERT INTO import_parts (part_id, import_id) SELECT value, ?2 FROM json_each(?1)",
            &[
                serde_json::to_string(&ids).unwrap_or_default().into(),
                import.into(),
            ],
        )
    }

    /// Counts the duplicates of a part for its import; whether it is an import's at all.
    pub(super) fn take_back_imported(&self, part: &ConfirmedPart) -> Result<bool, SqlError> {
        let n = i64::try_from(part.duplicates.len()).unwrap_or(i64::MAX);
        let known: Option<serde::de::IgnoredAny> = self.sql.first(
            "UPDATE imports SET duplicate = duplicate + ?2 WHERE import_id = \
             (SELECT import_id FROM import_parts WHERE part_id = ?1) RETURNING duplicate",
            &[part.id.as_str().into(), n.into()],
        )?;
        Ok(known.is_some())
    }

    /// Forgets confirmed parts; `ids` is a JSON array.
    pub(super) fn settle_imported(&self, ids: &str) -> Result<(), SqlError> {
        self.sql.run(
            "DELETE FROM import_parts WHERE part_id IN (SELECT value FROM json_each(?1))",
            &[ids.into()],
        )
    }

    /// Forgets imports that nobody asks for any more.
    pub(super) fn prune_imports(&self, now_ms: i64) -> Result<(), SqlError> {
        self.sql.run(
            "DELETE FROM imports WHERE at < ?1 AND import_id NOT IN \
             (SELECT import_id FROM import_parts)",
            &[now_ms.saturating_sub(OUTCOME_MEMORY_MS).into()],
        )
    }
}
