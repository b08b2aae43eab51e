//! Deliveries: what each sink still has to get, tried oldest first, each sink for itself.

use serde::Deserialize;

use super::failing::FailingSink;
use super::store::LakeStore;
use crate::base::json;
use crate::base::sql::{Sql, SqlError};
use crate::sinks::{Failure, FailureKind, Progress, Sent, SinkKind, wait_ms};
use crate::sinks::{Outcome, SealedObject};

/// An object that is due at a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The sink.
    pub sink: SinkKind,
    /// The object.
    pub object: SealedObject,
    /// How far a record sink is with it.
    pub progress: Progress,
    /// Attempts in a row before this one whose success is not known.
    pub tries: u32,
}

impl Delivery {
    /// The object's events, as record sinks count them.
    pub fn total(&self) -> u32 {
        u32::try_from(self.object.events).unwrap_or(u32::MAX)
    }
}

/// Failures in a row after which a sink that may recover by itself is worth an alert: with the
/// backoff, about a minute.
const ALERT_FAILURES: u32 = 6;

/// The code of an attempt that was cut off with its isolate.
const CUT_OFF: &str = "cut_off";

impl<S: Sql> LakeStore<S> {
    /// The object that is due at a sink: of those that failed least, the oldest, so that one that
    /// fails for itself does not stand in the way of the others.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn due_delivery(&self, sink: SinkKind, now_ms: i64) -> Result<Option<Delivery>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            sequence: i64,
            key: String,
            hash: String,
            n: i64,
            tries: u32,
            progress: String,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT sequence, key, hash, objects.n, tries, progress \
             FROM deliveries JOIN objects USING (sequence) JOIN sinks USING (sink) \
             WHERE sink = ?1 AND done = 0 AND conflict = 0 \
                AND deliveries.due_at <= ?2 AND sinks.due_at <= ?2 \
             ORDER BY tries, sequence LIMIT 1",
            &[sink.name().into(), now_ms.into()],
        )?;
        Ok(row.map(|row| Delivery {
            sink,
            object: SealedObject {
                sequence: row.sequence,
                key: row.key,
                hash: row.hash,
                events: row.n,
            },
            progress: json::told(&row.progress).unwrap_or_default(),
            tries: row.tries,
        }))
    }

    /// Notes that an attempt begins: one that ends with its isolate was a try, too, and is not
    /// repeated at once.
    ///
    /// # Errors
    /// Whatever the database says; the attempt must not begin then.
    pub fn begin(&self, delivery: &Delivery, now_ms: i64, random: u32) -> Result<(), SqlError> {
        let tries = delivery.tries.saturating_add(1);
        let wait = wait_ms(&Failure::passing(CUT_OFF), tries, random);
        self.sql.run(
            "UPDATE deliveries SET tries = ?3, due_at = ?4 WHERE sequence = ?1 AND sink = ?2",
            &[
                delivery.object.sequence.into(),
                delivery.sink.name().into(),
                i64::from(tries).into(),
                now_ms.saturating_add(wait).into(),
            ],
        )
    }

    /// Whether somebody was told to look at a sink, and nothing has got through since.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn is_told(&self, sink: SinkKind) -> Result<bool, SqlError> {
        let told: Option<serde::de::IgnoredAny> = self.sql.first(
            "SELECT 1 FROM sinks WHERE sink = ?1 AND (lasting OR failures >= ?2)",
            &[sink.name().into(), i64::from(ALERT_FAILURES).into()],
        )?;
        Ok(told.is_some())
    }

    /// Notes what became of an attempt, and tells whether somebody should look at the sink.
    ///
    /// # Errors
    /// Whatever the database says; the same object is sent again then, which is met by its hash.
    pub fn settle(
        &self,
        delivery: &Delivery,
        outcome: &Outcome,
        now_ms: i64,
        random: u32,
    ) -> Result<Option<FailingSink>, SqlError> {
        self.sql.transaction(&mut || match outcome {
            Outcome::Done => {
                self.landed(delivery.sink, delivery.object.events, 1)?;
                self.done(delivery).map(|()| None)
            }
            Outcome::Conflict => {
                self.works(delivery.sink)?;
                self.mark(delivery, "UPDATE deliveries SET conflict = 1")
                    .map(|()| None)
            }
            Outcome::Failed(failure) => self.failed(delivery, failure, false, now_ms, random),
            Outcome::Sent(sent) => self.sent(delivery, sent, now_ms, random),
        })
    }

    fn sent(
        &self,
        delivery: &Delivery,
        sent: &Sent,
        now_ms: i64,
        random: u32,
    ) -> Result<Option<FailingSink>, SqlError> {
        let complete = sent.progress.is_complete(delivery.total());
        self.landed(delivery.sink, sent.taken.into(), i64::from(complete))?;
        if sent.refused > 0 {
            self.sql.run(
                "UPDATE sinks SET refused_events = refused_events + ?2, refused_code = ?3 \
                 WHERE sink = ?1",
                &[
                    delivery.sink.name().into(),
                    i64::from(sent.refused).into(),
                    sent.refused_code.clone().into(),
                ],
            )?;
        }
        if complete {
            return self.done(delivery).map(|()| None);
        }
        let progress =
            serde_json::to_string(&sent.progress).map_err(|error| SqlError(error.to_string()))?;
        self.sql.run(
            "UPDATE deliveries SET progress = ?3, tries = 0, due_at = ?4 \
             WHERE sequence = ?1 AND sink = ?2",
            &[
                delivery.object.sequence.into(),
                delivery.sink.name().into(),
                progress.into(),
                now_ms.into(),
            ],
        )?;
        match &sent.failure {
            Some(failure) => self.failed(delivery, failure, sent.taken > 0, now_ms, random),
            None => self.works(delivery.sink).map(|()| None),
        }
    }

    /// The sink is done with the object; with the last sink the object goes.
    fn done(&self, delivery: &Delivery) -> Result<(), SqlError> {
        self.works(delivery.sink)?;
        self.mark(delivery, "UPDATE deliveries SET done = 1")?;
        self.finish()
    }

    fn landed(&self, sink: SinkKind, events: i64, objects: i64) -> Result<(), SqlError> {
        self.sql.run(
            "UPDATE sinks SET landed_events = landed_events + ?2, \
             landed_objects = landed_objects + ?3 WHERE sink = ?1",
            &[sink.name().into(), events.into(), objects.into()],
        )
    }

    fn works(&self, sink: SinkKind) -> Result<(), SqlError> {
        self.not_refused(sink)?;
        self.sql.run(
            "UPDATE sinks SET due_at = 0, failures = 0, failing_since = NULL, lasting = 0, \
             code = NULL WHERE sink = ?1",
            &[sink.name().into()],
        )
    }

    fn mark(&self, delivery: &Delivery, update: &str) -> Result<(), SqlError> {
        self.sql.run(
            &format!("{update} WHERE sequence = ?1 AND sink = ?2"),
            &[delivery.object.sequence.into(), delivery.sink.name().into()],
        )
    }

    /// `some` says that part of it got through: the sink works, if not well.
    fn failed(
        &self,
        delivery: &Delivery,
        failure: &Failure,
        some: bool,
        now_ms: i64,
        random: u32,
    ) -> Result<Option<FailingSink>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            failures: u32,
            failing_since: i64,
        }
        let sink = delivery.sink.name();
        let lasting = failure.kind == FailureKind::Lasting;
        let row: Option<Row> = self.sql.first(
            "UPDATE sinks SET failures = iif(?2, 1, failures + 1), \
             failing_since = coalesce(failing_since, ?3), lasting = ?4, code = ?5 \
             WHERE sink = ?1 RETURNING failures, failing_since",
            &[
                sink.into(),
                i64::from(some).into(),
                now_ms.into(),
                i64::from(lasting).into(),
                failure.code.as_str().into(),
            ],
        )?;
        let Some(row) = row else {
            // No longer a sink of ours.
            return Ok(None);
        };
        let due = |tries| now_ms.saturating_add(wait_ms(failure, tries, random));
        self.sql.run(
            "UPDATE sinks SET due_at = ?2 WHERE sink = ?1",
            &[sink.into(), due(row.failures).into()],
        )?;
        let tries = if some {
            1
        } else {
            delivery.tries.saturating_add(1)
        };
        self.sql.run(
            "UPDATE deliveries SET tries = ?3, due_at = ?4 WHERE sequence = ?1 AND sink = ?2",
            &[
                delivery.object.sequence.into(),
                sink.into(),
                i64::from(tries).into(),
                due(tries).into(),
            ],
        )?;
        // Some of it got through, or the sink may be back by itself: then it does not refuse all.
        if some || !lasting {
            self.not_refused(delivery.sink)?;
            self.forget_refusals(delivery.sink, delivery.object.sequence)?;
        }
        if lasting {
            self.refused(delivery, now_ms)?;
        }
        Ok(
            (lasting || row.failures >= ALERT_FAILURES).then(|| FailingSink {
                sink: delivery.sink,
                code: failure.code.clone(),
                since_ms: row.failing_since,
                failures: row.failures,
                lasting,
            }),
        )
    }
}
