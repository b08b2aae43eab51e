//! `GET /v1/analytics/operations`: the calls that were made with a site's keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Params;
use super::csv::{Cell, csv};
use super::metric::Format;
use crate::error::Fault;
use crate::live::{MINUTE_MS, floor_to};
use crate::operations::Histogram;
use crate::sql::Statement;

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
    pub actions: BTreeMap<String, Figures>,
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
    pub actions: BTreeMap<String, Figures>,
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

    /// The answer from the statement's rows.
    pub fn answer(&self, rows: &[Row], now_ms: i64) -> Answer {
        let from = self.from(now_ms);
        let mut total = Sum::default();
        let mut actions: BTreeMap<&str, Sum> = BTreeMap::new();
        let mut hours: BTreeMap<i64, BTreeMap<&str, Sum>> = BTreeMap::new();
        for row in rows {
            total.add(row);
            actions.entry(&row.action).or_default().add(row);
            let hour = hours.entry(row.hour).or_default();
            hour.entry(&row.action).or_default().add(row);
        }
        let figures = |sums: BTreeMap<&str, Sum>, minutes: i64| {
            let each = sums.into_iter();
            each.map(|(action, sum)| (action.to_owned(), sum.figures(minutes)))
                .collect()
        };
        Answer {
            from,
            to: now_ms,
            total: total.figures(self.window),
            actions: figures(actions, self.window),
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
        .saturating_add(crate::live::HOUR_MS)
        .min(floor_to(now_ms, MINUTE_MS).saturating_add(MINUTE_MS));
    end.saturating_sub(begin).div_euclid(MINUTE_MS).max(1)
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let within: Vec<i64> = serde_json::from_str(&row.within).unwrap_or_default();
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
mod tests {
    use super::*;
    use crate::operations::BOUNDS_MS;
    use crate::sql::Sql;
    use crate::testing::{NOW, TestSql};

    const MINUTE: i64 = NOW - NOW % MINUTE_MS;
    const HOUR: i64 = NOW - NOW % crate::live::HOUR_MS;

    fn parse(query: &str) -> Result<Operations, Fault> {
        Operations::parse(&Params::parse(query))
    }

    /// A row of so many calls that all took `ms`.
    fn insert(sql: &TestSql, site: &str, minute: i64, action: &str, status: i64, n: i64, ms: i64) {
        let within = BOUNDS_MS.map(|bound| if ms <= bound { n } else { 0 });
        let within = within.map(|n| n.to_string()).join(", ");
        sql.execute_batch(&format!(
            "INSERT INTO operation_minutes VALUES \
             ('{site}', {minute}, '{action}', {status}, {n}, {}, {within})",
            n * ms
        ));
    }

    fn ask(sql: &TestSql, site: &str, query: &str) -> Answer {
        let query = parse(query).unwrap();
        let statement = query.statement(site, NOW);
        let rows: Vec<Row> = sql.rows(statement.sql, &statement.params).unwrap();
        query.answer(&rows, NOW)
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, name) in [
            ("windowMinutes=0", "windowMinutes"),
            ("windowMinutes=-1", "windowMinutes"),
            ("windowMinutes=10081", "windowMinutes"),
            ("windowMinutes=1e3", "windowMinutes"),
            ("windowMinutes=%27%3B--", "windowMinutes"),
            ("format=xml", "format"),
        ] {
            let fault = parse(query).unwrap_err();
            assert!(matches!(fault, Fault::InvalidParameter { name: n, .. } if n == name));
        }
    }

    #[test]
    fn a_sites_calls_are_told_by_action_and_hour() {
        let sql = TestSql::new();
        sql.migrate();
        insert(&sql, "a", MINUTE, "events", 202, 90, 3);
        insert(&sql, "a", MINUTE, "events", 503, 6, 3_000);
        insert(&sql, "a", MINUTE, "events", 401, 4, 1);
        insert(&sql, "a", MINUTE - 59 * MINUTE_MS, "live", 200, 2, 40_000);
        insert(&sql, "a", MINUTE - 60 * MINUTE_MS, "live", 200, 1_000, 1);
        insert(&sql, "b", MINUTE, "events", 202, 1_000, 1);
        insert(&sql, "", MINUTE, "events", 401, 1_000, 1);
        let answer = ask(&sql, "a", "");
        assert_eq!(answer.from, MINUTE - 59 * MINUTE_MS);
        assert_eq!(answer.total.calls, 102);
        assert_eq!(answer.total.calls_per_minute, 1.7);
        let events = &answer.actions["events"];
        assert_eq!((events.errors, events.server_errors), (10, 6));
        assert_eq!(events.error_rate, 0.1);
        assert!(events.p50.unwrap() > 2.0 && events.p50.unwrap() <= 5.0);
        assert!(events.p95.unwrap() > 2_000.0 && events.p95.unwrap() <= 5_000.0);
        assert_eq!(answer.actions["live"].p50, Some(10_000.0));
        let hours: Vec<i64> = answer.hours.iter().map(|hour| hour.hour).collect();
        assert_eq!(hours, [HOUR - crate::live::HOUR_MS, HOUR]);
        // It is 16:00:12: the running hour has had one minute.
        assert_eq!(answer.hours[1].actions["events"].calls_per_minute, 100.0);
        let csv = answer.csv();
        assert_eq!(csv.lines().count(), 3);
        assert!(
            csv.contains(&format!("{HOUR},events,100,100,10,6,0.1,")),
            "{csv}"
        );
        assert_eq!(ask(&sql, "a", "windowMinutes=10080").total.calls, 1_102);
        let one = ask(&sql, "a", "windowMinutes=1");
        assert_eq!((one.from, one.total.calls), (MINUTE, 100));
    }

    #[test]
    fn a_site_without_calls_has_an_answer_too() {
        let sql = TestSql::new();
        sql.migrate();
        let answer = ask(&sql, "a", "");
        assert_eq!((answer.total.calls, answer.total.p50), (0, None));
        assert_eq!(answer.total.error_rate, 0.0);
        assert!(answer.hours.is_empty());
    }

    #[test]
    fn the_window_is_found_by_key() {
        #[derive(Deserialize)]
        struct Step {
            detail: String,
        }
        let sql = TestSql::new();
        sql.migrate();
        let statement = parse("").unwrap().statement("a", NOW);
        let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let steps: Vec<Step> = sql.rows(&plan, &statement.params).unwrap();
        let found = "site_id=? AND minute>?";
        assert!(steps.iter().any(|step| step.detail.contains(found)));
    }
}
