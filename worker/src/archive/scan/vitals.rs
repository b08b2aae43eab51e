//! Web Vitals: all that was measured, as sorted runs of equal values.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::pick::{Pick, Picked};
use crate::archive::Column;
use crate::archive::counted::VITALS;
use crate::archive::segment::{Broken, Segment};
use crate::base::sort;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VitalsSpec {
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// Of this page alone.
    pub page: Option<String>,
}

/// What was measured of each of [`VITALS`], in their order: values in ascending order, and how often each was.
/// Where there is no other shard, values that are no percentile of the answer are told as the next one that
/// is: no rank changes, nor how many are good or poor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VitalPart {
    /// Values, each with how many there are.
    pub runs: Vec<(f64, i64)>,
    /// How many are good, and poor.
    pub good: i64,
    /// As above.
    pub poor: i64,
}

impl VitalPart {
    /// How many values there are.
    pub fn count(&self) -> i64 {
        let counts = self.runs.iter().map(|(_, n)| *n);
        counts.fold(0, i64::saturating_add)
    }

    /// The value of a rank, from 1 on.
    pub fn value(&self, rank: i64) -> Option<f64> {
        let mut seen = 0_i64;
        let run = self.runs.iter().find(|(_, n)| {
            seen = seen.saturating_add(*n);
            seen >= rank
        });
        run.map(|(value, _)| *value)
    }

    /// The ranks of the 50th, 75th and 95th percentile: nearest rank, the part of the count, rounded up.
    pub fn ranks(&self) -> [i64; 3] {
        let n = self.count();
        [
            n.saturating_add(1) / 2,
            n.saturating_mul(3).saturating_add(3) / 4,
            n.saturating_mul(19).saturating_add(19) / 20,
        ]
    }

    /// Takes what another shard has.
    pub fn unite(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.poor = self.poor.saturating_add(other.poor);
        self.add(other.runs);
    }

    /// Merges sorted runs into its own.
    fn add(&mut self, runs: Vec<(f64, i64)>) {
        let mut merged: Vec<(f64, i64)> = Vec::with_capacity(self.runs.len().max(runs.len()));
        let mut ours = std::mem::take(&mut self.runs).into_iter().peekable();
        let mut theirs = runs.into_iter().peekable();
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some((our, _)), Some((their, _))) if our.total_cmp(their).is_le() => ours.next(),
                (_, Some(_)) => theirs.next(),
                _ => ours.next(),
            };
            match (next, merged.last_mut()) {
                (None, _) => break,
                (Some((value, n)), Some((last, count))) if last.to_bits() == value.to_bits() => {
                    *count = count.saturating_add(n);
                }
                (Some(run), _) => merged.push(run),
            }
        }
        self.runs = merged;
    }

    /// Only what tells the percentiles.
    fn thinned(&self) -> Self {
        let mut left = self.count();
        let mut before = 0_i64;
        let mut runs = Vec::new();
        for rank in self.ranks() {
            if let Some(value) = self.value(rank)
                && rank > before
            {
                let n = rank.saturating_sub(before);
                runs.push((value, n));
                left = left.saturating_sub(n);
                before = rank;
            }
        }
        if let Some((most, _)) = self.runs.last().filter(|_| left > 0) {
            runs.push((*most, left));
        }
        Self { runs, ..*self }
    }
}

/// Good up to the first, poor above the second: see the answer's note.
const LIMITS: [(f64, f64); VITALS.len()] = [
    (2_500.0, 4_000.0),
    (200.0, 500.0),
    (0.1, 0.25),
    (1_800.0, 3_000.0),
    (800.0, 1_800.0),
];

/// Values that are collected before they become runs: half a megabyte.
const FRESH: usize = 1 << 16;

/// Vitals under way.
pub(super) struct Scan {
    spec: VitalsSpec,
    range: Range<i64>,
    vitals: [VitalPart; VITALS.len()],
    fresh: [Vec<f64>; VITALS.len()],
}

impl Scan {
    pub(super) fn new(spec: VitalsSpec, kept_from: i64) -> Self {
        Self {
            range: spec.at.0.max(kept_from)..spec.at.1,
            spec,
            vitals: Default::default(),
            fresh: Default::default(),
        }
    }

    fn settle(&mut self, least: usize) {
        let vitals = self.vitals.iter_mut().zip(&mut self.fresh);
        for ((vital, fresh), (good, poor)) in vitals.zip(LIMITS) {
            if fresh.len() <= least {
                continue;
            }
            sort::sort_floats(fresh);
            let goods = fresh.partition_point(|value| *value <= good);
            let not_poor = fresh.partition_point(|value| *value <= poor);
            let poors = fresh.len().saturating_sub(not_poor);
            vital.good = vital.good.saturating_add(goods as i64);
            vital.poor = vital.poor.saturating_add(poors as i64);
            let same = |a: &f64, b: &f64| a.to_bits() == b.to_bits();
            let runs = fresh.chunk_by(same).filter_map(|run| {
                let value = run.first().copied()?;
                Some((value, run.len() as i64))
            });
            vital.add(runs.collect());
            fresh.clear();
        }
    }
}

impl Pick for Scan {
    fn window(&self) -> Range<i64> {
        self.range.clone()
    }

    fn reset(&mut self) {
        self.vitals = Default::default();
        self.fresh = Default::default();
    }

    fn pick(&mut self, picked: Picked<'_, '_>) -> Result<(), Broken> {
        let Picked { segment, what } = picked;
        let names = segment.column_dict(Column::Vital)?;
        let page = match &self.spec.page {
            Some(page) => segment.column_code(Column::VitalPage, page)?,
            None => None,
        };
        if names.is_empty() || page.is_some() != self.spec.page.is_some() {
            return Ok(());
        }
        let codes = segment.column(Column::Vital)?.codes;
        let pages = match page {
            Some(_) => segment.column(Column::VitalPage)?.codes,
            None => vec![0; segment.len()],
        };
        let (at, values) = (segment.at()?, segment.values()?);
        let page = page.unwrap_or(0);
        let place = |name: &&str| VITALS.iter().position(|vital| vital == name);
        let vitals: Vec<Option<usize>> = names.iter().map(place).collect();
        let events = codes.iter().zip(pages).zip(at).zip(values).zip(what);
        for ((((code, on), at), value), what) in events {
            let vital = vitals.get((*code as usize).wrapping_sub(1)).copied();
            let (Some(Some(vital)), Some(value)) = (vital, value) else {
                continue;
            };
            if *what != 0
                && on == page
                && self.range.contains(&at)
                && let Some(fresh) = self.fresh.get_mut(vital)
            {
                fresh.push(value);
            }
        }
        self.settle(FRESH);
        Ok(())
    }

    fn again(&mut self) -> bool {
        self.settle(0);
        false
    }

    fn bytes(&self) -> usize {
        let runs = self.vitals.iter().map(|vital| vital.runs.len());
        runs.fold(0, usize::saturating_add).saturating_mul(16)
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        if alone {
            let thinned = self.vitals.each_ref().map(VitalPart::thinned);
            return serde_json::to_string(&thinned);
        }
        serde_json::to_string(&self.vitals)
    }
}

impl super::Scan for Scan {
    fn range(&self) -> Range<i64> {
        self.window()
    }

    fn needs_second(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        Pick::reset(self);
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        let what = &vec![1; segment.len()];
        self.pick(Picked { segment, what })
    }

    fn again(&mut self) -> bool {
        Pick::again(self)
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        Pick::part(self, alone)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values that come more than once, and those at the ends of the order.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let some = [
            -0.0,
            0.0,
            1.5,
            -1.5,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
        ];
        let value = prop_oneof![prop::sample::select(some.to_vec()), any::<f64>()];
        prop::collection::vec(value, 0..40)
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn doubles_are_sorted_in_their_total_order(mut ours in values()) {
            let mut theirs = ours.clone();
            sort::sort_floats(&mut ours);
            theirs.sort_by(f64::total_cmp);
            prop_assert_eq!(bits(&ours), bits(&theirs));
        }

        #[test]
        fn runs_are_united_whatever_they_were_cut_into(pieces in prop::collection::vec(values(), 0..5)) {
            let mut all: Vec<f64> = pieces.concat();
            let mut part = VitalPart::default();
            for mut piece in pieces {
                sort::sort_floats(&mut piece);
                part.add(piece.into_iter().map(|value| (value, 1)).collect());
            }
            all.sort_by(f64::total_cmp);
            let each = |(value, n): &(f64, i64)| vec![*value; usize::try_from(*n).unwrap()];
            let told: Vec<f64> = part.runs.iter().flat_map(each).collect();
            prop_assert_eq!(bits(&told), bits(&all));
            prop_assert!(part.runs.windows(2).all(|pair| pair[0].0.total_cmp(&pair[1].0).is_lt()));
        }
    }
}
