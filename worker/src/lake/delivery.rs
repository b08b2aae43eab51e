//! Deliveries: what each sink still has to get, tried oldest first, each sink for itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::object::{Outcome, SealedObject};
use super::store::LakeStore;
use crate::alert::Alert;
use crate::sinks::{Failure, FailureKind, Progress, Sent, SinkKind, wait_ms};
use crate::sql::{Sql, SqlError};

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

/// A sink that somebody should look at. It is told again with every failure: who sends it on limits
/// how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingSink {
    /// The sink.
    pub sink: SinkKind,
    /// Its last error code, free of user data.
    pub code: String,
    /// Since when nothing has got through, Unix milliseconds.
    pub since_ms: i64,
    /// Failures in a row.
    pub failures: u32,
    /// Whether it lasts until somebody mends it (a wrong secret, a missing bucket).
    pub lasting: bool,
}

impl FailingSink {
    /// The alert that tells it.
    pub fn alert(&self, site: &str) -> Alert {
        let sink = self.sink.name();
        let what = if self.lasting {
            "refuses what it gets, until somebody mends it"
        } else {
            "does not take what it gets"
        };
        let (code, failures) = (&self.code, self.failures);
        Alert {
            kind: format!("sink_failing_{sink}"),
            site_id: site.to_owned(),
            code: code.clone(),
            text: format!(
                "Shoreline: the sink {sink} {what} ({code}, {failures} failures in a row). \
                 Nothing is lost: what it has not got waits. See backlog in GET /health."
            ),
        }
    }
}

/// Failures in a row after which a sink that may recover by itself is worth an alert: with the
/// backoff, about two minutes.
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
            progress: serde_json::from_str(&row.progress).unwrap_or_default(),
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

    /// The lines of some of an object's events, in the order asked for.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn lines(&self, sequence: i64, window: &[u32]) -> Result<Vec<String>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            id: i64,
            n: u32,
        }
        #[derive(Deserialize)]
        struct Lines {
            id: i64,
            lines: String,
        }
        // Counting needs no lines: only the rows that hold an event of the window are read.
        let rows: Vec<Row> = self.sql.rows(
            "SELECT id, n FROM rows WHERE sequence = ?1 ORDER BY id",
            &[sequence.into()],
        )?;
        let mut first = 0_u32;
        let mut starts = BTreeMap::new();
        for row in rows {
            let end = first.saturating_add(row.n);
            if window.iter().any(|index| (first..end).contains(index)) {
                starts.insert(row.id, first);
            }
            first = end;
        }
        let ids: Vec<i64> = starts.keys().copied().collect();
        let ids = serde_json::to_string(&ids).map_err(|error| SqlError(error.to_string()))?;
        let wanted: Vec<Lines> = self.sql.rows(
            "SELECT id, lines FROM rows WHERE id IN (SELECT value FROM json_each(?1))",
            &[ids.into()],
        )?;
        let mut by_index = BTreeMap::new();
        for row in wanted {
            let start = starts.get(&row.id).copied().unwrap_or(0);
            for (line, index) in row.lines.lines().zip(start..) {
                by_index.insert(index, line.to_owned());
            }
        }
        Ok(window
            .iter()
            .filter_map(|index| by_index.remove(index))
            .collect())
    }
}
