//! `POST /v1/analytics/query/funnel`: how many users went through steps, in order, in time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::activity::ratio;
use super::days::Days;
use super::question::{Question, days, events, number, object, too_many};
use crate::error::Fault;
use crate::live::{HOUR_MS, live_key};
use crate::sql::Statement;

/// Steps at most.
const MAX_STEPS: usize = 10;

/// Events that are a step of someone's, at most: about 100 bytes each on their way here.
const MAX_ROWS: usize = 100_000;

/// A checked question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    days: Days,
    window_hours: i64,
    steps: Vec<Step>,
}

/// An event that is a step: `[eventType, page, feature]` for the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Step(String, Option<String>, Option<String>);

/// A row of the statement: an event that is a step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    user: String,
    at: i64,
    step: usize,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Funnel))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    window_hours: i64,
    steps: Vec<Reached>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = FunnelStep))]
#[serde(rename_all = "camelCase")]
struct Reached {
    event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<String>,
    users: i64,
    /// Of the users of the first step.
    conversion: f64,
    /// Of the users of the step before.
    from_previous: f64,
}

/// An event that is two steps at once is the later one first, so that it is not both in a row.
const SQL: &str = "SELECT e.facts->>4 AS user, e.at AS at, s.key AS step \
    FROM events AS e CROSS JOIN json_each(?4) AS s \
    WHERE e.site_id = ?1 AND e.at >= ?2 AND e.at < ?3 AND e.facts->>5 >= 1 \
    AND e.event_type = s.value->>0 \
    AND (s.value->>1 IS NULL OR e.facts->>'$[7].page' = s.value->>1) \
    AND (s.value->>2 IS NULL OR e.facts->>'$[7].feature' = s.value->>2) \
    ORDER BY 1, 2, e.event_id, 3 DESC LIMIT ?5";

impl Question for Funnel {
    type Row = Row;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body)?;
        let wrong = Fault::InvalidParameter {
            name: "steps",
            detail: "steps are 1 to 10 of {eventType, page?, feature?}, all strings.",
        };
        let steps: Option<Vec<Step>> = fields
            .get("steps")
            .and_then(Value::as_array)
            .filter(|steps| (1..=MAX_STEPS).contains(&steps.len()))
            .and_then(|steps| steps.iter().map(step).collect());
        Ok(Self {
            steps: steps.ok_or(wrong)?,
            window_hours: number(
                &fields,
                "windowHours",
                1..=2_160,
                168,
                "windowHours must be a whole number from 1 to 2160.",
            )?,
            days: days(&fields, now_ms)?,
        })
    }

    fn size(&self, site: &str) -> (Statement, i64) {
        events(site, self.days)
    }

    fn statement(&self, site: &str) -> Statement {
        let steps = serde_json::to_string(&self.steps).unwrap_or_default();
        let limit = i64::try_from(MAX_ROWS)
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        Statement::new(
            SQL,
            [
                site.into(),
                self.days.from_ms().into(),
                self.days.to_ms().into(),
                steps.into(),
                limit.into(),
            ],
        )
    }

    fn answer(&self, rows: Vec<Row>) -> Result<Answer, Fault> {
        if rows.len() > MAX_ROWS {
            return Err(too_many());
        }
        let mut users = vec![0_i64; self.steps.len()];
        for events in rows.chunk_by(|a, b| a.user == b.user) {
            for count in users.iter_mut().take(self.reached(events)) {
                *count = count.saturating_add(1);
            }
        }
        let first = users.first().copied().unwrap_or(0);
        let before = std::iter::once(first).chain(users.iter().copied());
        let steps = self
            .steps
            .iter()
            .zip(users.iter().zip(before))
            .map(
                |(Step(event_type, page, feature), (users, before))| Reached {
                    event_type: event_type.clone(),
                    page: page.clone(),
                    feature: feature.clone(),
                    users: *users,
                    conversion: ratio(*users, first),
                    from_previous: ratio(*users, before),
                },
            )
            .collect();
        Ok(Answer {
            window_hours: self.window_hours,
            steps,
        })
    }
}

impl Funnel {
    /// How many steps one user's events, in order, come through. Of each step the latest beginning
    /// that leads to it is kept: if any beginning does it in time, the latest does.
    fn reached(&self, events: &[Row]) -> usize {
        let window_ms = self.window_hours.saturating_mul(HOUR_MS);
        let mut begun: Vec<Option<i64>> = vec![None; self.steps.len()];
        for Row { at, step, .. } in events {
            let begin = match step.checked_sub(1) {
                None => Some(*at),
                Some(before) => begun
                    .get(before)
                    .copied()
                    .flatten()
                    .filter(|begin| at.saturating_sub(*begin) <= window_ms),
            };
            if let Some(slot) = begun.get_mut(*step) {
                *slot = (*slot).max(begin);
            }
        }
        begun.iter().take_while(|begin| begin.is_some()).count()
    }
}

fn step(value: &Value) -> Option<Step> {
    let fields = value.as_object()?;
    let text = |name| match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(live_key(text).into_owned())),
        Some(_) => None,
    };
    let event_type = text("eventType")??;
    Some(Step(event_type, text("page")?, text("feature")?))
}

#[cfg(test)]
mod tests;
