//! What services tell of their own operations: the `AnalyticsEvent` of seed 001, and what of any service's event is
//! asked for by name wherever the event has it.

use serde_json::Value;
use shoreline_shared::event::Code;

use super::fields::{Fields, Shaped, add, first, object, person, present, refuse, text};
use super::moment::when;
use crate::ingest::draft::Made;

/// How the types of analytics events end.
const SUFFIX: &str = "_ANALYTICS";

/// What services tell in `metadata` and questions ask of `eventData`: see `query::field`.
const ASKED: [&str; 4] = ["duration", "status", "errorType", "eventCategory"];

/// `{"eventType", "source", "requestId", "detail": {"action", "type", "timestamp", "userId"?, "metadata"}}`.
pub(super) fn is(fields: &Fields) -> bool {
    let Some(detail) = present(fields, "detail") else {
        return false;
    };
    let name = text(fields, "eventType");
    let is_told = ["eventData", "payload"]
        .iter()
        .any(|name| present(fields, name).is_some());
    let looks_so = || {
        let detail = detail.as_object();
        detail.is_some_and(|detail| {
            object(detail, "metadata").is_some() || text(detail, "action").is_some()
        })
    };
    !is_told && name.is_some_and(|name| name.trim_end().ends_with(SUFFIX) || looks_so())
}

/// Makes the event: its data is the detail.
pub(super) fn make(mut fields: Fields) -> Shaped {
    let Some(Value::Object(mut data)) = fields.remove("detail") else {
        return Err(refuse(Code::WrongType, "detail", "must be an object"));
    };
    if let Some(at) = present(&data, "timestamp") {
        let must = "must be RFC 3339, or a Unix time";
        let at =
            when(at).ok_or_else(|| refuse(Code::InvalidTimestamp, "detail.timestamp", must))?;
        fields.remove("timestamp");
        fields.insert("occurredAt".to_owned(), at);
    }
    if present(&fields, "userId").is_none()
        && let Some(user) = person(&data).or_else(|| person(object(&data, "metadata")?))
    {
        fields.insert("userId".to_owned(), user.into());
    }
    for name in ["tenantId", "sessionId"] {
        add(&mut fields, name, data.get(name));
    }
    add(&mut data, "requestId", fields.get("requestId"));
    lift(&mut data);
    fields.insert("eventData".to_owned(), data.into());
    Ok(Made {
        fields,
        ..Made::default()
    })
}

/// Puts what questions ask for to where they ask for it, from the `metadata` within the data.
pub(super) fn lift(data: &mut Fields) {
    if let Some(Value::Object(metadata)) = data.get("metadata") {
        let found = ASKED.map(|name| metadata.get(name).cloned());
        for (name, value) in ASKED.into_iter().zip(found) {
            add(data, name, value.as_ref());
        }
    }
}

/// The same for an event in Shoreline's own form, whose `metadata` stands beside its data.
pub(super) fn lift_own(fields: &mut Fields) {
    let Some(Value::Object(metadata)) = fields.get("metadata") else {
        return;
    };
    let found = ASKED.map(|name| metadata.get(name).cloned());
    if found.iter().all(Option::is_none) {
        return;
    }
    let data = fields
        .entry("eventData")
        .or_insert_with(|| Value::Object(Fields::new()));
    if data.is_null() {
        *data = Value::Object(Fields::new());
    }
    if let Value::Object(data) = data {
        for (name, value) in ASKED.into_iter().zip(found) {
            add(data, name, value.as_ref());
        }
    }
}

/// An analytics event inside a foreign envelope: what the envelope says of source and time holds where the event does
/// not say it itself.
pub(super) fn embedded(envelope: &Fields, inner: &Fields) -> Option<Fields> {
    if !is(inner) {
        return None;
    }
    let mut fields = inner.clone();
    add(&mut fields, "source", envelope.get("source"));
    if first(&fields, &["occurredAt", "timestamp"]).is_none() {
        add(&mut fields, "occurredAt", envelope.get("occurredAt"));
    }
    Some(fields)
}

#[cfg(test)]
mod tests;
