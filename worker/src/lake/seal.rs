//! Sealing: open segments become objects, whose name, segments and content are fixed from then on.
//!
//! No segment is changed by it: an object is a range of the hour's numbers. Those are given in order, and
//! what of the range comes from the lake was marked when it was inserted, so that a range never gains a
//! segment.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::partition::object_key;
use super::store::LakeStore;
use crate::base::hash::hex;
use crate::base::sql::{Sql, SqlError};

#[derive(Deserialize)]
struct Open {
    seq: i64,
    n: i64,
    bytes: i64,
    at: i64,
}

/// Events and bytes of segments.
fn sums(segments: &[Open]) -> (i64, i64) {
    let sum = |of: fn(&Open) -> i64| segments.iter().map(of).fold(0, i64::saturating_add);
    (sum(|open| open.n), sum(|open| open.bytes))
}

impl<S: Sql> LakeStore<S> {
    /// Seals every hour's open segments that are due. An object takes segments in the order they came, up
    /// to the rule's size, so that it fits the memory of an isolate.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn seal(&self, site: &str, shard: u32, now_ms: i64) -> Result<(), SqlError> {
        self.seal_from(site, shard, now_ms, now_ms.saturating_sub(self.rule.age_ms))
    }

    /// Seals all open segments, however new.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn seal_open(&self, site: &str, shard: u32, now_ms: i64) -> Result<(), SqlError> {
        self.seal_from(site, shard, now_ms, i64::MAX)
    }

    /// Seals the hours whose open segments are enough, or of which one came at `latest` at the latest.
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
        let open: Vec<Open> = self.sql.rows(
            "SELECT seq, segments.n, segments.bytes, at FROM segments JOIN open_hours USING (hour) \
             WHERE hour = ?1 AND seq >= first_seq AND landed = 0 ORDER BY seq",
            &[hour.into()],
        )?;
        let mut bytes = 0_i64;
        let fit = open
            .iter()
            .take_while(|segment| {
                let first = bytes == 0;
                bytes = bytes.saturating_add(segment.bytes);
                first || bytes <= self.rule.bytes
            })
            .count();
        let (sealed, rest) = open.split_at_checked(fit).unwrap_or_default();
        if let ([first, ..], [.., last]) = (sealed, sealed) {
            let range = (first.seq, last.seq);
            self.insert(site, shard, hour, range, sealed, now_ms)?;
        }
        self.leave_open(hour, rest)
    }

    fn insert(
        &self,
        site: &str,
        shard: u32,
        hour: i64,
        (first, last): (i64, i64),
        sealed: &[Open],
        now_ms: i64,
    ) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Next {
            epoch: String,
            sequence: i64,
        }
        // One segment at a time: an object may be as large as an isolate's memory allows.
        let mut hash = Sha256::new();
        for segment in sealed {
            hash.update(self.member(segment.seq)?);
        }
        let next: Option<Next> = self.sql.first(
            "UPDATE shard SET sequence = sequence + 1 RETURNING epoch, sequence",
            &[],
        )?;
        let Some(Next { epoch, sequence }) = next else {
            return Err(SqlError("the lake has no epoch".to_owned()));
        };
        let (n, bytes) = sums(sealed);
        self.sql.run(
            "INSERT INTO objects (sequence, key, hash, hour, first_seq, last_seq, n, bytes, due_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[
                sequence.into(),
                object_key(site, shard, &epoch, sequence, hour).into(),
                hex(&hash.finalize()).into(),
                hour.into(),
                first.into(),
                last.into(),
                n.into(),
                bytes.into(),
                now_ms.into(),
            ],
        )?;
        self.sql.run(
            "INSERT INTO deliveries (sequence, sink, n, bytes, due_at) \
             SELECT sequence, sink, n, bytes, objects.due_at FROM objects, sinks WHERE sequence = ?1",
            &[sequence.into()],
        )
    }

    /// Counts what of an hour stays open; an hour of nothing must not be found due again.
    fn leave_open(&self, hour: i64, rest: &[Open]) -> Result<(), SqlError> {
        let (Some(first), Some(since)) = (rest.first(), rest.iter().map(|open| open.at).min())
        else {
            return self
                .sql
                .run("DELETE FROM open_hours WHERE hour = ?1", &[hour.into()]);
        };
        let (n, bytes) = sums(rest);
        self.sql.run(
            "UPDATE open_hours SET first_seq = ?2, n = ?3, bytes = ?4, since = ?5 WHERE hour = ?1",
            &[
                hour.into(),
                first.seq.into(),
                n.into(),
                bytes.into(),
                since.into(),
            ],
        )
    }
}
