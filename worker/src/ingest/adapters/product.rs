//! The product events of a shop's Kafka service: `ProductCreated`, `ProductUpdated`, `ProductDeleted` and
//! `LowStockWarning`, as their service sends them and as its consumer stores them.

use serde_json::Value;
use shoreline_shared::id::parse_uuid;

use super::fields::{Fields, Shaped, first, identifier, person, present, text};
use crate::ingest::draft::Made;

const TYPES: [&str; 4] = [
    "ProductCreated",
    "ProductUpdated",
    "ProductDeleted",
    "LowStockWarning",
];

/// The source where the event names none.
const SOURCE: &str = "product-service";

/// Whether it is one, and not in Shoreline's own form or a canonical command already, whose id is a UUID or in its
/// payload.
pub(super) fn is(fields: &Fields) -> bool {
    let id = present(fields, "eventId");
    let is_foreign = id.is_some_and(|id| id.as_str().and_then(parse_uuid).is_none())
        || id.is_none() && present(fields, "id").is_some();
    let own = present(fields, "source").is_some()
        && (present(fields, "eventData").is_some() || present(fields, "payload").is_some())
        && !is_foreign;
    !own && name(fields).is_some()
}

fn name(fields: &Fields) -> Option<&'static str> {
    let given = ["eventType", "type"]
        .iter()
        .find_map(|name| text(fields, name))?;
    TYPES.into_iter().find(|name| *name == given)
}

/// Makes the event. Its data is what stands under `data`, `payload` or `eventData`, else all that is
/// beside the envelope's own fields.
pub(super) fn make(mut fields: Fields) -> Shaped {
    let mut made = Made::default();
    if let Some(name) = name(&fields) {
        made.fields.insert("eventType".to_owned(), name.into());
    }
    let source = present(&fields, "source").cloned();
    made.fields
        .insert("source".to_owned(), source.unwrap_or_else(|| SOURCE.into()));
    if let Some(at) = first(&fields, &["timestamp", "occurredAt"]) {
        made.fields.insert("timestamp".to_owned(), at.clone());
    }
    for field in ["tenantId", "metadata", "sessionId"] {
        if let Some(value) = present(&fields, field) {
            made.fields.insert(field.to_owned(), value.clone());
        }
    }
    let outer_user = person(&fields);
    let nested = ["data", "payload", "eventData"].iter().find_map(|name| {
        let is_object = fields.get(*name).is_some_and(Value::is_object);
        is_object.then(|| fields.remove(*name)).flatten()
    });
    // Beside flat fields an `id` is the product's.
    let id_names: &[&str] = if nested.is_some() {
        &["eventId", "id"]
    } else {
        &["eventId"]
    };
    let inner_id = || match &nested {
        Some(Value::Object(data)) => data.get("eventId").and_then(identifier),
        _ => None,
    };
    let id = first(&fields, id_names).and_then(identifier);
    match id.or_else(inner_id) {
        Some(id) if parse_uuid(&id).is_some() => {
            made.fields.insert("eventId".to_owned(), id.into());
        }
        id => made.foreign_id = id.map(|id| format!("product:{id}")),
    }
    let data = match nested {
        Some(Value::Object(data)) => data,
        _ => {
            fields.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
            fields
        }
    };
    if let Some(user) = outer_user.or_else(|| person(&data)) {
        made.fields.insert("userId".to_owned(), user.into());
    }
    made.fields.insert("eventData".to_owned(), data.into());
    Ok(made)
}

/// Fields that are the event's, not the product's.
const ENVELOPE: [&str; 10] = [
    "eventType",
    "type",
    "source",
    "timestamp",
    "occurredAt",
    "tenantId",
    "metadata",
    "sessionId",
    "eventId",
    "ttl",
];

#[cfg(test)]
mod tests;
