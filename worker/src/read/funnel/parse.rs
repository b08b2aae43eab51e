//! The body of a funnel.

use serde_json::{Map, Value, json};
use shoreline_shared::event_type::{PAGE_VIEW, TrackerType};
use shoreline_shared::privacy::spelled;

use super::{Asking, Funnel};
use crate::archive::scan::{Dropped, Order, Step};
use crate::http::error::Fault;
use crate::http::fields::{days, number, object};
use crate::protocol::counters::live_key;
use crate::read::question::{is_of_events, panel, picking};

/// Steps at most.
const MAX_STEPS: usize = 10;

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "steps",
    "steps.eventType",
    "steps.page",
    "steps.feature",
    "steps.goal",
    "windowHours",
    "order",
    "by",
    "droppedAfter",
    "limit",
    "cursor",
    "filters",
    "range",
    "timeZone",
    "startDate",
    "endDate",
];

fn wrong(name: &'static str, detail: &'static str) -> Fault {
    Fault::InvalidParameter { name, detail }
}

/// Reads it.
pub(super) fn parse(body: &[u8], now_ms: i64) -> Result<Funnel, Fault> {
    let fields = object(body, FIELDS)?;
    let steps: Option<Vec<Asking>> = fields
        .get("steps")
        .and_then(Value::as_array)
        .filter(|steps| (1..=MAX_STEPS).contains(&steps.len()))
        .and_then(|steps| steps.iter().map(step).collect());
    let steps = steps.ok_or_else(|| {
        wrong(
            "steps",
            "steps are 1 to 10 of {eventType, page?, feature?}, all strings, {goal} or a filter.",
        )
    })?;
    let order = match fields.get("order") {
        None | Some(Value::Null) => Order::Sequence,
        Some(value) => match value.as_str() {
            Some("sequence") => Order::Sequence,
            Some("strict") => Order::Strict,
            Some("any") => Order::Any,
            _ => return Err(wrong("order", "order must be sequence, strict or any.")),
        },
    };
    let by = match fields.get("by") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(wrong("by", "by is the name of a dimension.")),
    };
    let mut funnel = Funnel {
        window_hours: number(
            &fields,
            "windowHours",
            1..=2_160,
            168,
            "windowHours must be a whole number from 1 to 2160.",
        )?,
        days: days(&fields, now_ms)?,
        dropped: dropped(&fields, steps.len())?,
        picking: None,
        order,
        steps,
        by,
    };
    let is_simple = |step: &Asking| matches!(step, Asking::Simple(_));
    if is_of_events(&fields)
        || order != Order::Sequence
        || funnel.by.is_some()
        || funnel.dropped.is_some()
        || !funnel.steps.iter().all(is_simple)
    {
        funnel.picking = Some(picking(&fields, funnel.days, panels(&funnel))?);
    }
    Ok(funnel)
}

/// A panel for each step, the first by the dimension; and, where nothing may stand between steps, one of what would.
fn panels(funnel: &Funnel) -> Vec<Value> {
    let mut panels = Vec::new();
    for step in &funnel.steps {
        let mut panel = panel();
        if let Value::Object(panel) = &mut panel {
            match step {
                Asking::Simple(step) => panel.insert("filters".to_owned(), filter_of(step)),
                Asking::Filter(filter) => panel.insert("filters".to_owned(), filter.clone()),
                Asking::Goal(name) => panel.insert("goal".to_owned(), name.as_str().into()),
            };
            let is_first = panels.is_empty();
            if let (true, Some(by)) = (is_first, &funnel.by) {
                panel.insert("dimensions".to_owned(), json!([by]));
            }
        }
        panels.push(panel);
    }
    if funnel.order == Order::Strict {
        let measured = [
            TrackerType::PageLeave.as_str(),
            TrackerType::WebVital.as_str(),
            "identify",
        ];
        let mut between = panel();
        if let Value::Object(between) = &mut between {
            let filter = json!(["is_not", "eventType", measured]);
            between.insert("filters".to_owned(), filter);
        }
        panels.push(between);
    }
    panels
}

/// A simple step as a filter.
fn filter_of(Step(event_type, page, feature): &Step) -> Value {
    let mut all = vec![json!("and"), json!(["is", "eventType", event_type])];
    for (name, text) in [("page", page), ("feature", feature)] {
        if let Some(text) = text {
            all.push(json!(["is", name, text]));
        }
    }
    // Only a view has a page here, as where nothing is filtered.
    if page.is_some() {
        all.push(json!(["is", "eventType", PAGE_VIEW]));
    }
    Value::Array(all)
}

fn dropped(fields: &Map<String, Value>, steps: usize) -> Result<Option<Dropped>, Fault> {
    let is_given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    if !is_given("droppedAfter") {
        for name in ["limit", "cursor"] {
            if is_given(name) {
                return Err(wrong(
                    name,
                    "It is of a page of users: droppedAfter says of which.",
                ));
            }
        }
        return Ok(None);
    }
    let detail = "droppedAfter must be the number of a step that is not the last, from 1 on.";
    let last = steps.saturating_sub(1) as i64;
    let after = number(fields, "droppedAfter", 1..=last, 0, detail)?;
    let detail = "limit must be a whole number from 1 to 100.";
    let limit = number(fields, "limit", 1..=100, 50, detail)?;
    let from = match fields.get("cursor") {
        None | Some(Value::Null) => Some(0),
        Some(value) => value.as_str().and_then(|text| text.parse().ok()),
    };
    Ok(Some(Dropped {
        after: u8::try_from(after).unwrap_or(0),
        limit: usize::try_from(limit).unwrap_or(1),
        from: from
            .ok_or_else(|| wrong("cursor", "cursor is the nextCursor of the page before."))?,
    }))
}

fn step(value: &Value) -> Option<Asking> {
    if let Value::Array(filter) = value {
        return (!filter.is_empty()).then(|| Asking::Filter(value.clone()));
    }
    let fields = value.as_object()?;
    if let Some(goal) = fields.get("goal").filter(|goal| !goal.is_null()) {
        let is_alone = fields.len() == 1;
        let name = goal.as_str().filter(|_| is_alone)?;
        return Some(Asking::Goal(name.to_owned()));
    }
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
    Some(Asking::Simple(Step(event_type, page, text("feature")?)))
}
