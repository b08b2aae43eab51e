//! Appending: the events of parts become rows of lines, each part once.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::partition::hour_of;
use super::store::{LakeStore, PART_MEMORY_MS};
use crate::sorted::Map;
use crate::sql::{Sql, SqlError};

/// Bytes of lines in a row at most, but for a part that has more: several parts of a call share a row,
/// and a sink that takes some events of an object reads no more than a few of these.
const ROW_BYTES: i64 = 256_000;

/// The body of an append call.
#[derive(Debug, Deserialize)]
pub struct Append<'a> {
    /// Somebody wants these parts to land even where it is forgotten whether they did before.
    #[serde(default)]
    pub forced: bool,
    /// The parts.
    #[serde(borrow)]
    pub parts: Vec<AppendPart<'a>>,
}

/// Of a part, the events that it was the first to bring.
#[derive(Debug, Deserialize)]
pub struct AppendPart<'a> {
    /// The part.
    pub id: String,
    /// When the collector took it, Unix milliseconds.
    pub at: i64,
    /// The hours of its events' `receivedAt`, where they are not that of `at`: an import's.
    #[serde(default)]
    pub hours: Vec<i64>,
    /// A JSON array of stored events.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
}

/// Lines of one hour, not yet written.
#[derive(Debug, Default)]
struct Row {
    n: i64,
    lines: String,
}

impl Row {
    fn bytes(&self) -> i64 {
        i64::try_from(self.lines.len()).unwrap_or(i64::MAX)
    }

    fn push(&mut self, event: &str) {
        self.n = self.n.saturating_add(1);
        self.lines.push_str(event);
        self.lines.push('\n');
    }
}

impl<S: Sql> LakeStore<S> {
    /// Appends parts, each once: all of a call, or nothing.
    ///
    /// # Errors
    /// Whatever the database says, a part that is too old, or a backlog that is full; nothing was
    /// appended then, the consumer tries again, and the outbox keeps the parts.
    pub fn append(&self, append: &Append<'_>, now_ms: i64) -> Result<(), SqlError> {
        let earliest = now_ms.saturating_sub(PART_MEMORY_MS);
        if let Some(part) = append
            .parts
            .iter()
            .find(|part| !append.forced && part.at < earliest)
        {
            // Whether it was appended before is forgotten: refused, and seen in the log and the
            // backlog, rather than perhaps landed twice.
            return Err(SqlError(format!("part {} is too old", part.id)));
        }
        self.sql.transaction(&mut || {
            // What is landed by force is remembered from now on, however old it is: it may come again.
            let since = if append.forced { now_ms } else { i64::MIN };
            let mut fresh = self.remember_parts(&append.parts, since)?;
            let parts = append.parts.iter().filter(|part| fresh.remove(&part.id));
            self.append_rows(self.rows_of(parts), now_ms)
        })
    }

    /// Notes parts as appended, and returns which were not before.
    fn remember_parts(
        &self,
        parts: &[AppendPart<'_>],
        since: i64,
    ) -> Result<HashSet<String>, SqlError> {
        #[derive(Deserialize)]
        struct Fresh {
            part_id: String,
        }
        let ids: Vec<(&str, i64)> = parts
            .iter()
            .map(|part| (&*part.id, part.at.max(since)))
            .collect();
        // Texts and numbers always serialize.
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        let fresh: Vec<Fresh> = self.sql.rows(
            "INSERT INTO parts (part_id, at) \
             SELECT value->>0, value->>1 FROM json_each(?1) WHERE true \
             ON CONFLICT DO NOTHING RETURNING part_id",
            &[ids.into()],
        )?;
        Ok(fresh.into_iter().map(|row| row.part_id).collect())
    }

    /// Rows by hour, in the order the events came. None has more than an object may have, so that parts
    /// that come together make no object larger.
    fn rows_of<'a>(&self, parts: impl Iterator<Item = &'a AppendPart<'a>>) -> Map<i64, Vec<Row>> {
        let most = ROW_BYTES.min(self.rule.bytes);
        let mut rows: Map<i64, Vec<Row>> = Map::new();
        for part in parts {
            let mut of_part: Map<i64, Row> = Map::new();
            for (index, event) in part.events.iter().enumerate() {
                let hour = part.hours.get(index).copied();
                let row = of_part.entry(hour.unwrap_or(hour_of(part.at))).or_default();
                row.push(event.get());
            }
            for (hour, new) in of_part {
                let rows = rows.entry(hour).or_default();
                match rows.last_mut() {
                    Some(row) if row.bytes().saturating_add(new.bytes()) <= most => {
                        row.n = row.n.saturating_add(new.n);
                        row.lines.push_str(&new.lines);
                    }
                    _ => rows.push(new),
                }
            }
        }
        rows
    }

    fn append_rows(&self, rows: Map<i64, Vec<Row>>, now_ms: i64) -> Result<(), SqlError> {
        if rows.is_empty() {
            return Ok(());
        }
        let sum =
            |of: fn(&Row) -> i64| rows.values().flatten().map(of).fold(0, i64::saturating_add);
        let fits: Option<serde::de::IgnoredAny> = self.sql.first(
            "UPDATE backlog SET n = n + ?1, bytes = bytes + ?2 WHERE bytes + ?2 <= ?3 RETURNING n",
            &[
                sum(|row| row.n).into(),
                sum(Row::bytes).into(),
                self.backlog_bytes.into(),
            ],
        )?;
        if fits.is_none() {
            return Err(SqlError("the lake's backlog is full".to_owned()));
        }
        for (hour, rows) in rows {
            let bytes = rows.iter().map(Row::bytes).fold(0, i64::saturating_add);
            for row in rows {
                let bytes = row.bytes();
                self.sql.run(
                    "INSERT INTO rows (hour, at, n, bytes, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
                    &[
                        hour.into(),
                        now_ms.into(),
                        row.n.into(),
                        bytes.into(),
                        row.lines.into(),
                    ],
                )?;
            }
            self.open_hour(hour, bytes, now_ms)?;
        }
        Ok(())
    }
}
