//! What has landed and what waits, by hour, for the reconciliation.

use super::partition::hour_of;
use super::store::LakeStore;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::protocol::hours::ShardHours;

impl<S: Sql> LakeStore<S> {
    /// Events that every sink has, and events that one still lacks, by the hours of their receipt
    /// from `from` (Unix milliseconds) on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hours(&self, from: i64) -> Result<ShardHours, SqlError> {
        let params = || [hour_of(from).into(), HOUR_MS.into()];
        Ok(ShardHours {
            done: self.sql.rows(
                "SELECT hour * ?2 AS bucket, '' AS key, n FROM landed WHERE hour >= ?1",
                &params(),
            )?,
            waiting: self.sql.rows(
                "SELECT hour * ?2 AS bucket, '' AS key, sum(n) AS n FROM \
                 (SELECT hour, n FROM open_hours UNION ALL SELECT hour, n FROM objects) \
                 WHERE hour >= ?1 GROUP BY hour",
                &params(),
            )?,
        })
    }
}
