//! What holds for every event, however strange.

use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use shoreline_shared::event::RawEvent;
use shoreline_shared::limits::{
    MAX_ARRAY_ITEMS, MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEYS, MAX_STRING_CHARS,
};
use shoreline_shared::sanitize::{Privacy, sanitize, sanitize_value};
use shoreline_shared::stamp::{StampedEvent, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

use super::common::*;
use super::hostile::{big_value, event_like, hostile_key, hostile_text, hostile_value, privacy};

fn senders() -> [Sender<'static>; 3] {
    [PAGE, SERVICE, Sender::Source { name: Some("svc") }]
}

/// Whether a value keeps every limit of content at this level.
fn within_limits(value: &Value, level: usize) -> bool {
    let fits = |text: &str| text.chars().count() <= MAX_STRING_CHARS && text.trim() == text;
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => fits(text) && !text.contains(char::is_control),
        Value::Array(items) => {
            level <= MAX_DEPTH
                && items.len() <= MAX_ARRAY_ITEMS
                && items.iter().all(|item| within_limits(item, level + 1))
        }
        Value::Object(fields) => {
            level <= MAX_DEPTH
                && fields.len() <= MAX_KEYS
                && fields.iter().all(|(key, value)| {
                    fits(key)
                        && !["__proto__", "constructor", "prototype"].contains(&key.as_str())
                        && within_limits(value, level + 1)
                })
        }
    }
}

proptest! {
    #[test]
    fn sanitizing_twice_equals_sanitizing_once(value in prop_oneof![9 => hostile_value(), 1 => big_value()], privacy in privacy()) {
        let once = sanitize_value(value, &privacy);
        let twice = once.clone().and_then(|once| sanitize_value(once, &privacy));
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn a_text_settles_under_any_key(text in hostile_text(), key in select(&["a", "url", "ip"][..]), privacy in privacy()) {
        let once = sanitize_value(json!({key: text}), &privacy).unwrap();
        prop_assert_eq!(sanitize_value(once.clone(), &privacy), Some(once));
    }

    #[test]
    fn no_limit_is_exceeded(value in prop_oneof![hostile_value(), big_value()], privacy in privacy()) {
        if let Some(clean) = sanitize_value(value, &privacy) {
            prop_assert!(within_limits(&clean, 2), "{}", clean);
        }
    }

    #[test]
    fn cutting_keeps_whole_characters(text in "(\\PC| |😀|é){990,1010}") {
        let clean = sanitize_value(json!(text), &Privacy::default()).unwrap();
        let clean = clean.as_str().unwrap();
        if !clean.contains("redacted") && !clean.starts_with("http") {
            let expected: String = text.trim().chars().take(MAX_STRING_CHARS).collect();
            prop_assert_eq!(clean, expected.trim_end());
        }
    }

    #[test]
    fn no_text_breaks_parsing(text in prop_oneof![any::<String>(), hostile_text(), "[\\[\\]{}:,\"\\\\0-9eE.+u-]{0,200}", "(\\{\"a\":|\\[|\"|\\\\ud83d|1e999|\\}|\\]|,|é){0,60}"]) {
        for text in [text.clone(), format!("{{\"a\":{text}}}"), format!("{{\"a\":\"{text}\"}}")] {
            if let Ok(raw) = RawEvent::parse(&text) {
                for sender in senders() {
                    let _ = validate(raw.clone(), &sender, &RULES);
                }
            }
        }
    }

    #[test]
    fn json_is_read_as_it_is(fields in btree_map(hostile_key(), hostile_value(), 0..5)) {
        let value: Value = fields.into_iter().collect();
        let text = value.to_string();
        prop_assume!(text.len() <= MAX_EVENT_BYTES);
        prop_assert_eq!(RawEvent::parse(&text), RawEvent::from_value(value));
    }

    #[test]
    fn every_event_is_refused_or_goes_all_the_way(
        event in prop_oneof![3 => event_like(), 1 => hostile_value()],
        privacy in privacy(),
        now in prop_oneof![Just(NOW), any::<i64>()],
        any_past: bool,
    ) {
        let rules = Rules { now_ms: now, retention_days: 30, any_past };
        for sender in senders() {
            let Ok(raw) = RawEvent::from_value(event.clone()) else { continue };
            match validate(raw, &sender, &rules) {
                Ok(valid) => {
                    let stamped = stamp(sanitize(valid, &privacy), &a_stamp());
                    prop_assert!(!stamped.json().contains(['\n', '\r']));
                    prop_assert_eq!(StampedEvent::from_json(stamped.json()), Some(stamped.clone()));
                    let stored: Value = serde_json::from_str(stamped.json()).unwrap();
                    prop_assert!(within_limits(&stored, 1), "{}", stored);
                    prop_assert_eq!(stored["eventType"].as_str(), Some(stamped.event_type()));
                    prop_assert_eq!(stored.get("userId").and_then(Value::as_str), stamped.user_id());
                }
                Err(rejection) => prop_assert!(!rejection.message.is_empty()),
            }
        }
    }

    /// A stored event, sent again as it was stored, is stored the same.
    #[test]
    fn a_stored_event_stays_what_it_is(event in event_like(), privacy in privacy()) {
        if let Ok(valid) = judge(&event, &SERVICE) {
            let once = stamp(sanitize(valid, &privacy), &a_stamp());
            let raw = RawEvent::parse(once.json());
            prop_assume!(raw.is_ok()); // It may have grown.
            let again = validate(raw.unwrap(), &SERVICE, &RULES).unwrap();
            prop_assert_eq!(stamp(sanitize(again, &privacy), &a_stamp()), once);
        }
    }
}

/// Content without anything to clean is not touched.
#[test]
fn clean_content_stays() {
    let data: Map<String, Value> = json!({
        "feature": "x", "n": 1.25, "list": ["a", {"b": "c d"}], "path": "/a/b", "url": "https://x.com/a"
    }).as_object().cloned().unwrap();
    let value = Value::Object(data);
    assert_eq!(
        sanitize_value(value.clone(), &Privacy::default()),
        Some(value)
    );
}
