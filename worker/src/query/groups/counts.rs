//! What is counted of rows.

use shoreline_shared::crowd::NO_ROW;
use shoreline_shared::tally;

use super::Groups;
use crate::query::measures::Amount;
use crate::query::visits::Visits;

/// What is counted of a row beside its measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::query) struct Counts {
    pub(in crate::query) events: i64,
    pub(in crate::query) views: i64,
    pub(in crate::query) users: i64,
    pub(in crate::query) sessions: i64,
    pub(in crate::query) bounces: i64,
    /// Milliseconds of all sessions.
    pub(in crate::query) duration: i64,
    pub(in crate::query) conversions: i64,
    /// Users who have one.
    pub(in crate::query) converted: i64,
}

impl Counts {
    /// Numbers that they are told as.
    pub(in crate::query) const COUNT: usize = 8;

    /// All of them, in the order in which they are told.
    pub(in crate::query) fn all(&mut self) -> [&mut i64; Self::COUNT] {
        [
            &mut self.events,
            &mut self.views,
            &mut self.users,
            &mut self.sessions,
            &mut self.bounces,
            &mut self.duration,
            &mut self.conversions,
            &mut self.converted,
        ]
    }
}

impl Groups {
    /// What is counted of each row, the first of all events.
    pub(in crate::query) fn counted(&self) -> impl Iterator<Item = Counts> {
        let rows = self.counts.iter().zip(&self.events).enumerate();
        rows.map(|(row, (counts, [events, views]))| Counts {
            events: *events,
            views: *views,
            users: self.users.count(row),
            converted: self.converted.count(row),
            sessions: self.sessions.count(row),
            ..*counts
        })
    }

    /// Counts the events of each row; those of the type `view` are views.
    pub(in crate::query) fn count(&mut self, rows: &[u32], types: &[u32], view: u32) {
        tally::count(rows, types, view, &mut self.events);
    }

    /// Counts the conversions of each row.
    pub(in crate::query) fn count_conversions(&mut self, rows: &[u32]) {
        for row in rows {
            if *row == NO_ROW {
                continue;
            }
            // Row 0 is of all rows.
            for row in [*row, 0].iter().take(if *row == 0 { 1 } else { 2 }) {
                if let Some(counts) = self.counts.get_mut(*row as usize) {
                    counts.conversions = counts.conversions.wrapping_add(1);
                }
            }
        }
    }

    /// Counts the users of each row, by the places of the users of events.
    pub(in crate::query) fn count_users(&mut self, rows: &[u32], users: &[u32]) {
        self.users.add(users, rows, self.counts.len());
    }

    /// Counts those of them who have a conversion in it.
    pub(in crate::query) fn count_converted(&mut self, rows: &[u32], users: &[u32]) {
        self.converted.add(users, rows, self.counts.len());
    }

    /// Counts the sessions of each row, by the places of the sessions of events.
    pub(in crate::query) fn count_sessions(&mut self, rows: &[u32], sessions: &[u32]) {
        self.sessions.add(sessions, rows, self.counts.len());
    }

    /// Takes what the events of each row have of a measure, by the codes of its distinct amounts.
    pub(in crate::query) fn measure(
        &mut self,
        rows: &[u32],
        place: usize,
        amounts: &[Option<Amount>],
        codes: &[u32],
        each: bool,
    ) {
        for (row, code) in rows.iter().zip(codes) {
            let amount = amounts.get((*code as usize).wrapping_sub(1));
            let (Some(amount), true) = (amount, *row != NO_ROW) else {
                continue;
            };
            let at = (*row as usize)
                .saturating_mul(self.measures)
                .saturating_add(place);
            if let Some(stats) = self.stats.get_mut(at) {
                stats.add(*amount, each);
                self.kept = self.kept.wrapping_add(usize::from(each));
            }
        }
    }

    /// All segments were taken: looks at sessions as a whole.
    pub(in crate::query) fn settle(&mut self, visits: &Visits) {
        let (sessions, counts) = (&self.sessions, &mut self.counts);
        sessions.rows().each(&mut |place, row, is_first| {
            let (is_bounce, duration) = visits.of(place);
            for (row, is_of_it) in [(row, true), (0, is_first && row > 0)] {
                if let (true, Some(counts)) = (is_of_it, counts.get_mut(row as usize)) {
                    counts.bounces = counts.bounces.saturating_add(is_bounce.into());
                    counts.duration = counts.duration.saturating_add(duration);
                }
            }
        });
    }
}
