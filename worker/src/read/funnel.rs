//! `POST /v1/analytics/query/funnel`: how many users went through steps, in order, in time.

use serde::Serialize;
use serde_json::Value;
use shoreline_shared::privacy::spelled;

use super::activity::ratio;
use super::question::Question;
use crate::archive::scan::{Asked, FunnelPart, FunnelSpec, Step};
use crate::base::time::HOUR_MS;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};
use crate::protocol::counters::live_key;

/// Steps at most.
const MAX_STEPS: usize = 10;

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "steps",
    "steps.eventType",
    "steps.page",
    "steps.feature",
    "windowHours",
    "startDate",
    "endDate",
];

/// A checked question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    days: Days,
    window_hours: i64,
    steps: Vec<Step>,
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

impl Question for Funnel {
    type Found = FunnelPart;
    type Answer = Answer;

    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault> {
        let fields = object(body, FIELDS)?;
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

    fn asked(&self) -> Asked {
        Asked::Funnel(FunnelSpec {
            at: (self.days.from_ms(), self.days.to_ms()),
            window_ms: self.window_hours.saturating_mul(HOUR_MS),
            steps: self.steps.clone(),
        })
    }

    fn answer(&self, found: Vec<FunnelPart>) -> Answer {
        let mut users = vec![0_i64; self.steps.len()];
        for part in found {
            for (count, more) in users.iter_mut().zip(part) {
                *count = count.saturating_add(more);
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
        Answer {
            window_hours: self.window_hours,
            steps,
        }
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
    // Cut as it was counted, but spelled first: a page is asked for in any spelling.
    let page = match fields.get("page").and_then(Value::as_str) {
        Some(page) => Some(live_key(&spelled(page)).into_owned()),
        None => text("page")?,
    };
    Some(Step(event_type, page, text("feature")?))
}

#[cfg(test)]
mod tests;
