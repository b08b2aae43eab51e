//! What is known of the receipt of an event that comes by an import.
//!
//! `receivedAt` decides which hour of the lake an event lies in and which day it is counted in. Of an
//! imported event that must be its own hour and day, not today's. A line that was stored before (by
//! Shoreline: `schemaVersion` tells) says when it was received, and from where; any other was received
//! when it happened.

use serde_json::{Map, Value};
use shoreline_shared::validate::instant_ms;

/// Characters of a region's name at most; the longest of ISO 3166-2 are shorter.
const MAX_REGION_CHARS: usize = 100;

/// What is known of an event's receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    received_at: Option<i64>,
    country: Option<String>,
    region: Option<String>,
}

impl History {
    /// Reads it from a line's fields.
    pub fn of(fields: &Map<String, Value>) -> Self {
        if !fields.get("schemaVersion").is_some_and(Value::is_number) {
            return Self::default();
        }
        let text = |name| fields.get(name).and_then(Value::as_str);
        Self {
            received_at: fields.get("receivedAt").and_then(instant_ms),
            country: text("country")
                .filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphanumeric()))
                .map(str::to_ascii_uppercase),
            region: text("region")
                .map(str::trim)
                .filter(|name| (1..=MAX_REGION_CHARS).contains(&name.chars().count()))
                .filter(|name| !name.chars().any(char::is_control))
                .map(str::to_owned),
        }
    }

    /// When the event counts as received: what its line says, else its timestamp; not before 1970,
    /// where the lake's and the counts' calendars begin, and not ahead.
    pub fn received_at(&self, timestamp: i64, now_ms: i64) -> i64 {
        self.received_at.unwrap_or(timestamp).min(now_ms).max(0)
    }

    /// ISO country code.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// Region.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> History {
        History::of(
            serde_json::from_str::<Value>(json)
                .unwrap()
                .as_object()
                .unwrap(),
        )
    }

    #[test]
    fn a_stored_line_keeps_its_receipt_and_any_other_has_none() {
        let stored =
            of(r#"{"schemaVersion":1,"receivedAt":5000,"country":"de","region":" Bavaria "}"#);
        assert_eq!(stored.received_at(9_000, 10_000), 5_000);
        assert_eq!(
            (stored.country(), stored.region()),
            (Some("DE"), Some("Bavaria"))
        );
        let written = of(r#"{"schemaVersion":1,"receivedAt":"1970-01-01T00:00:05Z"}"#);
        assert_eq!(written.received_at(9_000, 10_000), 5_000);
        let foreign = of(r#"{"receivedAt":5000,"country":"DE","region":"Bavaria"}"#);
        assert_eq!(foreign, History::default());
        assert_eq!(foreign.received_at(9_000, 10_000), 9_000);
    }

    #[test]
    fn nothing_is_received_ahead_or_before_1970() {
        let future = of(r#"{"schemaVersion":1,"receivedAt":99999}"#);
        assert_eq!(future.received_at(0, 10_000), 10_000);
        assert_eq!(History::default().received_at(-5, 10_000), 0);
        assert_eq!(History::default().received_at(20_000, 10_000), 10_000);
    }

    #[test]
    fn what_is_no_country_or_region_is_left_out() {
        let long = "x".repeat(101);
        for (country, region) in [("DEU", ""), ("ü", "\u{7}"), ("", &long), ("<b", " ")] {
            let fields =
                serde_json::json!({"schemaVersion": 1, "country": country, "region": region});
            assert_eq!(History::of(fields.as_object().unwrap()), History::default());
        }
    }
}
