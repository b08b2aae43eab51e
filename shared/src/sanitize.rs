//! The third stage: content cleaned (contract: sanitization) and private things hidden (privacy),
//! in one walk. Doing it twice equals doing it once.

use serde_json::{Map, Value};

use crate::event_type::{EventType, TrackerType};
use crate::limits::{MAX_ARRAY_ITEMS, MAX_DEPTH, MAX_KEYS};
use crate::privacy::{KeyKind, REDACTED, Style, truncate_ips};
use crate::privacy::{hashed_id, is_anonymous_id, is_card_number};
use crate::text::{cleaned, identifier};
use crate::validate::{ANONYMOUS_ID, ValidEvent};

/// The level of `eventData` and `metadata` in an event.
const CONTENT_LEVEL: usize = 2;

/// How private an event is made, beyond what always happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Fragments of URLs are routes on this site: keep them, cleaned.
    pub hash_routing: bool,
    /// The visitor asked not to be followed: this id stands for `userId` and `sessionId`, and
    /// address and user agent are left out.
    pub anonymous: Option<String>,
}

/// An event that may be stored and sent on. Made by [`sanitize`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct CleanEvent {
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

impl CleanEvent {
    /// The sender's own id, a lowercase UUID.
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    /// The type's name.
    pub fn event_type(&self) -> &str {
        self.event_type.as_str()
    }

    /// The service that the event comes from, where it or its sender says so.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The user, or the id that stands for them.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Puts a keyed hash in place of the user's id, and of the one that they were known by before. A private visit's id is one already.
    pub fn hash_user(&mut self, key: &[u8], site: &str) {
        if let Some(id) = &mut self.user_id
            && !is_anonymous_id(id)
        {
            *id = hashed_id(key, site, id);
        }
        if self.event_type == EventType::Tracker(TrackerType::Identify)
            && let Some(Value::String(id)) = self.event_data.get_mut(ANONYMOUS_ID)
        {
            *id = hashed_id(key, site, id);
        }
    }

    /// When it happened, by its sender's clock, Unix milliseconds.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The user agent, where it has one and it is no private visit's.
    pub fn user_agent(&self) -> Option<&str> {
        self.metadata
            .get("userAgent")?
            .as_str()
            .filter(|agent| *agent != REDACTED)
    }
}

/// Cleans one event.
///
/// `userId`, `sessionId`, `tenantId`, `source` and the `anonymousId` of an `identify` are identifiers: they lose control characters
/// and outer spaces and are cut at 1000 characters, but nothing in them is redacted, because two
/// users must not become one. A site that does not want e-mail addresses stored must not use them
/// as ids.
pub fn sanitize(valid: ValidEvent, privacy: &Privacy) -> CleanEvent {
    let walk = Walk { privacy };
    let (mut event_data, mut metadata) = (valid.event_data, valid.metadata);
    let is_identify = valid.event_type == EventType::Tracker(TrackerType::Identify);
    let anonymous_id = is_identify
        .then(|| event_data.remove(ANONYMOUS_ID))
        .flatten();
    walk.object(&mut event_data, CONTENT_LEVEL);
    if let Some(Value::String(id)) = anonymous_id {
        event_data.insert(ANONYMOUS_ID.to_owned(), identifier(id).into());
    }
    walk.object(&mut metadata, CONTENT_LEVEL);
    if privacy.anonymous.is_some() {
        // What the day's id is made of would link the visits of two days all the same.
        for key in ["ipAddress", "userAgent"] {
            if let Some(value) = metadata.get_mut(key) {
                *value = Value::String(REDACTED.to_owned());
            }
        }
    }
    let person = |id: Option<String>| {
        id.map(|id| privacy.anonymous.clone().unwrap_or_else(|| identifier(id)))
    };
    CleanEvent {
        event_type: valid.event_type,
        source: valid.source.map(identifier),
        user_id: person(valid.user_id),
        session_id: person(valid.session_id),
        event_id: valid.event_id,
        timestamp: valid.timestamp,
        tenant_id: valid.tenant_id.map(identifier),
        event_data,
        metadata,
    }
}

/// Cleans a value as if it were an event's `eventData`; `None` where nothing is left of it.
pub fn sanitize_value(mut value: Value, privacy: &Privacy) -> Option<Value> {
    let walk = Walk { privacy };
    walk.value(&mut value, KeyKind::Plain, CONTENT_LEVEL)
        .then_some(value)
}

struct Walk<'a> {
    privacy: &'a Privacy,
}

impl Walk<'_> {
    /// Cleans a value in place, at this level if it is a container; `false`: it has to go.
    fn value(&self, value: &mut Value, kind: KeyKind, level: usize) -> bool {
        match value {
            Value::Null => return false,
            Value::Bool(_) => {}
            Value::Number(number) => {
                if kind == KeyKind::Ip || is_card_number(number) {
                    *value = REDACTED.into();
                }
            }
            Value::String(text) => {
                if let Some(better) = self.text(text, kind) {
                    *text = better;
                }
            }
            Value::Array(items) if level <= MAX_DEPTH => {
                items.truncate(MAX_ARRAY_ITEMS);
                items.retain_mut(|item| self.value(item, kind, level.saturating_add(1)));
            }
            Value::Object(fields) if level <= MAX_DEPTH => self.object(fields, level),
            Value::Array(_) | Value::Object(_) => return false,
        }
        true
    }

    fn text(&self, text: &str, kind: KeyKind) -> Option<String> {
        let style = Style::of(kind, self.privacy.hash_routing);
        match kind {
            KeyKind::Ip => Some(truncate_ips(text)),
            _ => cleaned(text, style),
        }
    }

    /// Cleans an object's keys and values in place. Of keys that become the same, the one that
    /// needed no cleaning stays, else the first.
    fn object(&self, fields: &mut Map<String, Value>, level: usize) {
        let style = Style::of(KeyKind::Plain, self.privacy.hash_routing);
        let mut renamed = Vec::new();
        let mut kept = 0_usize;
        fields.retain(|key, value| {
            if let Some(better) = cleaned(key, style) {
                renamed.push((better, value.take()));
                return false;
            }
            let keep = kept < MAX_KEYS && self.field(key, value, level);
            kept = kept.saturating_add(usize::from(keep));
            keep
        });
        for (key, mut value) in renamed {
            let room = fields.len() < MAX_KEYS && !fields.contains_key(&key);
            if room && self.field(&key, &mut value, level) {
                fields.insert(key, value);
            }
        }
    }

    /// Cleans what stands under a clean key; `false`: both have to go.
    fn field(&self, key: &str, value: &mut Value, level: usize) -> bool {
        match KeyKind::of(key) {
            KeyKind::Dropped => false,
            KeyKind::Sensitive if value.is_null() => false,
            KeyKind::Sensitive => {
                *value = REDACTED.into();
                true
            }
            kind => self.value(value, kind, level.saturating_add(1)),
        }
    }
}
