//! The token bucket that each isolate keeps for each visitor: free, and close enough.
//!
//! A bucket holds a minute's events. It is asked before a body is read (an empty one refuses) and
//! charged once the events are counted, so it may go into debt by one request. An isolate knows only
//! what it served itself; where a bucket is close to empty the platform's own limiter, which knows
//! more, is asked too.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

/// Buckets of one generation; two are kept, about 1 MB. Above it the visitors not seen for longest
/// start anew.
const MAX_BUCKETS: usize = 10_000;

/// A minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Where less than this part of a bucket is left, it is close to its limit: a quarter.
const CLOSE: i64 = 4;

/// How a visitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Far from the limit.
    Free,
    /// Close to it: ask who knows more.
    Close,
    /// Over it, for so many seconds.
    Over {
        /// Until there is room for an event, at least 1.
        retry_after_s: u32,
    },
}

/// A bucket and its size. The name is a hash, so it is kept in memory only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    bucket: u64,
    per_minute: u32,
}

/// In thousandths of an event, so that a slow rate fills evenly.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    milli_events: i64,
    at: i64,
}

type Buckets = HashMap<u64, Bucket, BuildHasherDefault<Named>>;

/// All buckets of an isolate.
#[derive(Debug, Default)]
pub struct Limiter {
    seed: Option<u128>,
    young: Buckets,
    old: Buckets,
}

impl Limiter {
    /// An isolate's buckets. The seed is random and kept secret: nobody can find an agent whose
    /// bucket is another visitor's.
    pub fn new(seed: u128) -> Self {
        Self {
            seed: Some(seed),
            ..Self::default()
        }
    }

    /// Whether it has a seed.
    pub fn is_seeded(&self) -> bool {
        self.seed.is_some()
    }

    /// The bucket of what these fields name.
    pub fn limit(&self, fields: &[&str], per_minute: u32) -> Limit {
        let mut hasher = DefaultHasher::new();
        hasher.write_u128(self.seed.unwrap_or_default());
        for field in fields {
            hasher.write_usize(field.len());
            hasher.write(field.as_bytes());
        }
        Limit {
            bucket: hasher.finish(),
            per_minute,
        }
    }

    /// How the limit's bucket stands.
    pub fn standing(&self, limit: Limit, now_ms: i64) -> Standing {
        let bucket = self.young.get(&limit.bucket);
        let bucket = bucket.or_else(|| self.old.get(&limit.bucket));
        limit.filled(bucket, now_ms).standing(limit)
    }

    /// Takes `events` out of a bucket. A debt is at most one bucket, so that nobody waits for longer
    /// than about two minutes.
    pub fn charge(&mut self, limit: Limit, events: usize, now_ms: i64) {
        let cost = i64::try_from(events)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000);
        let floor = limit.full().saturating_neg();
        let charged = |known: Option<&Bucket>| {
            let mut bucket = limit.filled(known, now_ms);
            bucket.milli_events = bucket.milli_events.saturating_sub(cost).max(floor);
            bucket
        };
        if let Some(known) = self.young.get_mut(&limit.bucket) {
            *known = charged(Some(known));
            return;
        }
        let bucket = charged(self.old.get(&limit.bucket));
        if self.young.len() >= MAX_BUCKETS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(limit.bucket, bucket);
    }
}

impl Limit {
    /// The name of its bucket in this isolate.
    pub fn bucket(self) -> u64 {
        self.bucket
    }

    fn full(self) -> i64 {
        i64::from(self.per_minute).saturating_mul(1_000)
    }

    /// The bucket, filled up to now; one that is not known is full.
    fn filled(self, known: Option<&Bucket>, now_ms: i64) -> Bucket {
        let full = self.full();
        let milli_events = known.map_or(full, |bucket| {
            // The clock may be set back; then nothing is filled in, and time counts from there.
            let waited = now_ms.saturating_sub(bucket.at).clamp(0, 2 * MINUTE_MS);
            let more = full
                .saturating_mul(waited)
                .checked_div(MINUTE_MS)
                .unwrap_or(0);
            bucket.milli_events.saturating_add(more).min(full)
        });
        Bucket {
            milli_events,
            at: now_ms,
        }
    }
}

impl Bucket {
    fn standing(self, limit: Limit) -> Standing {
        let full = limit.full();
        if self.milli_events < 1_000 {
            let missing = 1_000_i64.saturating_sub(self.milli_events);
            let wait_ms = missing
                .saturating_mul(MINUTE_MS)
                .checked_div(full)
                .unwrap_or(MINUTE_MS);
            let seconds = wait_ms.saturating_add(999).checked_div(1_000).unwrap_or(1);
            return Standing::Over {
                retry_after_s: u32::try_from(seconds.clamp(1, 60)).unwrap_or(60),
            };
        }
        if self.milli_events.saturating_mul(CLOSE) < full {
            Standing::Close
        } else {
            Standing::Free
        }
    }
}

/// The hash of a name that is a hash already.
#[derive(Debug, Default)]
struct Named(u64);

impl Hasher for Named {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_shl(8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, name: u64) {
        self.0 = name;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::NOW;

    fn of(bucket: u64, per_minute: u32) -> Limit {
        Limit { bucket, per_minute }
    }

    #[test]
    fn a_bucket_empties_refuses_and_fills_again() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.standing(of(1, 60), NOW), Standing::Free);
        limiter.charge(of(1, 60), 50, NOW);
        assert_eq!(limiter.standing(of(1, 60), NOW), Standing::Close);
        limiter.charge(of(1, 60), 25, NOW);
        // 15 over: 16 seconds until there is room for one.
        assert_eq!(
            limiter.standing(of(1, 60), NOW),
            Standing::Over { retry_after_s: 16 }
        );
        assert_eq!(limiter.standing(of(2, 60), NOW), Standing::Free);
        assert_eq!(limiter.standing(of(1, 60), NOW + 16_000), Standing::Close);
        assert_eq!(limiter.standing(of(1, 60), NOW + 120_000), Standing::Free);
    }

    #[test]
    fn a_debt_is_bounded_and_a_clock_set_back_gives_nothing() {
        let mut limiter = Limiter::default();
        limiter.charge(of(1, 10), 1_000_000, NOW);
        assert_eq!(
            limiter.standing(of(1, 10), NOW - 100_000),
            Standing::Over { retry_after_s: 60 }
        );
        assert_eq!(limiter.standing(of(1, 10), NOW + 120_000), Standing::Free);
    }

    #[test]
    fn memory_is_bounded_and_those_seen_last_are_kept() {
        let mut limiter = Limiter::default();
        for visitor in 0..3 * MAX_BUCKETS as u64 {
            limiter.charge(of(visitor, 10), 100, NOW);
        }
        assert!(limiter.young.len() + limiter.old.len() <= 2 * MAX_BUCKETS);
        let last = 3 * MAX_BUCKETS as u64 - 1;
        assert!(matches!(
            limiter.standing(of(last, 10), NOW),
            Standing::Over { .. }
        ));
    }

    #[test]
    fn a_bucket_is_named_by_all_its_fields_and_a_secret() {
        let limiter = Limiter::new(2);
        let one = limiter.limit(&["k", "1.2.3.4", "ua"], 9);
        for fields in [
            ["l", "1.2.3.4", "ua"],
            ["k", "1.2.3.5", "ua"],
            ["k", "1.2.3.4", "ub"],
            ["k", "1.2.3.4u", "a"],
            ["k1", ".2.3.4", "ua"],
        ] {
            assert_ne!(limiter.limit(&fields, 9), one, "{fields:?}");
        }
        assert_eq!(limiter.limit(&["k", "1.2.3.4", "ua"], 9), one);
        let other = Limiter::new(3);
        assert_ne!(other.limit(&["k", "1.2.3.4", "ua"], 9), one);
    }

    proptest! {
        /// However requests come, in any time window no more is let through than a bucket, what
        /// flows in, and the debt of one request.
        #[test]
        fn no_more_goes_through_than_flows_in(
            per_minute in 1_u32..500,
            requests in prop::collection::vec((0_i64..5_000, 1_usize..100), 1..200),
        ) {
            let mut limiter = Limiter::default();
            let (mut now, mut through) = (NOW, 0_usize);
            for (wait, events) in requests {
                now += wait;
                if !matches!(limiter.standing(of(9, per_minute), now), Standing::Over { .. }) {
                    limiter.charge(of(9, per_minute), events, now);
                    through += events;
                }
            }
            let flowed = (now - NOW) as usize * per_minute as usize / 60_000;
            // One request may go into debt by up to 100; a debt is cut at one bucket.
            let bursts = 1 + flowed / per_minute as usize;
            prop_assert!(through <= per_minute as usize + flowed + bursts * 100 + 100);
        }
    }
}
