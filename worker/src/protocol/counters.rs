//! Live counts: what a site's shards count as events come, and how a shard's counts are read.
//!
//! A counter is `(kind, bucket, key) → n`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shoreline_shared::lines::Line;

use crate::base::hash::sha256_hex;
use crate::base::sorted::Map;
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};

/// How long hourly outcome counts are kept.
pub const OUTCOME_MEMORY_MS: i64 = 31 * 24 * HOUR_MS;

/// How a counter's kind is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Events of a type, by minute.
    #[serde(rename = "t")]
    Type,
    /// Views of a page, by minute.
    #[serde(rename = "p")]
    Page,
    /// Uses of a feature, by minute.
    #[serde(rename = "f")]
    Feature,
    /// What events `identify` say, by minute: an [`Identified`](super::Identified) as a text.
    #[serde(rename = "j")]
    Identified,
    /// Events that ended in an outcome, by hour.
    #[serde(rename = "o")]
    Outcome,
    /// Events taken in an hour, of a site with a quota.
    #[serde(rename = "q")]
    Quota,
    /// What the reconciliation has to move: imported events are accepted in the hour of their import,
    /// and stored and landed in that of their `receivedAt`.
    #[serde(rename = "i")]
    Imported,
}

/// The outcome of an event that is durable and counted.
pub const ACCEPTED: &str = "accepted";
/// The outcome of an event seen before.
pub const DUPLICATE: &str = "duplicate";

/// Events that a tracker had to drop before it could send them. They never came, so they are no part
/// of what was received; the ledger shows them beside it.
pub const TRACKER_DROPPED: &str = "tracker_dropped";

/// What of an event is counted live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveFacts<'a> {
    /// When it happened, Unix milliseconds.
    pub happened_at: i64,
    /// Unix milliseconds of receipt: the live view is of the edge's own clock.
    pub received_at: i64,
    /// The event's type.
    pub event_type: &'a str,
    /// The page, of a view.
    pub page: Option<&'a str>,
    /// The feature, of a use.
    pub feature: Option<&'a str>,
}

/// Characters of a live key at most: paths and features that people give are shorter, and anybody
/// can send events whose every page is another thousand characters.
pub const MAX_KEY_CHARS: usize = 128;

/// A page or feature as it is counted live: a longer one by its beginning and a hash of it all, so
/// that two of them stay two.
pub fn live_key(key: &str) -> Cow<'_, str> {
    match key.char_indices().nth(MAX_KEY_CHARS) {
        None => Cow::Borrowed(key),
        Some(_) => {
            let head: String = key.chars().take(MAX_KEY_CHARS.saturating_sub(9)).collect();
            let hash: String = sha256_hex(key.as_bytes()).chars().take(8).collect();
            Cow::Owned(format!("{head}…{hash}"))
        }
    }
}

/// How long before its receipt an event may have happened that is live, in milliseconds: the window of the live view. What
/// waited longer, in a browser without a line or in a topic that is read from its beginning, is no news.
pub const LIVE_MS: i64 = HOUR_MS;

impl<'a> LiveFacts<'a> {
    /// Whether it is of now: see [`LIVE_MS`].
    pub fn is_live(&self) -> bool {
        self.received_at.saturating_sub(self.happened_at) <= LIVE_MS
    }

    /// The facts of a stored event.
    pub fn of(event: &Line<'a>) -> Self {
        Self {
            happened_at: event.timestamp,
            received_at: event.received_at,
            event_type: event.event_type,
            page: event.page,
            feature: event.feature,
        }
    }
}

/// Sums by (kind, bucket, key). As JSON they are rows, `[[kind, bucket, key, n], …]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters<'a>(Map<(Kind, i64, Cow<'a, str>), i64>);

impl<'a> Counters<'a> {
    /// Adds `n` to a counter.
    pub fn add(&mut self, kind: Kind, bucket: i64, key: impl Into<Cow<'a, str>>, n: i64) {
        let sum = self.0.entry((kind, bucket, key.into())).or_default();
        *sum = sum.saturating_add(n);
    }

    /// Adds `n` events that ended in the outcome `code` in the hour `hour`.
    pub fn add_outcome(&mut self, hour: i64, code: &'a str, n: i64) {
        self.add(Kind::Outcome, hour, code, n);
    }

    /// Whether there is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The counters that are not zero, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, i64, &str, i64)> {
        self.0
            .iter()
            .filter(|(_, n)| **n != 0)
            .map(|((kind, bucket, key), n)| (*kind, *bucket, key.as_ref(), *n))
    }
}

impl Serialize for Counters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Counters<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Row<'a>(Kind, i64, #[serde(borrow)] Cow<'a, str>, i64);
        let rows = Vec::<Row<'a>>::deserialize(deserializer)?;
        let mut counters = Self::default();
        for Row(kind, bucket, key, n) in rows {
            counters.add(kind, bucket, key, n);
        }
        Ok(counters)
    }
}

/// Counts one accepted event (`sign` 1), or takes it back (`sign` -1) once it is known to have
/// been counted before in another batch. What happened long ago is in the ledger alone.
pub fn count_event<'a>(counters: &mut Counters<'a>, event: &LiveFacts<'a>, sign: i64) {
    let minute = floor_to(event.received_at, MINUTE_MS);
    if event.is_live() {
        counters.add(Kind::Type, minute, event.event_type, sign);
        if let Some(page) = event.page {
            counters.add(Kind::Page, minute, live_key(page), sign);
        }
        if let Some(feature) = event.feature {
            counters.add(Kind::Feature, minute, live_key(feature), sign);
        }
    }
    counters.add_outcome(floor_to(event.received_at, HOUR_MS), ACCEPTED, sign);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counted_and_taken_back_leaves_nothing() {
        let event = LiveFacts {
            happened_at: 1_705_334_412_345 - LIVE_MS,
            received_at: 1_705_334_412_345,
            event_type: "page_view",
            page: Some("/a \"b\""),
            feature: None,
        };
        let mut counters = Counters::default();
        count_event(&mut counters, &event, 1);
        assert_eq!(
            serde_json::to_string(&counters).unwrap(),
            r#"[["t",1705334400000,"page_view",1],["p",1705334400000,"/a \"b\"",1],["o",1705334400000,"accepted",1]]"#
        );
        let text = serde_json::to_string(&counters).unwrap();
        assert_eq!(
            serde_json::from_str::<Counters<'_>>(&text).unwrap(),
            counters
        );
        count_event(&mut counters, &event, -1);
        assert_eq!(counters.iter().count(), 0);
        // A millisecond older it is in the ledger alone, and leaves nothing likewise.
        let old = LiveFacts {
            happened_at: event.happened_at - 1,
            ..event
        };
        count_event(&mut counters, &old, 1);
        assert_eq!(
            serde_json::to_string(&counters).unwrap(),
            r#"[["o",1705334400000,"accepted",1]]"#
        );
        count_event(&mut counters, &old, -1);
        assert_eq!(counters.iter().count(), 0);
    }

    #[test]
    fn long_keys_are_cut_and_stay_apart() {
        let long = "ü".repeat(129);
        assert_eq!(live_key(&long[2..]), &long[2..]);
        let (a, b) = (
            live_key(&long).into_owned(),
            live_key(&format!("{long}b")).into_owned(),
        );
        assert_eq!(
            (a.chars().count(), b.chars().count()),
            (MAX_KEY_CHARS, MAX_KEY_CHARS)
        );
        assert_ne!(a, b);
    }
}
