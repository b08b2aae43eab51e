//! What is folded of users, sessions and days.

use super::{SLICE_DAYS, SLICE_PAGES, Slice, blob, hash_cell, hash_of, more};
use crate::archive::fold::{day_key_ids, key_names};
use crate::archive::home::home;
use crate::archive::people::PEOPLE;
use crate::archive::people::pages::Pages;
use crate::archive::people::person::Person;
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};

impl Slice {
    /// Users, with the texts of their keys, which have other numbers in each archive.
    pub(super) fn people(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        if *after == Cell::Null {
            // It goes with all the rest when all is given.
            sql.run("CREATE INDEX IF NOT EXISTS keys_id ON keys (id)", &[])?;
        }
        let (records, next) = records(sql, PEOPLE.users, after)?;
        let mut ids: Vec<u32> = Vec::new();
        let mut people: Map<u32, Vec<(u64, Person)>> = Map::new();
        for (hash, record) in records {
            let person = Person::read(&record)?;
            ids.extend(person.key_ids());
            let of = people.entry(home(hash, self.archives)).or_default();
            of.push((hash, person));
        }
        let names = key_names(sql, ids)?;
        for (home, people) in people {
            let mut used: Vec<u32> = people
                .iter()
                .flat_map(|(_, person)| person.key_ids())
                .collect();
            crate::base::sort::sort(&mut used);
            used.dedup();
            let texts: Vec<&(u32, i64, String)> = names
                .iter()
                .filter(|(id, ..)| used.binary_search(id).is_ok())
                .collect();
            // From 1 on: 0 is what every user has.
            let place = |id: u32| {
                let place = texts.binary_search_by_key(&id, |(id, ..)| *id).ok()?;
                u32::try_from(place.saturating_add(1)).ok()
            };
            let mut rows = vec![vec![keys_cell(&texts)]];
            for (hash, person) in people {
                let record = person.renumbered(&place).record();
                rows.push(vec![hash_cell(hash), Cell::Blob(record)]);
            }
            self.rows.insert(home, rows);
        }
        Ok(next)
    }

    pub(super) fn sessions(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        let (records, next) = records(sql, PEOPLE.sessions, after)?;
        let (Some((first, _)), Some((last, _))) = (records.first(), records.last()) else {
            return Ok(next);
        };
        let homes: Vec<[Cell; 3]> = sql.cells(
            "SELECT hash, new, home FROM session_homes WHERE hash >= ?1 AND hash <= ?2 ORDER BY hash",
            &[blob(*first), blob(*last)],
        )?;
        for (hash, record) in records {
            let at = homes.binary_search_by_key(&hash, |[hash, ..]| hash_of(hash));
            // Where none of its events is there any more, its user is not known.
            let (hash, home) = match at.ok().and_then(|at| homes.get(at)) {
                Some([_, new, home]) => (hash_of(new), u32::try_from(home.int()).unwrap_or(0)),
                None => (hash, home(hash, self.archives)),
            };
            self.push(home, vec![hash_cell(hash), Cell::Blob(record)]);
        }
        Ok(next)
    }

    pub(super) fn visitors(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        let (records, next) = records(sql, PEOPLE.visitors, after)?;
        for (hash, record) in records {
            let home = home(hash, self.archives);
            self.push(home, vec![hash_cell(hash), Cell::Blob(record)]);
        }
        Ok(next)
    }

    pub(super) fn day_keys(
        &mut self,
        sql: &impl Sql,
        after: &Cell,
    ) -> Result<Option<Cell>, SqlError> {
        let from = match after {
            Cell::Int(day) => *day,
            _ => i64::MIN / 1_000_000,
        };
        let rows: Vec<[Cell; 2]> = sql.cells(
            "SELECT day, body FROM day_keys WHERE day > ?1 ORDER BY day LIMIT ?2",
            &[from.into(), SLICE_DAYS.into()],
        )?;
        for [day, body] in &rows {
            let ids = day_key_ids(body.bytes())?;
            let names = key_names(sql, ids)?;
            let texts: Vec<&(u32, i64, String)> = names.iter().collect();
            self.push_all(&vec![day.clone(), keys_cell(&texts)]);
        }
        Ok(more(&rows, SLICE_DAYS, |[day, _]| day.clone()))
    }
}

/// Dimension and text of keys, as JSON.
fn keys_cell(texts: &[&(u32, i64, String)]) -> Cell {
    let keys: Vec<(i64, &str)> = texts
        .iter()
        .map(|(_, dim, key)| (*dim, key.as_str()))
        .collect();
    Cell::Text(serde_json::to_string(&keys).unwrap_or_default())
}

/// What people or sessions have, by their hash.
type Records = Vec<(u64, Vec<u8>)>;

/// Records of some pages, and where the next ones are.
fn records(
    sql: &impl Sql,
    pages: Pages,
    after: &Cell,
) -> Result<(Records, Option<Cell>), SqlError> {
    let mut records = Vec::new();
    let next = pages.walk(sql, hash_of(after), SLICE_PAGES, &mut |hash, record| {
        records.push((hash, record.to_vec()));
        Ok(())
    })?;
    Ok((records, next.map(hash_cell)))
}
