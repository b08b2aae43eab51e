//! `GET /v1/analytics/metrics/features` of events that pass filters, and of other ranges and zones than sums have.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::read::features;
use crate::read::question::{fields_of, range_of};

/// The longest duration that counts, a day in milliseconds, as sums have it.
const MAX_DURATION_MS: i64 = 86_400_000;

/// Features that are told at most.
const MAX_FEATURES: i64 = 10_000;

/// The question about features, as the body of the panels' call; none where sums answer.
///
/// # Errors
/// With the parameter.
pub fn features_body(params: &Params, now_ms: i64) -> Result<Option<String>, Fault> {
    let Some(fields) = fields_of(params)? else {
        return Ok(None);
    };
    let uses = json!(["exists", "feature"]);
    let timed = json!([
        "and",
        ["gte", "data.duration", 0],
        ["lte", "data.duration", MAX_DURATION_MS],
        uses
    ]);
    let mut body = Map::new();
    for name in ["filters", "timeZone"] {
        if let Some(value) = fields.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    let days = Days::parse(params, now_ms)?;
    body.insert("range".to_owned(), range_of(&fields, days)?);
    let panels = json!([
        {"metrics": ["events", "users"], "dimensions": ["feature"], "filters": uses,
            "orderBy": [["events", "desc"]], "limit": MAX_FEATURES},
        {"metrics": ["avg(data.duration)"], "dimensions": ["feature"], "filters": timed, "limit": MAX_FEATURES},
    ]);
    body.insert("panels".to_owned(), panels);
    Ok(Some(Value::Object(body).to_string()))
}

/// The answer, from those of the panels.
pub fn features_answer(mut answers: Vec<Answer>) -> features::Answer {
    let (timed, uses) = (answers.pop(), answers.pop());
    let name = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut durations: Map<String, Value> = Map::new();
    for row in timed.into_iter().flat_map(|answer| answer.rows) {
        let mean = row.metrics.into_iter().next().unwrap_or_default();
        durations.insert(name(row.dimensions.first()), mean);
    }
    let mut meta = None;
    let mut rows = Vec::new();
    if let Some(uses) = uses {
        meta = serde_json::value::to_raw_value(&uses.meta).ok();
        for row in uses.rows {
            let whole = |at: usize| row.metrics.get(at).and_then(Value::as_i64).unwrap_or(0);
            let feature = name(row.dimensions.first());
            let mean = durations.get(&feature).and_then(Value::as_f64);
            rows.push((
                feature,
                whole(0),
                whole(1),
                mean.map(|mean| mean.round() as i64),
            ));
        }
    }
    features::Answer::of_events(rows, meta)
}
