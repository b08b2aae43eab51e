//! What one batch asks of its site's log, prepared once, as bytes ([`crate::protocol::commit`]).
//!
//! Counting is done here, in the isolate, so that the object, of which a site has only a few, adds
//! sums and writes rows.

use serde_json::Value;
use sha2::{Digest, Sha256};
use shoreline_shared::event_type::IDENTIFY;
use shoreline_shared::id;
use shoreline_shared::lines::Lines;
use shoreline_shared::privacy::user_hash;

use crate::access::policy::Policy;
use crate::base::hash::{hex, sha256};
use crate::base::sorted::Map;
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::http::outcome::EventResult;
use crate::ingest::Platform;
use crate::protocol::commit::{BatchName, Head, write};
use crate::protocol::counters::{
    ACCEPTED, Counters, Kind, LiveFacts, TRACKER_DROPPED, count_event,
};
use crate::protocol::names::OWN_SITE;
use crate::protocol::{Identified, identifies};

/// A batch made ready for `site_do`.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    site: String,
    shard: u32,
    body: Vec<u8>,
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

/// What of the events says who somebody is that is known by another id.
fn identified<'a>(
    site: &'a str,
    events: &'a Lines,
    key: &'a [u8],
) -> impl Iterator<Item = Identified> + 'a {
    let all = events.iter().filter(|event| event.event_type == IDENTIFY);
    all.filter_map(move |event| {
        let stored: Value = serde_json::from_str(event.json).ok()?;
        let anonymous = stored.get("eventData")?.get("anonymousId")?.as_str()?;
        let is_told = identifies(event.event_type, event.user_id, anonymous);
        let hash = |id: &str| u64::from_str_radix(&user_hash(key, site, id), 16).ok();
        let one = Identified {
            anonymous: hash(anonymous)?,
            at: event.timestamp,
            id: id::uuid_bits(event.event_id)?,
            user: hash(event.user_id?)?,
        };
        is_told.then_some(one)
    })
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
        let live = events.iter().filter(|event| LiveFacts::of(event).is_live());
        let users = live.filter_map(|event| event.user_id);
        let visitors: Map<&str, ()> = users.map(|user| (user, ())).collect();
        let mut counters = count(taken, now_ms);
        for one in identified(site, events, &settings.hash_key) {
            let minute = floor_to(now_ms, MINUTE_MS);
            counters.add(Kind::Identified, minute, one.text(), 1);
        }
        let quota = taken
            .policy
            .shard_quota(&settings.limits, shard, settings.shards)
            .filter(|_| !events.is_empty());
        if quota.is_some() {
            let hour = floor_to(now_ms, HOUR_MS);
            counters.add(Kind::Quota, hour, "", as_i64(events.len()));
        }
        let head = Head {
            at: now_ms,
            batch: batch_id
                .filter(|_| !events.is_empty())
                .map(|batch_id| name(batch_id, events)),
            quota,
            counters,
            visitors: visitors
                .keys()
                .map(|user| user_hash(&settings.hash_key, site, user).into())
                .collect(),
            ..Head::default()
        };
        Self {
            site: site.to_owned(),
            shard,
            is_over_any_hour: quota.is_some_and(|max| as_i64(events.len()) > i64::from(max)),
            body: write(head, events),
        }
    }

    /// Whether no hour of the shard would ever take a batch of this size.
    pub fn is_over_any_hour(&self) -> bool {
        self.is_over_any_hour
    }

    /// Prepares a step of an import. It happened long ago: it is in no live count and no quota, and
    /// its events end, for the ledger, in the hour they are imported in.
    pub fn of_import(step: &ImportStep<'_>, now_ms: i64, shards: u32) -> Self {
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
            counters,
            (now_ms, shards),
        )
    }

    /// Prepares operation events for Shoreline's own site. `batch_id` is known again, so the call may
    /// be repeated.
    pub fn of_operations(batch_id: &str, events: &Lines, now_ms: i64, shards: u32) -> Self {
        Self::of_replay(OWN_SITE, batch_id, events, now_ms, shards)
    }

    /// Prepares events of services that were refused before: live, where they happened just now.
    pub fn of_replay(site: &str, batch_id: &str, events: &Lines, now_ms: i64, shards: u32) -> Self {
        let mut counters = Counters::default();
        for event in events.iter() {
            count_event(&mut counters, &LiveFacts::of(&event), 1);
        }
        Self::known_again((site, batch_id, None), events, counters, (now_ms, shards))
    }

    /// What Shoreline commits itself, under an id that makes it known again, beside any quota.
    fn known_again(
        (site, batch_id, import): (&str, &str, Option<&str>),
        events: &Lines,
        counters: Counters<'_>,
        (now_ms, shards): (i64, u32),
    ) -> Self {
        let head = Head {
            at: now_ms,
            batch: Some(name(batch_id, events)),
            import: import.map(Into::into),
            counters,
            ..Head::default()
        };
        Self {
            site: site.to_owned(),
            shard: shard_of(batch_id, shards),
            body: write(head, events),
            is_over_any_hour: false,
        }
    }

    /// Prepares counts alone: what was refused before anything was read.
    pub fn of_counts(site: &str, counters: Counters<'_>, now_ms: i64) -> Self {
        let head = Head {
            at: now_ms,
            counters,
            ..Head::default()
        };
        Self {
            site: site.to_owned(),
            shard: 0,
            body: write(head, &Lines::default()),
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

    /// The body of the call, read by [`crate::protocol::Commit`].
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// The shard a batch goes to: by its id, so that a retry meets the memory of the first try.
pub fn shard_of(batch_id: &str, shards: u32) -> u32 {
    if shards <= 1 {
        return 0;
    }
    let digest = sha256(batch_id.as_bytes());
    let head = digest
        .iter()
        .take(4)
        .fold(0_u32, |sum, byte| sum.wrapping_shl(8) | u32::from(*byte));
    head.checked_rem(shards).unwrap_or(0)
}

/// A batch by its id, and by what tells a retry from another batch that wears the same id: 8 bytes of
/// SHA-256 of the ids of its events. Events that were never seen are not taken for duplicates only
/// because a sender reused an id.
fn name<'a>(batch_id: &'a str, events: &Lines) -> BatchName<'a> {
    let mut hasher = Sha256::new();
    for event in events.iter() {
        match id::uuid_bits(event.event_id) {
            // Half of what the text would be to hash.
            Some(bits) => hasher.update(bits.to_be_bytes()),
            None => hasher.update(event.event_id.as_bytes()),
        }
    }
    let digest = hex(hasher.finalize().get(..8).unwrap_or_default());
    BatchName(batch_id.into(), digest.into())
}

fn count<'a>(taken: &Taken<'a>, now_ms: i64) -> Counters<'a> {
    let mut counters = Counters::default();
    for event in taken.events.iter() {
        count_event(&mut counters, &LiveFacts::of(&event), 1);
    }
    let hour = floor_to(now_ms, HOUR_MS);
    for result in taken.results {
        counters.add_outcome(hour, result.code, 1);
    }
    if taken.dropped > 0 {
        counters.add_outcome(hour, TRACKER_DROPPED, i64::from(taken.dropped));
    }
    counters
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
