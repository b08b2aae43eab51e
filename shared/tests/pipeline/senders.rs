//! Pages and services: what each must say itself, and what is not asked of it.

use serde_json::{Value, json};
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::Sender;

use super::common::*;

#[test]
fn a_service_says_itself_what_the_edge_says_of_a_page() {
    for field in ["metadata.userAgent", "metadata.ipAddress"] {
        for (value, code) in [
            (None, "missing_field"),
            (Some(json!(null)), "missing_field"),
            (Some(json!(" ")), "empty_field"),
            (Some(json!(1)), "wrong_type"),
        ] {
            let event = with(event(), field, value);
            assert_refused(&event, &SERVICE, code, field);
            assert_taken(&event, &PAGE);
        }
    }
}

#[test]
fn a_domain_event_needs_a_type_and_a_source() {
    assert_taken(&domain_event(), &SERVICE);
    let nameless = with(domain_event(), "source", None);
    assert_refused(&nameless, &SERVICE, "missing_field", "source");
    let named = Sender::Source {
        name: Some("billing"),
    };
    assert_taken(&nameless, &named);
    assert_refused(
        &nameless,
        &Sender::Source { name: Some(" ") },
        "missing_field",
        "source",
    );
    assert_refused(
        &with(domain_event(), "source", Some(json!(""))),
        &SERVICE,
        "empty_field",
        "source",
    );
    assert_refused(
        &with(domain_event(), "source", Some(json!(7))),
        &SERVICE,
        "wrong_type",
        "source",
    );
    assert_refused(
        &with(domain_event(), "source", Some(json!(7))),
        &named,
        "wrong_type",
        "source",
    );
    assert_refused(
        &with(domain_event(), "metadata", Some(json!(7))),
        &SERVICE,
        "wrong_type",
        "metadata",
    );

    let source = |event: &Value, sender| {
        stamped(event, sender, &Privacy::default())
            .source()
            .to_owned()
    };
    assert_eq!(source(&domain_event(), &named), "challenge-service");
    assert_eq!(source(&nameless, &named), "billing");
    assert_eq!(source(&event(), &named), "billing");
    assert_eq!(source(&event(), &SERVICE), "tracker");
}

#[test]
fn people_are_optional_in_domain_events() {
    for field in ["userId", "sessionId", "tenantId"] {
        for absent in [json!(null), json!(""), json!(" \n")] {
            assert_taken(&with(domain_event(), field, Some(absent)), &SERVICE);
        }
        assert_taken(&with(domain_event(), field, Some(json!("x"))), &SERVICE);
        assert_refused(
            &with(domain_event(), field, Some(json!(1))),
            &SERVICE,
            "wrong_type",
            field,
        );
    }
    assert_refused(
        &with(event(), "tenantId", Some(json!([]))),
        &PAGE,
        "wrong_type",
        "tenantId",
    );
}

#[test]
fn what_the_page_claims_of_itself_is_ignored() {
    let spoofed = with(event(), "metadata.ipAddress", Some(json!("1.2.3.4")));
    let spoofed = with(spoofed, "metadata. ipAddress", Some(json!("1.2.3.4")));
    let spoofed = with(spoofed, "source", Some(json!({"not": "looked at"})));
    let metadata = stored(&spoofed, &PAGE, &Privacy::default())["metadata"].clone();
    assert_eq!(metadata["userAgent"], "Mozilla/5.0");
    assert_eq!(metadata["ipAddress"], "203.0.113.0");

    let silent = Sender::Browser {
        user_agent: None,
        ip: None,
        adapted: false,
    };
    assert_refused(&event(), &silent, "missing_field", "metadata.userAgent");
    let empty = Sender::Browser {
        user_agent: Some(" "),
        ip: None,
        adapted: false,
    };
    assert_refused(&event(), &empty, "empty_field", "metadata.userAgent");
    for ip in [None, Some(""), Some(" ")] {
        let unknown = Sender::Browser {
            user_agent: Some("x"),
            ip,
            adapted: false,
        };
        let metadata = stored(&event(), &unknown, &Privacy::default())["metadata"].clone();
        assert_eq!(metadata["ipAddress"], "0.0.0.0");
    }
}

#[test]
fn an_adapter_names_domain_types_for_a_page() {
    let identify = with(event(), "eventType", Some(json!("segment.identify")));
    assert_refused(&identify, &PAGE, "invalid_event_type", "eventType");
    let adapted = Sender::Browser {
        user_agent: Some("Mozilla/5.0"),
        ip: Some("203.0.113.77"),
        adapted: true,
    };
    let stored = stored(&identify, &adapted, &Privacy::default());
    assert_eq!(stored["eventType"], "segment.identify");
    assert_eq!(stored["metadata"]["ipAddress"], "203.0.113.0");
}
