//! The stored event.

use super::common::*;
use serde_json::{Value, json};
use shoreline_shared::event::RawEvent;
use shoreline_shared::sanitize::{CleanEvent, Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};
use shoreline_shared::validate::validate;

fn clean(event: &Value) -> CleanEvent {
    let raw = RawEvent::parse(&event.to_string()).unwrap();
    sanitize(
        validate(raw, &SERVICE, &RULES).unwrap(),
        &Privacy::default(),
    )
}

#[test]
fn the_stored_form_is_pinned() {
    let event = with(domain_event(), "payload", Some(json!({"ignored": 1})));
    let event = with(event, "eventData", Some(json!({"score": 97, "a": "\"é\n"})));
    let event = with(event, "tenantId", Some(json!("academy-123")));
    let event = with(event, "eventId", Some(json!(EVENT_ID.to_uppercase())));
    let clean = clean(&event);
    assert_eq!(clean.event_id(), Some(EVENT_ID));
    assert_eq!(clean.event_type(), "challenge.completed");
    assert_eq!(clean.source(), Some("challenge-service"));
    assert_eq!(clean.user_id(), None);
    let stamped = stamp(
        clean,
        &Stamp {
            batch_id: Some("b"),
            country: Some("DE"),
            region: Some("Hesse"),
            browser: Some("Firefox"),
            os: Some("Linux"),
            device: Some("desktop"),
            ..a_stamp()
        },
    );
    // The sender's own keys may be in any order; ours are in this one.
    let (ours, theirs) = stamped.json().split_once(r#","eventData":"#).unwrap();
    assert_eq!(
        ours,
        concat!(
            r#"{"eventId":"0198c1d2-0000-7000-8000-000000000001","eventType":"challenge.completed","#,
            r#""siteId":"demo","source":"challenge-service","tenantId":"academy-123","#,
            r#""timestamp":1705334400000,"receivedAt":1705334400000,"schemaVersion":1,"#,
            r#""batchId":"b","country":"DE","region":"Hesse","#,
            r#""browser":"Firefox","os":"Linux","device":"desktop""#
        )
    );
    let (data, metadata) = theirs.split_once(r#","metadata":"#).unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data, json!({"a": "\"é", "score": 97}));
    assert_eq!(metadata, "{}}");
    assert_eq!(StampedEvent::from_json(stamped.json()), Some(stamped));
}

#[test]
fn a_clock_set_right_replaces_the_senders() {
    let valid = judge(&event(), &PAGE).unwrap();
    let clean = sanitize(valid, &Privacy::default());
    assert_eq!(clean.timestamp(), NOW);
    let right = Stamp {
        timestamp: Some(NOW - 7),
        ..a_stamp()
    };
    let stored: Value = serde_json::from_str(stamp(clean, &right).json()).unwrap();
    assert_eq!(stored["timestamp"], NOW - 7);
}

#[test]
fn accessors_tell_what_is_stored() {
    let event = stamped(&event(), &PAGE, &Privacy::default());
    assert_eq!(event.event_id(), EVENT_ID);
    assert_eq!(event.event_type(), "feature_use");
    assert_eq!(event.source(), "tracker");
    assert_eq!(event.received_at(), NOW);
    assert_eq!(event.user_id(), Some("user-123"));
    assert_eq!(event.feature(), Some("blog-post-generator"));
    assert_eq!(event.page(), None);
    assert_eq!(StampedEvent::from_json(event.json()), Some(event));
}

#[test]
fn the_page_of_a_view_is_a_path() {
    for (data, page) in [
        (
            json!({"url": "https://x.com/a/b?utm_source=n&q=1#f"}),
            Some("/a/b"),
        ),
        (
            json!({"url": "https://x.com/a", "path": "/b?q", "page": "/c"}),
            Some("/b"),
        ),
        (json!({"url": "https://x.com", "path": ""}), Some("/")),
        (json!({"url": 7, "page": "Home"}), Some("Home")),
        (
            json!({"path": "?q", "page": "/u/bob@x.com"}),
            Some("/u/[redacted]"),
        ),
        (json!({"title": "x"}), None),
        (json!({}), None),
    ] {
        let event = with(event(), "eventType", Some(json!("page_view")));
        let event = with(event, "eventData", Some(data.clone()));
        let event = stamped(&event, &PAGE, &Privacy::default());
        assert_eq!(event.page(), page, "{data}");
        assert_eq!(event.feature(), None);
        assert_eq!(StampedEvent::from_json(event.json()), Some(event));
    }
    let other = with(event(), "eventType", Some(json!("page_leave")));
    let other = with(other, "eventData", Some(json!({"url": "https://x.com/a"})));
    assert_eq!(stamped(&other, &PAGE, &Privacy::default()).page(), None);
}

#[test]
fn a_route_belongs_to_the_page_where_fragments_are_kept() {
    let view = with(event(), "eventType", Some(json!("page_view")));
    let view = with(
        view,
        "eventData",
        Some(json!({"url": "https://x.com/app#/cart?token=1"})),
    );
    let page = |hash_routing| {
        let privacy = Privacy {
            hash_routing,
            anonymous: None,
        };
        stamped(&view, &PAGE, &privacy).page().map(str::to_owned)
    };
    assert_eq!(page(true).as_deref(), Some("/app#/cart"));
    assert_eq!(page(false).as_deref(), Some("/app"));
}

#[test]
fn only_stored_events_are_read_back() {
    let erased = r#"{"eventId":"e","eventType":"page_view","source":"tracker","userId":"erased-1","receivedAt":1}"#;
    let event = StampedEvent::from_json(erased).unwrap();
    assert_eq!((event.user_id(), event.page()), (Some("erased-1"), None));
    for text in [
        "",
        "{}",
        "[\"e\",\"t\",\"s\",1,null,null]",
        "null",
        r#"{"eventId":"e","eventType":"t","source":"s"}"#,
        r#"{"eventId":1,"eventType":"t","source":"s","receivedAt":1}"#,
        "{\"eventId\":\"e\",\n\"eventType\":\"t\",\"source\":\"s\",\"receivedAt\":1}",
    ] {
        assert_eq!(StampedEvent::from_json(text), None, "{text}");
    }
}
