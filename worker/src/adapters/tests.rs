use proptest::prelude::*;
use serde_json::{Value, json};
use shoreline_shared::event::Rejection;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

use super::*;
use crate::draft::Made;

/// 2025-11-17, after all fixtures.
const NOW_MS: i64 = 1_763_337_600_000;

fn no_headers() -> CloudEventHeaders {
    CloudEventHeaders::default()
}

pub(super) fn drafts(content_type: &str, body: &str) -> Vec<Draft<'static>> {
    let drafts = ingest(Some(content_type), &no_headers(), body.as_bytes()).unwrap();
    drafts.into_iter().map(owned).collect()
}

pub(super) fn owned(draft: Draft<'_>) -> Draft<'static> {
    match draft {
        Draft::Text(text) => Draft::Text(text.to_owned().leak()),
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
    let Some((raw, _)) = draft.into_raw()? else {
        return Ok(None);
    };
    let sender = Sender::Source { name: None };
    let rules = Rules {
        now_ms: NOW_MS,
        retention_days: 30,
        any_past: true,
    };
    let clean = sanitize(validate(raw, &sender, &rules)?, &Privacy::default());
    let stamped = stamp(
        clean,
        &Stamp {
            site_id: "demo",
            source: "service",
            event_id: "0198c1d2-6f00-7000-8000-000000000001",
            received_at: NOW_MS,
            batch_id: None,
            country: None,
            region: None,
        },
    );
    Ok(Some(serde_json::from_str(stamped.json()).unwrap()))
}

pub(super) fn stored_one(item: &Value) -> Value {
    stored(draft(item)).unwrap().unwrap()
}

fn canonical() -> Value {
    json!({
        "eventType": "challenge.completed",
        "source": "challenge-service",
        "occurredAt": "2025-11-16T18:14:00Z",
        "tenantId": "academy-7",
        "payload": {"challengeId": "c-1", "studentId": "s-9", "score": 97}
    })
}

fn own() -> Value {
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
fn an_unknown_shape_tells_its_keys_alone() {
    let item = json!({"secret@mail.example": "x", "b": {"c": 1}, "a": null, "x".repeat(500): 1});
    let Draft::Unknown { keys } = draft(&item) else {
        panic!()
    };
    assert_eq!(keys, ["a", "b", "secret?mail.example", &"x".repeat(64)]);
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
fn a_body_is_one_item_an_array_or_lines() {
    let (one, two) = (canonical().to_string(), own().to_string());
    let expected = [draft(&canonical()), draft(&own())];
    for (content_type, body) in [
        ("application/json", format!("[{one},{two}]")),
        (
            "application/json; charset=utf-8",
            format!(" [\n{one} ,\n{two}\n]\n"),
        ),
        ("APPLICATION/JSON", format!("{one}\n{two}\n")),
        ("text/plain", format!("\n{one}\r\n\n{two}")),
        ("", format!("[{one},{two}]")),
        ("application/x-ndjson", format!("{one}\n{two}\n\n")),
        ("application/json", format!("{{\"events\":[{one},{two}]}}")),
        (
            "application/json",
            format!("{{\"records\":[{{\"key\":\"k\",\"value\":{one}}},{{\"value\":{two}}}]}}"),
        ),
        (
            "application/vnd.kafka.json.v2+json",
            format!("{{\"records\":[{{\"value\":{one}}},{{\"value\":{two}}}]}}"),
        ),
    ] {
        assert_eq!(
            drafts(content_type, &body),
            expected,
            "{content_type} {body}"
        );
    }
    let pretty = serde_json::to_string_pretty(&canonical()).unwrap();
    assert_eq!(drafts("application/json", &pretty), expected[..1]);
    assert_eq!(drafts("application/x-ndjson", &one), expected[..1]);
}

#[test]
fn an_envelope_keeps_its_name() {
    let body = format!(
        r#"{{"batchId":"0198C1D2-0000-7000-8000-000000000001","sentAt":"2025-11-16T18:14:00.5Z","events":[{},{{}},5]}}"#,
        own()
    );
    let delivery = ingest_delivery(None, &no_headers(), body.as_bytes()).unwrap();
    assert_eq!(
        delivery.batch_id.as_deref(),
        Some("0198c1d2-0000-7000-8000-000000000001")
    );
    assert_eq!(delivery.sent_at, Some(1_763_316_840_500));
    assert_eq!(delivery.drafts.len(), 3);
    // An event whose data is called `events` is still an event.
    let item = json!({"eventType": "a.b", "source": "s", "events": [1, 2]});
    assert!(matches!(draft(&item), Draft::Made(_)));
}

fn fault(content_type: Option<&str>, body: &[u8]) -> &'static str {
    match ingest(content_type, &no_headers(), body) {
        Err(fault) => fault.code(),
        Ok(drafts) => panic!("{drafts:?}"),
    }
}

#[test]
fn bad_bodies_are_refused_whole() {
    for body in [
        "",
        " ",
        "x",
        "null",
        "5",
        "\"x\"",
        "{",
        "[",
        "[}",
        "{}{",
        "\u{feff}{}",
        "[{}] x",
        "{\"a\":1,}",
        "{\"events\":[{}],\"batchId\":5}",
        "{\"events\":[{}],\"batchId\":\"x\"}",
        "{'a':1}\n{'a':1}",
    ] {
        assert_eq!(fault(None, body.as_bytes()), "malformed_json", "{body}");
    }
    assert_eq!(fault(None, b"{\"a\":\"\xff\"}"), "malformed_json");
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(fault(None, &utf16), "malformed_json");
    for (content_type, body) in [
        ("application/json", "[]"),
        ("application/json", "{\"events\":[]}"),
        ("application/json", "{\"records\":[]}"),
        ("application/json", "{\"Entries\":[]}"),
        ("application/x-ndjson", "\n \n"),
        ("application/cloudevents-batch+json", "[]"),
        ("application/vnd.kafka.json.v2+json", "{\"records\":[]}"),
    ] {
        assert_eq!(fault(Some(content_type), body.as_bytes()), "no_valid_event");
    }
    for (content_type, body) in [
        ("application/cloudevents+json", "[]"),
        ("application/cloudevents-batch+json", "{}"),
        ("application/vnd.kafka.json.v2+json", "{}"),
        ("application/vnd.kafka.json.v2+json", "[[]]"),
        ("application/vnd.kafka.json.v2+json", "{\"records\":{}}"),
    ] {
        assert_eq!(
            fault(Some(content_type), body.as_bytes()),
            "malformed_json",
            "{body}"
        );
    }
    for content_type in [
        "application/xml",
        "application/cloudevents+avro",
        "application/vnd.kafka.binary.v2+json",
        "multipart/form-data",
    ] {
        assert_eq!(fault(Some(content_type), b"{}"), "unsupported_media_type");
    }
}

#[test]
fn over_a_thousand_items_are_too_many() {
    let items = |n: usize| vec!["{}"; n].join(",");
    let lines = |n: usize| vec!["{}"; n].join("\n");
    for (content_type, body) in [
        ("application/json", format!("[{}]", items(1_001))),
        (
            "application/json",
            format!("{{\"events\":[{}]}}", items(1_001)),
        ),
        ("application/x-ndjson", lines(1_001)),
        ("application/json", lines(1_001)),
        (
            "application/cloudevents-batch+json",
            format!("[{}]", items(1_001)),
        ),
        (
            "application/vnd.kafka.json.v2+json",
            format!("{{\"records\":[{}]}}", items(1_001)),
        ),
        (
            "application/json",
            format!("[{}]", vec!["[]"; 1_000_000].join(",")),
        ),
    ] {
        assert_eq!(
            fault(Some(content_type), body.as_bytes()),
            "payload_too_large"
        );
    }
    assert_eq!(
        drafts("application/json", &format!("[{}]", items(1_000))).len(),
        1_000
    );
    assert_eq!(drafts("application/x-ndjson", &lines(1_000)).len(), 1_000);
}

#[test]
fn a_bad_item_is_its_own_affair() {
    let good = canonical().to_string();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = format!("{{\"eventType\":\"x\",\"payload\":{deep}}}");
    let large = format!("{{\"eventType\":\"{}\"}}", "x".repeat(40_000));
    let keys: Vec<String> = (0..300).map(|n| format!("\"k{n}\":1")).collect();
    let wide = format!("{{{}}}", keys.join(","));
    for (bad, code) in [
        (deep.as_str(), "event_too_large,wrong_type"),
        (&deep_object, "too_deep"),
        (&large, "event_too_large"),
        (&wide, "too_many_keys"),
        ("5", "wrong_type"),
        ("null", "wrong_type"),
        ("[{}]", "wrong_type"),
    ] {
        for (content_type, body) in [
            ("application/json", format!("[{good},{bad},{good}]")),
            ("application/x-ndjson", format!("{good}\n{bad}\n{good}")),
            (
                "application/json",
                format!("{{\"events\":[{good},{bad},{good}]}}"),
            ),
            (
                "application/vnd.kafka.json.v2+json",
                format!(
                    "{{\"records\":[{{\"value\":{good}}},{{\"value\":{bad},\"key\":1}},{{\"value\":{good}}}]}}"
                ),
            ),
        ] {
            let drafts = drafts(content_type, &body);
            assert_eq!(drafts.len(), 3);
            assert_eq!(drafts[0], draft(&canonical()));
            assert_eq!(drafts[2], draft(&canonical()));
            if bad == "null" && body.contains("records") {
                assert_eq!(
                    drafts[1],
                    Draft::Unknown {
                        keys: vec!["key".into(), "value".into()]
                    }
                );
                continue;
            }
            let (found, field) = refused(drafts[1].clone());
            assert!(code.contains(found), "{bad:.40}: {found}");
            assert_eq!(field, "");
        }
    }
    // Only lines can be broken one by one.
    let body = [good.as_bytes(), b"\n{\"a\":\xff}\n{'x'}\n", good.as_bytes()].concat();
    let drafts = ingest(Some("application/x-ndjson"), &no_headers(), &body).unwrap();
    let codes: Vec<_> = drafts
        .into_iter()
        .map(|draft| stored(draft).map(|_| ()).map_err(|r| r.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [Ok(()), Err("wrong_type"), Err("wrong_type"), Ok(())]
    );
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

#[test]
fn nesting_without_end_is_walked_by_no_recursion() {
    const LEVELS: usize = 2 * 1024 * 1024;
    for (open, close) in [
        ("[", "]"),
        ("{\"events\":[", "]}"),
        ("{\"batch\":", "}"),
        ("{\"data\":", "}"),
    ] {
        let levels = LEVELS / (open.len() + close.len());
        let whole = open.repeat(levels) + "1" + &close.repeat(levels);
        exercise(whole.as_bytes());
        exercise(open.repeat(levels).as_bytes());
    }
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("eventType"),
        Just("type"),
        Just("topic"),
        Just("payload"),
        Just("data"),
        Just("eventData"),
        Just("source"),
        Just("userId"),
        Just("id"),
        Just("username"),
        Just("registeredAt"),
        Just("profileUrl"),
        Just("guideId"),
        Just("challengeId"),
        Just("occurredAt"),
        Just("occurredOn"),
        Just("score"),
        Just("executionId"),
        Just("executedAt"),
        Just("specversion"),
        Just("detail-type"),
        Just("detail"),
        Just("DetailType"),
        Just("Detail"),
        Just("events"),
        Just("records"),
        Just("value"),
        Just("Entries"),
        Just("schema"),
        Just("batch"),
        Just("context"),
        Just("properties"),
        Just("event"),
        Just("messageId"),
        Just("timestamp"),
        Just("sentAt"),
        Just("n"),
        Just("u"),
        Just("d"),
        Just("p"),
        Just("1.0"),
        Just("iam registered"),
        Just("ProductCreated"),
        Just("track"),
        Just("metadata"),
        Just("integrations"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([2025, 11, 16, 18, 14, 0, 5])),
        Just(json!("2025-11-16T18:14:00Z")),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![4 => word.clone().prop_map(str::to_owned), 1 => ".{0,6}"],
                inner,
                0..10
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The fixtures, and bodies of the protocols with calls of their own.
fn bodies() -> Vec<Value> {
    let mut bodies = fixtures();
    bodies.extend([
        json!({"batch": [{"type": "track", "event": "e", "userId": "u", "properties": {"feature": 1}, "messageId": "m",
               "originalTimestamp": "2025-11-16T18:14:00Z", "context": {"page": {"url": "/a"}, "campaign": {"name": "c"}}}],
               "sentAt": "2025-11-16T18:14:00Z", "writeKey": "k"}),
        json!({"event": "e", "name": "n", "anonymousId": "a", "traits": {}, "integrations": {"A": {"session_id": 1}}, "timestamp": 1}),
        json!({"n": "engagement", "u": "https://a.example/", "d": "a.example,b.example", "p": "{}", "e": 1, "sd": 2}),
        json!({"events": [canonical()], "batchId": "0198c1d2-0000-7000-8000-000000000001", "sentAt": 1}),
        json!({"records": [{"key": "k", "value": canonical()}]}),
        json!({"Entries": [{"DetailType": "x", "Source": "s", "Detail": "{}", "Time": 1}]}),
    ]);
    bodies
}

/// Every way in, with these bytes.
fn exercise(bytes: &[u8]) {
    let ce = CloudEventHeaders::new([
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-type", "t"),
        ("ce-source", "s"),
    ]);
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-ndjson"),
        Some("application/cloudevents+json"),
        Some("application/cloudevents-batch+json"),
        Some("application/vnd.kafka.json.v2+json"),
    ] {
        for headers in [&no_headers(), &ce] {
            for draft in ingest(content_type, headers, bytes).unwrap_or_default() {
                let _ = stored(draft);
            }
        }
    }
    for path in [
        "/v1/batch",
        "/v1/t",
        "/v1/page",
        "/v1/s",
        "/v1/i",
        "/v1/group",
        "/v1/alias",
    ] {
        let call = SegmentCall::from_path(path).unwrap();
        for draft in segment(call, bytes)
            .map(|(_, drafts)| drafts)
            .unwrap_or_default()
        {
            let _ = stored(draft);
        }
    }
    if let Ok((domain, draft)) = plausible(bytes) {
        assert!(!domain.is_empty());
        let _ = stored(draft);
    }
}

proptest! {
    #[test]
    fn no_json_panics(value in arbitrary_json()) {
        exercise(value.to_string().as_bytes());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn no_mutated_fixture_panics(
        at in 0..bodies().len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = bodies()[at].to_string().into_bytes();
        for (index, byte) in cuts {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        exercise(&bytes);
    }

    #[test]
    fn a_field_of_a_fixture_may_be_anything(
        at in 0..bodies().len(),
        field in any::<prop::sample::Index>(),
        value in arbitrary_json(),
    ) {
        let mut item = bodies()[at].clone();
        let fields = item.as_object_mut().unwrap();
        let name = fields.keys().nth(field.index(fields.len())).unwrap().clone();
        fields.insert(name, value);
        exercise(item.to_string().as_bytes());
    }

    #[test]
    fn every_item_is_one_draft(items in prop::collection::vec(arbitrary_json(), 1..20)) {
        let body = Value::from(items.clone()).to_string();
        prop_assert_eq!(drafts("application/json", &body).len(), items.len());
        let lines: Vec<String> = items.iter().map(Value::to_string).collect();
        prop_assert_eq!(drafts("application/x-ndjson", &lines.join("\n")).len(), items.len());
        let alone: Vec<Draft<'_>> = lines.iter().map(|line| super::recognize::item(line)).collect();
        prop_assert_eq!(drafts("application/json", &body), alone);
    }

    #[test]
    fn the_order_of_keys_does_not_matter(at in 0..fixtures().len(), seed in any::<u64>()) {
        let item = fixtures()[at].clone();
        let mut pairs: Vec<String> = item
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| format!("{}:{value}", json!(key)))
            .collect();
        let turn = (seed % pairs.len() as u64) as usize;
        pairs.rotate_left(turn);
        if seed % 2 == 0 {
            pairs.reverse();
        }
        prop_assert_eq!(drafts("application/json", &format!("{{{}}}", pairs.join(","))), [draft(&item)]);
    }
}
