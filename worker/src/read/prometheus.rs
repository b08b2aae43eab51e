//! `GET /metrics`: the whole deployment, for Prometheus.
//!
//! Counters come from D1 and the Durable Objects, so they are the same whichever isolate answers.
//! Where a part of the shards did not answer, what they count is left out: half of a counter would
//! be one that goes down.

use serde::Deserialize;

use super::exposition::{Page, Type, Value};
use super::health::Backlog;
use crate::json;
use crate::operations::{BOUNDS_MS, Histogram};
use crate::sorted::Map;
use crate::sql::Statement;

/// Shards that are asked at most, two calls each: the platform allows thousands, but a scraper waits
/// ten seconds.
pub const MAX_SHARDS: usize = 200;

/// The statement for all calls ever; it answers [`CallRow`]s, one for each action and status.
pub fn calls() -> Statement {
    Statement::new(
        "SELECT action, status, n, duration_ms AS ms, json_array(le_1, le_2, le_5, le_10, le_20, \
         le_50, le_100, le_200, le_500, le_1000, le_2000, le_5000, le_10000) AS within \
         FROM operation_totals ORDER BY action, status",
        [],
    )
}

/// The statement for the events of ingest calls; it answers [`Count`]s.
pub fn outcomes() -> Statement {
    Statement::new(
        "SELECT outcome AS name, n, 0 AS events FROM operation_outcomes ORDER BY outcome",
        [],
    )
}

/// The statement for what can never be stored; it answers [`Count`]s.
pub fn dead_letters() -> Statement {
    Statement::new(
        "SELECT code AS name, count(*) AS n, sum(events) AS events FROM dead_letters \
         GROUP BY code ORDER BY code",
        [],
    )
}

/// A row of [`calls`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CallRow {
    action: String,
    status: i64,
    n: i64,
    ms: i64,
    /// A JSON array.
    within: String,
}

/// A row of [`outcomes`] or [`dead_letters`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Count {
    name: String,
    n: i64,
    events: i64,
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// By [`calls`].
    pub calls: Vec<CallRow>,
    /// By [`outcomes`].
    pub outcomes: Vec<Count>,
    /// By [`dead_letters`].
    pub dead: Vec<Count>,
    /// Bytes of D1, where the platform tells.
    pub database_bytes: Option<u64>,
    /// Of the shards that answered.
    pub backlog: Backlog,
    /// How many answered.
    pub answered: i64,
    /// How many did not.
    pub silent: i64,
    /// How many were not asked, being too many.
    pub unasked: i64,
}

impl Findings {
    /// The page.
    pub fn page(&self) -> String {
        let mut page = Page::default();
        page.family("shoreline_build_info", Type::Gauge, "The worker's version.")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1_i64);
        self.write_calls(&mut page);
        self.write_backlog(&mut page);
        self.write_sinks(&mut page);
        page.family(
            "shoreline_dead_letters",
            Type::Gauge,
            "Parts that cannot be stored, and objects that a sink refuses, by code.",
        );
        for dead in &self.dead {
            page.sample(&[("code", &dead.name)], dead.n);
        }
        page.family(
            "shoreline_dead_letter_events",
            Type::Gauge,
            "Events in the dead letters, by code.",
        );
        for dead in &self.dead {
            page.sample(&[("code", &dead.name)], dead.events);
        }
        if let Some(bytes) = self.database_bytes {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            page.family(
                "shoreline_database_size_bytes",
                Type::Gauge,
                "Size of the D1 database.",
            )
            .sample(&[], bytes);
        }
        page.finish()
    }

    fn write_calls(&self, page: &mut Page) {
        page.family(
            "shoreline_requests_total",
            Type::Counter,
            "Calls answered, by action and HTTP status.",
        );
        let mut durations: Map<&str, Histogram> = Map::new();
        for row in &self.calls {
            let status = row.status.to_string();
            page.sample(&[("action", &row.action), ("status", &status)], row.n);
            let within: Vec<i64> = json::told(&row.within).unwrap_or_default();
            let sum = durations.entry(&row.action).or_default();
            sum.add(&Histogram::of(row.n, row.ms, &within));
        }
        page.family(
            "shoreline_request_duration_seconds",
            Type::Histogram,
            "Time until the answer was ready, spent waiting for I/O, by action.",
        );
        for (action, durations) in durations {
            let action = ("action", action);
            for (bound, within) in BOUNDS_MS.into_iter().zip(durations.within) {
                let bound = Value::seconds(bound);
                page.suffixed("_bucket", &[action, ("le", bound.text())], within);
            }
            page.suffixed("_bucket", &[action, ("le", "+Inf")], durations.n)
                .suffixed("_sum", &[action], Value::seconds(durations.sum_ms))
                .suffixed("_count", &[action], durations.n);
        }
        page.family(
            "shoreline_ingest_events_total",
            Type::Counter,
            "Events brought by ingest calls, by outcome as the sender was told.",
        );
        for outcome in &self.outcomes {
            page.sample(&[("outcome", &outcome.name)], outcome.n);
        }
    }

    fn write_backlog(&self, page: &mut Page) {
        page.family(
            "shoreline_shards",
            Type::Gauge,
            "Shards that ever took events, by whether they are in the figures of outbox, lake and \
             sinks.",
        );
        for (state, n) in [
            ("answered", self.answered),
            ("silent", self.silent),
            ("unasked", self.unasked),
        ] {
            page.sample(&[("state", state)], n);
        }
        let (outbox, lake) = (&self.backlog.outbox, &self.backlog.lake);
        let oldest = outbox.oldest_at.map(Value::seconds);
        for (name, help, value) in [
            (
                "shoreline_outbox_parts",
                "Parts that are not confirmed yet.",
                outbox.parts,
            ),
            (
                "shoreline_outbox_events",
                "Events in these parts.",
                outbox.events,
            ),
            (
                "shoreline_outbox_bytes",
                "Bytes of these events.",
                outbox.bytes,
            ),
            (
                "shoreline_lake_pending_events",
                "Events that are not in every sink yet.",
                lake.pending_events,
            ),
            (
                "shoreline_lake_pending_bytes",
                "Bytes of these events.",
                lake.pending_bytes,
            ),
            (
                "shoreline_lake_backlog_limit_bytes",
                "Bytes that may be pending before nothing more is taken.",
                lake.backlog_limit_bytes,
            ),
            (
                "shoreline_lake_conflicts",
                "Objects whose key holds something else.",
                lake.conflicts,
            ),
        ] {
            page.family(name, Type::Gauge, help).sample(&[], value);
        }
        if let Some(at) = oldest {
            page.family(
                "shoreline_outbox_oldest_timestamp_seconds",
                Type::Gauge,
                "When the oldest part that waits was received.",
            )
            .sample(&[], at);
        }
        if self.is_whole() {
            page.family(
                "shoreline_lake_landed_events_total",
                Type::Counter,
                "Events that every sink has.",
            )
            .sample(&[], lake.landed_events);
        }
    }

    fn write_sinks(&self, page: &mut Page) {
        let sinks = &self.backlog.lake.sinks;
        type Figure = fn(&crate::lake::SinkState) -> Value;
        let gauges: [(&str, &str, Figure); 4] = [
            (
                "shoreline_sink_pending_events",
                "Events that the sink does not have yet.",
                |sink| sink.pending_events.into(),
            ),
            (
                "shoreline_sink_failing",
                "Whether nothing has got through to the sink since it last failed.",
                |sink| sink.failing_since.is_some().into(),
            ),
            (
                "shoreline_sink_lasting",
                "Whether the sink's failure lasts until somebody mends it.",
                |sink| sink.lasting.into(),
            ),
            (
                "shoreline_sink_failures",
                "Failures of the sink in a row.",
                |sink| sink.failures.into(),
            ),
        ];
        let counters: [(&str, &str, Figure); 2] = [
            (
                "shoreline_sink_landed_events_total",
                "Events that the sink has.",
                |sink| sink.landed_events.into(),
            ),
            (
                "shoreline_sink_refused_events_total",
                "Events that the sink will never take.",
                |sink| sink.refused_events.into(),
            ),
        ];
        let counters = counters.into_iter().filter(|_| self.is_whole());
        let families = gauges
            .into_iter()
            .map(|family| (Type::Gauge, family))
            .chain(counters.map(|family| (Type::Counter, family)));
        for (of, (name, help, figure)) in families {
            page.family(name, of, help);
            for sink in sinks {
                page.sample(&[("sink", sink.sink.name())], figure(sink));
            }
        }
    }

    /// Whether every shard is in the figures.
    fn is_whole(&self) -> bool {
        self.silent == 0 && self.unasked == 0
    }
}

#[cfg(test)]
mod tests;
