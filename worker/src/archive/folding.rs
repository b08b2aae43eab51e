//! How far the archive is folded into D1.
//!
//! A fold takes the oldest segments that are not folded, changes what is kept of people and sessions, and
//! keeps what D1 is to add, all in one transaction. D1 takes the folds in the order of their numbers, each
//! once, whatever fails between: its cursor guards them ([`super::fold`]).

use serde::Deserialize;

use super::compact;
use super::fold::{Cursor, Gathered, Sums};
use super::people::Mode;
use super::segment::Segment;
use crate::live::HOUR_MS;
use crate::privacy::day_of;
use crate::sql::{Cell, Sql, SqlError, Statement};
use crate::tally::OWN_SITE;

/// Events of a fold at most, but for a segment that has more: some 50 ms and 20 MB.
const FOLD_EVENTS: i64 = 20_000;

/// How long a segment waits until it is folded though nobody asks, in milliseconds. A fold of an hour is about as many
/// rows as one of a minute. Who asks D1 has the archive fold first, so no answer is older for it.
const FOLD_AFTER_MS: i64 = HOUR_MS;

/// Segments that are folded before the hour is over: a busy site's, of some 50,000 events.
const FOLD_SEGMENTS: i64 = 256;

/// `epoch`: when this storage was made, or when all was forgotten and folded anew, Unix milliseconds;
/// `number`: of the last fold; `seq`: the last segment that is folded; `made_at`: when it was.
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS folded (id INTEGER PRIMARY KEY CHECK (id = 1), \
     epoch INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, \
     made_at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS pending (number INTEGER NOT NULL, part INTEGER NOT NULL, \
     sums BLOB NOT NULL, PRIMARY KEY (number, part)) WITHOUT ROWID",
];

/// A segment that is not folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfolded {
    /// Its number.
    pub seq: i64,
    columns: Vec<u8>,
    /// Of Shoreline's own site, its packed lines: what calls took stands in no column.
    pub lines: Option<Vec<u8>>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Folded {
    pub(super) epoch: i64,
    pub(super) number: i64,
    pub(super) seq: i64,
    made_at: i64,
}

/// Makes what is kept of people, and notes when the storage was made.
pub(super) fn open(sql: &impl Sql, now_ms: i64) -> Result<(), SqlError> {
    super::fold::create(sql)?;
    sql.run(
        "INSERT INTO folded (id, epoch, number, seq, made_at) VALUES (1, ?1, 0, 0, 0) \
         ON CONFLICT DO NOTHING",
        &[now_ms.into()],
    )
}

pub(super) fn folded(sql: &impl Sql) -> Result<Folded, SqlError> {
    let row = sql.first("SELECT epoch, number, seq, made_at FROM folded", &[])?;
    row.ok_or_else(|| SqlError("the archive does not know how far it is folded".to_owned()))
}

/// Some segments that are not folded, the oldest first.
pub(super) fn unfolded(sql: &impl Sql, site: &str) -> Result<Vec<Unfolded>, SqlError> {
    let from = folded(sql)?.seq;
    let sizes: Vec<[Cell; 2]> = sql.cells(
        "SELECT seq, n FROM segments WHERE seq > ?1 ORDER BY seq LIMIT 1000",
        &[from.into()],
    )?;
    let mut events = 0_i64;
    let fits = |row: &&[Cell; 2]| {
        let is_first = events == 0;
        events = events.saturating_add(row[1].int());
        is_first || events <= FOLD_EVENTS
    };
    let last = sizes.iter().take_while(fits).last();
    let Some([last, _]) = last else {
        return Ok(Vec::new());
    };
    let lines = if site == OWN_SITE { "lines" } else { "NULL" };
    let rows: Vec<[Cell; 3]> = sql.cells(
        &format!(
            "SELECT seq, columns, {lines} FROM segments WHERE seq > ?1 AND seq <= ?2 ORDER BY seq"
        ),
        &[from.into(), last.int().into()],
    )?;
    let unfolded = |[seq, columns, lines]: &[Cell; 3]| Unfolded {
        seq: seq.int(),
        columns: columns.bytes().to_vec(),
        lines: (site == OWN_SITE).then(|| lines.bytes().to_vec()),
    };
    Ok(rows.iter().map(unfolded).collect())
}

/// Folds segments, inside the caller's transaction, and tells which cannot be read: these are passed by.
/// Where others were folded since they were read, nothing is done.
pub(super) fn fold(
    sql: &impl Sql,
    some: &[Unfolded],
    lines: &[String],
    now_ms: i64,
) -> Result<Vec<i64>, SqlError> {
    let before = folded(sql)?;
    let (Some(first), Some(last)) = (some.first(), some.last()) else {
        return Ok(Vec::new());
    };
    // Folds may have been made, or all forgotten, since the segments were read.
    let passed: Option<serde::de::IgnoredAny> = sql.first(
        "SELECT seq FROM segments WHERE seq > ?1 AND seq < ?2 LIMIT 1",
        &[before.seq.into(), first.seq.into()],
    )?;
    if first.seq <= before.seq || passed.is_some() {
        return Ok(Vec::new());
    }
    let mut gathered = Gathered::default();
    let mut broken = Vec::new();
    for segment in some {
        match Segment::parse(&segment.columns).and_then(|segment| segment.events()) {
            Ok(events) => events.iter().for_each(|event| gathered.add(event)),
            Err(_) => broken.push(segment.seq),
        }
    }
    for line in lines.iter().flat_map(|lines| lines.lines()) {
        gathered.add_operation(line);
    }
    let sums = gathered.fold(sql, day_of(now_ms), Mode::Write)?;
    let number = before.number.saturating_add(1);
    for (part, bytes) in sums.pack().into_iter().enumerate() {
        sql.run(
            "INSERT INTO pending (number, part, sums) VALUES (?1, ?2, ?3)",
            &[
                number.into(),
                i64::try_from(part).unwrap_or(i64::MAX).into(),
                bytes.as_slice().into(),
            ],
        )?;
    }
    sql.run(
        "UPDATE folded SET number = ?1, seq = ?2, made_at = ?3",
        &[number.into(), last.seq.into(), now_ms.into()],
    )?;
    compact::note(sql, before.seq, last.seq, now_ms)?;
    Ok(broken)
}

/// When there is something to fold, or for D1 to take.
pub(super) fn due(sql: &impl Sql) -> Result<Option<i64>, SqlError> {
    let folded = folded(sql)?;
    let pending: Option<serde::de::IgnoredAny> =
        sql.first("SELECT number FROM pending LIMIT 1", &[])?;
    if pending.is_some() {
        return Ok(Some(folded.made_at));
    }
    let rows: Vec<[Cell; 2]> = sql.cells(
        "SELECT at, (SELECT max(seq) FROM segments) FROM segments WHERE seq > ?1 \
         ORDER BY seq LIMIT 1",
        &[folded.seq.into()],
    )?;
    Ok(rows.first().map(|[at, last]| {
        let many = last.int().saturating_sub(folded.seq) >= FOLD_SEGMENTS;
        let wait = if many { 0 } else { FOLD_AFTER_MS };
        at.int().saturating_add(wait)
    }))
}

/// The oldest fold that D1 has not taken, as the transaction that has it do so.
pub(super) fn pending(
    sql: &impl Sql,
    site: &str,
    shard: u32,
) -> Result<Option<(Cursor, Vec<Statement>)>, SqlError> {
    let rows: Vec<[Cell; 2]> = sql.cells(
        "SELECT number, sums FROM pending WHERE number = (SELECT min(number) FROM pending) \
         ORDER BY part",
        &[],
    )?;
    let Some([number, _]) = rows.first() else {
        return Ok(None);
    };
    let cursor = Cursor {
        epoch: folded(sql)?.epoch,
        fold: number.int(),
    };
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|[_, sums]| sums.bytes())
        .copied()
        .collect();
    let sums = Sums::unpack(&bytes)
        .ok_or_else(|| SqlError(format!("fold {} cannot be read", cursor.fold)))?;
    Ok(Some((cursor, sums.statements(site, shard, cursor))))
}

/// Forgets a fold that D1 has taken, now that it stands at `at`.
///
/// # Errors
/// Whatever the database says, and where D1 has not: it knows nothing of the folds before, because it was
/// lost. What is pending stays until it is folded anew.
pub(super) fn settle(sql: &impl Sql, fold: Cursor, at: Option<Cursor>) -> Result<(), SqlError> {
    if !fold.is_taken(at) && !fold.is_outlived(at) {
        let fold = fold.fold;
        return Err(SqlError(format!(
            "D1 does not take fold {fold}: it stands at {at:?}"
        )));
    }
    sql.run(
        "DELETE FROM pending WHERE number <= ?1",
        &[fold.fold.into()],
    )
}

/// Forgets all folds and people, inside the caller's transaction: all of it is folded anew, into a D1 that
/// has nothing of it.
pub(super) fn clear(sql: &impl Sql, now_ms: i64) -> Result<(), SqlError> {
    for table in [
        "people", "sessions", "visitors", "keys", "day_keys", "pending",
    ] {
        sql.run(&format!("DELETE FROM {table}"), &[])?;
    }
    sql.run(
        "UPDATE folded SET epoch = max(epoch + 1, ?1), number = 0, seq = 0",
        &[now_ms.into()],
    )
}
