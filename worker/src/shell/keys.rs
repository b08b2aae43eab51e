//! What a key may do: D1, cached in the isolate for a minute, and served stale while D1 is down.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Deserialize;
use worker::Env;

use super::{d1, log};
use crate::auth::{Grant, KeyKind};
use crate::error::Fault;
use crate::sql::Statement;

/// How long a look-up is good: a revoked key works no longer than this.
const FRESH_MS: i64 = 60_000;

/// How long it is served while D1 is down.
const STALE_MS: i64 = 60 * FRESH_MS;

/// Look-ups kept at most: about 300 bytes each, so well under a megabyte.
const MAX_CACHED: usize = 2_000;

#[derive(Clone)]
struct Cached {
    at: i64,
    grant: Option<Grant>,
}

thread_local! {
    static CACHE: RefCell<HashMap<String, Cached>> = RefCell::new(HashMap::new());
}

#[derive(Deserialize)]
struct Row {
    site_id: String,
    kind: String,
    origins: String,
    hash_routing: i64,
}

/// The grant of the key with this hash.
///
/// # Errors
/// 401 for a hash of no valid key; 503 where D1 is down and the key was not seen lately.
pub(super) async fn grant(env: &Env, key_hash: &str, now_ms: i64) -> Result<Grant, Fault> {
    let cached = CACHE.with_borrow(|cache| cache.get(key_hash).cloned());
    let age = |cached: &Cached| now_ms.saturating_sub(cached.at);
    if let Some(cached) = cached.as_ref().filter(|cached| age(cached) < FRESH_MS) {
        return cached.grant.clone().ok_or(Fault::UnknownKey);
    }
    match look_up(env, key_hash, now_ms).await {
        Ok(grant) => {
            remember(key_hash, now_ms, grant.clone());
            grant.ok_or(Fault::UnknownKey)
        }
        Err(error) => {
            log::error("keys", error);
            match cached.filter(|cached| age(cached) < STALE_MS) {
                Some(cached) => cached.grant.ok_or(Fault::UnknownKey),
                None => Err(Fault::Unavailable("Keys cannot be checked right now.")),
            }
        }
    }
}

fn remember(key_hash: &str, now_ms: i64, grant: Option<Grant>) {
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, cached| now_ms.saturating_sub(cached.at) < FRESH_MS);
        }
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(key_hash.to_owned(), Cached { at: now_ms, grant });
    });
}

async fn look_up(env: &Env, key_hash: &str, now_ms: i64) -> worker::Result<Option<Grant>> {
    let statement = Statement::new(
        "SELECT k.site_id, k.kind, s.origins, s.hash_routing \
         FROM keys AS k JOIN sites AS s ON s.site_id = k.site_id \
         WHERE k.key_hash = ?1 AND coalesce(k.revoked_at, ?2 + 1) > ?2 \
           AND coalesce(k.expires_at, ?2 + 1) > ?2",
        [key_hash.into(), now_ms.into()],
    );
    let Some(row) = d1::rows::<Row>(env, &statement).await?.pop() else {
        return Ok(None);
    };
    Ok(KeyKind::parse(&row.kind).map(|kind| Grant {
        site: row.site_id,
        kind,
        origins: serde_json::from_str(&row.origins).unwrap_or_default(),
        hash_routing: row.hash_routing != 0,
    }))
}
