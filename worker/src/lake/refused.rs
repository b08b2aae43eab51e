//! Deliveries that a sink has refused as often as is tried: set aside, listed as dead letters, and
//! taken up again by a replay. The object stays here whole meanwhile, and every other sink gets it.

use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::store::LakeStore;
use crate::base::sql::{Param, Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::sinks::SinkKind;

/// How long after it could not be listed an object is listed again.
const LIST_AGAIN_MS: i64 = 60_000;

/// How long after it was: a list may be lost with its database.
const LISTED_FOR_MS: i64 = 24 * HOUR_MS;

/// Objects that are listed at once at most: each is a statement of a transaction.
const MAX_LISTED: i64 = 50;

/// An object that a sink has refused as often as is tried.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RefusedObject {
    /// Its number.
    pub sequence: i64,
    /// The sink.
    pub sink: SinkKind,
    /// Where it was to land.
    pub key: String,
    /// Its events.
    pub events: i64,
    /// The sink's latest error code.
    pub code: String,
    /// The start of the hour of its events, Unix milliseconds.
    pub hour_ms: i64,
}

/// What the command `/retry` takes up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The sink.
    pub sink: SinkKind,
    /// The object's key.
    pub key: String,
}

impl<S: Sql> LakeStore<S> {
    /// Counts a refusal, and sets aside what is one too many: of the sink, all that it still has to
    /// get, for it refuses whatever comes; of the object, itself, for the sink takes others meanwhile.
    pub(super) fn refused(&self, delivery: &Delivery, now_ms: i64) -> Result<(), SqlError> {
        let (sink, sequence) = (delivery.sink.name(), delivery.object.sequence);
        if self.one_too_many(sink, 0)? {
            self.set_aside("", &[sink.into(), now_ms.into()])?;
        }
        if self.one_too_many(sink, sequence)? {
            let params = [sink.into(), now_ms.into(), sequence.into()];
            self.set_aside(" AND sequence = ?3", &params)?;
        }
        Ok(())
    }

    fn one_too_many(&self, sink: &str, sequence: i64) -> Result<bool, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            n: u32,
        }
        let row: Option<Row> = self.sql.first(
            "INSERT INTO refusals (sink, sequence, n) VALUES (?1, ?2, 1) \
             ON CONFLICT (sink, sequence) DO UPDATE SET n = n + 1 RETURNING n",
            &[sink.into(), sequence.into()],
        )?;
        Ok(row.is_some_and(|row| row.n >= self.sink_tries))
    }

    fn set_aside(&self, which: &str, params: &[Param]) -> Result<(), SqlError> {
        let all = "UPDATE deliveries SET conflict = 2, due_at = ?2 \
                   WHERE sink = ?1 AND done = 0 AND conflict = 0";
        self.sql.run(&format!("{all}{which}"), params)
    }

    /// The sink takes something, or fails otherwise: its refusals in a row are counted anew.
    pub(super) fn not_refused(&self, sink: SinkKind) -> Result<(), SqlError> {
        self.forget_refusals(sink, 0)
    }

    /// So are those of an object.
    pub(super) fn forget_refusals(&self, sink: SinkKind, sequence: i64) -> Result<(), SqlError> {
        self.sql.run(
            "DELETE FROM refusals WHERE sink = ?1 AND sequence = ?2",
            &[sink.name().into(), sequence.into()],
        )
    }

    /// What is set aside and is to be listed now: at first, and then once a day. It is so again a
    /// minute later, unless [`listed`](Self::listed) says that it was.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn to_list(&self, now_ms: i64) -> Result<Vec<RefusedObject>, SqlError> {
        let due: Vec<RefusedObject> = self.sql.rows(
            "SELECT sequence, sink, key, objects.n AS events, coalesce(sinks.code, '') AS code, \
                hour * ?3 AS hour_ms \
             FROM sinks JOIN deliveries USING (sink) JOIN objects USING (sequence) \
             WHERE done = 0 AND conflict = 2 AND deliveries.due_at <= ?1 \
             ORDER BY sequence LIMIT ?2",
            &[now_ms.into(), MAX_LISTED.into(), HOUR_MS.into()],
        )?;
        self.list_at(&due, now_ms.saturating_add(LIST_AGAIN_MS))?;
        Ok(due)
    }

    /// Notes that they are among the dead letters.
    ///
    /// # Errors
    /// Whatever the database says; they are listed once more then, which changes nothing.
    pub fn listed(&self, objects: &[RefusedObject], now_ms: i64) -> Result<(), SqlError> {
        self.list_at(objects, now_ms.saturating_add(LISTED_FOR_MS))
    }

    fn list_at(&self, objects: &[RefusedObject], due_at: i64) -> Result<(), SqlError> {
        for object in objects {
            self.sql.run(
                "UPDATE deliveries SET due_at = ?3 \
                 WHERE sequence = ?1 AND sink = ?2 AND conflict = 2",
                &[
                    object.sequence.into(),
                    object.sink.name().into(),
                    due_at.into(),
                ],
            )?;
        }
        Ok(())
    }

    /// Takes an object up again that was set aside, at once and as if it had never failed; `false`
    /// where it is not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retry(&self, retry: &Retry) -> Result<bool, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            sequence: i64,
        }
        self.sql.transaction(&mut || {
            let taken_up: Option<Row> = self.sql.first(
                "UPDATE deliveries SET conflict = 0, tries = 0, due_at = 0 \
                 WHERE sink = ?1 AND conflict = 2 \
                    AND sequence = (SELECT sequence FROM objects WHERE key = ?2) \
                 RETURNING sequence",
                &[retry.sink.name().into(), retry.key.as_str().into()],
            )?;
            let Some(Row { sequence }) = taken_up else {
                return Ok(false);
            };
            self.not_refused(retry.sink)?;
            self.forget_refusals(retry.sink, sequence)?;
            self.sql.run(
                "UPDATE sinks SET due_at = 0 WHERE sink = ?1",
                &[retry.sink.name().into()],
            )?;
            Ok(true)
        })
    }
}
