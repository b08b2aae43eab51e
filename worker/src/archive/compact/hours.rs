//! Which hours are to be looked at, and when.

use super::{MOST_BYTES, MOST_EVENTS};
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::lake::HELD;

/// Hours whose segments are to be looked at: `due_at`, when, Unix milliseconds.
pub(in super::super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS compacting (hour INTEGER PRIMARY KEY, due_at INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS compacting_due ON compacting (due_at)",
];

/// How long after its end, or after it was noted, an hour is due, in milliseconds: all that came in it has been
/// folded and has landed then, mostly. What waits is looked at again as long after.
const WAIT_MS: i64 = 2 * HOUR_MS;

/// Notes the hours of segments that are folded, in the fold's transaction: those after `after` up to `through`.
pub(in super::super) fn note(
    sql: &impl Sql,
    after: i64,
    through: i64,
    now_ms: i64,
) -> Result<(), SqlError> {
    sql.run(
        "INSERT INTO compacting (hour, due_at) \
         SELECT DISTINCT hour, max((hour + 1) * ?3, ?4) + ?5 FROM segments \
         WHERE seq > ?1 AND seq <= ?2 ON CONFLICT DO NOTHING",
        &[
            after.into(),
            through.into(),
            HOUR_MS.into(),
            now_ms.into(),
            WAIT_MS.into(),
        ],
    )
}

/// When the next hour is to be looked at, Unix milliseconds.
pub(in crate::archive) fn due(sql: &impl Sql) -> Result<Option<i64>, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells("SELECT min(due_at) FROM compacting", &[])?;
    Ok(match rows.first() {
        Some([Cell::Int(due)]) => Some(*due),
        _ => None,
    })
}

/// The next hour that is to be looked at now.
pub(super) fn next(sql: &impl Sql, now_ms: i64) -> Result<Option<i64>, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells(
        "SELECT hour FROM compacting WHERE due_at <= ?1 ORDER BY due_at, hour LIMIT 1",
        &[now_ms.into()],
    )?;
    Ok(rows.first().map(|[hour]| hour.int()))
}

/// Forgets an hour that has nothing to do, or looks at it again later where some of it waits.
pub(super) fn leave(sql: &impl Sql, hour: i64, folded: i64, now_ms: i64) -> Result<(), SqlError> {
    let waiting: Option<serde::de::IgnoredAny> = sql.first(
        &format!(
            "SELECT seq FROM segments WHERE hour = ?1 AND bytes < ?2 AND n < ?3 \
             AND (seq > ?4 OR {HELD}) LIMIT 1"
        ),
        &[
            hour.into(),
            (MOST_BYTES / 2).into(),
            (MOST_EVENTS / 2).into(),
            folded.into(),
        ],
    )?;
    match waiting {
        Some(_) => sql.run(
            "UPDATE compacting SET due_at = ?2 WHERE hour = ?1",
            &[hour.into(), now_ms.saturating_add(WAIT_MS).into()],
        ),
        None => sql.run("DELETE FROM compacting WHERE hour = ?1", &[hour.into()]),
    }
}
