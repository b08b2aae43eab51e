use serde_json::{Value, json};

use super::*;
use crate::ingest::adapters::tests::{draft, drafts, ingest, made, refused, stored, stored_one};

fn event() -> Value {
    json!({
        "specversion": "1.0", "id": "A-1", "source": "/orders/7", "type": "com.example.order/placed v1",
        "time": "2025-11-16T18:14:00.5Z", "subject": "order 7", "datacontenttype": "application/json",
        "traceparent": "00-ab", "userid": "u-1", "sessionid": "s-1", "tenantid": "t-1",
        "data": {"total": 5, "userId": "u-2"}
    })
}

#[test]
fn a_structured_event_is_stored() {
    for content_type in [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
        "application/json",
    ] {
        let drafts = drafts(content_type, &event().to_string());
        let Draft::Made(made) = &drafts[0] else {
            panic!()
        };
        assert_eq!(
            made.foreign_id.as_deref(),
            Some("cloudevents:/orders/7\nA-1")
        );
        let stored = stored(drafts[0].clone()).unwrap().unwrap();
        assert_eq!(stored["eventType"], "com.example.order-placed-v1");
        assert_eq!(stored["source"], "/orders/7");
        assert_eq!(stored["timestamp"], 1_763_316_840_500_i64);
        assert_eq!(
            (&stored["userId"], &stored["sessionId"], &stored["tenantId"]),
            (&json!("u-1"), &json!("s-1"), &json!("t-1"))
        );
        let mut attributes = event();
        for name in ["specversion", "data", "userid", "sessionid", "tenantid"] {
            attributes.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(
            stored["eventData"],
            json!({"total": 5, "userId": "u-2", "cloudEvent": attributes})
        );
    }
}

#[test]
fn a_batch_is_its_events() {
    let body = json!([event(), {"specversion": "1.0"}, 5]).to_string();
    let drafts = drafts("application/cloudevents-batch+json", &body);
    assert_eq!(drafts[0], draft(&event()));
    assert_eq!(refused(drafts[1].clone()).0, "missing_field");
    assert_eq!(refused(drafts[2].clone()).0, "wrong_type");
    assert_eq!(drafts.len(), 3);
}

#[test]
fn required_attributes_are_required() {
    for name in ["id", "source", "type"] {
        for (value, code) in [
            (Value::Null, "missing_field"),
            (json!(""), "empty_field"),
            (json!(5), "wrong_type"),
        ] {
            let mut broken = event();
            broken[name] = value;
            assert_eq!(refused(draft(&broken)), (code, name.to_owned()));
        }
    }
    for time in [json!("soon"), json!(5), json!("")] {
        let mut broken = event();
        broken["time"] = time;
        let refusal = ("invalid_timestamp", "time".to_owned());
        assert_eq!(refused(draft(&broken)), refusal);
    }
    for version in [json!("0.3"), json!("2.0"), json!(1.0)] {
        let mut other = event();
        other["specversion"] = version;
        assert_eq!(
            refused(draft(&other)),
            ("wrong_type", "specversion".to_owned())
        );
    }
    let no_version = json!({"id": "1", "source": "s", "type": "t"}).to_string();
    let drafts = drafts("application/cloudevents+json", &no_version);
    assert_eq!(
        refused(drafts[0].clone()),
        ("missing_field", "specversion".to_owned())
    );
}

#[test]
fn data_that_is_no_object_has_a_place() {
    let data = |name: &str, value: Value| {
        let mut event = event();
        event.as_object_mut().unwrap().remove("data");
        event[name] = value;
        let mut data = stored_one(&event)["eventData"].clone();
        data.as_object_mut().unwrap().remove("cloudEvent").unwrap();
        data
    };
    assert_eq!(data("data", json!([1, 2])), json!({"data": [1, 2]}));
    assert_eq!(data("data", json!("text")), json!({"data": "text"}));
    assert_eq!(data("data", json!(null)), json!({}));
    assert_eq!(
        data("data_base64", json!("AQID")),
        json!({"dataBase64": "AQID"})
    );
    assert_eq!(data("nothing", json!(null)), json!({}));
}

#[test]
fn an_event_of_our_own_form_may_be_inside() {
    let mut event = event();
    event["data"] = json!({
        "eventType": "feature_use", "userId": "u", "sessionId": "s", "eventData": {"feature": "f"},
        "metadata": {"userAgent": "a", "ipAddress": "0.0.0.0", "platform": "server"}
    });
    let stored = stored_one(&event);
    assert_eq!(stored["eventType"], "feature_use");
    assert_eq!(stored["timestamp"], 1_763_316_840_500_i64);
    assert_eq!(stored["source"], "/orders/7");
    assert!(made(&event).foreign_id.is_some());
}

fn binary_one(content_type: Option<&str>, body: &[u8]) -> Draft<'static> {
    let headers = CloudEventHeaders::new([
        ("ce-specversion", "1.0"),
        ("ce-id", "A-1"),
        ("ce-source", "/orders/7"),
        ("Ce-Type", "order.placed"),
        ("ce-time", "2025-11-16T18:14:00.5Z"),
        ("ce-subject", "Euro%20%E2%82%AC"),
        ("host", "x"),
    ]);
    let mut drafts = ingest(content_type, &headers, body).unwrap();
    assert_eq!(drafts.len(), 1);
    crate::ingest::adapters::tests::owned(drafts.remove(0))
}

#[test]
fn binary_mode_reads_headers() {
    let body = br#"{"total":5}"#;
    for content_type in [
        Some("application/json; charset=utf-8"),
        None,
        Some("application/vnd.orders+json"),
        Some("application/vnd.kafka.json.v2+json"),
    ] {
        let Draft::Made(made) = binary_one(content_type, body) else {
            panic!()
        };
        assert_eq!(
            made.foreign_id.as_deref(),
            Some("cloudevents:/orders/7\nA-1")
        );
        let stored = stored(Draft::Made(made)).unwrap().unwrap();
        assert_eq!(stored["eventType"], "order.placed");
        assert_eq!(stored["timestamp"], 1_763_316_840_500_i64);
        assert_eq!(stored["eventData"]["total"], 5);
        assert_eq!(stored["eventData"]["cloudEvent"]["subject"], "Euro €");
        let shown = stored["eventData"]["cloudEvent"]
            .get("datacontenttype")
            .and_then(Value::as_str);
        assert_eq!(shown, content_type);
    }
}

#[test]
fn binary_data_is_kept_as_what_it_is() {
    let data = |content_type, body: &[u8]| {
        let stored = stored(binary_one(content_type, body)).unwrap().unwrap();
        let mut data = stored["eventData"].clone();
        data.as_object_mut().unwrap().remove("cloudEvent").unwrap();
        data
    };
    assert_eq!(data(Some("application/json"), b"[1]"), json!({"data": [1]}));
    assert_eq!(
        data(Some("application/json"), b"plain text"),
        json!({"data": "plain text"})
    );
    assert_eq!(data(Some("text/xml"), b"<a/>"), json!({"data": "<a/>"}));
    assert_eq!(
        data(Some("text/plain"), b"{\"a\":1}"),
        json!({"data": "{\"a\":1}"})
    );
    assert_eq!(
        data(Some("image/png"), &[0xff, 0, 1]),
        json!({"dataBase64": "/wAB"})
    );
    assert_eq!(
        data(Some("application/json; charset=utf-8"), &[1, 2, 3]),
        json!({"dataBase64": "AQID"})
    );
    assert_eq!(data(Some("text/plain"), b"a\tb\r\n"), json!({"data": "ab"}));
    assert_eq!(data(None, b""), json!({}));
    let deep = "[".repeat(1_000) + &"]".repeat(1_000);
    assert_eq!(
        refused(binary_one(None, deep.as_bytes())),
        ("too_deep", String::new())
    );
    assert_eq!(
        refused(binary_one(None, &[b' '; 40_000])),
        ("event_too_large", String::new())
    );
    // In base64 it grows over the limit.
    assert_eq!(
        refused(binary_one(Some("image/png"), &[0xff; 30_000])),
        ("event_too_large", String::new())
    );
}
