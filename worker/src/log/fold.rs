//! Counts as they are folded from rows: in memory, and in what is saved of rows that are gone.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{ACTIVE_MS, LIVE_MINUTES};
use crate::live::{Counters, HOUR_MS, Kind, MINUTE_MS, floor_to};
use crate::protocol::Head;

/// Keys of a kind that are counted by name in one minute. A site has fewer pages; what anybody makes
/// up on top is counted together as [`OTHER`], so that a flood of pages fills no memory: 60 minutes
/// of 1,000 keys of two kinds, at most 128 characters each, are some 25 MB.
pub(super) const MAX_KEYS_PER_MINUTE: usize = 1_000;

/// The key of what is over [`MAX_KEYS_PER_MINUTE`].
pub(super) const OTHER: &str = "…";

/// Keys of a piece at most, but for a bucket's: with the longest (128 characters, of up to four bytes)
/// some 2 MB at the very most, a row's limit; usual ones are a tenth of that.
const KEYS_PER_PIECE: usize = 3_000;

/// Visitors after which those who are not active any more are forgotten: 16 bytes each and a map's
/// room, about 2 MB.
const MANY_VISITORS: usize = 50_000;

/// The counts of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    by: BTreeMap<(Kind, i64), BTreeMap<String, i64>>,
    /// By keyed hash, when the user was seen last, Unix milliseconds.
    visitors: HashMap<u64, i64>,
}

impl Counts {
    /// Adds what a row says that it adds.
    pub(super) fn add_head(&mut self, head: &Head<'_>) {
        self.add_all(&head.counters);
        for hash in &head.visitors {
            self.see(hash_of(hash), head.at);
        }
        if self.visitors.len() > MANY_VISITORS {
            self.visitors.retain(|_, at| is_active(*at, head.at));
        }
    }

    pub(super) fn add_all(&mut self, counters: &Counters<'_>) {
        for (kind, bucket, key, n) in counters.iter() {
            self.add(kind, bucket, key, n);
        }
    }

    fn add(&mut self, kind: Kind, bucket: i64, key: &str, n: i64) {
        add(self.by.entry((kind, bucket)).or_default(), key, n);
    }

    fn see(&mut self, hash: u64, at: i64) {
        let seen = self.visitors.entry(hash).or_insert(at);
        *seen = at.max(*seen);
    }

    /// Adds what was saved of rows that are gone.
    pub(super) fn add_delta(&mut self, delta: &Delta) {
        for ((kind, bucket), keys) in &delta.by {
            for (key, n) in keys {
                self.add(*kind, *bucket, key, *n);
            }
        }
        for (hash, at) in &delta.visitors {
            self.see(*hash, *at);
        }
    }

    /// Forgets what no answer shows any more.
    pub(super) fn prune(&mut self, now_ms: i64, outcomes_from: i64) {
        self.by.retain(|(kind, bucket), _| {
            if is_hourly(*kind) {
                *bucket >= outcomes_from
            } else {
                is_shown(*kind, *bucket, now_ms)
            }
        });
        self.visitors.retain(|_, at| is_active(*at, now_ms));
    }

    /// The counts of a kind, by bucket, of the buckets from `from` on.
    pub(super) fn of(
        &self,
        kind: Kind,
        from: i64,
    ) -> impl Iterator<Item = (i64, &BTreeMap<String, i64>)> {
        self.by
            .range((kind, from)..=(kind, i64::MAX))
            .map(|((_, bucket), keys)| (*bucket, keys))
    }

    /// One counter.
    pub(super) fn get(&self, kind: Kind, bucket: i64, key: &str) -> i64 {
        let keys = self.by.get(&(kind, bucket));
        keys.and_then(|keys| keys.get(key)).copied().unwrap_or(0)
    }

    /// The users of the last five minutes.
    pub(super) fn active(&self, now_ms: i64) -> impl Iterator<Item = u64> {
        self.visitors
            .iter()
            .filter(move |(_, at)| is_active(**at, now_ms))
            .map(|(hash, _)| *hash)
    }
}

/// Adds to one key of a bucket, or to [`OTHER`] where the bucket has too many.
fn add(keys: &mut BTreeMap<String, i64>, key: &str, n: i64) {
    if let Some(sum) = keys.get_mut(key) {
        *sum = sum.saturating_add(n);
        return;
    }
    let is_full = keys.len() >= MAX_KEYS_PER_MINUTE;
    let key = if is_full { OTHER } else { key };
    let sum = keys.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

/// Whether a kind's buckets are hours that the ledger shows.
pub(super) fn is_hourly(kind: Kind) -> bool {
    matches!(kind, Kind::Outcome | Kind::Imported)
}

/// Whether a bucket of the live view, or of a quota, is still of use.
fn is_shown(kind: Kind, bucket: i64, now_ms: i64) -> bool {
    let memory = match kind {
        Kind::Quota => HOUR_MS,
        _ => LIVE_MINUTES.saturating_mul(MINUTE_MS),
    };
    bucket >= floor_to(now_ms, MINUTE_MS).saturating_sub(memory)
}

fn is_active(at: i64, now_ms: i64) -> bool {
    at > now_ms.saturating_sub(ACTIVE_MS)
}

/// A user's keyed hash, written with 16 hex digits.
fn hash_of(hex: &str) -> u64 {
    u64::from_str_radix(hex, 16).unwrap_or_default()
}

/// What rows that are gone have added: the form in which it is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delta {
    #[serde(rename = "c", with = "rows")]
    by: BTreeMap<(Kind, i64), BTreeMap<String, i64>>,
    #[serde(rename = "v")]
    visitors: BTreeMap<u64, i64>,
}

impl Delta {
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
        add(self.by.entry(bucket).or_default(), key, n);
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
    pub(super) fn take_hours(&mut self) -> BTreeMap<i64, Self> {
        let mut hours: BTreeMap<i64, Self> = BTreeMap::new();
        let (hourly, rest) = std::mem::take(&mut self.by)
            .into_iter()
            .partition(|((kind, _), _)| is_hourly(*kind));
        self.by = rest;
        let hourly: BTreeMap<_, _> = hourly;
        for ((kind, hour), keys) in hourly {
            hours.entry(hour).or_default().by.insert((kind, hour), keys);
        }
        hours
    }

    /// Cuts it into pieces whose text is far below what a row may have.
    pub(super) fn pieces(self) -> Vec<Self> {
        let mut pieces = vec![Self {
            by: BTreeMap::new(),
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

    type By = BTreeMap<(Kind, i64), BTreeMap<String, i64>>;

    pub(super) fn serialize<S: Serializer>(by: &By, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(by.iter().map(|((kind, bucket), keys)| (kind, bucket, keys)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<By, D::Error> {
        let rows = Vec::<(Kind, i64, BTreeMap<String, i64>)>::deserialize(deserializer)?;
        Ok(rows
            .into_iter()
            .map(|(kind, bucket, keys)| ((kind, bucket), keys))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_flood_of_pages_fills_no_memory_and_loses_no_count() {
        let mut counts = Counts::default();
        for n in 0..20_000 {
            let mut counters = Counters::default();
            counters.add(Kind::Page, 0, format!("/{n}"), 1);
            counts.add_all(&counters);
        }
        let (_, keys) = counts.of(Kind::Page, 0).next().unwrap();
        assert_eq!(keys.len(), MAX_KEYS_PER_MINUTE + 1);
        assert_eq!(keys.values().sum::<i64>(), 20_000);
        assert_eq!(keys[OTHER], 20_000 - MAX_KEYS_PER_MINUTE as i64);
    }

    #[test]
    fn visitors_who_are_gone_fill_no_memory() {
        let mut counts = Counts::default();
        for n in 0..3 * MANY_VISITORS {
            let head = Head {
                at: NOW + n as i64 * 10,
                visitors: vec![format!("{n:016x}").into()],
                ..Head::default()
            };
            counts.add_head(&head);
        }
        assert!(counts.visitors.len() <= MANY_VISITORS + 1);
        let end = NOW + 3 * MANY_VISITORS as i64 * 10;
        assert_eq!(counts.active(end).count(), ACTIVE_MS as usize / 10 - 1);
    }

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
