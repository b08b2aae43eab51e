//! CloudEvents 1.0 over HTTP: structured, batch and binary mode.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use shoreline_shared::event::{Code, RawEvent, Rejection};
use shoreline_shared::limits::MAX_EVENT_BYTES;

use super::fields::{
    Fields, Shaped, embedded, identifier, json_value, missing, person, present, put, refuse, text,
    type_name,
};
use super::moment::Moment;
use super::{analytics, essence, items};
use crate::http::cloud_event::CloudEventHeaders;
use crate::http::error::Fault;
use crate::ingest::draft::{Delivery, Draft, Made};

/// Whether it says that it is one.
pub(super) fn is(fields: &Fields) -> bool {
    fields.contains_key("specversion")
}

/// `application/cloudevents+json`: one event.
pub(super) fn structured(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    let text = items::one(items::utf8(body)?)?;
    if !text.starts_with('{') {
        return Err(Fault::malformed("A CloudEvent must be a JSON object."));
    }
    items::delivery(vec![text], items::same, item)
}

/// `application/cloudevents-batch+json`: an array of events.
pub(super) fn batch(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    let text = items::one(items::utf8(body)?)?;
    items::delivery(items::split(text)?, items::same, item)
}

/// Binary mode: the attributes are headers, the body is the data.
pub(super) fn binary<'a>(
    headers: &CloudEventHeaders,
    content_type: Option<&str>,
    body: &[u8],
) -> Delivery<'a> {
    let made = if body.len() > MAX_EVENT_BYTES {
        Err(Rejection::too_large())
    } else {
        of_headers(headers, content_type, body).and_then(make)
    };
    Delivery {
        drafts: vec![made.map_or_else(Draft::Refused, Draft::Made)],
        ..Delivery::default()
    }
}

fn item(text: &str) -> Draft<'_> {
    RawEvent::parse(text)
        .and_then(|raw| make(raw.into_fields()))
        .map_or_else(Draft::Refused, Draft::Made)
}

/// The event in structured form.
fn of_headers(
    headers: &CloudEventHeaders,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Fields, Rejection> {
    let mut fields = Fields::new();
    for (name, value) in headers.attributes() {
        // Data and its type have places of their own in a request.
        if !matches!(name, "data" | "data_base64" | "datacontenttype") {
            fields.insert(name.to_owned(), value.into());
        }
    }
    if let Some(content_type) = content_type {
        fields.insert("datacontenttype".to_owned(), content_type.into());
    }
    if body.is_empty() {
        return Ok(fields);
    }
    let essence = essence(content_type);
    let is_json = essence.is_empty() || essence.ends_with("/json") || essence.ends_with("+json");
    // Data that its sender calls JSON and is none is kept as what it is: the JavaScript SDK sends
    // texts and bytes so, with its default content type.
    let text = std::str::from_utf8(body).ok();
    let json = text.filter(|_| is_json).and_then(json_value).transpose()?;
    let data = match (json, text.filter(|text| !text.contains(is_binary))) {
        (Some(data), _) => data,
        (None, Some(text)) => text.into(),
        (None, None) => {
            fields.insert("data_base64".to_owned(), BASE64.encode(body).into());
            return Ok(fields);
        }
    };
    fields.insert("data".to_owned(), data);
    Ok(fields)
}

/// What no text has, and sanitization would take out of one.
fn is_binary(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// Makes the event. The data's own fields are its `eventData`; data that is no object stands
/// under `data` or `dataBase64`. The attributes are kept as `cloudEvent`.
pub(super) fn make(mut fields: Fields) -> Shaped {
    let version = required(&fields, "specversion")?;
    if version.split('.').next() != Some("1") {
        return Err(refuse(Code::WrongType, "specversion", "must be 1.0"));
    }
    let name = required(&fields, "type")?.to_owned();
    let source = required(&fields, "source")?.to_owned();
    let id = required(&fields, "id")?.to_owned();
    fields.remove("specversion");
    let mut made = Made {
        foreign_id: Some(format!("cloudevents:{source}\n{id}")),
        ..Made::default()
    };
    let mut data = match (fields.remove("data"), fields.remove("data_base64")) {
        (Some(Value::Object(data)), _) => data,
        (Some(data), _) if !data.is_null() => Fields::from_iter([("data".to_owned(), data)]),
        (_, Some(base64)) => Fields::from_iter([("dataBase64".to_owned(), base64)]),
        _ => Fields::new(),
    };
    if let Some(time) = present(&fields, "time") {
        let at = time.as_str().and_then(Moment::from_text);
        let must = "must be an RFC 3339 string";
        let at = at.ok_or_else(|| refuse(Code::InvalidTimestamp, "time", must))?;
        fields.insert("occurredAt".to_owned(), at.iso().into());
    }
    if let Some(inner) = embedded(&fields, &data) {
        made.fields = inner;
        return Ok(made);
    }
    if let Some(inner) = analytics::embedded(&fields, &data) {
        made.fields = analytics::make(inner)?.fields;
        return Ok(made);
    }
    analytics::lift(&mut data);
    let event = &mut made.fields;
    event.insert("eventType".to_owned(), type_name(&name).into());
    event.insert("source".to_owned(), source.into());
    if let Some(at) = fields.remove("occurredAt") {
        event.insert("occurredAt".to_owned(), at);
    }
    // Names of attributes have no capitals, so these are what extensions can say of ours.
    for (extension, field) in [
        ("userid", "userId"),
        ("sessionid", "sessionId"),
        ("tenantid", "tenantId"),
    ] {
        if let Some(value) = fields.remove(extension).as_ref().and_then(identifier) {
            event.insert(field.to_owned(), value.into());
        }
    }
    if !event.contains_key("userId")
        && let Some(user) = person(&data)
    {
        event.insert("userId".to_owned(), user.into());
    }
    put(&mut data, "cloudEvent", fields);
    event.insert("eventData".to_owned(), data.into());
    Ok(made)
}

fn required<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, Rejection> {
    text(fields, name).ok_or_else(|| match present(fields, name) {
        None => missing(name),
        Some(Value::String(_)) => refuse(Code::EmptyField, name, "must not be empty"),
        Some(_) => refuse(Code::WrongType, name, "must be a string"),
    })
}

#[cfg(test)]
mod tests;
