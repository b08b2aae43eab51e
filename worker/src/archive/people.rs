//! The people of a shard: users, sessions and day-scoped ids, packed in pages (`pages`).
//!
//! A fold changes them ([`crate::archive::fold`]); a profile and retention are read from them. What is not folded
//! yet is in nobody's page: whoever asks brings it by user and person (`Person`), and it is counted as if it were.

pub(crate) mod pages;
pub(crate) mod person;
mod retention;
pub(crate) mod united;
pub(crate) mod varint;
pub(crate) mod visit;

use serde::{Deserialize, Serialize};

use pages::Pages;
use person::Person;

pub use pages::{Mode, PAGE_BYTES};
pub use retention::{CohortRow, Retention, WEEK_OFFSET};
pub use visit::KEPT_DAYS;

use crate::base::sql::{Sql, SqlError};

/// The tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People {
    /// Users.
    pub(crate) users: Pages,
    /// Sessions.
    pub(crate) sessions: Pages,
    /// Day-scoped ids.
    pub(crate) visitors: Pages,
}

/// The tables, with pages of the size that was found to be best.
pub(crate) const PEOPLE: People = People::with_limit(PAGE_BYTES);

impl People {
    /// The tables, with pages of another size.
    pub(crate) const fn with_limit(limit: usize) -> Self {
        Self {
            users: Pages {
                table: "people",
                limit,
            },
            sessions: Pages {
                table: "sessions",
                limit,
            },
            visitors: Pages {
                table: "visitors",
                limit,
            },
        }
    }

    /// Makes the tables.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn create(&self, sql: &impl Sql) -> Result<(), SqlError> {
        self.users.create(sql)?;
        self.sessions.create(sql)?;
        self.visitors.create(sql)
    }
}

/// What is known of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The first event ever, Unix milliseconds.
    pub first_at: i64,
    /// The first registration event.
    pub registered_at: Option<i64>,
    /// The days on which there was an event, in order.
    pub days: Vec<i64>,
}

/// What is known of a user, by the first 64 bits of the hashes of their ids; `None` where nothing is. `unfolded` is
/// what is not folded yet.
///
/// # Errors
/// Whatever the database says, and where their page cannot be read.
pub(crate) fn profile(
    sql: &impl Sql,
    ids: &[u64],
    unfolded: Vec<(u64, Person)>,
) -> Result<Option<Profile>, SqlError> {
    let mut known = Vec::new();
    for id in ids {
        let record = PEOPLE.users.get(sql, *id)?;
        if !record.is_empty() {
            known.push(Person::read_head(&record)?);
        }
    }
    let recent = unfolded.into_iter().filter(|(id, _)| ids.contains(id));
    let known = known.into_iter().chain(recent.map(|(_, person)| person));
    let person = known.reduce(|mut one, other| {
        one.unite(&other);
        one
    });
    Ok(person.map(|person| Profile {
        first_at: person.first_at,
        registered_at: person.registered,
        days: person.days,
    }))
}

#[cfg(test)]
mod tests;
