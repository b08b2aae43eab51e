//! What is open of each hour, counted along.
//!
//! Live traffic has one hour open, or two; an import of 45 days a thousand of them, with rows of a
//! few events each. What is due must be found without adding all those rows up at every append.

use super::store::LakeStore;
use crate::sql::{Sql, SqlError};

/// `since`: when the oldest open row of the hour came, Unix milliseconds.
pub(super) const SCHEMA: [&str; 1] = ["CREATE TABLE IF NOT EXISTS open_hours (\
     hour INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, since INTEGER NOT NULL)"];

/// Counts what was open before hours were counted.
pub(super) fn fill(sql: &impl Sql) -> Result<(), SqlError> {
    sql.run(
        "INSERT INTO open_hours (hour, bytes, since) \
         SELECT hour, sum(bytes), min(at) FROM rows WHERE sequence IS NULL \
         AND NOT EXISTS (SELECT 1 FROM open_hours) GROUP BY hour",
        &[],
    )
}

impl<S: Sql> LakeStore<S> {
    /// Counts a row that was appended.
    pub(super) fn open_hour(&self, hour: i64, bytes: i64, now_ms: i64) -> Result<(), SqlError> {
        self.sql.run(
            "INSERT INTO open_hours (hour, bytes, since) VALUES (?1, ?2, ?3) \
             ON CONFLICT (hour) DO UPDATE SET bytes = bytes + excluded.bytes",
            &[hour.into(), bytes.into(), now_ms.into()],
        )
    }

    /// Counts an hour again, of which rows were sealed.
    pub(super) fn recount_hour(&self, hour: i64) -> Result<(), SqlError> {
        self.sql
            .run("DELETE FROM open_hours WHERE hour = ?1", &[hour.into()])?;
        self.sql.run(
            "INSERT INTO open_hours (hour, bytes, since) \
             SELECT hour, sum(bytes), min(at) FROM rows \
             WHERE sequence IS NULL AND hour = ?1 GROUP BY hour",
            &[hour.into()],
        )
    }
}
