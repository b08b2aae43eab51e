//! What is counted of rows.

use super::{Groups, NO_GROUP};
use crate::query::measures::Amount;
use crate::query::visits::Visits;
use shoreline_shared::set::{Set, of_group};

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
    /// Counts the events of each row; those of the type `view` are views.
    pub(in crate::query) fn count(&mut self, rows: &[u32], types: &[u32], view: u32) {
        let mut total = Counts::default();
        for (row, kind) in rows.iter().zip(types) {
            if *row == NO_GROUP {
                continue;
            }
            let view = i64::from(*kind == view);
            total.events = total.events.wrapping_add(1);
            total.views = total.views.wrapping_add(view);
            if let (true, Some(counts)) = (*row > 0, self.counts.get_mut(*row as usize)) {
                counts.events = counts.events.wrapping_add(1);
                counts.views = counts.views.wrapping_add(view);
            }
        }
        if let Some(counts) = self.counts.first_mut() {
            counts.events = counts.events.saturating_add(total.events);
            counts.views = counts.views.saturating_add(total.views);
        }
    }

    /// Counts the conversions of each row.
    pub(in crate::query) fn count_conversions(&mut self, rows: &[u32]) {
        for row in rows {
            if *row == NO_GROUP {
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

    /// Counts the users of each row, or those who have a conversion in it: those of them that are new to it.
    pub(in crate::query) fn count_users(
        &mut self,
        rows: &[u32],
        user: &dyn Fn(usize) -> Option<u64>,
        is_of_goal: bool,
    ) {
        let users = if is_of_goal {
            &mut self.converted
        } else {
            &mut self.users
        };
        for (at, row) in rows.iter().enumerate() {
            if *row != NO_GROUP
                && let Some(hash) = user(at)
            {
                each_new(users, *row, hash, &mut |row| {
                    if let Some(counts) = self.counts.get_mut(row as usize) {
                        let count = if is_of_goal {
                            &mut counts.converted
                        } else {
                            &mut counts.users
                        };
                        *count = count.wrapping_add(1);
                    }
                });
            }
        }
    }

    /// Counts the sessions of each row, by the places of the sessions of events.
    pub(in crate::query) fn count_sessions(&mut self, rows: &[u32], sessions: &[Option<u32>]) {
        for (row, session) in rows.iter().zip(sessions) {
            let (Some(place), true) = (session, *row != NO_GROUP) else {
                continue;
            };
            let (is_new, is_first) = self.sessions.add(*place, *row);
            // Row 0 is of all rows.
            for (row, is_new) in [(*row, is_new), (0, is_first && *row > 0)] {
                if let (true, Some(counts)) = (is_new, self.counts.get_mut(row as usize)) {
                    counts.sessions = counts.sessions.wrapping_add(1);
                }
            }
        }
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
            let (Some(amount), true) = (amount, *row != NO_GROUP) else {
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
        sessions.each(&mut |place, row, is_first| {
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

/// Adds a hash to a row and to row 0, and tells those of the two to which it is new.
fn each_new(all: &mut Set, row: u32, hash: u64, tell: &mut dyn FnMut(u32)) {
    // Who is not new to a row is not new to all of them.
    if all.insert(of_group(row, hash)) {
        tell(row);
        if row > 0 && all.insert(hash) {
            tell(0);
        }
    }
}
