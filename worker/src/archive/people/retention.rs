//! Who comes back: users by the day or week of their first event, and how many periods later they were
//! there, counted by a walk over all of a shard's users. Each user lives in one shard, so the rows of
//! several shards add up.

use std::collections::HashMap;
use std::iter::Peekable;
use std::rc::Rc;
use std::vec::IntoIter;

use serde::{Deserialize, Serialize};

use super::PEOPLE;
use super::person::Person;
use super::united::United;
use crate::archive::joined::Joined;
use crate::base::sort;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::day_of;

/// 1970-01-01 was a Thursday, so weeks begin three days before it; and a multiple of seven, so that every
/// day since the year 0 has a positive number.
pub const WEEK_OFFSET: i64 = 719_603;

/// Pages of a step of the walk: a megabyte, some milliseconds.
const STEP_PAGES: i64 = 16;

/// Users of a cohort who were there again so many periods later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CohortRow {
    /// The day of their first event, or the week: [`WEEK_OFFSET`] days are added, and divided by seven.
    pub cohort: i64,
    /// Periods since then.
    pub age: i64,
    /// How many.
    pub users: i64,
}

/// A count under way.
#[derive(Debug)]
pub struct Retention {
    first_at: std::ops::Range<i64>,
    periods: i64,
    weekly: bool,
    today: i64,
    unfolded: Peekable<IntoIter<(u64, Person)>>,
    /// Who is one person.
    pub(crate) joined: Rc<Joined>,
    /// Those who are joined, as far as their ids were met.
    people: United,
    counts: HashMap<[i64; 4], usize>,
}

impl Retention {
    /// Of users whose first event ever was in a range (Unix milliseconds), up to so many periods later and
    /// not after `today`. `unfolded` is what is not folded yet.
    pub(crate) fn new(
        first_at: std::ops::Range<i64>,
        periods: i64,
        weekly: bool,
        today: i64,
        unfolded: Vec<(u64, Person)>,
    ) -> Self {
        Self {
            first_at,
            periods,
            weekly,
            today,
            unfolded: unfolded.into_iter().peekable(),
            joined: Rc::default(),
            people: United::default(),
            counts: HashMap::new(),
        }
    }

    /// Counts the next users, from those on at whose hash the step before ended (0 at first), and answers
    /// where to go on, as long as there are any.
    ///
    /// # Errors
    /// Whatever the database says, and where a page cannot be read.
    pub fn step(&mut self, sql: &impl Sql, from: u64) -> Result<Option<u64>, SqlError> {
        let next = PEOPLE
            .users
            .walk(sql, from, STEP_PAGES, &mut |user, record| {
                while let Some((other, new)) = self.unfolded.next_if(|(other, _)| *other < user) {
                    self.take(other, new);
                }
                let mut person = Person::read_head(record)?;
                if let Some((_, recent)) = self.unfolded.next_if(|(other, _)| *other == user) {
                    person.unite(&recent);
                }
                self.take(user, person);
                Ok(())
            })?;
        if next.is_none() {
            while let Some((user, new)) = self.unfolded.next() {
                self.take(user, new);
            }
            for person in self.people.take() {
                self.count(&person);
            }
        }
        Ok(next)
    }

    /// Takes what is known of one id.
    fn take(&mut self, user: u64, person: Person) {
        if !self.joined.has(user) {
            return self.count(&person);
        }
        self.people.add(self.joined.person(user), person);
    }

    fn count(&mut self, person: &Person) {
        if !self.first_at.contains(&person.first_at) {
            return;
        }
        let cohort = self.period(day_of(person.first_at));
        let mut counted = None;
        for day in &person.days {
            let age = self.period(*day).saturating_sub(cohort);
            if *day > self.today || age > self.periods {
                break;
            }
            if age >= 0 && counted != Some(age) {
                counted = Some(age);
                let users = self.counts.entry([cohort, age, 0, 0]).or_default();
                *users = users.saturating_add(1);
            }
        }
    }

    fn period(&self, day: i64) -> i64 {
        if self.weekly {
            day.saturating_add(WEEK_OFFSET).div_euclid(7)
        } else {
            day
        }
    }

    /// The rows, in order, when all steps are done.
    pub fn rows(&self) -> Vec<CohortRow> {
        let rows = self
            .counts
            .iter()
            .map(|([cohort, age, ..], users)| CohortRow {
                cohort: *cohort,
                age: *age,
                users: i64::try_from(*users).unwrap_or(i64::MAX),
            });
        let mut rows: Vec<CohortRow> = rows.collect();
        sort::sort(&mut rows);
        rows
    }
}
