use serde_json::json;

use super::super::ingest_delivery;
use super::*;
use crate::http::cloud_event::CloudEventHeaders;
use crate::ingest::adapters::tests::{canonical, draft, drafts, ingest, own, refused, stored};

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
        r#"{{"batchId":"0198C1D2-0000-7000-8000-000000000001","sentAt":"2025-11-16T18:14:00.5Z","dropped":3,"events":[{},{{}},5]}}"#,
        own()
    );
    let delivery = ingest_delivery(None, &CloudEventHeaders::default(), body.as_bytes()).unwrap();
    assert_eq!(
        delivery.batch_id.as_deref(),
        Some("0198c1d2-0000-7000-8000-000000000001")
    );
    assert_eq!(delivery.sent_at, Some(1_763_316_840_500));
    assert_eq!(delivery.dropped, 3);
    assert_eq!(delivery.drafts.len(), 3);
    let body = br#"{"batchId":null,"sentAt":"soon","dropped":-1,"events":[{}]}"#;
    let delivery = ingest_delivery(None, &CloudEventHeaders::default(), body).unwrap();
    let (batch_id, sent_at) = (delivery.batch_id, delivery.sent_at);
    assert_eq!((batch_id, sent_at, delivery.dropped), (None, None, 0));
    // An event whose data is called `events` is still an event.
    let item = json!({"eventType": "a.b", "source": "s", "events": [1, 2]});
    assert!(matches!(draft(&item), Draft::Made(_)));
}

fn fault(content_type: Option<&str>, body: &[u8]) -> &'static str {
    match ingest(content_type, &CloudEventHeaders::default(), body) {
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
                        keys: vec!["key".into(), "xxxxx".into()]
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
    let drafts = ingest(
        Some("application/x-ndjson"),
        &CloudEventHeaders::default(),
        &body,
    )
    .unwrap();
    let codes: Vec<_> = drafts
        .into_iter()
        .map(|draft| stored(draft).map(|_| ()).map_err(|r| r.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [Ok(()), Err("wrong_type"), Err("wrong_type"), Ok(())]
    );
}
