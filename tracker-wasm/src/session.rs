//! Visits: when one ends and the next begins, and which are counted.

/// A visit ends after this long without an event, milliseconds: the half hour that the other
/// analytics systems use, so that numbers can be compared.
pub const SESSION_IDLE_MS: f64 = 30.0 * 60.0 * 1000.0;

/// A visit is never longer than this, milliseconds. A tab that reports something every minute
/// (a player, a dashboard) would otherwise be one visit for weeks.
pub const SESSION_MAX_MS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

/// Whether a visit with this begin and latest event goes on at `now`.
///
/// A visit that lies ahead of the clock is measured by the same limits: after a clock was set
/// back, it must not go on until the clock has caught up. What is no number goes on never: the
/// browser's storage may have been written by anybody.
pub fn goes_on(now: f64, began: f64, latest: f64) -> bool {
    (now - latest).abs() <= SESSION_IDLE_MS && (now - began).abs() <= SESSION_MAX_MS
}

/// Whether a visit is in a sample of this share (0 to 1). `word` is the last 32 bits of the visit's
/// id, which are random: so all tabs and pages of a visit decide alike, and nothing has to be kept.
pub fn is_sampled(word: u32, share: f64) -> bool {
    f64::from(word) < share * 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: f64 = 1_705_334_400_000.0;
    const MINUTE: f64 = 60_000.0;

    #[test]
    fn half_an_hour_of_silence_ends_it() {
        assert!(goes_on(START + 30.0 * MINUTE, START, START));
        assert!(!goes_on(START + 30.0 * MINUTE + 1.0, START, START));
    }

    #[test]
    fn a_day_ends_it_however_busy_it_is() {
        let end = START + SESSION_MAX_MS;
        assert!(goes_on(end, START, end - MINUTE));
        assert!(!goes_on(end + 1.0, START, end));
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_alive() {
        assert!(!goes_on(START - 31.0 * MINUTE, START, START));
    }

    #[test]
    fn what_is_not_a_time_is_none() {
        for (began, latest) in [(f64::NAN, START), (START, f64::NAN), (f64::INFINITY, START)] {
            assert!(!goes_on(START, began, latest));
        }
    }

    proptest! {
        #[test]
        fn a_sample_is_as_large_as_asked_for(share in 0.0_f64..1.0) {
            let words = (0..10_000_u32).map(|n| n.wrapping_mul(0x9E37_79B9));
            let counted = words.filter(|word| is_sampled(*word, share)).count() as f64;
            prop_assert!((counted / 10_000.0 - share).abs() < 0.01);
        }

        #[test]
        fn of_many_visitors_half_are_in_half_a_sample(words in prop::collection::vec(any::<u32>(), 4000)) {
            let counted = words.iter().filter(|word| is_sampled(**word, 0.5)).count();
            // Six standard deviations of 4,000 throws of a coin are 190.
            prop_assert!((1810..=2190).contains(&counted), "{counted}");
        }

        #[test]
        fn who_is_in_a_sample_is_in_every_larger_one(word: u32, share in 0.0_f64..1.0, more in 0.0_f64..1.0) {
            prop_assert!(!is_sampled(word, share) || is_sampled(word, (share + more).min(1.0)));
        }

        #[test]
        fn all_or_nothing(word: u32) {
            prop_assert!(is_sampled(word, 1.0));
            prop_assert!(!is_sampled(word, 0.0));
            prop_assert!(!is_sampled(word, f64::NAN));
        }
    }
}
