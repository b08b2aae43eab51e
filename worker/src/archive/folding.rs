//! How far the archive is folded into D1.
//!
//! A fold takes the oldest segments that are not folded, changes what is kept of people and sessions, and
//! keeps what D1 is to add, all in one transaction. D1 takes the folds in the order of their numbers, each
//! once, whatever fails between: its cursor guards them ([`super::fold`]).

use super::compact;
use super::fold::{Cursor, Gathered, Sums};
use super::folded::folded;
use super::joined;
use super::people::Mode;
use super::segment::{Segment, WHOLE};
use crate::base::sql::{Cell, Sql, SqlError, Statement};
use crate::base::time::{HOUR_MS, day_of, midnight_after};
use crate::protocol::Identified;
use crate::protocol::names::OWN_SITE;

/// Events of a fold at most, but for a segment that has more; with so many waiting, the fold is not put off. One of
/// 6,400 took 21 ms natively, so this is some 70 ms, twice that in wasm; gathered, an event is some 300 bytes.
pub(super) const FOLD_EVENTS: i64 = 20_000;

/// Bytes of columns that are gathered in one go, some 2,000 to 4,000 events: under 10 ms in wasm, between which
/// appends and answers get their turn.
const SLICE_BYTES: usize = 128 * 1024;

/// Segments that are counted at most to see how many wait.
pub(super) const MANY_SEGMENTS: i64 = 1_000;

/// How long after its day is over a segment is folded, in milliseconds, at the soonest, so that what is late is in the
/// same fold. Each fold writes its rows of a day in D1 anew. Who asks is told what is not folded by a look
/// ([`super::looking`]), so no answer is older for it.
const GRACE_MS: i64 = HOUR_MS;

/// Archives fold at moments of so many milliseconds more: D1 takes the folds of all of them one after the other.
const SPREAD_MS: i64 = HOUR_MS;

/// Segments that are folded before the day is over, so that a look stays cheap.
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
    /// What its events say of who somebody was before.
    identified: Vec<Identified>,
}

/// A fold that is being made.
#[derive(Debug, Default)]
pub struct Folding {
    gathered: Gathered,
    /// Segments that cannot be read.
    broken: Vec<i64>,
    /// How often segments had been rewritten when it was begun.
    pub(super) rewrites: u64,
}

impl Folding {
    /// One that is begun when segments had been rewritten so often.
    pub(super) fn begin(rewrites: u64) -> Self {
        Self {
            rewrites,
            ..Self::default()
        }
    }

    /// Gathers segments, with their lines where the site is Shoreline's own.
    pub fn gather(&mut self, some: &[Unfolded], lines: &[String]) {
        self.broken.extend(gather(&mut self.gathered, some, lines));
    }

    /// What of these segments is to be gathered in one go, and the rest.
    pub fn slice(some: &[Unfolded]) -> (&[Unfolded], &[Unfolded]) {
        let mut bytes = 0_usize;
        let fits = |segment: &&Unfolded| {
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(segment.columns.len());
            is_first || bytes <= SLICE_BYTES
        };
        let n = some.iter().take_while(fits).count();
        some.split_at_checked(n).unwrap_or((some, &[]))
    }
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

/// Some segments after one, which are not folded, the oldest first.
pub(super) fn unfolded(sql: &impl Sql, site: &str, from: i64) -> Result<Vec<Unfolded>, SqlError> {
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
            "SELECT seq, {WHOLE}, {lines} FROM segments WHERE seq > ?1 AND seq <= ?2 ORDER BY seq"
        ),
        &[from.into(), last.int().into()],
    )?;
    let noted = joined::noted(sql, from, last.int())?;
    let unfolded = |[seq, columns, lines]: &[Cell; 3]| Unfolded {
        seq: seq.int(),
        columns: columns.bytes().to_vec(),
        lines: (site == OWN_SITE).then(|| lines.bytes().to_vec()),
        identified: noted
            .iter()
            .filter(|(of, _)| *of == seq.int())
            .map(|(_, one)| *one)
            .collect(),
    };
    Ok(rows.iter().map(unfolded).collect())
}

/// Whether segments are the next ones after one: folds may have been made, or all forgotten, or others looked at,
/// since they were read.
pub(super) fn follow(sql: &impl Sql, some: &[Unfolded], after: i64) -> Result<bool, SqlError> {
    let Some(first) = some.first() else {
        return Ok(false);
    };
    let passed: Option<serde::de::IgnoredAny> = sql.first(
        "SELECT seq FROM segments WHERE seq > ?1 AND seq < ?2 LIMIT 1",
        &[after.into(), first.seq.into()],
    )?;
    Ok(first.seq > after && passed.is_none())
}

/// Gathers segments, with their lines where calls are counted from these, and tells which cannot be read.
pub(super) fn gather(gathered: &mut Gathered, some: &[Unfolded], lines: &[String]) -> Vec<i64> {
    let mut broken = Vec::new();
    for segment in some {
        for one in &segment.identified {
            gathered.identify(*one);
        }
        match Segment::parse(&segment.columns).and_then(|segment| segment.events()) {
            Ok(events) => events.iter().for_each(|event| gathered.add(event)),
            Err(_) => broken.push(segment.seq),
        }
    }
    for line in lines.iter().flat_map(|lines| lines.lines()) {
        gathered.add_operation(line);
    }
    broken
}

/// How many segments after one there are, and their events; of many, the first thousand.
pub(super) fn waiting(sql: &impl Sql, after: i64) -> Result<(i64, i64), SqlError> {
    let rows: Vec<[Cell; 2]> = sql.cells(
        "SELECT count(*), sum(n) FROM (SELECT n FROM segments WHERE seq > ?1 ORDER BY seq LIMIT ?2)",
        &[after.into(), MANY_SEGMENTS.into()],
    )?;
    Ok(rows
        .first()
        .map_or((0, 0), |[segments, events]| (segments.int(), events.int())))
}

/// Folds segments, all of which are gathered, inside the caller's transaction, and tells which cannot be read:
/// these are passed by. Where others were folded since they were read, nothing is done.
pub(super) fn fold(
    sql: &impl Sql,
    some: &[Unfolded],
    folding: &Folding,
    now_ms: i64,
) -> Result<Vec<i64>, SqlError> {
    let before = folded(sql)?;
    let Some(last) = some.last() else {
        return Ok(Vec::new());
    };
    if !follow(sql, some, before.seq)? {
        return Ok(Vec::new());
    }
    let sums = folding.gathered.fold(sql, day_of(now_ms), Mode::Write)?;
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
    joined::forget_noted(sql, last.seq)?;
    compact::note(sql, before.seq, last.seq, now_ms)?;
    Ok(folding.broken.clone())
}

/// How much later than others an archive folds a day, in milliseconds.
pub(super) fn spread(site: &str, shard: u32) -> i64 {
    let numbers = site.bytes().map(u64::from).chain([shard.into()]);
    // Of names that are alike the last characters differ: each must change all of it.
    let hash = numbers.fold(0xcbf2_9ce4_8422_2325_u64, |hash, number| {
        (hash ^ number).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 33).cast_signed().wrapping_rem(SPREAD_MS)
}

/// When there is something to fold, or for D1 to take; `events` are not folded, and a day is by `later` than it could
/// be.
pub(super) fn due(sql: &impl Sql, events: i64, later: i64) -> Result<Option<i64>, SqlError> {
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
        let many = last.int().saturating_sub(folded.seq) >= FOLD_SEGMENTS || events >= FOLD_EVENTS;
        // Many are due at once, whatever the clock said when they came.
        if many {
            folded.made_at
        } else {
            midnight_after(at.int())
                .saturating_add(GRACE_MS)
                .saturating_add(later)
        }
    }))
}

/// The numbers of the folds after one that D1 may not have taken.
pub(super) fn pending_after(sql: &impl Sql, after: i64) -> Result<Vec<i64>, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells(
        "SELECT DISTINCT number FROM pending WHERE number > ?1 ORDER BY number",
        &[after.into()],
    )?;
    Ok(rows.iter().map(|[number]| number.int()).collect())
}

/// What D1 is to add for a fold that it has not taken.
pub(super) fn pending_sums(sql: &impl Sql, number: i64) -> Result<Sums, SqlError> {
    let parts: Vec<[Cell; 1]> = sql.cells(
        "SELECT sums FROM pending WHERE number = ?1 ORDER BY part",
        &[number.into()],
    )?;
    let bytes: Vec<u8> = parts
        .iter()
        .flat_map(|[sums]| sums.bytes())
        .copied()
        .collect();
    Sums::unpack(&bytes).ok_or_else(|| SqlError(format!("fold {number} cannot be read")))
}

/// The oldest fold that D1 has not taken, as the transaction that has it do so.
pub(super) fn pending(
    sql: &impl Sql,
    site: &str,
    shard: u32,
) -> Result<Option<(Cursor, Vec<Statement>)>, SqlError> {
    let Some(fold) = pending_after(sql, 0)?.first().copied() else {
        return Ok(None);
    };
    let epoch = folded(sql)?.epoch;
    let (cursor, sums) = (Cursor { epoch, fold }, pending_sums(sql, fold)?);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slices_are_all_segments_in_their_order_and_small(
            sizes in prop::collection::vec(1..2 * SLICE_BYTES, 0..40),
        ) {
            let unfolded = |(seq, bytes): (i64, &usize)| Unfolded {
                seq,
                columns: vec![0; *bytes],
                lines: None,
                identified: Vec::new(),
            };
            let all: Vec<Unfolded> = (0..).zip(&sizes).map(unfolded).collect();
            let (mut slice, mut rest) = Folding::slice(&all);
            let mut seen = Vec::new();
            while !slice.is_empty() {
                let bytes: usize = slice.iter().map(|segment| segment.columns.len()).sum();
                prop_assert!(bytes <= SLICE_BYTES || slice.len() == 1);
                seen.extend(slice.iter().map(|segment| segment.seq));
                (slice, rest) = Folding::slice(rest);
            }
            prop_assert!(seen.into_iter().eq(0..sizes.len() as i64));
        }
    }
}
