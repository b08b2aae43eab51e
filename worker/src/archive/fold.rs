//! The fold: what new events add to the sums in D1, and to the people of a shard.
//!
//! Events are gathered first ([`Gathered`]), in any order and from any day, so that their columns need not stay in
//! memory; then they are folded in one go. A fold changes pages of people and makes [`Sums`], which are
//! what the people's old state and the new one differ by: the sums of folds are the fold of all of them.
//! D1 takes sums by [`Sums::statements`].

mod again;
mod counts;
mod keys;
mod members;
mod operations;
mod pack;
mod statements;
mod sums;
mod table;
mod walks;
mod wants;

use std::borrow::Cow;
use std::collections::HashMap;

use counts::{Counts, Texts};
use keys::{ANONYMOUS, USERS};
use members::Members;
use operations::Operations;
use walks::Walk;

pub(super) use keys::{admit_keys, day_key_ids, key_names, number_keys};
pub use statements::{Cursor, Stand, standing};
pub use sums::{GapRow, KeyRow, Sums};
pub use table::Table;
pub(crate) use table::dim_name;
pub use wants::Want;

use super::joined::{self, Joining};
use super::people::person::{Person, earlier};
use super::people::{Mode, PEOPLE, People};
use super::{Column, Event, Who};
use crate::base::sort;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::{MINUTE_MS, floor_to};
use crate::protocol::Identified;

/// Keys of a dimension on one day at most. Anybody can send events whose every page is another one;
/// what comes when a day is full counts under [`OTHER`], so the sums stay exact.
pub const MAX_KEYS_PER_DAY: i64 = 500;

/// The key of what has no key of its own any more.
pub const OTHER: &str = "(other)";

/// Columns whose events have measures.
const MEASURED: [Column; 2] = [Column::Feature, Column::Model];

/// Columns of which events are counted only, not users.
const WITHOUT_USERS: [Column; 3] = [Column::Type, Column::Content, Column::Model];

/// The number of the text [`OTHER`], which is the first that is gathered.
const OTHER_TEXT: i64 = 0;

/// Events, counted as far as nothing else is to be known for it.
#[derive(Debug, Clone)]
pub struct Gathered {
    texts: Texts,
    /// Minute of receipt, type, source.
    minutes: Counts,
    /// Hour, type, status of domain events.
    domain_hours: Counts,
    /// Dimension, day, key.
    keys: Counts,
    /// Users and the place of what they had in `keys`; day-scoped ids likewise.
    members: Members,
    visitors: Members,
    /// First event and registration of users.
    users: HashMap<u64, (i64, Option<i64>)>,
    /// First and last event of sessions.
    sessions: HashMap<u64, (i64, Option<i64>)>,
    operations: Operations,
    /// What events say of who somebody was before.
    identified: Vec<Identified>,
    events: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        let mut texts = Texts::default();
        texts.number(OTHER);
        Self {
            texts,
            minutes: Counts::default(),
            domain_hours: Counts::default(),
            keys: Counts::default(),
            members: Members::default(),
            visitors: Members::default(),
            users: HashMap::new(),
            sessions: HashMap::new(),
            operations: Operations::default(),
            identified: Vec::new(),
            events: 0,
        }
    }
}

impl Gathered {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Adds an event, which comes once.
    pub fn add(&mut self, event: &Event<'_>) {
        self.events = self.events.saturating_add(1);
        let mut number = |text: Option<&str>| self.texts.number(text.unwrap_or_default());
        let event_type = number(event.text(Column::Type));
        let minute = floor_to(event.received, MINUTE_MS);
        let source = number(event.text(Column::Source));
        self.minutes.add([minute, event_type, source, 0], [1, 0, 0]);
        if let Some(hour) = event.domain_hour() {
            let status = number(event.text(Column::Status));
            self.domain_hours
                .add([hour, event_type, status, 0], [1, 0, 0]);
        }
        if let Some(session) = event.session {
            let (first, last) = self.sessions.entry(session).or_insert((event.at, None));
            *first = event.at.min(*first);
            *last = last.max(&mut Some(event.at)).to_owned();
        }
        self.add_keys(event);
        let dim = match event.who {
            Who::Known => USERS,
            Who::Anonymous => ANONYMOUS,
            Who::Nobody | Who::Erased => return,
        };
        let key = [dim, event.day(), self.texts.number(""), 0];
        let place = self.keys.add(key, [1, 0, 0]);
        if event.who == Who::Anonymous {
            self.visitors.add(event.user, place);
            return;
        }
        self.members.add(event.user, place);
        let (first, registered) = self.users.entry(event.user).or_insert((event.at, None));
        *first = event.at.min(*first);
        *registered = earlier(*registered, event.registered());
    }

    fn add_keys(&mut self, event: &Event<'_>) {
        for (column, _) in Column::SUMMED {
            let Some(text) = event.text(column) else {
                continue;
            };
            let measures = if MEASURED.contains(&column) {
                [1, event.a, event.b]
            } else {
                [1, 0, 0]
            };
            let key = [
                i64::from(column as u8),
                event.day(),
                self.texts.number(text),
                0,
            ];
            let place = self.keys.add(key, measures);
            if event.who == Who::Known && !WITHOUT_USERS.contains(&column) {
                self.members.add(event.user, place);
            }
        }
    }

    /// Adds what an event `identify` says, beside the event itself.
    pub fn identify(&mut self, identified: Identified) {
        self.identified.push(identified);
    }

    /// Adds the line of an event of Shoreline's own site, beside the event itself.
    pub fn add_operation(&mut self, line: &str) {
        self.operations.add(line, &mut self.texts);
    }

    /// Folds what was gathered, `today` being the day since 1970. To write is up to the caller's transaction:
    /// where it fails, nothing of the fold may stay. What a look answers is what the same events then add
    /// when they are folded next.
    ///
    /// # Errors
    /// Whatever the database says, and where a page cannot be read.
    pub fn fold(&self, sql: &impl Sql, today: i64, mode: Mode) -> Result<Sums, SqlError> {
        self.fold_in(&PEOPLE, sql, today, mode)
    }

    pub(super) fn fold_in(
        &self,
        people: &People,
        sql: &impl Sql,
        today: i64,
        mode: Mode,
    ) -> Result<Sums, SqlError> {
        let counted = keys::admit(sql, &self.texts.list(), self.keys.rows(), mode)?;
        let mut sums = Counts::default();
        for (counted, (_, amounts)) in counted.iter().zip(self.keys.rows()) {
            sums.add([counted.dim, counted.day, counted.text, 0], *amounts);
        }
        let mut walk = Walk::new(&counted, today);
        let joining = Joining::of(sql, self.users.keys().copied(), &self.identified)?;
        walk.users(
            sql,
            people.users,
            mode,
            &self.users,
            &self.members,
            &joining,
        )?;
        let mut texts = Cow::Borrowed(&self.texts);
        if !joining.is_empty() {
            walk.tell_regrouped(sql, &mut |text| texts.to_mut().number(text))?;
        }
        if mode == Mode::Write {
            joining.save(sql)?;
        }
        walk.sessions(sql, people.sessions, mode, &self.sessions)?;
        walk.visitors(sql, people.visitors, mode, &self.visitors)?;
        let tables = [
            self.minutes.table(3, 1),
            self.domain_hours.table(3, 1),
            sums.table(3, 3),
            walk.gaps.table(4, 1),
            walk.user_days.table(1, 2),
            walk.session_days.table(1, 2),
            self.operations.calls.table(4, operations::AMOUNTS),
            self.operations.outcomes.table(1, 1),
        ];
        Ok(Sums::of(&texts, tables))
    }

    /// The users by their hash, in order: all of each but the keys.
    pub(crate) fn seen(&self) -> Vec<(u64, Person)> {
        let rows = self.keys.rows();
        let day_of_user = |place: u32| match rows.get(usize::try_from(place).ok()?) {
            Some(([USERS, day, ..], _)) => Some(*day),
            _ => None,
        };
        let pairs = self.members.sorted(|place| place);
        let users = pairs.chunk_by(|a, b| a.0 == b.0).filter_map(|some| {
            let (hash, _) = some.first()?;
            let (first_at, registered) = *self.users.get(hash)?;
            let mut days: Vec<i64> = some
                .iter()
                .filter_map(|(_, place)| day_of_user(*place))
                .collect();
            sort::sort(&mut days);
            let mut person = Person::new(first_at);
            (person.registered, person.days) = (registered, days);
            Some((*hash, person))
        });
        users.collect()
    }
}

/// Folds events: see [`Gathered::fold`].
///
/// # Errors
/// As there.
pub fn fold<'a, 'e: 'a>(
    sql: &impl Sql,
    events: impl IntoIterator<Item = &'a Event<'e>>,
    today: i64,
    mode: Mode,
) -> Result<Sums, SqlError> {
    let mut gathered = Gathered::default();
    for event in events {
        gathered.add(event);
    }
    gathered.fold(sql, today, mode)
}

/// Makes the tables of folds and people.
///
/// # Errors
/// Whatever the database says.
pub fn create(sql: &impl Sql) -> Result<(), SqlError> {
    for statement in keys::SCHEMA.into_iter().chain(joined::SCHEMA) {
        sql.run(statement, &[])?;
    }
    PEOPLE.create(sql)
}

#[cfg(test)]
pub(crate) mod brute;
#[cfg(test)]
mod tests;
