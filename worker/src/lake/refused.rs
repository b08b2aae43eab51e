//! Deliveries that a sink has refused as often as is tried: set aside, listed as dead letters, and
//! taken up again by a replay. The object stays here whole meanwhile, and every other sink gets it.

use serde::{Deserialize, Serialize};

use super::store::LakeStore;
use crate::live::HOUR_MS;
use crate::sinks::SinkKind;
use crate::sql::{Sql, SqlError};

/// How long after it could not be told an object is told again.
const TELL_AGAIN_MS: i64 = 60_000;

/// Objects that are told at once at most: each is a statement of D1's.
const MAX_TOLD: i64 = 50;

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
    /// Counts a refusal, and sets aside what the sink still has to get, where that was one too many.
    /// After that, an object is set aside once the sink refused one that was sealed later.
    pub(super) fn refused(&self, sink: SinkKind, now_ms: i64) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Row {
            n: u32,
        }
        let row: Option<Row> = self.sql.first(
            "INSERT INTO refusals (sink, n) VALUES (?1, 1) \
             ON CONFLICT (sink) DO UPDATE SET n = n + 1 RETURNING n",
            &[sink.name().into()],
        )?;
        if row.is_none_or(|row| row.n < self.sink_tries) {
            return Ok(());
        }
        self.sql.run(
            "UPDATE deliveries SET held = 2, due_at = ?2 \
             WHERE sink = ?1 AND done = 0 AND held = 0",
            &[sink.name().into(), now_ms.into()],
        )
    }

    /// The sink takes something, or fails otherwise: refusals in a row are counted anew.
    pub(super) fn not_refused(&self, sink: SinkKind) -> Result<(), SqlError> {
        self.sql.run(
            "DELETE FROM refusals WHERE sink = ?1",
            &[sink.name().into()],
        )
    }

    /// What is set aside and not listed yet. It is told again a minute later, unless
    /// [`listed`](Self::listed) says that it need not be.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn unlisted(&self, now_ms: i64) -> Result<Vec<RefusedObject>, SqlError> {
        let due: Vec<RefusedObject> = self.sql.rows(
            "SELECT sequence, sink, key, objects.n AS events, coalesce(sinks.code, '') AS code, \
                coalesce((SELECT min(hour) FROM rows WHERE rows.sequence = objects.sequence), 0) \
                    * ?3 AS hour_ms \
             FROM sinks JOIN deliveries USING (sink) JOIN objects USING (sequence) \
             WHERE done = 0 AND held = 2 AND deliveries.due_at <= ?1 ORDER BY sequence LIMIT ?2",
            &[now_ms.into(), MAX_TOLD.into(), HOUR_MS.into()],
        )?;
        for object in &due {
            self.hold(object, 2, now_ms.saturating_add(TELL_AGAIN_MS))?;
        }
        Ok(due)
    }

    /// Notes that it is among the dead letters.
    ///
    /// # Errors
    /// Whatever the database says; it is listed once more then, which changes nothing.
    pub fn listed(&self, object: &RefusedObject) -> Result<(), SqlError> {
        self.hold(object, 3, 0)
    }

    fn hold(&self, object: &RefusedObject, held: i64, due_at: i64) -> Result<(), SqlError> {
        self.sql.run(
            "UPDATE deliveries SET held = ?3, due_at = ?4 \
             WHERE sequence = ?1 AND sink = ?2 AND held = 2",
            &[
                object.sequence.into(),
                object.sink.name().into(),
                held.into(),
                due_at.into(),
            ],
        )
    }

    /// Takes an object up again that was set aside, at once and as if it had never failed; `false`
    /// where it is not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn retry(&self, retry: &Retry) -> Result<bool, SqlError> {
        self.sql.transaction(&mut || {
            let taken_up: Option<serde::de::IgnoredAny> = self.sql.first(
                "UPDATE deliveries SET held = 0, tries = 0, due_at = 0 \
                 WHERE sink = ?1 AND held >= 2 \
                    AND sequence = (SELECT sequence FROM objects WHERE key = ?2) \
                 RETURNING sequence",
                &[retry.sink.name().into(), retry.key.as_str().into()],
            )?;
            if taken_up.is_none() {
                return Ok(false);
            }
            self.not_refused(retry.sink)?;
            self.sql.run(
                "UPDATE sinks SET due_at = 0 WHERE sink = ?1",
                &[retry.sink.name().into()],
            )?;
            Ok(true)
        })
    }
}
