//! What shards say of their hours.

use serde::{Deserialize, Serialize};

/// One count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The bucket's start in Unix milliseconds, 0 where the count is over all of them.
    #[serde(default)]
    pub bucket: i64,
    /// What is counted.
    pub key: String,
    /// How often.
    pub n: i64,
}

/// What `site_do` or `archive_do` says of the hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardHours {
    /// `site_do`: accepted; `archive_do`: landed. By hour, keys empty.
    pub done: Vec<Entry>,
    /// What waits there, by hour.
    pub waiting: Vec<Entry>,
}
