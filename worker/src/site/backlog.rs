//! How full the outbox is, for `/health`.

use serde::{Deserialize, Serialize};

use super::SiteStore;
use crate::sql::{Sql, SqlError};

/// How full the outbox is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = OutboxBacklog))]
#[serde(rename_all = "camelCase")]
pub struct OutboxState {
    /// Parts that are not confirmed yet.
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

impl<S: Sql> SiteStore<S> {
    /// How full the outbox is.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn outbox_state(&self) -> Result<OutboxState, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            parts: i64,
            events: i64,
            bytes: i64,
            messages: i64,
            oldest_at: Option<i64>,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT count(*) AS parts, coalesce(sum(n), 0) AS events, \
                    coalesce(sum(bytes), 0) AS bytes, count(DISTINCT message) AS messages, \
                    min(at) AS oldest_at FROM outbox",
            &[],
        )?;
        Ok(row.map_or_else(OutboxState::default, |row| OutboxState {
            parts: row.parts,
            events: row.events,
            bytes: row.bytes,
            unconfirmed_messages: row.messages,
            oldest_at: row.oldest_at,
        }))
    }
}
