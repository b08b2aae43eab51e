//! `POST /v1/analytics/query/retention`: who comes back, by the day or week of their first event.

use serde::Serialize;
use serde_json::{Map, Value};

use super::activity::ANONYMOUS_NOTE;
use super::question::{Ask, Meta, OfEvents, Question, Told, is_of_events, panel, picking};
use crate::archive::people::{CohortRow, WEEK_OFFSET};
use crate::archive::scan::{Asked, RetentionSpec, Walk};
use crate::base::sorted;
use crate::base::time::{date, day_of};
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "period",
    "periods",
    "goal",
    "filters",
    "range",
    "timeZone",
    "startDate",
    "endDate",
];

/// Said where events are picked.
const EVENTS_NOTE: &str = "Of stored events that pass the filters. A cohort is of users who have no earlier stored \
    event than those of the range, by the first that passes. Day-scoped ids of visitors who asked not to be followed \
    count nowhere.";

/// Said where the cohorts are of conversions.
const GOAL_NOTE: &str = "Of stored events that pass the filters. A cohort is of users by their first conversion in \
    the range. Day-scoped ids of visitors who asked not to be followed count nowhere.";

/// A checked question.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    days: Days,
    weekly: bool,
    periods: i64,
    today: i64,
    by_goal: bool,
    /// The body that picks events, where the pages of people do not say what is asked.
    picking: Option<Map<String, Value>>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Retention))]
pub struct Answer {
    period: &'static str,
    note: &'static str,
    cohorts: Vec<Cohort>,
    /// What was looked at, of events that were picked by filters or a goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct Cohort {
    /// The day, or the Monday of the week.
    date: String,
    /// Users whose first event ever was then, within the range.
    users: i64,
    /// Those of them who were there 0, 1, 2, … periods later; as far as time has come.
    retained: Vec<i64>,
}

impl Question for Retention {
    type Found = Vec<CohortRow>;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body, FIELDS)?;
        let weekly = match fields.get("period") {
            None | Some(Value::Null) => false,
            Some(Value::String(period)) if period == "day" => false,
            Some(Value::String(period)) if period == "week" => true,
            Some(_) => {
                return Err(Fault::InvalidParameter {
                    name: "period",
                    detail: "period must be day or week.",
                });
            }
        };
        let default = if weekly { 8 } else { 14 };
        let detail = "periods must be a whole number from 1 to 90.";
        let periods = number(&fields, "periods", 1..=90, default, detail)?;
        let days = days(&fields, now_ms)?;
        let goal = fields.get("goal").filter(|goal| !goal.is_null());
        let picking = if goal.is_some() || is_of_events(&fields) {
            let mut first = panel();
            if let (Value::Object(panel), Some(goal)) = (&mut first, goal) {
                panel.insert("goal".to_owned(), goal.clone());
            }
            Some(picking(&fields, days, vec![first, panel()])?)
        } else {
            None
        };
        Ok(Self {
            by_goal: goal.is_some(),
            today: day_of(now_ms),
            periods,
            days,
            weekly,
            picking,
        })
    }

    fn asked(&self) -> Ask {
        if let Some(body) = &self.picking {
            return Ask::Events(OfEvents {
                body: body.clone(),
                walk: Walk::Cohorts {
                    weekly: self.weekly,
                    periods: self.periods,
                    by_goal: self.by_goal,
                },
            });
        }
        Ask::Archive(Asked::Retention(RetentionSpec {
            first_at: (self.days.from_ms(), self.days.to_ms()),
            periods: self.periods,
            weekly: self.weekly,
            today: self.today,
        }))
    }

    fn answer(&self, found: Vec<Told<Vec<CohortRow>>>, meta: Option<Meta>) -> Answer {
        let ((first, last), today) = match &meta {
            Some(meta) => (meta.days, meta.today),
            None => ((self.days.first, self.days.last), self.today),
        };
        let mut cohorts: sorted::Map<i64, sorted::Map<i64, i64>> = (self.period_of(first)
            ..=self.period_of(last.min(today)))
            .map(|cohort| (cohort, sorted::Map::new()))
            .collect();
        for row in found.into_iter().flat_map(|told| told.found) {
            let ages = cohorts.entry(row.cohort).or_default();
            let users: &mut i64 = ages.entry(row.age).or_default();
            *users = users.saturating_add(row.users);
        }
        let now = self.period_of(today);
        let cohorts = cohorts
            .into_iter()
            .map(|(cohort, ages)| {
                let oldest = now.saturating_sub(cohort).clamp(0, self.periods);
                let users = |age: i64| ages.get(&age).copied().unwrap_or(0);
                Cohort {
                    date: date(self.first_day(cohort)),
                    users: users(0),
                    retained: (0..=oldest).map(users).collect(),
                }
            })
            .collect();
        Answer {
            period: if self.weekly { "week" } else { "day" },
            note: match (&meta, self.by_goal) {
                (None, _) => ANONYMOUS_NOTE,
                (Some(_), false) => EVENTS_NOTE,
                (Some(_), true) => GOAL_NOTE,
            },
            cohorts,
            meta,
        }
    }
}

impl Retention {
    fn period_of(&self, day: i64) -> i64 {
        if self.weekly {
            day.saturating_add(WEEK_OFFSET).div_euclid(7)
        } else {
            day
        }
    }

    fn first_day(&self, period: i64) -> i64 {
        if self.weekly {
            period.saturating_mul(7).saturating_sub(WEEK_OFFSET)
        } else {
            period
        }
    }
}
