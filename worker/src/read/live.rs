//! `GET /v1/analytics/live`: what happens now, over all shards of a site.

use serde::Serialize;

use crate::archive::Joined;
use crate::base::sort;
use crate::base::sorted::Map;
use crate::base::time::MINUTE_MS;
use crate::log::{LIVE_MINUTES, Snapshot, first_minute};
use crate::protocol::Identified;
use crate::protocol::hours::Entry;

/// Pages and features named at most.
pub const TOP: usize = 20;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// When it was counted, Unix milliseconds.
    pub as_of: i64,
    /// Distinct users of the last five minutes.
    pub active_users: usize,
    /// The last 60 minutes, the running one last.
    pub minutes: Vec<Minute>,
    /// The most viewed pages of these minutes.
    pub top_pages: Vec<Top>,
    /// The most used features of these minutes.
    pub top_features: Vec<Top>,
}

impl Live {
    /// Whether nothing is in the window that time could take out of it.
    pub fn is_empty(&self) -> bool {
        self.active_users == 0 && self.minutes.iter().all(|minute| minute.counts.is_empty())
    }
}

/// One minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = LiveMinute))]
pub struct Minute {
    /// Its start, Unix milliseconds.
    pub minute: i64,
    /// Events by type.
    pub counts: Map<String, i64>,
}

/// One row of a top list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Top {
    /// What.
    pub key: String,
    /// How often.
    pub count: i64,
}

/// Unites the shards' snapshots: counts are summed, users are united by hash.
pub fn unite(shards: Vec<Snapshot>, now_ms: i64) -> Live {
    let first = first_minute(now_ms);
    let mut minutes: Map<i64, Map<String, i64>> = (0..LIVE_MINUTES)
        .map(|i| {
            (
                first.saturating_add(i.saturating_mul(MINUTE_MS)),
                Map::new(),
            )
        })
        .collect();
    let (mut pages, mut features) = (Map::new(), Map::new());
    let mut users: Vec<u64> = Vec::new();
    let mut identified: Vec<Identified> = Vec::new();
    for shard in shards {
        for entry in shard.minutes {
            // A shard's clock may be a moment ahead: its newest minute is not shown yet.
            if let Some(counts) = minutes.get_mut(&entry.bucket) {
                sum(counts, entry);
            }
        }
        shard
            .pages
            .into_iter()
            .for_each(|entry| sum(&mut pages, entry));
        shard
            .features
            .into_iter()
            .for_each(|entry| sum(&mut features, entry));
        let visitors = shard.visitors.iter();
        users.extend(visitors.filter_map(|user| u64::from_str_radix(user, 16).ok()));
        let told = shard.identified.iter();
        identified.extend(told.filter_map(|one| Identified::parse(one)));
    }
    Live {
        as_of: now_ms,
        active_users: distinct(users, identified),
        minutes: minutes
            .into_iter()
            .map(|(minute, counts)| Minute { minute, counts })
            .collect(),
        top_pages: top(pages),
        top_features: top(features),
    }
}

/// How many people these users are: who is one of them is as lately was said.
fn distinct(users: Vec<u64>, identified: Vec<Identified>) -> usize {
    let joined = Joined::of_all(identified);
    let mut people: Vec<(u64, u32)> = Vec::with_capacity(users.len());
    for user in users {
        people.push((joined.person(user), 0));
    }
    sort::sort_pairs(&mut people);
    people.dedup();
    people.len()
}

/// Adds a shard's count to the site's.
pub fn sum(counts: &mut Map<String, i64>, entry: Entry) {
    let n = counts.entry(entry.key).or_default();
    *n = n.saturating_add(entry.n);
}

fn top(counts: Map<String, i64>) -> Vec<Top> {
    let mut rows: Vec<Top> = counts
        .into_iter()
        .map(|(key, count)| Top { key, count })
        .collect();
    // Stable: equal counts stay in the order of their keys.
    sort::sort_by(&mut rows, |a, b| b.count.cmp(&a.count));
    rows.truncate(TOP);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bucket: i64, key: &str, n: i64) -> Entry {
        Entry {
            bucket,
            key: key.into(),
            n,
        }
    }

    #[test]
    fn shards_are_summed_and_their_users_united() {
        let now = 1_705_334_430_000;
        let minute = 1_705_334_400_000;
        let shard = |users: &[&str]| Snapshot {
            minutes: vec![
                entry(minute, "page_view", 2),
                entry(minute - 59 * MINUTE_MS, "error", 1),
                entry(minute + MINUTE_MS, "page_view", 9),
            ],
            pages: vec![entry(0, "/b", 1), entry(0, "/a", 1)],
            features: (0..30)
                .map(|i| entry(0, &format!("f{i:02}"), i + 1))
                .collect(),
            visitors: users.iter().map(|u| (*u).to_owned()).collect(),
            identified: Vec::new(),
        };
        let live = unite(vec![shard(&["a1", "a2"]), shard(&["a2", "a3"])], now);
        assert_eq!(live.active_users, 3);
        // One shard heard that a1 is a3, another, later, that it is a2.
        let said = |at: i64, user: u64| {
            let one = Identified {
                anonymous: 0xa1,
                at,
                id: 7,
                user,
            };
            vec![one.text(), "…".to_owned()]
        };
        let mut shards = vec![shard(&["a1", "a2"]), shard(&["a2", "a3"])];
        shards[1].identified = said(now, 0xa3);
        shards[0].identified = said(now + 1, 0xa2);
        assert_eq!(unite(shards, now).active_users, 2);
        assert_eq!(live.minutes.len(), 60);
        assert_eq!(live.minutes[59].minute, minute);
        assert_eq!(live.minutes[59].counts["page_view"], 4);
        assert_eq!(live.minutes[0].counts["error"], 2);
        assert!(live.minutes[1..59].iter().all(|m| m.counts.is_empty()));
        let pages: Vec<&str> = live.top_pages.iter().map(|t| t.key.as_str()).collect();
        assert_eq!(pages, ["/a", "/b"]);
        assert_eq!(live.top_features.len(), TOP);
        assert_eq!(
            (
                live.top_features[0].key.as_str(),
                live.top_features[0].count
            ),
            ("f29", 60)
        );
    }
}
