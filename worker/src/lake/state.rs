//! How full a lake shard is and how each sink does, for `/health`.

use serde::{Deserialize, Serialize};

use super::store::LakeStore;
use crate::base::sql::{Sql, SqlError};
use crate::sinks::SinkKind;

/// How full a lake shard is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = LakeBacklog))]
#[serde(rename_all = "camelCase", default)]
pub struct LakeState {
    /// Events appended and not known to have landed in every sink.
    pub pending_events: i64,
    /// Bytes of their lines.
    pub pending_bytes: i64,
    /// How many bytes may be pending before nothing more is taken.
    pub backlog_limit_bytes: i64,
    /// Sealed objects not known to have landed in every sink.
    pub pending_objects: i64,
    /// Attempts in a row for the object and sink that failed most.
    pub most_tries: i64,
    /// Objects whose key holds something else.
    pub conflicts: i64,
    /// Events known to have landed in every sink, ever.
    pub landed_events: i64,
    /// Objects known to have landed in every sink, ever.
    pub landed_objects: i64,
    /// Each sink.
    pub sinks: Vec<SinkState>,
}

/// How a sink does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = SinkBacklog))]
#[serde(rename_all = "camelCase")]
pub struct SinkState {
    /// The sink.
    pub sink: SinkKind,
    /// Objects that it does not have whole.
    pub pending_objects: i64,
    /// Events in them.
    pub pending_events: i64,
    /// Bytes of their lines.
    pub pending_bytes: i64,
    /// When the oldest of them was sealed, Unix milliseconds.
    #[cfg_attr(test, schema(required))]
    pub oldest_at: Option<i64>,
    /// Objects whose key holds something else.
    pub conflicts: i64,
    /// Objects that it refused as often as is tried: dead letters.
    #[serde(default)]
    pub dead_objects: i64,
    /// Since when nothing has got through, Unix milliseconds.
    #[cfg_attr(test, schema(required))]
    pub failing_since: Option<i64>,
    /// Failures in a row.
    pub failures: i64,
    /// Whether the failure lasts until somebody mends it.
    pub lasting: bool,
    /// The last error code.
    #[cfg_attr(test, schema(required))]
    pub code: Option<String>,
    /// Events that it has, ever.
    pub landed_events: i64,
    /// Objects that it has whole, ever.
    pub landed_objects: i64,
    /// Events that it will never take, ever.
    pub refused_events: i64,
    /// Why the last of them was refused.
    #[cfg_attr(test, schema(required))]
    pub refused_code: Option<String>,
}

impl SinkState {
    /// Adds the same sink of another shard.
    pub fn add(&mut self, shard: &Self) {
        for (sum, more) in [
            (&mut self.pending_objects, shard.pending_objects),
            (&mut self.pending_events, shard.pending_events),
            (&mut self.pending_bytes, shard.pending_bytes),
            (&mut self.conflicts, shard.conflicts),
            (&mut self.dead_objects, shard.dead_objects),
            (&mut self.landed_events, shard.landed_events),
            (&mut self.landed_objects, shard.landed_objects),
            (&mut self.refused_events, shard.refused_events),
        ] {
            *sum = sum.saturating_add(more);
        }
        let earlier = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        self.oldest_at = earlier(self.oldest_at, shard.oldest_at);
        self.failing_since = earlier(self.failing_since, shard.failing_since);
        self.failures = self.failures.max(shard.failures);
        self.lasting |= shard.lasting;
        let of = |own: &Option<String>, other: &Option<String>| own.clone().or(other.clone());
        self.code = of(&self.code, &shard.code);
        self.refused_code = of(&self.refused_code, &shard.refused_code);
    }
}

impl<S: Sql> LakeStore<S> {
    /// How full the shard is.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self) -> Result<LakeState, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            pending_events: i64,
            pending_bytes: i64,
            pending_objects: i64,
            most_tries: i64,
            conflicts: i64,
            landed_events: i64,
            landed_objects: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT landed_events, landed_objects, n AS pending_events, bytes AS pending_bytes, \
                (SELECT count(*) FROM objects) AS pending_objects, \
                (SELECT coalesce(max(tries), 0) FROM deliveries \
                    WHERE done = 0 AND conflict = 0) AS most_tries, \
                (SELECT count(DISTINCT sequence) FROM deliveries WHERE conflict = 1) AS conflicts \
             FROM shard, backlog",
            &[],
        )?;
        let Some(row) = row else {
            return Ok(LakeState::default());
        };
        Ok(LakeState {
            pending_events: row.pending_events,
            pending_bytes: row.pending_bytes,
            backlog_limit_bytes: self.backlog_bytes,
            pending_objects: row.pending_objects,
            most_tries: row.most_tries,
            conflicts: row.conflicts,
            landed_events: row.landed_events,
            landed_objects: row.landed_objects,
            sinks: self.sink_states()?,
        })
    }

    fn sink_states(&self) -> Result<Vec<SinkState>, SqlError> {
        // SQLite has no booleans.
        #[derive(Deserialize)]
        struct Row {
            sink: SinkKind,
            pending_objects: i64,
            pending_events: i64,
            pending_bytes: i64,
            oldest_at: Option<i64>,
            conflicts: i64,
            dead_objects: i64,
            failing_since: Option<i64>,
            failures: i64,
            lasting: i64,
            code: Option<String>,
            landed_events: i64,
            landed_objects: i64,
            refused_events: i64,
            refused_code: Option<String>,
        }
        let rows: Vec<Row> = self.sql.rows(
            "SELECT sinks.sink, count(sequence) AS pending_objects, \
                coalesce(sum(deliveries.n), 0) AS pending_events, \
                coalesce(sum(deliveries.bytes), 0) AS pending_bytes, \
                min(objects.due_at) AS oldest_at, \
                coalesce(sum(conflict = 1), 0) AS conflicts, \
                coalesce(sum(conflict = 2), 0) AS dead_objects, failing_since, failures, lasting, code, \
                landed_events, landed_objects, refused_events, refused_code \
             FROM sinks LEFT JOIN deliveries ON deliveries.sink = sinks.sink AND done = 0 \
                LEFT JOIN objects USING (sequence) GROUP BY sinks.sink ORDER BY sinks.sink",
            &[],
        )?;
        let states = rows.into_iter().map(|row| SinkState {
            sink: row.sink,
            pending_objects: row.pending_objects,
            pending_events: row.pending_events,
            pending_bytes: row.pending_bytes,
            oldest_at: row.oldest_at,
            conflicts: row.conflicts,
            dead_objects: row.dead_objects,
            failing_since: row.failing_since,
            failures: row.failures,
            lasting: row.lasting != 0,
            code: row.code,
            landed_events: row.landed_events,
            landed_objects: row.landed_objects,
            refused_events: row.refused_events,
            refused_code: row.refused_code,
        });
        Ok(states.collect())
    }
}
