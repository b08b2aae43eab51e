//! Who is one person: ids that an event `identify` joined.
//!
//! An `identify` says that a user was an anonymous id before. Of all that name an anonymous id the earliest one holds
//! (by when it happened, then by its id), so each id leads to one other at most; who is connected by what holds is one
//! person. That is a function of the events alone: in whatever order they come, the people are the same.
//!
//! Nothing is rewritten for it. Pages of people keep each id's record, columns keep each id's hash; who counts asks here
//! which ids are one. A fold that joins ids, or has new events of joined ones, takes out of the sums what the old people
//! were and adds what the new ones are ([`crate::archive::fold`]).

use super::event::first_bits;
use super::segment::{Broken, Segment, Users};
use crate::base::json_rows::json_rows;
use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::Identified;

/// `aliases`: of each anonymous id the `identify` that holds, of what is folded. `identified`: what segments that are not
/// folded say, with their number. Hashes are 16 hex digits: a statement's numbers are below 2^53.
pub(crate) const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS aliases (anonymous TEXT PRIMARY KEY, user TEXT NOT NULL, \
     at INTEGER NOT NULL, id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS aliases_user ON aliases (user)",
    "CREATE TABLE IF NOT EXISTS identified (seq INTEGER NOT NULL, id TEXT NOT NULL, \
     anonymous TEXT NOT NULL, user TEXT NOT NULL, at INTEGER NOT NULL, \
     PRIMARY KEY (seq, id)) WITHOUT ROWID",
];

/// What holds: of each anonymous id the earliest, in the order of these ids.
pub(crate) fn holding(mut all: Vec<Identified>) -> Vec<Identified> {
    sort::sort(&mut all);
    all.dedup_by_key(|one| one.anonymous);
    all
}

/// Which ids are one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// Ids that are joined to others, in order, and the smallest id of their person.
    ids: Vec<(u64, u64)>,
    /// The same, by person: the smallest id, and each of theirs.
    people: Vec<(u64, u64)>,
}

impl Joined {
    /// Of what holds: pairs of ids.
    pub fn of(pairs: &[(u64, u64)]) -> Self {
        let mut ids: Vec<(u64, u32)> = pairs.iter().flat_map(|(a, b)| [(*a, 0), (*b, 0)]).collect();
        sort::sort_pairs(&mut ids);
        ids.dedup();
        let place = |id: u64| ids.binary_search(&(id, 0)).unwrap_or(usize::MAX);
        let mut before: Vec<usize> = (0..ids.len()).collect();
        for (a, b) in pairs {
            let (a, b) = (first(&mut before, place(*a)), first(&mut before, place(*b)));
            if let Some(slot) = before.get_mut(a.max(b)) {
                *slot = a.min(b);
            }
        }
        let mut joined = Self::default();
        for (at, (id, _)) in ids.iter().enumerate() {
            let person = ids.get(first(&mut before, at));
            joined.ids.push((*id, person.map_or(*id, |(id, _)| *id)));
        }
        joined.people = joined.ids.iter().map(|(id, of)| (*of, *id)).collect();
        sort::sort(&mut joined.people);
        joined
    }

    /// Of all that events say.
    pub fn of_all(all: Vec<Identified>) -> Self {
        Self::of_holding(&holding(all))
    }

    /// Of what holds.
    fn of_holding(holding: &[Identified]) -> Self {
        let pairs = holding.iter().map(|one| (one.anonymous, one.user));
        Self::of(&pairs.collect::<Vec<_>>())
    }

    /// Whether nobody is joined.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether an id is joined to another.
    pub fn has(&self, id: u64) -> bool {
        self.place(id).is_ok()
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        self.ids.binary_search_by(|(known, _)| known.cmp(&id))
    }

    /// What stands for the person of an id: one of their ids, for all of these the same.
    pub fn person(&self, id: u64) -> u64 {
        let place = self.place(id).ok();
        let found = place.and_then(|place| self.ids.get(place));
        found.map_or(id, |(_, person)| *person)
    }

    /// The ids of the person of an id, in order; it alone, where it is joined to none.
    pub fn ids_of(&self, id: u64) -> Vec<u64> {
        if !self.has(id) {
            return vec![id];
        }
        let person = self.person(id);
        let from = self.people.partition_point(|(of, _)| *of < person);
        let theirs = self.people.iter().skip(from);
        let theirs = theirs.take_while(|(of, _)| *of == person);
        theirs.map(|(_, id)| *id).collect()
    }

    /// The users of a segment, each by what stands for their person.
    ///
    /// # Errors
    /// Where the segment is broken.
    pub(crate) fn users_of(&self, segment: &Segment<'_>) -> Result<Users, Broken> {
        let mut users = segment.users()?;
        if !self.is_empty() {
            for (user, _) in &mut users.dict {
                *user = self.person(*user);
            }
        }
        Ok(users)
    }

    /// All ids that are joined, in order.
    fn all(&self) -> impl Iterator<Item = u64> {
        self.ids.iter().map(|(id, _)| *id)
    }
}

/// The first place that a place leads to; the way there is halved.
fn first(before: &mut [usize], mut place: usize) -> usize {
    while let Some(next) = before.get(place).copied().filter(|next| *next != place) {
        let far = before.get(next).copied().unwrap_or(next);
        if let Some(slot) = before.get_mut(place) {
            *slot = far;
        }
        place = next;
    }
    place
}

fn identified([anonymous, user, at, id]: &[Cell; 4]) -> Identified {
    Identified {
        anonymous: first_bits(anonymous.text()),
        at: at.int(),
        id: u128::from_str_radix(id.text(), 16).unwrap_or(0),
        user: first_bits(user.text()),
    }
}

/// Notes what the events of a segment say that is not folded, inside the caller's transaction.
pub(crate) fn note(sql: &impl Sql, seq: i64, all: &[Identified]) -> Result<(), SqlError> {
    for one in all {
        sql.run(
            "INSERT INTO identified (seq, id, anonymous, user, at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO NOTHING",
            &[
                seq.into(),
                format!("{:032x}", one.id).into(),
                hex(one.anonymous).into(),
                hex(one.user).into(),
                one.at.into(),
            ],
        )?;
    }
    Ok(())
}

fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// What segments after one say, up to another, each with its segment.
pub(crate) fn noted(
    sql: &impl Sql,
    after: i64,
    upto: i64,
) -> Result<Vec<(i64, Identified)>, SqlError> {
    let rows: Vec<[Cell; 5]> = sql.cells(
        "SELECT seq, anonymous, user, at, id FROM identified WHERE seq > ?1 AND seq <= ?2",
        &[after.into(), upto.into()],
    )?;
    let one = |[seq, anonymous, user, at, id]: [Cell; 5]| {
        (seq.int(), identified(&[anonymous, user, at, id]))
    };
    Ok(rows.into_iter().map(one).collect())
}

/// Forgets what segments say up to one that is folded, inside the caller's transaction.
pub(crate) fn forget_noted(sql: &impl Sql, upto: i64) -> Result<(), SqlError> {
    sql.run("DELETE FROM identified WHERE seq <= ?1", &[upto.into()])
}

/// Who is one person, of what is folded.
pub(crate) fn folded(sql: &impl Sql) -> Result<Joined, SqlError> {
    let rows: Vec<[Cell; 4]> = sql.cells("SELECT anonymous, user, at, id FROM aliases", &[])?;
    let all: Vec<Identified> = rows.iter().map(identified).collect();
    Ok(Joined::of_holding(&all))
}

/// Who is one person, of all that was appended.
pub(crate) fn known(sql: &impl Sql) -> Result<Joined, SqlError> {
    let rows: Vec<[Cell; 4]> = sql.cells(
        "SELECT anonymous, user, at, id FROM aliases \
         UNION ALL SELECT anonymous, user, at, id FROM identified",
        &[],
    )?;
    Ok(Joined::of_all(rows.iter().map(identified).collect()))
}

/// Whether anybody is joined, or will be by what is not folded.
pub(crate) fn is_any(sql: &impl Sql) -> Result<bool, SqlError> {
    let any: Option<serde::de::IgnoredAny> = sql.first(
        "SELECT 1 FROM aliases UNION ALL SELECT 1 FROM identified LIMIT 1",
        &[],
    )?;
    Ok(any.is_some())
}

/// What a fold joins: the people of whom it has events, or whose ids it joins, before it and after.
#[derive(Debug, Default)]
pub(crate) struct Joining {
    /// Who was one person.
    pub(crate) before: Joined,
    /// Who is one.
    pub(crate) after: Joined,
    /// What is new of what holds then.
    new: Vec<Identified>,
}

impl Joining {
    /// Of a fold that has events of these users, in order, and says this.
    pub(crate) fn of(
        sql: &impl Sql,
        users: impl Iterator<Item = u64>,
        new: &[Identified],
    ) -> Result<Self, SqlError> {
        let any: Option<serde::de::IgnoredAny> = sql.first("SELECT 1 FROM aliases LIMIT 1", &[])?;
        let mut all = Vec::new();
        if any.is_some() {
            let ends = new.iter().flat_map(|one| [one.anonymous, one.user]);
            all = around(sql, users.chain(ends).collect())?;
        }
        let before = Joined::of_holding(&all);
        let mut after = all.clone();
        after.extend(new);
        let after = holding(after);
        let mut new = after.clone();
        new.retain(|one| all.binary_search(one).is_err());
        Ok(Self {
            before,
            after: Joined::of_holding(&after),
            new,
        })
    }

    /// Whether nobody of these is, or was, joined.
    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Whether an id is joined to another, or was.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.before.has(id) || self.after.has(id)
    }

    /// All such ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.before.all().chain(self.after.all())
    }

    /// Writes what holds now, inside the caller's transaction.
    pub(crate) fn save(&self, sql: &impl Sql) -> Result<(), SqlError> {
        for one in &self.new {
            sql.run(
                "INSERT INTO aliases (anonymous, user, at, id) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (anonymous) DO UPDATE SET user = excluded.user, at = excluded.at, \
                 id = excluded.id",
                &[
                    hex(one.anonymous).into(),
                    hex(one.user).into(),
                    one.at.into(),
                    format!("{:032x}", one.id).into(),
                ],
            )?;
        }
        Ok(())
    }
}

/// What is folded of all ids that these are joined to.
fn around(sql: &impl Sql, mut ids: Vec<u64>) -> Result<Vec<Identified>, SqlError> {
    let mut all: Vec<Identified> = Vec::new();
    let mut seen: Vec<u64> = Vec::new();
    while !ids.is_empty() {
        let mut found = Vec::new();
        for some in json_rows(ids.iter().map(|id| format!("\"{id:016x}\""))) {
            let rows: Vec<[Cell; 4]> = sql.cells(
                "SELECT a.anonymous, a.user, a.at, a.id FROM json_each(?1) AS t \
                 CROSS JOIN aliases AS a WHERE a.anonymous = t.value \
                 UNION SELECT a.anonymous, a.user, a.at, a.id FROM json_each(?1) AS t \
                 CROSS JOIN aliases AS a WHERE a.user = t.value",
                &[some.into()],
            )?;
            found.extend(rows.iter().map(identified));
        }
        seen.extend(ids);
        sort::sort(&mut seen);
        seen.dedup();
        let ends = found.iter().flat_map(|one| [one.anonymous, one.user]);
        ids = ends.filter(|id| seen.binary_search(id).is_err()).collect();
        sort::sort(&mut ids);
        ids.dedup();
        all.extend(found);
    }
    Ok(holding(all))
}

#[cfg(test)]
mod tests;
