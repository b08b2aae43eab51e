//! A site's hourly quota, of which each shard has its share.

use serde::Deserialize;

use super::{Commit, SiteStore, kind_name};
use crate::live::{HOUR_MS, Kind, floor_to};
use crate::sql::{Sql, SqlError};

/// What the shard may take this hour, and what the batch is.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Quota {
    max: i64,
    n: i64,
}

impl<S: Sql> SiteStore<S> {
    /// Whether the batch is more than the shard may still take this hour. A batch that was taken
    /// before needs no room.
    pub(super) fn is_over_quota(&self, commit: &Commit<'_>) -> Result<bool, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            n: i64,
            known: i64,
        }
        let Some(quota) = commit.quota else {
            return Ok(false);
        };
        let (id, digest) = match &commit.batch {
            Some(batch) => (batch.id.as_str(), batch.digest.as_str()),
            None => ("", ""),
        };
        let row: Option<Row> = self.sql.first(
            "SELECT coalesce((SELECT n FROM counters \
                              WHERE kind = ?1 AND bucket = ?2 AND key = ''), 0) AS n, \
             EXISTS (SELECT 1 FROM batches WHERE batch_id = ?3 AND digest = ?4) AS known",
            &[
                kind_name(Kind::Quota).into(),
                floor_to(commit.at, HOUR_MS).into(),
                id.into(),
                digest.into(),
            ],
        )?;
        Ok(row.is_some_and(|row| row.known == 0 && row.n.saturating_add(quota.n) > quota.max))
    }
}

/// At most an hour; a tracker's own backoff never waits for longer than half of one anyway.
pub(super) fn seconds_to_next_hour(now_ms: i64) -> u32 {
    let next = floor_to(now_ms, HOUR_MS).saturating_add(HOUR_MS);
    let seconds = next
        .saturating_sub(now_ms)
        .saturating_add(999)
        .checked_div(1_000);
    u32::try_from(seconds.unwrap_or(1).clamp(1, 3_600)).unwrap_or(3_600)
}
