//! What the test files share.

use serde_json::{Value, json};
use shoreline_shared::event::{RawEvent, Rejection};
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};
use shoreline_shared::validate::{Rules, Sender, ValidEvent, validate};

/// 2024-01-15T16:00:00Z.
pub(crate) const NOW: i64 = 1_705_334_400_000;
pub(crate) const DAY: i64 = 86_400_000;
pub(crate) const EVENT_ID: &str = "0198c1d2-0000-7000-8000-000000000001";

pub(crate) const RULES: Rules = Rules {
    now_ms: NOW,
    retention_days: 30,
    any_past: false,
};
pub(crate) const PAGE: Sender<'static> = Sender::Browser {
    user_agent: Some("Mozilla/5.0"),
    ip: Some("203.0.113.77"),
    adapted: false,
};
pub(crate) const SERVICE: Sender<'static> = Sender::Source { name: None };

/// The event of the contract, complete for any sender.
pub(crate) fn event() -> Value {
    json!({
        "eventId": EVENT_ID,
        "eventType": "feature_use",
        "userId": "user-123",
        "sessionId": "session-456",
        "timestamp": NOW,
        "eventData": {"feature": "blog-post-generator", "duration": 5000},
        "metadata": {"userAgent": "curl/8", "ipAddress": "192.168.1.1", "platform": "web"}
    })
}

/// A domain event with no more than it needs.
pub(crate) fn domain_event() -> Value {
    json!({"eventType": "challenge.completed", "source": "challenge-service"})
}

/// `event` with the value at `path` (`a.b`) replaced, or removed.
pub(crate) fn with(mut event: Value, path: &str, value: Option<Value>) -> Value {
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = &mut event;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        at = &mut at[parent];
    }
    if let Some(fields) = at.as_object_mut() {
        match value {
            Some(value) => fields.insert(name.to_owned(), value),
            None => fields.remove(name),
        };
    }
    event
}

pub(crate) fn judge(event: &Value, sender: &Sender<'_>) -> Result<ValidEvent, Rejection> {
    judge_by(event, sender, &RULES)
}

pub(crate) fn judge_by(
    event: &Value,
    sender: &Sender<'_>,
    rules: &Rules,
) -> Result<ValidEvent, Rejection> {
    validate(RawEvent::parse(&event.to_string())?, sender, rules)
}

/// What the event is refused for: code and field.
pub(crate) fn refusal(event: &Value, sender: &Sender<'_>) -> Option<(&'static str, String)> {
    judge(event, sender).err().map(|rejection| {
        assert!(rejection.message.ends_with('.'), "{}", rejection.message);
        (rejection.code.as_str(), rejection.field.into_owned())
    })
}

pub(crate) fn a_stamp() -> Stamp<'static> {
    Stamp {
        site_id: "demo",
        source: "tracker",
        event_id: EVENT_ID,
        received_at: NOW,
        ..Stamp::default()
    }
}

/// The whole way of a valid event.
pub(crate) fn stamped(event: &Value, sender: &Sender<'_>, privacy: &Privacy) -> StampedEvent {
    match judge(event, sender) {
        Ok(valid) => stamp(sanitize(valid, privacy), &a_stamp()),
        Err(rejection) => panic!("{rejection:?}: {event}"),
    }
}

/// As stored.
pub(crate) fn stored(event: &Value, sender: &Sender<'_>, privacy: &Privacy) -> Value {
    serde_json::from_str(stamped(event, sender, privacy).json()).unwrap_or_default()
}

#[track_caller]
pub(crate) fn assert_refused(event: &Value, sender: &Sender<'_>, code: &str, field: &str) {
    assert_eq!(
        refusal(event, sender),
        Some((code, field.to_owned())),
        "{event}"
    );
}

#[track_caller]
pub(crate) fn assert_taken(event: &Value, sender: &Sender<'_>) {
    assert_eq!(refusal(event, sender), None, "{event}");
}
