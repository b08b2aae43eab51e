//! Sessions as a whole: how long they were, where they began and ended, and whether they were a bounce.

use std::collections::HashMap;

use shoreline_shared::crowd::{Crowd, NOBODY};
use shoreline_shared::event_type::{FEATURE_USE, PAGE_VIEW, TrackerType};
use shoreline_shared::stays::{ENGAGED_MS, Events, Stays, Tells};

use super::ask::{KEPT, Question};
use super::loaded::{Entry, Loaded};
use super::metric::Metric;
use crate::archive::Column;
use crate::archive::segment::{Broken, Segment};
use crate::protocol::counters::live_key;

mod ends;

use ends::Ends;

/// The place of the source among what is kept of a view.
const SOURCE: usize = 1;

/// The source of a view to which nothing led that is known.
const DIRECT: &str = "Direct";

/// Sessions of a range. Of each is kept what the question needs.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// All that have a place: with [`Visits::take`] those of the range, else those that are counted.
    pub(super) sessions: Crowd,
    /// How long they were, and whether they were a bounce.
    stays: Option<Stays>,
    /// The first and the last view.
    ends: [Option<Ends>; 2],
    numbers: HashMap<String, u64>,
    texts: Vec<String>,
}

impl Visits {
    /// That know of sessions what a question asks.
    pub(super) fn new(question: &Question) -> Self {
        let mut metrics = question.panels.iter().flat_map(|panel| &panel.metrics);
        let has_stays =
            metrics.any(|metric| matches!(metric, Metric::SessionDuration | Metric::BounceRate));
        let [has_first, has_last] = question.has_ends;
        Self {
            stays: has_stays.then(Stays::default),
            ends: [
                has_first.then(|| Ends::new(false)),
                has_last.then(|| Ends::new(true)),
            ],
            ..Self::default()
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let ends = self.ends.iter().flatten().map(Ends::bytes);
        let stays = self.stays.as_ref().map_or(0, Stays::bytes);
        // Each text is kept twice.
        let texts = self.texts.len().saturating_mul(250);
        ends.fold(texts, usize::saturating_add)
            .saturating_add(self.sessions.bytes())
            .saturating_add(stays)
    }

    /// Takes the events of a segment that happened in the range. `engaged` is how long a page was looked at, of those
    /// that left one; `kept` is what is kept of the views at a session's ends. After [`Visits::has_ties`] it takes no
    /// more of it than those need. Tells the place of each event's session.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        is_in: &[bool],
        engaged: &Loaded<'_>,
        kept: [Option<&Loaded<'_>>; KEPT],
    ) -> Result<Vec<u32>, Broken> {
        let (sessions, types) = (segment.sessions()?, segment.column(Column::Type)?);
        let at = segment.at()?;
        let hashes: Vec<_> = sessions.dict.into_iter().map(Some).collect();
        let places = self.sessions.places(&hashes, &sessions.codes, is_in);
        let is_tied = self.ends.iter().flatten().any(Ends::is_tied);
        if let (Some(stays), false) = (&mut self.stays, is_tied) {
            let events = Events {
                places: &places,
                at: &at,
                types: &types.codes,
                engaged: &engaged.codes,
            };
            let tells: Vec<Tells> = types.dict.iter().map(|kind| tells(kind)).collect();
            let most = f64::from(ENGAGED_MS);
            let whole =
                |entry: &Entry<'_>| entry.number().map_or(0, |ms| ms.clamp(0.0, most) as u16);
            let engaged_ms: Vec<u16> = engaged.dict.iter().map(whole).collect();
            stays.take(&events, &tells, &engaged_ms);
        }
        if self.ends.iter().all(Option::is_none) {
            return Ok(places);
        }
        let view = types
            .dict
            .iter()
            .zip(1..)
            .find(|(kind, _)| **kind == PAGE_VIEW);
        let view = view.map_or(u32::MAX, |(_, code)| code);
        let mut ids = Vec::new();
        let mut numbers = kept.map(|kept| vec![0_u32; kept.map_or(0, |kept| kept.dict.len())]);
        let events = places.iter().zip(&types.codes).zip(&at).enumerate();
        for (event, ((visit, kind), at)) in events {
            if *visit == NOBODY || *kind != view {
                continue;
            }
            if is_tied {
                let mut ends = self.ends.iter().flatten();
                if !ends.any(|ends| ends.wants(*visit, *at)) {
                    continue;
                }
                if ids.is_empty() {
                    ids = segment.ids()?;
                }
            }
            let mut has = [0; KEPT];
            let all = has.iter_mut().zip(kept).zip(&mut numbers).enumerate();
            for (what, ((has, kept), numbers)) in all {
                *has = kept.map_or(0, |kept| self.number_at(kept, event, what, numbers));
            }
            let id = ids.get(event).copied();
            for ends in self.ends.iter_mut().flatten() {
                ends.take(*visit, *at, id, has);
            }
        }
        Ok(places)
    }

    /// All segments were taken. Whether they are to be taken once more, because sessions have several first or last
    /// views at one moment, which their ids put in order.
    pub(super) fn has_ties(&mut self) -> bool {
        let sessions = self.sessions.len();
        let mut has_ties = false;
        for ends in self.ends.iter_mut().flatten() {
            has_ties |= ends.has_ties(sessions);
        }
        has_ties
    }

    /// All segments were taken as often as they had to be.
    pub(super) fn settle(&mut self) {
        self.ends.iter_mut().flatten().for_each(Ends::settle);
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
        let number = self.ends.get(end)?.as_ref()?.number(place, what);
        let text = self.texts.get((number as usize).checked_sub(1)?)?;
        Some((number, text))
    }

    /// Whether the session of a place was a bounce, and how long it was in milliseconds.
    pub(super) fn of(&self, place: u32) -> (bool, i64) {
        let stays = self.stays.as_ref();
        stays.map_or((false, 0), |stays| stays.of(place))
    }
}

/// What an event of a type tells of its session.
fn tells(kind: &str) -> Tells {
    match kind {
        PAGE_VIEW => Tells::View,
        FEATURE_USE | "custom" => Tells::Act,
        leave if leave == TrackerType::PageLeave.as_str() => Tells::Leave,
        _ => Tells::Moment,
    }
}
