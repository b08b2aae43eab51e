//! What holds of any input.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ingest::adapters::recognize;

#[test]
fn nesting_without_end_is_walked_by_no_recursion() {
    const BYTES: usize = 512 * 1024;
    for (open, close) in [
        ("[", "]"),
        ("{\"events\":[", "]}"),
        ("{\"batch\":", "}"),
        ("{\"data\":", "}"),
    ] {
        let levels = BYTES / (open.len() + close.len());
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
        let call = crate::testing::segment_call(path);
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
        let alone: Vec<Draft<'_>> = lines.iter().map(|line| recognize::item(line)).collect();
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
