//! `GET /v1/analytics/metrics/breakdown` of events that pass filters, of other ranges and zones than sums have, and of
//! dimensions of which no sums are kept.

use serde_json::{Value, json};

use super::Question;
use super::answer::Answer;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::read::breakdown::{self, DIMENSIONS, MORE, limit};
use crate::read::question::{fields_of, range_of};

/// Parameters that sums do not answer.
const OF_EVENTS: [&str; 3] = ["filters", "range", "timeZone"];

/// A breakdown that is a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    by: &'static str,
    /// The question, as the body of the query call.
    pub body: String,
}

impl Breakdown {
    /// Reads the parameters; none where sums answer.
    ///
    /// # Errors
    /// With the parameter.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Option<Self>, Fault> {
        let given = params.get("by").unwrap_or_default();
        let find = |all: &[&'static str]| all.iter().copied().find(|known| *known == given);
        let by = match (find(&MORE), find(&DIMENSIONS)) {
            (Some(by), _) => by,
            (None, Some(by)) if OF_EVENTS.iter().any(|name| params.get(name).is_some()) => by,
            _ => return Ok(None),
        };
        // What is wrong with a filter is told by its own place.
        let has_key = json!(["exists", by]);
        let fields = fields_of(params)?.unwrap_or_default();
        let filters = match fields.get("filters").and_then(Value::as_array) {
            None => has_key,
            Some(filter) if filter.is_empty() => has_key,
            Some(filter) => {
                Question::parse(
                    json!({"metrics": ["events"], "filters": filter})
                        .to_string()
                        .as_bytes(),
                )?;
                json!(["and", has_key, filter])
            }
        };
        let range = range_of(&fields, Days::parse(params, now_ms)?)?;
        let mut body = json!({"metrics": ["events", "users"], "dimensions": [by], "filters": filters, "range": range,
            "orderBy": [["events", "desc"]], "limit": limit(params)?});
        for name in ["timeZone", "cursor"] {
            if let Some(value) = params.get(name) {
                set(&mut body, name, value.into());
            }
        }
        let body = body.to_string();
        Ok(Some(Self { by, body }))
    }

    /// The answer, from that of the question.
    pub fn answer(&self, answer: Answer) -> breakdown::Answer {
        let whole = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(0);
        let total = whole(answer.totals.first());
        let rows = answer.rows.into_iter().map(|row| {
            let key = row.dimensions.first().and_then(Value::as_str);
            let [events, users] = [0, 1].map(|at| whole(row.metrics.get(at)));
            (key.unwrap_or_default().to_owned(), events, users)
        });
        let meta = serde_json::value::to_raw_value(&answer.meta).unwrap_or_default();
        breakdown::Answer::of_events(self.by, total, rows.collect(), answer.next_cursor, meta)
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = body {
        fields.insert(name.to_owned(), value);
    }
}
