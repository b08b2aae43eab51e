//! Appending: the new events of a message become segments, each row of a log once.
//!
//! [`read`] looks at a message and writes nothing; the caller packs the lines, which may wait; then
//! [`Draft::write`] is one transaction. The caller lets no other append come between the two.

use serde::{Deserialize, Serialize};

use super::prune::NEXT_SEQ;
use super::ranges::Ranges;
use super::{Event, ids, joined, segment};
use crate::base::sql::{Cell, Param, Sql, SqlError};
use crate::lake::LakeStore;
use crate::protocol::Identified;

mod read;

pub(super) use read::lines_of;
pub use read::read;

/// Of rows that brought events that came before, the ids of
/// these, until the log is certain to have heard of them; and who is to be forgotten.
pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS duplicates (log TEXT NOT NULL, row INTEGER NOT NULL, \
     at INTEGER NOT NULL, ids TEXT NOT NULL, PRIMARY KEY (log, row)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS erased (user BLOB PRIMARY KEY, alias_key TEXT NOT NULL, \
     erased_at INTEGER NOT NULL) WITHOUT ROWID",
];

/// Of one row that several archives heard duplicates of, all are told.
pub(in crate::archive) const DUPLICATE: &str = "INSERT INTO duplicates (log, row, at, ids) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (log, row) \
     DO UPDATE SET at = max(at, excluded.at), ids = (SELECT json_group_array(value) FROM \
     (SELECT value FROM json_each(duplicates.ids) UNION ALL SELECT value FROM json_each(excluded.ids)))";

/// What the consumer is told of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Of rows that brought events which came before: the row, and their ids.
    pub duplicates: Vec<(i64, Vec<String>)>,
    /// Rows that hold something else than stored events, and why. Nothing of them was appended.
    pub unreadable: Vec<(i64, String)>,
}

/// A segment that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packable {
    /// Hours since 1970 of its events' receipt.
    pub hour: i64,
    /// How many events.
    pub n: i64,
    /// When the earliest and the latest happened, Unix milliseconds.
    pub at: (i64, i64),
    /// When the latest was received, Unix milliseconds.
    pub received: i64,
    /// Its columns.
    pub columns: Vec<u8>,
    /// Its lines, to be packed.
    pub lines: String,
    /// What its events say of who somebody was before.
    pub identified: Vec<Identified>,
}

/// What an append is to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    log: String,
    rows: Vec<i64>,
    /// New duplicates; those of rows that were appended before are told, not written.
    found: Vec<(i64, Vec<String>)>,
    ids: Vec<u128>,
    told: Appended,
    /// The segments, each to be packed.
    pub segments: Vec<Packable>,
}

/// The rows of a log that were appended.
fn appended(sql: &impl Sql, log: &str) -> Result<Ranges, SqlError> {
    let rows: Vec<[Cell; 1]> =
        sql.cells("SELECT appended FROM logs WHERE log = ?1", &[log.into()])?;
    let Some([ranges]) = rows.first() else {
        return Ok(Ranges::default());
    };
    serde_json::from_str(ranges.text()).map_err(|error| SqlError(error.to_string()))
}

impl Packable {
    /// A segment of these events, all received in an hour.
    pub(super) fn of(hour: i64, entries: &[(Event<'_>, &str)]) -> Self {
        let at = entries.iter().map(|(event, _)| event.at);
        let received = entries.iter().map(|(event, _)| event.received);
        let bytes = entries.iter().map(|(_, line)| line.len().saturating_add(1));
        let mut lines = String::with_capacity(bytes.fold(0, usize::saturating_add));
        for (_, line) in entries {
            lines.push_str(line);
            lines.push('\n');
        }
        Self {
            hour,
            n: i64::try_from(entries.len()).unwrap_or(i64::MAX),
            at: (at.clone().min().unwrap_or(0), at.max().unwrap_or(0)),
            received: received.max().unwrap_or(0),
            columns: segment::encode(entries),
            lines,
            identified: Vec::new(),
        }
    }

    /// Writes it as a segment, inside the caller's transaction.
    pub(super) fn write<S: Sql>(
        &self,
        sql: &S,
        lake: &LakeStore<S>,
        packed: &[u8],
        landed: bool,
        now_ms: i64,
    ) -> Result<(), SqlError> {
        let bytes = i64::try_from(self.lines.len()).unwrap_or(i64::MAX);
        let written: Vec<[Cell; 1]> = sql.cells(
            &format!(
                "INSERT INTO segments \
                 (seq, hour, at, n, bytes, first_at, last_at, landed, columns, more, lines) \
                 VALUES ({NEXT_SEQ}, ?1, ?2, ?3, ?4, ?5, ?6, ?7, substr(?8, 1, ?10), substr(?8, ?10 + 1), ?9) \
                 RETURNING seq"
            ),
            &[
                self.hour.into(),
                // A clock that was set back must not hide what is new from who looks for it.
                now_ms.max(self.received).into(),
                self.n.into(),
                bytes.into(),
                self.at.0.into(),
                self.at.1.into(),
                i64::from(landed).into(),
                Param::Blob(self.columns.clone()),
                packed.into(),
                segment::first_part(&self.columns).into(),
            ],
        )?;
        if let Some([seq]) = written.first() {
            joined::note(sql, seq.int(), &self.identified)?;
        }
        match written.first() {
            Some([seq]) if !landed => lake.appended(self.hour, seq.int(), self.n, bytes, now_ms),
            _ => Ok(()),
        }
    }
}

impl Draft {
    /// Joins nobody: of a site whose people are in several archives.
    pub(super) fn forget_identified(&mut self) {
        for segment in &mut self.segments {
            segment.identified.clear();
        }
    }

    /// Writes it in one transaction, each segment with its packed lines, and answers what the consumer
    /// is told. With `landed` the events come from the lake and never go there.
    ///
    /// # Errors
    /// Whatever the database says, or a backlog that is full; nothing was appended then, the consumer
    /// tries again, and the log keeps the rows.
    pub fn write<S: Sql>(
        self,
        sql: &S,
        lake: &LakeStore<S>,
        packed: &[&[u8]],
        landed: bool,
        now_ms: i64,
    ) -> Result<Appended, SqlError> {
        if self.rows.is_empty() {
            return Ok(self.told);
        }
        if packed.len() != self.segments.len() {
            return Err(SqlError("segments that were not packed".to_owned()));
        }
        sql.transaction(&mut || {
            let mut ranges = appended(sql, &self.log)?;
            for row in &self.rows {
                ranges.insert(*row);
            }
            // A list of numbers always serializes.
            let ranges = serde_json::to_string(&ranges).unwrap_or_default();
            sql.run(
                "INSERT INTO logs (log, appended) VALUES (?1, ?2) \
                 ON CONFLICT (log) DO UPDATE SET appended = excluded.appended",
                &[self.log.as_str().into(), ranges.into()],
            )?;
            for (row, ids) in &self.found {
                let ids = serde_json::to_string(ids).unwrap_or_default();
                sql.run(
                    DUPLICATE,
                    &[
                        self.log.as_str().into(),
                        (*row).into(),
                        now_ms.into(),
                        ids.into(),
                    ],
                )?;
            }
            if !self.ids.is_empty() {
                ids::add(sql, &self.ids, now_ms)?;
            }
            for (segment, packed) in self.segments.iter().zip(packed) {
                segment.write(sql, lake, packed, landed, now_ms)?;
            }
            Ok(())
        })?;
        Ok(self.told)
    }
}

#[cfg(test)]
mod tests;
