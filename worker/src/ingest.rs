//! `POST /v1/events`, as a recipe: admit ▸ parse ▸ validate ▸ sanitize ▸ stamp ▸ publish.

use std::collections::HashSet;

use shoreline_shared::event::{RawEvent, Rejection};
use shoreline_shared::id;
use shoreline_shared::privacy::anonymous_id;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

use crate::admit::{Admitted, Encoding, RequestFacts, admit};
use crate::auth::Grant;
use crate::batch::RawBatch;
use crate::error::Fault;
use crate::outcome::{Answer, EventResult};
use crate::publish::Publication;

/// What the recipe needs of the world. The shell gives it the platform; tests give it faults.
#[allow(async_fn_in_trait)] // One thread, one implementation each: no `Send` bound to promise.
pub trait Platform {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
    /// A UUIDv7 of the edge's own, another each time.
    fn fresh_id(&self) -> String;
    /// The limits and secrets of this deployment.
    fn settings(&self) -> &Settings;
    /// What the key with this hash may do.
    async fn grant(&self, key_hash: &str) -> Result<Grant, Fault>;
    /// The body, unpacked; refused where it is over the limit.
    async fn body(&mut self, encoding: Encoding) -> Result<Vec<u8>, Fault>;
    /// Today's key for day-scoped ids.
    async fn day_key(&self) -> Result<[u8; 32], Fault>;
    /// Commits to the site's outbox; `Ok(true)` where this very batch was committed before.
    async fn publish(&self, publication: &Publication) -> Result<bool, Fault>;
    /// Counts what was refused, after the answer, as well as it can.
    fn count_later(&self, publication: Publication);
}

/// What a deployment sets for ingestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Shards of a site's Durable Objects, at least 1.
    pub shards: u32,
    /// How many days back a timestamp may lie.
    pub retention_days: u32,
    /// The secret of the keyed hashes that count users.
    pub hash_key: Vec<u8>,
}

/// Takes a batch. `Ok` is the body of a 202: every accepted event is durable.
///
/// # Errors
/// The faults of the contract's status table; none of the batch was taken then.
pub async fn ingest(facts: RequestFacts, platform: &mut impl Platform) -> Result<Answer, Fault> {
    let grant = platform.grant(&facts.key_hash()?).await?;
    let admitted = admit(facts, grant)?;
    let body = platform.body(admitted.encoding()).await?;
    let batch = RawBatch::parse(&body)?;
    let privacy = privacy_of(&admitted, platform).await?;
    let judged = judge(&admitted, &batch, &privacy, platform);
    answer(&admitted, &batch, judged, platform).await
}

/// The events that may be published, and the outcomes of the others.
#[derive(Debug, Default)]
struct Judged {
    stamped: Vec<(usize, StampedEvent)>,
    results: Vec<EventResult>,
}

/// Replaces who the visitor is by a day-scoped id, where the visitor asked not to be followed.
async fn privacy_of(admitted: &Admitted, platform: &impl Platform) -> Result<Privacy, Fault> {
    let facts = admitted.facts();
    let anonymous = if facts.is_private() {
        let ip = facts.ip.as_deref().unwrap_or_default();
        let agent = facts.user_agent.as_deref().unwrap_or_default();
        let key = platform.day_key().await?;
        Some(anonymous_id(&key, &admitted.grant().site, ip, agent))
    } else {
        None
    };
    Ok(Privacy {
        hash_routing: admitted.grant().hash_routing,
        anonymous,
    })
}

/// Validates, sanitizes and stamps each event by itself.
fn judge(
    admitted: &Admitted,
    batch: &RawBatch<'_>,
    privacy: &Privacy,
    platform: &impl Platform,
) -> Judged {
    let now_ms = platform.now_ms();
    let facts = admitted.facts();
    let sender = Sender::Browser {
        user_agent: facts.user_agent.as_deref(),
        ip: facts.ip.as_deref(),
    };
    let rules = Rules {
        now_ms,
        retention_days: platform.settings().retention_days,
        any_past: false,
    };
    let batch_id = batch
        .batch_id()
        .map_or_else(|| platform.fresh_id(), str::to_owned);
    let mut judged = Judged::default();
    let mut seen = HashSet::with_capacity(batch.events().len());
    for (index, text) in batch.events().enumerate() {
        let clean = match RawEvent::parse(text).and_then(|raw| validate(raw, &sender, &rules)) {
            Ok(valid) => sanitize(valid, privacy),
            Err(rejection) => {
                judged.results.push(EventResult::rejected(index, rejection));
                continue;
            }
        };
        // A retry of the same batch makes the same ids; without a batch id nothing can be a retry.
        let event_id = match (clean.event_id(), batch.batch_id()) {
            (Some(own), _) => own.to_owned(),
            (None, Some(batch_id)) => id::derived(&admitted.grant().site, batch_id, index),
            (None, None) => platform.fresh_id(),
        };
        if seen.contains(&event_id) {
            let message = "An earlier event of this batch has the same eventId.";
            judged
                .results
                .push(EventResult::duplicate(index, &event_id, message));
            continue;
        }
        let stamped = stamp(
            clean,
            &Stamp {
                site_id: &admitted.grant().site,
                source: "tracker",
                event_id: &event_id,
                received_at: now_ms,
                batch_id: Some(&batch_id),
                country: facts.country.as_deref(),
                region: facts.region.as_deref(),
            },
        );
        match check_grown(&stamped) {
            Ok(()) => {
                seen.insert(event_id);
                judged.stamped.push((index, stamped));
            }
            Err(rejection) => judged.results.push(EventResult::rejected(index, rejection)),
        }
    }
    judged
}

/// Publishes what may be published and says how each event ended.
async fn answer(
    admitted: &Admitted,
    batch: &RawBatch<'_>,
    judged: Judged,
    platform: &impl Platform,
) -> Result<Answer, Fault> {
    let Judged {
        stamped,
        mut results,
    } = judged;
    if admitted.facts().dry_run() {
        return Ok(Answer::new(stamped.len(), results));
    }
    let (places, events): (Vec<usize>, Vec<StampedEvent>) = stamped.into_iter().unzip();
    let publication = Publication::new(
        &admitted.grant().site,
        batch.batch_id(),
        &events,
        &results,
        platform,
    );
    // A duplicate within the batch has an accepted event beside it.
    if events.is_empty() {
        platform.count_later(publication);
        return Err(Fault::NoValidEvent(results));
    }
    if !platform.publish(&publication).await? {
        return Ok(Answer::new(events.len(), results));
    }
    let message = "This batch was taken before.";
    results.extend(
        places
            .iter()
            .zip(&events)
            .map(|(index, event)| EventResult::duplicate(*index, event.event_id(), message)),
    );
    Ok(Answer::new(0, results))
}

/// An event can grow while it is cleaned (`[redacted]` is longer than a short secret); it must
/// still fit a part.
fn check_grown(event: &StampedEvent) -> Result<(), Rejection> {
    if event.json().len() <= crate::outbox::MAX_PART_EVENT_BYTES {
        return Ok(());
    }
    Err(Rejection::too_large())
}

#[cfg(test)]
pub(crate) mod tests;
