//! The second stage: is it an event, and may this sender send it?
//!
//! The first failure is told, in this order: `eventType`, `source`, `userId`, `sessionId`,
//! `eventId`, `timestamp` (or `occurredAt`), `tenantId`, `eventData`, `eventData.feature`,
//! `eventData.anonymousId`, `metadata`, `metadata.userAgent`, `metadata.ipAddress`, `metadata.platform`. Null counts as
//! absent everywhere, and fields that are not of the contract are ignored.

use serde_json::{Map, Value};

use crate::event::{Code, RawEvent, Rejection};
use crate::event_type::{EventType, TrackerType};
use crate::id::parse_uuid;
use crate::text::identifier;

mod field;
mod timestamp;

pub(crate) use field::is_blank;
use field::{optional_text, required_text};
pub use timestamp::instant_ms;
pub(crate) use timestamp::{instant_of_number, instant_of_text, is_within};

/// Who sends, and what the edge itself knows of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A page, with a browser key. What it claims of user agent and address is ignored, and it may
    /// send tracker types only.
    Browser {
        /// The `User-Agent` header. Without one the event is refused, where bots are wanted at all.
        user_agent: Option<&'a str>,
        /// The visitor's address. Where it is not known, `0.0.0.0` is stored.
        ip: Option<&'a str>,
        /// An adapter named the event's type, so it may be a domain type of that adapter's.
        adapted: bool,
    },
    /// A service, with a source key.
    Source {
        /// The source of events that do not name one.
        name: Option<&'a str>,
    },
}

/// What a deployment and the moment allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Now, Unix milliseconds.
    pub now_ms: i64,
    /// How many days a timestamp may lie back.
    pub retention_days: u32,
    /// Imports: a timestamp may lie back as far as it likes.
    pub any_past: bool,
}

/// An event that fulfils the contract, its content not cleaned yet. Made by [`validate`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidEvent {
    pub(crate) event_type: EventType,
    pub(crate) source: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) timestamp: i64,
    pub(crate) tenant_id: Option<String>,
    pub(crate) event_data: Map<String, Value>,
    pub(crate) metadata: Map<String, Value>,
}

impl ValidEvent {
    /// The type's name.
    pub fn event_type(&self) -> &str {
        self.event_type.as_str()
    }

    /// What it says of itself, to be normalized: before it is cleaned, so that it is clean after all.
    pub fn event_data_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.event_data
    }
}

/// Judges one event.
///
/// # Errors
/// The first failure, in the order above.
pub fn validate(
    raw: RawEvent,
    sender: &Sender<'_>,
    rules: &Rules,
) -> Result<ValidEvent, Rejection> {
    let mut fields = raw.into_fields();
    let event_type = event_type(&mut fields, sender)?;
    let tracker = match event_type {
        EventType::Tracker(tracker) => Some(tracker),
        EventType::Domain(_) => None,
    };
    let source = source(&mut fields, sender, tracker)?;
    let person = |fields: &mut Map<String, Value>, name| match tracker {
        Some(_) => required_text(fields, name, name).map(Some),
        None => optional_text(fields, name),
    };
    Ok(ValidEvent {
        user_id: person(&mut fields, "userId").and_then(addressable)?,
        session_id: person(&mut fields, "sessionId")?,
        event_id: event_id(&mut fields)?,
        timestamp: timestamp::read(&mut fields, rules)?,
        tenant_id: optional_text(&mut fields, "tenantId")?,
        event_data: event_data(&mut fields, sender, tracker)?,
        metadata: metadata(&mut fields, sender, tracker)?,
        event_type,
        source,
    })
}

/// A user id that is a segment of a path by itself would be resolved away by whoever writes it into an address, and
/// its user could never be found, exported or erased.
fn addressable(id: Option<String>) -> Result<Option<String>, Rejection> {
    let cleaned = id.as_deref().filter(|id| id.contains('.'));
    if cleaned.is_some_and(|id| is_dots(&identifier(id.to_owned()))) {
        let message = "userId must not be . or .., which no address can hold.";
        return Err(Rejection::new(Code::InvalidUserId, "userId", message));
    }
    Ok(id)
}

/// Whether a cleaned id is a segment that addresses resolve away.
pub(crate) fn is_dots(id: &str) -> bool {
    matches!(id, "." | "..")
}

fn event_type(
    fields: &mut Map<String, Value>,
    sender: &Sender<'_>,
) -> Result<EventType, Rejection> {
    let name = required_text(fields, "eventType", "eventType")?;
    let refuse = |message: &str| Rejection::new(Code::InvalidEventType, "eventType", message);
    match EventType::parse(&identifier(name)) {
        None => Err(refuse(
            "eventType must be 1 to 100 letters, digits, dots, hyphens or underscores.",
        )),
        Some(EventType::Domain(_)) if matches!(sender, Sender::Browser { adapted: false, .. }) => {
            Err(refuse(
                "A browser key sends the tracker's own event types only.",
            ))
        }
        Some(event_type) => Ok(event_type),
    }
}

/// A page has no say in its source; a domain event must have one, its own or its sender's.
fn source(
    fields: &mut Map<String, Value>,
    sender: &Sender<'_>,
    tracker: Option<TrackerType>,
) -> Result<Option<String>, Rejection> {
    let Sender::Source { name } = sender else {
        return Ok(None);
    };
    let name = name.filter(|name| !field::is_blank(name));
    match (name, tracker) {
        (None, None) => required_text(fields, "source", "source").map(Some),
        _ => Ok(optional_text(fields, "source")?.or(name.map(str::to_owned))),
    }
}

fn event_id(fields: &mut Map<String, Value>) -> Result<Option<String>, Rejection> {
    let invalid = || {
        let message = "eventId must be a UUID in its form with hyphens.";
        Rejection::new(Code::InvalidEventId, "eventId", message)
    };
    match fields.get("eventId") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => parse_uuid(text).map(Some).ok_or_else(invalid),
        Some(_) => Err(invalid()),
    }
}

fn event_data(
    fields: &mut Map<String, Value>,
    sender: &Sender<'_>,
    tracker: Option<TrackerType>,
) -> Result<Map<String, Value>, Rejection> {
    let data = field::object(fields, "eventData")?.unwrap_or_default();
    if tracker == Some(TrackerType::FeatureUse) {
        field::check_text(data.get("feature"), "eventData.feature")?;
    }
    if tracker == Some(TrackerType::Identify) {
        let id = data.get(ANONYMOUS_ID);
        field::check_text(id, ANONYMOUS_ID_PATH)?;
        let is_page = matches!(sender, Sender::Browser { .. });
        if is_page && !id.and_then(Value::as_str).is_some_and(is_visitor_id) {
            let message = "A page's anonymousId must be one that the tracker made: v- and a UUID.";
            return Err(Rejection::new(
                Code::InvalidUserId,
                ANONYMOUS_ID_PATH,
                message,
            ));
        }
    }
    Ok(data)
}

/// By which id the user of an `identify` was known before.
pub(crate) const ANONYMOUS_ID: &str = "anonymousId";
const ANONYMOUS_ID_PATH: &str = "eventData.anonymousId";

/// Whether it is an id that the tracker makes, which nobody can guess. Anybody can send events with a browser key, and may
/// not say of a user whom they know by name that they are another one.
fn is_visitor_id(id: &str) -> bool {
    let uuid = id.strip_prefix("v-").and_then(parse_uuid);
    uuid.is_some_and(|uuid| id.ends_with(&uuid))
}

fn metadata(
    fields: &mut Map<String, Value>,
    sender: &Sender<'_>,
    tracker: Option<TrackerType>,
) -> Result<Map<String, Value>, Rejection> {
    let Some(mut metadata) = field::object(fields, "metadata")? else {
        return match tracker {
            Some(_) => Err(Rejection::missing("metadata")),
            None => Ok(Map::new()),
        };
    };
    if let Sender::Browser { user_agent, ip, .. } = sender {
        metadata.remove("userAgent");
        if let Some(user_agent) = user_agent {
            metadata.insert("userAgent".to_owned(), (*user_agent).into());
        }
        let known = ip.filter(|ip| !field::is_blank(ip));
        metadata.insert("ipAddress".to_owned(), known.unwrap_or("0.0.0.0").into());
    }
    if tracker.is_some() {
        field::check_text(metadata.get("userAgent"), "metadata.userAgent")?;
        field::check_text(metadata.get("ipAddress"), "metadata.ipAddress")?;
        field::check_text(metadata.get("platform"), "metadata.platform")?;
    }
    Ok(metadata)
}
