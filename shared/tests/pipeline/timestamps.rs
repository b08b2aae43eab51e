//! When an event may say that it happened.

use serde_json::{Value, json};
use shoreline_shared::event::Code;
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::Rules;

use super::common::*;

#[test]
fn a_timestamp_is_a_number_or_rfc_3339() {
    let timestamp = |event: &Value| stored(event, &PAGE, &Privacy::default())["timestamp"].clone();
    for (value, expected) in [
        (json!(NOW - 5), NOW - 5),
        (json!(1_705_334_399_999.9), NOW - 1),
        (json!("2024-01-15T15:59:00Z"), NOW - 60_000),
        (
            json!("2024-01-15T16:59:00.123456+01:00"),
            NOW - 60_000 + 123,
        ),
        (json!(" 2024-01-15T16:00:00Z "), NOW),
        (json!(null), NOW),
    ] {
        for field in ["timestamp", "occurredAt"] {
            let event = with(with(event(), "timestamp", None), field, Some(value.clone()));
            assert_eq!(timestamp(&event), expected, "{field} {value}");
        }
    }
    assert_eq!(timestamp(&with(event(), "timestamp", None)), NOW);
    let both = with(event(), "occurredAt", Some(json!("junk")));
    assert_eq!(timestamp(&both), NOW);
    let junk = [
        json!("yesterday"),
        json!(""),
        json!("1705334400000"),
        json!("2024-01-15"),
        json!("2024-01-15T16:00:00"),
        json!("2024-13-15T16:00:00Z"),
        json!(true),
        json!([NOW]),
        json!({}),
    ];
    for value in junk {
        for field in ["timestamp", "occurredAt"] {
            let event = with(with(event(), "timestamp", None), field, Some(value.clone()));
            assert_refused(&event, &PAGE, "invalid_timestamp", field);
        }
    }
}

#[test]
fn a_timestamp_lies_between_retention_and_tomorrow() {
    let at = |at: i64| with(event(), "timestamp", Some(json!(at)));
    assert_taken(&at(NOW + DAY), &PAGE);
    assert_taken(&at(NOW - 30 * DAY), &PAGE);
    for (at, field) in [
        (json!(NOW + DAY + 1), "timestamp"),
        (json!(NOW - 30 * DAY - 1), "timestamp"),
        (json!(0), "timestamp"),
        (json!(1e300), "timestamp"),
        (json!(-1e300), "timestamp"),
        (json!(u64::MAX), "timestamp"),
        (json!(i64::MIN), "timestamp"),
        (json!("9999-12-31T23:59:59Z"), "occurredAt"),
        (json!("1970-01-01T00:00:00Z"), "occurredAt"),
    ] {
        let event = with(with(event(), "timestamp", None), field, Some(at));
        assert_refused(&event, &PAGE, "timestamp_out_of_range", field);
    }
}

#[test]
fn an_import_takes_any_past_and_no_other_future() {
    let rules = Rules {
        any_past: true,
        ..RULES
    };
    let code = |at: Value| {
        let event = with(event(), "timestamp", Some(at));
        judge_by(&event, &SERVICE, &rules)
            .err()
            .map(|rejection| rejection.code)
    };
    for past in [
        json!(0),
        json!(-DAY),
        json!("0000-01-01T00:00:00Z"),
        json!("1815-12-10T00:00:00Z"),
    ] {
        assert_eq!(code(past), None);
    }
    for never in [json!(NOW + DAY + 1), json!(i64::MIN), json!(-1e300)] {
        assert_eq!(code(never), Some(Code::TimestampOutOfRange));
    }
}
