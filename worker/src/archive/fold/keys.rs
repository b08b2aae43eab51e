//! Which keys count by themselves. A day has room for so many of a dimension; what comes when it is full
//! counts as [`OTHER`]. What was admitted on a day is remembered, so that later folds decide alike.

use std::collections::HashMap;

use super::{OTHER, OTHER_TEXT};
use crate::archive::fold::MAX_KEYS_PER_DAY;
use crate::archive::people::Mode;
use crate::archive::people::pages::unreadable;
use crate::archive::people::person::USER;
use crate::archive::people::varint::{Reader, put, put_len};
use crate::base::json_rows::json_rows;
use crate::base::sort;
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};

/// The dimension of users, whose one key is the empty text; others are the numbers of
/// [`Column`](crate::archive::Column)s.
pub(super) const USERS: i64 = 100;

/// The dimension of day-scoped ids, likewise.
pub(super) const ANONYMOUS: i64 = 101;

/// Numbers of keys, which pages name them by, and the keys of a day: of each dimension its number, how many,
/// and the differences of their numbers. The next number that is free stands at the dimension -1.
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS keys (dim INTEGER NOT NULL, key TEXT NOT NULL, id INTEGER NOT NULL, \
     PRIMARY KEY (dim, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS day_keys (day INTEGER PRIMARY KEY, body BLOB NOT NULL)",
];

/// A key of a dimension on a day as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) dim: i64,
    pub(super) day: i64,
    /// The number of its text in this fold.
    pub(super) text: i64,
    /// What pages name it by.
    pub(super) id: u32,
}

/// How keys `[dimension, day, text]` are counted, each at its place.
///
/// # Errors
/// Whatever the database says.
pub(super) fn admit(
    sql: &impl Sql,
    texts: &[&str],
    keys: &[([i64; 4], [i64; 3])],
    mode: Mode,
) -> Result<Vec<Counted>, SqlError> {
    let mut numbers = Numbers::load(sql, texts, keys)?;
    let mut days = load_days(sql, keys)?;
    let text_of = |text: i64| {
        usize::try_from(text)
            .ok()
            .and_then(|at| texts.get(at).copied())
    };
    let mut order: Vec<(i64, i64, Option<&str>, usize)> = keys
        .iter()
        .enumerate()
        .map(|(place, ([dim, day, text, _], _))| (*day, *dim, text_of(*text), place))
        .collect();
    sort::sort(&mut order);
    let none = Counted {
        dim: 0,
        day: 0,
        text: 0,
        id: USER,
    };
    let mut counted = vec![none; keys.len()];
    for (day, dim, _, place) in order {
        let Some(([_, _, text, _], _)) = keys.get(place) else {
            continue;
        };
        let admitted = days.entry(day).or_default();
        let text = if admitted.takes(dim, *text, &mut numbers) {
            *text
        } else {
            OTHER_TEXT
        };
        let id = numbers.number(dim, text);
        if let Some(slot) = counted.get_mut(place) {
            *slot = Counted { dim, day, text, id };
        }
    }
    if mode == Mode::Write {
        numbers.save(sql, texts)?;
        save_days(sql, &days)?;
    }
    Ok(counted)
}

/// Keys of a day, by dimension.
#[derive(Debug, Default)]
struct Admitted {
    dims: Map<i64, Vec<u32>>,
    changed: bool,
}

impl Admitted {
    /// Whether a key counts by itself, which it does from now on where there is room.
    fn takes(&mut self, dim: i64, text: i64, numbers: &mut Numbers) -> bool {
        if matches!(dim, USERS | ANONYMOUS) || text == OTHER_TEXT {
            return true;
        }
        let known = numbers.known(dim, text);
        let ids = self.dims.entry(dim).or_default();
        let place = known.map(|id| ids.binary_search(&id));
        if matches!(place, Some(Ok(_))) {
            return true;
        }
        if i64::try_from(ids.len()).unwrap_or(i64::MAX) >= MAX_KEYS_PER_DAY {
            return false;
        }
        let id = numbers.number(dim, text);
        if let Err(place) = ids.binary_search(&id) {
            ids.insert(place, id);
        }
        self.changed = true;
        true
    }

    fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let mut dims = Map::new();
        while !reader.is_empty() {
            let dim = i64::try_from(reader.number()?).ok()?;
            let (mut ids, mut id) = (Vec::new(), 0_u32);
            for _ in 0..reader.len()? {
                id = id.checked_add(u32::try_from(reader.number()?).ok()?)?;
                ids.push(id);
            }
            dims.insert(dim, ids);
        }
        Some(Self {
            dims,
            changed: false,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (dim, ids) in &self.dims {
            put(&mut out, dim.cast_unsigned());
            put_len(&mut out, ids.len());
            let mut before = 0;
            for id in ids {
                put(&mut out, id.saturating_sub(before).into());
                before = *id;
            }
        }
        out
    }
}

fn load_days(
    sql: &impl Sql,
    keys: &[([i64; 4], [i64; 3])],
) -> Result<Map<i64, Admitted>, SqlError> {
    let mut days: Vec<i64> = keys.iter().map(|([_, day, ..], _)| *day).collect();
    sort::sort(&mut days);
    days.dedup();
    let mut found = Map::new();
    for some in json_rows(days.into_iter().map(|day| day.to_string())) {
        let rows: Vec<[Cell; 2]> = sql.cells(
            "SELECT day, body FROM day_keys WHERE day IN (SELECT value FROM json_each(?1)) \
             ORDER BY day",
            &[some.into()],
        )?;
        for [day, body] in rows {
            let admitted = Admitted::read(body.bytes()).ok_or_else(unreadable)?;
            found.insert(day.int(), admitted);
        }
    }
    Ok(found)
}

fn save_days(sql: &impl Sql, days: &Map<i64, Admitted>) -> Result<(), SqlError> {
    for (day, admitted) in days.iter().filter(|(_, admitted)| admitted.changed) {
        sql.run(
            "INSERT INTO day_keys (day, body) VALUES (?1, ?2) \
             ON CONFLICT (day) DO UPDATE SET body = excluded.body",
            &[(*day).into(), admitted.body().as_slice().into()],
        )?;
    }
    Ok(())
}

/// The numbers of the keys of a fold.
#[derive(Debug)]
struct Numbers {
    /// Dimension and text, in order, and the number; 0 for none.
    keys: Vec<([i64; 2], u32)>,
    /// The next free number, and what it was.
    next: u32,
    was_next: u32,
}

impl Numbers {
    fn load(
        sql: &impl Sql,
        texts: &[&str],
        keys: &[([i64; 4], [i64; 3])],
    ) -> Result<Self, SqlError> {
        let dims = keys
            .iter()
            .filter(|([dim, ..], _)| !matches!(*dim, USERS | ANONYMOUS));
        let mut keys: Vec<([i64; 2], u32)> = dims
            .flat_map(|([dim, _, text, _], _)| [([*dim, *text], 0), ([*dim, OTHER_TEXT], 0)])
            .collect();
        sort::sort(&mut keys);
        keys.dedup();
        let mut numbers = Self {
            keys,
            next: 1,
            was_next: 1,
        };
        let rows = numbers
            .keys
            .iter()
            .enumerate()
            .map(|(at, (key, _))| numbers_row(at, *key, texts));
        for some in json_rows(rows) {
            let rows: Vec<[Cell; 2]> = sql.cells(
                "SELECT t.value->>0, k.id FROM json_each(?1) AS t \
                 CROSS JOIN keys AS k WHERE k.dim = t.value->>1 AND k.key = t.value->>2",
                &[some.into()],
            )?;
            for [at, id] in rows {
                let slot = usize::try_from(at.int()).ok();
                if let Some((_, slot)) = slot.and_then(|at| numbers.keys.get_mut(at)) {
                    *slot = u32::try_from(id.int()).map_err(|_| unreadable())?;
                }
            }
        }
        let next: Vec<[Cell; 1]> = sql.cells("SELECT id FROM keys WHERE dim = -1", &[])?;
        if let Some([next]) = next.first() {
            numbers.next = u32::try_from(next.int()).map_err(|_| unreadable())?;
            numbers.was_next = numbers.next;
        }
        Ok(numbers)
    }

    fn place(&self, dim: i64, text: i64) -> Option<usize> {
        self.keys
            .binary_search_by_key(&[dim, text], |(key, _)| *key)
            .ok()
    }

    /// The number of a key that has one.
    fn known(&self, dim: i64, text: i64) -> Option<u32> {
        let (_, id) = self.keys.get(self.place(dim, text)?)?;
        (*id != 0).then_some(*id)
    }

    /// The number of a key, which has one from now on. Users and day-scoped ids have one key each.
    fn number(&mut self, dim: i64, text: i64) -> u32 {
        let place = self.place(dim, text);
        let Some((_, id)) = place.and_then(|place| self.keys.get_mut(place)) else {
            return USER;
        };
        if *id == 0 {
            *id = self.next;
            self.next = self.next.saturating_add(1);
        }
        *id
    }

    fn save(&self, sql: &impl Sql, texts: &[&str]) -> Result<(), SqlError> {
        if self.next == self.was_next {
            return Ok(());
        }
        let new = self.keys.iter().filter(|(_, id)| *id >= self.was_next);
        let rows = new.map(|(key, id)| numbers_row(usize::try_from(*id).unwrap_or(0), *key, texts));
        for some in json_rows(rows) {
            // Two texts can be one to SQLite, where a NUL ends it: the first stays.
            sql.run(
                "INSERT INTO keys (id, dim, key) \
                 SELECT value->>0, value->>1, value->>2 FROM json_each(?1) WHERE true \
                 ON CONFLICT (dim, key) DO NOTHING",
                &[some.into()],
            )?;
        }
        sql.run(
            "INSERT INTO keys (dim, key, id) VALUES (-1, '', ?1) \
             ON CONFLICT (dim, key) DO UPDATE SET id = excluded.id",
            &[i64::from(self.next).into()],
        )
    }
}

/// The numbers of keys (dimension and text), each at its place, inside the caller's transaction; those that have none
/// get one.
///
/// # Errors
/// Whatever the database says.
pub(in crate::archive) fn number_keys(
    sql: &impl Sql,
    keys: &[(i64, String)],
) -> Result<Vec<u32>, SqlError> {
    let texts: Vec<&str> = std::iter::once(OTHER)
        .chain(keys.iter().map(|(_, text)| text.as_str()))
        .collect();
    // Of a text that comes twice, its last place, whatever the dimension.
    let places: HashMap<&str, i64> = texts.iter().copied().zip(0_i64..).collect();
    let place = |text: &str| match text {
        OTHER => OTHER_TEXT,
        text => places.get(text).copied().unwrap_or(OTHER_TEXT),
    };
    let rows: Vec<([i64; 4], [i64; 3])> = keys
        .iter()
        .map(|(dim, text)| ([*dim, 0, place(text), 0], [0; 3]))
        .collect();
    let mut numbers = Numbers::load(sql, &texts, &rows)?;
    let ids = keys
        .iter()
        .map(|(dim, text)| numbers.number(*dim, place(text)));
    let ids = ids.collect();
    numbers.save(sql, &texts)?;
    Ok(ids)
}

/// Has a day count keys by themselves that another archive's did, inside the caller's transaction, though they be more
/// than it has room for.
///
/// # Errors
/// Whatever the database says.
pub(in crate::archive) fn admit_keys(
    sql: &impl Sql,
    day: i64,
    keys: &[(i64, String)],
) -> Result<(), SqlError> {
    let numbers = number_keys(sql, keys)?;
    let mut days = load_days(sql, &[([0, day, 0, 0], [0; 3])])?;
    let admitted = days.entry(day).or_default();
    for ((dim, _), id) in keys.iter().zip(numbers) {
        let ids = admitted.dims.entry(*dim).or_default();
        if let Err(place) = ids.binary_search(&id) {
            ids.insert(place, id);
            admitted.changed = true;
        }
    }
    save_days(sql, &days)
}

/// The numbers of all keys of a row of `day_keys`.
///
/// # Errors
/// Where it is none.
pub(in crate::archive) fn day_key_ids(body: &[u8]) -> Result<Vec<u32>, SqlError> {
    let admitted = Admitted::read(body).ok_or_else(unreadable)?;
    Ok(admitted.dims.into_values().flatten().collect())
}

/// Number, dimension and text of keys, by their numbers, in order.
///
/// # Errors
/// Whatever the database says.
pub(in crate::archive) fn key_names(
    sql: &impl Sql,
    mut ids: Vec<u32>,
) -> Result<Vec<(u32, i64, String)>, SqlError> {
    sort::sort(&mut ids);
    ids.dedup();
    let mut names = Vec::with_capacity(ids.len());
    for some in json_rows(ids.into_iter().map(|id| id.to_string())) {
        let rows: Vec<[Cell; 3]> = sql.cells(
            "SELECT k.id, k.dim, k.key FROM json_each(?1) AS t \
             CROSS JOIN keys AS k WHERE k.id = t.value AND k.dim >= 0 ORDER BY k.id",
            &[some.into()],
        )?;
        for [id, dim, key] in rows {
            let id = u32::try_from(id.int()).map_err(|_| unreadable())?;
            names.push((id, dim.int(), key.text().to_owned()));
        }
    }
    Ok(names)
}

fn numbers_row(number: usize, [dim, text]: [i64; 2], texts: &[&str]) -> String {
    let text = usize::try_from(text).ok().and_then(|at| texts.get(at));
    // A text always serializes.
    let text = serde_json::to_string(text.unwrap_or(&"")).unwrap_or_default();
    format!("[{number},{dim},{text}]")
}
