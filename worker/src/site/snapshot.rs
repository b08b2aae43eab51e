//! Reading the live counts of one shard.

use serde::{Deserialize, Serialize};

use super::{ACTIVE_MS, LIVE_MINUTES, OutboxState, SiteStore, kind_name};
use crate::live::{ACCEPTED, HOUR_MS, Kind, MINUTE_MS, floor_to};
use crate::read::reconciliation::ShardHours;
use crate::sql::{Sql, SqlError};

/// Keys of a kind that a shard tells where it is not the only one: the merged view shows 20, and as
/// long as a shard sees fewer distinct pages or features an hour than this, its sums are exact. With
/// the longest keys (`MAX_KEY_CHARS` in `live`) that is half a megabyte.
pub(crate) const MAX_KEYS: i64 = 1_000;

/// Users that a shard names at most: 16 hex characters each, about 1 MB. Above it the count of
/// active users stays behind, which is better than an isolate that runs out of memory.
pub(crate) const MAX_VISITORS: i64 = 50_000;

/// The live counts of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Events by minute and type.
    pub minutes: Vec<Entry>,
    /// Views by page, of the last hour.
    pub pages: Vec<Entry>,
    /// Uses by feature, of the last hour.
    pub features: Vec<Entry>,
    /// Keyed hashes of the users of the last five minutes: shards unite them, for a sum would
    /// count a user of two shards twice.
    pub visitors: Vec<String>,
}

/// What `/health` asks of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How full its outbox is.
    pub outbox: OutboxState,
    /// Outcomes of the last 24 hours.
    pub outcomes: Vec<Entry>,
}

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

impl<S: Sql> SiteStore<S> {
    /// The shard's live counts at `now_ms`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn snapshot(&self, now_ms: i64) -> Result<Snapshot, SqlError> {
        #[derive(Deserialize)]
        struct Visitor {
            hash: String,
        }
        let from = first_minute(now_ms);
        let visitors: Vec<Visitor> = self.sql.rows(
            "SELECT hash FROM visitors WHERE seen_at > ?1 LIMIT ?2",
            &[now_ms.saturating_sub(ACTIVE_MS).into(), MAX_VISITORS.into()],
        )?;
        Ok(Snapshot {
            minutes: self.sql.rows(
                "SELECT bucket, key, n FROM counters \
                 WHERE kind = ?1 AND bucket >= ?2 AND n > 0 ORDER BY bucket, key",
                &[kind_name(Kind::Type).into(), from.into()],
            )?,
            pages: self.sums(Kind::Page, from)?,
            features: self.sums(Kind::Feature, from)?,
            visitors: visitors.into_iter().map(|row| row.hash).collect(),
        })
    }

    /// What `/health` asks of the shard at `now_ms`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self, now_ms: i64) -> Result<State, SqlError> {
        Ok(State {
            outbox: self.outbox_state()?,
            outcomes: self.sums(Kind::Outcome, now_ms.saturating_sub(24 * HOUR_MS))?,
        })
    }

    /// The shard's outcomes by hour and code, of the hours that begin from `from` on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn outcomes(&self, from: i64) -> Result<Vec<Entry>, SqlError> {
        self.sql.rows(
            "SELECT bucket, key, n FROM counters \
             WHERE kind = ?1 AND bucket >= ?2 AND n > 0 ORDER BY bucket, key",
            &[kind_name(Kind::Outcome).into(), from.into()],
        )
    }

    /// Events accepted, and events that wait in the outbox, by the hours that begin from `from` on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn hours(&self, from: i64) -> Result<ShardHours, SqlError> {
        Ok(ShardHours {
            done: self.sql.rows(
                "SELECT bucket, '' AS key, sum(n) AS n FROM counters \
                 WHERE bucket >= ?2 AND (kind = ?1 AND key = ?3 OR kind = ?4) \
                 GROUP BY bucket ORDER BY bucket",
                &[
                    kind_name(Kind::Outcome).into(),
                    from.into(),
                    ACCEPTED.into(),
                    kind_name(Kind::Imported).into(),
                ],
            )?,
            waiting: self.sql.rows(
                "SELECT bucket, '' AS key, sum(n) AS n FROM ( \
                    SELECT at - at % ?2 AS bucket, n FROM outbox WHERE at >= ?1 \
                    AND part_id NOT IN (SELECT part_id FROM import_parts) \
                    UNION ALL SELECT e.value->>'receivedAt' - e.value->>'receivedAt' % ?2, 1 \
                    FROM import_parts CROSS JOIN outbox USING (part_id), \
                    json_each(outbox.events) AS e WHERE e.value->>'receivedAt' >= ?1) \
                 GROUP BY bucket",
                &[from.into(), HOUR_MS.into()],
            )?,
        })
    }

    fn sums(&self, kind: Kind, from: i64) -> Result<Vec<Entry>, SqlError> {
        self.sql.rows(
            "SELECT 0 AS bucket, key, sum(n) AS n FROM counters \
             WHERE kind = ?1 AND bucket >= ?2 GROUP BY key HAVING sum(n) > 0 \
             ORDER BY n DESC, key LIMIT ?3",
            &[kind_name(kind).into(), from.into(), MAX_KEYS.into()],
        )
    }
}

/// The first of the 60 minutes that the live view shows, the running one being the last.
pub fn first_minute(now_ms: i64) -> i64 {
    floor_to(now_ms, MINUTE_MS)
        .saturating_sub(LIVE_MINUTES.saturating_sub(1).saturating_mul(MINUTE_MS))
}
