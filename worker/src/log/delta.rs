//! What rows that are gone have added to the counts, as it is saved.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::keep::{add, hash_of, is_active, is_hourly, is_shown};
use crate::base::sorted::Map;
use crate::protocol::Head;
use crate::protocol::counters::{Counters, Kind};

/// Keys of a piece at most, but for a bucket's: with the longest (128 characters, of up to four bytes)
/// some 2 MB at the very most, a row's limit; usual ones are a tenth of that.
const KEYS_PER_PIECE: usize = 3_000;

/// What rows that are gone have added: the form in which it is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delta {
    #[serde(rename = "c", with = "rows")]
    by: Map<(Kind, i64), Map<String, i64>>,
    #[serde(rename = "v")]
    visitors: HashMap<u64, i64>,
}

impl Delta {
    /// Its counters.
    pub(super) fn counters(&self) -> impl Iterator<Item = (Kind, i64, &str, i64)> {
        self.by.iter().flat_map(|((kind, bucket), keys)| {
            keys.iter()
                .map(|(key, n)| (*kind, *bucket, key.as_str(), *n))
        })
    }

    /// Its users, by keyed hash, and when each was seen last.
    pub(super) fn visitors(&self) -> impl Iterator<Item = (u64, i64)> {
        self.visitors.iter().map(|(hash, at)| (*hash, *at))
    }

    /// Adds a row's head, but for what is too old to be of use.
    pub(super) fn add_head(&mut self, head: &Head<'_>, now_ms: i64) {
        self.add_all(&head.counters, now_ms);
        if is_active(head.at, now_ms) {
            for hash in &head.visitors {
                self.see(hash_of(hash), head.at);
            }
        }
    }

    pub(super) fn add_all(&mut self, counters: &Counters<'_>, now_ms: i64) {
        for (kind, bucket, key, n) in counters.iter() {
            if is_hourly(kind) || is_shown(kind, bucket, now_ms) {
                self.add((kind, bucket), key, n);
            }
        }
    }

    /// Adds another, but for what is too old to be of use.
    pub(super) fn add_delta(&mut self, other: Self, now_ms: i64) {
        for ((kind, bucket), keys) in other.by {
            if is_hourly(kind) || is_shown(kind, bucket, now_ms) {
                for (key, n) in keys {
                    self.add((kind, bucket), &key, n);
                }
            }
        }
        for (hash, at) in other.visitors {
            if is_active(at, now_ms) {
                self.see(hash, at);
            }
        }
    }

    fn add(&mut self, bucket: (Kind, i64), key: &str, n: i64) {
        add(self.by.entry(bucket).or_default(), bucket.0, key, n);
    }

    fn see(&mut self, hash: u64, at: i64) {
        let seen = self.visitors.entry(hash).or_insert(at);
        *seen = at.max(*seen);
    }

    /// Drops what is too old to be of use.
    pub(super) fn forget(&mut self, now_ms: i64) {
        self.by
            .retain(|(kind, bucket), _| is_hourly(*kind) || is_shown(*kind, *bucket, now_ms));
        self.visitors.retain(|_, at| is_active(*at, now_ms));
    }

    /// Takes out what hours hold, hour by hour.
    pub(super) fn take_hours(&mut self) -> Map<i64, Self> {
        let mut hours: Map<i64, Self> = Map::new();
        let (hourly, rest) = std::mem::take(&mut self.by)
            .into_iter()
            .partition(|((kind, _), _)| is_hourly(*kind));
        self.by = rest;
        let hourly: Map<_, _> = hourly;
        for ((kind, hour), keys) in hourly {
            hours.entry(hour).or_default().by.insert((kind, hour), keys);
        }
        hours
    }

    /// Cuts it into pieces whose text is far below what a row may have.
    pub(super) fn pieces(self) -> Vec<Self> {
        let mut pieces = vec![Self {
            by: Map::new(),
            visitors: self.visitors,
        }];
        let mut n = 0_usize;
        for (bucket, keys) in self.by {
            n = n.saturating_add(keys.len());
            if n > KEYS_PER_PIECE {
                n = keys.len();
                pieces.push(Self::default());
            }
            if let Some(last) = pieces.last_mut() {
                last.by.insert(bucket, keys);
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Whether it adds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty() && self.visitors.is_empty()
    }
}

/// `[[kind, bucket, {key: n}], …]`: keys of a JSON object are texts alone.
mod rows {
    use serde::{Deserializer, Serializer};

    use super::*;

    type By = Map<(Kind, i64), Map<String, i64>>;

    pub(super) fn serialize<S: Serializer>(by: &By, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(by.iter().map(|((kind, bucket), keys)| (kind, bucket, keys)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<By, D::Error> {
        let rows = Vec::<(Kind, i64, Map<String, i64>)>::deserialize(deserializer)?;
        Ok(rows
            .into_iter()
            .map(|(kind, bucket, keys)| ((kind, bucket), keys))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
    use crate::testing::NOW;

    #[test]
    fn a_delta_is_read_as_it_was_written() {
        let mut counters = Counters::default();
        counters.add(Kind::Page, floor_to(NOW, MINUTE_MS), "/a \"b\"", 2);
        counters.add_outcome(floor_to(NOW, HOUR_MS), "accepted", 2);
        counters.add(Kind::Page, 0, "/long ago", 9);
        let head = Head {
            at: NOW,
            counters,
            visitors: vec!["ffffffffffffffff".into()],
            ..Head::default()
        };
        let mut delta = Delta::default();
        delta.add_head(&head, NOW);
        let text = serde_json::to_string(&delta).unwrap();
        assert!(!text.contains("long ago"));
        let mut read: Delta = serde_json::from_str(&text).unwrap();
        assert_eq!(read, delta);
        assert_eq!(read.take_hours().len(), 1);
        assert!(!read.is_empty());
        let mut later = Delta::default();
        later.add_delta(read, NOW + 62 * MINUTE_MS);
        assert!(later.is_empty());
    }
}
