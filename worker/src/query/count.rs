//! What each pass of a scan takes of a segment.

use shoreline_shared::bits::marked;
use shoreline_shared::crowd::NO_ROW;
use shoreline_shared::event_type::PAGE_VIEW;

use super::ask::{KEPT, OF_FILTER, OF_ROWS};
use super::groups::Groups;
use super::loaded::Loaded;
use super::measures::Amount;
use super::panel::Panel;
use super::passing::Passing;
use super::scan::{Events, Query};
use crate::archive::segment::{Broken, Segment};
use crate::archive::{Column, Who};

/// What an event that passes costs beside its values, for each that it is counted with.
const COUNT_WORK: usize = 4;

impl Query {
    /// Looks at the sessions of a segment as a whole; tells the place of each event's session.
    pub(super) fn take_visits(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<Vec<u32>, Broken> {
        let engaged = self.question.engaged.and_then(|place| loaded.get(place));
        if let Some(Some(engaged)) = engaged {
            self.work = self
                .work
                .saturating_add(events.segment.len().saturating_mul(COUNT_WORK));
            let of = |place: Option<usize>| loaded.get(place?)?.as_ref();
            let kept: [Option<&Loaded<'_>>; KEPT] = self.question.kept.map(of);
            return self
                .visits
                .take(events.segment, events.is_in, engaged, kept);
        }
        Ok(Vec::new())
    }

    pub(super) fn take_dids(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<bool, Broken> {
        let users = events.segment.users()?;
        for (filter, who) in self.question.dids.iter().zip(&mut self.dids) {
            self.work = self.work.saturating_add(filter.work(loaded));
            let mask = filter.mask(events.segment.len(), loaded, &[]);
            let all = mask.into_iter().zip(events.is_in).zip(&users.codes);
            for ((passes, is_in), code) in all {
                let user = users.dict.get((*code as usize).wrapping_sub(1));
                if let (true, true, Some((hash, _))) = (passes, *is_in, user) {
                    who.insert(*hash);
                }
            }
        }
        Ok(true)
    }

    /// Of each `did`, whether the user of each event is one who did.
    fn did(&self, segment: &Segment<'_>) -> Result<Vec<Vec<bool>>, Broken> {
        if self.dids.is_empty() {
            return Ok(Vec::new());
        }
        let users = segment.users()?;
        let mut masks = Vec::new();
        for who in &self.dids {
            let mut table = vec![false];
            for (hash, _) in &users.dict {
                table.push(who.has(*hash));
            }
            masks.push(marked(&users.codes, &table));
        }
        Ok(masks)
    }

    /// Counts a segment's events in their rows; false where that takes its lines.
    pub(super) fn take_rows<'a>(
        &mut self,
        events: &Events<'_, 'a>,
        loaded: &mut Vec<Option<Loaded<'a>>>,
    ) -> Result<bool, Broken> {
        if !self.load(events, loaded, OF_FILTER)? {
            return Ok(false);
        }
        let did = self.did(events.segment)?;
        let all = Passing {
            mask: events.is_in,
            loaded,
            did: &did,
        };
        let (passing, work) = all.through(self.question.filter.as_ref());
        self.work = self.work.saturating_add(work);
        let takes_visits = self.question.counts_visits && !self.question.by_session;
        if !takes_visits && passing.iter().all(|passes| !*passes) {
            return Ok(true);
        }
        if !self.load(events, loaded, OF_ROWS)? {
            return Ok(false);
        }
        if let Some(picking) = &mut self.picking {
            let mask = &passing;
            let did = &did;
            let all = Passing { mask, loaded, did };
            let work = picking.take(events.segment, &self.question.panels, &all)?;
            self.work = self.work.saturating_add(work);
            return Ok(true);
        }
        // All is decoded before anything is counted: nothing of a broken segment is.
        let mut whose = self.whose(events.segment, &passing, takes_visits)?;
        if takes_visits {
            whose.sessions = self.take_visits(events, loaded)?;
        }
        let all = Passing {
            mask: &passing,
            loaded,
            did: &did,
        };
        for (panel, groups) in self.question.panels.iter().zip(&mut self.groups) {
            let (passing, work) = all.through(panel.filter.as_ref());
            let more = panel.count(groups, &all, &passing, &whose);
            self.work = self.work.saturating_add(work).saturating_add(more);
        }
        Ok(true)
    }

    /// Type, user and session of each event that passes.
    fn whose(
        &mut self,
        segment: &Segment<'_>,
        passing: &[bool],
        takes_visits: bool,
    ) -> Result<Whose, Broken> {
        let panels = || self.question.panels.iter().map(|panel| &panel.counted);
        let counts_users = panels().any(|counted| counted.users || counted.converted);
        // Of all in the range where they are looked at as a whole, too.
        let counts_sessions = !takes_visits && panels().any(|counted| counted.sessions);
        let view = segment.column_code(Column::Type, PAGE_VIEW)?;
        let mut whose = Whose {
            views: match view {
                Some(_) => segment.column(Column::Type)?.codes,
                None => vec![0; segment.len()],
            },
            view: view.unwrap_or(u32::MAX),
            users: Vec::new(),
            sessions: Vec::new(),
        };
        let users = counts_users.then(|| segment.users()).transpose()?;
        let sessions = counts_sessions.then(|| segment.sessions()).transpose()?;
        if let Some(users) = users {
            let is_user = |who: &Who| matches!(who, Who::Known | Who::Erased);
            let hash = |(hash, who): &(u64, Who)| is_user(who).then_some(*hash);
            let hashes: Vec<_> = users.dict.iter().map(hash).collect();
            whose.users = self.users.places(&hashes, &users.codes, passing);
        }
        if let Some(sessions) = sessions {
            let hashes: Vec<_> = sessions.dict.into_iter().map(Some).collect();
            let crowd = &mut self.visits.sessions;
            whose.sessions = crowd.places(&hashes, &sessions.codes, passing);
        }
        Ok(whose)
    }
}

/// Type of each event, and the places of its user and its session.
struct Whose {
    views: Vec<u32>,
    view: u32,
    users: Vec<u32>,
    sessions: Vec<u32>,
}

impl Panel {
    /// Counts what passes in its rows; how much work that was.
    fn count(
        &self,
        groups: &mut Groups,
        all: &Passing<'_, '_>,
        passing: &[bool],
        whose: &Whose,
    ) -> usize {
        let (counted, mut work) = (&self.counted, 0_usize);
        let passed = passing.iter().filter(|passes| **passes).count();
        if passed == 0 {
            return work;
        }
        let loaded = |place: &usize| all.loaded.get(*place)?.as_ref();
        let dimensions: Vec<&Loaded<'_>> = self.dimensions.iter().filter_map(loaded).collect();
        let rows = groups.place(passing, &dimensions);
        groups.count(&rows, &whose.views, whose.view);
        let counters = [
            dimensions.len(),
            counted.measures.len(),
            counted.users.into(),
            counted.converted.into(),
            counted.sessions.into(),
        ];
        let counters = counters.into_iter().fold(0, usize::saturating_add);
        let more = passed.saturating_mul(counters).saturating_mul(COUNT_WORK);
        work = work.saturating_add(more);
        if counted.users {
            groups.count_users(&rows, &whose.users);
        }
        let of_goal = self.goal.as_ref().map(|goal| {
            let (mask, more) = all.through(Some(goal));
            work = work.saturating_add(more);
            let row = |(row, passes): (&u32, bool)| if passes { *row } else { NO_ROW };
            rows.iter().zip(mask).map(row).collect::<Vec<u32>>()
        });
        if let Some(of_goal) = &of_goal {
            groups.count_conversions(of_goal);
            if counted.converted {
                groups.count_converted(of_goal, &whose.users);
            }
        }
        if counted.sessions {
            groups.count_sessions(&rows, &whose.sessions);
        }
        for (place, measure) in counted.measures.iter().enumerate() {
            if let Some(loaded) = loaded(&measure.field) {
                let amounts = Amount::all(loaded, measure.is_money);
                let of_goal = of_goal.as_ref().filter(|_| measure.is_money);
                let rows = of_goal.unwrap_or(&rows);
                groups.measure(rows, place, &amounts, &loaded.codes, measure.each);
            }
        }
        work
    }
}
