//! Who shows no good key: charged to the network that asks, before the next look-up is made for it.
//!
//! Every door asks here: those that take events, those that read, those of imports and of the admin, and the live
//! stream. So a network that makes up keys, tokens or tickets is refused for a while, and costs no store and no object
//! anything.

use std::borrow::Cow;

use shoreline_shared::privacy::truncate_ip;

use crate::access::rate::{Limit, Limiter, Standing};
use crate::http::error::Fault;

/// The name of the buckets of strangers: no site has it.
const STRANGERS: &str = "_strangers";

/// An IPv4 address as it is; of an IPv6 address the part that a customer is given.
pub fn network(ip: Option<&str>) -> Cow<'_, str> {
    let ip = ip.unwrap_or_default();
    if ip.contains(':') {
        truncate_ip(ip).into()
    } else {
        ip.into()
    }
}

/// Whether somebody whose key is not known yet may have it looked up.
///
/// # Errors
/// [`Fault::RateLimited`] where the network has shown too many that were none.
pub fn check(limiter: &Limiter, stranger: Limit, now_ms: i64) -> Result<(), Fault> {
    match limiter.standing(stranger, now_ms) {
        Standing::Over { retry_after_s } => Err(Fault::RateLimited { retry_after_s }),
        Standing::Free | Standing::Close => Ok(()),
    }
}

/// Notes what a look-up came to. What is wrong with it costs the network; what is only a matter of time does not, nor
/// does a good key that may not do what is asked.
pub fn note(limiter: &mut Limiter, stranger: Limit, fault: &Fault, now_ms: i64) {
    if fault.retry_after_s().is_none() && *fault != Fault::WrongScope {
        limiter.charge(stranger, 1, now_ms);
    }
}

/// The bucket of a network's strangers: as many a minute as a visitor may send events.
pub fn bucket(limiter: &Limiter, ip: Option<&str>, visitor_per_minute: u32) -> Limit {
    limiter.limit(&[STRANGERS, &network(ip)], visitor_per_minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    /// Asks for a made-up token at each of these moments, as a door does; how many were looked up.
    fn looked_up(limiter: &mut Limiter, ip: &str, times: usize, fault: &Fault) -> usize {
        let bucket = bucket(limiter, Some(ip), 60);
        (0..times)
            .filter(|_| {
                let may = check(limiter, bucket, NOW).is_ok();
                if may {
                    note(limiter, bucket, fault, NOW);
                }
                may
            })
            .count()
    }

    #[test]
    fn a_network_that_makes_up_tokens_is_soon_looked_up_no_more() {
        let mut limiter = Limiter::new(7);
        let unknown = Fault::UnknownKey;
        assert_eq!(looked_up(&mut limiter, "192.0.2.1", 5_000, &unknown), 60);
        // Neighbours are none the worse; of IPv6 a customer's addresses are one network.
        assert_eq!(looked_up(&mut limiter, "192.0.2.2", 10, &unknown), 10);
        assert_eq!(looked_up(&mut limiter, "2001:db8:1::1", 60, &unknown), 60);
        assert_eq!(looked_up(&mut limiter, "2001:db8:1:0::9", 10, &unknown), 0);
    }

    #[test]
    fn what_is_a_matter_of_time_or_of_scope_costs_nothing() {
        let mut limiter = Limiter::new(7);
        for fault in [Fault::Unavailable("later"), Fault::WrongScope] {
            assert_eq!(looked_up(&mut limiter, "192.0.2.1", 500, &fault), 500);
        }
    }
}
