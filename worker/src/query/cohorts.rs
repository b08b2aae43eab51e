//! Who comes back, of events that were picked: users by the local day or week of their first event, and how many
//! periods later they were there.

use std::ops::Range;

use super::zone::Zone;
use crate::archive::Who;
use crate::archive::people::{CohortRow, WEEK_OFFSET};
use crate::archive::scan::{Pick, Picked, Places};
use crate::archive::segment::Broken;
use crate::base::time::DAY_MS;

/// What an event may be: one that begins a cohort, and one by which a user is there.
pub(super) const BEGINS: u32 = 1;
const IS_THERE: u32 = 2;

/// No period.
const NONE: i64 = i64::MAX;

/// Cohorts under way.
pub(super) struct Cohorts {
    zone: Zone,
    weekly: bool,
    periods: i64,
    range: Range<i64>,
    /// Before which moment cohorts begin.
    until: i64,
    users: Places,
    /// The cohort of each user.
    cohorts: Vec<i64>,
    /// Users and the periods, counted from that of the range's begin, in which they were there.
    seen: Places,
}

impl Cohorts {
    pub(super) fn new(
        zone: Zone,
        (weekly, periods): (bool, i64),
        range: Range<i64>,
        until: i64,
    ) -> Self {
        Self {
            users: Places::default(),
            cohorts: Vec::new(),
            seen: Places::default(),
            zone,
            weekly,
            periods,
            range,
            until,
        }
    }

    fn period(&self, at: i64) -> i64 {
        let day = self.zone.local(at).div_euclid(DAY_MS);
        if self.weekly {
            day.saturating_add(WEEK_OFFSET).div_euclid(7)
        } else {
            day
        }
    }
}

impl Pick for Cohorts {
    fn window(&self) -> Range<i64> {
        self.range.clone()
    }

    fn reset(&mut self) {
        self.users = Places::default();
        self.cohorts.clear();
        self.seen = Places::default();
    }

    fn pick(&mut self, picked: Picked<'_, '_>) -> Result<(), Broken> {
        let (at, users) = (picked.segment.at()?, picked.segment.users()?);
        let base = self.period(self.range.start);
        for ((what, at), code) in picked.what.iter().zip(at).zip(users.codes) {
            let user = users.dict.get((code as usize).wrapping_sub(1));
            let Some((hash, Who::Known | Who::Erased)) = user else {
                continue;
            };
            if *what == 0 || !self.range.contains(&at) {
                continue;
            }
            let place = self.users.place(*hash);
            if self.cohorts.len() <= place as usize {
                self.cohorts.push(NONE);
            }
            let period = self.period(at);
            if what & IS_THERE != 0 {
                let later = period.saturating_sub(base) as u32;
                self.seen.place(u64::from(place) << 32 | u64::from(later));
            }
            if let Some(cohort) = self.cohorts.get_mut(place as usize)
                && what & BEGINS != 0
                && at < self.until
            {
                *cohort = (*cohort).min(period);
            }
        }
        Ok(())
    }

    fn again(&mut self) -> bool {
        false
    }

    fn bytes(&self) -> usize {
        // Keys, and tables that are half full at most.
        let places = self.users.len().saturating_add(self.seen.len());
        let places = places.saturating_mul(24);
        places.saturating_add(self.cohorts.len().saturating_mul(8))
    }

    fn part(&self, _: bool) -> serde_json::Result<String> {
        let base = self.period(self.range.start);
        let mut places = Places::default();
        let mut rows: Vec<CohortRow> = Vec::new();
        for key in self.seen.keys() {
            let cohort = self.cohorts.get((key >> 32) as usize).copied();
            let cohort = cohort.filter(|cohort| *cohort != NONE);
            let Some(cohort) = cohort else { continue };
            let period = base.saturating_add(i64::from(*key as u32));
            let age = period.saturating_sub(cohort);
            if !(0..=self.periods).contains(&age) {
                continue;
            }
            let begun = cohort.saturating_sub(base) as u64;
            let place = places.place(begun << 32 | age as u64) as usize;
            if place >= rows.len() {
                rows.push(CohortRow {
                    cohort,
                    age,
                    users: 0,
                });
            }
            if let Some(row) = rows.get_mut(place) {
                row.users = row.users.saturating_add(1);
            }
        }
        serde_json::to_string(&rows)
    }
}
