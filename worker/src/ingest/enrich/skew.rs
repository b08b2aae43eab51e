//! When an event happened, where the sender's clock is wrong.

/// Milliseconds by which a clock may be ahead of ours without being corrected: a synchronized clock is right to well
/// under a second.
pub const TOLERANCE_MS: i64 = 5_000;

/// Milliseconds that a request may be under way: twice what the tracker waits for an answer (30 s), and the time-out of
/// common proxies. A batch that is read so long after its `sentAt` came by a slow line as well as from a slow clock, and
/// a correction would move times that were right.
pub const TRANSIT_MS: i64 = 60_000;

/// Whether the way alone explains that a batch is read so many milliseconds after it was sent.
fn is_explained(late_ms: i64) -> bool {
    (-TOLERANCE_MS..=TRANSIT_MS).contains(&late_ms)
}

/// Milliseconds by which a sender's clock is to be moved; 0 where it is right as far as can be told.
///
/// The sender's clock at sending is set against ours at receipt. `sent_at_ms` is the moment of this very try: one that
/// is kept for a later try makes the wait look like a slow clock. Without it nothing is known of the clock.
///
/// `known_ms` is what was found of the same session before. It holds for as long as the way explains the rest, so that
/// a session's batches are corrected alike, however long each of them was under way.
///
/// ```
/// # use shoreline_worker::ingest::enrich::skew::offset;
/// // Half a minute under way, and a clock that is an hour behind.
/// assert_eq!(offset(Some(0), 30_000, None), 0);
/// assert_eq!(offset(Some(0), 3_600_000, None), 3_600_000);
/// assert_eq!(offset(Some(0), 3_610_000, Some(3_600_000)), 3_600_000);
/// ```
pub fn offset(sent_at_ms: Option<i64>, received_ms: i64, known_ms: Option<i64>) -> i64 {
    let Some(sent_at_ms) = sent_at_ms else {
        return 0;
    };
    let found = received_ms.saturating_sub(sent_at_ms);
    let fits = |offset: &i64| is_explained(found.saturating_sub(*offset));
    known_ms.into_iter().chain([0]).find(fits).unwrap_or(found)
}

/// An event's time by our clock, whose sender's is to be moved by [`offset`]. All in Unix milliseconds: `timestamp_ms` and
/// `sent_at_ms` by the sender's clock, `received_ms` by ours.
///
/// - No `sentAt`: the time stays as it is.
/// - A time that is the receipt's to the millisecond: the sender told none, and it is ours already.
/// - An event later than its sending by more than the tolerance: the two come from different
///   clocks (or the clock was set back between), so nothing is to be learned from one about the
///   other: as it is, and not later than the receipt.
/// - Otherwise moved, and not later than the receipt.
///
/// A clock that was set right while an event waited in an offline queue cannot be told from one
/// that was always right; such an event keeps its time.
pub fn correct(
    timestamp_ms: i64,
    sent_at_ms: Option<i64>,
    offset_ms: i64,
    received_ms: i64,
) -> i64 {
    let Some(sent_at_ms) = sent_at_ms else {
        return timestamp_ms;
    };
    if timestamp_ms == received_ms {
        return timestamp_ms;
    }
    let is_one_clock = timestamp_ms.saturating_sub(sent_at_ms) <= TOLERANCE_MS;
    let moved = if is_one_clock {
        timestamp_ms.saturating_add(offset_ms)
    } else {
        timestamp_ms
    };
    moved.min(received_ms)
}

/// Sessions whose clocks an isolate remembers: 64 KB. A session that shares its place with another is forgotten.
const PLACES: usize = 1 << PLACE_BITS;

/// log2 of [`PLACES`].
const PLACE_BITS: u32 = 12;

/// What leaves [`PLACE_BITS`] of a hash.
const PLACE_SHIFT: u32 = u64::BITS - PLACE_BITS;

/// What was found of the clocks of sessions, by a hash of each.
#[derive(Debug, Default)]
pub struct Clocks(Vec<(u64, i64)>);

impl Clocks {
    /// As [`offset`], of a batch of this session, and remembered for its next one.
    pub fn offset(&mut self, site: &str, session: &str, sent_at_ms: i64, received_ms: i64) -> i64 {
        if self.0.is_empty() {
            self.0.resize(PLACES, (0, 0));
        }
        let hash = hash(site, session);
        // The highest bits: the lowest ones of such a hash depend on little.
        let place = usize::try_from(hash >> PLACE_SHIFT).unwrap_or(0);
        let Some(entry) = self.0.get_mut(place) else {
            return offset(Some(sent_at_ms), received_ms, None);
        };
        let known = (entry.0 == hash).then_some(entry.1);
        let found = offset(Some(sent_at_ms), received_ms, known);
        *entry = (hash, found);
        found
    }
}

/// FNV-1a, spread once more by 2^64 over the golden ratio (Knuth).
fn hash(site: &str, session: &str) -> u64 {
    let bytes = site.bytes().chain([0]).chain(session.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_705_334_400_000;
    const DAY: i64 = 86_400_000;

    /// The time of an event of a batch of which nothing is known before.
    fn corrected(timestamp: i64, sent_at: Option<i64>, received: i64) -> i64 {
        correct(
            timestamp,
            sent_at,
            offset(sent_at, received, None),
            received,
        )
    }

    #[test]
    fn without_sent_at_nothing_changes() {
        for time in [0, NOW - DAY, NOW + DAY, i64::MIN, i64::MAX] {
            assert_eq!(corrected(time, None, NOW), time);
        }
    }

    #[test]
    fn a_right_clock_is_left_alone_however_slow_the_line() {
        for late in [200, 15_000, TRANSIT_MS, -TOLERANCE_MS] {
            assert_eq!(
                corrected(NOW - 70_000, Some(NOW - late), NOW),
                NOW - 70_000,
                "{late}"
            );
        }
    }

    #[test]
    fn a_wrong_clock_is_corrected_both_ways() {
        for off in [DAY, TOLERANCE_MS + 1, -DAY, -TRANSIT_MS - 1] {
            let sent = NOW + off;
            assert_eq!(
                corrected(sent - 60_000, Some(sent), NOW),
                NOW - 60_000,
                "{off}"
            );
        }
    }

    #[test]
    fn an_event_that_waited_offline_keeps_its_wait() {
        let sent = NOW + 3_600_000;
        assert_eq!(corrected(sent - 3 * DAY, Some(sent), NOW), NOW - 3 * DAY);
    }

    #[test]
    fn the_moment_of_receipt_is_ours() {
        for sent in [NOW - DAY, NOW + DAY] {
            assert_eq!(corrected(NOW, Some(sent), NOW), NOW);
        }
    }

    #[test]
    fn two_clocks_say_nothing_about_each_other() {
        assert_eq!(corrected(NOW - 60_000, Some(NOW - DAY), NOW), NOW - 60_000);
        assert_eq!(corrected(NOW + 60_000, Some(NOW - DAY), NOW), NOW);
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.offset("a", "s", NOW - DAY, NOW), DAY);
        assert_eq!(clocks.offset("a", "s", NOW, NOW + 100), 0);
        assert_eq!(clocks.offset("a", "s", NOW + 1_000, NOW + 1_100), 0);
    }

    #[test]
    fn another_session_has_a_clock_of_its_own() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.offset("a", "s", NOW - DAY, NOW), DAY);
        for (site, session) in [("a", "t"), ("b", "s"), ("as", "")] {
            assert_eq!(
                clocks.offset(site, session, NOW - DAY - 20_000, NOW),
                DAY + 20_000
            );
        }
        assert_eq!(clocks.offset("a", "s", NOW - DAY - 20_000, NOW), DAY);
    }

    proptest! {
        /// The sender's clock is off by `skew`, the way takes `way`: the true time comes out to
        /// within the way and what is tolerated.
        #[test]
        fn a_constant_skew_is_taken_out(
            skew in -400 * DAY..400 * DAY,
            age in 0..400 * DAY,
            way in 0..TRANSIT_MS,
        ) {
            let (happened, sent) = (NOW - way - age, NOW - way);
            prop_assume!(happened + skew != NOW);
            let time = corrected(happened + skew, Some(sent + skew), NOW);
            prop_assert!((time - happened).abs() <= TRANSIT_MS + way, "{} ms off", time - happened);
        }

        /// However long each batch of a session is under way, its events keep their distances.
        #[test]
        fn batches_of_a_session_are_moved_alike(
            skew in -DAY..DAY,
            first in 0_i64..10_000,
            ways in prop::collection::vec(0..TRANSIT_MS, 1..8),
        ) {
            let mut clocks = Clocks::default();
            // The first one may show the clock to be nearly right, or wrong: what it shows holds.
            let mut at = NOW;
            let shown = clocks.offset("site", "session", at + skew, at + first);
            for way in ways {
                at += 20_000;
                prop_assume!(way >= first - TOLERANCE_MS && (shown != 0 || way - skew <= TRANSIT_MS));
                prop_assume!(way <= TRANSIT_MS - 10_000);
                prop_assert_eq!(clocks.offset("site", "session", at + skew, at + way), shown);
            }
        }

        /// The order of a batch stays, and so do the distances of what is corrected.
        #[test]
        fn order_stays(mut times in any::<[i64; 3]>()) {
            times.sort_unstable();
            let [a, b, sent] = times;
            prop_assume!(a != NOW);
            prop_assert!(corrected(a, Some(sent), NOW) <= corrected(b, Some(sent), NOW));
        }

        #[test]
        fn nothing_overflows_or_lies_ahead(
            time in any::<i64>(),
            sent in any::<i64>(),
            received in any::<i64>(),
            known in any::<Option<i64>>(),
        ) {
            let offset = offset(Some(sent), received, known);
            prop_assert!(correct(time, Some(sent), offset, received) <= received);
        }

        /// What is sent on by us, with our own times, is not moved again.
        #[test]
        fn a_corrected_time_stays(time in any::<i64>(), sent in any::<i64>(), received in any::<i64>()) {
            let once = corrected(time, Some(sent), received);
            prop_assert_eq!(corrected(once, Some(received), received), once);
        }
    }
}
