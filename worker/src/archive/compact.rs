//! Compaction: when an hour is over, its small segments become few large ones, so that a quiet site's archive
//! is as small, and as quickly read, as a busy one's.
//!
//! Each fold notes the hours of its segments (`note`). When one is due, a step reads a run of its small
//! segments ([`find`]), the caller unpacks their lines, [`merge`] makes one of them, the caller packs its lines,
//! and [`put`] is one transaction. The one that is made takes the number of the last of the run: whoever goes
//! through segments by their numbers and is not past the last of them meets all of their events still.

use super::folded::folded;
use super::segment::{self, WHOLE};
use crate::base::sql::{Cell, Sql, SqlError};
use crate::lake::HELD;

mod hours;
mod merge;
pub mod pace;

pub(super) use hours::{SCHEMA, due, note};
pub(super) use merge::read as read_part;
pub use merge::{Merged, merge};

/// `landed` of a segment that was made of others: the lake has had them all.
pub(super) const MERGED: i64 = 2;

/// Bytes of lines (before they are packed) of a segment that is made, at most. Larger ones would save little: gzip looks
/// 32 KiB back, and most of the columns are ids and codes. But who wants one line unpacks them all.
const MOST_BYTES: i64 = 512 * 1024;

/// Its events at most.
const MOST_EVENTS: i64 = 4_096;

/// Bytes of the row at most: SQLite on the platform takes 2 MB.
pub(super) const MOST_ROW_BYTES: usize = 1_900_000;

/// Segments of a step at most: each is unpacked for itself, in some 0.1 ms.
const MOST_PARTS: i64 = 512;

/// What was made of others is made larger once more only where all of it becomes this many times as large: so
/// an event is written anew once, mostly, and some five times where a segment a day trickles in.
const TIMES_LARGER: i64 = 4;

/// Hours without anything to do that a step passes by at most: some milliseconds.
const MOST_HOURS: usize = 64;

/// A small segment, without its blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Small {
    seq: i64,
    n: i64,
    bytes: i64,
    is_merged: bool,
}

/// A segment that is to be one with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub seq: i64,
    n: i64,
    /// When it was appended, Unix milliseconds.
    at: i64,
    pub(super) columns: Vec<u8>,
    /// Its lines, packed.
    pub lines: Vec<u8>,
}

impl Part {
    /// A segment: its number, how many events it has, when it was appended; columns and packed lines.
    pub(super) fn new((seq, n, at): (i64, i64, i64), columns: Vec<u8>, lines: Vec<u8>) -> Self {
        Self {
            seq,
            n,
            at,
            columns,
            lines,
        }
    }
}

/// Segments of an hour that are to be one, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    hour: i64,
    /// The segments.
    pub parts: Vec<Part>,
}

/// The next segments that are to be one, but for those that are `left_alone`. Hours of which there are none
/// are forgotten, or, where some of their segments wait to be folded or to land, looked at again later.
///
/// # Errors
/// Whatever the database says.
pub fn find(sql: &impl Sql, left_alone: &[i64], now_ms: i64) -> Result<Option<Run>, SqlError> {
    let folded = folded(sql)?.seq;
    for _ in 0..MOST_HOURS {
        let Some(hour) = hours::next(sql, now_ms)? else {
            break;
        };
        if let Some(run) = run_of(sql, hour, folded, left_alone)? {
            let parts = parts(sql, &run)?;
            return Ok(Some(Run { hour, parts }));
        }
        hours::leave(sql, hour, folded, now_ms)?;
    }
    Ok(None)
}

/// Small segments of an hour that are folded and have landed.
fn small_ones() -> String {
    format!(
        "SELECT seq, n, bytes, landed FROM segments WHERE hour = ?1 AND seq > ?2 AND seq <= ?3 \
         AND bytes < ?4 AND n < ?5 AND NOT {HELD} ORDER BY seq LIMIT ?6"
    )
}

/// The first small segments of an hour that are to be one, if any. Looks at as many as it takes, without
/// their blobs.
fn run_of(
    sql: &impl Sql,
    hour: i64,
    folded: i64,
    left_alone: &[i64],
) -> Result<Option<Vec<Small>>, SqlError> {
    let query = small_ones();
    let mut after = 0_i64;
    loop {
        let rows: Vec<[Cell; 4]> = sql.cells(
            &query,
            &[
                hour.into(),
                after.into(),
                folded.into(),
                (MOST_BYTES / 2).into(),
                (MOST_EVENTS / 2).into(),
                MOST_PARTS.into(),
            ],
        )?;
        let small = |[seq, n, bytes, landed]: &[Cell; 4]| Small {
            seq: seq.int(),
            n: n.int(),
            bytes: bytes.int(),
            is_merged: landed.int() == MERGED,
        };
        let all: Vec<Small> = rows
            .iter()
            .map(small)
            .filter(|small| !left_alone.contains(&small.seq))
            .collect();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (run, others) = rest.split_at_checked(fitting(rest)).unwrap_or_default();
            let run = worthwhile(run);
            if run.len() > 1 {
                return Ok(Some(run));
            }
            rest = others;
        }
        match rows.last() {
            Some([seq, ..]) if i64::try_from(rows.len()).is_ok_and(|n| n >= MOST_PARTS) => {
                after = seq.int();
            }
            _ => return Ok(None),
        }
    }
}

/// How many of the first segments fit into one.
fn fitting(list: &[Small]) -> usize {
    let (mut n, mut bytes) = (0_i64, 0_i64);
    let fits = |small: &&Small| {
        n = n.saturating_add(small.n);
        bytes = bytes.saturating_add(small.bytes);
        n <= MOST_EVENTS && bytes <= MOST_BYTES
    };
    // One that is alone always does: it is small.
    list.iter().take_while(fits).count().max(1)
}

/// A run without those that were made of others and would hardly grow.
fn worthwhile(run: &[Small]) -> Vec<Small> {
    let mut run = run.to_vec();
    loop {
        let sum = run.iter().map(|small| small.bytes);
        let sum = sum.fold(0, i64::saturating_add);
        let hardly_grows =
            |small: &Small| small.is_merged && small.bytes.saturating_mul(TIMES_LARGER) > sum;
        let largest = run
            .iter()
            .enumerate()
            .filter(|(_, small)| hardly_grows(small))
            .max_by_key(|(_, small)| small.bytes);
        let Some((place, _)) = largest else {
            return run;
        };
        run.remove(place);
    }
}

/// The segments of a run, with their blobs.
fn parts(sql: &impl Sql, run: &[Small]) -> Result<Vec<Part>, SqlError> {
    let seqs: Vec<i64> = run.iter().map(|small| small.seq).collect();
    let rows: Vec<[Cell; 5]> = sql.cells(
        &format!(
            "SELECT seq, n, at, {WHOLE}, lines FROM segments \
             WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq"
        ),
        &[list(&seqs).into()],
    )?;
    let part = |[seq, n, at, columns, lines]: &[Cell; 5]| Part {
        seq: seq.int(),
        n: n.int(),
        at: at.int(),
        columns: columns.bytes().to_vec(),
        lines: lines.bytes().to_vec(),
    };
    Ok(rows.iter().map(part).collect())
}

fn list(seqs: &[i64]) -> String {
    // A list of numbers always serializes.
    serde_json::to_string(seqs).unwrap_or_default()
}

/// Puts what was made in the place of what it was made of: one transaction. Nothing is done, and answered
/// `false`, where these are not there any more, or are to be folded again.
///
/// # Errors
/// Whatever the database says; nothing was written then.
pub fn put(sql: &impl Sql, merged: &Merged, packed: &[u8]) -> Result<bool, SqlError> {
    let (Some(made), Some((last, others))) = (&merged.made, merged.seqs.split_last()) else {
        return Ok(false);
    };
    sql.transaction(&mut || {
        let there: Vec<[Cell; 2]> = sql.cells(
            "SELECT count(*), sum(n) FROM segments WHERE seq IN (SELECT value FROM json_each(?1))",
            &[list(&merged.seqs).into()],
        )?;
        let count = i64::try_from(merged.seqs.len()).unwrap_or(i64::MAX);
        let is_there = |[all, n]: &[Cell; 2]| (all.int(), n.int()) == (count, made.n);
        if folded(sql)?.seq < *last || !there.first().is_some_and(is_there) {
            return Ok(false);
        }
        sql.run(
            "DELETE FROM segments WHERE seq IN (SELECT value FROM json_each(?1))",
            &[list(others).into()],
        )?;
        sql.run(
            "UPDATE segments SET at = ?2, n = ?3, bytes = ?4, first_at = ?5, last_at = ?6, \
             landed = ?7, columns = substr(?8, 1, ?10), more = substr(?8, ?10 + 1), lines = ?9 \
             WHERE seq = ?1",
            &[
                (*last).into(),
                merged.at.into(),
                made.n.into(),
                i64::try_from(made.lines.len()).unwrap_or(i64::MAX).into(),
                made.at.0.into(),
                made.at.1.into(),
                MERGED.into(),
                made.columns.as_slice().into(),
                packed.into(),
                segment::first_part(&made.columns).into(),
            ],
        )?;
        Ok(true)
    })
}

#[cfg(test)]
mod tests;
