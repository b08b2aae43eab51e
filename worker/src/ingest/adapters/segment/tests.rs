use serde_json::{Value, json};

use super::*;
use crate::ingest::adapters::tests::{owned, refused, stored};

fn call(path: &str, body: &Value) -> (Option<String>, Vec<Draft<'static>>) {
    let text = body.to_string();
    let (key, drafts) = segment(crate::testing::segment_call(path), text.as_bytes()).unwrap();
    (key, drafts.into_iter().map(owned).collect())
}

fn one(path: &str, body: &Value) -> Made {
    match call(path, body).1.remove(0) {
        Draft::Made(made) => made,
        other => panic!("{other:?}"),
    }
}

/// What Segment's SDK for Node sends.
fn node_track() -> Value {
    json!({
        "type": "track", "event": "Item Purchased", "userId": "u-1", "messageId": "node-next-1-2",
        "timestamp": "2025-11-16T18:14:00.500Z", "properties": {"revenue": 39.95, "feature": "theirs"},
        "integrations": {}, "context": {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}}, "_metadata": {"nodeVersion": "22"}
    })
}

/// What Segment's SDK for browsers sends.
fn browser_page() -> Value {
    json!({
        "timestamp": "2025-11-16T18:14:00.500Z", "integrations": {}, "anonymousId": "4fdb-anon", "userId": null,
        "type": "page", "name": "Shoes", "properties": {"path": "/shoes", "title": "Shoes"},
        "context": {
            "page": {"path": "/other", "referrer": "https://news.example/", "search": "", "title": "Other", "url": "https://shop.example/shoes"},
            "userAgent": "Mozilla/5.0", "locale": "de-DE", "timezone": "Europe/Berlin",
            "campaign": {"name": "spring", "source": "mail"}, "library": {"name": "analytics.js", "version": "next-1.84.3"}
        },
        "messageId": "ajs-next-1-2", "writeKey": "slb_demo_x", "sentAt": "2025-11-16T18:14:01.000Z", "_metadata": {}
    })
}

#[test]
fn a_batch_of_the_node_sdk() {
    let body = json!({"batch": [node_track()], "writeKey": "k", "sentAt": "2025-11-16T18:14:02Z"});
    let (key, mut drafts) = call("/v1/batch", &body);
    assert_eq!(key.as_deref(), Some("k"));
    assert_eq!(drafts.len(), 1);
    let Draft::Made(made) = drafts.remove(0) else {
        panic!()
    };
    assert_eq!(made.foreign_id.as_deref(), Some("segment:node-next-1-2"));
    assert_eq!(made.sent_at, Some(1_763_316_842_000));
    let stored = stored(Draft::Made(made)).unwrap().unwrap();
    assert_eq!(stored["eventType"], "feature_use");
    assert_eq!(stored["userId"], "u-1");
    assert_eq!(stored["timestamp"], 1_763_316_840_500_i64);
    assert_eq!(
        stored["eventData"],
        json!({"feature": "Item Purchased", "original_feature": "theirs", "revenue": 39.95, "messageId": "node-next-1-2"})
    );
    assert_eq!(
        stored["metadata"],
        json!({"userAgent": "@segment/analytics-node/3.1.0", "ipAddress": "0.0.0.0", "platform": "server", "library": "@segment/analytics-node/3.1.0"})
    );
}

#[test]
fn a_page_of_the_browser_sdk() {
    let (key, drafts) = call("/v1/p", &browser_page());
    assert_eq!(key.as_deref(), Some("slb_demo_x"));
    let Draft::Made(made) = drafts[0].clone() else {
        panic!()
    };
    assert_eq!(made.sent_at, Some(1_763_316_841_000));
    assert!(!made.fields.contains_key("source"));
    assert_eq!(made.fields["userId"], "4fdb-anon");
    assert_eq!(
        made.fields["eventData"],
        json!({"path": "/shoes", "title": "Shoes", "url": "https://shop.example/shoes", "referrer": "https://news.example/",
            "name": "Shoes", "utm_campaign": "spring", "utm_source": "mail", "messageId": "ajs-next-1-2"})
    );
    assert_eq!(made.fields["metadata"]["platform"], "web");
    assert_eq!(made.fields["metadata"]["userAgent"], "Mozilla/5.0");
    assert_eq!(made.fields["metadata"]["locale"], "de-DE");
    // The SDK's own batches.
    let body = json!({"batch": [browser_page()], "writeKey": "k", "sentAt": 0});
    assert_eq!(call("/v1/b", &body).1, drafts);
}

#[test]
fn a_screen_is_named() {
    let body = json!({"name": "Home", "userId": 7, "properties": {"page": "theirs"}, "timestamp": "2025-11-16T18:14:00Z",
        "context": {"device": {"type": "iOS"}, "ip": "203.0.113.9"}});
    let stored = stored(Draft::Made(one("/v1/screen", &body)))
        .unwrap()
        .unwrap();
    assert_eq!(stored["eventType"], "page_view");
    assert_eq!(stored["userId"], "7");
    assert_eq!(
        stored["eventData"],
        json!({"page": "Home", "original_page": "theirs"})
    );
    assert_eq!(stored["metadata"]["platform"], "ios");
    assert_eq!(stored["metadata"]["ipAddress"], "203.0.113.0");
}

#[test]
fn identify_group_and_alias_are_domain_events() {
    let traits = json!({"plan": "pro", "email": "ada@mail.example"});
    for (path, name, body, data) in [
        (
            "/v1/i",
            "segment.identify",
            json!({"userId": "u-1", "anonymousId": "a-1", "traits": traits}),
            json!({"traits": traits}),
        ),
        (
            "/v1/identify",
            "segment.identify",
            json!({"userId": "u-1", "context": {"traits": traits}}),
            json!({"traits": traits}),
        ),
        (
            "/v1/g",
            "segment.group",
            json!({"userId": "u-1", "groupId": "g-1", "traits": traits}),
            json!({"traits": traits, "groupId": "g-1"}),
        ),
        (
            "/v1/a",
            "segment.alias",
            json!({"userId": "u-1", "previousId": "a-1"}),
            json!({"previousId": "a-1"}),
        ),
    ] {
        let made = one(path, &body);
        assert_eq!(made.fields["eventType"], name);
        assert_eq!(made.fields["userId"], "u-1");
        assert_eq!(made.fields["eventData"], data);
    }
}

#[test]
fn a_session_is_told_or_a_day() {
    let session = |extra: Value| {
        let mut body = node_track();
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        one("/v1/t", &body).fields["sessionId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        session(json!({"context": {"sessionId": 1_763_316_840_i64}})),
        "1763316840"
    );
    assert_eq!(
        session(json!({"context": {"session": {"id": "s-1"}}})),
        "s-1"
    );
    assert_eq!(
        session(json!({"integrations": {"All": true, "Actions Amplitude": {"session_id": 17}}})),
        "17"
    );
    let day = session(json!({}));
    assert_eq!(
        session(json!({"integrations": {"Amplitude": {"session_id": -1}}})),
        day
    );
    assert_eq!(
        session(json!({"timestamp": "2025-11-17T01:59:00+02:00"})),
        day
    );
    assert_ne!(session(json!({"timestamp": "2025-11-17T00:00:00Z"})), day);
    assert_ne!(session(json!({"userId": "u-2"})), day);
    assert!(shoreline_shared::id::parse_uuid(&day).is_some());
}

#[test]
fn the_moment_is_by_the_clock_that_sent_it() {
    let times = |extra: Value| {
        let made = one("/v1/t", &{
            let mut body = json!({"event": "e", "userId": "u"});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            body
        });
        (made.fields.get("timestamp").cloned(), made.sent_at)
    };
    let (t0, t1, t2) = (
        "2025-11-16T18:14:00Z",
        "2025-11-16T18:14:01Z",
        "2025-11-16T18:14:02Z",
    );
    let ms = 1_763_316_840_000;
    assert_eq!(times(json!({})), (None, None));
    assert_eq!(times(json!({"timestamp": t0})), (Some(json!(t0)), None));
    assert_eq!(
        times(json!({"timestamp": t0, "sentAt": t1})),
        (Some(json!(t0)), Some(ms + 1_000))
    );
    assert_eq!(
        times(json!({"originalTimestamp": t0, "timestamp": t1, "sentAt": t2})),
        (Some(json!(t0)), Some(ms + 2_000))
    );
    assert_eq!(
        times(json!({"originalTimestamp": t0, "timestamp": t1, "sentAt": t2, "receivedAt": t2})),
        (Some(json!(t1)), None)
    );
    assert_eq!(
        times(json!({"timestamp": 1_763_316_840_000_i64})),
        (Some(json!(t0)), None)
    );
    let wrong = call(
        "/v1/t",
        &json!({"event": "e", "userId": "u", "timestamp": "soon"}),
    )
    .1
    .remove(0);
    assert_eq!(
        refused(Draft::Made(match wrong {
            Draft::Made(mut made) => {
                made.fields.insert("source".into(), "s".into());
                made
            }
            other => panic!("{other:?}"),
        })),
        ("invalid_timestamp", "timestamp".to_owned())
    );
}

#[test]
fn one_message_of_a_batch_is_its_own_affair() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = format!(
        r#"{{"batch":[{},{{"type":"track","userId":"u","properties":{deep}}},{{"type":"nonsense"}},5,{{"type":"track","userId":"u"}},{{"type":"track","event":7}},{{"action":"track","event":" "}},{{"type":"track","event":"e"}}],"context":{{"ip":"203.0.113.9"}}}}"#,
        json!({"type": "track", "event": "e", "userId": "u"})
    );
    let (_, drafts) = segment(SegmentCall::Batch, text.as_bytes()).unwrap();
    assert_eq!(drafts.len(), 8);
    let Draft::Made(made) = &drafts[0] else {
        panic!()
    };
    assert_eq!(made.fields["metadata"]["ipAddress"], "203.0.113.9");
    assert_eq!(
        drafts[2],
        Draft::Unknown {
            keys: vec!["type".to_owned()]
        }
    );
    let codes: Vec<_> = [1, 3, 4, 5, 6, 7]
        .map(|at| refused(drafts[at].clone()))
        .to_vec();
    let code = |code, field: &str| (code, field.to_owned());
    assert_eq!(
        codes,
        [
            code("too_deep", ""),
            code("wrong_type", ""),
            code("missing_field", "event"),
            code("wrong_type", "event"),
            code("empty_field", "event"),
            code("missing_field", "userId"),
        ]
    );
}

#[test]
fn bad_requests_are_refused_whole() {
    let fault = |path: &str, body: &str| {
        segment(crate::testing::segment_call(path), body.as_bytes())
            .unwrap_err()
            .code()
    };
    for body in [
        "",
        "[]",
        "5",
        "{",
        "{\"batch\":5}",
        "{}",
        "{\"batch\":null}",
        "{\"batch\":[],\"batch\":[]}",
    ] {
        assert_eq!(fault("/v1/batch", body), "malformed_json", "{body}");
    }
    assert_eq!(fault("/v1/t", "[]"), "malformed_json");
    assert_eq!(fault("/v1/batch", "{\"batch\":[]}"), "no_valid_event");
    let many = format!("{{\"batch\":[{}]}}", vec!["{}"; 1_001].join(","));
    assert_eq!(fault("/v1/batch", &many), "payload_too_large");
    let large = format!(
        "{{\"writeKey\":\"k\",\"event\":\"{}\"}}",
        "x".repeat(40_000)
    );
    let (key, drafts) = segment(SegmentCall::One(SegmentKind::Track), large.as_bytes()).unwrap();
    assert_eq!(key.as_deref(), Some("k"));
    assert_eq!(refused(drafts[0].clone()).0, "event_too_large");
}
