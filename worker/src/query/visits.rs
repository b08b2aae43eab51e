//! Sessions as a whole: how long they were, where they began and ended, and whether they were a bounce.

use std::collections::HashMap;

use shoreline_shared::event_type::{FEATURE_USE, PAGE_VIEW, TrackerType};

use super::loaded::{Entry, Loaded};
use crate::archive::Column;
use crate::archive::scan::Places;
use crate::archive::segment::{Broken, Coded, Segment};

/// From how many milliseconds on a page was looked at, a session is no bounce.
const ENGAGED_MS: i64 = 10_000;

/// A view at an end of a session: when, its id for those at once, and the number of its page from 1 on.
type End = (i64, u128, u32);

/// Sessions of a range.
#[derive(Debug, Default)]
pub(super) struct Visits {
    sessions: Places,
    all: Vec<Visit>,
    /// The first and last view of each, where that is asked for.
    ends: Vec<[End; 2]>,
    has_ends: bool,
    numbers: HashMap<String, u64>,
    pages: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Visit {
    first: i64,
    last: i64,
    views: i64,
    engaged: i64,
    /// Did something beside viewing.
    acted: bool,
}

const NO_VISIT: Visit = Visit {
    first: i64::MAX,
    last: i64::MIN,
    views: 0,
    engaged: 0,
    acted: false,
};

/// Before it is known.
const NO_ENDS: [End; 2] = [(i64::MAX, u128::MAX, 0), (i64::MIN, 0, 0)];

impl Visits {
    /// That know their first and last pages, if that is asked for.
    pub(super) fn new(has_ends: bool) -> Self {
        Self {
            has_ends,
            ..Self::default()
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let one = if self.has_ends { 136 } else { 64 };
        let pages = self.pages.len().saturating_mul(250);
        self.all.len().saturating_mul(one).saturating_add(pages)
    }

    /// Takes the events of a segment that happened in the range. `engaged` is how long a page was looked at, of those
    /// that left one.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        at: &[i64],
        is_in: &[bool],
        engaged: &Loaded<'_>,
    ) -> Result<(), Broken> {
        let (sessions, types) = (segment.sessions()?, segment.column(Column::Type)?);
        let (ids, pages) = if self.has_ends {
            (segment.ids()?, segment.column(Column::Page)?)
        } else {
            let (dict, codes) = (Vec::new(), vec![0; at.len()]);
            (vec![0; at.len()], Coded { dict, codes })
        };
        let kind = |name: &str| {
            types
                .dict
                .iter()
                .zip(1..)
                .find(|(known, _)| **known == name)
        };
        let kind = |name: &str| kind(name).map_or(u32::MAX, |(_, code)| code);
        let (view, feature) = (kind(PAGE_VIEW), kind(FEATURE_USE));
        let (custom, leave) = (kind("custom"), kind(TrackerType::PageLeave.as_str()));
        let whole = |entry: &Entry<'_>| entry.number().map_or(0, |ms| ms.clamp(0.0, 1e9) as i64);
        let engaged_ms: Vec<i64> = engaged.dict.iter().map(whole).collect();
        let mut places = vec![None; sessions.dict.len()];
        let mut numbers = vec![0_u32; pages.dict.len()];
        let events = sessions
            .codes
            .iter()
            .zip(&types.codes)
            .zip(at)
            .zip(is_in)
            .zip(&engaged.codes);
        let events = events.zip(ids.iter().zip(&pages.codes));
        for (((((session, kind), at), is_in), engaged), (id, page)) in events {
            let place = (*session as usize).wrapping_sub(1);
            let (Some(hash), true) = (sessions.dict.get(place), *is_in) else {
                continue;
            };
            let Some(slot) = places.get_mut(place) else {
                continue;
            };
            let visit = *slot.get_or_insert_with(|| self.sessions.place(*hash) as usize);
            self.all.resize(self.sessions.len(), NO_VISIT);
            let Some(visit_of) = self.all.get_mut(visit) else {
                continue;
            };
            visit_of.first = visit_of.first.min(*at);
            visit_of.last = visit_of.last.max(*at);
            visit_of.acted |= *kind == feature || *kind == custom;
            if *kind == leave {
                let ms = engaged_ms.get((*engaged as usize).wrapping_sub(1));
                visit_of.engaged = visit_of.engaged.saturating_add(ms.copied().unwrap_or(0));
            }
            if *kind != view {
                continue;
            }
            visit_of.views = visit_of.views.saturating_add(1);
            let text = pages.dict.get((*page as usize).wrapping_sub(1));
            if let (true, Some(text)) = (self.has_ends, text) {
                let known = numbers
                    .get((*page as usize).wrapping_sub(1))
                    .copied()
                    .unwrap_or(0);
                let number = if known == 0 { self.number(text) } else { known };
                if let Some(slot) = numbers.get_mut((*page as usize).wrapping_sub(1)) {
                    *slot = number;
                }
                self.ends.resize(self.sessions.len(), NO_ENDS);
                if let Some([entry, exit]) = self.ends.get_mut(visit) {
                    *entry = (*entry).min((*at, *id, number));
                    *exit = (*exit).max((*at, *id, number));
                }
            }
        }
        Ok(())
    }

    /// The number of a page, from 1 on.
    fn number(&mut self, page: &str) -> u32 {
        let next = (self.pages.len() as u64).wrapping_add(1);
        let number = *self.numbers.entry(page.to_owned()).or_insert(next);
        if number == next {
            self.pages.push(page.to_owned());
        }
        number as u32
    }

    /// The number and the name of the page at which a session began (0) or ended (1).
    pub(super) fn page(&self, hash: u64, end: usize) -> Option<(u32, &str)> {
        let place = self.sessions.find(hash)?;
        let (_, _, number) = self.ends.get(place as usize)?.get(end)?;
        let page = self.pages.get((*number as usize).checked_sub(1)?)?;
        Some((*number, page))
    }

    /// The place of a session that was taken.
    pub(super) fn place(&self, hash: u64) -> Option<u32> {
        self.sessions.find(hash)
    }

    /// Whether the session of a place was a bounce, and how long it was in milliseconds.
    pub(super) fn of(&self, place: u32) -> (bool, i64) {
        let visit = self.all.get(place as usize);
        visit.map_or((false, 0), |visit| {
            let is_bounce = visit.views == 1 && !visit.acted && visit.engaged < ENGAGED_MS;
            (is_bounce, visit.last.saturating_sub(visit.first))
        })
    }
}
