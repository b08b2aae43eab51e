//! What the lake keeps beside the segments, on the same SQLite.

use serde::Deserialize;

use super::partition::{epoch_name, hour_of};
use crate::base::sql::{Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::lake::segments;
use crate::protocol::counters::OUTCOME_MEMORY_MS;
use crate::sinks::SinkKind;

/// When open segments become an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealRule {
    /// At this many bytes of NDJSON, before it was packed.
    pub bytes: i64,
    /// Or this many milliseconds after the oldest segment came.
    pub age_ms: i64,
}

/// What a store is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeSettings {
    /// When open segments become an object.
    pub seal: SealRule,
    /// Bytes of lines, before they were packed, that may wait at most; over it nothing more is appended.
    pub backlog_bytes: i64,
    /// Refusals in a row after which a sink's objects are dead letters.
    pub sink_tries: u32,
    /// The sinks, each with a fingerprint of its settings.
    pub sinks: Vec<(SinkKind, String)>,
}

/// What lands the segments of one shard.
#[derive(Debug)]
pub struct LakeStore<S> {
    pub(super) sql: S,
    pub(super) rule: SealRule,
    pub(super) backlog_bytes: i64,
    pub(super) sink_tries: u32,
}

const SCHEMA: [&str; 10] = [
    "CREATE TABLE IF NOT EXISTS shard (id INTEGER PRIMARY KEY CHECK (id = 1), \
     epoch TEXT NOT NULL, sequence INTEGER NOT NULL DEFAULT 0, \
     landed_events INTEGER NOT NULL DEFAULT 0, landed_objects INTEGER NOT NULL DEFAULT 0, \
     pruned_at INTEGER NOT NULL)",
    // A run of segments of an hour: those of first_seq to last_seq that are not `landed`. n and bytes are
    // theirs, added up; due_at: when it was sealed.
    "CREATE TABLE IF NOT EXISTS objects (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, \
     hash TEXT NOT NULL, hour INTEGER NOT NULL, first_seq INTEGER NOT NULL, \
     last_seq INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, \
     due_at INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS objects_hour ON objects (hour, first_seq)",
    // What each sink still has to get, and, until all are done with an object, what it got. With a
    // conflict it is not tried: 1, its key holds something else; 2, it was refused too often and is a
    // dead letter, due to be listed again. (The column's name is the one that earlier versions know.)
    "CREATE TABLE IF NOT EXISTS deliveries (sequence INTEGER NOT NULL, sink TEXT NOT NULL, \
     n INTEGER NOT NULL, bytes INTEGER NOT NULL, due_at INTEGER NOT NULL, \
     tries INTEGER NOT NULL DEFAULT 0, progress TEXT NOT NULL DEFAULT '{}', \
     done INTEGER NOT NULL DEFAULT 0, conflict INTEGER NOT NULL DEFAULT 0, \
     PRIMARY KEY (sequence, sink)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (sink, done, conflict, due_at)",
    "CREATE TABLE IF NOT EXISTS sinks (sink TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, \
     due_at INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, \
     failing_since INTEGER, lasting INTEGER NOT NULL DEFAULT 0, code TEXT, \
     landed_events INTEGER NOT NULL DEFAULT 0, landed_objects INTEGER NOT NULL DEFAULT 0, \
     refused_events INTEGER NOT NULL DEFAULT 0, refused_code TEXT) WITHOUT ROWID",
    // Refusals by a sink: in a row, under the sequence 0, which no object has; and of each object.
    "CREATE TABLE IF NOT EXISTS refusals (sink TEXT NOT NULL, sequence INTEGER NOT NULL, \
     n INTEGER NOT NULL, PRIMARY KEY (sink, sequence)) WITHOUT ROWID",
    // Events that every sink has, by the hour of their receipt: for the reconciliation.
    "CREATE TABLE IF NOT EXISTS landed (hour INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    // Events and bytes that are open or in an object, counted along: an append need not add them up.
    "CREATE TABLE IF NOT EXISTS backlog (id INTEGER PRIMARY KEY CHECK (id = 1), \
     n INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    // Of an hour, the segments from `first_seq` on are open that are not `landed`; n and bytes are theirs, added up.
    // `since`: when the oldest of them came, Unix milliseconds.
    "CREATE TABLE IF NOT EXISTS open_hours (hour INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, \
     n INTEGER NOT NULL, bytes INTEGER NOT NULL, since INTEGER NOT NULL)",
];

impl<S: Sql> LakeStore<S> {
    /// Opens the store; the first time, makes it with an epoch of its own.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(
        sql: S,
        settings: &LakeSettings,
        now_ms: i64,
        random: [u8; 4],
    ) -> Result<Self, SqlError> {
        segments::open(&sql)?;
        for statement in SCHEMA {
            sql.run(statement, &[])?;
        }
        sql.run(
            "INSERT INTO shard (id, epoch, pruned_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
            &[epoch_name(now_ms, random).into(), now_ms.into()],
        )?;
        let store = Self {
            sql,
            rule: settings.seal,
            backlog_bytes: settings.backlog_bytes,
            sink_tries: settings.sink_tries,
        };
        store.enroll(&settings.sinks)?;
        Ok(store)
    }

    /// Forgets what landed more than 31 days ago (`OUTCOME_MEMORY_MS`), at most once an hour.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn prune_if_due(&self, now_ms: i64) -> Result<(), SqlError> {
        let due: Option<serde::de::IgnoredAny> = self.sql.first(
            "UPDATE shard SET pruned_at = ?1 WHERE pruned_at <= ?2 RETURNING pruned_at",
            &[now_ms.into(), now_ms.saturating_sub(HOUR_MS).into()],
        )?;
        if due.is_none() {
            return Ok(());
        }
        self.sql.run(
            "DELETE FROM landed WHERE hour < ?1",
            &[hour_of(now_ms.saturating_sub(OUTCOME_MEMORY_MS)).into()],
        )
    }

    /// When the object must wake next, or never: for a seal, a delivery, or a dead letter to list.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn next_due(&self) -> Result<Option<i64>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            due: Option<i64>,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT min(due) AS due FROM ( \
                SELECT min(since) + ?1 AS due FROM open_hours \
                UNION ALL SELECT 0 FROM open_hours WHERE bytes >= ?2 \
                UNION ALL SELECT max(due_at, (SELECT min(due_at) FROM deliveries \
                    WHERE deliveries.sink = sinks.sink AND done = 0 AND conflict = 0)) \
                    FROM sinks \
                UNION ALL SELECT (SELECT min(due_at) FROM deliveries \
                    WHERE deliveries.sink = sinks.sink AND done = 0 AND conflict = 2) FROM sinks)",
            &[self.rule.age_ms.into(), self.rule.bytes.into()],
        )?;
        Ok(row.and_then(|row| row.due))
    }
}

#[cfg(test)]
mod tests;
