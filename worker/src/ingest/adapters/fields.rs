//! What adapters share: reading a foreign object, and writing an event's fields.

use crate::ingest::draft::Made;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use shoreline_shared::event::{Code, RawEvent, Rejection};
use shoreline_shared::id::parse_uuid;
use shoreline_shared::limits::MAX_EVENT_TYPE_CHARS;

/// What an adapter makes of an item that is of its shape.
pub(super) type Shaped = Result<Made, Rejection>;

/// A JSON object.
pub(super) type Fields = Map<String, Value>;

/// A field that is there; null counts as absent.
pub(super) fn present<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// The first of these fields that is there.
pub(super) fn first<'a>(fields: &'a Fields, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| present(fields, name))
}

/// A text that is not blank.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?;
    (!text.trim().is_empty()).then_some(text)
}

/// An object in a field.
pub(super) fn object<'a>(fields: &'a Fields, name: &str) -> Option<&'a Fields> {
    fields.get(name)?.as_object()
}

/// An identifier: a text that is not blank, or a whole number, which many services count users by.
pub(super) fn identifier(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// Whose event it is, where the payload says so.
pub(super) fn person(fields: &Fields) -> Option<String> {
    ["userId", "studentId"]
        .iter()
        .find_map(|name| fields.get(*name).and_then(identifier))
}

/// Gives an event the identity that its content tells: a UUID as it is; any other name is one among those of the event's
/// source and type, because services count their events by themselves.
pub(super) fn name_by(made: &mut Made, told: Option<String>, space: &str) {
    let Some(id) = told else {
        return;
    };
    if parse_uuid(&id).is_some() {
        made.fields.insert("eventId".to_owned(), id.into());
        return;
    }
    let of = |name| text(&made.fields, name).unwrap_or_default();
    let (source, event_type) = (of("source"), of("eventType"));
    made.foreign_id = Some(format!("{space}:{source}\n{event_type}\n{id}"));
}

/// A required identifier of a known shape.
pub(super) fn required_id(fields: &Fields, name: &'static str) -> Result<String, Rejection> {
    let value = present(fields, name).ok_or_else(|| missing(name))?;
    identifier(value).ok_or_else(|| match value {
        Value::String(_) => refuse(Code::EmptyField, name, "must not be empty"),
        _ => refuse(Code::WrongType, name, "must be a string or a whole number"),
    })
}

/// Puts a value that an adapter needs under this key. What the sender has there already moves to
/// `original_<key>`, so that neither hides the other.
pub(super) fn put(data: &mut Fields, key: &str, value: impl Into<Value>) {
    let value = value.into();
    let Some(theirs) = data.insert(key.to_owned(), value) else {
        return;
    };
    if data.get(key) == Some(&theirs) {
        return;
    }
    let mut moved = format!("original_{key}");
    while data.contains_key(&moved) {
        moved.insert_str(0, "original_");
    }
    data.insert(moved, theirs);
}

/// Adds a value where the sender has none.
pub(super) fn add(data: &mut Fields, key: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !value.is_null())
        && present(data, key).is_none()
    {
        data.insert(key.to_owned(), value.clone());
    }
}

/// The name of an event type, of any text: runs of characters that no name may have become one
/// hyphen, and what is too long is cut.
pub(super) fn type_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len().min(MAX_EVENT_TYPE_CHARS));
    for c in text.trim().chars() {
        if name.len() >= MAX_EVENT_TYPE_CHARS {
            break;
        }
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

/// Reads one JSON value within the limits of an event's content; `None` where it is no JSON.
pub(super) fn json_value(text: &str) -> Option<Result<Value, Rejection>> {
    // Judged before it is wrapped: a text such as `1,"x":2` must not become two fields.
    serde_json::from_str::<&RawValue>(text).ok()?;
    let read = RawEvent::parse(&format!("{{\"v\":{text}}}"));
    Some(read.map(|raw| raw.into_fields().remove("v").unwrap_or_default()))
}

pub(super) fn refuse(code: Code, field: &'static str, must: &str) -> Rejection {
    Rejection {
        code,
        field: field.into(),
        message: format!("{field} {must}."),
    }
}

pub(super) fn missing(field: &'static str) -> Rejection {
    refuse(Code::MissingField, field, "is required")
}

/// An event of Shoreline's own form inside a foreign envelope: what the envelope says of source
/// and time holds where the event does not say it itself.
pub(super) fn embedded(envelope: &Fields, inner: &Fields) -> Option<Fields> {
    if !present(inner, "eventType")?.is_string() || !present(inner, "eventData")?.is_object() {
        return None;
    }
    let mut fields = inner.clone();
    for name in ["source", "occurredAt", "tenantId"] {
        let known = present(&fields, name).is_some()
            || (name == "occurredAt" && present(&fields, "timestamp").is_some());
        if !known && let Some(value) = present(envelope, name) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neither_hides_the_other() {
        let mut data = Fields::new();
        put(&mut data, "feature", "ours");
        put(&mut data, "feature", "ours");
        assert_eq!(Value::Object(data), json!({"feature": "ours"}));
        let mut data = json!({"feature": 1, "original_feature": 2})
            .as_object()
            .cloned()
            .unwrap();
        put(&mut data, "feature", "ours");
        assert_eq!(
            Value::Object(data),
            json!({"feature": "ours", "original_feature": 2, "original_original_feature": 1})
        );
    }

    #[test]
    fn any_text_becomes_a_type_name() {
        for (text, name) in [
            ("com.example.order.v1", "com.example.order.v1"),
            (" Order Placed ", "Order-Placed"),
            ("EC2 Instance State-change", "EC2-Instance-State-change"),
            ("a//b: c", "a-b-c"),
            ("日本", "-"),
            ("", ""),
        ] {
            assert_eq!(type_name(text), name);
        }
        assert_eq!(type_name(&"x".repeat(500)).len(), 100);
    }

    #[test]
    fn a_value_is_read_within_the_limits() {
        assert_eq!(json_value(" [1e999] "), Some(Ok(json!([null]))));
        assert_eq!(json_value("1,\"x\":2"), None);
        assert_eq!(json_value("1} {"), None);
        let code = |text: &str| json_value(text).unwrap().unwrap_err().code;
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(json_value(&nested(15)).unwrap().is_ok());
        assert_eq!(code(&nested(16)), Code::TooDeep);
        assert_eq!(code(&nested(15_000)), Code::TooDeep);
        assert_eq!(
            code(&format!("\"{}\"", "x".repeat(40_000))),
            Code::EventTooLarge
        );
    }
}
