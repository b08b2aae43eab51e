//! How full a lake shard is, for `/health`.

use serde::{Deserialize, Serialize};

use super::store::LakeStore;
use crate::sql::{Sql, SqlError};

/// How full a lake shard is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LakeState {
    /// Events appended and not known to have landed.
    pub pending_events: i64,
    /// Sealed objects not known to have landed.
    pub pending_objects: i64,
    /// Puts tried for the object that was tried most.
    pub most_tries: i64,
    /// Objects whose key holds something else.
    pub conflicts: i64,
    /// Events known to have landed, ever.
    pub landed_events: i64,
    /// Objects known to have landed, ever.
    pub landed_objects: i64,
}

impl<S: Sql> LakeStore<S> {
    /// How full the shard is.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self) -> Result<LakeState, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            pending_events: i64,
            pending_objects: i64,
            most_tries: i64,
            conflicts: i64,
            landed_events: i64,
            landed_objects: i64,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT landed_events, landed_objects, \
                (SELECT coalesce(sum(n), 0) FROM rows) AS pending_events, \
                (SELECT count(*) FROM objects) AS pending_objects, \
                (SELECT coalesce(max(tries), 0) FROM objects) AS most_tries, \
                (SELECT count(*) FROM objects WHERE conflict = 1) AS conflicts FROM shard",
            &[],
        )?;
        Ok(row.map_or_else(LakeState::default, |row| LakeState {
            pending_events: row.pending_events,
            pending_objects: row.pending_objects,
            most_tries: row.most_tries,
            conflicts: row.conflicts,
            landed_events: row.landed_events,
            landed_objects: row.landed_objects,
        }))
    }
}
