//! Which events are known: their ids, in two generations of a table, so that forgetting is dropping a
//! table and no row is deleted.

use serde::Deserialize;

use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::DAY_MS;

/// How long a generation takes ids, in milliseconds. An id is known as long as its generation and the
/// next one last: 45 days at least, which is what the contract promises, and 90 at most.
pub const GENERATION_MS: i64 = 45 * DAY_MS;

/// Bytes of an id.
const ID_BYTES: usize = 16;

/// `newest`: the table (0 or 1) that takes ids; `since`: when it began to, Unix milliseconds.
pub(super) const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS ids_0 (id BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS ids_1 (id BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS generation (id INTEGER PRIMARY KEY CHECK (id = 1), \
     newest INTEGER NOT NULL, since INTEGER NOT NULL)",
];

/// `given`: the ids of one parameter, one after the other. A statement takes 100 parameters at most, and
/// a message has more ids than that.
macro_rules! given {
    () => {
        "WITH RECURSIVE k(i) AS (SELECT 0 WHERE length(?1) > 0 UNION ALL \
         SELECT i + 16 FROM k WHERE i + 16 < length(?1)), \
         given AS (SELECT substr(?1, i + 1, 16) AS id FROM k) "
    };
}

const KNOWN: &str = concat!(
    given!(),
    "SELECT id FROM given WHERE EXISTS (SELECT 1 FROM ids_0 WHERE ids_0.id = given.id) \
     OR EXISTS (SELECT 1 FROM ids_1 WHERE ids_1.id = given.id)"
);

const ADD: [&str; 2] = [
    concat!("INSERT INTO ids_0 (id) ", given!(), "SELECT id FROM given"),
    concat!("INSERT INTO ids_1 (id) ", given!(), "SELECT id FROM given"),
];

/// The same of ids that may be known.
const TAKE: [&str; 2] = [
    concat!(
        "INSERT INTO ids_0 (id) ",
        given!(),
        "SELECT id FROM given WHERE true ON CONFLICT DO NOTHING"
    ),
    concat!(
        "INSERT INTO ids_1 (id) ",
        given!(),
        "SELECT id FROM given WHERE true ON CONFLICT DO NOTHING"
    ),
];

/// What ends a generation: the older table is emptied and takes ids from now on.
const EMPTY: [&str; 2] = ["DROP TABLE ids_0", "DROP TABLE ids_1"];

fn bytes_of(ids: &[u128]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_be_bytes()).collect()
}

/// Those of `ids` that are known, in ascending order.
///
/// # Errors
/// Whatever the database says.
pub fn known(sql: &impl Sql, ids: &[u128]) -> Result<Vec<u128>, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells(KNOWN, &[bytes_of(ids).as_slice().into()])?;
    let mut known: Vec<u128> = rows
        .iter()
        .filter_map(|[id]| <[u8; ID_BYTES]>::try_from(id.bytes()).ok())
        .map(u128::from_be_bytes)
        .collect();
    sort::sort(&mut known);
    Ok(known)
}

/// Adds ids that are not known, inside the caller's transaction.
///
/// # Errors
/// Whatever the database says, and where one of them is known to this generation already.
pub fn add(sql: &impl Sql, ids: &[u128], now_ms: i64) -> Result<(), SqlError> {
    let newest = newest(sql, now_ms)?;
    let statement = ADD.get(newest).copied().unwrap_or_default();
    sql.run(statement, &[bytes_of(ids).as_slice().into()])
}

/// Adds ids of another archive, one after the other, to a table, inside the caller's transaction.
///
/// # Errors
/// Whatever the database says.
pub(super) fn take(sql: &impl Sql, table: usize, ids: &[u8]) -> Result<(), SqlError> {
    let statement = TAKE.get(table).copied().unwrap_or_default();
    sql.run(statement, &[ids.into()])
}

/// The table that takes ids now; begins a generation where the last one is over.
fn newest(sql: &impl Sql, now_ms: i64) -> Result<usize, SqlError> {
    #[derive(Deserialize)]
    struct Row {
        newest: usize,
        since: i64,
    }
    let row: Option<Row> = sql.first("SELECT newest, since FROM generation", &[])?;
    let (next, over) = match row {
        None => (0, true),
        Some(row) if now_ms.saturating_sub(row.since) < GENERATION_MS => (row.newest, false),
        Some(row) => (1_usize.saturating_sub(row.newest), true),
    };
    if over {
        sql.run(EMPTY.get(next).copied().unwrap_or_default(), &[])?;
        for statement in SCHEMA {
            sql.run(statement, &[])?;
        }
        sql.run(
            "INSERT INTO generation (id, newest, since) VALUES (1, ?1, ?2) \
             ON CONFLICT (id) DO UPDATE SET newest = excluded.newest, since = excluded.since",
            &[i64::try_from(next).unwrap_or(0).into(), now_ms.into()],
        )?;
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{NOW, TestSql};

    fn open() -> TestSql {
        let sql = TestSql::new();
        for statement in SCHEMA {
            sql.execute_batch(statement);
        }
        sql
    }

    #[test]
    fn no_ids_are_none() {
        let sql = open();
        add(&sql, &[], NOW).unwrap();
        assert_eq!(known(&sql, &[]).unwrap(), []);
    }

    #[test]
    fn an_id_that_is_known_is_not_added() {
        let sql = open();
        add(&sql, &[1, 2], NOW).unwrap();
        assert!(add(&sql, &[3, 2], NOW).is_err());
        assert_eq!(known(&sql, &[3, 2, 1]).unwrap(), [1, 2]);
    }

    proptest! {
        /// Added at some days, an id is known for 45 days at least and 90 at most from then on.
        #[test]
        fn ids_are_known_for_45_days_at_least(
            days in prop::collection::vec((0_i64..30, prop::collection::btree_set(0_u128..40, 0..8)), 1..25),
        ) {
            let (sql, mut now) = (open(), NOW);
            let mut added: BTreeMap<u128, i64> = BTreeMap::new();
            for (later, ids) in days {
                now += later * DAY_MS;
                let ids: Vec<u128> = ids.into_iter().map(|id| id << 90 | id).collect();
                let known_now = known(&sql, &ids).unwrap();
                for id in &ids {
                    let age = added.get(id).map(|at| now - at);
                    let is_known = known_now.contains(id);
                    prop_assert!(is_known || age.is_none_or(|age| age > GENERATION_MS));
                    // A generation ends with the first id that comes after it.
                    prop_assert!(!is_known || age.is_some());
                }
                let new: Vec<u128> = ids.into_iter().filter(|id| !known_now.contains(id)).collect();
                sql.transaction(&mut || add(&sql, &new, now)).unwrap();
                added.extend(new.iter().map(|id| (*id, now)));
            }
        }

        #[test]
        fn a_generation_begins_whole_or_not_at_all(fault in 1_u32..12) {
            let sql = open();
            add(&sql, &[1], NOW).unwrap();
            let later = NOW + GENERATION_MS;
            sql.fail_in(fault);
            let failed = sql.transaction(&mut || add(&sql, &[2], later)).is_err();
            sql.never_fail();
            prop_assert_eq!(known(&sql, &[1, 2]).unwrap().len(), if failed { 1 } else { 2 });
            if failed {
                sql.transaction(&mut || add(&sql, &[2], later)).unwrap();
            }
            prop_assert_eq!(known(&sql, &[1, 2]).unwrap(), [1, 2]);
        }
    }
}
