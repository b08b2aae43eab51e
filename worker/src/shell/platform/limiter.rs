//! This isolate's buckets: [`crate::access::rate`] with the platform's random bytes.

use std::cell::RefCell;
use std::future::Future;

use worker::{Env, Result};

use crate::access::rate::Limiter;
use crate::access::strangers::{bucket, check, note};
use crate::http::error::Fault;
use crate::shell::platform::bindings::config;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::log;

thread_local! {
    /// The buckets of the visitors and strangers that this isolate serves.
    static LIMITER: RefCell<Limiter> = RefCell::default();
}

/// Asks the buckets; whoever does has [`seed`]ed them.
pub(crate) fn ask<T>(ask: impl FnOnce(&mut Limiter) -> T) -> T {
    LIMITER.with_borrow_mut(ask)
}

/// Gives this isolate's buckets their secret, before the first of them is named.
pub(crate) fn seed() -> Result<()> {
    ask(|limiter| {
        if !limiter.is_seeded() {
            let mut seed = [0; 16];
            random(&mut seed)?;
            *limiter = Limiter::new(u128::from_be_bytes(seed));
        }
        Ok(())
    })
}

/// Has somebody's key, token or ticket looked up by `look`, unless the network at `ip` has shown too many that were none.
pub(crate) async fn of_strangers<T>(
    env: &Env,
    ip: Option<&str>,
    look: impl Future<Output = std::result::Result<T, Fault>>,
) -> std::result::Result<T, Fault> {
    let per_minute = config(env)?.ingest.limits.visitor_per_minute;
    if let Err(error) = seed() {
        log::error("random", error);
        return Err(Fault::Unavailable("Keys cannot be checked right now."));
    }
    let stranger = ask(|limiter| bucket(limiter, ip, per_minute));
    ask(|limiter| check(limiter, stranger, now_ms()))?;
    let looked = look.await;
    if let Err(fault) = &looked {
        ask(|limiter| note(limiter, stranger, fault, now_ms()));
    }
    looked
}
