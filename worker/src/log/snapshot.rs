//! Reading the counts of one shard.

use serde::{Deserialize, Serialize};

use super::{ACTIVE_MS, LIVE_MINUTES, Log, OutboxState};
use crate::base::sort;
use crate::base::sorted::Map;
use crate::base::sql::{Sql, SqlError};
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::protocol::counters::{ACCEPTED, Kind};
use crate::protocol::hours::Entry;
use crate::protocol::hours::ShardHours;

/// Keys of a kind that a shard tells where it is not the only one: the merged view shows 20, and as
/// long as a shard sees fewer distinct pages or features an hour than this, its sums are exact. With
/// the longest keys (`MAX_KEY_CHARS` in `live`) that is half a megabyte.
pub(crate) const MAX_KEYS: usize = 1_000;

/// Users that a shard names at most: 16 hex characters each, about 1 MB. Above it the count of
/// active users stays behind, which is better than an isolate that runs out of memory.
pub(crate) const MAX_VISITORS: usize = 50_000;

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
    /// What was said lately of who is who, each an [`Identified`](crate::protocol::Identified) as a text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identified: Vec<String>,
}

/// What `/health` asks of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How full its log is.
    pub outbox: OutboxState,
    /// Outcomes of the last 24 hours.
    pub outcomes: Vec<Entry>,
}

impl<S: Sql> Log<S> {
    /// The shard's live counts at `now_ms`.
    pub fn snapshot(&self, now_ms: i64) -> Snapshot {
        let from = first_minute(now_ms);
        let memory = self.memory.borrow();
        let mut visitors: Vec<String> = memory
            .counts
            .active(now_ms)
            .take(MAX_VISITORS)
            .map(|hash| format!("{hash:016x}"))
            .collect();
        sort::sort(&mut visitors);
        drop(memory);
        Snapshot {
            minutes: self.entries(Kind::Type, from),
            pages: self.sums(Kind::Page, from),
            features: self.sums(Kind::Feature, from),
            visitors,
            identified: self.identified(now_ms),
        }
    }

    fn identified(&self, now_ms: i64) -> Vec<String> {
        let from = first_minute(now_ms.saturating_sub(ACTIVE_MS));
        let memory = self.memory.borrow();
        let all = memory.counts.of(Kind::Identified, from);
        let all = all.flat_map(|(_, keys)| keys.iter());
        let all = all.filter(|(_, n)| **n > 0).take(MAX_VISITORS);
        all.map(|(text, _)| text.clone()).collect()
    }

    /// What `/health` asks of the shard at `now_ms`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn state(&self, now_ms: i64) -> Result<State, SqlError> {
        Ok(State {
            outbox: self.outbox_state()?,
            outcomes: self.sums(Kind::Outcome, now_ms.saturating_sub(24 * HOUR_MS)),
        })
    }

    /// The shard's outcomes by hour and code, of the hours that begin from `from` on.
    pub fn outcomes(&self, from: i64) -> Vec<Entry> {
        self.entries(Kind::Outcome, from)
    }

    /// Events accepted, and events that wait in the log, by the hours that begin from `from` on.
    pub fn hours(&self, from: i64) -> ShardHours {
        let memory = self.memory.borrow();
        let mut done: Map<i64, i64> = Map::new();
        let accepted = memory.counts.of(Kind::Outcome, from);
        let accepted = accepted.filter_map(|(hour, codes)| Some((hour, codes.get(ACCEPTED)?)));
        let imported = memory.counts.of(Kind::Imported, from);
        let imported = imported.flat_map(|(hour, keys)| keys.values().map(move |n| (hour, n)));
        for (hour, n) in accepted.chain(imported) {
            let sum = done.entry(hour).or_default();
            *sum = sum.saturating_add(*n);
        }
        ShardHours {
            done: done.into_iter().map(of_hour).collect(),
            waiting: memory
                .waiting
                .hours
                .range(from..)
                .map(|(hour, n)| of_hour((*hour, *n)))
                .collect(),
        }
    }

    /// By bucket and key.
    fn entries(&self, kind: Kind, from: i64) -> Vec<Entry> {
        let memory = self.memory.borrow();
        memory
            .counts
            .of(kind, from)
            .flat_map(|(bucket, keys)| {
                keys.iter()
                    .filter(|(_, n)| **n > 0)
                    .map(move |(key, n)| Entry {
                        bucket,
                        key: key.clone(),
                        n: *n,
                    })
            })
            .collect()
    }

    /// By key over all buckets, the largest first.
    fn sums(&self, kind: Kind, from: i64) -> Vec<Entry> {
        let memory = self.memory.borrow();
        let mut sums: Map<&str, i64> = Map::new();
        for (_, keys) in memory.counts.of(kind, from) {
            for (key, n) in keys {
                let sum = sums.entry(key).or_default();
                *sum = sum.saturating_add(*n);
            }
        }
        let mut sums: Vec<(&str, i64)> = sums.into_iter().filter(|(_, n)| *n > 0).collect();
        sort::sort_by(&mut sums, |(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
        sums.truncate(MAX_KEYS);
        sums.into_iter()
            .map(|(key, n)| Entry {
                bucket: 0,
                key: key.to_owned(),
                n,
            })
            .collect()
    }
}

fn of_hour((bucket, n): (i64, i64)) -> Entry {
    Entry {
        bucket,
        key: String::new(),
        n,
    }
}

/// The first of the 60 minutes that the live view shows, the running one being the last.
pub fn first_minute(now_ms: i64) -> i64 {
    floor_to(now_ms, MINUTE_MS)
        .saturating_sub(LIVE_MINUTES.saturating_sub(1).saturating_mul(MINUTE_MS))
}
