//! `GET /v1/analytics/metrics/features`: which features are used, by how many, for how long.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::archive::fold::{Sums, Table, Want};
use crate::base::sort;
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::http::csv::csv;
use crate::http::days::Days;

/// The answer: most used first, equals by name.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Features))]
pub struct Answer {
    features: Vec<Feature>,
    /// What was looked at, where that were the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<super::breakdown::Scanned>))]
    meta: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
struct Feature {
    feature: String,
    uses: i64,
    users: i64,
    /// Milliseconds, of the uses that tell theirs; null where none does.
    #[cfg_attr(test, schema(required))]
    average_duration: Option<i64>,
}

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    key: String,
    uses: i64,
    users: i64,
    a: i64,
    b: i64,
}

/// The statement.
pub fn statement(site: &str, days: Days) -> Statement {
    Statement::new(
        "SELECT s.key, s.uses, coalesce(u.users, 0) AS users, s.a, s.b FROM \
         (SELECT key, sum(events) AS uses, sum(a) AS a, sum(b) AS b FROM breakdowns \
         WHERE site_id = ?1 AND dim = 'feature' AND day BETWEEN ?2 AND ?3 GROUP BY key) AS s \
         LEFT JOIN (SELECT key, sum(n) AS users FROM member_gaps WHERE site_id = ?1 \
         AND dim = 'feature' AND day BETWEEN ?2 AND ?3 AND (gap = 0 OR gap > day - ?2) \
         GROUP BY key) AS u ON u.key = s.key",
        [site.into(), days.first.into(), days.last.into()],
    )
}

/// What of the sums that D1 lacks it needs.
pub fn wants(days: Days) -> Vec<Want> {
    let want = |table| Want::new(table, &["feature"], (days.first, days.last));
    vec![want(Table::Keys), want(Table::Gaps)]
}

/// The answer from the statement's rows, and what these lack.
pub fn answer(days: Days, rows: Vec<Row>, lacking: &Sums) -> Answer {
    let mut features: Map<String, [i64; 4]> = Map::new();
    let mut add = |key: &str, more: [i64; 4]| {
        let sums = features.entry(key.to_owned()).or_default();
        for (sum, more) in sums.iter_mut().zip(more) {
            *sum = sum.saturating_add(more);
        }
    };
    for row in rows {
        add(&row.key, [row.uses, row.users, row.a, row.b]);
    }
    for row in lacking.keys() {
        add(row.key, [row.events, 0, row.a, row.b]);
    }
    for row in lacking.gaps().filter(|row| row.reaches_before(days.first)) {
        add(row.key, [0, row.n, 0, 0]);
    }
    let mut features: Vec<Feature> = features
        .into_iter()
        .filter(|(_, [uses, ..])| *uses > 0)
        .map(|(feature, [uses, users, a, b])| Feature {
            average_duration: a.saturating_add(b / 2).checked_div(b),
            feature,
            uses,
            users,
        })
        .collect();
    // By name they are already.
    sort::sort_by(&mut features, |a, b| b.uses.cmp(&a.uses));
    Answer {
        features,
        meta: None,
    }
}

impl Answer {
    /// Of features with their uses, users and mean duration, counted from the events that `meta` tells of.
    pub fn of_events(
        rows: Vec<(String, i64, i64, Option<i64>)>,
        meta: Option<Box<RawValue>>,
    ) -> Self {
        let features = rows
            .into_iter()
            .map(|(feature, uses, users, average_duration)| Feature {
                feature,
                uses,
                users,
                average_duration,
            });
        Self {
            features: features.collect(),
            meta,
        }
    }

    /// The features as CSV.
    pub fn csv(&self) -> String {
        csv(
            &["feature", "uses", "users", "averageDuration"],
            self.features.iter().map(|row| {
                vec![
                    row.feature.as_str().into(),
                    row.uses.into(),
                    row.users.into(),
                    row.average_duration.map_or_else(|| "".into(), Into::into),
                ]
            }),
        )
    }
}
