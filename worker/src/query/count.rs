//! What each pass of a scan takes of a segment.

use shoreline_shared::event_type::PAGE_VIEW;

use super::ask::Question;
use super::loaded::{Loaded, by_code};
use super::measures::Amount;
use super::scan::{Events, Query};
use crate::archive::segment::{Broken, Segment};
use crate::archive::{Column, Who};

/// What an event that passes costs beside its values, for each that it is counted with.
const COUNT_WORK: usize = 4;

impl Query {
    pub(super) fn take_visits(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<bool, Broken> {
        let engaged = self.question.engaged.and_then(|place| loaded.get(place));
        if let Some(Some(engaged)) = engaged {
            self.work = self
                .work
                .saturating_add(events.at.len().saturating_mul(COUNT_WORK));
            self.visits
                .take(events.segment, events.at, events.is_in, engaged)?;
        }
        Ok(true)
    }

    pub(super) fn take_dids(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<bool, Broken> {
        let users = events.segment.users()?;
        for (filter, who) in self.question.dids.iter().zip(&mut self.dids) {
            self.work = self.work.saturating_add(filter.work(loaded));
            let mask = filter.mask(events.at.len(), loaded, &[]);
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
            masks.push(by_code(&users.codes, &table, false));
        }
        Ok(masks)
    }

    /// Counts a segment's events in their rows; false where that takes its lines.
    pub(super) fn take_rows<'a>(
        &mut self,
        events: &Events<'_, 'a>,
        loaded: &mut Vec<Option<Loaded<'a>>>,
    ) -> Result<bool, Broken> {
        let n = events.at.len();
        if !self.load(events, loaded, Question::is_of_filter)? {
            return Ok(false);
        }
        let mut passing = events.is_in.to_vec();
        if let Some(filter) = &self.question.filter {
            let did = self.did(events.segment)?;
            self.work = self.work.saturating_add(filter.work(loaded));
            for (passes, more) in passing.iter_mut().zip(filter.mask(n, loaded, &did)) {
                *passes &= more;
            }
        }
        let counts_visits = self.question.counted.visits;
        let takes_visits = counts_visits && !self.question.by_session;
        let passed = passing.iter().filter(|passes| **passes).count();
        if passed == 0 && !takes_visits {
            return Ok(true);
        }
        if !self.load(events, loaded, Question::is_of_rows)? {
            return Ok(false);
        }
        // All is decoded before anything is counted: nothing of a broken segment is.
        let views = events.segment.column_code(Column::Type, PAGE_VIEW)?;
        let types = match views {
            Some(_) => events.segment.column(Column::Type)?.codes,
            None => vec![0; n],
        };
        let counted = &self.question.counted;
        let users = counted.users.then(|| events.segment.users()).transpose()?;
        let sessions = counted.sessions.then(|| events.segment.sessions());
        let sessions = sessions.transpose()?;
        if takes_visits {
            self.take_visits(events, loaded)?;
        }
        let question = &self.question;
        let dimensions = question.dimensions.iter();
        let dimensions = dimensions.filter_map(|place| loaded.get(*place)?.as_ref());
        let dimensions: Vec<&Loaded<'_>> = dimensions.collect();
        let rows = self.groups.place(&passing, &dimensions);
        let view = views.unwrap_or(u32::MAX);
        self.groups.count(&rows, &types, view);
        let counters = dimensions
            .len()
            .saturating_add(question.counted.measures.len());
        let counters = counters.saturating_add(usize::from(users.is_some()));
        let counters = counters.saturating_add(usize::from(sessions.is_some()));
        self.work = self
            .work
            .saturating_add(passed.saturating_mul(counters).saturating_mul(COUNT_WORK));
        if let Some(users) = users {
            let is_user = |who: &Who| matches!(who, Who::Known | Who::Erased);
            self.groups.count_users(&rows, &|at| {
                let code = users.codes.get(at)?;
                let user = users.dict.get((*code as usize).checked_sub(1)?);
                user.filter(|(_, who)| is_user(who)).map(|(hash, _)| *hash)
            });
        }
        if let Some(sessions) = sessions {
            let visits = counts_visits.then_some(&self.visits);
            let session = |at| {
                let code: &u32 = sessions.codes.get(at)?;
                sessions.dict.get((*code as usize).checked_sub(1)?).copied()
            };
            self.groups.count_sessions(&rows, &session, visits);
        }
        for (place, measure) in question.counted.measures.iter().enumerate() {
            if let Some(Some(loaded)) = loaded.get(measure.field) {
                let amounts = Amount::all(loaded);
                self.groups
                    .measure(&rows, place, &amounts, &loaded.codes, measure.each);
            }
        }
        Ok(true)
    }
}
