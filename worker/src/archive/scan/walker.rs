//! Users who go through the steps of a funnel, by events of which somebody else says which steps they are.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::pick::{Pick, Picked};
use super::places::Places;
use super::timeline::{Entry, Timeline};
use crate::archive::Who;
use crate::archive::segment::Broken;
use crate::base::sort;

/// In what order steps are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One after the other, whatever else is done between them.
    #[default]
    Sequence,
    /// One after the other, and nothing between them.
    Strict,
    /// In any order.
    Any,
}

/// Whose ids are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Who came through so many steps and not through the next.
    pub after: u8,
    /// So many users at most.
    pub limit: usize,
    /// Whose hash is greater.
    pub from: u64,
}

/// How steps are to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelRule {
    /// How many there are.
    pub steps: usize,
    /// Milliseconds from the first step to the last one at most.
    pub window_ms: i64,
    /// In what order.
    pub order: Order,
    /// Whether users are counted by the value that their events have.
    pub by_value: bool,
    /// Whose ids are asked for.
    pub dropped: Option<Dropped>,
}

/// How many users came through each step, by their value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelPart {
    /// Of each value; where values are not asked for, of all users.
    pub groups: Vec<FunnelGroup>,
}

/// Users of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelGroup {
    /// The number of the value; 0 for none.
    pub value: u32,
    /// How many came through each step.
    pub users: Vec<i64>,
    /// Milliseconds from the first step to the last, in ascending order, each with how many users took so long.
    pub took: Vec<(i64, i64)>,
}

/// Above these bits of what an event is stands the number of its value. Below: its steps, and one more bit for an
/// event that is none, but stands between those that are.
pub(crate) const VALUE_BITS: u32 = 12;

/// No moment.
const NONE: i64 = i64::MIN;

/// No place yet, and the place of who is no user.
const UNKNOWN: u32 = u32::MAX;
const NOBODY: u32 = u32::MAX - 1;

/// How far a user came.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// How long all steps took when they were first done, milliseconds.
    took: i64,
    /// The number of the value.
    value: u32,
    reached: u8,
}

/// A funnel under way.
pub(super) struct Walker {
    rule: FunnelRule,
    users: Places,
    timeline: Timeline,
    /// Of each user and step. In sequence: the latest beginning that leads to it; if any beginning does it in time,
    /// the latest does. Strict: the beginning of those steps that the event before was the last of. In any order:
    /// when it was last done.
    moments: Vec<i64>,
    progress: Vec<Progress>,
}

impl Walker {
    pub(super) fn new(rule: FunnelRule, range: Range<i64>, most: usize) -> Self {
        Self {
            users: Places::default(),
            timeline: Timeline::new(range, most),
            moments: Vec::new(),
            progress: Vec::new(),
            rule,
        }
    }

    /// The entries, and what takes them in order.
    fn parts(&mut self) -> (&mut Timeline, impl FnMut(&Entry)) {
        let (moments, progress, rule) = (&mut self.moments, &mut self.progress, &self.rule);
        let begun = Progress {
            took: 0,
            value: UNKNOWN,
            reached: 0,
        };
        progress.resize(self.users.len(), begun);
        moments.resize(self.users.len().saturating_mul(rule.steps), NONE);
        let tell = move |entry: &Entry| {
            let user = entry.whose as usize;
            let start = user.saturating_mul(rule.steps);
            let moments = moments.get_mut(start..start.saturating_add(rule.steps));
            if let (Some(moments), Some(progress)) = (moments, progress.get_mut(user)) {
                progress.walk(moments, entry, rule);
            }
        };
        (&mut self.timeline, tell)
    }

    fn groups(&self) -> Vec<FunnelGroup> {
        let mut places = Places::default();
        let mut groups: Vec<FunnelGroup> = Vec::new();
        for progress in self.progress.iter().filter(|each| each.reached > 0) {
            let value = if progress.value == UNKNOWN {
                0
            } else {
                progress.value
            };
            let place = places.place(value.into()) as usize;
            if place >= groups.len() {
                groups.push(FunnelGroup {
                    value,
                    users: vec![0; self.rule.steps],
                    took: Vec::new(),
                });
            }
            let Some(group) = groups.get_mut(place) else {
                continue;
            };
            for count in group.users.iter_mut().take(progress.reached.into()) {
                *count = count.saturating_add(1);
            }
            if usize::from(progress.reached) == self.rule.steps {
                group.took.push((progress.took, 1));
            }
        }
        for group in &mut groups {
            settle(&mut group.took);
        }
        groups
    }
}

/// Makes runs of equal numbers one.
fn settle(runs: &mut Vec<(i64, i64)>) {
    sort::sort(runs);
    runs.dedup_by(|next, run| {
        let same = next.0 == run.0;
        if same {
            run.1 = run.1.saturating_add(next.1);
        }
        same
    });
}

impl FunnelGroup {
    /// Takes what another has.
    pub fn unite(&mut self, other: &Self) {
        self.users
            .resize(self.users.len().max(other.users.len()), 0);
        for (count, more) in self.users.iter_mut().zip(&other.users) {
            *count = count.saturating_add(*more);
        }
        self.took.extend(&other.took);
        settle(&mut self.took);
    }

    /// The median of how long all steps took, a measured value: the nearest rank.
    pub fn median(&self) -> Option<i64> {
        let counts = self.took.iter().map(|(_, n)| *n);
        let rank = counts.fold(0, i64::saturating_add).saturating_add(1) / 2;
        let mut seen = 0_i64;
        let mut took = self.took.iter();
        let run = took.find(|(_, n)| {
            seen = seen.saturating_add(*n);
            seen >= rank
        });
        run.map(|(ms, _)| *ms)
    }
}

impl Progress {
    /// Takes a user's next event.
    fn walk(&mut self, moments: &mut [i64], entry: &Entry, rule: &FunnelRule) {
        let steps = entry.what & 1_u32.wrapping_shl(moments.len() as u32).wrapping_sub(1);
        let first = if rule.order == Order::Any {
            steps
        } else {
            steps & 1
        };
        if self.value == UNKNOWN && first != 0 {
            self.value = entry.what >> VALUE_BITS;
        }
        let (reached, begin) = match rule.order {
            Order::Sequence => in_sequence(moments, entry.at, steps, rule.window_ms),
            Order::Strict => strictly(moments, entry.at, steps, rule.window_ms),
            Order::Any => in_any_order(moments, entry.at, steps, rule.window_ms),
        };
        if reached > usize::from(self.reached) {
            self.reached = reached as u8;
            self.took = entry.at.saturating_sub(begin);
        }
    }
}

/// The beginning that leads to a step that is done now: of the step before, if that is not too long ago.
fn beginning(moments: &[i64], step: usize, at: i64, window_ms: i64) -> i64 {
    let Some(before) = step.checked_sub(1) else {
        return at;
    };
    let begin = moments.get(before).copied().unwrap_or(NONE);
    if begin != NONE && at.saturating_sub(begin) <= window_ms {
        begin
    } else {
        NONE
    }
}

/// How many steps are done, and the beginning that leads to the last. An event that is two steps at once is the
/// later one first, so that it is not both in a row.
fn in_sequence(moments: &mut [i64], at: i64, mut steps: u32, window_ms: i64) -> (usize, i64) {
    let mut best = (0, NONE);
    while steps != 0 {
        let step = steps.ilog2();
        steps ^= 1_u32.wrapping_shl(step);
        let step = step as usize;
        let begin = beginning(moments, step, at, window_ms);
        if let Some(slot) = moments.get_mut(step) {
            *slot = (*slot).max(begin);
            if begin != NONE && step >= best.0 {
                best = (step.saturating_add(1), begin);
            }
        }
    }
    best
}

/// The same where the event before must have been the step before: whatever this one is not begins anew.
fn strictly(moments: &mut [i64], at: i64, steps: u32, window_ms: i64) -> (usize, i64) {
    let mut best = (0, NONE);
    for step in (0..moments.len()).rev() {
        let is_step = steps & 1_u32.wrapping_shl(step as u32) != 0;
        let begin = if is_step {
            beginning(moments, step, at, window_ms)
        } else {
            NONE
        };
        if begin != NONE && step >= best.0 {
            best = (step.saturating_add(1), begin);
        }
        if let Some(slot) = moments.get_mut(step) {
            *slot = begin;
        }
    }
    best
}

/// How many different steps were done within the window that ends now, and when the first of them was.
fn in_any_order(moments: &mut [i64], at: i64, steps: u32, window_ms: i64) -> (usize, i64) {
    let mut best = (0_usize, at);
    for (step, moment) in (0_u32..).zip(moments) {
        if steps & 1_u32.wrapping_shl(step) != 0 {
            *moment = at;
        }
        if *moment != NONE && at.saturating_sub(*moment) <= window_ms {
            best = (best.0.saturating_add(1), best.1.min(*moment));
        }
    }
    best
}

impl Pick for Walker {
    fn window(&self) -> Range<i64> {
        self.timeline.window()
    }

    fn reset(&mut self) {
        self.users = Places::default();
        self.moments.clear();
        self.progress.clear();
        self.timeline.reset();
    }

    fn pick(&mut self, picked: Picked<'_, '_>) -> Result<(), Broken> {
        let Picked { segment, what } = picked;
        if what.iter().all(|what| *what == 0) {
            return Ok(());
        }
        let (at, ids, users) = (segment.at()?, segment.ids()?, segment.users()?);
        let mut places = vec![UNKNOWN; users.dict.len()];
        let events = what.iter().zip(at).zip(ids).zip(users.codes);
        for (((what, at), id), code) in events {
            let index = (code as usize).wrapping_sub(1);
            let (true, Some(place)) = (*what != 0, places.get_mut(index)) else {
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
                    what: *what,
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

    fn bytes(&self) -> usize {
        // Moments, progress, and the place of the hash.
        let each = self.rule.steps.saturating_mul(8).saturating_add(40);
        self.users.len().saturating_mul(each)
    }

    fn whom(&self) -> Vec<u64> {
        let Some(dropped) = self.rule.dropped else {
            return Vec::new();
        };
        let users = self.users.keys().iter().zip(&self.progress);
        let users = users
            .filter(|(hash, progress)| progress.reached == dropped.after && **hash > dropped.from);
        let mut hashes: Vec<u64> = users.map(|(hash, _)| *hash).collect();
        sort::sort(&mut hashes);
        hashes.truncate(dropped.limit);
        hashes
    }

    fn part(&self, alone: bool) -> serde_json::Result<String> {
        let mut groups = self.groups();
        if alone && !self.rule.by_value {
            // The others are not told: their median is that of all.
            for group in &mut groups {
                group.took = group.median().map(|ms| (ms, 1)).into_iter().collect();
            }
        }
        serde_json::to_string(&FunnelPart { groups })
    }
}
