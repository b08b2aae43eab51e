//! What a fold joins, found by the ids that it touches alone.

use super::{Joined, hex, holding, read};
use crate::base::json_rows::json_rows;
use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::Identified;

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
                "INSERT INTO aliases (anonymous, user, text) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (anonymous) DO UPDATE SET user = excluded.user, text = excluded.text",
                &[
                    hex(one.anonymous).into(),
                    hex(one.user).into(),
                    one.text().into(),
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
            let rows: Vec<[Cell; 1]> = sql.cells(
                "SELECT a.text FROM json_each(?1) AS t \
                 CROSS JOIN aliases AS a WHERE a.anonymous = t.value \
                 UNION SELECT a.text FROM json_each(?1) AS t \
                 CROSS JOIN aliases AS a WHERE a.user = t.value",
                &[some.into()],
            )?;
            found.extend(read(&rows));
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
