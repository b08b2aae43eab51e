//! What is this item? The first of these that fits, each known by fields of its own:
//!
//! - `specversion`: a CloudEvent;
//! - `detail-type`: an event of EventBridge, and `DetailType`: an entry for it;
//! - an `AnalyticsEvent`: what a service tells of its own operations;
//! - what a known service emits, by name or by its fields;
//! - `eventType`: Shoreline's own form, or a canonical command.
//!
//! `schema` and `payload` alone are the wrapping of Kafka Connect's JSON converter.

use serde_json::Value;
use shoreline_shared::event::{Code, RawEvent};
use shoreline_shared::event_type::TrackerType;

use super::fields::{Fields, Shaped, identifier, missing, name_by, person, present, refuse, text};
use super::{analytics, cloudevents, eventbridge, product, upstream};
use crate::ingest::draft::{Draft, Made};

/// Keys of an unknown shape that are told at most.
const MAX_UNKNOWN_KEYS: usize = 20;

/// Characters of such a key at most.
const MAX_KEY_CHARS: usize = 64;

/// The draft of one item's text.
pub(super) fn item(text: &str) -> Draft<'_> {
    match RawEvent::parse(text) {
        Ok(raw) => draft(raw.into_fields(), Some(text)),
        Err(rejection) => Draft::Refused(rejection),
    }
}

/// The draft of one of `PutEvents`' `Entries`.
pub(super) fn entry(text: &str) -> Draft<'_> {
    match RawEvent::parse(text).map(RawEvent::into_fields) {
        Ok(fields) if eventbridge::is_entry(&fields) => {
            eventbridge::make_entry(fields).map_or_else(Draft::Refused, Draft::Made)
        }
        Ok(_) => item(text),
        Err(rejection) => Draft::Refused(rejection),
    }
}

/// The draft of an item of no shape at all.
pub(super) fn unknown(text: &str) -> Draft<'_> {
    match RawEvent::parse(text) {
        Ok(raw) => keys_of(&raw.into_fields()),
        Err(rejection) => Draft::Refused(rejection),
    }
}

/// The draft of an item; `text` is its own text, where it is at hand.
fn draft<'a>(mut fields: Fields, text: Option<&str>) -> Draft<'a> {
    if fields.len() == 2
        && fields.contains_key("schema")
        && let Some(Value::Object(payload)) = fields.get_mut("payload")
    {
        let payload = std::mem::take(payload);
        return shaped(payload, None);
    }
    shaped(fields, text)
}

fn shaped<'a>(fields: Fields, item: Option<&str>) -> Draft<'a> {
    let made = if cloudevents::is(&fields) {
        cloudevents::make(fields)
    } else if eventbridge::is(&fields) {
        eventbridge::make(fields)
    } else if eventbridge::is_entry(&fields) {
        eventbridge::make_entry(fields)
    } else if analytics::is(&fields) {
        analytics::make(fields)
    } else if let Some(emission) = upstream::Emission::of(&fields) {
        emission.make(fields, item)
    } else if product::is(&fields) {
        product::make(fields)
    } else if fields.contains_key("eventType") {
        own(fields)
    } else if is_nameless(&fields) {
        Err(missing("eventType"))
    } else {
        return keys_of(&fields);
    };
    made.map_or_else(Draft::Refused, Draft::Made)
}

/// A canonical command, or an event in Shoreline's own form, that lacks its type alone.
fn is_nameless(fields: &Fields) -> bool {
    let is_object = |name: &str| fields.get(name).is_some_and(Value::is_object);
    text(fields, "source").is_some() && (is_object("payload") || is_object("eventData"))
}

/// Shoreline's own form as it is; of a canonical command the payload is the event's data, and may
/// name its user and, where the command has no `eventId`, the event itself.
fn own(mut fields: Fields) -> Shaped {
    let mut told_id = None;
    if present(&fields, "eventData").is_none()
        && let Some(payload) = fields.remove("payload").filter(|value| !value.is_null())
    {
        let Value::Object(payload) = payload else {
            return Err(refuse(Code::WrongType, "payload", "must be an object"));
        };
        if present(&fields, "userId").is_none()
            && let Some(user) = person(&payload)
        {
            fields.insert("userId".to_owned(), user.into());
        }
        if present(&fields, "eventId").is_none() {
            told_id = payload.get("eventId").and_then(identifier);
        }
        fields.insert("eventData".to_owned(), payload.into());
    }
    let name = text(&fields, "eventType").unwrap_or_default();
    if TrackerType::parse(name).is_none() {
        analytics::lift_own(&mut fields);
    }
    let mut made = Made {
        fields,
        ..Made::default()
    };
    name_by(&mut made, told_id, "payload");
    Ok(made)
}

/// Names by which adapters know shapes: a log shows them, because they are ours and not the sender's.
const KNOWN_KEYS: [&str; 31] = [
    "action",
    "batch",
    "context",
    "data",
    "detail",
    "Detail",
    "detail-type",
    "DetailType",
    "event",
    "eventData",
    "eventId",
    "eventType",
    "events",
    "id",
    "key",
    "messageId",
    "metadata",
    "name",
    "occurredAt",
    "payload",
    "properties",
    "records",
    "schema",
    "sessionId",
    "source",
    "Source",
    "specversion",
    "status",
    "timestamp",
    "type",
    "userId",
];

/// The first keys, in the order of the alphabet, cut and fit for a log: a key that a sender chose can be anybody's name,
/// so of one that is none of [`KNOWN_KEYS`] only the form is shown, `x` for each letter and `0` for each digit.
pub(super) fn keys_of<'a>(fields: &Fields) -> Draft<'a> {
    let form = |sign: char| match sign {
        '_' | '-' | '.' | '$' => sign,
        _ if sign.is_alphabetic() => 'x',
        _ if sign.is_numeric() => '0',
        _ => '?',
    };
    let shown = |key: &String| match KNOWN_KEYS.contains(&key.as_str()) {
        true => key.clone(),
        false => key.chars().take(MAX_KEY_CHARS).map(form).collect(),
    };
    Draft::Unknown {
        keys: fields.keys().take(MAX_UNKNOWN_KEYS).map(shown).collect(),
    }
}
