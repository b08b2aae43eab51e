use serde_json::{Value, json};
use shoreline_shared::event::Code;

use super::*;

const VISIT: Visit<'_> = Visit {
    user_id: "u-1",
    session_id: "s-1",
    user_agent: "Mozilla/5.0",
    ip_address: "203.0.113.7",
    platform: "web",
};

fn wire(event: &Event) -> Value {
    serde_json::from_str(&event.checked_json().unwrap()).unwrap()
}

#[test]
fn each_builder_makes_what_the_contract_asks_for() {
    let metadata =
        json!({"userAgent": "Mozilla/5.0", "ipAddress": "203.0.113.7", "platform": "web"});
    for (event, kind, data) in [
        (
            Event::page_view(&VISIT, "/a"),
            "page_view",
            json!({"path": "/a"}),
        ),
        (
            Event::page_view(&VISIT, "https://shop.example/a"),
            "page_view",
            json!({"url": "https://shop.example/a"}),
        ),
        (
            Event::feature_use(&VISIT, "export").data("duration", 12),
            "feature_use",
            json!({"feature": "export", "duration": 12}),
        ),
        (
            Event::content_create(&VISIT, "post"),
            "content_create",
            json!({"contentType": "post"}),
        ),
        (
            Event::ai_request(&VISIT, "m")
                .data("tokens", 7)
                .data("cost", 0.0125),
            "ai_request",
            json!({"model": "m", "tokens": 7, "cost": 0.0125}),
        ),
        (
            Event::error(&VISIT, "oops"),
            "error",
            json!({"message": "oops"}),
        ),
    ] {
        let event = event.at_ms(1_705_334_400_000);
        assert_eq!(
            wire(&event),
            json!({
                "eventId": event.event_id(), "eventType": kind, "userId": "u-1", "sessionId": "s-1",
                "timestamp": 1_705_334_400_000_i64, "eventData": data, "metadata": metadata,
            })
        );
    }
}

#[test]
fn a_domain_event_needs_its_source_and_nothing_else() {
    let event = Event::domain("com.example.order.v1", "orders");
    let sent = wire(&event);
    assert_eq!(sent["source"], "orders");
    assert_eq!(sent["eventData"], json!({}));
    assert!(sent["timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    for absent in ["userId", "sessionId", "tenantId", "metadata"] {
        assert_eq!(sent.get(absent), None, "{absent}");
    }
    let full = event
        .user("u")
        .session("s")
        .tenant("t")
        .metadata("traceId", "x");
    let sent = wire(&full);
    assert_eq!(
        (&sent["userId"], &sent["tenantId"]),
        (&json!("u"), &json!("t"))
    );
    assert_eq!(sent["metadata"], json!({"traceId": "x"}));
}

#[test]
fn a_command_becomes_the_same_domain_event() {
    let command: Command = serde_json::from_value(json!({
        "eventType": "LowStockWarning", "source": "catalog", "occurredAt": "2025-11-16T18:14:00Z",
        "tenantId": "t-1", "payload": {"productId": "p", "left": 2},
    }))
    .unwrap();
    let event = Event::from(command);
    assert_eq!(
        wire(&event),
        json!({
            "eventId": event.event_id(), "eventType": "LowStockWarning", "source": "catalog",
            "tenantId": "t-1", "timestamp": "2025-11-16T18:14:00Z",
            "eventData": {"productId": "p", "left": 2},
        })
    );
}

#[test]
fn an_event_that_was_kept_is_the_same_event() {
    let event = Event::feature_use(&VISIT, "export")
        .tenant("t")
        .data("rows", vec![1, 2]);
    let kept = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&kept).unwrap(), event);
}

#[test]
fn what_a_collector_would_refuse_is_refused_with_its_code() {
    let nested = (0..20).fold(json!(1), |inside, _| json!([inside]));
    for (event, code, field) in [
        (
            Event::domain("no spaces", "s"),
            Code::InvalidEventType,
            "eventType",
        ),
        (Event::domain("a.b", " "), Code::EmptyField, "source"),
        (
            Event::feature_use(&VISIT, ""),
            Code::EmptyField,
            "eventData.feature",
        ),
        (
            Event::page_view(
                &Visit {
                    user_id: "",
                    ..VISIT
                },
                "/",
            ),
            Code::EmptyField,
            "userId",
        ),
        (
            Event::domain("a.b", "s").with_id("7"),
            Code::InvalidEventId,
            "eventId",
        ),
        (
            Event::domain("a.b", "s").at("yesterday"),
            Code::InvalidTimestamp,
            "timestamp",
        ),
        (
            Event::domain("a.b", "s").at_ms(i64::MAX),
            Code::TimestampOutOfRange,
            "timestamp",
        ),
        (
            Event::domain("a.b", "s").data("x", "x".repeat(32 * 1024)),
            Code::EventTooLarge,
            "",
        ),
        (
            Event::domain("a.b", "s").data("x", nested),
            Code::TooDeep,
            "",
        ),
    ] {
        let refused = event.checked_json().unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_ref()),
            (code, field),
            "{event:?}"
        );
    }
}
