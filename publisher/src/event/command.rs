//! The canonical command of services that already publish to each other.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Event;

/// `{eventType, source, occurredAt, tenantId, payload}`: what services put on their topics.
///
/// As an [`Event`] its payload is the `eventData`. A command has no id, so the event is given a fresh
/// one: make the event once, and send that again, or take the id from where the command came from
/// ([`Event::with_id`]).
///
/// ```
/// use shoreline_publisher::{Command, Event};
///
/// let command: Command = serde_json::from_str(
///     r#"{"eventType":"ProductCreated","source":"catalog",
///         "occurredAt":"2025-11-16T18:14:00.123Z","payload":{"productId":"p-1"}}"#,
/// )?;
/// let event = Event::from(command);
/// assert_eq!(event.event_type(), "ProductCreated");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The domain event's type.
    pub event_type: String,
    /// The service that tells it.
    pub source: String,
    /// When it happened, RFC 3339; now, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// For which tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// What happened.
    #[serde(default)]
    pub payload: Map<String, Value>,
}

impl From<Command> for Event {
    fn from(command: Command) -> Self {
        let mut event = Event::domain(command.event_type, command.source);
        if let Some(occurred_at) = command.occurred_at {
            event = event.at(occurred_at);
        }
        event.tenant_id = command.tenant_id;
        event.event_data = command.payload;
        event
    }
}
