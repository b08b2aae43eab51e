//! A funnel: how many users went through steps, in order, in time.

use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::timeline::{Entry, Timeline};
use crate::archive::segment::{Broken, Segment};
use crate::archive::{Column, Joined, Who};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelSpec {
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// Milliseconds from the first step to the last one at most.
    pub window_ms: i64,
    /// The steps, 32 at most.
    pub steps: Vec<Step>,
}

/// What an event must have to be a step: `[eventType, page, feature]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(pub String, pub Option<String>, pub Option<String>);

/// How many users came through each step.
pub type FunnelPart = Vec<i64>;

/// No beginning.
const NONE: i64 = i64::MIN;

/// No place yet, and the place of who is no user.
const UNKNOWN: u32 = u32::MAX;
const NOBODY: u32 = u32::MAX - 1;

/// A funnel under way.
pub(super) struct Scan {
    spec: FunnelSpec,
    joined: Rc<Joined>,
    users: Places,
    timeline: Timeline,
    /// Of each user and step the latest beginning that leads to it: if any beginning does it in time, the
    /// latest does.
    begun: Vec<i64>,
}

impl Scan {
    pub(super) fn new(spec: FunnelSpec, kept_from: i64, most: usize) -> Self {
        Self {
            joined: Rc::default(),
            users: Places::default(),
            timeline: Timeline::new(spec.at.0.max(kept_from)..spec.at.1, most),
            begun: Vec::new(),
            spec,
        }
    }
}

impl Scan {
    /// The entries, and what takes them in order.
    fn parts(&mut self) -> (&mut Timeline, impl FnMut(&Entry)) {
        let (begun, steps) = (&mut self.begun, self.spec.steps.len());
        begun.resize(self.users.len().saturating_mul(steps), NONE);
        let window_ms = self.spec.window_ms;
        let tell = move |entry: &Entry| {
            let start = (entry.whose as usize).saturating_mul(steps);
            if let Some(begun) = begun.get_mut(start..start.saturating_add(steps)) {
                walk(begun, entry, window_ms);
            }
        };
        (&mut self.timeline, tell)
    }
}

/// Of each event the steps that it is, as bits; empty where none is one.
fn masks(steps: &[Step], segment: &Segment<'_>) -> Result<Vec<u32>, Broken> {
    let mut masks: Vec<u32> = Vec::new();
    // The codes of a column, once some step asks for it.
    let mut columns: [Option<Vec<u32>>; 3] = [None, None, None];
    let mut bit = 1_u32;
    'steps: for Step(event_type, page, feature) in steps {
        let this = bit;
        bit = bit.wrapping_shl(1);
        let wanted = [
            (Column::Type, Some(event_type)),
            (Column::Page, page.as_ref()),
            (Column::Feature, feature.as_ref()),
        ];
        let mut codes = [None; 3];
        for ((column, text), code) in wanted.iter().zip(&mut codes) {
            if let Some(text) = text {
                *code = segment.column_code(*column, text)?;
                if code.is_none() {
                    continue 'steps;
                }
            }
        }
        let mut hits = vec![this; segment.len()];
        for (((column, _), code), known) in wanted.iter().zip(codes).zip(&mut columns) {
            let Some(code) = code else { continue };
            let codes = match known {
                Some(codes) => codes,
                None => known.insert(segment.column(*column)?.codes),
            };
            for (hit, each) in hits.iter_mut().zip(codes.iter()) {
                *hit = if *each == code { *hit } else { 0 };
            }
        }
        if masks.is_empty() {
            masks = hits;
        } else {
            for (mask, hit) in masks.iter_mut().zip(&hits) {
                *mask |= hit;
            }
        }
    }
    Ok(masks)
}

impl super::Scan for Scan {
    fn range(&self) -> Range<i64> {
        self.timeline.window()
    }

    fn reset(&mut self) {
        self.users = Places::default();
        self.begun.clear();
        self.timeline.reset();
    }

    fn join(&mut self, joined: Rc<Joined>) {
        self.joined = joined;
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        let masks = masks(&self.spec.steps, segment)?;
        if masks.iter().all(|mask| *mask == 0) {
            return Ok(());
        }
        let (at, ids, users) = (
            segment.at()?,
            segment.ids()?,
            self.joined.users_of(segment)?,
        );
        let mut places = vec![UNKNOWN; users.dict.len()];
        let events = masks.iter().zip(at).zip(ids).zip(users.codes);
        for (((mask, at), id), code) in events {
            let index = (code as usize).wrapping_sub(1);
            let (true, Some(place)) = (*mask != 0, places.get_mut(index)) else {
                continue;
            };
            if *place == UNKNOWN {
                *place = match users.dict.get(index) {
                    Some((user, Who::Known | Who::Erased)) => self.users.place(*user),
                    _ => NOBODY,
                };
            }
            if *place != NOBODY {
                self.timeline.add(Entry {
                    at,
                    id,
                    whose: *place,
                    what: *mask,
                });
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.timeline.is_full()
    }

    fn settle(&mut self, before: i64) {
        let (timeline, mut tell) = self.parts();
        timeline.settle(before, &mut tell);
    }

    fn again(&mut self) -> bool {
        let (timeline, mut tell) = self.parts();
        timeline.next(&mut tell)
    }

    fn part(&self, _: bool) -> serde_json::Result<String> {
        let mut users: FunnelPart = vec![0; self.spec.steps.len()];
        for begun in self.begun.chunks(self.spec.steps.len().max(1)) {
            let reached = begun.iter().take_while(|begin| **begin != NONE);
            for (count, _) in users.iter_mut().zip(reached) {
                *count = count.saturating_add(1);
            }
        }
        serde_json::to_string(&users)
    }
}

/// Takes a user's next event. One that is two steps at once is the later one first, so that it is not both in a
/// row.
fn walk(begun: &mut [i64], entry: &Entry, window_ms: i64) {
    let mut steps = entry.what;
    while steps != 0 {
        let step = steps.ilog2();
        steps ^= 1_u32.wrapping_shl(step);
        let step = step as usize;
        let begin = match step.checked_sub(1) {
            None => entry.at,
            Some(before) => begun
                .get(before)
                .copied()
                .filter(|begin| *begin != NONE && entry.at.saturating_sub(*begin) <= window_ms)
                .unwrap_or(NONE),
        };
        if let Some(slot) = begun.get_mut(step) {
            *slot = (*slot).max(begin);
        }
    }
}
