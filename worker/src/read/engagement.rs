//! `GET /v1/analytics/metrics/engagement`: how many users come, and how often.

use serde::Serialize;

use super::activity::{ANONYMOUS_NOTE, Activity, Row, gaps};
use crate::archive::fold::{Sums, Want};
use crate::base::sql::Statement;
use crate::base::time::date;
use crate::http::csv::csv;
use crate::http::days::Days;

/// The answer; its own figures are those of the last day.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Engagement))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    #[serde(flatten)]
    last: Figures,
    /// What is left out.
    note: &'static str,
    /// Every day of the range.
    pub days: Vec<Day>,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = EngagementDay))]
pub struct Day {
    date: String,
    #[serde(flatten)]
    figures: Figures,
}

/// Users of a day and of the days before it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = EngagementFigures))]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Daily active users, day-scoped ids among them.
    pub dau: i64,
    /// Those of them that are day-scoped ids.
    pub anonymous: i64,
    /// Weekly active users.
    pub wau: i64,
    /// Monthly active users.
    pub mau: i64,
    /// Users of the day by users of the month.
    pub stickiness: f64,
}

/// The statement: gaps from 29 days before the range on, for its first month.
pub fn statement(site: &str, days: Days) -> Statement {
    Statement::new(
        "SELECT dim AS kind, day, json_group_array(json_array(gap, n)) AS list FROM member_gaps \
         WHERE site_id = ?1 AND dim IN ('user', 'anon') AND day BETWEEN ?2 - 29 AND ?3 AND key = '' \
         GROUP BY dim, day",
        [site.into(), days.first.into(), days.last.into()],
    )
}

/// What of the sums that D1 lacks it needs.
pub fn wants(days: Days) -> Vec<Want> {
    vec![gaps(days)]
}

/// The answer from the statement's rows, and what these lack.
pub fn answer(days: Days, rows: &[Row], lacking: &Sums) -> Answer {
    let mut activity = Activity::default();
    rows.iter().for_each(|row| activity.add(row));
    activity.add_lacking(lacking);
    let figures = |day| Figures {
        dau: activity.daily(day),
        anonymous: activity.anonymous(day),
        wau: activity.weekly(day),
        mau: activity.monthly(day),
        stickiness: activity.stickiness(day),
    };
    let days: Vec<Day> = days
        .each()
        .map(|day| Day {
            date: date(day),
            figures: figures(day),
        })
        .collect();
    Answer {
        last: days
            .last()
            .map(|day| day.figures.clone())
            .unwrap_or_default(),
        note: ANONYMOUS_NOTE,
        days,
    }
}

impl Answer {
    /// The days as CSV.
    pub fn csv(&self) -> String {
        csv(
            &["date", "dau", "anonymous", "wau", "mau", "stickiness"],
            self.days.iter().map(|Day { date, figures }| {
                vec![
                    date.as_str().into(),
                    figures.dau.into(),
                    figures.anonymous.into(),
                    figures.wau.into(),
                    figures.mau.into(),
                    figures.stickiness.into(),
                ]
            }),
        )
    }
}
