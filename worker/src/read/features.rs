//! `GET /v1/analytics/metrics/features`: which features are used, by how many, for how long.

use serde::{Deserialize, Serialize};

use super::csv::csv;
use super::days::Days;
use crate::sql::Statement;

/// The answer: most used first, equals by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Features))]
pub struct Answer {
    features: Vec<Feature>,
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
         GROUP BY key) AS u ON u.key = s.key WHERE s.uses > 0 ORDER BY s.uses DESC, s.key",
        [site.into(), days.first.into(), days.last.into()],
    )
}

/// The answer from the statement's rows.
pub fn answer(rows: Vec<Row>) -> Answer {
    let features = rows
        .into_iter()
        .map(|row| Feature {
            average_duration: row.a.saturating_add(row.b / 2).checked_div(row.b),
            feature: row.key,
            uses: row.uses,
            users: row.users,
        })
        .collect();
    Answer { features }
}

impl Answer {
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
