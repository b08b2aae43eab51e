//! Services and foreign protocols: other doors, the same way from there.

use serde_json::{Value, json};

use super::{facts, published};
use crate::adapters::SegmentCall;
use crate::auth::KeyKind;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::ingest::{take_commands, take_plausible, take_segment};
use crate::testing::{TestPlatform, a_grant, block_on, uuid};

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
    assert_eq!(*platform.unknown.borrow(), [["this", "what"]]);
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
        (published["batch"]["id"].clone(), event)
    };
    let own = send(Some("order 66 \"quoted\""));
    assert_eq!(own, send(Some("order 66 \"quoted\"")));
    assert_ne!(own, send(Some("order 67")));
    assert_eq!(send(Some(&uuid(5))).0, json!(uuid(5)));
    assert_eq!(send(None).0, Value::Null);
    assert_ne!(send(None).1, send(None).1);
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
        let track_call = SegmentCall::from_path("/v1/track").unwrap();
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
