//! Events, made ready to be sent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shoreline_shared::event::{RawEvent, Rejection};
use shoreline_shared::event_type::TrackerType;
use shoreline_shared::validate::{Rules, Sender, validate};

use crate::ambient;

mod command;
mod visit;

pub use command::Command;
pub use visit::Visit;

/// One occurrence, with an id and a time of its own from the moment it is made.
///
/// Sent again, also as a clone or in another batch or by another process, it is the same event and is
/// counted once. So make one for each occurrence; a clone is no second one.
///
/// It is serialized and read as the wire has it, so that a service can keep events it could not
/// deliver (an outbox table, a file) and publish them later under the same ids.
///
/// ```
/// use shoreline_publisher::{Event, Visit};
///
/// let visit = Visit {
///     user_id: "user-123",
///     session_id: "session-456",
///     user_agent: "Mozilla/5.0",
///     ip_address: "203.0.113.7",
///     platform: "web",
/// };
/// let used = Event::feature_use(&visit, "blog-post-generator").data("duration", 5000);
/// let ordered = Event::domain("com.example.order.v1", "orders").data("total", 1250);
///
/// assert_ne!(used.event_id(), ordered.event_id());
/// assert_eq!(used.clone().event_id(), used.event_id());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default = "ambient::fresh_id")]
    event_id: String,
    event_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// Unix milliseconds, or RFC 3339.
    #[serde(default = "now", alias = "occurredAt")]
    timestamp: Value,
    #[serde(default)]
    event_data: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

impl Event {
    /// A page was shown to a visitor, at this path or URL.
    pub fn page_view(visit: &Visit<'_>, page: &str) -> Self {
        let field = if page.contains("://") { "url" } else { "path" };
        Self::of_visit(TrackerType::PageView, visit).data(field, page)
    }

    /// A visitor used a feature. How long it took goes into `duration`, in milliseconds.
    pub fn feature_use(visit: &Visit<'_>, feature: &str) -> Self {
        Self::of_visit(TrackerType::FeatureUse, visit).data("feature", feature)
    }

    /// A visitor made content of this type, such as `blog_post`.
    pub fn content_create(visit: &Visit<'_>, content_type: &str) -> Self {
        Self::of_visit(TrackerType::ContentCreate, visit).data("contentType", content_type)
    }

    /// A model was asked for a visitor. `tokens` and `cost` are what metrics read.
    pub fn ai_request(visit: &Visit<'_>, model: &str) -> Self {
        Self::of_visit(TrackerType::AiRequest, visit).data("model", model)
    }

    /// Something failed for a visitor. `source` and `stack` say where.
    pub fn error(visit: &Visit<'_>, message: &str) -> Self {
        Self::of_visit(TrackerType::Error, visit).data("message", message)
    }

    /// A domain event such as `iam.user-registered`, of the service `source`. The type is 1 to 100
    /// letters, digits, dots, hyphens and underscores; a [`Publisher`](crate::Publisher) refuses any other.
    pub fn domain(event_type: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(event_type.into())
        }
    }

    fn new(event_type: String) -> Self {
        Self {
            event_id: ambient::fresh_id(),
            event_type,
            source: None,
            tenant_id: None,
            user_id: None,
            session_id: None,
            timestamp: now(),
            event_data: Map::new(),
            metadata: Map::new(),
        }
    }

    fn of_visit(event_type: TrackerType, visit: &Visit<'_>) -> Self {
        Self::new(event_type.as_str().to_owned())
            .user(visit.user_id)
            .session(visit.session_id)
            .metadata("userAgent", visit.user_agent)
            .metadata("ipAddress", visit.ip_address)
            .metadata("platform", visit.platform)
    }

    /// Sets a field of `eventData`.
    #[must_use]
    pub fn data(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.event_data.insert(name.into(), value.into());
        self
    }

    /// Sets a field of `metadata`.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Whom it concerns. Without a user a domain event counts no user.
    #[must_use]
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// In which session.
    #[must_use]
    pub fn session(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }

    /// For which tenant of the service.
    #[must_use]
    pub fn tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }

    /// The service that tells it; without, it is the name that the source key has, if it has one.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// When it happened, Unix milliseconds, if that is not now.
    #[must_use]
    pub fn at_ms(mut self, timestamp: i64) -> Self {
        self.timestamp = timestamp.into();
        self
    }

    /// When it happened, RFC 3339 (`2024-01-15T16:00:00Z`), if that is not now.
    #[must_use]
    pub fn at(mut self, rfc3339: impl Into<String>) -> Self {
        self.timestamp = Value::String(rfc3339.into());
        self
    }

    /// An id from elsewhere, a UUID in its form with hyphens: that of an outbox's row, say, so that
    /// whoever publishes the row publishes the same event.
    #[must_use]
    pub fn with_id(mut self, uuid: impl Into<String>) -> Self {
        self.event_id = uuid.into();
        self
    }

    /// Its id.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Its type, as on the wire.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Its JSON text, if a collector would take it: the same check by the same code, so that a
    /// mistake is told where it was made. How far back the site keeps events is not known here.
    pub(crate) fn checked_json(&self) -> Result<String, Rejection> {
        // Maps with string keys always serialize; if not, the empty text is refused below.
        let json = serde_json::to_string(self).unwrap_or_default();
        let raw = RawEvent::parse(&json)?;
        // A tracker type without a source is taken; a domain type needs its own.
        let sender = Sender::Source { name: None };
        let rules = Rules {
            now_ms: ambient::now_ms(),
            retention_days: 0,
            any_past: true,
        };
        validate(raw, &sender, &rules)?;
        Ok(json)
    }
}

fn now() -> Value {
    ambient::now_ms().into()
}

#[cfg(test)]
mod tests;
