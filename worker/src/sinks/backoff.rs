//! How long to wait before a sink, or an object, is tried again.

use shoreline_shared::retry::RetryPolicy;

use super::verdict::{Failure, FailureKind};

/// The waits after failures that pass: from two seconds up to five minutes, so that a sink that
/// was down for hours is noticed within minutes of its return.
const PASSING: RetryPolicy = RetryPolicy {
    base_ms: 2_000,
    max_ms: 5 * 60_000,
};

/// The shortest wait after a failure that only a person mends: five minutes.
const LASTING_MS: i64 = 5 * 60_000;

/// What is added to it at random, up to: ten minutes.
const LASTING_SPREAD_MS: i64 = 10 * 60_000;

/// Milliseconds to wait after the `tries`-th failure in a row (1 after the first); `random` is any
/// `u32`.
///
/// A failure that passes is waited for exponentially with jitter, and at least as long as the sink
/// asked (`Retry-After`), up to five minutes. One that lasts is tried again once in 5 to 15
/// minutes.
pub fn wait_ms(failure: &Failure, tries: u32, random: u32) -> i64 {
    match failure.kind {
        FailureKind::Passing => {
            let wait = PASSING.delay_ms(tries, random, failure.retry_after_ms);
            i64::try_from(wait).unwrap_or(LASTING_MS)
        }
        FailureKind::Lasting => {
            let spread = LASTING_SPREAD_MS.saturating_mul(i64::from(random)) >> 32;
            LASTING_MS.saturating_add(spread)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_keep_their_bounds(
            tries in 0_u32..100, random: u32, asked in prop::option::of(0_u64..1_000_000),
        ) {
            let passing = Failure {
                retry_after_ms: asked,
                ..Failure::passing("SlowDown")
            };
            let wait = wait_ms(&passing, tries, random);
            prop_assert!((1_000..=300_000).contains(&wait));
            prop_assert!(wait >= asked.map_or(0, |ms| ms.min(300_000) as i64));
            let wait = wait_ms(&Failure::lasting("AccessDenied"), tries, random);
            prop_assert!((300_000..=900_000).contains(&wait));
        }
    }

    #[test]
    fn waits_double_and_senders_that_failed_together_part() {
        let failure = Failure::passing("InternalError");
        assert_eq!(wait_ms(&failure, 1, 0), 2_000);
        assert_eq!(wait_ms(&failure, 3, 0), 8_000);
        assert_ne!(wait_ms(&failure, 3, 0), wait_ms(&failure, 3, u32::MAX));
    }
}
