//! How much may come in: of a visitor, of a network, and of strangers.
//!
//! A visitor is an address and a user agent, and anybody can send another agent with each request; so
//! the network behind it has a bucket too, ten times as large: an office's visitors share it. What is
//! no key at all is charged to its network alone ([`strangers`]).

use super::Platform;
use crate::access::rate::{Limit, Standing};
use crate::access::strangers::{self, network};
use crate::base::hash::sha256_hex;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::ingest::admit::Admitted;

/// How many visitors at their limit a network may hold.
const NETWORK_VISITORS: u32 = 10;

/// Seconds a sender is asked to wait where the platform's limiter refuses: its periods are 10 or 60.
const LIMITER_RETRY_AFTER_S: u32 = 10;

/// Those of a visitor and its network. A service has none: it is bound by its site's quota alone.
fn limits(admitted: &Admitted, platform: &impl Platform) -> Option<[Limit; 2]> {
    if !admitted.is_page() {
        return None;
    }
    let grant = admitted.grant();
    let rate = grant.policy.rate(&platform.settings().limits);
    let network = network(admitted.facts().ip.as_deref());
    Some(platform.limiter(|limiter| {
        [
            limiter.limit(&visitor(admitted), rate),
            limiter.limit(
                &[&grant.site, &network],
                rate.saturating_mul(NETWORK_VISITORS),
            ),
        ]
    }))
}

/// Takes events out of the buckets of a request that was let in.
pub(super) fn charge(admitted: &Admitted, events: usize, platform: &impl Platform) {
    let (Some(limits), 1..) = (admitted.limits(), events) else {
        return;
    };
    let now_ms = platform.now_ms();
    platform.limiter(|limiter| {
        for limit in limits {
            limiter.charge(limit, events, now_ms);
        }
    });
}

/// What names a visitor.
fn visitor(admitted: &Admitted) -> [&str; 3] {
    let facts = admitted.facts();
    [
        &admitted.grant().site,
        facts.ip.as_deref().unwrap_or_default(),
        facts.user_agent.as_deref().unwrap_or_default(),
    ]
}

/// Whether a request of this visitor may go on. It costs as much as an event, so that requests
/// without events are bounded too.
pub(super) async fn check(admitted: Admitted, platform: &impl Platform) -> Result<Admitted, Fault> {
    let now_ms = platform.now_ms();
    let limits = limits(&admitted, platform);
    for (limit, of_network) in limits.into_iter().flatten().zip([false, true]) {
        match platform.limiter(|limiter| limiter.standing(limit, now_ms)) {
            Standing::Free => {}
            Standing::Over { retry_after_s } => return Err(Fault::RateLimited { retry_after_s }),
            Standing::Close => {
                let name = everywhere(&admitted, of_network);
                if !platform.within_limit(&name).await {
                    return Err(Fault::RateLimited {
                        retry_after_s: LIMITER_RETRY_AFTER_S,
                    });
                }
            }
        }
    }
    let admitted = admitted.limited_by(limits);
    charge(&admitted, 1, platform);
    Ok(admitted)
}

/// The name of a bucket that is the same in every isolate, for the platform's limiter. It is a hash,
/// for the platform is to be told of no visitor.
fn everywhere(admitted: &Admitted, of_network: bool) -> String {
    let network = network(admitted.facts().ip.as_deref());
    let [site, ip, agent] = visitor(admitted);
    let fields = if of_network {
        [site, &network, "network"]
    } else {
        [site, ip, agent]
    };
    let name = fields.map(|field| format!("{}:{field}", field.len()));
    sha256_hex(name.concat().as_bytes())
}

/// Whether somebody whose key is not known yet may have it looked up.
pub(super) fn check_stranger(facts: &RequestFacts, platform: &impl Platform) -> Result<(), Fault> {
    let stranger = stranger(facts, platform);
    let now_ms = platform.now_ms();
    platform.limiter(|limiter| strangers::check(limiter, stranger, now_ms))
}

/// Notes why somebody was not let in.
pub(super) fn note_stranger(facts: &RequestFacts, fault: &Fault, platform: &impl Platform) {
    let stranger = stranger(facts, platform);
    let now_ms = platform.now_ms();
    platform.limiter(|limiter| strangers::note(limiter, stranger, fault, now_ms));
}

fn stranger(facts: &RequestFacts, platform: &impl Platform) -> Limit {
    let per_minute = platform.settings().limits.visitor_per_minute;
    platform.limiter(|limiter| strangers::bucket(limiter, facts.ip.as_deref(), per_minute))
}
