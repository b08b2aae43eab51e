//! What a new archive takes: each slice of each old archive once, in one transaction that notes it.

use super::super::append::DUPLICATE;
use super::super::fold::{admit_keys, number_keys};
use super::super::people::PEOPLE;
use super::super::people::pages::{Change, Mode, Pages};
use super::super::people::person::Person;
use super::super::prune::NEXT_SEQ;
use super::super::segment;
use super::super::{compact, ids};
use super::give::{
    DAY_KEYS, DAYS, DUPLICATES, ERASED, LANDED, NEW_IDS, OLD_IDS, PEOPLE_OF, SEGMENTS, SESSIONS,
    VISITORS,
};
use super::parcel::{Parcel, Row, param};
use super::share::Raw;
use crate::base::sql::{Cell, Param, Sql, SqlError};

/// Takes a parcel, unless it was taken before.
pub(in crate::archive) fn take(sql: &impl Sql, bytes: &[u8], now_ms: i64) -> Result<(), SqlError> {
    let parcel = Parcel::read(bytes)?;
    sql.transaction(&mut || {
        let new: Option<serde::de::IgnoredAny> = sql.first(
            "INSERT INTO taken (shard, step) VALUES (?1, ?2) ON CONFLICT (shard) \
             DO UPDATE SET step = excluded.step WHERE step < excluded.step RETURNING step",
            &[i64::from(parcel.shard).into(), parcel.step.into()],
        )?;
        match new {
            Some(_) => put(sql, &parcel, now_ms),
            None => Ok(()),
        }
    })
}

fn put(sql: &impl Sql, parcel: &Parcel, now_ms: i64) -> Result<(), SqlError> {
    let rows = parcel.rows.as_slice();
    match parcel.stage {
        SEGMENTS => segments(sql, rows, now_ms),
        NEW_IDS => some_ids(sql, 0, rows),
        OLD_IDS => some_ids(sql, 1, rows),
        PEOPLE_OF => people(sql, rows),
        SESSIONS => records(sql, PEOPLE.sessions, rows.iter()),
        VISITORS => records(sql, PEOPLE.visitors, rows.iter()),
        DAY_KEYS => day_keys(sql, rows),
        DUPLICATES => each(sql, rows, DUPLICATE),
        ERASED => {
            each(sql, rows, FORGET)?;
            let users: Vec<Row> = rows
                .iter()
                .map(|row| row.iter().take(1).cloned().collect())
                .collect();
            // How far an erasure is hangs on the numbers of segments: it begins anew.
            each(
                sql,
                &users,
                "INSERT INTO erasing (user, after) VALUES (?1, 0) ON CONFLICT DO NOTHING",
            )
        }
        DAYS => days(sql, rows),
        LANDED => landed(sql, rows),
        _ => Err(SqlError("a slice of an unknown table".to_owned())),
    }
}

const FORGET: &str = "INSERT INTO erased (user, alias_key, erased_at) VALUES (?1, ?2, ?3) \
     ON CONFLICT (user) DO UPDATE SET alias_key = excluded.alias_key, erased_at = excluded.erased_at \
     WHERE excluded.erased_at > erased_at";

/// Runs a statement with each row.
fn each(sql: &impl Sql, rows: &[Row], statement: &str) -> Result<(), SqlError> {
    for row in rows {
        let params: Vec<Param> = row.iter().map(param).collect();
        sql.run(statement, &params)?;
    }
    Ok(())
}

/// Segments count as folded.
fn segments(sql: &impl Sql, rows: &[Row], now_ms: i64) -> Result<(), SqlError> {
    let last = |sql| last_segment(sql);
    let before = last(sql)?;
    let statement = format!(
        "INSERT INTO segments (seq, {}, columns, more, lines) VALUES ({NEXT_SEQ}, ?1, ?2, ?3, ?4, ?5, ?6, ?7, \
         substr(?8, 1, ?10), substr(?8, ?10 + 1), ?9)",
        Raw::HEAD
    );
    for row in rows {
        let mut params: Vec<Param> = row.iter().map(param).collect();
        let columns = row.get(7).map_or(&[][..], Cell::bytes);
        params.push(segment::first_part(columns).into());
        sql.run(&statement, &params)?;
    }
    let after = last(sql)?;
    sql.run(
        "UPDATE folded SET seq = ?1, made_at = ?2",
        &[after.into(), now_ms.into()],
    )?;
    compact::note(sql, before, after, now_ms)
}

fn last_segment(sql: &impl Sql) -> Result<i64, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells("SELECT max(seq) FROM segments", &[])?;
    Ok(rows.first().map_or(0, |[seq]| seq.int()))
}

/// Ids of old archives whose generations began at different times: the newest lasts as long as that of whichever began
/// last.
fn some_ids(sql: &impl Sql, table: usize, rows: &[Row]) -> Result<(), SqlError> {
    for row in rows {
        let [since, some] = row.as_slice() else {
            continue;
        };
        sql.run(
            "INSERT INTO generation (id, newest, since) VALUES (1, 0, ?1) ON CONFLICT (id) \
             DO UPDATE SET since = max(since, excluded.since)",
            &[param(since)],
        )?;
        ids::take(sql, table, some.bytes())?;
    }
    Ok(())
}

/// The keys of a cell, as [`super::give`] writes them.
fn keys_of(cell: Option<&Cell>) -> Result<Vec<(i64, String)>, SqlError> {
    let text = cell.map_or("", Cell::text);
    serde_json::from_str(text).map_err(|error| SqlError(error.to_string()))
}

fn people(sql: &impl Sql, rows: &[Row]) -> Result<(), SqlError> {
    let Some((keys, people)) = rows.split_first() else {
        return Ok(());
    };
    let numbers = number_keys(sql, &keys_of(keys.first())?)?;
    let number = |place: u32| {
        let place = usize::try_from(place.checked_sub(1)?).ok()?;
        numbers.get(place).copied()
    };
    let renumbered = people.iter().map(|row| {
        let [hash, record] = row.as_slice() else {
            return Err(SqlError("a user of a slice cannot be read".to_owned()));
        };
        let person = Person::read(record.bytes())?.renumbered(&number);
        Ok(vec![hash.clone(), Cell::Blob(person.record())])
    });
    let renumbered: Vec<Row> = renumbered.collect::<Result<_, SqlError>>()?;
    records(sql, PEOPLE.users, renumbered.iter())
}

/// Puts records into pages.
fn records<'a>(
    sql: &impl Sql,
    pages: Pages,
    rows: impl Iterator<Item = &'a Row>,
) -> Result<(), SqlError> {
    let mut records: Vec<(u64, &[u8])> = rows
        .filter_map(|row| match row.as_slice() {
            [hash, record] => {
                let hash = hash.bytes().try_into().ok().map(u64::from_be_bytes)?;
                Some((hash, record.bytes()))
            }
            _ => None,
        })
        .collect();
    crate::base::sort::sort_by(&mut records, |a, b| a.0.cmp(&b.0));
    records.dedup_by_key(|(hash, _)| *hash);
    let hashes: Vec<u64> = records.iter().map(|(hash, _)| *hash).collect();
    pages.update(sql, &hashes, Mode::Write, &mut Put(&records))
}

struct Put<'a>(&'a [(u64, &'a [u8])]);

impl Change for Put<'_> {
    fn change(&mut self, place: usize, _: &[u8]) -> Result<Vec<u8>, SqlError> {
        Ok(self
            .0
            .get(place)
            .map_or(Vec::new(), |(_, record)| record.to_vec()))
    }

    fn keeps(&self, _: &[u8]) -> bool {
        true
    }
}

fn day_keys(sql: &impl Sql, rows: &[Row]) -> Result<(), SqlError> {
    for row in rows {
        let day = row.first().map_or(0, Cell::int);
        admit_keys(sql, day, &keys_of(row.get(1))?)?;
    }
    Ok(())
}

fn days(sql: &impl Sql, rows: &[Row]) -> Result<(), SqlError> {
    for row in rows {
        for (table, days) in ["erased_days", "pruned_days"].iter().zip(row) {
            sql.run(
                &format!(
                    "INSERT INTO {table} (day) SELECT value FROM json_each(?1) WHERE true \
                     ON CONFLICT DO NOTHING"
                ),
                &[param(days)],
            )?;
        }
        if let Some(kept_from @ Cell::Int(_)) = row.get(2) {
            sql.run(
                "INSERT INTO pruned (id, kept_from, after) VALUES (1, ?1, 0) ON CONFLICT (id) \
                 DO UPDATE SET kept_from = max(kept_from, excluded.kept_from)",
                &[param(kept_from)],
            )?;
        }
    }
    Ok(())
}

fn landed(sql: &impl Sql, rows: &[Row]) -> Result<(), SqlError> {
    for row in rows {
        let [hours, events, objects, sinks] = row.as_slice() else {
            continue;
        };
        sql.run(
            "INSERT INTO landed (hour, n) SELECT value->>0, value->>1 FROM json_each(?1) WHERE true \
             ON CONFLICT (hour) DO UPDATE SET n = n + excluded.n",
            &[param(hours)],
        )?;
        sql.run(
            "UPDATE shard SET landed_events = landed_events + ?1, landed_objects = landed_objects + ?2",
            &[param(events), param(objects)],
        )?;
        sql.run(
            "UPDATE sinks SET landed_events = landed_events + value->>1, \
             landed_objects = landed_objects + value->>2, refused_events = refused_events + value->>3, \
             refused_code = coalesce(value->>4, refused_code) \
             FROM json_each(?1) WHERE sinks.sink = value->>0",
            &[param(sinks)],
        )?;
    }
    Ok(())
}
