//! The shards that have ever taken a batch, so that the cron wakes those and no others: an object
//! is made near its first caller, and that must be a page's collector, not the cron.

use serde::Deserialize;

use crate::sql::Statement;

/// The statement that lets the cron know of a shard.
pub fn register_shard(site: &str, shard: u32) -> Statement {
    Statement::new(
        "INSERT INTO shards (site_id, shard) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [site.into(), i64::from(shard).into()],
    )
}

/// The statement that lists them.
pub fn list_shards() -> Statement {
    Statement::new("SELECT site_id, shard FROM shards", [])
}

/// The statement that lists them, and those that all sites may have with so many `shards`: D1 may
/// have been lost since they took a batch.
pub fn possible_shards(shards: u32) -> Statement {
    let all: Vec<u32> = (0..shards).collect();
    Statement::new(
        "SELECT site_id, shard FROM shards \
         UNION SELECT s.site_id, n.value FROM sites AS s, json_each(?1) AS n",
        [serde_json::to_string(&all).unwrap_or_default().into()],
    )
}

/// A row of [`list_shards`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShardRow {
    /// The site.
    pub site_id: String,
    /// The shard.
    pub shard: u32,
}
