//! The token bucket that each isolate keeps for each visitor: free, and close enough.
//!
//! A bucket holds a minute's events. It is asked before a body is read (an empty one refuses) and
//! charged once the events are counted, so it may go into debt by one request. An isolate knows only
//! what it served itself; where a bucket is close to empty the platform's own limiter, which knows
//! more, is asked too.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

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

/// In thousandths of an event, so that a slow rate fills evenly.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    milli_events: i64,
    at: i64,
}

/// All buckets of an isolate.
#[derive(Debug, Default)]
pub struct Limiter {
    young: HashMap<u64, Bucket>,
    old: HashMap<u64, Bucket>,
}

/// What stands for a visitor here: a hash that is kept in memory only.
pub fn visitor(key: &str, ip: Option<&str>, user_agent: Option<&str>) -> u64 {
    let mut hasher = Sha256::new();
    for field in [Some(key), ip, user_agent] {
        let field = field.unwrap_or_default();
        hasher.update(field.len().to_be_bytes());
        hasher.update(field.as_bytes());
    }
    let digest = hasher.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |sum: u64, byte| sum.wrapping_shl(8) | u64::from(*byte))
}

impl Limiter {
    /// How the visitor stands at `per_minute` events a minute.
    pub fn standing(&mut self, visitor: u64, per_minute: u32, now_ms: i64) -> Standing {
        let full = i64::from(per_minute).saturating_mul(1_000);
        let bucket = self.filled(visitor, per_minute, now_ms);
        if bucket.milli_events < 1_000 {
            let missing = 1_000_i64.saturating_sub(bucket.milli_events);
            let wait_ms = missing
                .saturating_mul(MINUTE_MS)
                .checked_div(full)
                .unwrap_or(MINUTE_MS);
            let seconds = wait_ms.saturating_add(999).checked_div(1_000).unwrap_or(1);
            return Standing::Over {
                retry_after_s: u32::try_from(seconds.clamp(1, 60)).unwrap_or(60),
            };
        }
        if bucket.milli_events.saturating_mul(CLOSE) < full {
            Standing::Close
        } else {
            Standing::Free
        }
    }

    /// Takes `events` out of the visitor's bucket. A debt is at most one bucket, so that nobody
    /// waits for longer than about two minutes.
    pub fn charge(&mut self, visitor: u64, per_minute: u32, events: usize, now_ms: i64) {
        let mut bucket = self.filled(visitor, per_minute, now_ms);
        let cost = i64::try_from(events)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000);
        let floor = i64::from(per_minute).saturating_mul(-1_000);
        bucket.milli_events = bucket.milli_events.saturating_sub(cost).max(floor);
        if self.young.len() >= MAX_BUCKETS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(visitor, bucket);
    }

    /// The visitor's bucket, filled up to now.
    fn filled(&self, visitor: u64, per_minute: u32, now_ms: i64) -> Bucket {
        let full = i64::from(per_minute).saturating_mul(1_000);
        let Some(bucket) = self.young.get(&visitor).or_else(|| self.old.get(&visitor)) else {
            return Bucket {
                milli_events: full,
                at: now_ms,
            };
        };
        // The clock may be set back; then nothing is filled in, and time counts from there.
        let waited = now_ms.saturating_sub(bucket.at).clamp(0, 2 * MINUTE_MS);
        let more = full
            .saturating_mul(waited)
            .checked_div(MINUTE_MS)
            .unwrap_or(0);
        Bucket {
            milli_events: bucket.milli_events.saturating_add(more).min(full),
            at: now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_bucket_empties_refuses_and_fills_again() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.standing(1, 60, NOW), Standing::Free);
        limiter.charge(1, 60, 50, NOW);
        assert_eq!(limiter.standing(1, 60, NOW), Standing::Close);
        limiter.charge(1, 60, 25, NOW);
        // 15 over: 16 seconds until there is room for one.
        assert_eq!(
            limiter.standing(1, 60, NOW),
            Standing::Over { retry_after_s: 16 }
        );
        assert_eq!(limiter.standing(2, 60, NOW), Standing::Free);
        assert_eq!(limiter.standing(1, 60, NOW + 16_000), Standing::Close);
        assert_eq!(limiter.standing(1, 60, NOW + 120_000), Standing::Free);
    }

    #[test]
    fn a_debt_is_bounded_and_a_clock_set_back_gives_nothing() {
        let mut limiter = Limiter::default();
        limiter.charge(1, 10, 1_000_000, NOW);
        assert_eq!(
            limiter.standing(1, 10, NOW - 100_000),
            Standing::Over { retry_after_s: 60 }
        );
        assert_eq!(limiter.standing(1, 10, NOW + 120_000), Standing::Free);
    }

    #[test]
    fn memory_is_bounded_and_those_seen_last_are_kept() {
        let mut limiter = Limiter::default();
        for visitor in 0..3 * MAX_BUCKETS as u64 {
            limiter.charge(visitor, 10, 100, NOW);
        }
        assert!(limiter.young.len() + limiter.old.len() <= 2 * MAX_BUCKETS);
        let last = 3 * MAX_BUCKETS as u64 - 1;
        assert!(matches!(
            limiter.standing(last, 10, NOW),
            Standing::Over { .. }
        ));
    }

    #[test]
    fn a_visitor_is_key_address_and_agent() {
        let one = visitor("k", Some("1.2.3.4"), Some("ua"));
        for other in [
            visitor("l", Some("1.2.3.4"), Some("ua")),
            visitor("k", Some("1.2.3.5"), Some("ua")),
            visitor("k", Some("1.2.3.4"), Some("ub")),
            visitor("k", Some("1.2.3.4u"), Some("a")),
        ] {
            assert_ne!(one, other);
        }
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
                if !matches!(limiter.standing(9, per_minute, now), Standing::Over { .. }) {
                    limiter.charge(9, per_minute, events, now);
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
