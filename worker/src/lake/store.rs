//! The rows of a lake shard, on the SQLite of its Durable Object.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::hours;
use super::object::{Fate, SealedObject};
use super::partition::{epoch_name, hour_of};
use crate::live::HOUR_MS;
use crate::outbox::resend_delay_ms;
use crate::sql::{Sql, SqlError};

/// How long a part's id is remembered, from its receipt. The outbox resends for as long as a part is
/// unconfirmed; a part that comes later than this is refused.
pub(crate) const PART_MEMORY_MS: i64 = 15 * 24 * HOUR_MS;

/// The first delay after a put whose success is not known; it doubles from here.
pub(crate) const FIRST_RETRY_MS: i64 = 2_000;

/// The body of an append call.
#[derive(Debug, Deserialize)]
pub struct Append<'a> {
    /// The parts.
    #[serde(borrow)]
    pub parts: Vec<AppendPart<'a>>,
}

/// Of a part, the events that it was the first to bring.
#[derive(Debug, Deserialize)]
pub struct AppendPart<'a> {
    /// The part.
    pub id: String,
    /// When the collector took it, Unix milliseconds.
    pub at: i64,
    /// The hours of its events' `receivedAt`, where they are not that of `at`: an import's.
    #[serde(default)]
    pub hours: Vec<i64>,
    /// A JSON array of stored events.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
}

/// When open rows become an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealRule {
    /// At this many bytes of NDJSON.
    pub bytes: i64,
    /// Or this many milliseconds after the oldest row came.
    pub age_ms: i64,
}

/// The store of one lake shard.
#[derive(Debug)]
pub struct LakeStore<S> {
    pub(super) sql: S,
    pub(super) rule: SealRule,
}

const SCHEMA: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS shard (id INTEGER PRIMARY KEY CHECK (id = 1), \
     epoch TEXT NOT NULL, sequence INTEGER NOT NULL DEFAULT 0, \
     landed_events INTEGER NOT NULL DEFAULT 0, landed_objects INTEGER NOT NULL DEFAULT 0, \
     pruned_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS parts (part_id TEXT PRIMARY KEY, at INTEGER NOT NULL) \
     WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS parts_at ON parts (at)",
    // sequence is NULL while the row is open.
    "CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, \
     at INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, sequence INTEGER, \
     lines TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS rows_sequence ON rows (sequence, hour, at)",
    "CREATE TABLE IF NOT EXISTS objects (sequence INTEGER PRIMARY KEY, key TEXT NOT NULL, \
     hash TEXT NOT NULL, n INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, \
     due_at INTEGER NOT NULL, conflict INTEGER NOT NULL DEFAULT 0)",
];

impl<S: Sql> LakeStore<S> {
    /// Opens the store; the first time, makes it with an epoch of its own.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S, rule: SealRule, now_ms: i64, random: [u8; 4]) -> Result<Self, SqlError> {
        for statement in SCHEMA.into_iter().chain(hours::SCHEMA) {
            sql.run(statement, &[])?;
        }
        sql.run(
            "INSERT INTO shard (id, epoch, pruned_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
            &[epoch_name(now_ms, random).into(), now_ms.into()],
        )?;
        hours::fill(&sql)?;
        Ok(Self { sql, rule })
    }

    /// Appends parts, each once: all of a call, or nothing.
    ///
    /// # Errors
    /// Whatever the database says; nothing was appended then.
    pub fn append(&self, append: &Append<'_>, now_ms: i64) -> Result<(), SqlError> {
        self.sql.transaction(&mut || {
            for part in &append.parts {
                if part.at < now_ms.saturating_sub(PART_MEMORY_MS) {
                    // Whether it was appended before is forgotten: refused, and seen in the log and
                    // the backlog, rather than perhaps landed twice.
                    return Err(SqlError(format!("part {} is too old", part.id)));
                }
                let fresh: Option<serde::de::IgnoredAny> = self.sql.first(
                    "INSERT INTO parts (part_id, at) VALUES (?1, ?2) \
                     ON CONFLICT DO NOTHING RETURNING at",
                    &[part.id.as_str().into(), part.at.into()],
                )?;
                if fresh.is_some() && !part.events.is_empty() {
                    self.append_rows(part, now_ms)?;
                }
            }
            Ok(())
        })
    }

    /// One row of each hour that the part has events of.
    fn append_rows(&self, part: &AppendPart<'_>, now_ms: i64) -> Result<(), SqlError> {
        let mut rows: BTreeMap<i64, (i64, String)> = BTreeMap::new();
        for (index, event) in part.events.iter().enumerate() {
            let hour = part.hours.get(index).copied();
            let (n, lines) = rows.entry(hour.unwrap_or(hour_of(part.at))).or_default();
            *n = n.saturating_add(1);
            lines.push_str(event.get());
            lines.push('\n');
        }
        for (hour, (n, lines)) in rows {
            let bytes = i64::try_from(lines.len()).unwrap_or(i64::MAX);
            self.sql.run(
                "INSERT INTO rows (hour, at, n, bytes, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[
                    hour.into(),
                    now_ms.into(),
                    n.into(),
                    bytes.into(),
                    lines.into(),
                ],
            )?;
            self.open_hour(hour, bytes, now_ms)?;
        }
        Ok(())
    }

    /// The next sealed object whose put is due.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn due_object(&self, now_ms: i64) -> Result<Option<SealedObject>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            sequence: i64,
            key: String,
            hash: String,
            n: i64,
            tries: u32,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT sequence, key, hash, n, tries FROM objects \
             WHERE due_at <= ?1 AND conflict = 0 ORDER BY due_at, sequence LIMIT 1",
            &[now_ms.into()],
        )?;
        Ok(row.map(|row| SealedObject {
            sequence: row.sequence,
            key: row.key,
            hash: row.hash,
            events: row.n,
            tries: row.tries,
        }))
    }

    /// Notes what became of a put.
    ///
    /// # Errors
    /// Whatever the database says; the same object is put again then, which is met by its hash.
    pub fn settle(&self, object: &SealedObject, fate: Fate, now_ms: i64) -> Result<(), SqlError> {
        let sequence = || object.sequence.into();
        match fate {
            Fate::Done => self.sql.transaction(&mut || {
                self.sql
                    .run("DELETE FROM rows WHERE sequence = ?1", &[sequence()])?;
                self.sql
                    .run("DELETE FROM objects WHERE sequence = ?1", &[sequence()])?;
                self.sql.run(
                    "UPDATE shard SET landed_events = landed_events + ?1, \
                     landed_objects = landed_objects + 1",
                    &[object.events.into()],
                )
            }),
            Fate::Retry => {
                let tries = object.tries.saturating_add(1);
                let due = now_ms.saturating_add(resend_delay_ms(tries, FIRST_RETRY_MS));
                self.sql.run(
                    "UPDATE objects SET tries = ?2, due_at = ?3 WHERE sequence = ?1",
                    &[sequence(), i64::from(tries).into(), due.into()],
                )
            }
            Fate::Conflict => self.sql.run(
                "UPDATE objects SET conflict = 1 WHERE sequence = ?1",
                &[sequence()],
            ),
        }
    }

    /// Forgets parts received more than 15 days ago (`PART_MEMORY_MS`), at most once an hour.
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
            "DELETE FROM parts WHERE at < ?1",
            &[now_ms.saturating_sub(PART_MEMORY_MS).into()],
        )
    }

    /// When the object must wake next, or never: a seal or a put.
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
                UNION ALL SELECT min(due_at) FROM objects WHERE conflict = 0)",
            &[self.rule.age_ms.into(), self.rule.bytes.into()],
        )?;
        Ok(row.and_then(|row| row.due))
    }
}

#[cfg(test)]
mod tests;
