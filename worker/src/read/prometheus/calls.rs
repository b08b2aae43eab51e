//! Calls, and what was found of them and of dead letters: counters of D1, with what it lacks.

use serde::Deserialize;

use super::Findings;
use crate::archive::fold::{Table, Want};
use crate::base::json;
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::observe::operations::{BOUNDS_MS, Histogram};
use crate::read::exposition::{Page, Type, Value};

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

/// What of the sums that D1 lacks of [`calls`] and [`outcomes`] is needed, of Shoreline's own site.
pub fn wants() -> Vec<Want> {
    [Table::Operations, Table::Outcomes]
        .map(|table| Want::new(table, &[], (i64::MIN, i64::MAX)))
        .to_vec()
}

/// A row of [`calls`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CallRow {
    pub(super) action: String,
    pub(super) status: i64,
    pub(super) n: i64,
    pub(super) ms: i64,
    /// A JSON array.
    pub(super) within: String,
}

/// A row of [`outcomes`] or [`dead_letters`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Count {
    pub(super) name: String,
    pub(super) n: i64,
    pub(super) events: i64,
}

impl Findings {
    pub(super) fn write_calls(&self, page: &mut Page) {
        page.family(
            "shoreline_requests_total",
            Type::Counter,
            "Calls answered, by action and HTTP status.",
        );
        let mut calls: Map<(&str, i64), Histogram> = Map::new();
        for row in &self.calls {
            let within: Vec<i64> = json::told(&row.within).unwrap_or_default();
            let sum = calls.entry((&row.action, row.status)).or_default();
            sum.add(&Histogram::of(row.n, row.ms, &within));
        }
        for ([_, action], [_, status], amounts) in self.lacking.calls() {
            if let [n, ms, within @ ..] = amounts {
                let sum = calls.entry((action, status)).or_default();
                sum.add(&Histogram::of(*n, *ms, within));
            }
        }
        let mut durations: Map<&str, Histogram> = Map::new();
        for ((action, status), sum) in calls {
            let status = status.to_string();
            page.sample(&[("action", action), ("status", &status)], sum.n);
            durations.entry(action).or_default().add(&sum);
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
        let mut outcomes: Map<&str, i64> = Map::new();
        let rows = self.outcomes.iter().map(|row| (row.name.as_str(), row.n));
        for (outcome, n) in rows.chain(self.lacking.outcomes()) {
            let sum = outcomes.entry(outcome).or_default();
            *sum = sum.saturating_add(n);
        }
        for (outcome, n) in outcomes {
            page.sample(&[("outcome", outcome)], n);
        }
    }
}
