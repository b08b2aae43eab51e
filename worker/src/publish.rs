//! What one batch asks of its site's Durable Object, prepared once, as one JSON string.
//!
//! Counting is done here, in the isolate, so that the object, of which a site has only a few,
//! does nothing but run prepared statements.

use std::collections::{BTreeMap, BTreeSet};

use shoreline_shared::lines::Lines;
use shoreline_shared::privacy::user_hash;

use crate::auth::hex;
use crate::ingest::Platform;
use crate::live::{
    ACCEPTED, Counters, HOUR_MS, Kind, LiveFacts, TRACKER_DROPPED, count_event, floor_to,
};
use crate::outbox::{Part, cut_parts};
use crate::outcome::EventResult;
use crate::policy::Policy;
use crate::tally::OWN_SITE;
use sha2::{Digest, Sha256};

/// A batch made ready for `site_do`.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    site: String,
    shard: u32,
    json: String,
    is_over_any_hour: bool,
}

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The site.
    pub site: &'a str,
    /// The site's limits.
    pub policy: &'a Policy,
    /// The sender's id of the batch.
    pub batch_id: Option<&'a str>,
    /// The events to publish.
    pub events: &'a Lines,
    /// How the others ended.
    pub results: &'a [EventResult],
    /// How many the sender had to drop before.
    pub dropped: u32,
}

/// A step of an import, judged.
#[derive(Debug, Clone, Copy)]
pub struct ImportStep<'a> {
    /// The site.
    pub site: &'a str,
    /// The import.
    pub import_id: &'a str,
    /// The step's own id, the same whenever it is repeated.
    pub batch_id: &'a str,
    /// The events to publish.
    pub events: &'a Lines,
    /// How the others ended.
    pub results: &'a [EventResult],
}

impl Publication {
    /// Prepares the accepted events of a batch and the counts of how its other events ended.
    pub fn new(taken: &Taken<'_>, platform: &impl Platform) -> Self {
        let Taken {
            site,
            batch_id,
            events,
            ..
        } = *taken;
        let now_ms = platform.now_ms();
        let settings = platform.settings();
        // Without a batch id nothing remembers the batch, and any shard will do.
        let shard = batch_id
            .or(events.iter().next().map(|event| event.event_id))
            .map_or(0, |id| shard_of(id, settings.shards));
        let parts = cut_parts(events, || platform.fresh_id());
        let batch = batch_id
            .filter(|_| !events.is_empty())
            .map(|batch_id| (batch_id, digest(events)));
        let visitors: BTreeSet<&str> = events.iter().filter_map(|event| event.user_id).collect();
        let visitors: Vec<String> = visitors
            .into_iter()
            .map(|user| user_hash(&settings.hash_key, site, user))
            .collect();
        let mut counters = count(taken, now_ms);
        let quota = taken
            .policy
            .shard_quota(&settings.limits, shard, settings.shards)
            .filter(|_| !events.is_empty());
        if quota.is_some() {
            let hour = floor_to(now_ms, HOUR_MS);
            counters.add(Kind::Quota, hour, "", as_i64(events.len()));
        }
        let head = Head {
            now_ms,
            batch,
            quota,
            n: events.len(),
            import: None,
        };
        Self {
            site: site.to_owned(),
            shard,
            json: write_json(&head, &counters, &visitors, &parts),
            is_over_any_hour: head
                .quota
                .is_some_and(|max| as_i64(head.n) > i64::from(max)),
        }
    }

    /// Whether no hour of the shard would ever take a batch of this size.
    pub fn is_over_any_hour(&self) -> bool {
        self.is_over_any_hour
    }

    /// Prepares a step of an import. It happened long ago: it is in no live count and no quota, and
    /// its events end, for the ledger, in the hour they are imported in.
    pub fn of_import(
        step: &ImportStep<'_>,
        now_ms: i64,
        shards: u32,
        fresh_id: impl FnMut() -> String,
    ) -> Self {
        let ImportStep {
            site,
            import_id,
            batch_id,
            events,
            results,
        } = *step;
        let mut counters = Counters::default();
        let hour = floor_to(now_ms, HOUR_MS);
        for event in events.iter() {
            counters.add_outcome(hour, ACCEPTED, 1);
            let own = floor_to(event.received_at, HOUR_MS);
            counters.add(Kind::Imported, hour, "", -1);
            counters.add(Kind::Imported, own, "", 1);
        }
        for result in results {
            counters.add_outcome(hour, result.code, 1);
        }
        Self::known_again(
            (site, batch_id, Some(import_id)),
            events,
            &counters,
            (now_ms, shards),
            fresh_id,
        )
    }

    /// Prepares operation events for Shoreline's own site. `batch_id` is known again, so the call may
    /// be repeated.
    pub fn of_operations(
        batch_id: &str,
        events: &Lines,
        now_ms: i64,
        shards: u32,
        fresh_id: impl FnMut() -> String,
    ) -> Self {
        let mut counters = Counters::default();
        for event in events.iter() {
            count_event(&mut counters, &LiveFacts::of(&event), 1);
        }
        Self::known_again(
            (OWN_SITE, batch_id, None),
            events,
            &counters,
            (now_ms, shards),
            fresh_id,
        )
    }

    /// What Shoreline commits itself, under an id that makes it known again, beside any quota.
    fn known_again(
        (site, batch_id, import): (&str, &str, Option<&str>),
        events: &Lines,
        counters: &Counters,
        (now_ms, shards): (i64, u32),
        fresh_id: impl FnMut() -> String,
    ) -> Self {
        let head = Head {
            now_ms,
            batch: Some((batch_id, digest(events))),
            quota: None,
            n: events.len(),
            import,
        };
        let parts = cut_parts(events, fresh_id);
        Self {
            site: site.to_owned(),
            shard: shard_of(batch_id, shards),
            json: write_json(&head, counters, &[], &parts),
            is_over_any_hour: false,
        }
    }

    /// Prepares counts alone: what was refused before anything was read.
    pub fn of_counts(site: &str, counters: &Counters, now_ms: i64) -> Self {
        let head = Head {
            now_ms,
            batch: None,
            quota: None,
            n: 0,
            import: None,
        };
        Self {
            site: site.to_owned(),
            shard: 0,
            json: write_json(&head, counters, &[], &[]),
            is_over_any_hour: false,
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
fn digest(events: &Lines) -> String {
    let mut hasher = Sha256::new();
    for event in events.iter() {
        hasher.update(event.event_id.as_bytes());
    }
    hex(hasher.finalize().get(..16).unwrap_or_default())
}

fn count(taken: &Taken<'_>, now_ms: i64) -> Counters {
    let mut counters = Counters::default();
    for event in taken.events.iter() {
        count_event(&mut counters, &LiveFacts::of(&event), 1);
    }
    let mut outcomes: BTreeMap<&str, i64> = BTreeMap::new();
    for result in taken.results {
        let n = outcomes.entry(result.code).or_default();
        *n = n.saturating_add(1);
    }
    if taken.dropped > 0 {
        outcomes.insert(TRACKER_DROPPED, i64::from(taken.dropped));
    }
    for (code, n) in outcomes {
        counters.add_outcome(floor_to(now_ms, HOUR_MS), code, n);
    }
    counters
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What a call says of the batch as a whole.
struct Head<'a> {
    now_ms: i64,
    /// Its id and what tells it from another of the same id.
    batch: Option<(&'a str, String)>,
    /// What the shard may take this hour.
    quota: Option<u32>,
    /// Events in the batch.
    n: usize,
    /// The import whose step it is.
    import: Option<&'a str>,
}

/// Assembles the call from pieces that are JSON already: an event is serialized once in its life.
fn write_json(head: &Head<'_>, counters: &Counters, visitors: &[String], parts: &[Part]) -> String {
    // Uuids, hex and numbers need no escaping; what may hold anything goes through serde.
    let bytes = parts
        .iter()
        .fold(512_usize, |sum, part| sum.saturating_add(part.events.len()));
    let mut json = String::with_capacity(bytes);
    json.push_str(&format!("{{\"at\":{}", head.now_ms));
    if let Some(quota) = head.quota {
        json.push_str(&format!(",\"quota\":{{\"max\":{quota},\"n\":{}}}", head.n));
    }
    if let Some(import) = head.import {
        json.push_str(&format!(",\"import\":\"{import}\""));
    }
    if let Some((id, digest)) = &head.batch {
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
