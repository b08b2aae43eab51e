//! Segment's HTTP tracking API, which RudderStack speaks too.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shoreline_shared::event::{Code, RawEvent, Rejection};

use super::body;
use super::fields::{
    Fields, add, identifier, json_value, missing, object, present, put, refuse, text,
};
use super::items;
use super::moment::Moment;
use super::recognize::keys_of;
use crate::http::error::Fault;
use crate::ingest::draft::{Draft, Made};

mod context;

use context::Context;

/// What a request calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentCall {
    /// Several messages, each with its type.
    Batch,
    /// One message of this kind.
    One(SegmentKind),
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Somebody did something.
    Track,
    /// A page was shown.
    Page,
    /// A screen of an app was shown.
    Screen,
    /// Who a user is.
    Identify,
    /// What a user belongs to.
    Group,
    /// A user has another id.
    Alias,
}

impl SegmentKind {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "track" => Some(Self::Track),
            "page" => Some(Self::Page),
            "screen" => Some(Self::Screen),
            "identify" => Some(Self::Identify),
            "group" => Some(Self::Group),
            "alias" => Some(Self::Alias),
            _ => None,
        }
    }
}

/// What holds for the whole request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    write_key: Option<&'a RawValue>,
    #[serde(borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
}

/// Reads a request: the write key in its body, where there is one, and a draft of each message.
///
/// # Errors
/// 400 for what is no JSON object, or a batch without a `batch` array; 413 for over
/// [`super::MAX_ITEMS`] messages; 422 for none.
///
/// The events name no source: a page has no say in it, and a service's key knows better.
pub fn segment(call: SegmentCall, body: &[u8]) -> Result<(Option<String>, Vec<Draft<'_>>), Fault> {
    let text = items::one(items::utf8(body)?)?;
    if !text.starts_with('{') {
        return Err(Fault::malformed("The body must be a JSON object."));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text)
        .map_err(|_| Fault::malformed("A field of the body is there twice."))?;
    let key = envelope
        .write_key
        .and_then(|raw| serde_json::from_str(raw.get()).ok());
    let shared = Shared {
        sent_at: envelope.sent_at.and_then(body::millis),
        context: match call {
            SegmentCall::Batch => envelope.context.and_then(value),
            SegmentCall::One(_) => None,
        },
    };
    let delivery = match call {
        SegmentCall::One(kind) => items::delivery(vec![text], items::same, |text| {
            shared.draft(text, Some(kind))
        }),
        SegmentCall::Batch => {
            let batch = envelope.batch.filter(|batch| batch.get().starts_with('['));
            let batch = batch.ok_or(Fault::Malformed {
                field: Some("batch"),
                detail: "batch must be an array.",
            })?;
            items::delivery(items::split(batch.get())?, items::same, |text| {
                shared.draft(text, None)
            })
        }
    }?;
    Ok((key, delivery.drafts))
}

fn value(raw: &RawValue) -> Option<Value> {
    json_value(raw.get())?.ok()
}

struct Shared {
    sent_at: Option<i64>,
    context: Option<Value>,
}

impl Shared {
    /// One message; of a batch its `type` (or, from old libraries, `action`) says its kind.
    fn draft<'a>(&self, text: &'a str, kind: Option<SegmentKind>) -> Draft<'a> {
        let mut message = match RawEvent::parse(text) {
            Ok(raw) => raw.into_fields(),
            Err(rejection) => return Draft::Refused(rejection),
        };
        let named = || {
            let name = super::fields::first(&message, &["type", "action"])?.as_str()?;
            SegmentKind::parse(name)
        };
        let Some(kind) = kind.or_else(named) else {
            return keys_of(&message);
        };
        add(&mut message, "context", self.context.as_ref());
        self.made(message, kind)
            .map_or_else(Draft::Refused, Draft::Made)
    }

    fn made(&self, message: Fields, kind: SegmentKind) -> Result<Made, Rejection> {
        let none = Fields::new();
        let context = Context::of(&message, &none);
        let (at, sent_at) = self.times(&message);
        let day = at.as_ref().and_then(moment).map(Moment::iso);
        let day = day
            .as_deref()
            .and_then(|iso| iso.get(..10))
            .unwrap_or("undated");
        let mut data = match kind {
            SegmentKind::Track => tracked(&message, &context)?,
            SegmentKind::Page | SegmentKind::Screen => viewed(&message, &context, kind),
            SegmentKind::Identify | SegmentKind::Group | SegmentKind::Alias => {
                told(&message, &context)
            }
        };
        let message_id = message.get("messageId").and_then(identifier);
        if let Some(id) = &message_id {
            put(&mut data, "messageId", id.as_str());
        }
        let mut fields = Fields::new();
        let user = ["userId", "anonymousId"]
            .iter()
            .find_map(|name| message.get(*name).and_then(identifier));
        if let Some(user) = user {
            let session = context.session(&message, &user, day);
            fields.insert("userId".to_owned(), user.into());
            fields.insert("sessionId".to_owned(), session.into());
        }
        if let Some(at) = at {
            fields.insert("timestamp".to_owned(), at);
        }
        fields.insert("eventType".to_owned(), event_type(kind).into());
        fields.insert("eventData".to_owned(), data.into());
        fields.insert(
            "metadata".to_owned(),
            context.metadata(&message, kind).into(),
        );
        Ok(Made {
            fields,
            foreign_id: message_id.map(|id| format!("segment:{id}")),
            sent_at,
            tells_who: matches!(
                kind,
                SegmentKind::Identify | SegmentKind::Group | SegmentKind::Alias
            ),
            ..Made::default()
        })
    }

    /// When it happened and when it was sent, by the same clock. A message that Segment has received
    /// and sends on was put right there: then its `timestamp` holds and is not put right again.
    fn times(&self, message: &Fields) -> (Option<Value>, Option<i64>) {
        let at = |name| {
            let value = present(message, name)?;
            // What is no moment goes on as it is, for validation to refuse.
            Some(moment(value).map_or_else(|| value.clone(), |at| at.iso().into()))
        };
        if present(message, "receivedAt").is_some() && present(message, "timestamp").is_some() {
            return (at("timestamp"), None);
        }
        let own = present(message, "sentAt")
            .and_then(moment)
            .map(Moment::millis);
        (
            at("originalTimestamp").or_else(|| at("timestamp")),
            own.or(self.sent_at),
        )
    }
}

fn moment(value: &Value) -> Option<Moment> {
    match value {
        Value::String(text) => Moment::from_text(text),
        Value::Number(number) => Moment::from_number(number),
        _ => None,
    }
}

fn event_type(kind: SegmentKind) -> &'static str {
    match kind {
        SegmentKind::Track => "feature_use",
        SegmentKind::Page | SegmentKind::Screen => "page_view",
        SegmentKind::Identify => "segment.identify",
        SegmentKind::Group => "segment.group",
        SegmentKind::Alias => "segment.alias",
    }
}

/// The properties, and the event's name as the feature.
fn tracked(message: &Fields, context: &Context<'_>) -> Result<Fields, Rejection> {
    let name = match present(message, "event") {
        None => return Err(missing("event")),
        Some(Value::String(name)) if name.trim().is_empty() => {
            return Err(refuse(Code::EmptyField, "event", "must not be empty"));
        }
        Some(Value::String(name)) => name.as_str(),
        Some(_) => return Err(refuse(Code::WrongType, "event", "must be a string")),
    };
    let mut data = properties(message);
    context.add_page(&mut data, &["url", "path"]);
    put(&mut data, "feature", name);
    Ok(data)
}

/// The properties, and what the context says of the page; a screen is named, not addressed.
fn viewed(message: &Fields, context: &Context<'_>, kind: SegmentKind) -> Fields {
    let mut data = properties(message);
    context.add_page(&mut data, &["url", "path", "title", "referrer"]);
    context.add_campaign(&mut data);
    add(&mut data, "category", message.get("category"));
    match text(message, "name") {
        Some(name) if kind == SegmentKind::Screen => put(&mut data, "page", name),
        Some(name) => add(&mut data, "name", Some(&json!(name))),
        None => {}
    }
    data
}

/// What was told of a user. Ids are kept as they were told; nothing is joined.
fn told(message: &Fields, context: &Context<'_>) -> Fields {
    let mut data = Fields::new();
    add(&mut data, "traits", message.get("traits"));
    add(&mut data, "traits", context.field("traits"));
    for name in ["groupId", "previousId"] {
        add(&mut data, name, message.get(name));
    }
    data
}

fn properties(message: &Fields) -> Fields {
    object(message, "properties").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
