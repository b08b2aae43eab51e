//! `GET /v1/analytics/operations`: the calls that were made with a site's keys.

use serde::{Deserialize, Serialize};

use super::metric::Format;
use crate::archive::fold::{Sums, Table, Want};
use crate::base::json;
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::http::csv::{Cell, csv};
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::observe::operations::{Background, Histogram};

/// The first status that is a failure, and the first that is one of ours.
const FAILURE_FROM: i64 = 400;
const OURS_FROM: i64 = 500;

/// A checked query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    window: i64,
    /// The form of the answer.
    pub format: Format,
}

/// One row of the query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    hour: i64,
    action: String,
    status: i64,
    n: i64,
    ms: i64,
    /// A JSON array.
    within: String,
}

/// The answer. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Operations))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The start of the window's first minute.
    pub from: i64,
    /// Now.
    pub to: i64,
    /// All calls.
    pub total: Figures,
    /// By action.
    pub actions: Map<String, Figures>,
    /// What ran in the background for the site, by action: in none of the other figures.
    pub background: Map<String, Figures>,
    /// By hour and action; only what there was.
    pub hours: Vec<Hour>,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OperationsHour))]
pub struct Hour {
    /// Its start; of the first one the window may have a part only.
    pub hour: i64,
    /// By action.
    pub actions: Map<String, Figures>,
}

/// What is told of some calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OperationsFigures))]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// How many.
    pub calls: i64,
    /// Of a minute of the window, or of the hour's part in it, to three places.
    pub calls_per_minute: f64,
    /// Those answered with 400 or more.
    pub errors: i64,
    /// Those answered with 500 or more.
    pub server_errors: i64,
    /// The share of `errors`, to four places.
    pub error_rate: f64,
    /// Half of the calls took no longer, milliseconds.
    pub p50: Option<f64>,
    /// 95 of 100 took no longer, milliseconds.
    pub p95: Option<f64>,
}

/// Calls as they are added up.
#[derive(Debug, Clone, Default)]
struct Sum {
    durations: Histogram,
    errors: i64,
    server_errors: i64,
}

impl Operations {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `windowMinutes` or `format`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let window = params.window_minutes()?;
        let format = Format::parse(params)?;
        Ok(Self { window, format })
    }

    fn from(&self, now_ms: i64) -> i64 {
        let earlier = self.window.saturating_sub(1).saturating_mul(MINUTE_MS);
        floor_to(now_ms, MINUTE_MS).saturating_sub(earlier)
    }

    /// The statement: at most a row for each hour, action and status.
    pub fn statement(&self, site: &str, now_ms: i64) -> Statement {
        Statement::new(
            "SELECT minute - minute % 3600000 AS hour, action, status, sum(n) AS n, \
             sum(duration_ms) AS ms, json_array(sum(le_1), sum(le_2), sum(le_5), sum(le_10), \
             sum(le_20), sum(le_50), sum(le_100), sum(le_200), sum(le_500), sum(le_1000), \
             sum(le_2000), sum(le_5000), sum(le_10000)) AS within \
             FROM operation_minutes WHERE site_id = ?1 AND minute >= ?2 GROUP BY 1, 2, 3",
            [site.into(), self.from(now_ms).into()],
        )
    }

    /// What of the sums that D1 lacks it needs, of Shoreline's own site.
    pub fn wants(&self, site: &str, now_ms: i64) -> Vec<Want> {
        let window = (self.from(now_ms), i64::MAX);
        vec![Want::new(Table::Operations, &[site], window)]
    }

    /// The answer from the statement's rows, and what these lack.
    pub fn answer(&self, mut rows: Vec<Row>, lacking: &Sums, now_ms: i64) -> Answer {
        for ([_, action], [minute, status], amounts) in lacking.calls() {
            if let [n, ms, within @ ..] = amounts {
                rows.push(Row {
                    hour: floor_to(minute, HOUR_MS),
                    action: action.to_owned(),
                    status,
                    n: *n,
                    ms: *ms,
                    // Numbers always serialize.
                    within: serde_json::to_string(within).unwrap_or_default(),
                });
            }
        }
        let rows = &rows;

        let from = self.from(now_ms);
        let mut total = Sum::default();
        let mut actions: Map<&str, Sum> = Map::new();
        let mut hours: Map<i64, Map<&str, Sum>> = Map::new();
        let mut background: Map<&str, Sum> = Map::new();
        for row in rows {
            if Background::is(&row.action) {
                background.entry(&row.action).or_default().add(row);
                continue;
            }
            total.add(row);
            actions.entry(&row.action).or_default().add(row);
            let hour = hours.entry(row.hour).or_default();
            hour.entry(&row.action).or_default().add(row);
        }
        let figures = |sums: Map<&str, Sum>, minutes: i64| {
            let each = sums.into_iter();
            each.map(|(action, sum)| (action.to_owned(), sum.figures(minutes)))
                .collect()
        };
        Answer {
            from,
            to: now_ms,
            total: total.figures(self.window),
            actions: figures(actions, self.window),
            background: figures(background, self.window),
            hours: hours
                .into_iter()
                .map(|(hour, sums)| Hour {
                    hour,
                    actions: figures(sums, minutes_of(hour, from, now_ms)),
                })
                .collect(),
        }
    }
}

/// How many minutes of an hour lie in the window, the running one included.
fn minutes_of(hour: i64, from: i64, now_ms: i64) -> i64 {
    let begin = hour.max(from);
    let end = hour
        .saturating_add(HOUR_MS)
        .min(floor_to(now_ms, MINUTE_MS).saturating_add(MINUTE_MS));
    end.saturating_sub(begin).div_euclid(MINUTE_MS).max(1)
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let within: Vec<i64> = json::told(&row.within).unwrap_or_default();
        self.durations.add(&Histogram::of(row.n, row.ms, &within));
        if row.status >= FAILURE_FROM {
            self.errors = self.errors.saturating_add(row.n);
        }
        if row.status >= OURS_FROM {
            self.server_errors = self.server_errors.saturating_add(row.n);
        }
    }

    fn figures(&self, minutes: i64) -> Figures {
        let calls = self.durations.n;
        Figures {
            calls,
            calls_per_minute: rounded(calls as f64 / minutes.max(1) as f64, 1_000.0),
            errors: self.errors,
            server_errors: self.server_errors,
            error_rate: rounded(self.errors as f64 / calls.max(1) as f64, 10_000.0),
            p50: self.durations.quantile(0.5),
            p95: self.durations.quantile(0.95),
        }
    }
}

fn rounded(value: f64, places: f64) -> f64 {
    (value * places).round() / places
}

impl Answer {
    /// The hours as CSV.
    pub fn csv(&self) -> String {
        let rows = self.hours.iter().flat_map(|hour| {
            let actions = hour.actions.iter();
            actions.map(|(action, figures)| {
                let or_empty =
                    |value: Option<f64>| value.map_or(Cell::Text(String::new()), Cell::from);
                vec![
                    hour.hour.into(),
                    action.as_str().into(),
                    figures.calls.into(),
                    figures.calls_per_minute.into(),
                    figures.errors.into(),
                    figures.server_errors.into(),
                    figures.error_rate.into(),
                    or_empty(figures.p50),
                    or_empty(figures.p95),
                ]
            })
        });
        let header = [
            "hour",
            "action",
            "calls",
            "callsPerMinute",
            "errors",
            "serverErrors",
            "errorRate",
            "p50",
            "p95",
        ];
        csv(&header, rows)
    }
}

#[cfg(test)]
mod tests;
