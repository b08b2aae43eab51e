//! Counts as they are folded from rows, in memory.

use std::collections::HashMap;

use super::delta::Delta;
use super::keep::{add, hash_of, is_active, is_hourly, is_shown};
use crate::base::sorted::Map;
use crate::protocol::Head;
use crate::protocol::counters::{Counters, Kind};

/// Visitors after which those who are not active any more are forgotten: 16 bytes each and a map's
/// room, about 2 MB.
const MANY_VISITORS: usize = 50_000;

/// The counts of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    by: Map<(Kind, i64), Map<String, i64>>,
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
        add(self.by.entry((kind, bucket)).or_default(), kind, key, n);
    }

    fn see(&mut self, hash: u64, at: i64) {
        let seen = self.visitors.entry(hash).or_insert(at);
        *seen = at.max(*seen);
    }

    /// Adds what was saved of rows that are gone.
    pub(super) fn add_delta(&mut self, delta: &Delta) {
        for (kind, bucket, key, n) in delta.counters() {
            self.add(kind, bucket, key, n);
        }
        for (hash, at) in delta.visitors() {
            self.see(hash, at);
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
    ) -> impl Iterator<Item = (i64, &Map<String, i64>)> {
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

#[cfg(test)]
mod tests {
    use super::super::ACTIVE_MS;
    use super::super::keep::{MAX_KEYS_PER_MINUTE, MAX_TYPES_PER_MINUTE, OTHER};
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
    fn a_flood_of_a_services_types_hides_no_views() {
        let mut counts = Counts::default();
        for n in 0..=MAX_TYPES_PER_MINUTE {
            let mut counters = Counters::default();
            counters.add(Kind::Type, 0, format!("type.{n}"), 1);
            counts.add_all(&counters);
        }
        let mut counters = Counters::default();
        counters.add(Kind::Type, 0, "page_view", 2);
        counts.add_all(&counters);
        assert_eq!(counts.get(Kind::Type, 0, "page_view"), 2);
        assert_eq!(counts.get(Kind::Type, 0, OTHER), 1);
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
}
