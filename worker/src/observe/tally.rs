//! What was refused before anything was read: counted in memory, written now and then.
//!
//! An attack must not cost a write for each request it makes. So these counts are approximate: what
//! an isolate has not written when it ends is lost, and requests are counted, not events.

use std::collections::HashMap;

use crate::base::time::{HOUR_MS, floor_to};
use crate::protocol::counters::Counters;

/// How often an isolate writes what it has counted.
pub const FLUSH_EVERY_MS: i64 = 10_000;

/// Sites that an isolate counts for at most between two writes. Only known sites get here, and
/// Shoreline's own for what names none.
const MAX_SITES: usize = 1_000;

/// The outcomes that are counted here, and so marked approximate in the ledger.
pub const APPROXIMATE: [&str; 7] = [
    "malformed_json",
    "origin_not_allowed",
    "payload_too_large",
    "rate_limited",
    "unknown_key",
    "unsupported_media_type",
    "wrong_scope",
];

/// An isolate's counts.
#[derive(Debug, Default)]
pub struct Tally {
    sites: HashMap<String, Counters<'static>>,
    since: Option<i64>,
}

impl Tally {
    /// Counts one refused request.
    pub fn add(&mut self, site: &str, code: &'static str, now_ms: i64) {
        if self.sites.len() >= MAX_SITES && !self.sites.contains_key(site) {
            return;
        }
        self.since.get_or_insert(now_ms);
        self.sites.entry(site.to_owned()).or_default().add_outcome(
            floor_to(now_ms, HOUR_MS),
            code,
            1,
        );
    }

    /// What is to be written now: by site, and nothing where the last time is not long ago.
    pub fn take_if_due(&mut self, now_ms: i64) -> Vec<(String, Counters<'static>)> {
        let due = self
            .since
            .is_some_and(|since| now_ms.saturating_sub(since) >= FLUSH_EVERY_MS);
        if !due {
            return Vec::new();
        }
        self.since = None;
        self.sites.drain().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::names::OWN_SITE;
    use crate::testing::NOW;

    #[test]
    fn ten_thousand_refusals_are_one_write() {
        let mut tally = Tally::default();
        for _ in 0..10_000 {
            tally.add("demo", "rate_limited", NOW);
            assert!(tally.take_if_due(NOW).is_empty());
        }
        tally.add(OWN_SITE, "unknown_key", NOW + 1);
        let mut due = tally.take_if_due(NOW + FLUSH_EVERY_MS);
        due.sort_by(|a, b| a.0.cmp(&b.0));
        let json: Vec<(&str, String)> = due
            .iter()
            .map(|(site, told)| (site.as_str(), serde_json::to_string(told).unwrap()))
            .collect();
        let hour = NOW - NOW % HOUR_MS;
        assert_eq!(
            json,
            [
                (OWN_SITE, format!(r#"[["o",{hour},"unknown_key",1]]"#)),
                ("demo", format!(r#"[["o",{hour},"rate_limited",10000]]"#)),
            ]
        );
        assert!(tally.take_if_due(NOW + 2 * FLUSH_EVERY_MS).is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut tally = Tally::default();
        for n in 0..2 * MAX_SITES {
            tally.add(&format!("s{n}"), "unknown_key", NOW);
        }
        assert_eq!(tally.take_if_due(NOW + FLUSH_EVERY_MS).len(), MAX_SITES);
    }
}
