//! How much waits in the log, for `/health`.

use serde::{Deserialize, Serialize};

use super::{Log, as_i64};
use crate::base::sql::{Cell, Sql, SqlError};

/// How much waits in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OutboxBacklog))]
#[serde(rename_all = "camelCase")]
pub struct OutboxState {
    /// Rows that are not confirmed yet.
    pub parts: i64,
    /// Events in them.
    pub events: i64,
    /// Bytes of them.
    pub bytes: i64,
    /// Messages sent and not confirmed.
    pub unconfirmed_messages: i64,
    /// When the oldest was received, Unix milliseconds.
    #[cfg_attr(test, schema(required))]
    pub oldest_at: Option<i64>,
}

impl<S: Sql> Log<S> {
    /// How much waits.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn outbox_state(&self) -> Result<OutboxState, SqlError> {
        let oldest: Vec<[Cell; 1]> = self
            .sql
            .cells("SELECT at FROM log ORDER BY seq LIMIT 1", &[])?;
        let memory = self.memory.borrow();
        Ok(OutboxState {
            parts: memory.waiting.rows,
            events: memory.waiting.events,
            bytes: memory.waiting.bytes,
            unconfirmed_messages: as_i64(memory.drain.unconfirmed()),
            oldest_at: oldest.first().map(|[at]| at.int()),
        })
    }
}
