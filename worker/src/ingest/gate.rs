//! How much may come in: of a visitor, of a network, and of strangers.
//!
//! A visitor is an address and a user agent, and anybody can send another agent with each request; so
//! the network behind it has a bucket too, ten times as large: an office's visitors share it. What is
//! no key at all is charged to its network alone, before the next look-up is made for it.

use shoreline_shared::privacy::truncate_ip;

use super::Platform;
use crate::admit::Admitted;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::rate::{Standing, visitor};

/// How many visitors at their limit a network may hold.
const NETWORK_VISITORS: u32 = 10;

/// Seconds a sender is asked to wait where the platform's limiter refuses: its periods are 10 or 60.
const LIMITER_RETRY_AFTER_S: u32 = 10;

/// The name of the buckets of strangers: no site has it.
const STRANGERS: &str = "_strangers";

/// The visitor's bucket, and the one of the network. A service is bound by its site's quota alone.
fn buckets(admitted: &Admitted, platform: &impl Platform) -> Option<[(u64, u32); 2]> {
    if !admitted.is_page() {
        return None;
    }
    let (facts, grant) = (admitted.facts(), admitted.grant());
    let rate = grant.policy.rate(&platform.settings().limits);
    let agent = facts.user_agent.as_deref().or(Some(""));
    Some([
        (visitor(&grant.site, facts.ip.as_deref(), agent), rate),
        (
            visitor(&grant.site, Some(&network(facts)), None),
            rate.saturating_mul(NETWORK_VISITORS),
        ),
    ])
}

/// An IPv4 address as it is; of an IPv6 address the part that a customer is given.
fn network(facts: &RequestFacts) -> String {
    let ip = facts.ip.as_deref().unwrap_or_default();
    if ip.contains(':') {
        truncate_ip(ip)
    } else {
        ip.to_owned()
    }
}

/// Whether a request of this visitor may go on. It costs as much as an event, so that requests
/// without events are bounded too.
pub(super) async fn check(admitted: &Admitted, platform: &impl Platform) -> Result<(), Fault> {
    let now_ms = platform.now_ms();
    for (bucket, rate) in buckets(admitted, platform).into_iter().flatten() {
        match platform.limiter(|limiter| limiter.standing(bucket, rate, now_ms)) {
            Standing::Free => {}
            Standing::Over { retry_after_s } => return Err(Fault::RateLimited { retry_after_s }),
            Standing::Close if platform.within_limit(bucket).await => {}
            Standing::Close => {
                return Err(Fault::RateLimited {
                    retry_after_s: LIMITER_RETRY_AFTER_S,
                });
            }
        }
    }
    charge(admitted, 1, platform);
    Ok(())
}

/// Takes events out of the visitor's buckets.
pub(super) fn charge(admitted: &Admitted, events: usize, platform: &impl Platform) {
    let now_ms = platform.now_ms();
    for (bucket, rate) in buckets(admitted, platform).into_iter().flatten() {
        platform.limiter(|limiter| limiter.charge(bucket, rate, events, now_ms));
    }
}

/// Whether somebody whose key is not known yet may have it looked up.
pub(super) fn check_stranger(facts: &RequestFacts, platform: &impl Platform) -> Result<(), Fault> {
    let (bucket, rate) = stranger(facts, platform);
    let now_ms = platform.now_ms();
    match platform.limiter(|limiter| limiter.standing(bucket, rate, now_ms)) {
        Standing::Over { retry_after_s } => Err(Fault::RateLimited { retry_after_s }),
        Standing::Free | Standing::Close => Ok(()),
    }
}

/// Notes that somebody's key was none.
pub(super) fn charge_stranger(facts: &RequestFacts, platform: &impl Platform) {
    let (bucket, rate) = stranger(facts, platform);
    let now_ms = platform.now_ms();
    platform.limiter(|limiter| limiter.charge(bucket, rate, 1, now_ms));
}

/// As many a minute as a visitor may send events.
fn stranger(facts: &RequestFacts, platform: &impl Platform) -> (u64, u32) {
    let bucket = visitor(STRANGERS, Some(&network(facts)), None);
    (bucket, platform.settings().limits.visitor_per_minute)
}
