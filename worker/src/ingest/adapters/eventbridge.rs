//! EventBridge: events as the bus delivers them, and entries as services put them there.

use serde_json::Value;
use shoreline_shared::event::{Code, Rejection};

use super::analytics;
use super::fields::{
    Fields, Shaped, add, embedded, identifier, json_value, missing, name_by, object, person,
    present, put, refuse, text, type_name,
};
use super::moment::when;
use crate::ingest::draft::Made;

/// What EventBridge itself says of an event; kept in `eventData.eventBridge`.
const ENVELOPE: [&str; 7] = [
    "id",
    "version",
    "account",
    "region",
    "resources",
    "detail-type",
    "event-bus-name",
];

/// `{"detail-type", "source", "detail", "id"?, "time"?, …}`.
pub(super) fn is(fields: &Fields) -> bool {
    fields.contains_key("detail-type")
}

/// `{"DetailType", "Source", "Detail", …}`, as in `PutEvents`.
pub(super) fn is_entry(fields: &Fields) -> bool {
    fields.contains_key("DetailType")
}

/// Makes the event of a delivered one.
pub(super) fn make(mut fields: Fields) -> Shaped {
    let detail_type = match present(&fields, "detail-type") {
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(refuse(Code::WrongType, "detail-type", "must be a string")),
        None => return Err(missing("detail-type")),
    };
    let name = type_name(&detail_type);
    if name.is_empty() {
        return Err(refuse(Code::EmptyField, "detail-type", "must not be empty"));
    }
    let mut data = match fields.remove("detail") {
        None | Some(Value::Null) => Fields::new(),
        Some(Value::Object(detail)) => detail,
        Some(_) => return Err(refuse(Code::WrongType, "detail", "must be an object")),
    };
    let foreign_id = fields.get("id").and_then(identifier);
    let mut made = Made {
        foreign_id: foreign_id.map(|id| format!("eventbridge:{id}")),
        ..Made::default()
    };
    // Seed services say when in `detail.metadata`, of analytics events in `detail`; the bus, when it got to it.
    let inside = object(&data, "metadata").and_then(|metadata| when(metadata.get("timestamp")?));
    let is_analytics = text(&data, "action").is_some() && object(&data, "metadata").is_some();
    let inside = inside.or_else(|| when(data.get("timestamp").filter(|_| is_analytics)?));
    let at = match present(&fields, "time") {
        Some(time) if inside.is_none() => {
            let must = "must be RFC 3339, or a Unix time";
            Some(when(time).ok_or_else(|| refuse(Code::InvalidTimestamp, "time", must))?)
        }
        _ => inside,
    };
    if let Some(at) = at {
        fields.insert("occurredAt".to_owned(), at);
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
    let user = person(&data).or_else(|| person(object(&data, "metadata")?));
    let mut envelope = Fields::new();
    for name in ENVELOPE {
        add(&mut envelope, name, fields.get(name));
    }
    put(&mut data, "eventBridge", envelope);
    made.fields.insert("eventType".to_owned(), name.into());
    for name in ["source", "occurredAt"] {
        add(&mut made.fields, name, fields.get(name));
    }
    if let Some(tenant) = text(&data, "tenantId") {
        made.fields.insert("tenantId".to_owned(), tenant.into());
    }
    if let Some(user) = user {
        made.fields.insert("userId".to_owned(), user.into());
    }
    let told_id = data.get("eventId").and_then(identifier);
    made.fields.insert("eventData".to_owned(), data.into());
    if made.foreign_id.is_none() {
        name_by(&mut made, told_id, "eventbridge-detail");
    }
    Ok(made)
}

/// Makes the event of an entry, whose detail is JSON in a string.
pub(super) fn make_entry(mut entry: Fields) -> Shaped {
    let mut fields = Fields::new();
    for (theirs, ours) in [
        ("DetailType", "detail-type"),
        ("Source", "source"),
        ("Time", "time"),
        ("Resources", "resources"),
        ("EventBusName", "event-bus-name"),
    ] {
        if let Some(value) = entry.remove(theirs) {
            fields.insert(ours.to_owned(), value);
        }
    }
    let detail = match entry.remove("Detail") {
        Some(Value::String(text)) => parsed(&text)?,
        other => other.unwrap_or_default(),
    };
    fields.insert("detail".to_owned(), detail);
    make(fields).map_err(|mut rejection| {
        rejection.field = match rejection.field.as_ref() {
            "detail-type" => "DetailType".into(),
            "detail" => "Detail".into(),
            "time" => "Time".into(),
            _ => rejection.field,
        };
        rejection
    })
}

fn parsed(text: &str) -> Result<Value, Rejection> {
    let no_json = || refuse(Code::WrongType, "Detail", "must be a JSON object, as text");
    json_value(text).unwrap_or_else(|| Err(no_json()))
}

#[cfg(test)]
mod tests;
