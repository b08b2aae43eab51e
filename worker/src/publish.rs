//! What one batch asks of its site's Durable Object, prepared once, as one JSON string.
//!
//! Counting is done here, in the isolate, so that the object, of which a site has only a few,
//! does nothing but run prepared statements.

use std::collections::{BTreeMap, BTreeSet};

use shoreline_shared::privacy::user_hash;
use shoreline_shared::stamp::StampedEvent;

use crate::auth::hex;
use crate::ingest::Platform;
use crate::live::{Counters, HOUR_MS, LiveFacts, count_event, floor_to};
use crate::outbox::{Part, cut_parts};
use crate::outcome::EventResult;
use sha2::{Digest, Sha256};

/// A batch made ready for `site_do`.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    site: String,
    shard: u32,
    json: String,
}

impl Publication {
    /// Prepares the accepted `events` of a batch and the counts of how its other events ended.
    pub fn new(
        site: &str,
        batch_id: Option<&str>,
        events: &[StampedEvent],
        results: &[EventResult],
        platform: &impl Platform,
    ) -> Self {
        let now_ms = platform.now_ms();
        let settings = platform.settings();
        let parts = cut_parts(events, || platform.fresh_id());
        let batch = batch_id
            .filter(|_| !events.is_empty())
            .map(|batch_id| (batch_id, digest(events)));
        let visitors: BTreeSet<&str> = events.iter().filter_map(StampedEvent::user_id).collect();
        let visitors: Vec<String> = visitors
            .into_iter()
            .map(|user| user_hash(&settings.hash_key, site, user))
            .collect();
        let json = write_json(
            now_ms,
            batch.as_ref(),
            &count(events, results, now_ms),
            &visitors,
            &parts,
        );
        Self {
            site: site.to_owned(),
            // Without a batch id nothing remembers the batch, and any shard will do.
            shard: batch_id
                .or(events.first().map(StampedEvent::event_id))
                .map_or(0, |id| shard_of(id, settings.shards)),
            json,
        }
    }

    /// The site.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The shard, the same for every retry of a batch.
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// The body of the call, read by [`crate::site::Commit`].
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// The shard a batch goes to: by its id, so that a retry meets the memory of the first try.
pub fn shard_of(batch_id: &str, shards: u32) -> u32 {
    let digest = Sha256::digest(batch_id.as_bytes());
    let head = digest
        .iter()
        .take(4)
        .fold(0_u32, |sum, byte| sum.wrapping_shl(8) | u32::from(*byte));
    head.checked_rem(shards).unwrap_or(0)
}

/// What tells a retry from another batch that wears the same id: the ids of its events. Events
/// that were never seen are not taken for duplicates only because a sender reused an id.
fn digest(events: &[StampedEvent]) -> String {
    let mut hasher = Sha256::new();
    for event in events {
        hasher.update(event.event_id().as_bytes());
    }
    hex(hasher.finalize().get(..16).unwrap_or_default())
}

fn count(events: &[StampedEvent], results: &[EventResult], now_ms: i64) -> Counters {
    let mut counters = Counters::default();
    for event in events {
        count_event(&mut counters, &LiveFacts::of(event), 1);
    }
    let mut outcomes: BTreeMap<&str, i64> = BTreeMap::new();
    for result in results {
        let n = outcomes.entry(result.code).or_default();
        *n = n.saturating_add(1);
    }
    for (code, n) in outcomes {
        counters.add_outcome(floor_to(now_ms, HOUR_MS), code, n);
    }
    counters
}

/// Assembles the call from pieces that are JSON already: an event is serialized once in its life.
fn write_json(
    now_ms: i64,
    batch: Option<&(&str, String)>,
    counters: &Counters,
    visitors: &[String],
    parts: &[Part],
) -> String {
    // Uuids, hex and numbers need no escaping; what may hold anything goes through serde.
    let bytes = parts
        .iter()
        .fold(512_usize, |sum, part| sum.saturating_add(part.events.len()));
    let mut json = String::with_capacity(bytes);
    json.push_str(&format!("{{\"at\":{now_ms}"));
    if let Some((id, digest)) = batch {
        json.push_str(&format!(
            ",\"batch\":{{\"id\":\"{id}\",\"digest\":\"{digest}\"}}"
        ));
    }
    json.push_str(",\"counters\":");
    json.push_str(&counters.to_json());
    json.push_str(",\"visitors\":");
    json.push_str(&serde_json::to_string(visitors).unwrap_or_default());
    json.push_str(",\"parts\":[");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(&format!(
            "{{\"id\":\"{}\",\"n\":{},\"events\":",
            part.id, part.n
        ));
        json.push_str(&part.events);
        json.push('}');
    }
    json.push_str("]}");
    json
}
