//! The core of `site_do`: a site's (and shard's) live counts and transactional outbox.
//!
//! The commit of a batch is what a 202 stands for. From here the outbox is drained into the queue
//! until the consumer confirms every part; nothing rests on the queue.

mod backlog;
mod imports;
mod outbox;
mod quota;
mod snapshot;
mod watch;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::live::{ACCEPTED, DUPLICATE, HOUR_MS, Kind, MINUTE_MS, TRACKER_DROPPED};
use crate::sql::{Param, Sql, SqlError};

use quota::{Quota, seconds_to_next_hour};

pub use backlog::OutboxState;
pub use imports::ImportState;
pub use outbox::{Confirmation, ConfirmedPart, Message};
pub use snapshot::{Entry, Snapshot, State, first_minute};
pub use watch::{LEASE_LEFT_MS, Watch};

/// How long a batch's id is remembered: a sender that retries does so within hours; what comes
/// later is met by the event ids in D1.
pub const BATCH_MEMORY_MS: i64 = 24 * HOUR_MS;

/// Minutes that the live view shows.
pub const LIVE_MINUTES: i64 = 60;

/// A user counts as active this long after an event.
pub const ACTIVE_MS: i64 = 5 * MINUTE_MS;

/// How often old counters, visitors and batch ids are deleted. Reads look at times, so this only
/// bounds what is kept.
pub const PRUNE_EVERY_MS: i64 = 10 * MINUTE_MS;

/// How long hourly outcome counts are kept.
pub const OUTCOME_MEMORY_MS: i64 = 31 * 24 * HOUR_MS;

/// The body of a publish call, as [`crate::publish::Publication`] writes it. What only SQLite
/// reads stays text.
#[derive(Debug, Deserialize)]
pub struct Commit<'a> {
    at: i64,
    #[serde(default)]
    batch: Option<BatchKey>,
    #[serde(default)]
    quota: Option<Quota>,
    /// The import whose step this is: nothing of it happens now, so it is not counted live.
    #[serde(default)]
    import: Option<String>,
    #[serde(borrow)]
    counters: &'a RawValue,
    #[serde(borrow)]
    visitors: &'a RawValue,
    #[serde(borrow)]
    parts: Vec<PartIn<'a>>,
}

#[derive(Debug, Deserialize)]
struct BatchKey {
    id: String,
    digest: String,
}

#[derive(Debug, Deserialize)]
struct PartIn<'a> {
    id: String,
    n: i64,
    #[serde(borrow)]
    events: &'a RawValue,
}

/// The answer of a publish call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// This very batch was committed before; nothing was added.
    pub duplicate: bool,
    /// Nothing was added: the site's quota of this hour is used up, or, of an import, the outbox has
    /// no room for it. Seconds until there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Commit<'_> {
    /// Whether the commit that was answered with `receipt` changed the live counts.
    pub fn changed_live(&self, receipt: &Receipt) -> bool {
        !receipt.duplicate && receipt.retry_after_s.is_none() && self.import.is_none()
    }
}

/// The store of one site and shard, on the SQLite of its Durable Object.
#[derive(Debug)]
pub struct SiteStore<S> {
    sql: S,
    resend_ms: i64,
}

const SCHEMA: [&str; 7] = [
    "CREATE TABLE IF NOT EXISTS counters (kind TEXT NOT NULL, bucket INTEGER NOT NULL, \
     key TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, bucket, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS visitors (hash TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) \
     WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batches (batch_id TEXT NOT NULL, digest TEXT NOT NULL, \
     at INTEGER NOT NULL, PRIMARY KEY (batch_id, digest)) WITHOUT ROWID",
    // message is NULL until the part was sent for the first time. The events come last: what looks
    // for parts that are due reads the columns before them, and not their pages.
    "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, part_id TEXT NOT NULL UNIQUE, \
     at INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, message TEXT, \
     sends INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL, events TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at)",
    "CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (message) WHERE message IS NOT NULL",
    // In the database, because an instance may live for seconds only.
    "CREATE TABLE IF NOT EXISTS upkeep (id INTEGER PRIMARY KEY CHECK (id = 1), \
     pruned_at INTEGER NOT NULL)",
];

const ADD_COUNTERS: &str = "INSERT INTO counters (kind, bucket, key, n) \
     SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?1) WHERE true \
     ON CONFLICT (kind, bucket, key) DO UPDATE SET n = n + excluded.n";

impl<S: Sql> SiteStore<S> {
    /// Opens the store, making its tables where they are missing. `resend_ms` is how long a part
    /// waits for its first confirmation before it is sent again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S, resend_ms: i64, now_ms: i64) -> Result<Self, SqlError> {
        for statement in SCHEMA
            .into_iter()
            .chain(imports::SCHEMA)
            .chain(watch::SCHEMA)
        {
            sql.run(statement, &[])?;
        }
        sql.run(
            "INSERT INTO upkeep (id, pruned_at) VALUES (1, ?1) ON CONFLICT DO NOTHING",
            &[now_ms.into()],
        )?;
        Ok(Self { sql, resend_ms })
    }

    /// Commits a batch: its id, its live counts and its outbox rows together, or nothing.
    ///
    /// # Errors
    /// Whatever the database says; nothing was written then.
    pub fn commit(&self, commit: &Commit<'_>) -> Result<Receipt, SqlError> {
        self.sql.transaction(&mut || {
            if self.is_over_quota(commit)? {
                return Ok(Receipt {
                    duplicate: false,
                    retry_after_s: Some(seconds_to_next_hour(commit.at)),
                });
            }
            if commit.import.is_some() && self.is_full()? {
                return Ok(Receipt {
                    duplicate: false,
                    retry_after_s: Some(imports::RETRY_AFTER_S),
                });
            }
            if !self.remember(commit)? {
                // A step of an import that comes again was not sent again: it was not known to be done.
                if commit.import.is_none() {
                    self.count_duplicate(commit)?;
                }
                return Ok(Receipt {
                    duplicate: true,
                    retry_after_s: None,
                });
            }
            self.sql
                .run(ADD_COUNTERS, &[commit.counters.get().into()])?;
            self.sql.run(
                "INSERT INTO visitors (hash, seen_at) \
                 SELECT value, ?2 FROM json_each(?1) WHERE true \
                 ON CONFLICT (hash) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)",
                &[commit.visitors.get().into(), commit.at.into()],
            )?;
            for part in &commit.parts {
                let events = part.events.get();
                let bytes = i64::try_from(events.len()).unwrap_or(i64::MAX);
                self.sql.run(
                    "INSERT INTO outbox (part_id, at, n, bytes, events, due_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?2)",
                    &[
                        part.id.as_str().into(),
                        commit.at.into(),
                        part.n.into(),
                        bytes.into(),
                        events.into(),
                    ],
                )?;
            }
            if let Some(import) = &commit.import {
                self.note_imported(import, commit)?;
            }
            Ok(Receipt {
                duplicate: false,
                retry_after_s: None,
            })
        })
    }

    /// Whether this batch is new (or has no id to be known by), from now on remembered.
    fn remember(&self, commit: &Commit<'_>) -> Result<bool, SqlError> {
        let Some(batch) = &commit.batch else {
            return Ok(true);
        };
        let fresh: Option<serde::de::IgnoredAny> = self.sql.first(
            "INSERT INTO batches (batch_id, digest, at) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO NOTHING RETURNING at",
            &[
                batch.id.as_str().into(),
                batch.digest.as_str().into(),
                commit.at.into(),
            ],
        )?;
        Ok(fresh.is_some())
    }

    /// A batch seen before adds to no count but the ledger's: what it had accepted then are
    /// duplicates now; its other outcomes are outcomes again. What its tracker dropped before is told
    /// once only.
    fn count_duplicate(&self, commit: &Commit<'_>) -> Result<(), SqlError> {
        self.sql.run(
            "INSERT INTO counters (kind, bucket, key, n) \
             SELECT 'o', value->>1, iif(value->>2 = ?2, ?3, value->>2) AS code, sum(value->>3) \
             FROM json_each(?1) WHERE value->>0 = 'o' AND value->>2 <> ?4 \
             GROUP BY value->>1, code \
             ON CONFLICT (kind, bucket, key) DO UPDATE SET n = n + excluded.n",
            &[
                commit.counters.get().into(),
                ACCEPTED.into(),
                DUPLICATE.into(),
                TRACKER_DROPPED.into(),
            ],
        )
    }

    /// Deletes what no answer needs any more, where the last time is [`PRUNE_EVERY_MS`] ago.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn prune_if_due(&self, now_ms: i64) -> Result<(), SqlError> {
        if now_ms < self.prune_due()? {
            return Ok(());
        }
        self.sql
            .run("UPDATE upkeep SET pruned_at = ?1", &[now_ms.into()])?;
        let before = |age: i64| Param::Int(now_ms.saturating_sub(age));
        let live = LIVE_MINUTES.saturating_mul(MINUTE_MS);
        self.sql.run(
            "DELETE FROM counters WHERE kind IN ('t', 'p', 'f', 'q') AND bucket < ?1",
            &[before(live.saturating_add(MINUTE_MS))],
        )?;
        self.sql.run(
            "DELETE FROM counters WHERE kind IN ('o', 'i') AND bucket < ?1",
            &[before(OUTCOME_MEMORY_MS)],
        )?;
        self.sql.run(
            "DELETE FROM visitors WHERE seen_at < ?1",
            &[before(ACTIVE_MS)],
        )?;
        self.sql.run(
            "DELETE FROM batches WHERE at < ?1",
            &[before(BATCH_MEMORY_MS)],
        )?;
        self.prune_imports(now_ms)
    }

    /// When the object must wake next: the earliest of all due times, or never.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn next_due(&self) -> Result<Option<i64>, SqlError> {
        let outbox = self.outbox_due()?;
        let prune = if self.has_prunable()? {
            Some(self.prune_due()?)
        } else {
            None
        };
        Ok(outbox.into_iter().chain(prune).min())
    }

    /// When what is old is deleted next.
    fn prune_due(&self) -> Result<i64, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            pruned_at: i64,
        }
        let row: Option<Row> = self.sql.first("SELECT pruned_at FROM upkeep", &[])?;
        Ok(row.map_or(0, |row| row.pruned_at.saturating_add(PRUNE_EVERY_MS)))
    }

    fn has_prunable(&self) -> Result<bool, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            any: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT EXISTS (SELECT 1 FROM batches) OR EXISTS (SELECT 1 FROM visitors) \
             OR EXISTS (SELECT 1 FROM counters WHERE kind IN ('t', 'p', 'f', 'q')) AS any",
            &[],
        )?;
        Ok(row.is_some_and(|row| row.any != 0))
    }
}

/// The name of a counter's kind in the table, pinned by a test to what [`Kind`] serializes to.
const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Type => "t",
        Kind::Page => "p",
        Kind::Feature => "f",
        Kind::Outcome => "o",
        Kind::Quota => "q",
        Kind::Imported => "i",
    }
}

#[cfg(test)]
mod tests;
