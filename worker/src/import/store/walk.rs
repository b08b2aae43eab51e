//! The walk through an import's parts: its cursor, and what is counted as it moves.

use serde::Deserialize;

use super::ImportStore;
use crate::base::sorted::Map;
use crate::base::sql::{Sql, SqlError};
use crate::import::RejectedLine;
use crate::import::lines::Place;

/// Where the walk stands in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Cursor {
    pub(in crate::import) part: i64,
    pub(in crate::import) key: String,
    pub(in crate::import) at: u64,
    pub(in crate::import) bytes: u64,
    pub(in crate::import) place: Place,
}

/// What a step did.
#[derive(Debug, Default)]
pub(in crate::import) struct Done {
    pub(in crate::import) bytes: usize,
    pub(in crate::import) next: Place,
    pub(in crate::import) accepted: usize,
    pub(in crate::import) duplicate: usize,
    pub(in crate::import) rejected: usize,
    pub(in crate::import) skipped: usize,
    pub(in crate::import) shard: Option<u32>,
    pub(in crate::import) lines: Map<String, i64>,
    pub(in crate::import) listed: Vec<RejectedLine>,
}

impl<S: Sql> ImportStore<S> {
    /// The part that is read.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            n: i64,
            key: String,
            bytes: u64,
            at: u64,
            line: i64,
            skipping: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT n, key, bytes, at, line, skipping FROM parts \
             WHERE at < bytes AND lost = 0 ORDER BY begun DESC, n LIMIT 1",
            &[],
        )?;
        Ok(row.map(|row| Cursor {
            part: row.n,
            key: row.key,
            at: row.at,
            bytes: row.bytes,
            place: Place {
                line: row.line,
                skipping: row.skipping != 0,
            },
        }))
    }

    /// How often these lines came before.
    pub(in crate::import) fn counts(&self, hashes: &[&str]) -> Result<Map<String, i64>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            hash: String,
            n: i64,
        }
        if hashes.is_empty() {
            return Ok(Map::new());
        }
        let asked = serde_json::to_string(hashes).unwrap_or_default();
        let rows: Vec<Row> = self.sql.rows(
            "SELECT DISTINCT hash, n FROM json_each(?1) CROSS JOIN line_counts \
             ON line_counts.hash = value",
            &[asked.into()],
        )?;
        Ok(rows.into_iter().map(|row| (row.hash, row.n)).collect())
    }

    /// Moves the cursor over a step that is committed: with its counts, or not at all.
    pub(in crate::import) fn advance(&self, cursor: &Cursor, done: &Done) -> Result<(), SqlError> {
        let int = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.sql.transaction(&mut || {
            self.sql.run(
                "UPDATE parts SET at = at + ?2, line = ?3, skipping = ?4 WHERE n = ?1",
                &[
                    cursor.part.into(),
                    int(done.bytes).into(),
                    done.next.line.into(),
                    i64::from(done.next.skipping).into(),
                ],
            )?;
            self.sql.run(
                "UPDATE import SET accepted = accepted + ?1, duplicate = duplicate + ?2, \
                 rejected = rejected + ?3, skipped = skipped + ?4",
                &[
                    int(done.accepted).into(),
                    int(done.duplicate).into(),
                    int(done.rejected).into(),
                    int(done.skipped).into(),
                ],
            )?;
            if let Some(shard) = done.shard {
                self.sql.run(
                    "INSERT INTO shards (shard) VALUES (?1) ON CONFLICT DO NOTHING",
                    &[i64::from(shard).into()],
                )?;
            }
            if !done.lines.is_empty() {
                let lines: Vec<(&String, &i64)> = done.lines.iter().collect();
                self.sql.run(
                    "INSERT INTO line_counts (hash, n) \
                     SELECT value->>0, value->>1 FROM json_each(?1) WHERE true \
                     ON CONFLICT (hash) DO UPDATE SET n = excluded.n",
                    &[serde_json::to_string(&lines).unwrap_or_default().into()],
                )?;
            }
            self.list_rejected(&done.listed)
        })
    }

    /// Notes that a part is begun: from now on it comes before any other, so that a step that is
    /// repeated meets what it met before, and is known again for the same.
    pub(in crate::import) fn begin(&self, cursor: &Cursor) -> Result<(), SqlError> {
        if cursor.at > 0 {
            return Ok(());
        }
        self.sql.run(
            "UPDATE parts SET begun = 1 WHERE n = ?1",
            &[cursor.part.into()],
        )
    }

    /// Gives a part up whose object is gone.
    pub(in crate::import) fn lose(&self, part: i64) -> Result<(), SqlError> {
        self.sql
            .run("UPDATE parts SET lost = 1 WHERE n = ?1", &[part.into()])
    }
}
