//! `docs/EVENTS.md` says what the code does.

use serde_json::Value;
use shoreline_shared::event::{Code, RawEvent};
use shoreline_shared::event_type::TrackerType;
use shoreline_shared::limits::*;
use shoreline_shared::validate::validate;

use super::common::*;

const DOCS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EVENTS.md"));

#[test]
fn every_code_and_type_is_explained() {
    for code in Code::ALL {
        assert!(
            DOCS.contains(&format!("| `{}` |", code.as_str())),
            "{code:?}"
        );
    }
    for each in TrackerType::ALL {
        assert!(DOCS.contains(&format!("`{}`", each.as_str())), "{each:?}");
    }
}

#[test]
fn every_limit_is_told() {
    for told in [
        format!("1 to {MAX_EVENTS_PER_BATCH} events"),
        format!("at most {} KiB", MAX_BATCH_BYTES / 1024),
        format!("over {} KiB of JSON", MAX_EVENT_BYTES / 1024),
        format!("over {MAX_DEPTH} levels"),
        format!("over {MAX_KEYS} keys"),
        format!("cut at {MAX_STRING_CHARS} characters"),
        format!("first {MAX_ARRAY_ITEMS} items"),
        format!("1 to {MAX_EVENT_TYPE_CHARS} letters"),
        format!("over {} hours ahead", MAX_FUTURE_MS / 3_600_000),
        format!("{DEFAULT_RETENTION_DAYS} days unless set otherwise"),
        format!("`schemaVersion` ({SCHEMA_VERSION})"),
    ] {
        assert!(DOCS.contains(&told), "{told}");
    }
}

/// The batches of the examples are taken, but for the last one, which shows a refusal.
#[test]
fn the_examples_are_events() {
    let bodies: Vec<Value> = DOCS
        .split('\'')
        .filter(|quoted| quoted.starts_with('{') && quoted.contains("\"events\""))
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    let (refused, taken) = bodies.split_last().unwrap();
    assert_eq!(taken.len(), 3);
    for event in taken
        .iter()
        .flat_map(|body| body["events"].as_array().unwrap())
    {
        assert_taken(event, &PAGE);
    }
    assert_refused(
        &refused["events"][0],
        &PAGE,
        "missing_field",
        "eventData.feature",
    );

    let (_, rest) = DOCS.split_once("```json\n").unwrap();
    let (first, _) = rest.split_once("```").unwrap();
    let raw = RawEvent::parse(first).unwrap();
    assert!(validate(raw, &SERVICE, &RULES).is_ok());
}
