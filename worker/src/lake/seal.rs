//! Sealing: open rows become objects, whose name, rows and content are fixed from then on.

use serde::Deserialize;

use super::partition::object_key;
use super::store::LakeStore;
use crate::auth::sha256_hex;
use crate::sql::{Sql, SqlError};

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
    /// Seals every hour's open rows that are due. An object takes rows in the order they came, up
    /// to the rule's size, so that it fits the memory of an isolate.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn seal(&self, site: &str, shard: u32, now_ms: i64) -> Result<(), SqlError> {
        self.seal_from(site, shard, now_ms, now_ms.saturating_sub(self.rule.age_ms))
    }

    /// Seals all open rows, however new.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn seal_open(&self, site: &str, shard: u32, now_ms: i64) -> Result<(), SqlError> {
        self.seal_from(site, shard, now_ms, i64::MAX)
    }

    /// Seals the hours whose open rows are enough, or of which one came at `latest` at the latest.
    fn seal_from(&self, site: &str, shard: u32, now_ms: i64, latest: i64) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Hour {
            hour: i64,
        }
        loop {
            let due: Option<Hour> = self.sql.first(
                "SELECT hour FROM open_hours WHERE bytes >= ?1 OR since <= ?2 \
                 ORDER BY hour LIMIT 1",
                &[self.rule.bytes.into(), latest.into()],
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
            // Nothing is open of the hour after all: it must not be found due again.
            return self.recount_hour(hour);
        };
        self.sql.run(
            "UPDATE rows SET sequence = ?1 WHERE sequence IS NULL AND hour = ?2 AND id <= ?3",
            &[next.sequence.into(), hour.into(), last.id.into()],
        )?;
        self.recount_hour(hour)?;
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
        )?;
        self.sql.run(
            "INSERT INTO deliveries (sequence, sink, n, bytes, due_at) \
             SELECT ?1, sink, rows.n, rows.bytes, ?2 FROM sinks, \
             (SELECT sum(n) AS n, sum(bytes) AS bytes FROM rows WHERE sequence = ?1) AS rows",
            &[next.sequence.into(), now_ms.into()],
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
}
