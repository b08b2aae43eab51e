//! Whether to send again, and, apart from that, how long to wait.

use crate::limits::{RETRY_BASE_MS, RETRY_MAX_MS};

/// What a sender does with a batch once it has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Taken: forget the batch.
    Done,
    /// Refused for good: forget the batch.
    Drop,
    /// Too large: send its halves instead.
    Split,
    /// Nothing was taken: send the same batch again, under the same ids.
    Retry,
}

/// The fate of a batch by the HTTP status of its answer; 0 stands for no answer at all.
///
/// 2xx is done, 413 is split, 429 and 5xx are retried, any other 4xx is dropped. What an ingest
/// endpoint never answers (1xx, 3xx) says nothing about the batch, so it is kept and retried.
pub fn fate(status: u16) -> Fate {
    match status {
        200..=299 => Fate::Done,
        413 => Fate::Split,
        429 => Fate::Retry,
        400..=499 => Fate::Drop,
        _ => Fate::Retry,
    }
}

/// Exponential backoff with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Milliseconds of the first wait, before jitter.
    pub base_ms: u64,
    /// Milliseconds of any wait at most, [`RETRY_MAX_MS`] whatever is set here.
    pub max_ms: u64,
}

impl Default for RetryPolicy {
    /// From one second up to half an hour.
    fn default() -> Self {
        Self {
            base_ms: RETRY_BASE_MS,
            max_ms: RETRY_MAX_MS,
        }
    }
}

impl RetryPolicy {
    /// Milliseconds to wait after `attempt` tries that failed (1 after the first; 0 counts as 1).
    ///
    /// The wait doubles with every attempt. Its upper half is left to `random` (any `u32`), so that
    /// senders that failed together do not come back together. What the collector asked for
    /// (`retry_after_ms`) is waited for in full, plus up to [`RetryPolicy::base_ms`] at random for the
    /// same reason. Nothing goes over the maximum.
    pub fn delay_ms(&self, attempt: u32, random: u32, retry_after_ms: Option<u64>) -> u64 {
        let max = self.max_ms.min(RETRY_MAX_MS);
        let doublings = attempt.saturating_sub(1).min(63);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let full = self.base_ms.saturating_mul(factor).min(max);
        let half = full.checked_div(2).unwrap_or(0);
        let backoff = full.saturating_sub(share(half, random));
        let asked = retry_after_ms.map_or(0, |ms| {
            ms.saturating_add(share(self.base_ms.min(max), random))
        });
        backoff.max(asked).min(max)
    }
}

/// `random` / 2³² of `whole`, which is at most [`RETRY_MAX_MS`].
fn share(whole: u64, random: u32) -> u64 {
    whole.saturating_mul(u64::from(random)) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_fate() {
        for (statuses, expected) in [
            (&[200, 202, 204, 299][..], Fate::Done),
            (&[413], Fate::Split),
            (&[0, 429, 500, 502, 503, 504, 599], Fate::Retry),
            (&[400, 401, 403, 404, 405, 408, 415, 422, 499], Fate::Drop),
            (&[100, 301, 304, 600], Fate::Retry),
        ] {
            for status in statuses {
                assert_eq!(fate(*status), expected, "{status}");
            }
        }
    }

    #[test]
    fn waits_double_up_to_the_maximum() {
        let policy = RetryPolicy::default();
        let longest: Vec<u64> = (1..=12).map(|n| policy.delay_ms(n, 0, None)).collect();
        assert_eq!(longest[..4], [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(longest[11], RETRY_MAX_MS);
        assert_eq!(policy.delay_ms(0, 0, None), 1_000);
        assert_eq!(policy.delay_ms(u32::MAX, 0, None), RETRY_MAX_MS);
    }

    #[test]
    fn jitter_takes_up_to_half() {
        let policy = RetryPolicy::default();
        for attempt in 1..40 {
            let longest = policy.delay_ms(attempt, 0, None);
            let shortest = policy.delay_ms(attempt, u32::MAX, None);
            assert!(shortest >= longest / 2 && shortest < longest, "{attempt}");
        }
    }

    #[test]
    fn retry_after_is_waited_for_in_full_within_the_maximum() {
        let policy = RetryPolicy::default();
        for random in [0, 7, u32::MAX] {
            let wait = policy.delay_ms(1, random, Some(60_000));
            assert!((60_000..=61_000).contains(&wait));
            assert_eq!(policy.delay_ms(1, random, Some(u64::MAX)), RETRY_MAX_MS);
            // A collector that asks for less than the backoff does not shorten it.
            assert!(policy.delay_ms(9, random, Some(1)) >= 128_000);
        }
        let odd = RetryPolicy {
            base_ms: u64::MAX,
            max_ms: u64::MAX,
        };
        assert_eq!(odd.delay_ms(64, 0, None), RETRY_MAX_MS);
    }
}
