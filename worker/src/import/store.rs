//! An import's parts, cursor and counts, on the SQLite of its Durable Object.

use serde::{Deserialize, Serialize};

use super::schema::{DROP, LINES, SCHEMA};
use super::{IDLE_MS, KEEP_MS};
use crate::base::sql::{Sql, SqlError};

mod progress;
mod walk;

pub(super) use walk::{Cursor, Done};

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
