//! Taking events, as recipes: admit ▸ parse ▸ validate ▸ sanitize ▸ stamp ▸ publish.
//!
//! Each door has its own way to say who sends and what; from the drafts on, all go the same way.

pub mod adapters;
pub mod admit;
pub mod batch;
mod deliver;
pub mod draft;
pub mod enrich;
mod gate;
pub mod history;
pub mod judge;
pub mod publish;
pub mod rejected;
pub mod sdk_settings;

use std::rc::Rc;

use shoreline_shared::id;

use crate::access::auth::{Grant, is_key};
use crate::access::policy::Defaults;
use crate::access::rate::Limiter;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::http::outcome::Answer;
use crate::ingest::adapters::SegmentCall;
use crate::ingest::admit::{Admitted, Door, Encoding, admit, check_body};
use crate::ingest::draft::{Delivery, Draft};
use crate::ingest::enrich::agents::Told;
use crate::ingest::enrich::skew;
use crate::ingest::publish::Publication;
use crate::ingest::rejected::Rejected;
use crate::protocol::names::OWN_SITE;

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
    /// What the holder of this key may do.
    async fn grant(&self, key: &str) -> Result<Rc<Grant>, Fault>;
    /// What a page may do that calls its site by this domain.
    async fn grant_of_domain(&self, domain: &str) -> Result<Rc<Grant>, Fault>;
    /// The body, unpacked; refused where it is over the door's limit.
    async fn body(&mut self, encoding: Encoding, door: Door) -> Result<Vec<u8>, Fault>;
    /// Today's key for day-scoped ids.
    async fn day_key(&self) -> Result<[u8; 32], Fault>;
    /// What a user agent tells; the shell remembers it.
    fn told_by(&self, user_agent: &str) -> Told {
        Told::read(user_agent)
    }
    /// By how much the clock of a session's sender is to be moved; the shell remembers sessions.
    fn clock_offset(&self, _site: &str, _session: &str, sent_at_ms: i64) -> i64 {
        skew::offset(Some(sent_at_ms), self.now_ms(), None)
    }
    /// This isolate's buckets.
    fn limiter<T>(&self, ask: impl FnOnce(&mut Limiter) -> T) -> T;
    /// Whether the platform's own limiter lets through what has this name.
    async fn within_limit(&self, name: &str) -> bool;
    /// Commits to the site's log; `Ok(true)` where this very batch was committed before.
    async fn publish(&self, publication: &Publication) -> Result<bool, Fault>;
    /// Counts what was refused, after the answer, as well as it can.
    fn count_later(&self, publication: Publication);
    /// Counts a request that was refused whole, in memory.
    fn tally(&self, site: &str, fault: &Fault);
    /// Keeps what a service sent and was refused, after the answer, as well as it can.
    fn keep_rejected(&self, rejected: Vec<Rejected>);
    /// Notes items that no adapter knows, by their keys.
    fn note_unknown(&self, site: &str, keys: &[Vec<String>]);
}

/// What a deployment sets for ingestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Shards of a site's Durable Objects, at least 1.
    pub shards: u32,
    /// How many days back a timestamp may lie, where a site does not say.
    pub retention_days: u32,
    /// The secret of the keyed hashes that count users.
    pub hash_key: Vec<u8>,
    /// The limits of sites that set none.
    pub limits: Defaults,
    /// Whether what services send and is refused is kept.
    pub keep_rejected: bool,
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
    let (admitted, body) = open(facts, grant, Door::Ingest, platform).await?;
    let facts = admitted.facts();
    let content_type = facts.content_type.as_deref();
    let delivery = adapters::ingest_delivery(content_type, &facts.cloud_event, &body);
    let mut delivery = tallied(delivery, &admitted, platform)?;
    // The header is the standard's way to name a request; an envelope has a name of its own. A
    // blank one is what clients send that have none.
    let key = facts.idempotency_key.as_deref().map(str::trim);
    let key = key.filter(|key| !key.is_empty());
    delivery.batch_id = key
        .or(delivery.batch_id.as_deref())
        .map(|key| batch_id_of(&admitted.grant().site, key));
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
    let key = facts.basic_user().or_else(|| facts.write_key());
    if key.is_some() {
        let grant = known(&facts, key, platform).await?;
        let (admitted, body) = open(facts, grant, Door::Segment, platform).await?;
        let (_, drafts) = tallied(adapters::segment(call, &body), &admitted, platform)?;
        return deliver(&admitted, of_drafts(drafts), platform).await;
    }
    let body = body_of_stranger(&facts, Door::Segment, platform).await?;
    let (write_key, drafts) = stranger(adapters::segment(call, &body), &facts, platform)?;
    let grant = known(&facts, write_key, platform).await?;
    let admitted = enter(facts, grant, Door::Segment, platform).await?;
    deliver(&admitted, of_drafts(drafts), platform).await
}

/// `POST /api/event`: Plausible's events API. The visit is a private one: the script has no ids.
///
/// # Errors
/// As [`take_batch`].
pub async fn take_plausible(
    mut facts: RequestFacts,
    platform: &mut impl Platform,
) -> Result<Answer, Fault> {
    let body = body_of_stranger(&facts, Door::Plausible, platform).await?;
    let (domain, draft) = stranger(adapters::plausible(&body), &facts, platform)?;
    let grant = stranger(platform.grant_of_domain(&domain).await, &facts, platform)?;
    facts.opted_out = true;
    let admitted = enter(facts, grant, Door::Plausible, platform).await?;
    deliver(&admitted, of_drafts(vec![draft]), platform).await
}

/// The body of a request whose key or domain is in it.
async fn body_of_stranger(
    facts: &RequestFacts,
    door: Door,
    platform: &mut impl Platform,
) -> Result<Vec<u8>, Fault> {
    let encoding = check_body(facts, door).and_then(|encoding| {
        gate::check_stranger(facts, platform)?;
        Ok(encoding)
    });
    let encoding = stranger(encoding, facts, platform)?;
    let body = platform.body(encoding, door).await;
    stranger(body, facts, platform)
}

fn of_drafts(drafts: Vec<Draft<'_>>) -> Delivery<'_> {
    Delivery {
        drafts,
        ..Delivery::default()
    }
}

async fn grant_of_key(facts: &RequestFacts, platform: &impl Platform) -> Result<Rc<Grant>, Fault> {
    known(facts, facts.key(), platform).await
}

/// What a key may do; a request without one is refused like one with a wrong one.
async fn known(
    facts: &RequestFacts,
    key: Option<String>,
    platform: &impl Platform,
) -> Result<Rc<Grant>, Fault> {
    let looked_up = async {
        gate::check_stranger(facts, platform)?;
        match key.as_deref().filter(|key| is_key(key)) {
            Some(key) => platform.grant(key).await,
            None => Err(Fault::UnknownKey),
        }
    };
    stranger(looked_up.await, facts, platform)
}

/// Counts the refusal of a request of no known site. What is wrong with it costs its network; what is
/// only a matter of time does not.
fn stranger<T>(
    result: Result<T, Fault>,
    facts: &RequestFacts,
    platform: &impl Platform,
) -> Result<T, Fault> {
    result.inspect_err(|fault| {
        gate::note_stranger(facts, fault, platform);
        platform.tally(OWN_SITE, fault);
    })
}

/// Admits a request and reads its body.
async fn open(
    facts: RequestFacts,
    grant: Rc<Grant>,
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
    grant: Rc<Grant>,
    door: Door,
    platform: &impl Platform,
) -> Result<Admitted, Fault> {
    let site = grant.site.clone();
    let admitted = admit(facts, grant, door).inspect_err(|f| platform.tally(&site, f))?;
    let checked = gate::check(admitted, platform).await;
    checked.inspect_err(|fault| platform.tally(&site, fault))
}

/// A service's own name of a request as a batch's id. Always by its hash, also where it is a UUID: a
/// page may name its batches by any UUID that it has seen, and must not take the place of a
/// service's.
fn batch_id_of(site: &str, key: &str) -> String {
    id::foreign(site, &format!("idempotency-key:{key}"))
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
