//! A question to a shard of the archive, answered segment by segment.

use std::ops;

use super::ask::{OF_DIDS, OF_VISITS, Question};
use super::groups::Groups;
use super::load::Source;
use super::loaded::Loaded;
use super::panel::Panel;
use super::part::{Found, Told, TooMuch};
use super::picking::Picking;
use super::spec::{Limits, Spec};
use super::visits::Visits;
use super::zone::Zone;
use crate::archive::scan::{MAX_AT, Scan};
use crate::archive::segment::{Broken, Segment};
use crate::http::error::Fault;
use shoreline_shared::crowd::Crowd;
use shoreline_shared::set::Set;

/// What a pass over all segments is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Who was there before the range.
    Before,
    /// Sessions as a whole, before events are filtered and grouped by them.
    Visits,
    /// The order of their views where several are of one moment.
    Ties,
    /// Who did what `did` asks for.
    Dids,
    /// Rows, or events that are picked.
    Rows,
    /// The ids of users who are asked for.
    Names,
    /// Those that some of them have at other times.
    OtherNames,
}

/// The events of a segment.
pub(super) struct Events<'s, 'a> {
    pub(super) segment: &'s Segment<'a>,
    pub(super) lines: Option<&'s str>,
    /// Whether each is in the range.
    pub(super) is_in: &'s [bool],
}

/// A question under way.
pub(super) struct Query {
    pub(super) question: Question,
    zone: Zone,
    range: ops::Range<i64>,
    kept_from: i64,
    pass: Pass,
    needs_lines: bool,
    pub(super) limits: Limits,
    too_much: Option<TooMuch>,
    pub(super) work: usize,
    scanned: i64,
    pub(super) visits: Visits,
    /// Those who are counted.
    pub(super) users: Crowd,
    /// The users who did, of each `did`.
    pub(super) dids: Vec<Set>,
    /// Of each panel.
    pub(super) groups: Vec<Groups>,
    /// What takes the events, where they are not counted in rows.
    pub(super) picking: Option<Picking>,
}

impl Query {
    /// Begins to answer it, from events that happened at `kept_from` (Unix milliseconds) or later.
    ///
    /// # Errors
    /// Where the body is no [`Spec`], or its question is none.
    #[cfg(test)]
    pub(super) fn begin(body: &[u8], kept_from: i64) -> Result<Self, Fault> {
        Self::of(Spec::read(body)?, kept_from)
    }

    /// The same of a spec that was read.
    ///
    /// # Errors
    /// Where its question is none.
    pub(super) fn of(spec: Spec, kept_from: i64) -> Result<Self, Fault> {
        let question = spec.question()?;
        let range = spec.at.0.max(kept_from)..spec.at.1;
        let mut query = Self {
            picking: Picking::of(&spec, range.clone()),
            range,
            zone: Zone::new(spec.zone),
            kept_from,
            pass: Pass::Rows,
            needs_lines: false,
            limits: Limits::of_one(spec.archives),
            too_much: None,
            work: 0,
            scanned: 0,
            visits: Visits::default(),
            users: Crowd::default(),
            dids: Vec::new(),
            groups: Vec::new(),
            question,
        };
        query.reset();
        Ok(query)
    }

    fn give_up_if(&mut self, is_over: bool, why: TooMuch) {
        if is_over && self.too_much.is_none() {
            self.too_much = Some(why);
        }
    }

    /// Goes on to the next pass; whether there is one.
    fn go_on(&mut self) -> bool {
        let (by_session, by_dids) = (self.question.by_session, !self.dids.is_empty());
        let has_ties = self.pass == Pass::Visits && self.visits.has_ties();
        self.pass = match self.pass {
            Pass::Before if by_session => Pass::Visits,
            Pass::Visits if has_ties => Pass::Ties,
            Pass::Before | Pass::Visits | Pass::Ties if by_dids => Pass::Dids,
            Pass::Before | Pass::Visits | Pass::Ties | Pass::Dids => Pass::Rows,
            Pass::Rows => {
                for (panel, groups) in self.question.panels.iter().zip(&mut self.groups) {
                    if panel.counted.visits {
                        groups.settle(&self.visits);
                    }
                }
                let picking = self.picking.as_mut();
                if !picking.is_some_and(Picking::ask_for_names) {
                    return false;
                }
                Pass::Names
            }
            Pass::Names => {
                let picking = self.picking.as_ref();
                if !picking.is_some_and(Picking::needs_better_names) {
                    return false;
                }
                Pass::OtherNames
            }
            Pass::OtherNames => return false,
        };
        if matches!(self.pass, Pass::Dids | Pass::Rows) {
            self.visits.settle();
        }
        true
    }

    /// Looks at a segment; nothing is counted where its lines are needed and not there.
    fn look(&mut self, segment: &Segment<'_>, lines: Option<&str>) -> Result<(), Broken> {
        self.needs_lines = false;
        let range = self.range();
        let is_in: Vec<bool> = if segment.is_within(&range) {
            vec![true; segment.len()]
        } else {
            segment.at()?.iter().map(|at| range.contains(at)).collect()
        };
        let count = is_in.iter().filter(|is_in| **is_in).count();
        if count == 0 {
            return Ok(());
        }
        // Lines are half the work of values, a byte.
        self.work = self
            .work
            .saturating_add(lines.map_or(0, |lines| lines.len() / 2));
        let events = Events {
            segment,
            lines,
            is_in: &is_in,
        };
        let mut loaded = Vec::new();
        let done = match self.pass {
            Pass::Visits | Pass::Ties => {
                let is_there = self.load(&events, &mut loaded, OF_VISITS)?;
                if is_there {
                    self.take_visits(&events, &loaded)?;
                }
                is_there
            }
            Pass::Dids => {
                self.load(&events, &mut loaded, OF_DIDS)? && self.take_dids(&events, &loaded)?
            }
            Pass::Rows => self.take_rows(&events, &mut loaded)?,
            Pass::Before | Pass::Names | Pass::OtherNames => {
                self.work = self.work.saturating_add(segment.len());
                match &mut self.picking {
                    Some(picking) if self.pass == Pass::Before => {
                        picking.note_before(segment, &is_in)?;
                        true
                    }
                    Some(picking) => picking.take_names(segment, &is_in, lines)?,
                    None => true,
                }
            }
        };
        self.needs_lines = !done;
        if self.pass == Pass::Rows && done {
            self.scanned = self.scanned.saturating_add(count as i64);
        }
        let dids = self
            .dids
            .iter()
            .map(Set::bytes)
            .fold(0, usize::saturating_add);
        let of_groups = |of: fn(&Groups) -> usize| {
            let all = self.groups.iter().map(of);
            all.fold(0, usize::saturating_add)
        };
        let (rows, told) = (of_groups(Groups::len), of_groups(Groups::told));
        let bytes = of_groups(Groups::bytes)
            .saturating_add(self.visits.bytes())
            .saturating_add(self.users.bytes())
            .saturating_add(dids)
            .saturating_add(self.picking.as_ref().map_or(0, Picking::bytes));
        let values = self.picking.as_ref().map_or(0, Picking::values);
        let rows = rows.max(values);
        self.give_up_if(rows > self.limits.rows, TooMuch::Rows);
        let is_over = bytes > self.limits.bytes || told > self.limits.told;
        self.give_up_if(is_over, TooMuch::Memory);
        self.give_up_if(self.work > self.limits.work, TooMuch::Work);
        Ok(())
    }

    /// Loads what events have of those fields that are wanted and not there yet; false where that takes lines.
    pub(super) fn load<'a>(
        &mut self,
        events: &Events<'_, 'a>,
        loaded: &mut Vec<Option<Loaded<'a>>>,
        wanted: u8,
    ) -> Result<bool, Broken> {
        let source = Source {
            segment: events.segment,
            lines: events.lines,
            zone: &self.zone,
            visits: &self.visits,
        };
        loaded.resize_with(self.question.fields.0.len(), || None);
        let fields = self.question.fields.0.iter().enumerate();
        for ((place, field), slot) in fields.zip(loaded) {
            if slot.is_none() && self.question.uses(place, wanted) {
                self.work = self.work.saturating_add(events.segment.len());
                *slot = source.load(field)?;
                if slot.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl Scan for Query {
    fn range(&self) -> ops::Range<i64> {
        match (&self.picking, self.pass) {
            (_, Pass::Before) => self.kept_from..self.range.start,
            (_, Pass::OtherNames) => self.kept_from..MAX_AT,
            (Some(picking), Pass::Rows) => picking.pick.window(),
            _ => self.range.clone(),
        }
    }

    fn reset(&mut self) {
        let question = &self.question;
        self.visits = Visits::new(question);
        self.users = Crowd::default();
        self.dids = question.dids.iter().map(|_| Set::default()).collect();
        let groups = question
            .panels
            .iter()
            .map(|panel| Groups::new(panel.dimensions.len(), panel.counted.measures.len()));
        self.groups = groups.collect();
        (self.scanned, self.work) = (0, 0);
        if let Some(picking) = &mut self.picking {
            picking.reset();
        }
        self.pass = Pass::Before;
        if !self.picking.as_ref().is_some_and(Picking::looks_before) {
            self.go_on();
        }
    }

    fn work(&self) -> usize {
        self.work
    }

    fn needs_second(&self) -> bool {
        let question = &self.question;
        let mut panels = question.panels.iter();
        self.picking.is_some()
            || question.by_session
            || question.counts_visits
            || panels.any(|panel| panel.counted.sessions)
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        self.look(segment, None)
    }

    fn needs_lines(&self) -> bool {
        self.needs_lines
    }

    fn take_lines(&mut self, segment: &Segment<'_>, lines: &str) -> Result<(), Broken> {
        self.look(segment, Some(lines))
    }

    fn is_over(&self) -> bool {
        self.too_much.is_some()
    }

    fn is_full(&self) -> bool {
        let picking = self.picking.as_ref();
        self.pass == Pass::Rows && picking.is_some_and(|picking| picking.pick.is_full())
    }

    fn settle(&mut self, before: i64) {
        if let Some(picking) = &mut self.picking {
            picking.pick.settle(before);
        }
    }

    fn again(&mut self) -> bool {
        if self.pass == Pass::Rows
            && let Some(picking) = &mut self.picking
            && picking.pick.again()
        {
            return true;
        }
        self.go_on()
    }

    fn part(&self, _alone: bool) -> serde_json::Result<String> {
        if let Some(picking) = &self.picking {
            let too_much = self.too_much.map_or(0, |why| why as u8);
            return picking.walked(too_much, self.kept_from);
        }
        let mut found = Found {
            too_much: self.too_much.map_or(0, |why| why as u8),
            scanned: self.scanned,
            kept_from: self.kept_from,
            ..Found::default()
        };
        if self.too_much.is_none() {
            let panels = self.question.panels.iter().zip(&self.groups);
            let told =
                |(panel, groups): (&Panel, &Groups)| Told::of(groups, panel.counted.measures.len());
            found.panels = panels.map(told).collect();
        }
        serde_json::to_string(&found)
    }
}

#[cfg(test)]
impl Query {
    /// Has a walk keep so many entries at most.
    pub(super) fn keep_at_most(&mut self, spec: &Spec, most: usize) {
        if let (Some(walk), Some(picking)) = (&spec.walk, &mut self.picking)
            && let Some(pick) = walk.pick_few(self.range.clone(), most)
        {
            picking.pick = pick;
        }
    }
}
