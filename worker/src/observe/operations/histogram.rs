//! Durations in fixed buckets: the same ones in D1, in the answers and for Prometheus.

/// The upper bounds of the buckets, included, in milliseconds; one more holds what is above all.
/// Steps of 1-2-5: what is read from a bucket is off by less than its width, so by a factor of 2.5
/// at most. D1's columns `le_…` have these names; a change needs a migration.
pub const BOUNDS_MS: [i64; 13] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000,
];

/// Which bucket a duration falls in.
pub fn bucket_of(duration_ms: i64) -> usize {
    BOUNDS_MS.partition_point(|bound| *bound < duration_ms)
}

/// How many of `n` durations are within each of [`BOUNDS_MS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// All of them.
    pub n: i64,
    /// Their sum, milliseconds.
    pub sum_ms: i64,
    /// As many as are not above each bound.
    pub within: [i64; BOUNDS_MS.len()],
}

impl Histogram {
    /// From D1's columns; what is missing in the list is 0.
    pub fn of(n: i64, sum_ms: i64, within: &[i64]) -> Self {
        let mut all = Self {
            n,
            sum_ms,
            within: [0; BOUNDS_MS.len()],
        };
        for (place, count) in all.within.iter_mut().zip(within) {
            *place = *count;
        }
        all
    }

    /// A single duration.
    pub fn one(duration_ms: i64) -> Self {
        let mut one = Self {
            n: 1,
            sum_ms: duration_ms,
            ..Self::default()
        };
        one.count(duration_ms, 1);
        one
    }

    /// Counts `n` durations within the bounds that they are not above; `n` and `sum_ms` of the whole
    /// stay as they are.
    pub fn count(&mut self, duration_ms: i64, n: i64) {
        for within in self.within.iter_mut().skip(bucket_of(duration_ms)) {
            *within = within.saturating_add(n);
        }
    }

    /// How many durations fall in each bucket, by its upper bound; only those where there are any.
    /// What is above all bounds is left to be told from `n`.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, i64)> {
        let below = [0].into_iter().chain(self.within);
        let each = BOUNDS_MS.into_iter().zip(self.within).zip(below);
        each.map(|((bound, within), below)| (bound, within.saturating_sub(below)))
            .filter(|(_, n)| *n > 0)
    }

    /// Adds another's durations.
    pub fn add(&mut self, other: &Self) {
        self.n = self.n.saturating_add(other.n);
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
        for (sum, more) in self.within.iter_mut().zip(other.within) {
            *sum = sum.saturating_add(more);
        }
    }

    /// The duration that `share` of all are not above, in milliseconds, to a tenth; within its bucket
    /// they are taken to be spread evenly. Above the last bound it is the last bound; of nothing,
    /// nothing.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        if self.n <= 0 {
            return None;
        }
        let rank = share * self.n as f64;
        let (mut lower, mut below) = (0.0, 0_i64);
        for (bound, within) in BOUNDS_MS.into_iter().zip(self.within) {
            let bound = bound as f64;
            if within as f64 >= rank {
                let inside = within.saturating_sub(below).max(1) as f64;
                let part = ((rank - below as f64) / inside).clamp(0.0, 1.0);
                return Some(((lower + (bound - lower) * part) * 10.0).round() / 10.0);
            }
            (lower, below) = (bound, within);
        }
        Some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(durations: &[i64]) -> Histogram {
        let within =
            BOUNDS_MS.map(|bound| durations.iter().filter(|d| **d <= bound).count() as i64);
        Histogram::of(durations.len() as i64, durations.iter().sum(), &within)
    }

    #[test]
    fn edges_belong_to_the_bucket_below() {
        for (duration, bucket) in [
            (-1, 0),
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (5, 2),
            (6, 3),
            (10_000, 12),
            (10_001, 13),
            (i64::MAX, 13),
        ] {
            assert_eq!(bucket_of(duration), bucket, "{duration}");
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_what_is_above_all_is_the_last_bound() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(of(&[20_000; 3]).quantile(0.95), Some(10_000.0));
        assert_eq!(of(&[0]).quantile(0.5), Some(0.5));
    }

    proptest! {
        #[test]
        fn a_quantile_lies_in_the_bucket_of_the_true_one(
            mut durations in prop::collection::vec(0_i64..10_000, 1..200), share in 0.01_f64..1.0,
        ) {
            let found = of(&durations).quantile(share).unwrap();
            durations.sort_unstable();
            let place = (share * durations.len() as f64).ceil() as usize;
            let bucket = bucket_of(durations[place.max(1) - 1]);
            let lower = bucket.checked_sub(1).map_or(0, |below| BOUNDS_MS[below]) as f64;
            prop_assert!(lower - 0.05 <= found && found <= BOUNDS_MS[bucket] as f64 + 0.05);
        }

        #[test]
        fn one_by_one_or_by_bucket_it_is_the_same(durations in prop::collection::vec(0_i64..20_000, 0..50)) {
            let want = of(&durations);
            let mut sum = Histogram::default();
            for duration in &durations {
                sum.add(&Histogram::one(*duration));
            }
            prop_assert_eq!(&sum, &want);
            let mut read = Histogram::of(want.n, want.sum_ms, &[]);
            for (bound, n) in want.buckets() {
                prop_assert!(n > 0);
                read.count(bound, n);
            }
            prop_assert_eq!(read, want);
        }

        #[test]
        fn sums_are_those_of_all(a in prop::collection::vec(0_i64..20_000, 0..50),
            b in prop::collection::vec(0_i64..20_000, 0..50)) {
            let mut sum = of(&a);
            sum.add(&of(&b));
            prop_assert_eq!(sum, of(&[a, b].concat()));
        }
    }
}
