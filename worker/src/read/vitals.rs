//! `GET /v1/analytics/metrics/vitals`: how fast pages were for those who saw them.

use serde::{Deserialize, Serialize};

use super::Params;
use super::csv::csv;
use super::days::Days;
use super::metric::Metric;
use crate::counted::VITALS;
use crate::error::Fault;
use crate::live::live_key;
use crate::sql::Statement;

/// Events that are looked at, at most: those of 20,000 visits that tell all five. A row is read by
/// its index, which costs SQLite some microseconds.
pub const MAX_EVENTS: i64 = 100_000;

/// Said with every answer.
const NOTE: &str = "Milliseconds; CLS has no unit. Percentiles are measured values (nearest rank). \
    Good and poor as web.dev/articles/vitals says: LCP 2500 and 4000, INP 200 and 500, CLS 0.1 and \
    0.25, FCP 1800 and 3000, TTFB 800 and 1800, the first being good still, the second not poor yet.";

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    days: Days,
    page: Option<String>,
}

/// The answer: LCP, INP, CLS, FCP, TTFB, as far as there are any.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Vitals))]
pub struct Answer {
    vitals: Vec<Vital>,
    note: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
struct Vital {
    /// `LCP`, `INP`, `CLS`, `FCP` or `TTFB`.
    name: String,
    /// Measurements.
    count: i64,
    p50: f64,
    p75: f64,
    p95: f64,
    /// Measurements that are good.
    good: i64,
    /// Neither good nor poor.
    needs_improvement: i64,
    /// Poor.
    poor: i64,
}

/// A row of the statement: a vital, and one without a name that tells how many events were looked at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Row {
    name: Option<String>,
    n: i64,
    p50: Option<f64>,
    p75: Option<f64>,
    p95: Option<f64>,
    good: Option<i64>,
    poor: Option<i64>,
}

/// By the index of types, which holds them by receipt: nothing is received more than a day before it
/// happened. The rank of a percentile is the part of the count, rounded up. The limits are those of
/// [`NOTE`].
const SQL: &str = "WITH e AS MATERIALIZED (SELECT at, facts->'$[12]' AS vital FROM events \
    INDEXED BY events_by_type WHERE site_id = ?1 AND event_type = 'web_vital' \
    AND received_at >= ?2 - 86400000 LIMIT ?5), \
    v AS (SELECT vital->>0 AS name, CAST(vital->>1 AS REAL) AS value FROM e \
    WHERE at >= ?2 AND at < ?3 AND vital->>0 IS NOT NULL AND (?4 IS NULL OR vital->>2 = ?4)), \
    r AS (SELECT name, value, row_number() OVER (PARTITION BY name ORDER BY value) AS i, \
    count(*) OVER (PARTITION BY name) AS n FROM v), \
    t AS (SELECT value->>0 AS name, value->>1 AS good, value->>2 AS poor FROM json_each( \
    '[[\"LCP\",2500,4000],[\"INP\",200,500],[\"CLS\",0.1,0.25],[\"FCP\",1800,3000],[\"TTFB\",800,1800]]')) \
    SELECT r.name, r.n, max(CASE WHEN i = (r.n + 1) / 2 THEN value END) AS p50, \
    max(CASE WHEN i = (r.n * 3 + 3) / 4 THEN value END) AS p75, \
    max(CASE WHEN i = (r.n * 19 + 19) / 20 THEN value END) AS p95, \
    sum(value <= t.good) AS good, sum(value > t.poor) AS poor \
    FROM r JOIN t ON t.name = r.name GROUP BY r.name, r.n \
    UNION ALL SELECT NULL, count(*), NULL, NULL, NULL, NULL, NULL FROM e";

impl Metric for Vitals {
    type Row = Row;
    type Answer = Answer;

    fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        Ok(Self {
            days: Days::parse(params, now_ms)?,
            page: params.get("page").map(|page| live_key(page).into_owned()),
        })
    }

    fn days(&self) -> Days {
        self.days
    }

    fn statement(&self, site: &str) -> Statement {
        Statement::new(
            SQL,
            [
                site.into(),
                self.days.from_ms().into(),
                self.days.to_ms().into(),
                self.page.as_deref().into(),
                MAX_EVENTS.saturating_add(1).into(),
            ],
        )
    }

    fn check(rows: &[Row]) -> Result<(), Fault> {
        let looked_at = rows.iter().find(|row| row.name.is_none());
        if looked_at.is_none_or(|row| row.n <= MAX_EVENTS) {
            return Ok(());
        }
        Err(Fault::InvalidParameter {
            name: "startDate",
            detail: "More web vitals came since startDate than this call looks at; choose a later one.",
        })
    }

    fn answer(&self, rows: Vec<Row>) -> Answer {
        let found = |name: &str| rows.iter().find(|row| row.name.as_deref() == Some(name));
        let vitals = VITALS
            .into_iter()
            .filter_map(|name| {
                let row = found(name)?;
                let (good, poor) = (row.good?, row.poor?);
                Some(Vital {
                    name: name.to_owned(),
                    count: row.n,
                    p50: row.p50?,
                    p75: row.p75?,
                    p95: row.p95?,
                    good,
                    needs_improvement: row.n.saturating_sub(good).saturating_sub(poor),
                    poor,
                })
            })
            .collect();
        Answer { vitals, note: NOTE }
    }

    fn csv(answer: &Answer) -> String {
        let header = [
            "name",
            "count",
            "p50",
            "p75",
            "p95",
            "good",
            "needsImprovement",
            "poor",
        ];
        let rows = answer.vitals.iter().map(|vital| {
            vec![
                vital.name.as_str().into(),
                vital.count.into(),
                vital.p50.into(),
                vital.p75.into(),
                vital.p95.into(),
                vital.good.into(),
                vital.needs_improvement.into(),
                vital.poor.into(),
            ]
        });
        csv(&header, rows)
    }
}

#[cfg(test)]
mod tests;
