//! The rows of a lake shard, on the SQLite of its Durable Object.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::object::{Fate, SealedObject};
use super::partition::{epoch_name, hour_of, object_key};
use crate::auth::sha256_hex;
use crate::live::HOUR_MS;
use crate::outbox::resend_delay_ms;
use crate::sql::{Sql, SqlError};

/// How long a part's id is remembered. The outbox resends for as long as a part is unconfirmed,
/// so this must outlive a part's life in queue and outbox together.
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
    /// `receivedAt` of its events.
    pub at: i64,
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

/// How full a lake shard is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LakeState {
    /// Events appended and not known to have landed.
    pub pending_events: i64,
    /// Sealed objects not known to have landed.
    pub pending_objects: i64,
    /// Puts tried for the object that was tried most.
    pub most_tries: i64,
    /// Objects whose key holds something else.
    pub conflicts: i64,
    /// Events known to have landed, ever.
    pub landed_events: i64,
    /// Objects known to have landed, ever.
    pub landed_objects: i64,
}

/// The store of one lake shard.
#[derive(Debug)]
pub struct LakeStore<S> {
    sql: S,
    rule: SealRule,
}

const SCHEMA: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS shard (id INTEGER PRIMARY KEY CHECK (id = 1), \
     epoch TEXT NOT NULL, sequence INTEGER NOT NULL DEFAULT 0, \
     landed_events INTEGER NOT NULL DEFAULT 0, landed_objects INTEGER NOT NULL DEFAULT 0)",
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

#[derive(Deserialize)]
struct OpenRow {
    id: i64,
    bytes: i64,
}

#[derive(Deserialize)]
struct Lines {
    lines: String,
}

impl<S: Sql> LakeStore<S> {
    /// Opens the store; the first time, makes it with an epoch of its own.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S, rule: SealRule, now_ms: i64, random: [u8; 4]) -> Result<Self, SqlError> {
        for statement in SCHEMA {
            sql.run(statement, &[])?;
        }
        sql.run(
            "INSERT INTO shard (id, epoch) VALUES (1, ?1) ON CONFLICT DO NOTHING",
            &[epoch_name(now_ms, random).into()],
        )?;
        Ok(Self { sql, rule })
    }

    /// Appends parts, each once: all of a call, or nothing.
    ///
    /// # Errors
    /// Whatever the database says; nothing was appended then.
    pub fn append(&self, append: &Append<'_>, now_ms: i64) -> Result<(), SqlError> {
        self.sql.transaction(&mut || {
            for part in &append.parts {
                let fresh: Option<serde::de::IgnoredAny> = self.sql.first(
                    "INSERT INTO parts (part_id, at) VALUES (?1, ?2) \
                     ON CONFLICT DO NOTHING RETURNING at",
                    &[part.id.as_str().into(), now_ms.into()],
                )?;
                if fresh.is_some() && !part.events.is_empty() {
                    self.append_rows(part, now_ms)?;
                }
            }
            Ok(())
        })
    }

    fn append_rows(&self, part: &AppendPart<'_>, now_ms: i64) -> Result<(), SqlError> {
        let lines = part.events.iter().fold(String::new(), |mut lines, event| {
            lines.push_str(event.get());
            lines.push('\n');
            lines
        });
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.sql.run(
            "INSERT INTO rows (hour, at, n, bytes, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                hour_of(part.at).into(),
                now_ms.into(),
                count(part.events.len()).into(),
                count(lines.len()).into(),
                lines.into(),
            ],
        )
    }

    /// Seals every hour's open rows that are due. An object takes rows in the order they came, up
    /// to the rule's size, so that it fits the memory of an isolate.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn seal(&self, site: &str, shard: u32, now_ms: i64) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Hour {
            hour: i64,
        }
        loop {
            let due: Option<Hour> = self.sql.first(
                "SELECT hour FROM rows WHERE sequence IS NULL GROUP BY hour \
                 HAVING sum(bytes) >= ?1 OR min(at) <= ?2 ORDER BY hour LIMIT 1",
                &[
                    self.rule.bytes.into(),
                    now_ms.saturating_sub(self.rule.age_ms).into(),
                ],
            )?;
            let Some(Hour { hour }) = due else {
                return Ok(());
            };
            self.sql
                .transaction(&mut || self.seal_one(site, shard, hour, now_ms))?;
        }
    }

    fn seal_one(&self, site: &str, shard: u32, hour: i64, now_ms: i64) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Next {
            epoch: String,
            sequence: i64,
        }
        let open: Vec<OpenRow> = self.sql.rows(
            "SELECT id, bytes FROM rows WHERE sequence IS NULL AND hour = ?1 ORDER BY id",
            &[hour.into()],
        )?;
        let mut bytes = 0_i64;
        let last = open
            .iter()
            .take_while(|row| {
                let fits = bytes == 0 || bytes.saturating_add(row.bytes) <= self.rule.bytes;
                bytes = bytes.saturating_add(row.bytes);
                fits
            })
            .last();
        let (Some(last), Some(next)) = (
            last,
            self.sql.first::<Next>(
                "UPDATE shard SET sequence = sequence + 1 RETURNING epoch, sequence",
                &[],
            )?,
        ) else {
            return Ok(());
        };
        self.sql.run(
            "UPDATE rows SET sequence = ?1 WHERE sequence IS NULL AND hour = ?2 AND id <= ?3",
            &[next.sequence.into(), hour.into(), last.id.into()],
        )?;
        let hash = sha256_hex(self.ndjson(next.sequence)?.as_bytes());
        self.sql.run(
            "INSERT INTO objects (sequence, key, hash, n, due_at) \
             SELECT ?1, ?2, ?3, sum(n), ?4 FROM rows WHERE sequence = ?1",
            &[
                next.sequence.into(),
                object_key(site, shard, &next.epoch, next.sequence, hour).into(),
                hash.into(),
                now_ms.into(),
            ],
        )
    }

    /// The content of a sealed object: its rows' lines in the order they came.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn ndjson(&self, sequence: i64) -> Result<String, SqlError> {
        let rows: Vec<Lines> = self.sql.rows(
            "SELECT lines FROM rows WHERE sequence = ?1 ORDER BY id",
            &[sequence.into()],
        )?;
        Ok(rows.into_iter().map(|row| row.lines).collect())
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

    /// Forgets parts older than 15 days (`PART_MEMORY_MS`).
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn prune(&self, now_ms: i64) -> Result<(), SqlError> {
        self.sql.run(
            "DELETE FROM parts WHERE at < ?1",
            &[now_ms.saturating_sub(PART_MEMORY_MS).into()],
        )
    }

    /// When the object must wake next, or never: a seal, a put, or a part to forget.
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
                SELECT min(at) + ?1 AS due FROM rows WHERE sequence IS NULL \
                UNION ALL SELECT 0 FROM (SELECT 1 FROM rows WHERE sequence IS NULL \
                                         GROUP BY hour HAVING sum(bytes) >= ?2) \
                UNION ALL SELECT min(due_at) FROM objects WHERE conflict = 0)",
            &[self.rule.age_ms.into(), self.rule.bytes.into()],
        )?;
        Ok(row.and_then(|row| row.due))
    }

    /// How full the shard is.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self) -> Result<LakeState, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            pending_events: i64,
            pending_objects: i64,
            most_tries: i64,
            conflicts: i64,
            landed_events: i64,
            landed_objects: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT landed_events, landed_objects, \
                (SELECT coalesce(sum(n), 0) FROM rows) AS pending_events, \
                (SELECT count(*) FROM objects) AS pending_objects, \
                (SELECT coalesce(max(tries), 0) FROM objects) AS most_tries, \
                (SELECT count(*) FROM objects WHERE conflict = 1) AS conflicts FROM shard",
            &[],
        )?;
        Ok(row.map_or_else(LakeState::default, |row| LakeState {
            pending_events: row.pending_events,
            pending_objects: row.pending_objects,
            most_tries: row.most_tries,
            conflicts: row.conflicts,
            landed_events: row.landed_events,
            landed_objects: row.landed_objects,
        }))
    }
}

#[cfg(test)]
mod tests;
