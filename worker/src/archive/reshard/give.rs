//! What an old archive gives, slice by slice, in the order of [`STAGES`]. It changes nothing of it meanwhile, so a slice
//! that is given again, after a kill, is what it was: the bounds of slices hang on what is stored alone. (They must
//! stay what they are as long as a reshard may be under way when another version is deployed.)

use super::super::compact::Part;
use super::super::segment::WHOLE;
use super::parcel::{Parcel, Row, param};
use super::share::{Raw, SessionHome, Shared};
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Param, Sql, SqlError};

mod people;
mod rest;

/// Stages: of which table the rows of a parcel are.
pub(super) const SEGMENTS: i64 = 0;
/// Ids that the newer table has, then those of the older one.
pub(super) const NEW_IDS: i64 = 1;
/// See [`NEW_IDS`].
pub(super) const OLD_IDS: i64 = 2;
/// Users.
pub(super) const PEOPLE_OF: i64 = 3;
/// Sessions.
pub(super) const SESSIONS: i64 = 4;
/// Day-scoped ids.
pub(super) const VISITORS: i64 = 5;
/// The keys that days have room for.
pub(super) const DAY_KEYS: i64 = 6;
/// What is told of rows that come again.
pub(super) const DUPLICATES: i64 = 7;
/// Who is to be forgotten.
pub(super) const ERASED: i64 = 8;
/// Days of which less is there than was counted, and the first moment that is kept.
pub(super) const DAYS: i64 = 9;
/// What has landed.
pub(super) const LANDED: i64 = 10;
const STAGES: i64 = 11;

/// Bytes of lines of a slice, before they were packed, unless a segment has more.
const SLICE_BYTES: i64 = 1_000_000;

/// Its segments at most.
const SLICE_SEGMENTS: i64 = 256;

/// Ids of a slice: 64 KB.
const SLICE_IDS: i64 = 4_096;

/// Pages of people of a slice, of 64 KB mostly.
const SLICE_PAGES: i64 = 2;

/// Rows of other tables.
const SLICE_ROWS: i64 = 500;

/// Days of keys: of each up to 500 keys of sixteen dimensions.
const SLICE_DAYS: i64 = 2;

/// A slice on its way: what each new archive gets of it, and where the next one begins.
#[derive(Debug)]
pub struct Slice {
    /// The generation that it is given to.
    pub(in crate::archive) generation: i64,
    step: i64,
    stage: i64,
    next: (i64, Cell),
    /// The old archive.
    shard: u32,
    archives: u32,
    rows: Map<u32, Vec<Row>>,
    /// Segments that are to be shared ([`Slice::put`]).
    pub raws: Vec<Raw>,
    homes: Vec<SessionHome>,
}

/// How far the giving is.
struct Place {
    stage: i64,
    after: Cell,
    step: i64,
}

fn place(sql: &impl Sql) -> Result<Place, SqlError> {
    let rows: Vec<[Cell; 3]> = sql.cells("SELECT stage, after, step FROM giving", &[])?;
    Ok(rows.into_iter().next().map_or(
        Place {
            stage: SEGMENTS,
            after: Cell::Null,
            step: 1,
        },
        |[stage, after, step]| Place {
            stage: stage.int(),
            after,
            step: step.int(),
        },
    ))
}

/// The next slice of the archive `shard` for so many; none when all is given.
pub(in crate::archive) fn next(
    sql: &impl Sql,
    (shard, archives): (u32, u32),
    generation: i64,
) -> Result<Option<Slice>, SqlError> {
    let place = place(sql)?;
    if place.stage >= STAGES {
        return Ok(None);
    }
    let mut slice = Slice {
        generation,
        step: place.step,
        stage: place.stage,
        next: (place.stage.saturating_add(1), Cell::Null),
        shard,
        archives,
        rows: Map::new(),
        raws: Vec::new(),
        homes: Vec::new(),
    };
    if let Some(after) = slice.fill(sql, &place.after)? {
        slice.next = (place.stage, after);
    }
    Ok(Some(slice))
}

/// Notes that a slice was taken by all.
pub(in crate::archive) fn given(sql: &impl Sql, slice: &Slice) -> Result<(), SqlError> {
    sql.transaction(&mut || {
        let mut homes: Map<u32, Vec<u8>> = Map::new();
        for (was, is, home) in &slice.homes {
            let of = homes.entry(*home).or_default();
            of.extend_from_slice(&was.to_be_bytes());
            of.extend_from_slice(&is.to_be_bytes());
        }
        for (home, sessions) in homes {
            // Of a session whose events are in several archives, the first one has it.
            sql.run(
                "WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL \
                 SELECT i + 16 FROM k WHERE i + 16 < length(?1)) \
                 INSERT INTO session_homes (hash, new, home) \
                 SELECT substr(?1, i + 1, 8), substr(?1, i + 9, 8), ?2 FROM k WHERE true \
                 ON CONFLICT DO NOTHING",
                &[Param::Blob(sessions), i64::from(home).into()],
            )?;
        }
        let (stage, after) = &slice.next;
        sql.run(
            "INSERT INTO giving (id, stage, after, step) SELECT 1, ?1, ?2, ?3 \
             WHERE ?3 = 1 + coalesce((SELECT step FROM giving), 1) \
             ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, after = excluded.after, \
             step = excluded.step",
            &[
                (*stage).into(),
                param(after),
                slice.step.saturating_add(1).into(),
            ],
        )
    })
}

fn blob(hash: u64) -> Param {
    Param::Blob(hash.to_be_bytes().to_vec())
}

fn hash_cell(hash: u64) -> Cell {
    Cell::Blob(hash.to_be_bytes().to_vec())
}

fn hash_of(cell: &Cell) -> u64 {
    cell.bytes().try_into().map_or(0, u64::from_be_bytes)
}

/// The last of rows where there may be more after them.
fn more<const N: usize>(
    rows: &[[Cell; N]],
    limit: i64,
    key: impl Fn(&[Cell; N]) -> Cell,
) -> Option<Cell> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|n| n >= limit);
    rows.last().filter(|_| is_full).map(key)
}

impl Slice {
    fn push(&mut self, home: u32, row: Row) {
        self.rows.entry(home).or_default().push(row);
    }

    fn push_all(&mut self, row: &Row) {
        for home in 0..self.archives {
            self.push(home, row.clone());
        }
    }

    /// The one new archive that gets what is counted once.
    fn heir(&self) -> u32 {
        self.shard.checked_rem(self.archives).unwrap_or(0)
    }

    /// Fills it with what comes after a key; where the next one begins, as long as the stage has more.
    fn fill(&mut self, sql: &impl Sql, after: &Cell) -> Result<Option<Cell>, SqlError> {
        match self.stage {
            SEGMENTS => self.segments(sql, after),
            NEW_IDS | OLD_IDS => self.ids(sql, after),
            PEOPLE_OF => self.people(sql, after),
            SESSIONS => self.sessions(sql, after),
            VISITORS => self.visitors(sql, after),
            DAY_KEYS => self.day_keys(sql, after),
            DUPLICATES => self.duplicates(sql, after),
            ERASED => self.erased(sql, after),
            DAYS => self.days(sql),
            _ => self.landed(sql),
        }
    }

    fn segments(&mut self, sql: &impl Sql, after: &Cell) -> Result<Option<Cell>, SqlError> {
        let sizes: Vec<[Cell; 2]> = sql.cells(
            "SELECT seq, bytes FROM segments WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            &[after.int().into(), SLICE_SEGMENTS.into()],
        )?;
        let mut sum = 0_i64;
        let fits = |row: &&[Cell; 2]| {
            let is_first = sum == 0;
            sum = sum.saturating_add(row[1].int().max(1));
            is_first || sum <= SLICE_BYTES
        };
        let Some([last, _]) = sizes.iter().take_while(fits).last() else {
            return Ok(None);
        };
        let rows: Vec<[Cell; 10]> = sql.cells(
            &format!(
                "SELECT seq, {}, {WHOLE}, lines FROM segments WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
                Raw::HEAD
            ),
            &[after.int().into(), last.int().into()],
        )?;
        for [
            seq,
            hour,
            at,
            n,
            bytes,
            first_at,
            last_at,
            landed,
            columns,
            lines,
        ] in rows
        {
            let part = Part::new(
                (seq.int(), n.int(), at.int()),
                columns.bytes().to_vec(),
                lines.bytes().to_vec(),
            );
            let head = vec![hour, at, n, bytes, first_at, last_at, landed];
            self.raws.push(Raw { part, head });
        }
        Ok(Some(last.clone()))
    }

    /// Takes what became of a segment, whose parts' lines are packed now.
    pub fn put(&mut self, raw: &Raw, shared: Shared, packed: Vec<Vec<u8>>) {
        for ((home, part), packed) in shared.parts.iter().zip(packed) {
            self.push(*home, raw.row(part, packed));
        }
        self.homes.extend(shared.homes);
    }

    /// Gives a segment as it is, which cannot be read.
    pub fn put_whole(&mut self, raw: &Raw) {
        self.push(self.heir(), raw.whole());
    }

    /// Ids go to all: whose they are is not known of them.
    fn ids(&mut self, sql: &impl Sql, after: &Cell) -> Result<Option<Cell>, SqlError> {
        let generation: Vec<[Cell; 2]> = sql.cells("SELECT newest, since FROM generation", &[])?;
        let Some([newest, since]) = generation.into_iter().next() else {
            return Ok(None);
        };
        let is_first = (newest.int() == 0) == (self.stage == NEW_IDS);
        let table = if is_first { "ids_0" } else { "ids_1" };
        let rows: Vec<[Cell; 1]> = sql.cells(
            &format!("SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2"),
            &[Param::Blob(after.bytes().to_vec()), SLICE_IDS.into()],
        )?;
        let ids: Vec<u8> = rows.iter().flat_map(|[id]| id.bytes()).copied().collect();
        self.push_all(&vec![since, Cell::Blob(ids)]);
        Ok(more(&rows, SLICE_IDS, |[id]| id.clone()))
    }

    /// What each new archive is to take; its rows leave it.
    pub fn parcels(&mut self) -> Vec<(u32, Vec<u8>)> {
        let rows = std::mem::take(&mut self.rows);
        let parcel = |(home, rows)| {
            let parcel = Parcel {
                shard: self.shard,
                step: self.step,
                stage: self.stage,
                rows,
            };
            (home, parcel.write())
        };
        rows.into_iter().map(parcel).collect()
    }
}
