//! Retention: segments go when the latest of their events is too old, as soon as all that is made of them
//! is made. A segment that also has younger events stays, and answers pass the older ones by.

use serde::{Deserialize, Serialize};

use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::DAY_MS;
use crate::lake::HELD;

/// `pruned`: the first moment whose events are kept, how far the segments were looked at for it, and the
/// first one that had to wait; `gone`: the highest number of a segment that was deleted. `pruned_days`: days
/// of receipt of which segments are gone; these tell less than was counted by receipt.
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS pruned (id INTEGER PRIMARY KEY CHECK (id = 1), \
     kept_from INTEGER NOT NULL, after INTEGER NOT NULL, waiting INTEGER, \
     gone INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS pruned_days (day INTEGER PRIMARY KEY)",
];

/// The number of the next segment, as SQL: SQLite would give the number of the latest one again where that
/// was deleted, and whatever has come that far would pass the new one by.
pub(super) const NEXT_SEQ: &str = "(SELECT 1 + max(coalesce((SELECT max(seq) FROM segments), 0), \
     coalesce((SELECT gone FROM pruned), 0)))";

/// Segments that a step looks at: without their columns and lines, some milliseconds.
const MAX_LOOKED_AT: i64 = 2_000;

/// Segments that a step deletes at most.
const MAX_SEGMENTS: usize = 200;

/// Bytes of their lines, before these were packed: some 10 MB of pages that SQLite gives back.
const MAX_BYTES: i64 = 100_000_000;

/// Rows that tell of duplicates that a step deletes at most.
const MAX_DUPLICATES: i64 = 2_000;

/// How long these are kept, in milliseconds: a log asks again for as long as it has not heard of a row, and
/// keeps rows for two weeks at most.
const DUPLICATES_KEPT_MS: i64 = 30 * DAY_MS;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Segments that were deleted.
    pub segments: i64,
    /// Whether the next step has something to do now.
    pub more: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
struct State {
    kept_from: i64,
    after: i64,
    waiting: Option<i64>,
}

/// Deletes some of what happened before `kept_from`, Unix milliseconds, and is folded up to `folded`, a
/// segment's number: one transaction. What a sink still has to get stays until it has it.
///
/// # Errors
/// Whatever the database says; nothing is deleted then.
pub fn prune(sql: &impl Sql, kept_from: i64, folded: i64, now_ms: i64) -> Result<Pruned, SqlError> {
    sql.transaction(&mut || {
        let known = load(sql)?;
        let mut state = match known {
            // A longer retention brings nothing back.
            Some(known) if kept_from <= known.kept_from => State { kept_from, ..known },
            _ => {
                // A new day. What tells of duplicates has no index by time, so that is its turn, too.
                if forget_duplicates(sql, now_ms)? {
                    let more = true;
                    return Ok(Pruned { segments: 0, more });
                }
                State {
                    kept_from,
                    after: 0,
                    waiting: None,
                }
            }
        };
        let (old, more) = look(sql, &mut state, folded)?;
        if !old.is_empty() {
            let seqs = serde_json::to_string(&old).unwrap_or_default();
            sql.run(
                "INSERT INTO pruned_days (day) SELECT DISTINCT hour / 24 FROM segments \
                 WHERE seq IN (SELECT value FROM json_each(?1)) ON CONFLICT DO NOTHING",
                &[seqs.as_str().into()],
            )?;
            sql.run(
                "DELETE FROM segments WHERE seq IN (SELECT value FROM json_each(?1))",
                &[seqs.into()],
            )?;
        }
        save(sql, known, state)?;
        if let Some(last) = old.last() {
            sql.run("UPDATE pruned SET gone = max(gone, ?1)", &[(*last).into()])?;
        }
        Ok(Pruned {
            segments: i64::try_from(old.len()).unwrap_or(i64::MAX),
            more,
        })
    })
}

/// The first moment whose events are kept, Unix milliseconds, as was said last.
pub(super) fn kept_from(sql: &impl Sql) -> Result<i64, SqlError> {
    Ok(load(sql)?.map_or(0, |state| state.kept_from))
}

fn load(sql: &impl Sql) -> Result<Option<State>, SqlError> {
    let rows: Vec<[Cell; 3]> = sql.cells("SELECT kept_from, after, waiting FROM pruned", &[])?;
    Ok(rows.first().map(|[kept_from, after, waiting]| State {
        kept_from: kept_from.int(),
        after: after.int(),
        waiting: match waiting {
            Cell::Int(seq) => Some(*seq),
            _ => None,
        },
    }))
}

fn save(sql: &impl Sql, known: Option<State>, state: State) -> Result<(), SqlError> {
    let of = |state: State| (state.kept_from, state.after, state.waiting);
    if known.map(of) == Some(of(state)) {
        return Ok(());
    }
    sql.run(
        "INSERT INTO pruned (id, kept_from, after, waiting) VALUES (1, ?1, ?2, ?3) \
         ON CONFLICT (id) DO UPDATE SET kept_from = excluded.kept_from, after = excluded.after, \
         waiting = excluded.waiting",
        &[
            state.kept_from.into(),
            state.after.into(),
            state.waiting.into(),
        ],
    )
}

/// The next segments that are to be deleted, and whether there may be more to look at.
fn look(sql: &impl Sql, state: &mut State, folded: i64) -> Result<(Vec<i64>, bool), SqlError> {
    let query = format!(
        "SELECT seq, bytes, last_at < ?2, CASE WHEN last_at < ?2 THEN seq <= ?3 AND NOT {HELD} END \
         FROM segments WHERE seq > ?1 ORDER BY seq LIMIT ?4"
    );
    let rows: Vec<[Cell; 4]> = sql.cells(
        &query,
        &[
            state.after.into(),
            state.kept_from.into(),
            folded.into(),
            MAX_LOOKED_AT.into(),
        ],
    )?;
    let (mut old, mut sum) = (Vec::new(), 0_i64);
    for [seq, bytes, is_old, may_go] in &rows {
        let seq = seq.int();
        if is_old.int() == 1 && may_go.int() == 1 {
            sum = sum.saturating_add(bytes.int());
            let is_full = old.len() >= MAX_SEGMENTS || sum > MAX_BYTES;
            if is_full && !old.is_empty() {
                return Ok((old, true));
            }
            old.push(seq);
        } else if is_old.int() == 1 {
            state.waiting.get_or_insert(seq);
        }
        state.after = seq;
    }
    let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < MAX_LOOKED_AT);
    if is_last && let Some(first) = state.waiting.take() {
        state.after = first.saturating_sub(1);
    }
    Ok((old, !is_last))
}

/// Forgets some duplicates that no log asks for any more; whether there may be more.
fn forget_duplicates(sql: &impl Sql, now_ms: i64) -> Result<bool, SqlError> {
    let gone: Vec<[Cell; 1]> = sql.cells(
        "DELETE FROM duplicates WHERE (log, row) IN \
         (SELECT log, row FROM duplicates WHERE at < ?1 LIMIT ?2) RETURNING row",
        &[
            now_ms.saturating_sub(DUPLICATES_KEPT_MS).into(),
            MAX_DUPLICATES.into(),
        ],
    )?;
    Ok(i64::try_from(gone.len()).is_ok_and(|gone| gone >= MAX_DUPLICATES))
}

#[cfg(test)]
mod tests;
