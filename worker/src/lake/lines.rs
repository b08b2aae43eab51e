//! Some of an object's lines, for sinks that take events in batches.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::store::LakeStore;
use crate::sql::{Sql, SqlError};

impl<S: Sql> LakeStore<S> {
    /// The lines of some of an object's events, in the order asked for.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn lines(&self, sequence: i64, window: &[u32]) -> Result<Vec<String>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            id: i64,
            n: u32,
        }
        #[derive(Deserialize)]
        struct Lines {
            id: i64,
            lines: String,
        }
        // Counting needs no lines: only the rows that hold an event of the window are read.
        let rows: Vec<Row> = self.sql.rows(
            "SELECT id, n FROM rows WHERE sequence = ?1 ORDER BY id",
            &[sequence.into()],
        )?;
        let mut first = 0_u32;
        let mut starts = BTreeMap::new();
        for row in rows {
            let end = first.saturating_add(row.n);
            if window.iter().any(|index| (first..end).contains(index)) {
                starts.insert(row.id, first);
            }
            first = end;
        }
        let ids: Vec<i64> = starts.keys().copied().collect();
        let ids = serde_json::to_string(&ids).map_err(|error| SqlError(error.to_string()))?;
        let wanted: Vec<Lines> = self.sql.rows(
            "SELECT id, lines FROM rows WHERE id IN (SELECT value FROM json_each(?1))",
            &[ids.into()],
        )?;
        let mut by_index = BTreeMap::new();
        for row in wanted {
            let start = starts.get(&row.id).copied().unwrap_or(0);
            for (line, index) in row.lines.lines().zip(start..) {
                by_index.insert(index, line.to_owned());
            }
        }
        Ok(window
            .iter()
            .filter_map(|index| by_index.remove(index))
            .collect())
    }
}
