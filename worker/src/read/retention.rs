//! `POST /v1/analytics/query/retention`: who comes back, by the day or week of their first event.

use serde::Serialize;
use serde_json::Value;

use super::activity::ANONYMOUS_NOTE;
use super::question::Question;
use crate::archive::people::{CohortRow, WEEK_OFFSET};
use crate::archive::scan::{Asked, RetentionSpec};
use crate::base::sorted::Map;
use crate::base::time::{date, day_of};
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};

/// Fields of the body.
pub const FIELDS: &[&str] = &["period", "periods", "startDate", "endDate"];

/// A checked question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    days: Days,
    weekly: bool,
    periods: i64,
    today: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Retention))]
pub struct Answer {
    period: &'static str,
    note: &'static str,
    cohorts: Vec<Cohort>,
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
        Ok(Self {
            periods: number(&fields, "periods", 1..=90, default, detail)?,
            days: days(&fields, now_ms)?,
            weekly,
            today: day_of(now_ms),
        })
    }

    fn asked(&self) -> Asked {
        Asked::Retention(RetentionSpec {
            first_at: (self.days.from_ms(), self.days.to_ms()),
            periods: self.periods,
            weekly: self.weekly,
            today: self.today,
        })
    }

    fn answer(&self, found: Vec<Vec<CohortRow>>) -> Answer {
        let mut cohorts: Map<i64, Map<i64, i64>> = (self.period_of(self.days.first)
            ..=self.period_of(self.days.last.min(self.today)))
            .map(|cohort| (cohort, Map::new()))
            .collect();
        for row in found.into_iter().flatten() {
            let ages = cohorts.entry(row.cohort).or_default();
            let users: &mut i64 = ages.entry(row.age).or_default();
            *users = users.saturating_add(row.users);
        }
        let now = self.period_of(self.today);
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
            note: ANONYMOUS_NOTE,
            cohorts,
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
