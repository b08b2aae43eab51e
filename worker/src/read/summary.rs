//! `GET /v1/analytics/metrics/summary`: events by type over a window, in buckets.

use serde::{Deserialize, Serialize};

use crate::archive::fold::{Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::http::error::Fault;
use crate::http::params::Params;

/// Steps of the buckets, in minutes; all divide a day.
const STEPS: [i64; 9] = [1, 2, 5, 10, 15, 30, 60, 120, 180];

/// Buckets at most: what a chart shows well.
const MAX_BUCKETS: i64 = 60;

/// A checked query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    window: i64,
    by_source: bool,
}

/// One row of the query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    bucket: i64,
    event_type: String,
    source: String,
    n: i64,
}

/// The answer. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Summary))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The start of the window's first minute.
    pub from: i64,
    /// Now.
    pub to: i64,
    /// The step of the buckets.
    pub bucket_minutes: i64,
    /// All events of the window.
    pub total: i64,
    /// By type.
    pub by_type: Map<String, i64>,
    /// By source, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_source: Option<Map<String, i64>>,
    /// Every bucket of the window, empty ones too; the first may begin before the window.
    pub buckets: Vec<Bucket>,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// Its start.
    pub start: i64,
    /// Its events by type.
    pub by_type: Map<String, i64>,
}

impl Summary {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `windowMinutes` or `groupBy`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let window = params.window_minutes()?;
        let by_source = match params.get("groupBy") {
            None => false,
            Some("source") => true,
            Some(_) => {
                return Err(Fault::InvalidParameter {
                    name: "groupBy",
                    detail: "groupBy must be source.",
                });
            }
        };
        Ok(Self { window, by_source })
    }

    fn from(&self, now_ms: i64) -> i64 {
        let earlier = self.window.saturating_sub(1).saturating_mul(MINUTE_MS);
        floor_to(now_ms, MINUTE_MS).saturating_sub(earlier)
    }

    /// The smallest step whose buckets are not too many; 180 minutes for the longest window.
    fn step(&self) -> i64 {
        STEPS
            .into_iter()
            .find(|step| self.window <= step.saturating_mul(MAX_BUCKETS))
            .unwrap_or(180)
    }

    /// The statement. Where no bucket ends within an hour, whole hours are read as one row each, and
    /// minutes only of the hour that the window begins in.
    pub fn statement(&self, site: &str, now_ms: i64) -> Statement {
        let step_ms = self.step().saturating_mul(MINUTE_MS);
        if step_ms < HOUR_MS {
            return self.of_minutes(site, now_ms);
        }
        let from = self.from(now_ms);
        let begun = floor_to(from, HOUR_MS);
        let whole_hours = if begun == from {
            from
        } else {
            begun.saturating_add(HOUR_MS)
        };
        Statement::new(
            "SELECT at - at % ?3 AS bucket, event_type, source, sum(n) AS n FROM \
             (SELECT minute AS at, event_type, source, n FROM minute_counts \
             WHERE site_id = ?1 AND minute >= ?2 AND minute < ?4 \
             UNION ALL SELECT hour, event_type, source, n FROM hour_counts \
             WHERE site_id = ?1 AND hour >= ?4) GROUP BY 1, 2, 3",
            [site.into(), from.into(), step_ms.into(), whole_hours.into()],
        )
    }

    /// The statement that reads every minute.
    fn of_minutes(&self, site: &str, now_ms: i64) -> Statement {
        Statement::new(
            "SELECT minute - minute % ?3 AS bucket, event_type, source, sum(n) AS n \
             FROM minute_counts WHERE site_id = ?1 AND minute >= ?2 GROUP BY 1, 2, 3",
            [
                site.into(),
                self.from(now_ms).into(),
                self.step().saturating_mul(MINUTE_MS).into(),
            ],
        )
    }

    /// What of the sums that D1 lacks it needs.
    pub fn wants(&self, now_ms: i64) -> Vec<Want> {
        let window = (self.from(now_ms), i64::MAX);
        vec![Want::new(Table::Minutes, &[], window)]
    }

    /// The answer from the statement's rows, and what these lack.
    pub fn answer(&self, rows: Vec<Row>, lacking: &Sums, now_ms: i64) -> Answer {
        let step_ms = self.step().saturating_mul(MINUTE_MS);
        let from = self.from(now_ms);
        let mut buckets: Map<i64, Map<String, i64>> = Map::new();
        let mut start = floor_to(from, step_ms);
        while start <= now_ms {
            buckets.insert(start, Map::new());
            start = start.saturating_add(step_ms);
        }
        let (mut by_type, mut by_source) = (Map::new(), Map::new());
        let mut total = 0_i64;
        let more = lacking
            .minutes()
            .map(|(minute, event_type, source, n)| Row {
                bucket: floor_to(minute, step_ms),
                event_type: event_type.to_owned(),
                source: source.to_owned(),
                n,
            });
        for row in rows.into_iter().chain(more) {
            total = total.saturating_add(row.n);
            add(&mut by_type, &row.event_type, row.n);
            add(&mut by_source, &row.source, row.n);
            add(
                buckets.entry(row.bucket).or_default(),
                &row.event_type,
                row.n,
            );
        }
        Answer {
            from,
            to: now_ms,
            bucket_minutes: self.step(),
            total,
            by_type,
            by_source: self.by_source.then_some(by_source),
            buckets: buckets
                .into_iter()
                .map(|(start, by_type)| Bucket { start, by_type })
                .collect(),
        }
    }
}

fn add(counts: &mut Map<String, i64>, key: &str, n: i64) {
    let sum = counts.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

#[cfg(test)]
mod tests;
