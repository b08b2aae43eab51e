//! Services and foreign protocols: other doors, the same way from there.

use serde_json::{Value, json};

use super::{facts, published};
use crate::access::auth::KeyKind;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::ingest::{take_batch, take_commands, take_plausible, take_segment};
use crate::testing::{TestPlatform, a_grant, block_on, segment_call, uuid};

fn service(content_type: &str) -> RequestFacts {
    RequestFacts {
        authorization: Some("Bearer sls_demo_abcdefghijklmnopqrstuvwxyz".into()),
        content_type: Some(content_type.into()),
        user_agent: Some("curl/8".into()),
        country: Some("NL".into()),
        ..RequestFacts::default()
    }
}

fn as_service(body: impl Into<Vec<u8>>) -> TestPlatform {
    let mut platform = TestPlatform::new(body);
    platform.grant = Ok(a_grant(KeyKind::Source));
    platform
}

#[test]
fn a_service_sends_commands_and_is_told_of_each() {
    let commands = json!([
        {"eventType": "challenge.completed", "source": "challenges", "occurredAt": "2024-01-15T16:00:00Z",
         "tenantId": "t1", "payload": {"score": 97}},
        {"what": "is", "this": 1},
        {"eventType": "", "source": "challenges", "payload": {}},
    ]);
    let mut platform = as_service(commands.to_string());
    let answer = block_on(take_commands(service("application/json"), &mut platform)).unwrap();
    assert_eq!(
        (answer.accepted, answer.rejected, answer.skipped),
        (1, 1, 1)
    );
    assert_eq!(answer.results[0].code, "unknown_shape");
    assert_eq!(*platform.unknown.borrow(), [["xxxx", "xxxx"]]);
    let event = published(&platform)["parts"][0]["events"][0].clone();
    assert_eq!(event["source"], "challenges");
    assert_eq!(event["tenantId"], "t1");
    // The server's own place is nobody's.
    assert!(event.get("country").is_none());
}

#[test]
fn an_idempotency_key_makes_a_retry_the_same_batch() {
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}}).to_string();
    let send = |key: Option<&str>| {
        let mut facts = service("application/json");
        facts.idempotency_key = key.map(str::to_owned);
        let mut platform = as_service(command.clone());
        block_on(take_commands(facts, &mut platform)).unwrap();
        let published = published(&platform);
        let event = published["parts"][0]["events"][0]["eventId"].clone();
        (published["batch"][0].clone(), event)
    };
    let own = send(Some("order 66 \"quoted\""));
    assert_eq!(own, send(Some("order 66 \"quoted\"")));
    assert_ne!(own, send(Some("order 67")));
    // A UUID too is hashed: a page may send it as its batch's id.
    assert_ne!(send(Some(&uuid(5))).0, json!(uuid(5)));
    for none in [None, Some(""), Some(" ")] {
        assert_eq!(send(none).0, Value::Null);
        assert_ne!(send(none).1, send(none).1);
    }
}

#[test]
fn a_browser_key_opens_no_door_of_services() {
    let mut platform = TestPlatform::new("[]");
    let answer = block_on(take_commands(service("application/json"), &mut platform));
    assert_eq!(answer, Err(Fault::WrongScope));
}

#[test]
fn segments_write_key_is_in_the_header_or_the_body() {
    let call = |facts: RequestFacts, body: Value| {
        let mut platform = as_service(body.to_string());
        let track_call = segment_call("/v1/track");
        let answer = block_on(take_segment(track_call, facts, &mut platform));
        answer.map(|answer| (answer.accepted, published(&platform)))
    };
    let track = json!({"userId": "u", "event": "Signed up", "messageId": "m1",
                       "timestamp": "2024-01-15T16:00:00Z", "properties": {"plan": "pro"}});
    let mut header = service("application/json");
    header.authorization = None;
    assert_eq!(
        call(header.clone(), track.clone()).unwrap_err(),
        Fault::UnknownKey
    );
    let mut with_key = track.clone();
    with_key["writeKey"] = json!("sls_demo_abcdefghijklmnopqrstuvwxyz");
    let (accepted, by_body) = call(header, with_key).unwrap();
    assert_eq!(accepted, 1);
    let (_, by_header) = call(service("application/json"), track).unwrap();
    let event = |published: &Value| published["parts"][0]["events"][0].clone();
    // The same message is the same event, whichever way it comes.
    assert_eq!(event(&by_body)["eventId"], event(&by_header)["eventId"]);
    assert_eq!(event(&by_header)["eventData"]["feature"], "Signed up");
    assert_eq!(event(&by_header)["source"], "segment");
}

#[test]
fn plausibles_visits_are_private_ones() {
    let view = json!({"n": "pageview", "u": "https://shop.example/a?b=c", "d": "shop.example"});
    let mut platform = TestPlatform::new(view.to_string());
    let answer = block_on(take_plausible(facts(), &mut platform)).unwrap();
    assert_eq!(answer.accepted, 1);
    let event = published(&platform)["parts"][0]["events"][0].clone();
    assert_eq!(event["eventType"], "page_view");
    assert_eq!(event["source"], "plausible");
    assert!(event["userId"].as_str().unwrap().starts_with("anon-"));
    assert_eq!(event["sessionId"], event["userId"]);
    assert_eq!(event["metadata"]["ipAddress"], "[redacted]");
    // Another page than the site's own may not count for it.
    let mut elsewhere = facts();
    elsewhere.origin = Some("https://evil.example".into());
    let refused = block_on(take_plausible(elsewhere, &mut platform));
    assert_eq!(refused, Err(Fault::OriginNotAllowed));
}

/// Four messages of a page with Segment's SDK, one of which only shows what was looked at.
fn segment_messages() -> String {
    let message = |kind: &str, more: Value| {
        let mut message = json!({
            "type": kind, "userId": "jane@mail.example", "anonymousId": "anon-1",
            "messageId": format!("m-{kind}"), "timestamp": "2024-01-15T16:00:00Z",
        });
        let fields = message.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        message
    };
    let batch = json!([
        message("identify", json!({"traits": {"name": "Jane"}})),
        message(
            "group",
            json!({"groupId": "acme", "traits": {"name": "Acme"}})
        ),
        message("alias", json!({"previousId": "old-jane"})),
        message(
            "page",
            json!({"properties": {"url": "https://shop.example/a"}})
        ),
    ]);
    json!({"writeKey": "slb_demo_abcdefghijklmnopqrstuvwxyz", "batch": batch}).to_string()
}

#[test]
fn nobody_is_told_who_a_private_visitor_is() {
    let batch = segment_call("/v1/batch");
    let mut private = facts();
    private.opted_out = true;
    let mut platform = TestPlatform::new(segment_messages());
    let answer = block_on(take_segment(batch, private.clone(), &mut platform)).unwrap();
    assert_eq!((answer.accepted, answer.skipped), (1, 3));
    let codes: Vec<&str> = answer.results.iter().map(|result| result.code).collect();
    assert_eq!(codes, ["private_visit"; 3]);
    let published = published(&platform).to_string();
    for told in ["jane", "Jane", "acme", "anon-1", "previousId", "traits"] {
        assert!(!published.contains(told), "{told}: {published}");
    }
    // The outcome is counted.
    assert!(published.contains("private_visit"), "{published}");

    // Who did not ask for it is told of as ever; so is whom a service vouches for.
    let mut platform = TestPlatform::new(segment_messages());
    let answer = block_on(take_segment(batch, facts(), &mut platform)).unwrap();
    assert_eq!(answer.accepted, 4);
    let mut platform = as_service(segment_messages());
    let answer = block_on(take_segment(batch, private, &mut platform)).unwrap();
    assert_eq!(answer.accepted, 4);
}

#[test]
fn a_page_takes_the_place_of_no_event_of_a_service() {
    use shoreline_shared::id;
    // What a service will send, and anybody who knows the order's number can compute.
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}}).to_string();
    let mut named = service("application/json");
    named.idempotency_key = Some("order 66".into());
    let mut platform = as_service(command);
    block_on(take_commands(named, &mut platform)).unwrap();
    let taken = published(&platform);
    let batch_id = id::foreign("demo", "idempotency-key:order 66");
    assert_eq!(taken["batch"][0], batch_id);
    let view = |event_id: &Value| {
        json!({
            "eventId": event_id, "eventType": "page_view", "userId": "u", "sessionId": "s",
            "eventData": {}, "metadata": {"platform": "web"},
        })
    };
    let event_id = &taken["parts"][0]["events"][0]["eventId"];
    let body = json!({"events": [view(event_id), view(&json!(uuid(7)))]});
    let mut platform = TestPlatform::new(body.to_string());
    let answer = block_on(take_batch(facts(), &mut platform)).unwrap();
    assert_eq!((answer.accepted, answer.rejected), (1, 1));
    assert_eq!(answer.results[0].code, "invalid_event_id");
    let body = json!({"batchId": batch_id, "events": [view(&json!(uuid(7)))]});
    let mut platform = TestPlatform::new(body.to_string());
    let refused = block_on(take_batch(facts(), &mut platform)).unwrap_err();
    assert_eq!(refused.code(), "malformed_json");
    // A service may send again what was stored.
    let again = json!({"eventType": "a.b", "source": "s", "payload": {}, "eventId": event_id});
    let mut platform = as_service(again.to_string());
    let answer = block_on(take_commands(service("application/json"), &mut platform)).unwrap();
    assert_eq!(answer.accepted, 1);
}

#[test]
fn a_page_cannot_take_the_place_of_a_services_message() {
    let track = json!({"userId": "u", "event": "Ordered", "messageId": "order-1"}).to_string();
    let call = segment_call("/v1/track");
    let id = |kind: KeyKind| {
        let mut platform = TestPlatform::new(track.clone());
        platform.grant = Ok(a_grant(kind));
        let mut request = facts();
        request.query.clear();
        request.authorization = Some("Bearer sls_demo_abcdefghijklmnopqrstuvwxyz".into());
        block_on(take_segment(call, request, &mut platform)).unwrap();
        published(&platform)["parts"][0]["events"][0]["eventId"].clone()
    };
    assert_ne!(id(KeyKind::Browser), id(KeyKind::Source));
    assert_eq!(id(KeyKind::Source), id(KeyKind::Source));
}

/// What a service's items were and why they were refused is kept, where the deployment keeps it; a dry run keeps nothing,
/// and what is wrong with a page's events is the page's.
#[test]
fn what_a_service_sends_and_is_refused_is_kept() {
    let items = json!([
        {"eventType": "a.b", "source": "s", "payload": {"token": "x"}},
        {"eventType": "a.b", "payload": {"token": "x"}},
        {"what": 1},
    ]);
    let kept = |facts: RequestFacts, on: bool| {
        let mut platform = as_service(items.to_string());
        platform.settings.keep_rejected = on;
        block_on(take_commands(facts, &mut platform)).unwrap();
        platform.rejected.take()
    };
    let told = kept(service("application/json"), true);
    let told: Vec<(&str, &str, Value)> = told
        .iter()
        .map(|group| {
            (
                group.code.as_str(),
                group.field.as_str(),
                group.items[0].1.clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "missing_field",
                "source",
                json!({"eventType": "a.b", "payload": {"token": "[redacted]"}})
            ),
            ("unknown_shape", "", json!({"what": 1})),
        ]
    );
    assert_eq!(kept(service("application/json"), false), []);
    let dry = RequestFacts {
        query: "dryRun=1".into(),
        ..service("application/json")
    };
    assert_eq!(kept(dry, true), []);
    // A record of Kafka is what its value is.
    let records = json!({"records": [{"key": "k", "value": {"what": 1}}]}).to_string();
    let mut platform = as_service(records);
    let facts = service("application/vnd.kafka.json.v2+json");
    block_on(take_commands(facts, &mut platform)).unwrap();
    assert_eq!(
        platform.rejected.borrow()[0].items,
        [(0, json!({"what": 1}))]
    );
    // Nothing was taken: it all comes again, and is kept then.
    let mut platform = as_service(items.to_string());
    platform.receipt = Err(Fault::Unavailable("…"));
    block_on(take_commands(service("application/json"), &mut platform)).unwrap_err();
    assert!(platform.rejected.borrow().is_empty());
}

/// A topic that is read from its beginning: its records are years old, and none is lost for a connector that reads no
/// results. Seconds that are sent as milliseconds are still an error.
#[test]
fn a_services_events_may_be_of_any_year() {
    for (at, taken) in [
        (json!("2003-05-06T07:08:09Z"), true),
        (json!(946_684_800_000_i64), true),
        (json!(1_705_334_400), false),
    ] {
        let item = json!({"eventType": "a.b", "source": "s", "occurredAt": at, "payload": {}});
        let mut platform = as_service(item.to_string());
        match block_on(take_commands(service("application/json"), &mut platform)) {
            Ok(answer) => assert_eq!((taken, answer.accepted), (true, 1), "{at}"),
            Err(Fault::NoValidEvent(results)) => {
                assert_eq!((taken, results[0].code), (false, "timestamp_out_of_range"));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
