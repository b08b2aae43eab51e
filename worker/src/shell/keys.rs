//! What a key may do, by D1 and what [`crate::key_cache`] remembers.

use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{Delay, Env};

use super::{d1, log};
use crate::auth::Grant;
use crate::error::Fault;
use crate::key_cache::{Advice, KeyCache, KeyRow, look_up, look_up_domain};
use crate::operations::current;
use crate::sql::Statement;

/// How long a request waits for a look-up: D1 answers in milliseconds, or not for a long time.
const DEADLINE: Duration = Duration::from_secs(2);

thread_local! {
    static CACHE: RefCell<KeyCache> = RefCell::default();
}

/// The grant of the key with this hash.
///
/// # Errors
/// 401 for a hash of no valid key; 503 where D1 is down and the key was not seen lately.
pub(super) async fn grant(env: &Env, key_hash: &str, now_ms: i64) -> Result<Grant, Fault> {
    cached(env, key_hash, &look_up(key_hash, now_ms), now_ms).await
}

/// The grant of a page that calls its site by this domain.
///
/// # Errors
/// 401 for a domain of no site; 503 as for keys.
pub(super) async fn grant_of_domain(env: &Env, domain: &str, now_ms: i64) -> Result<Grant, Fault> {
    // Hashes are hex, so no domain's name in the cache is a key's.
    let name = format!("domain:{domain}");
    cached(env, &name, &look_up_domain(domain), now_ms).await
}

async fn cached(env: &Env, name: &str, statement: &Statement, now_ms: i64) -> Result<Grant, Fault> {
    let found = known(env, name, statement, now_ms).await;
    if let Ok(grant) = &found {
        current(|call| call.note_site(&grant.site));
    }
    found
}

async fn known(env: &Env, name: &str, statement: &Statement, now_ms: i64) -> Result<Grant, Fault> {
    let stale = match CACHE.with_borrow(|cache| cache.advise(name, now_ms)) {
        Advice::Good(grant) => return Ok(grant),
        Advice::Bad => return Err(Fault::UnknownKey),
        Advice::Ask(stale) => stale,
    };
    let rows = pin!(d1::rows::<KeyRow>(env, statement));
    let error = match select(rows, pin!(Delay::from(DEADLINE))).await {
        Either::Left((Ok(mut rows), _)) => {
            let grant = rows.pop().and_then(KeyRow::grant);
            CACHE.with_borrow_mut(|cache| cache.learn(name, grant.as_ref(), now_ms));
            return grant.ok_or(Fault::UnknownKey);
        }
        Either::Left((Err(error), _)) => error.to_string(),
        Either::Right(_) => "D1 did not answer in time".to_owned(),
    };
    log::error("keys", error);
    CACHE.with_borrow_mut(|cache| cache.failed(now_ms));
    stale.ok_or(Fault::Unavailable("Keys cannot be checked right now."))
}
