//! `POST /v1/analytics/query/journeys`: the paths that most sessions begin with.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::activity::ratio;
use super::days::Days;
use super::question::{Question, days, events, number, object};
use crate::error::Fault;
use crate::sql::Statement;

/// A checked question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journeys {
    days: Days,
    depth: i64,
    limit: i64,
}

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    path: String,
    sessions: i64,
    total: i64,
}

/// The answer: the most travelled first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Journeys))]
pub struct Answer {
    /// Sessions that have a page or feature in the range.
    sessions: i64,
    paths: Vec<Path>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Journey))]
struct Path {
    /// `[["page", "/a"], ["feature", "search"], …]`, as the statement writes it.
    #[cfg_attr(test, schema(value_type = Vec<[String; 2]>))]
    steps: Box<RawValue>,
    sessions: i64,
    share: f64,
}

/// Steps in order of time, equals by id; what repeats the step before is no step.
const SQL: &str = "WITH e AS (SELECT facts->>6 AS session, at, event_id, \
    CASE event_type WHEN 'page_view' THEN json_array('page', facts->>'$[7].page') \
    ELSE json_array('feature', facts->>'$[7].feature') END AS step FROM events \
    WHERE site_id = ?1 AND at >= ?2 AND at < ?3 AND facts->>6 IS NOT NULL \
    AND (facts->>'$[7].page' IS NOT NULL OR facts->>'$[7].feature' IS NOT NULL)), \
    d AS (SELECT session, at, event_id, step, \
    lag(step) OVER (PARTITION BY session ORDER BY at, event_id) AS before FROM e), \
    n AS (SELECT session, step, \
    row_number() OVER (PARTITION BY session ORDER BY at, event_id) AS place \
    FROM d WHERE step IS NOT before), \
    p AS (SELECT session, json_group_array(json(step) ORDER BY place) AS path FROM n \
    WHERE place <= ?4 GROUP BY session) \
    SELECT path, count(*) AS sessions, sum(count(*)) OVER () AS total FROM p \
    GROUP BY path ORDER BY 2 DESC, 1 LIMIT ?5";

impl Question for Journeys {
    type Row = Row;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body)?;
        Ok(Self {
            depth: number(
                &fields,
                "depth",
                1..=10,
                5,
                "depth must be a whole number from 1 to 10.",
            )?,
            limit: number(
                &fields,
                "limit",
                1..=100,
                20,
                "limit must be a whole number from 1 to 100.",
            )?,
            days: days(&fields, now_ms)?,
        })
    }

    fn size(&self, site: &str) -> (Statement, i64) {
        events(site, self.days)
    }

    fn statement(&self, site: &str) -> Statement {
        Statement::new(
            SQL,
            [
                site.into(),
                self.days.from_ms().into(),
                self.days.to_ms().into(),
                self.depth.into(),
                self.limit.into(),
            ],
        )
    }

    fn answer(&self, rows: Vec<Row>) -> Result<Answer, Fault> {
        let sessions = rows.first().map_or(0, |row| row.total);
        let paths = rows
            .into_iter()
            .map(|row| Path {
                share: ratio(row.sessions, row.total),
                sessions: row.sessions,
                steps: RawValue::from_string(row.path).unwrap_or_default(),
            })
            .collect();
        Ok(Answer { sessions, paths })
    }
}
