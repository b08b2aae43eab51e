//! Sessions as a whole: how long they were, where they began and ended, and whether they were a bounce.

use std::collections::HashMap;

use shoreline_shared::event_type::{FEATURE_USE, PAGE_VIEW, TrackerType};

use super::ask::KEPT;
use super::loaded::{Entry, Loaded};
use crate::archive::Column;
use crate::archive::scan::Places;
use crate::archive::segment::{Broken, Segment};
use crate::protocol::counters::live_key;

/// From how many milliseconds on a page was looked at, a session is no bounce.
const ENGAGED_MS: i64 = 10_000;

/// A view at an end of a session: when, its id for those at once, and the numbers of its page, source and channel from
/// 1 on.
type End = (i64, u128, [u32; KEPT]);

/// The place of the source among what is kept of a view.
const SOURCE: usize = 1;

/// The source of a view to which nothing led that is known.
const DIRECT: &str = "Direct";

/// Sessions of a range.
#[derive(Debug, Default)]
pub(super) struct Visits {
    sessions: Places,
    all: Vec<Visit>,
    /// The first and last view of each, where that is asked for.
    ends: Vec<[End; 2]>,
    has_ends: bool,
    numbers: HashMap<String, u64>,
    texts: Vec<String>,
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
const NO_ENDS: [End; 2] = [(i64::MAX, u128::MAX, [0; KEPT]), (i64::MIN, 0, [0; KEPT])];

impl Visits {
    /// That know their first and last views, if that is asked for.
    pub(super) fn new(has_ends: bool) -> Self {
        Self {
            has_ends,
            ..Self::default()
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let one = if self.has_ends { 168 } else { 64 };
        let texts = self.texts.len().saturating_mul(250);
        self.all.len().saturating_mul(one).saturating_add(texts)
    }

    /// Takes the events of a segment that happened in the range. `engaged` is how long a page was looked at, of those
    /// that left one; `kept` is what is kept of the views at a session's ends.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        is_in: &[bool],
        engaged: &Loaded<'_>,
        kept: [Option<&Loaded<'_>>; KEPT],
    ) -> Result<(), Broken> {
        let (sessions, types) = (segment.sessions()?, segment.column(Column::Type)?);
        let at = segment.at()?;
        let ids = if self.has_ends {
            segment.ids()?
        } else {
            vec![0; segment.len()]
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
        let mut numbers = kept.map(|kept| vec![0_u32; kept.map_or(0, |kept| kept.dict.len())]);
        let events = sessions
            .codes
            .iter()
            .zip(&types.codes)
            .zip(&at)
            .zip(is_in)
            .zip(&engaged.codes);
        for (event, (((((session, kind), at), is_in), engaged), id)) in events.zip(&ids).enumerate()
        {
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
            if self.has_ends {
                let mut has = [0; KEPT];
                let all = has.iter_mut().zip(kept).zip(&mut numbers).enumerate();
                for (what, ((has, kept), numbers)) in all {
                    *has = kept.map_or(0, |kept| self.number_at(kept, event, what, numbers));
                }
                self.ends.resize(self.sessions.len(), NO_ENDS);
                if let Some([entry, exit]) = self.ends.get_mut(visit) {
                    *entry = (*entry).min((*at, *id, has));
                    *exit = (*exit).max((*at, *id, has));
                }
            }
        }
        Ok(())
    }

    /// The number of what a view has; `numbers` are those of a segment's distinct values, as far as they are known.
    fn number_at(
        &mut self,
        kept: &Loaded<'_>,
        event: usize,
        what: usize,
        numbers: &mut [u32],
    ) -> u32 {
        let place = kept.codes.get(event).map_or(0, |code| *code as usize);
        let place = place.wrapping_sub(1);
        let Some((slot, entry)) = numbers.get_mut(place).zip(kept.dict.get(place)) else {
            return if what == SOURCE {
                self.number(DIRECT)
            } else {
                0
            };
        };
        if *slot == 0 {
            *slot = self.number(&live_key(&entry.text));
        }
        *slot
    }

    /// The number of a text, from 1 on.
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number as u32;
        }
        self.texts.push(text.to_owned());
        let number = self.texts.len() as u64;
        self.numbers.insert(text.to_owned(), number);
        number as u32
    }

    /// The number and the text of what is kept of the view at which a session began (0) or ended (1).
    pub(super) fn kept(&self, hash: u64, end: usize, what: usize) -> Option<(u32, &str)> {
        let place = self.sessions.find(hash)?;
        let (_, _, numbers) = self.ends.get(place as usize)?.get(end)?;
        let number = numbers.get(what)?;
        let text = self.texts.get((*number as usize).checked_sub(1)?)?;
        Some((*number, text))
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
