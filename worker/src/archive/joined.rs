//! Who is one person: ids that an event `identify` joined.
//!
//! An `identify` says that a user was an anonymous id before. Of all that name an anonymous id the earliest one holds
//! (by when it happened, then by its id), so each id leads to one other at most; who is connected by what holds is one
//! person. That is a function of the events alone: in whatever order they come, the people are the same.
//!
//! Nothing is rewritten for it. Pages of people keep each id's record, columns keep each id's hash; who counts asks here
//! which ids are one. A fold that joins ids, or has new events of joined ones, takes out of the sums what the old people
//! were and adds what the new ones are ([`crate::archive::fold`]).

mod joining;

pub(crate) use joining::Joining;

use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::Identified;

/// `aliases`: of each anonymous id the `identify` that holds, of what is folded. `identified`: what segments that are not
/// folded say, with their number. Each an [`Identified`] as a text.
pub(crate) const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS aliases (anonymous TEXT PRIMARY KEY, user TEXT NOT NULL, \
     text TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS aliases_user ON aliases (user)",
    "CREATE TABLE IF NOT EXISTS identified (seq INTEGER NOT NULL, text TEXT NOT NULL, \
     PRIMARY KEY (seq, text)) WITHOUT ROWID",
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
    /// Those of them that an `identify` which holds names as anonymous, in order.
    anonymous: Vec<u64>,
}

impl Joined {
    /// Of what holds: pairs of an anonymous id and a user, in the order of the anonymous ids.
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
        joined.anonymous.extend(pairs.iter().map(|(id, _)| *id));
        for (at, (id, _)) in ids.iter().enumerate() {
            let person = ids.get(first(&mut before, at));
            joined.ids.push((*id, person.map_or(*id, |(id, _)| *id)));
        }
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

    /// Whether an `identify` says that an id was somebody's before they were known.
    pub(crate) fn was_anonymous(&self, id: u64) -> bool {
        self.anonymous.binary_search(&id).is_ok()
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
        let theirs = self.ids.iter().filter(|(_, of)| *of == person);
        theirs.map(|(id, _)| *id).collect()
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

/// What rows of one column say.
fn read(rows: &[[Cell; 1]]) -> Vec<Identified> {
    let texts = rows.iter().map(|[text]| text.text());
    texts.filter_map(Identified::parse).collect()
}

/// Notes what the events of a segment say that is not folded, inside the caller's transaction.
pub(crate) fn note(sql: &impl Sql, seq: i64, all: &[Identified]) -> Result<(), SqlError> {
    for one in all {
        sql.run(
            "INSERT INTO identified (seq, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            &[seq.into(), one.text().into()],
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
    let rows: Vec<[Cell; 2]> = sql.cells(
        "SELECT seq, text FROM identified WHERE seq > ?1 AND seq <= ?2",
        &[after.into(), upto.into()],
    )?;
    let one = |[seq, text]: &[Cell; 2]| Some((seq.int(), Identified::parse(text.text())?));
    Ok(rows.iter().filter_map(one).collect())
}

/// Forgets what segments say up to one that is folded, inside the caller's transaction.
pub(crate) fn forget_noted(sql: &impl Sql, upto: i64) -> Result<(), SqlError> {
    sql.run("DELETE FROM identified WHERE seq <= ?1", &[upto.into()])
}

/// Who is one person, of what is folded.
pub(crate) fn folded(sql: &impl Sql) -> Result<Joined, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells("SELECT text FROM aliases", &[])?;
    Ok(Joined::of_all(read(&rows)))
}

/// Who is one person, of all that was appended.
pub(crate) fn known(sql: &impl Sql) -> Result<Joined, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells(
        "SELECT text FROM aliases UNION ALL SELECT text FROM identified",
        &[],
    )?;
    Ok(Joined::of_all(read(&rows)))
}

/// Whether anybody is joined, or will be by what is not folded.
pub(crate) fn is_any(sql: &impl Sql) -> Result<bool, SqlError> {
    let any: Option<serde::de::IgnoredAny> = sql.first(
        "SELECT 1 FROM aliases UNION ALL SELECT 1 FROM identified LIMIT 1",
        &[],
    )?;
    Ok(any.is_some())
}

#[cfg(test)]
mod tests;
