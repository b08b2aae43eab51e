//! An import's parts, cursor and counts, on the SQLite of its Durable Object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lines::Place;
use super::schema::{DROP, LINES, SCHEMA};
use super::{IDLE_MS, KEEP_MS, RejectedLine};
use crate::sql::{Sql, SqlError};

mod progress;

/// What is set when an import is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewImport {
    /// Its id.
    pub import_id: String,
    /// How many parts there will be, where that is known: it is closed with the last.
    pub parts: Option<i64>,
    /// Whether the site keeps fragments of URLs.
    pub hash_routing: bool,
}

/// A part that lies in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedPart {
    /// Its number.
    pub n: i64,
    /// Where it lies.
    pub key: String,
    /// How long it is.
    pub bytes: i64,
    /// The bucket's hash of its content.
    pub etag: String,
}

/// What became of a part that was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Added {
    /// It is one of the import's parts now.
    New,
    /// It was already, with this very content: the upload is not needed.
    Known,
    /// Another content was uploaded under its number.
    Different,
    /// The import takes no more parts.
    Closed,
}

/// The store of one import.
#[derive(Debug)]
pub struct ImportStore<S> {
    sql: S,
}

/// Where the walk stands in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) part: i64,
    pub(super) key: String,
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) place: Place,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// Read on.
    Step(Cursor),
    /// All is read: ask the shards whether all is stored.
    Settle,
    /// All is stored: delete the uploads.
    Clean,
    /// Nobody uploads any more.
    Close,
    /// Nobody needs to know of it any more.
    Forget,
    /// Nothing before this time, Unix milliseconds.
    Wait(i64),
}

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) bytes: usize,
    pub(super) next: Place,
    pub(super) accepted: usize,
    pub(super) duplicate: usize,
    pub(super) rejected: usize,
    pub(super) skipped: usize,
    pub(super) shard: Option<u32>,
    pub(super) lines: BTreeMap<String, i64>,
    pub(super) listed: Vec<RejectedLine>,
}

impl<S: Sql> ImportStore<S> {
    /// Makes the import, or opens it where it was made before.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn create(sql: S, new: &NewImport, now_ms: i64) -> Result<Self, SqlError> {
        sql.transaction(&mut || {
            for statement in SCHEMA.into_iter().chain([LINES]) {
                sql.run(statement, &[])?;
            }
            sql.run(
                "INSERT INTO import (id, import_id, declared, hash_routing, started_at, touched_at) \
                 VALUES (1, ?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING",
                &[
                    new.import_id.as_str().into(),
                    new.parts.into(),
                    i64::from(new.hash_routing).into(),
                    now_ms.into(),
                ],
            )
        })?;
        Ok(Self { sql })
    }

    /// The import, where there is one. Asked of an object that nobody made, it leaves it unmade.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn find(sql: S) -> Result<Option<Self>, SqlError> {
        let table: Option<serde::de::IgnoredAny> = sql.first(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'import'",
            &[],
        )?;
        Ok(table.map(|_| Self { sql }))
    }

    /// Whether it takes parts.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn is_open(&self) -> Result<bool, SqlError> {
        let open: Option<serde::de::IgnoredAny> = self
            .sql
            .first("SELECT id FROM import WHERE closed = 0", &[])?;
        Ok(open.is_some())
    }

    /// Takes an uploaded part. With the last of the announced ones the import is closed.
    ///
    /// # Errors
    /// Whatever the database says; nothing was taken then.
    pub fn add_part(&self, part: &UploadedPart, now_ms: i64) -> Result<Added, SqlError> {
        #[derive(Deserialize)]
        struct Known {
            bytes: i64,
            etag: String,
        }
        self.sql.transaction(&mut || {
            let known: Option<Known> = self.sql.first(
                "SELECT bytes, etag FROM parts WHERE n = ?1",
                &[part.n.into()],
            )?;
            match known {
                Some(known) if known.bytes == part.bytes && known.etag == part.etag => {
                    return Ok(Added::Known);
                }
                Some(_) => return Ok(Added::Different),
                None if !self.is_open()? => return Ok(Added::Closed),
                None => {}
            }
            self.sql.run(
                "INSERT INTO parts (n, key, bytes, etag) VALUES (?1, ?2, ?3, ?4)",
                &[
                    part.n.into(),
                    part.key.as_str().into(),
                    part.bytes.into(),
                    part.etag.as_str().into(),
                ],
            )?;
            self.sql.run(
                "UPDATE import SET touched_at = ?1, \
                 closed = coalesce((SELECT count(*) FROM parts) >= declared, 0)",
                &[now_ms.into()],
            )?;
            Ok(Added::New)
        })
    }

    /// Takes no more parts.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn close(&self) -> Result<(), SqlError> {
        self.sql.run("UPDATE import SET closed = 1", &[])
    }

    /// What is to be done next.
    pub(super) fn work(&self, now_ms: i64) -> Result<Work, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            touched_at: i64,
            closed: i64,
            finished_at: Option<i64>,
            cleaned: i64,
        }
        if let Some(cursor) = self.cursor()? {
            return Ok(Work::Step(cursor));
        }
        let row: Option<Row> = self.sql.first(
            "SELECT touched_at, closed, finished_at, cleaned FROM import",
            &[],
        )?;
        let Some(row) = row else {
            return Err(SqlError("an import without its row".to_owned()));
        };
        let idle = row.touched_at.saturating_add(IDLE_MS);
        Ok(match row.finished_at {
            Some(_) if row.cleaned == 0 => Work::Clean,
            Some(at) if at.saturating_add(KEEP_MS) <= now_ms => Work::Forget,
            Some(at) => Work::Wait(at.saturating_add(KEEP_MS)),
            None if row.closed != 0 => Work::Settle,
            None if idle <= now_ms => Work::Close,
            None => Work::Wait(idle),
        })
    }

    /// The part that is read.
    fn cursor(&self) -> Result<Option<Cursor>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            n: i64,
            key: String,
            bytes: u64,
            at: u64,
            line: i64,
            skipping: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT n, key, bytes, at, line, skipping FROM parts \
             WHERE at < bytes AND lost = 0 ORDER BY begun DESC, n LIMIT 1",
            &[],
        )?;
        Ok(row.map(|row| Cursor {
            part: row.n,
            key: row.key,
            at: row.at,
            bytes: row.bytes,
            place: Place {
                line: row.line,
                skipping: row.skipping != 0,
            },
        }))
    }

    /// The import's id and whether the site keeps fragments.
    pub(super) fn settings(&self) -> Result<(String, bool), SqlError> {
        #[derive(Deserialize)]
        struct Row {
            import_id: String,
            hash_routing: i64,
        }
        let row: Option<Row> = self
            .sql
            .first("SELECT import_id, hash_routing FROM import", &[])?;
        row.map(|row| (row.import_id, row.hash_routing != 0))
            .ok_or_else(|| SqlError("an import without its row".to_owned()))
    }

    /// How often these lines came before.
    pub(super) fn counts(&self, hashes: &[&str]) -> Result<BTreeMap<String, i64>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            hash: String,
            n: i64,
        }
        if hashes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let asked = serde_json::to_string(hashes).unwrap_or_default();
        let rows: Vec<Row> = self.sql.rows(
            "SELECT DISTINCT hash, n FROM json_each(?1) CROSS JOIN line_counts \
             ON line_counts.hash = value",
            &[asked.into()],
        )?;
        Ok(rows.into_iter().map(|row| (row.hash, row.n)).collect())
    }

    /// Moves the cursor over a step that is committed: with its counts, or not at all.
    pub(super) fn advance(&self, cursor: &Cursor, done: &Done) -> Result<(), SqlError> {
        let int = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.sql.transaction(&mut || {
            self.sql.run(
                "UPDATE parts SET at = at + ?2, line = ?3, skipping = ?4 WHERE n = ?1",
                &[
                    cursor.part.into(),
                    int(done.bytes).into(),
                    done.next.line.into(),
                    i64::from(done.next.skipping).into(),
                ],
            )?;
            self.sql.run(
                "UPDATE import SET accepted = accepted + ?1, duplicate = duplicate + ?2, \
                 rejected = rejected + ?3, skipped = skipped + ?4",
                &[
                    int(done.accepted).into(),
                    int(done.duplicate).into(),
                    int(done.rejected).into(),
                    int(done.skipped).into(),
                ],
            )?;
            if let Some(shard) = done.shard {
                self.sql.run(
                    "INSERT INTO shards (shard) VALUES (?1) ON CONFLICT DO NOTHING",
                    &[i64::from(shard).into()],
                )?;
            }
            if !done.lines.is_empty() {
                let lines: Vec<(&String, &i64)> = done.lines.iter().collect();
                self.sql.run(
                    "INSERT INTO line_counts (hash, n) \
                     SELECT value->>0, value->>1 FROM json_each(?1) WHERE true \
                     ON CONFLICT (hash) DO UPDATE SET n = excluded.n",
                    &[serde_json::to_string(&lines).unwrap_or_default().into()],
                )?;
            }
            self.list_rejected(&done.listed)
        })
    }

    /// Notes that a part is begun: from now on it comes before any other, so that a step that is
    /// repeated meets what it met before, and is known again for the same.
    pub(super) fn begin(&self, cursor: &Cursor) -> Result<(), SqlError> {
        if cursor.at > 0 {
            return Ok(());
        }
        self.sql.run(
            "UPDATE parts SET begun = 1 WHERE n = ?1",
            &[cursor.part.into()],
        )
    }

    /// Gives a part up whose object is gone.
    pub(super) fn lose(&self, part: i64) -> Result<(), SqlError> {
        self.sql
            .run("UPDATE parts SET lost = 1 WHERE n = ?1", &[part.into()])
    }

    /// The shards that its steps went to.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn shards(&self) -> Result<Vec<u32>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            shard: u32,
        }
        let rows: Vec<Row> = self.sql.rows("SELECT shard FROM shards", &[])?;
        Ok(rows.into_iter().map(|row| row.shard).collect())
    }

    /// All is stored; `seen_before` of the events had been brought before.
    pub(super) fn finish(&self, seen_before: i64, now_ms: i64) -> Result<(), SqlError> {
        self.sql.transaction(&mut || {
            self.sql.run("DROP TABLE IF EXISTS line_counts", &[])?;
            self.sql.run(
                "UPDATE import SET finished_at = ?1, seen_before = ?2 WHERE finished_at IS NULL",
                &[now_ms.into(), seen_before.into()],
            )
        })
    }

    /// The uploads are deleted.
    pub(super) fn cleaned(&self) -> Result<(), SqlError> {
        self.sql.run("UPDATE import SET cleaned = 1", &[])
    }

    /// Forgets the import.
    pub(super) fn forget(&self) -> Result<(), SqlError> {
        self.sql.transaction(&mut || {
            for statement in DROP {
                self.sql.run(statement, &[])?;
            }
            Ok(())
        })
    }

    /// When the object must wake next.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn next_due(&self, now_ms: i64) -> Result<i64, SqlError> {
        Ok(match self.work(now_ms)? {
            Work::Wait(until) => until,
            _ => now_ms,
        })
    }
}
