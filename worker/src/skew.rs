//! When an event happened, where the sender's clock is wrong.

/// Milliseconds by which two clocks may differ without being corrected. A request takes up to some
/// seconds from the sender's clock to ours, and a synchronized clock is right to well under one:
/// below this, a correction would add the time of the way to a time that was right.
pub const TOLERANCE_MS: i64 = 5_000;

/// An event's time by our clock.
///
/// The sender's clock at sending is set against ours at receipt, and what it is behind or ahead is
/// added to the event's time, as the same clock told that. All in Unix milliseconds:
/// `timestamp_ms` and `sent_at_ms` by the sender's clock, `received_ms` by ours. `sentAt` is the
/// moment of this very try: one that is kept for a later try makes the wait look like a slow clock.
///
/// - No `sentAt`: nothing is known of the clock, and the time stays as it is.
/// - A time that is the receipt's to the millisecond: the sender told none, and it is ours already.
/// - Over [`TOLERANCE_MS`] apart: corrected, and not later than the receipt.
/// - Less: as it is, and not later than the receipt.
/// - An event later than its sending by more than the tolerance: the two come from different
///   clocks (or the clock was set back between), so nothing is to be learned from one about the
///   other: as it is, and not later than the receipt.
///
/// A clock that was set right while an event waited in an offline queue cannot be told from one
/// that was always right; such an event keeps its time.
///
/// ```
/// # use shoreline_worker::skew::correct;
/// // A clock that is an hour ahead: clicked at 10:00:00 by our clock, sent ten seconds later.
/// let hour = 3_600_000;
/// assert_eq!(correct(hour, Some(hour + 10_000), 10_000), 0);
/// ```
pub fn correct(timestamp_ms: i64, sent_at_ms: Option<i64>, received_ms: i64) -> i64 {
    let Some(sent_at_ms) = sent_at_ms else {
        return timestamp_ms;
    };
    if timestamp_ms == received_ms {
        return timestamp_ms;
    }
    let skew = received_ms.saturating_sub(sent_at_ms);
    let one_clock = timestamp_ms.saturating_sub(sent_at_ms) <= TOLERANCE_MS;
    let corrected = if one_clock && skew.saturating_abs() > TOLERANCE_MS {
        timestamp_ms.saturating_add(skew)
    } else {
        timestamp_ms
    };
    corrected.min(received_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_705_334_400_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn without_sent_at_nothing_changes() {
        for time in [0, NOW - DAY, NOW + DAY, i64::MIN, i64::MAX] {
            assert_eq!(correct(time, None, NOW), time);
        }
    }

    #[test]
    fn a_right_clock_is_left_alone() {
        assert_eq!(correct(NOW - 60_000, Some(NOW - 200), NOW), NOW - 60_000);
        assert_eq!(
            correct(NOW - 60_000, Some(NOW - TOLERANCE_MS), NOW),
            NOW - 60_000
        );
        assert_eq!(
            correct(NOW - 60_000, Some(NOW + TOLERANCE_MS), NOW),
            NOW - 60_000
        );
    }

    #[test]
    fn a_wrong_clock_is_corrected_both_ways() {
        let ahead = NOW + DAY;
        assert_eq!(correct(ahead - 60_000, Some(ahead), NOW), NOW - 60_000);
        let behind = NOW - DAY;
        assert_eq!(correct(behind - 60_000, Some(behind), NOW), NOW - 60_000);
        let barely = NOW + TOLERANCE_MS + 1;
        assert_eq!(correct(barely - 60_000, Some(barely), NOW), NOW - 60_000);
    }

    #[test]
    fn an_event_that_waited_offline_keeps_its_wait() {
        let sent = NOW + 3_600_000;
        assert_eq!(correct(sent - 3 * DAY, Some(sent), NOW), NOW - 3 * DAY);
    }

    #[test]
    fn the_moment_of_receipt_is_ours() {
        for sent in [NOW - DAY, NOW + DAY] {
            assert_eq!(correct(NOW, Some(sent), NOW), NOW);
        }
    }

    #[test]
    fn two_clocks_say_nothing_about_each_other() {
        assert_eq!(correct(NOW - 60_000, Some(NOW - DAY), NOW), NOW - 60_000);
        assert_eq!(correct(NOW + 60_000, Some(NOW - DAY), NOW), NOW);
    }

    proptest! {
        /// The sender's clock is off by `skew`, the way takes `way`: the true time comes out to
        /// within the way and the tolerance.
        #[test]
        fn a_constant_skew_is_taken_out(
            skew in -400 * DAY..400 * DAY,
            age in 0..400 * DAY,
            way in 0..TOLERANCE_MS,
        ) {
            let (happened, sent) = (NOW - way - age, NOW - way);
            prop_assume!(happened + skew != NOW);
            let time = correct(happened + skew, Some(sent + skew), NOW);
            prop_assert!((time - happened).abs() <= TOLERANCE_MS + way, "{} ms off", time - happened);
        }

        /// The order of a batch stays, and so do the distances of what is corrected.
        #[test]
        fn order_stays(mut times in any::<[i64; 3]>()) {
            times.sort_unstable();
            let [a, b, sent] = times;
            prop_assume!(a != NOW);
            prop_assert!(correct(a, Some(sent), NOW) <= correct(b, Some(sent), NOW));
        }

        #[test]
        fn nothing_overflows_or_lies_ahead(
            time in any::<i64>(),
            sent in any::<i64>(),
            received in any::<i64>(),
        ) {
            prop_assert!(correct(time, Some(sent), received) <= received);
        }

        /// What is sent on by us, with our own times, is not moved again.
        #[test]
        fn a_corrected_time_stays(time in any::<i64>(), sent in any::<i64>(), received in any::<i64>()) {
            let once = correct(time, Some(sent), received);
            prop_assert_eq!(correct(once, Some(received), received), once);
        }
    }
}
