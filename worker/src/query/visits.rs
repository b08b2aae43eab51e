//! Sessions as a whole: how long they were, where they began and ended, and whether they were a bounce.

use std::collections::HashMap;

use shoreline_shared::crowd::{Chunks, Crowd};
use shoreline_shared::event_type::{FEATURE_USE, PAGE_VIEW, TrackerType};

use super::ask::{KEPT, Question};
use super::loaded::{Entry, Loaded};
use super::metric::Metric;
use crate::archive::Column;
use crate::archive::segment::{Broken, Segment};
use crate::protocol::counters::live_key;

mod ends;

use ends::Ends;

/// From how many milliseconds on a page was looked at, a session is no bounce.
const ENGAGED_MS: u16 = 10_000;

/// The place of the source among what is kept of a view.
const SOURCE: usize = 1;

/// The source of a view to which nothing led that is known.
const DIRECT: &str = "Direct";

/// What tells whether a session is a bounce: milliseconds that its pages were looked at, up to [`ENGAGED_MS`], and
/// above them [`VIEWED`] and [`STAYED`].
type State = u16;

/// Has a view.
const VIEWED: State = 1 << 14;

/// Has more than one view, or did something beside viewing.
const STAYED: State = 1 << 15;

/// First and last moment of a session, before there is any.
const NO_SPAN: [i64; 2] = [i64::MAX, i64::MIN];

/// Sessions of a range. Of each is kept what the question needs.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// All that have a place: with [`Visits::take`] those of the range, else those that are counted.
    pub(super) sessions: Crowd,
    /// How long they were.
    spans: Option<Chunks<[i64; 2]>>,
    /// Whether they were a bounce.
    states: Option<Chunks<State>>,
    /// The first and the last view.
    ends: [Option<Ends>; 2],
    numbers: HashMap<String, u64>,
    texts: Vec<String>,
}

impl Visits {
    /// That know of sessions what a question asks.
    pub(super) fn new(question: &Question) -> Self {
        let mut metrics = question.panels.iter().flat_map(|panel| &panel.metrics);
        let has_spans = metrics.any(|metric| *metric == Metric::SessionDuration);
        let mut metrics = question.panels.iter().flat_map(|panel| &panel.metrics);
        let has_states = metrics.any(|metric| *metric == Metric::BounceRate);
        let [has_first, has_last] = question.has_ends;
        Self {
            spans: has_spans.then_some(Chunks::new(NO_SPAN)),
            states: has_states.then_some(Chunks::new(0)),
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
        let spans = self.spans.as_ref().map_or(0, Chunks::bytes);
        let states = self.states.as_ref().map_or(0, Chunks::bytes);
        // Each text is kept twice.
        let texts = self.texts.len().saturating_mul(250);
        ends.fold(texts, usize::saturating_add)
            .saturating_add(self.sessions.bytes())
            .saturating_add(spans)
            .saturating_add(states)
    }

    /// Takes the events of a segment that happened in the range. `engaged` is how long a page was looked at, of those
    /// that left one; `kept` is what is kept of the views at a session's ends. After [`Visits::has_ties`] it takes no
    /// more of it than those need.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        is_in: &[bool],
        engaged: &Loaded<'_>,
        kept: [Option<&Loaded<'_>>; KEPT],
    ) -> Result<(), Broken> {
        let (sessions, types) = (segment.sessions()?, segment.column(Column::Type)?);
        let at = segment.at()?;
        let is_tied = self.ends.iter().flatten().any(Ends::is_tied);
        let mut ids = Vec::new();
        let kind = |name: &str| {
            let mut known = types.dict.iter().zip(1..);
            known
                .find(|(known, _)| **known == name)
                .map_or(u32::MAX, |(_, code)| code)
        };
        let (view, feature) = (kind(PAGE_VIEW), kind(FEATURE_USE));
        let (custom, leave) = (kind("custom"), kind(TrackerType::PageLeave.as_str()));
        let most = f64::from(ENGAGED_MS);
        let whole = |entry: &Entry<'_>| entry.number().map_or(0, |ms| ms.clamp(0.0, most) as u16);
        let engaged_ms: Vec<u16> = engaged.dict.iter().map(whole).collect();
        let mut places = vec![None; sessions.dict.len()];
        let mut numbers = kept.map(|kept| vec![0_u32; kept.map_or(0, |kept| kept.dict.len())]);
        let events = sessions
            .codes
            .iter()
            .zip(&types.codes)
            .zip(&at)
            .zip(is_in)
            .zip(&engaged.codes);
        for (event, ((((session, kind), at), is_in), engaged)) in events.enumerate() {
            let place = (*session as usize).wrapping_sub(1);
            let (Some(hash), true) = (sessions.dict.get(place), *is_in) else {
                continue;
            };
            let Some(slot) = places.get_mut(place) else {
                continue;
            };
            let visit = *slot.get_or_insert_with(|| self.sessions.place(*hash));
            if !is_tied {
                if let Some([first, last]) = slot_of(&mut self.spans, visit) {
                    (*first, *last) = ((*first).min(*at), (*last).max(*at));
                }
                if let Some(state) = slot_of(&mut self.states, visit) {
                    let ms = engaged_ms.get((*engaged as usize).wrapping_sub(1));
                    let ms = ms.copied().filter(|_| *kind == leave).unwrap_or(0);
                    let is_view = *kind == view;
                    *state = next_state(*state, is_view, *kind == feature || *kind == custom, ms);
                }
            }
            if *kind != view || self.ends.iter().all(Option::is_none) {
                continue;
            }
            if is_tied {
                let mut ends = self.ends.iter().flatten();
                if !ends.any(|ends| ends.wants(visit, *at)) {
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
                ends.take(visit, *at, id, has);
            }
        }
        Ok(())
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
        let state = self.states.as_ref().map_or(0, |states| states.get(place));
        let is_bounce = state & VIEWED != 0 && state < STAYED && state & !VIEWED < ENGAGED_MS;
        let span = self.spans.as_ref().map(|spans| spans.get(place));
        let lasted = span.map_or(0, |[first, last]| last.saturating_sub(first).max(0));
        (is_bounce, lasted)
    }
}

fn slot_of<T: Copy>(all: &mut Option<Chunks<T>>, place: u32) -> Option<&mut T> {
    all.as_mut()?.slot(place)
}

/// What a session is after one more event.
fn next_state(state: State, is_view: bool, acts: bool, engaged: u16) -> State {
    let ms = (state & (VIEWED - 1)).saturating_add(engaged);
    let mut next = state & (VIEWED | STAYED) | ms.min(ENGAGED_MS);
    if is_view {
        next |= if state & VIEWED == 0 { VIEWED } else { STAYED };
    }
    if acts {
        next |= STAYED;
    }
    next
}
