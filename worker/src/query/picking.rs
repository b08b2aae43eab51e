//! Events that pass filters, as funnels, journeys, vitals and cohorts take them.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::cohorts::{BEGINS, Cohorts};
use super::loaded::{Loaded, by_code};
use super::panel::Panel;
use super::passing::Passing;
use super::spec::Spec;
use super::zone::Zone;
use crate::archive::Who;
use crate::archive::counted::Stored;
use crate::archive::scan::{Pick, Picked, VALUE_BITS, Walk};
use crate::archive::segment::{Broken, Segment};
use shoreline_shared::set::Set;

/// What a shard found of events that were picked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Walked {
    /// As `Found` has it.
    pub(super) too_much: u8,
    /// The first moment whose events are kept, Unix milliseconds.
    pub(super) kept_from: i64,
    /// As `Told` of [`crate::read::question`] has them.
    pub(super) values: Vec<String>,
    pub(super) names: Vec<(u64, Option<String>)>,
    /// What came of the events; null where it gave up.
    pub(super) found: Option<Box<RawValue>>,
}

/// Events that are picked, and what takes them.
pub(super) struct Picking {
    pub(super) pick: Box<dyn Pick>,
    /// Whether no other shard is asked.
    alone: bool,
    /// Who has events before the range, where that matters.
    before: Option<Set>,
    /// Numbers of values, from 1 on.
    values: HashMap<String, u64>,
    texts: Vec<String>,
    /// Whose ids are asked for, by their hashes in order.
    names: Vec<Named>,
}

/// Somebody whose id is asked for.
struct Named {
    hash: u64,
    id: Option<String>,
    /// How good the id is, and the best that a segment has which waits for its lines.
    is: Good,
    found: Good,
}

/// How good an id is to name somebody by: who is several ids is told by the one that they identified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Good {
    None,
    Anonymous,
    Identified,
}

impl Picking {
    /// Of what a question asks; none of one about rows.
    pub(super) fn of(spec: &Spec, range: Range<i64>) -> Option<Self> {
        let walk = spec.walk.as_ref()?;
        let mut before = None;
        let pick = walk.pick(range.clone()).or_else(|| match walk {
            Walk::Cohorts {
                weekly,
                periods,
                by_goal,
            } => {
                before = (!by_goal).then(Set::default);
                let zone = Zone::new(spec.zone.clone());
                let cohorts = Cohorts::new(zone, (*weekly, *periods), range, spec.until);
                Some(Box::new(cohorts) as Box<dyn Pick>)
            }
            _ => None,
        })?;
        Some(Self {
            alone: spec.archives == 1,
            values: HashMap::new(),
            texts: Vec::new(),
            names: Vec::new(),
            before,
            pick,
        })
    }

    pub(super) fn reset(&mut self) {
        self.pick.reset();
        self.before = self.before.as_ref().map(|_| Set::default());
        self.values.clear();
        self.texts.clear();
        self.names.clear();
    }

    /// Whether it must be known who was there before the range.
    pub(super) fn looks_before(&self) -> bool {
        self.before.is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = self.texts.iter().map(String::len);
        let texts = texts.fold(0, usize::saturating_add).saturating_mul(2);
        let before = self.before.as_ref().map_or(0, Set::bytes);
        let all = self.pick.bytes().saturating_add(texts);
        all.saturating_add(before)
    }

    /// How many values there are.
    pub(super) fn values(&self) -> usize {
        self.texts.len()
    }

    /// Notes who has events before the range.
    pub(super) fn note_before(
        &mut self,
        segment: &Segment<'_>,
        is_in: &[bool],
    ) -> Result<(), Broken> {
        let users = segment.users()?;
        let Some(before) = &mut self.before else {
            return Ok(());
        };
        for (code, is_in) in users.codes.iter().zip(is_in) {
            let user = users.dict.get((*code as usize).wrapping_sub(1));
            if let (true, Some((hash, Who::Known | Who::Erased))) = (*is_in, user) {
                before.insert(*hash);
            }
        }
        Ok(())
    }

    /// Gives the events that pass the filters of panels to what takes them; how much work that was.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        panels: &[Panel],
        all: &Passing<'_, '_>,
    ) -> Result<usize, Broken> {
        let mut what = vec![0_u32; segment.len()];
        let mut work = segment.len();
        for (bit, panel) in (0_u32..).zip(panels) {
            let (mut mask, more) = all.through(panel.filter.as_ref());
            work = work.saturating_add(more);
            if panel.goal.is_some() {
                let some = Passing {
                    mask: &mask,
                    ..*all
                };
                let (of_goal, more) = some.through(panel.goal.as_ref());
                (mask, work) = (of_goal, work.saturating_add(more));
            }
            for (what, passes) in what.iter_mut().zip(mask) {
                *what |= u32::from(passes).wrapping_shl(bit);
            }
        }
        if let Some(before) = &self.before {
            let users = segment.users()?;
            let mut table = vec![u32::MAX];
            let known = users.dict.iter().map(|(hash, _)| before.has(*hash));
            table.extend(known.map(|is_known| if is_known { !BEGINS } else { u32::MAX }));
            for (what, mask) in what.iter_mut().zip(by_code(&users.codes, &table, u32::MAX)) {
                *what &= mask;
            }
        }
        let dimension = panels.first().and_then(|panel| panel.dimensions.first());
        if let Some(Some(loaded)) = dimension.and_then(|place| all.loaded.get(*place)) {
            self.note_values(loaded, &mut what);
        }
        let what = &what;
        self.pick.pick(Picked { segment, what })?;
        Ok(work)
    }

    /// Puts the number of its value above what each event is.
    fn note_values(&mut self, loaded: &Loaded<'_>, what: &mut [u32]) {
        let mut numbers = vec![0_u32; loaded.dict.len()];
        for (what, code) in what.iter_mut().zip(&loaded.codes) {
            let place = (*code as usize).wrapping_sub(1);
            let (Some(number), Some(entry)) = (numbers.get_mut(place), loaded.dict.get(place))
            else {
                continue;
            };
            if *what == 0 {
                continue;
            }
            if *number == 0 {
                let next = (self.texts.len() as u64).saturating_add(1);
                let known = self.values.entry(entry.text.to_string()).or_insert(next);
                *number = *known as u32;
                if *known == next {
                    self.texts.push(entry.text.to_string());
                }
            }
            *what |= number.wrapping_shl(VALUE_BITS);
        }
    }

    /// Begins to look for the ids that are asked for; whether there are any.
    pub(super) fn ask_for_names(&mut self) -> bool {
        let named = |hash| Named {
            hash,
            id: None,
            is: Good::None,
            found: Good::None,
        };
        self.names = self.pick.whom().into_iter().map(named).collect();
        !self.names.is_empty()
    }

    /// Whether somebody has an anonymous id in the range, and may have another one at another time.
    pub(super) fn needs_better_names(&self) -> bool {
        self.names.iter().any(|name| name.is == Good::Anonymous)
    }

    /// Takes ids out of a segment; false where it has one and its lines are not there.
    pub(super) fn take_names(
        &mut self,
        segment: &Segment<'_>,
        is_in: &[bool],
        lines: Option<&str>,
    ) -> Result<bool, Broken> {
        let users = segment.users()?;
        let mut needs_lines = false;
        let dict = users.dict.iter().zip(segment.were_anonymous()?);
        for (place, ((hash, who), was_anonymous)) in (1_u32..).zip(dict) {
            let known = self.names.binary_search_by_key(hash, |name| name.hash);
            let Some(name) = known.ok().and_then(|at| self.names.get_mut(at)) else {
                continue;
            };
            let good = if was_anonymous {
                Good::Anonymous
            } else {
                Good::Identified
            };
            // One segment of each kind is enough for each.
            let best = if lines.is_some() { name.is } else { name.found };
            if *who != Who::Known || good <= best {
                continue;
            }
            let mut event = users.codes.iter().zip(is_in);
            let Some(event) = event.position(|(code, is_in)| *code == place && *is_in) else {
                continue;
            };
            let Some(lines) = lines else {
                (name.found, needs_lines) = (good, true);
                continue;
            };
            let range = segment.lines()?.into_iter().nth(event);
            let line = range.and_then(|range| lines.get(range));
            let line = line.ok_or(Broken("its lines are others"))?;
            let stored: Option<Stored<'_>> = serde_json::from_str(line).ok();
            if let Some(id) = stored.and_then(|stored| stored.user_id) {
                (name.id, name.is) = (Some(id.into()), good);
            }
        }
        Ok(!needs_lines)
    }

    /// What was found.
    pub(super) fn walked(&self, too_much: u8, kept_from: i64) -> serde_json::Result<String> {
        let found = match too_much {
            0 => Some(RawValue::from_string(self.pick.part(self.alone)?)?),
            _ => None,
        };
        let names = self.names.iter().map(|name| (name.hash, name.id.clone()));
        serde_json::to_string(&Walked {
            values: self.texts.clone(),
            names: names.collect(),
            too_much,
            kept_from,
            found,
        })
    }
}
