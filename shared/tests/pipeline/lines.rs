//! The lines of the lake and their schema: what is written fits it, what was ever written still does.

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use shoreline_shared::limits::SCHEMA_VERSION;
use shoreline_shared::sanitize::sanitize;
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};

use super::common::*;
use super::hostile::{event_like, privacy};

const SCHEMA: &str = include_str!("../../../docs/schemas/event.schema.json");

/// Lines of each version, as they were written. A line is added whenever the form grows, and none
/// is ever changed: they are what lies in lakes.
const LINES: [(u32, &str); 1] = [(1, include_str!("../lines/v1.ndjson"))];

/// As a reader checks: fields that it does not know pass.
fn reader() -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

/// As we check ourselves: a field that the schema does not tell of is a fault.
fn writer() -> Validator {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema["additionalProperties"] = json!(false);
    jsonschema::draft202012::new(&schema).unwrap()
}

fn faults(validator: &Validator, line: &Value) -> Vec<String> {
    let faults = validator.iter_errors(line);
    faults
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect()
}

proptest! {
    #[test]
    fn every_line_that_is_written_is_one_and_fits_the_schema(
        event in event_like(),
        privacy in privacy(),
        place in any::<bool>(),
    ) {
        let place = place.then_some("DE");
        let edge = Stamp {
            batch_id: place,
            country: place,
            region: place,
            browser: place,
            os: place,
            device: place,
            ..a_stamp()
        };
        let writer = writer();
        for sender in [PAGE, SERVICE] {
            if let Ok(valid) = judge(&event, &sender) {
                let stamped = stamp(sanitize(valid, &privacy), &edge);
                // A reader of the lake would take what stands behind a line break for another event.
                prop_assert!(!stamped.json().contains(['\n', '\r']), "{}", stamped.json());
                let line = serde_json::from_str(stamped.json()).unwrap();
                prop_assert_eq!(faults(&writer, &line), Vec::<String>::new(), "{}", line);
            }
        }
    }
}

#[test]
fn what_was_ever_written_stays_valid_and_readable() {
    let versions: Vec<u32> = LINES.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (1..=SCHEMA_VERSION).collect::<Vec<_>>());
    let (reader, writer) = (reader(), writer());
    for (version, lines) in LINES {
        for line in lines.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["schemaVersion"], version);
            assert_eq!(faults(&reader, &value), Vec::<String>::new(), "{line}");
            assert_eq!(faults(&writer, &value), Vec::<String>::new(), "{line}");
            let event = StampedEvent::from_json(line).unwrap();
            assert_eq!(event.json(), line);
            assert_eq!(Some(event.event_id()), value["eventId"].as_str());
        }
    }
}

/// Between them the lines have every field of the schema: a field that is added needs a line.
#[test]
fn the_lines_show_every_field() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let all = LINES.map(|(_, lines)| lines).concat();
    for field in schema["properties"].as_object().unwrap().keys() {
        assert!(all.contains(&format!("\"{field}\":")), "{field}");
    }
}

#[test]
fn a_reader_takes_fields_of_later_and_refuses_what_is_no_event() {
    let line: Value = serde_json::from_str(LINES[0].1.lines().next().unwrap()).unwrap();
    let reader = reader();
    assert!(reader.is_valid(&with(line.clone(), "campaign", Some(json!("spring")))));
    for (path, value) in [
        (
            "eventId",
            Some(json!("0198C1D2-0000-7000-8000-000000000001")),
        ),
        ("eventId", Some(json!("1"))),
        ("eventType", Some(json!("a b"))),
        ("siteId", None),
        ("source", Some(json!(""))),
        ("userId", Some(Value::Null)),
        ("timestamp", Some(json!("2024-01-15T16:00:00Z"))),
        ("receivedAt", None),
        ("schemaVersion", Some(json!(SCHEMA_VERSION + 1))),
        ("browser", Some(Value::Null)),
        ("eventData", Some(json!("{}"))),
        ("metadata", None),
    ] {
        let bad = with(line.clone(), path, value);
        assert!(!reader.is_valid(&bad), "{path}: {bad}");
    }
}
