//! Which events are taken, and what the others are refused for.

use super::common::*;
use serde_json::{Value, json};
use shoreline_shared::event::{Code, RawEvent};
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::Sender;

const SENDERS: [Sender<'static>; 2] = [PAGE, SERVICE];

#[test]
fn the_contracts_event_is_taken_from_everyone() {
    for sender in SENDERS {
        assert_taken(&event(), &sender);
    }
}

#[test]
fn each_required_field_of_a_tracker_event_has_its_codes() {
    for field in [
        "eventType",
        "userId",
        "sessionId",
        "eventData.feature",
        "metadata.platform",
    ] {
        for sender in SENDERS {
            assert_refused(&with(event(), field, None), &sender, "missing_field", field);
            assert_refused(
                &with(event(), field, Some(Value::Null)),
                &sender,
                "missing_field",
                field,
            );
            for empty in ["", " ", "\u{0}\n\u{85}", "\u{a0} \u{7f} "] {
                assert_refused(
                    &with(event(), field, Some(json!(empty))),
                    &sender,
                    "empty_field",
                    field,
                );
            }
            for wrong in [json!(1), json!(true), json!([]), json!({})] {
                assert_refused(
                    &with(event(), field, Some(wrong)),
                    &sender,
                    "wrong_type",
                    field,
                );
            }
        }
    }
}

/// An id that the tracker makes.
const VISITOR: &str = "v-0198c1d2-0000-7000-8000-000000000002";

fn identify(id: Option<Value>) -> Value {
    let told = with(event(), "eventType", Some(json!("identify")));
    let told = with(told, "eventData", Some(json!({})));
    with(told, "eventData.anonymousId", id)
}

#[test]
fn an_identify_names_the_id_that_came_before() {
    let field = "eventData.anonymousId";
    for sender in SENDERS {
        assert_taken(&identify(Some(json!(VISITOR))), &sender);
        assert_refused(&identify(None), &sender, "missing_field", field);
        assert_refused(&identify(Some(json!(" "))), &sender, "empty_field", field);
        assert_refused(&identify(Some(json!(7))), &sender, "wrong_type", field);
    }
    // A page says of nobody whose id can be known that they are somebody else; a service may.
    for id in [
        "bob",
        EVENT_ID,
        "v-",
        "v-bob",
        " v-0198c1d2-0000-7000-8000-000000000002",
        &VISITOR.to_uppercase(),
    ] {
        assert_refused(&identify(Some(json!(id))), &PAGE, "invalid_user_id", field);
        assert_taken(&identify(Some(json!(id))), &SERVICE);
    }
}

#[test]
fn the_id_that_came_before_is_cleaned_as_a_users_is() {
    let privacy = Privacy::default();
    for id in [
        "alice@example.com",
        " 4111 1111 1111 1111 ",
        "a\u{0}b",
        VISITOR,
    ] {
        let told = with(identify(Some(json!(id))), "userId", Some(json!(id)));
        let stored = stored(&told, &SERVICE, &privacy);
        assert_eq!(stored["eventData"]["anonymousId"], stored["userId"], "{id}");
    }
}

#[test]
fn objects_must_be_objects() {
    for sender in SENDERS {
        assert_refused(
            &with(event(), "metadata", None),
            &sender,
            "missing_field",
            "metadata",
        );
        assert_refused(
            &with(event(), "metadata", Some(json!(null))),
            &sender,
            "missing_field",
            "metadata",
        );
        for wrong in [json!("web"), json!(1), json!([{}]), json!(false)] {
            assert_refused(
                &with(event(), "metadata", Some(wrong.clone())),
                &sender,
                "wrong_type",
                "metadata",
            );
            assert_refused(
                &with(event(), "eventData", Some(wrong)),
                &sender,
                "wrong_type",
                "eventData",
            );
        }
    }
}

#[test]
fn event_data_is_optional_but_for_features() {
    for event_type in ["page_view", "content_create", "ai_request", "error", "form"] {
        let event = with(event(), "eventType", Some(json!(event_type)));
        for sender in SENDERS {
            assert_taken(&with(event.clone(), "eventData", None), &sender);
            assert_taken(
                &with(event.clone(), "eventData", Some(json!(null))),
                &sender,
            );
            assert_taken(&with(event.clone(), "eventData", Some(json!({}))), &sender);
        }
    }
    assert_refused(
        &with(event(), "eventData", None),
        &PAGE,
        "missing_field",
        "eventData.feature",
    );
}

#[test]
fn event_types_are_names() {
    for bad in ["a b", "click!", "é", "<b>", &"x".repeat(101)] {
        for sender in SENDERS {
            let event = with(event(), "eventType", Some(json!(bad)));
            assert_refused(&event, &sender, "invalid_event_type", "eventType");
        }
    }
    // Cleaned as every string is, before it is read.
    for good in ["page_view", " page_view\u{0}", "web_vital"] {
        assert_taken(&with(event(), "eventType", Some(json!(good))), &PAGE);
    }
    for domain in ["iam.user-registered", "Page_View", "click"] {
        let event = with(event(), "eventType", Some(json!(domain)));
        assert_refused(&event, &PAGE, "invalid_event_type", "eventType");
        assert_taken(&with(event, "source", Some(json!("iam-service"))), &SERVICE);
    }
}

#[test]
fn an_event_id_is_a_uuid_or_absent() {
    assert_taken(&with(event(), "eventId", None), &PAGE);
    assert_taken(&with(event(), "eventId", Some(json!(null))), &PAGE);
    for bad in [
        json!(""),
        json!("1"),
        json!(1),
        json!({}),
        json!(EVENT_ID.replace('-', "")),
        json!(format!(" {EVENT_ID}")),
    ] {
        assert_refused(
            &with(event(), "eventId", Some(bad)),
            &PAGE,
            "invalid_event_id",
            "eventId",
        );
    }
}

/// An address with such a segment is another address, so nobody could ask for the user.
#[test]
fn a_user_id_can_stand_in_an_address() {
    for bad in [".", "..", " . ", "\u{0}..\n"] {
        let event = with(event(), "userId", Some(json!(bad)));
        assert_refused(&event, &PAGE, "invalid_user_id", "userId");
        assert_refused(&event, &SERVICE, "invalid_user_id", "userId");
    }
    for good in ["...", ".a", "a.", "./", "%2e"] {
        assert_taken(&with(event(), "userId", Some(json!(good))), &PAGE);
    }
    assert_taken(&with(event(), "sessionId", Some(json!("."))), &PAGE);
}

#[test]
fn the_first_failure_is_told() {
    let order = [
        ("eventType", json!(1)),
        ("source", json!(1)),
        ("userId", json!(1)),
        ("sessionId", json!(1)),
        ("eventId", json!(1)),
        ("timestamp", json!("x")),
        ("tenantId", json!(1)),
        ("eventData", json!(1)),
        ("metadata", json!(1)),
    ];
    for first in 0..order.len() {
        let broken = order[first..]
            .iter()
            .fold(event(), |event, (field, value)| {
                with(event, field, Some(value.clone()))
            });
        let (_, field) = refusal(&broken, &SERVICE).unwrap();
        assert_eq!(field, order[first].0);
    }
    let metadata = json!({"userAgent": 1, "ipAddress": 1, "platform": 1});
    let broken = with(event(), "metadata", Some(metadata));
    assert_eq!(refusal(&broken, &SERVICE).unwrap().1, "metadata.userAgent");
}

#[test]
fn fields_that_are_not_of_the_contract_are_ignored() {
    let event = with(event(), "shoeSize", Some(json!({"eu": 42})));
    let event = with(event, "siteId", Some(json!("another")));
    let stored = stored(&event, &PAGE, &Privacy::default());
    assert_eq!(stored.get("shoeSize"), None);
    assert_eq!(stored["siteId"], "demo");
}

#[test]
fn messages_hold_nothing_of_the_event() {
    for field in [
        "eventType",
        "userId",
        "sessionId",
        "eventId",
        "timestamp",
        "eventData",
        "metadata",
    ] {
        let broken = with(event(), field, Some(json!(["s3cr3t"])));
        let rejection = judge(&broken, &PAGE).unwrap_err();
        assert!(!format!("{rejection:?}").contains("s3cr3t"));
    }
}

/// Every code is made by something.
#[test]
fn every_code_occurs() {
    let wide: Value = (0..257).map(|n| (n.to_string(), json!(n))).collect();
    let deep = (0..15).fold(json!(1), |inner, _| json!([inner]));
    let mut codes: Vec<Code> = [
        with(event(), "userId", None),
        with(event(), "userId", Some(json!(""))),
        with(event(), "userId", Some(json!(1))),
        with(event(), "eventType", Some(json!("x"))),
        with(event(), "userId", Some(json!("."))),
        with(event(), "eventId", Some(json!("x"))),
        with(event(), "timestamp", Some(json!("x"))),
        with(event(), "timestamp", Some(json!(0))),
        with(event(), "eventData.x", Some(json!("x".repeat(32 * 1024)))),
        with(event(), "eventData.x", Some(deep)),
        with(event(), "eventData.x", Some(wide)),
    ]
    .iter()
    .map(|event| judge(event, &PAGE).unwrap_err().code)
    .collect();
    codes.sort();
    assert_eq!(codes, Code::ALL);
}

#[test]
fn adapters_values_go_the_same_way() {
    let raw = RawEvent::from_value(event()).unwrap();
    assert_eq!(raw, RawEvent::parse(&event().to_string()).unwrap());
}
