//! `GET /v1/analytics/metrics/products`: domain events by type, status and hour.

use serde::{Deserialize, Serialize};

use crate::archive::fold::{Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::http::csv::csv;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;

/// Days at most: 31 of them are 744 hours, each with its types.
const MAX_DAYS: i64 = 31;

/// Counts by type and then by status; an event that tells none has the status ``.
type Counts = Map<String, Map<String, i64>>;

/// The answer. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Products))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    total: i64,
    /// Of the range.
    totals: Map<String, i64>,
    by_status: Map<String, Map<String, i64>>,
    /// The hours that have any.
    hours: Vec<Hour>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ProductsHour))]
#[serde(rename_all = "camelCase")]
struct Hour {
    hour: i64,
    counts: Map<String, i64>,
    by_status: Map<String, Map<String, i64>>,
}

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    hour: i64,
    event_type: String,
    status: String,
    n: i64,
}

/// Reads the range.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the parameter.
pub fn parse(params: &Params, now_ms: i64) -> Result<Days, Fault> {
    let mut days = Days::parse(params, now_ms)?;
    if params.get("startDate").is_none() {
        days.first = days
            .first
            .max(days.last.saturating_sub(MAX_DAYS.saturating_sub(1)));
    }
    if days.count() > MAX_DAYS {
        return Err(Fault::InvalidParameter {
            name: "startDate",
            detail: "A range of hours has at most 31 days.",
        });
    }
    Ok(days)
}

/// The statement.
pub fn statement(site: &str, days: Days) -> Statement {
    Statement::new(
        "SELECT hour, event_type, status, n FROM domain_hours \
         WHERE site_id = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY 1, 2, 3",
        [site.into(), days.from_ms().into(), days.to_ms().into()],
    )
}

/// What of the sums that D1 lacks it needs.
pub fn wants(days: Days) -> Vec<Want> {
    let hours = (days.from_ms(), days.to_ms().saturating_sub(1));
    vec![Want::new(Table::DomainHours, &[], hours)]
}

/// The answer from the statement's rows, and what these lack.
pub fn answer(rows: Vec<Row>, lacking: &Sums) -> Answer {
    let (mut totals, mut by_status) = (Map::new(), Counts::new());
    let mut hours: Map<i64, (Map<String, i64>, Counts)> = Map::new();
    let mut total = 0_i64;
    let more = lacking
        .domain_hours()
        .map(|(hour, event_type, status, n)| Row {
            hour,
            event_type: event_type.to_owned(),
            status: status.to_owned(),
            n,
        });
    for row in rows.into_iter().chain(more) {
        let hour = hours.entry(row.hour).or_default();
        for (counts, statuses) in [(&mut totals, &mut by_status), (&mut hour.0, &mut hour.1)] {
            add(counts, &row.event_type, row.n);
            add(
                statuses.entry(row.event_type.clone()).or_default(),
                &row.status,
                row.n,
            );
        }
        total = total.saturating_add(row.n);
    }
    Answer {
        total,
        totals,
        by_status,
        hours: hours
            .into_iter()
            .map(|(hour, (counts, by_status))| Hour {
                hour,
                counts,
                by_status,
            })
            .collect(),
    }
}

fn add(counts: &mut Map<String, i64>, key: &str, n: i64) {
    let sum = counts.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

impl Answer {
    /// The hours as CSV.
    pub fn csv(&self) -> String {
        let rows = self.hours.iter().flat_map(|hour| {
            hour.by_status
                .iter()
                .flat_map(move |(event_type, statuses)| {
                    statuses.iter().map(move |(status, n)| {
                        vec![
                            hour.hour.into(),
                            event_type.as_str().into(),
                            status.as_str().into(),
                            (*n).into(),
                        ]
                    })
                })
        });
        csv(&["hour", "eventType", "status", "events"], rows)
    }
}
