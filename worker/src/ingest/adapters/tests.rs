use serde_json::{Value, json};
use shoreline_shared::event::Rejection;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

use super::*;
use crate::ingest::draft::{Draft, Made};

mod identity;
mod properties;

/// 2025-11-17, after all fixtures.
const NOW_MS: i64 = 1_763_337_600_000;

fn no_headers() -> CloudEventHeaders {
    CloudEventHeaders::default()
}

pub(super) fn ingest<'a>(
    content_type: Option<&str>,
    headers: &CloudEventHeaders,
    body: &'a [u8],
) -> Result<Vec<Draft<'a>>, Fault> {
    ingest_delivery(content_type, headers, body).map(|delivery| delivery.drafts)
}

pub(super) fn drafts(content_type: &str, body: &str) -> Vec<Draft<'static>> {
    let drafts = ingest(Some(content_type), &no_headers(), body.as_bytes()).unwrap();
    drafts.into_iter().map(owned).collect()
}

pub(super) fn owned(draft: Draft<'_>) -> Draft<'static> {
    match draft {
        Draft::Text(text) | Draft::Scanned { text, .. } => Draft::Text(text.to_owned().leak()),
        Draft::Made(made) => Draft::Made(made),
        Draft::Unknown { keys } => Draft::Unknown { keys },
        Draft::Refused(rejection) => Draft::Refused(rejection),
    }
}

/// The draft of one JSON item.
pub(super) fn draft(item: &Value) -> Draft<'static> {
    let mut drafts = drafts("application/json", &item.to_string());
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

pub(super) fn made(item: &Value) -> Made {
    match draft(item) {
        Draft::Made(made) => made,
        other => panic!("{other:?}"),
    }
}

pub(super) fn refused(draft: Draft<'_>) -> (&'static str, String) {
    match stored(draft) {
        Err(rejection) => (rejection.code.as_str(), rejection.field.into_owned()),
        Ok(stored) => panic!("{stored:?}"),
    }
}

/// What is stored of a draft from a service, after all later stages; `None` of one left out.
pub(super) fn stored(draft: Draft<'_>) -> Result<Option<Value>, Rejection> {
    let Some(raw) = draft.into_raw()? else {
        return Ok(None);
    };
    let sender = Sender::Source { name: None };
    let rules = Rules {
        now_ms: NOW_MS,
        retention_days: 30,
        any_past: true,
    };
    let clean = sanitize(validate(raw.event, &sender, &rules)?, &Privacy::default());
    let stamped = stamp(
        clean,
        &Stamp {
            site_id: "demo",
            source: "service",
            event_id: "0198c1d2-6f00-7000-8000-000000000001",
            received_at: NOW_MS,
            ..Stamp::default()
        },
    );
    Ok(Some(serde_json::from_str(stamped.json()).unwrap()))
}

pub(super) fn stored_one(item: &Value) -> Value {
    stored(draft(item)).unwrap().unwrap()
}

pub(super) fn canonical() -> Value {
    json!({
        "eventType": "challenge.completed",
        "source": "challenge-service",
        "occurredAt": "2025-11-16T18:14:00Z",
        "tenantId": "academy-7",
        "payload": {"challengeId": "c-1", "studentId": "s-9", "score": 97}
    })
}

pub(super) fn own() -> Value {
    json!({
        "eventType": "feature_use", "userId": "u-1", "sessionId": "s-1",
        "eventData": {"feature": "search"},
        "metadata": {"userAgent": "curl/8", "ipAddress": "203.0.113.9", "platform": "server"}
    })
}

/// An item of every shape that is recognized.
pub(super) fn fixtures() -> Vec<Value> {
    vec![
        canonical(),
        own(),
        json!({"id": 7, "username": "ada", "email": "ada@mail.example", "registeredAt": [2025, 11, 16, 18, 14, 0, 123_456_789]}),
        json!({"guideId": "g-1", "challengeId": "c-1", "occurredAt": 1_731_780_840.123_456}),
        json!({"executionId": "x-1", "language": "java", "status": "OK", "executedAt": "2025-11-16T18:14:00.123456789Z"}),
        json!({"userId": "u-1", "username": "ada", "profileUrl": null}),
        json!({"userId": "u-1", "username": "ada", "profileUrl": "https://community.example/u/ada"}),
        json!({"challengeId": "c-1", "studentId": "s-9", "experience": 50, "occurredOn": [2025, 11, 16, 18, 14]}),
        json!({"type": "iam registered", "data": {"userId": "u-1", "username": "ada", "registeredAt": "2025-11-16T18:14:00"}}),
        json!({"eventId": "p-1", "eventType": "ProductCreated", "timestamp": "2025-11-16T18:14:00Z", "data": {"productId": "p", "status": "active"}}),
        json!({"type": "LowStockWarning", "productId": "p", "stock": 2}),
        json!({"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Course Completed", "source": "edtech.course",
               "time": "2025-11-16T18:14:00Z", "detail": {"userId": "u-1", "metadata": {"timestamp": 1_763_316_840_000_i64}}}),
        json!({"Source": "edtech.course", "DetailType": "CourseCompleted", "Detail": "{\"courseId\":1}"}),
        json!({"specversion": "1.0", "id": "1", "source": "/orders", "type": "com.example.order.v1", "data": {"total": 5}}),
        json!({"schema": {"type": "struct"}, "payload": canonical()}),
    ]
}

#[test]
fn a_canonical_command_is_an_event() {
    let stored = stored_one(&canonical());
    assert_eq!(stored["eventType"], "challenge.completed");
    assert_eq!(stored["source"], "challenge-service");
    assert_eq!(stored["tenantId"], "academy-7");
    assert_eq!(stored["timestamp"], 1_763_316_840_000_i64);
    assert_eq!(stored["userId"], "s-9");
    assert_eq!(
        stored["eventData"],
        json!({"challengeId": "c-1", "studentId": "s-9", "score": 97})
    );
    // The user of the command goes before that of its payload.
    let mut named = canonical();
    named["userId"] = json!("u-1");
    assert_eq!(stored_one(&named)["userId"], "u-1");
    // The moment of receipt, where it tells none.
    let mut undated = canonical();
    undated["occurredAt"] = Value::Null;
    assert_eq!(stored_one(&undated)["timestamp"], NOW_MS);
    let mut wrong = canonical();
    wrong["payload"] = json!([1]);
    assert_eq!(refused(draft(&wrong)), ("wrong_type", "payload".to_owned()));
    let mut late = canonical();
    late["occurredAt"] = json!("16.11.2025");
    assert_eq!(
        refused(draft(&late)),
        ("invalid_timestamp", "occurredAt".to_owned())
    );
}

#[test]
fn shorelines_own_form_goes_through_as_it_is() {
    let stored = stored_one(&own());
    assert_eq!(stored["eventData"], json!({"feature": "search"}));
    assert_eq!(stored["userId"], "u-1");
    // As it was stored once, with fields that are the edge's.
    assert_eq!(stored_one(&stored), stored);
    // Both data and payload: the own form holds.
    let mut both = own();
    both["payload"] = json!({"feature": "no"});
    assert_eq!(stored_one(&both)["eventData"], json!({"feature": "search"}));
    assert_eq!(
        refused(draft(&json!({"eventType": 5, "source": "s"}))),
        ("wrong_type", "eventType".to_owned())
    );
}

#[test]
fn connects_json_converter_wraps_a_value() {
    let wrapped = json!({"schema": {"type": "struct", "fields": []}, "payload": canonical()});
    assert_eq!(stored_one(&wrapped), stored_one(&canonical()));
}

#[test]
fn an_unknown_shape_tells_the_form_of_its_keys_alone() {
    let item = json!({"alice@mail.example": "x", "b": {"c": 1}, "payload": null, "y".repeat(500): 1,
        "Ünal_7-a": 1});
    let Draft::Unknown { keys } = draft(&item) else {
        panic!()
    };
    let long = "x".repeat(64);
    assert_eq!(
        keys,
        ["xxxxx?xxxx.xxxxxxx", "x", "payload", &long, "xxxx_0-x"]
    );
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("k{n}"), json!(1))).collect();
    let Draft::Unknown { keys } = draft(&Value::Object(many)) else {
        panic!()
    };
    assert_eq!(keys.len(), 20);
    assert_eq!(draft(&json!({})), Draft::Unknown { keys: vec![] });
    // Half a shape is none.
    for half in [
        json!({"guideId": 1, "challengeId": 2}),
        json!({"username": "ada", "profileUrl": null}),
        json!({"challengeId": 1, "userId": null, "score": 1, "occurredOn": 1}),
        json!({"type": "something else", "data": {}}),
    ] {
        assert!(matches!(draft(&half), Draft::Unknown { .. }), "{half}");
    }
}

#[test]
fn every_fixture_is_stored_and_stays_the_same() {
    for fixture in fixtures() {
        let stored = stored_one(&fixture);
        assert_eq!(stored_one(&stored), stored, "{fixture}");
        assert!(stored["source"].is_string());
    }
}

#[test]
fn what_browsers_send_wrong_is_put_right_in_every_shape() {
    let body = r#"[{"guideId":"\ud83d","challengeId":"c","occurredAt":1731780840.5,"n":1e999},
        {"eventType":"a.b","source":"s","payload":{"x":"\ud83d","x":"last"}},
        {"eventType":"a.b","eventType":"c.d","source":"s"}]"#;
    let drafts = drafts("application/json", body);
    let stored: Vec<_> = drafts
        .into_iter()
        .map(|draft| stored(draft).unwrap().unwrap())
        .collect();
    assert_eq!(stored[0]["eventData"]["guideId"], "\u{fffd}");
    assert_eq!(stored[1]["eventData"], json!({"x": "last"}));
    assert_eq!(stored[2]["eventType"], "c.d");
}
