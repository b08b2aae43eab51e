//! Taking events, as recipes: admit ▸ parse ▸ validate ▸ sanitize ▸ stamp ▸ publish.
//!
//! Each door has its own way to say who sends and what; from the drafts on, all go the same way.

mod deliver;

use shoreline_shared::id;

use crate::adapters::{self, SegmentCall};
use crate::admit::{Admitted, Door, Encoding, admit, check_body};
use crate::auth::{Grant, lookup_hash};
use crate::batch;
use crate::draft::Delivery;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::outcome::Answer;
use crate::policy::Defaults;
use crate::publish::Publication;
use crate::rate::{Limiter, Standing, visitor};
use crate::tally::OWN_SITE;

use deliver::deliver;

/// What the recipes need of the world. The shell gives it the platform; tests give it faults.
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
    /// What a page may do that calls its site by this domain.
    async fn grant_of_domain(&self, domain: &str) -> Result<Grant, Fault>;
    /// The body, unpacked; refused where it is over the door's limit.
    async fn body(&mut self, encoding: Encoding, door: Door) -> Result<Vec<u8>, Fault>;
    /// Today's key for day-scoped ids.
    async fn day_key(&self) -> Result<[u8; 32], Fault>;
    /// This isolate's buckets.
    fn limiter<T>(&self, ask: impl FnOnce(&mut Limiter) -> T) -> T;
    /// Whether the platform's own limiter lets the visitor through.
    async fn within_limit(&self, visitor: u64) -> bool;
    /// Commits to the site's outbox; `Ok(true)` where this very batch was committed before.
    async fn publish(&self, publication: &Publication) -> Result<bool, Fault>;
    /// Counts what was refused, after the answer, as well as it can.
    fn count_later(&self, publication: Publication);
    /// Counts a request that was refused whole, in memory.
    fn tally(&self, site: &str, fault: &Fault);
    /// Notes items that no adapter knows, by their keys.
    fn note_unknown(&self, site: &str, keys: &[Vec<String>]);
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
    /// The limits of sites that set none.
    pub limits: Defaults,
}

/// `POST /v1/events`: a batch of a page. `Ok` is the body of a 202: every accepted event is durable.
///
/// # Errors
/// The faults of the contract's status table; none of the batch was taken then.
pub async fn take_batch(
    facts: RequestFacts,
    platform: &mut impl Platform,
) -> Result<Answer, Fault> {
    let grant = grant_of_key(&facts, platform).await?;
    let (admitted, body) = open(facts, grant, Door::Events, platform).await?;
    let delivery = tallied(batch::split(&body), &admitted, platform)?;
    deliver(&admitted, delivery, platform).await
}

/// `POST /v1/ingest`: commands, CloudEvents, Kafka records or any other known shape of a back end.
///
/// # Errors
/// As [`take_batch`].
pub async fn take_commands(
    facts: RequestFacts,
    platform: &mut impl Platform,
) -> Result<Answer, Fault> {
    let grant = grant_of_key(&facts, platform).await?;
    let batch_id = facts
        .idempotency_key
        .as_deref()
        .map(|key| batch_id_of(&grant.site, key));
    let (admitted, body) = open(facts, grant, Door::Ingest, platform).await?;
    let facts = admitted.facts();
    let content_type = facts.content_type.as_deref();
    let delivery = adapters::ingest_delivery(content_type, &facts.cloud_event, &body);
    let mut delivery = tallied(delivery, &admitted, platform)?;
    // The header is the standard's way to name a request; an envelope has a name of its own.
    delivery.batch_id = batch_id.or(delivery.batch_id);
    deliver(&admitted, delivery, platform).await
}

/// Segment's HTTP API. Its libraries send the write key in the header or in the body.
///
/// # Errors
/// As [`take_batch`].
pub async fn take_segment(
    call: SegmentCall,
    facts: RequestFacts,
    platform: &mut impl Platform,
) -> Result<Answer, Fault> {
    let encoding =
        check_body(&facts, Door::Segment).inspect_err(|f| platform.tally(OWN_SITE, f))?;
    let body = platform.body(encoding, Door::Segment).await?;
    let (write_key, drafts) =
        adapters::segment(call, &body).inspect_err(|f| platform.tally(OWN_SITE, f))?;
    let key = facts
        .basic_user()
        .or(write_key)
        .or_else(|| facts.write_key());
    let hash = key.as_deref().and_then(lookup_hash);
    let grant = known(hash, platform).await?;
    let admitted = enter(facts, grant, Door::Segment, platform).await?;
    let delivery = Delivery {
        drafts,
        ..Delivery::default()
    };
    deliver(&admitted, delivery, platform).await
}

/// `POST /api/event`: Plausible's events API. The visit is a private one: the script has no ids.
///
/// # Errors
/// As [`take_batch`].
pub async fn take_plausible(
    mut facts: RequestFacts,
    platform: &mut impl Platform,
) -> Result<Answer, Fault> {
    let encoding =
        check_body(&facts, Door::Plausible).inspect_err(|f| platform.tally(OWN_SITE, f))?;
    let body = platform.body(encoding, Door::Plausible).await?;
    let (domain, draft) =
        adapters::plausible(&body).inspect_err(|f| platform.tally(OWN_SITE, f))?;
    let grant = platform
        .grant_of_domain(&domain)
        .await
        .inspect_err(|f| platform.tally(OWN_SITE, f))?;
    facts.opted_out = true;
    let admitted = enter(facts, grant, Door::Plausible, platform).await?;
    let delivery = Delivery {
        drafts: vec![draft],
        ..Delivery::default()
    };
    deliver(&admitted, delivery, platform).await
}

async fn grant_of_key(facts: &RequestFacts, platform: &impl Platform) -> Result<Grant, Fault> {
    known(facts.key_hash().ok(), platform).await
}

/// What the key with this hash may do; a request without one is refused like one with a wrong one.
async fn known(hash: Option<String>, platform: &impl Platform) -> Result<Grant, Fault> {
    match hash {
        Some(hash) => platform.grant(&hash).await,
        None => Err(Fault::UnknownKey),
    }
    .inspect_err(|fault| platform.tally(OWN_SITE, fault))
}

/// Admits a request and reads its body.
async fn open(
    facts: RequestFacts,
    grant: Grant,
    door: Door,
    platform: &mut impl Platform,
) -> Result<(Admitted, Vec<u8>), Fault> {
    let encoding = check_body(&facts, door).inspect_err(|f| platform.tally(&grant.site, f))?;
    let admitted = enter(facts, grant, door, platform).await?;
    let body = platform.body(encoding, door).await;
    let body = tallied(body, &admitted, platform)?;
    Ok((admitted, body))
}

/// Admits a request whose sender has not sent too much.
async fn enter(
    facts: RequestFacts,
    grant: Grant,
    door: Door,
    platform: &impl Platform,
) -> Result<Admitted, Fault> {
    let site = grant.site.clone();
    let admitted = admit(facts, grant, door).inspect_err(|f| platform.tally(&site, f))?;
    tallied(check_rate(&admitted, platform).await, &admitted, platform)?;
    Ok(admitted)
}

/// Seconds a sender is asked to wait where the platform's limiter refuses: its periods are 10 or 60.
const LIMITER_RETRY_AFTER_S: u32 = 10;

async fn check_rate(admitted: &Admitted, platform: &impl Platform) -> Result<(), Fault> {
    let Some((visitor, rate)) = visitor_of(admitted, platform) else {
        return Ok(());
    };
    let now_ms = platform.now_ms();
    match platform.limiter(|limiter| limiter.standing(visitor, rate, now_ms)) {
        Standing::Free => Ok(()),
        Standing::Over { retry_after_s } => Err(Fault::RateLimited { retry_after_s }),
        Standing::Close if platform.within_limit(visitor).await => Ok(()),
        Standing::Close => Err(Fault::RateLimited {
            retry_after_s: LIMITER_RETRY_AFTER_S,
        }),
    }
}

/// The visitor of a page, and what they may send a minute. A service is bound by its site's quota
/// alone.
fn visitor_of(admitted: &Admitted, platform: &impl Platform) -> Option<(u64, u32)> {
    let facts = admitted.facts();
    let grant = admitted.grant();
    let agent = facts.user_agent.as_deref();
    admitted.is_page().then(|| {
        (
            visitor(&grant.site, facts.ip.as_deref(), agent),
            grant.policy.rate(&platform.settings().limits),
        )
    })
}

/// An `Idempotency-Key` as a batch's id: a UUID as it is, anything else by its hash.
fn batch_id_of(site: &str, key: &str) -> String {
    id::parse_uuid(key).unwrap_or_else(|| id::foreign(site, &format!("idempotency-key:{key}")))
}

/// Counts the refusal of a request of a known site.
fn tallied<T>(
    result: Result<T, Fault>,
    admitted: &Admitted,
    platform: &impl Platform,
) -> Result<T, Fault> {
    result.inspect_err(|fault| platform.tally(&admitted.grant().site, fault))
}

#[cfg(test)]
pub(crate) mod tests;
