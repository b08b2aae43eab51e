//! `docs/schemas/event.schema.json` is what [`Stored`] says. After a change of it:
//! `SHORELINE_WRITE_SCHEMA=1 cargo test -p shoreline-shared --lib schema`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Stored;
use crate::event_type::EventType;
use crate::limits::{MAX_EVENT_TYPE_CHARS, MAX_STRING_CHARS};

pub(super) const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
pub(super) const EVENT_TYPE: &str = "^[A-Za-z0-9._-]{1,100}$";
pub(super) const CHARS: usize = MAX_STRING_CHARS;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../docs/schemas/event.schema.json"
);

fn generated() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema: Value = settings
        .into_generator()
        .into_root_schema_for::<Stored<'_>>()
        .into();
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

#[test]
fn the_file_is_what_the_type_says() {
    if std::env::var_os("SHORELINE_WRITE_SCHEMA").is_some() {
        std::fs::write(FILE, generated()).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(
        written,
        generated(),
        "write it anew: SHORELINE_WRITE_SCHEMA=1 cargo test -p shoreline-shared --lib schema"
    );
}

#[test]
fn the_pattern_of_types_is_the_parsers() {
    assert!(EVENT_TYPE.ends_with(&format!("{{1,{MAX_EVENT_TYPE_CHARS}}}$")));
    for name in ["page_view", "iam.user-registered", &"a".repeat(100)] {
        assert!(EventType::parse(name).is_some(), "{name}");
    }
    for name in ["", "a b", "é", &"a".repeat(101)] {
        assert!(EventType::parse(name).is_none(), "{name}");
    }
}
