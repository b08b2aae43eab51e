//! `POST /v1/analytics/query/retention`: who comes back, by the day or week of their first event.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::activity::ANONYMOUS_NOTE;
use super::days::{Days, date};
use super::question::{Question, days, number, object};
use crate::error::Fault;
use crate::privacy::day_of;
use crate::sorted::Map;
use crate::sql::Statement;

/// New users of a range at most: each is looked up with its days.
const MAX_USERS: i64 = 50_000;

/// A checked question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    days: Days,
    weekly: bool,
    periods: i64,
    today: i64,
}

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    cohort: i64,
    age: i64,
    users: i64,
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

macro_rules! sql {
    ($first:expr, $day:expr) => {
        concat!(
            "SELECT ",
            $first,
            " AS cohort, ",
            $day,
            " - ",
            $first,
            " AS age, count(DISTINCT u.user_hash) AS users FROM (SELECT user_hash, ",
            day!("first_at"),
            " AS day FROM users WHERE site_id = ?1 AND first_at >= ?2 AND first_at < ?3) AS u \
             CROSS JOIN members AS m WHERE m.site_id = ?1 AND m.dim = 'user' AND m.key = '' \
             AND m.user_hash = u.user_hash AND m.day <= ?5 AND ",
            $day,
            " - ",
            $first,
            " BETWEEN 0 AND ?4 GROUP BY 1, 2"
        )
    };
}

const DAILY: &str = sql!("u.day", "m.day");
/// 1970-01-01 was a Thursday: weeks begin three days before it. No event is from before the year 0.
const WEEKLY: &str = sql!("((u.day + 719603) / 7)", "((m.day + 719603) / 7)");
/// What makes the days of [`WEEKLY`] positive: a multiple of seven, and the three days.
const WEEK_OFFSET: i64 = 719_603;

impl Question for Retention {
    type Row = Row;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body)?;
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

    fn size(&self, site: &str) -> (Statement, i64) {
        let statement = Statement::new(
            "SELECT coalesce(sum(first_seen), 0) AS n FROM user_days \
             WHERE site_id = ?1 AND day BETWEEN ?2 AND ?3",
            [site.into(), self.days.first.into(), self.days.last.into()],
        );
        (statement, MAX_USERS)
    }

    fn statement(&self, site: &str) -> Statement {
        Statement::new(
            if self.weekly { WEEKLY } else { DAILY },
            [
                site.into(),
                self.days.from_ms().into(),
                self.days.to_ms().into(),
                self.periods.into(),
                self.today.into(),
            ],
        )
    }

    fn answer(&self, rows: Vec<Row>) -> Result<Answer, Fault> {
        let mut cohorts: Map<i64, Map<i64, i64>> = (self.period_of(self.days.first)
            ..=self.period_of(self.days.last.min(self.today)))
            .map(|cohort| (cohort, Map::new()))
            .collect();
        for row in rows {
            cohorts
                .entry(row.cohort)
                .or_default()
                .insert(row.age, row.users);
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
        Ok(Answer {
            period: if self.weekly { "week" } else { "day" },
            note: ANONYMOUS_NOTE,
            cohorts,
        })
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
