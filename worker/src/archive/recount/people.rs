//! Users, day-scoped ids and sessions of a day counted again from the pages of people.

use std::collections::HashMap;

use super::super::fold::dim_name;
use super::super::joined::Joined;
use super::super::people::PEOPLE;
use super::super::people::person::{Person, USER, gap_on};
use super::super::people::united::United;
use super::super::people::visit::{Session, days_of};
use super::{Model, Row};
use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::day_of;

/// Pages of a slice: a megabyte, some milliseconds.
const SLICE: i64 = 16;

/// What the pages were found to say.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Tables that are done, and where the next slice begins.
    done: usize,
    from: u64,
    /// Who is one person, and those who are joined, as far as their ids were met.
    joined: Joined,
    people: United,
    /// Number of a key and gap to users.
    gaps: HashMap<[i64; 4], usize>,
    /// Gap to day-scoped ids.
    visitors: HashMap<[i64; 4], usize>,
    users: [i64; 3],
    sessions: [i64; 3],
}

impl People {
    /// None counted yet of these.
    pub(super) fn of(joined: Joined) -> Self {
        Self {
            joined,
            ..Self::default()
        }
    }

    /// Counts some pages; whether there are more. With the last of them, all rows are told.
    pub(super) fn slice(
        &mut self,
        sql: &impl Sql,
        day: i64,
        rows: &mut Vec<Row>,
    ) -> Result<bool, SqlError> {
        let from = self.from;
        let next = match self.done {
            0 => PEOPLE.users.walk(sql, from, SLICE, &mut |user, record| {
                let person = Person::read(record)?;
                self.take_user(user, person, day);
                Ok(())
            })?,
            1 => PEOPLE.visitors.walk(sql, from, SLICE, &mut |_, record| {
                if let Some(gap) = gap_on(&days_of(record)?, day) {
                    count(&mut self.visitors, [gap, 0, 0, 0]);
                }
                Ok(())
            })?,
            _ => PEOPLE.sessions.walk(sql, from, SLICE, &mut |_, record| {
                if let Some(session) = Session::read(record)?
                    && day_of(session.first_at) == day
                {
                    let lasted = session.last_at.saturating_sub(session.first_at);
                    add(&mut self.sessions, [1, lasted, 0]);
                }
                Ok(())
            })?,
        };
        if next.is_none() {
            for person in self.people.take() {
                self.add_user(&person, day);
            }
        }
        match next {
            Some(next) => self.from = next,
            None => (self.done, self.from) = (self.done.saturating_add(1), 0),
        }
        if self.done < 3 {
            return Ok(true);
        }
        self.tell(sql, rows)?;
        Ok(false)
    }

    fn take_user(&mut self, user: u64, person: Person, day: i64) {
        if !self.joined.has(user) {
            return self.add_user(&person, day);
        }
        self.people.add(self.joined.person(user), person);
    }

    fn add_user(&mut self, person: &Person, day: i64) {
        let seen = i64::from(day_of(person.first_at) == day);
        let signed_up = person.registered.unwrap_or(person.first_at);
        add(
            &mut self.users,
            [seen, i64::from(day_of(signed_up) == day), 0],
        );
        person.gaps_on(day, &mut |id, gap| {
            count(&mut self.gaps, [id.into(), gap, 0, 0])
        });
    }

    /// The rows, with the names of keys.
    fn tell(&self, sql: &impl Sql, rows: &mut Vec<Row>) -> Result<(), SqlError> {
        let mut ids: Vec<i64> = self.gaps.keys().map(|[id, ..]| *id).collect();
        sort::sort(&mut ids);
        ids.dedup();
        let list = serde_json::to_string(&ids).unwrap_or_default();
        let found: Vec<[Cell; 3]> = sql.cells(
            "SELECT id, dim, key FROM keys WHERE dim >= 0 \
             AND id IN (SELECT value FROM json_each(?1)) ORDER BY id",
            &[list.into()],
        )?;
        for ([id, gap, ..], n) in &self.gaps {
            let place = found.binary_search_by_key(id, |[other, ..]| other.int());
            let key = place.ok().and_then(|place| found.get(place));
            let (dim, key) = match key {
                Some([_, dim, key]) => (dim_name(dim.int()), key.text()),
                None if *id == i64::from(USER) => ("user", ""),
                None => continue,
            };
            rows.push(gap_row(dim, key, *gap, *n));
        }
        for ([gap, ..], n) in &self.visitors {
            rows.push(gap_row("anon", "", *gap, *n));
        }
        for (model, amounts) in [
            (Model::UserDays, self.users),
            (Model::SessionDays, self.sessions),
        ] {
            rows.push(Row(model, String::new(), String::new(), 0, amounts));
        }
        Ok(())
    }
}

fn gap_row(dim: &str, key: &str, gap: i64, n: usize) -> Row {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    Row(
        Model::MemberGaps,
        dim.to_owned(),
        key.to_owned(),
        gap,
        [n, 0, 0],
    )
}

fn count(counts: &mut HashMap<[i64; 4], usize>, key: [i64; 4]) {
    let n = counts.entry(key).or_default();
    *n = n.saturating_add(1);
}

fn add(sums: &mut [i64; 3], more: [i64; 3]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.saturating_add(more);
    }
}
