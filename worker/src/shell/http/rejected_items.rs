//! What services sent and could not be taken, in the bucket and on the list of dead letters.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::IgnoredAny;
use worker::{Env, Result};

use crate::base::json;
use crate::base::time::MINUTE_MS;
use crate::dead_letter::{Again, Chosen, forget, site_of, too_old};
use crate::ingest::rejected::Rejected;
use crate::shell::http::commits::{commit, is_new_shard, register};
use crate::shell::platform::bindings::{LAKE, config};
use crate::shell::platform::clock::{Ids, now_ms};
use crate::shell::platform::d1;

/// Deliveries of which an isolate keeps what was refused, a minute: a service that sends nothing but garbage is not to
/// cost a write to D1 and the bucket for each request.
const A_MINUTE: u32 = 10;

thread_local! {
    /// The running minute, and how many deliveries it had.
    static KEPT: Cell<(i64, u32)> = const { Cell::new((0, 0)) };
}

/// Whether one more delivery is kept now.
pub(crate) fn may_keep(now: i64) -> bool {
    let minute = now.div_euclid(MINUTE_MS);
    let (known, count) = KEPT.get();
    let count = if known == minute { count } else { 0 };
    KEPT.set((minute, count.saturating_add(1)));
    count < A_MINUTE
}

/// Lists a group, where its site has room, and puts it into the bucket.
pub(crate) async fn keep(env: &Env, id: &str, rejected: &Rejected) -> Result<()> {
    let listed: Vec<IgnoredAny> = d1::rows(env, &rejected.list(id)).await?;
    if listed.is_empty() {
        return Ok(());
    }
    put(env, id, rejected).await
}

async fn put(env: &Env, id: &str, rejected: &Rejected) -> Result<()> {
    let key = rejected.object_key(id);
    let content = rejected.to_json().into_bytes();
    env.bucket(LAKE)?.put(key, content).execute().await?;
    Ok(())
}

/// What a replay came to.
pub(crate) enum Tried {
    /// All of it was taken.
    Taken,
    /// Some of it was, or nothing.
    Refused,
    /// It is not in the bucket any more.
    Missing,
}

/// Judges what is kept once more, commits what is taken now, and keeps the rest.
pub(crate) async fn again(one: &Chosen, env: &Env) -> Result<Tried> {
    #[derive(Deserialize)]
    struct Site {
        hash_routing: i64,
    }
    let found = env.bucket(LAKE)?.get(&one.key).execute().await?;
    let Some(content) = found.as_ref().and_then(|object| object.body()) else {
        drop_row(one, env).await?;
        return Ok(Tried::Missing);
    };
    let rejected: Rejected = json::told(content.bytes().await?)?;
    let sites: Vec<Site> = d1::rows(env, &site_of(&one.site_id)).await?;
    let hash_routing = sites.first().is_some_and(|site| site.hash_routing != 0);
    let (ids, now) = (Ids::new()?, now_ms());
    let shards = config(env)
        .map_err(|fault| worker::Error::RustError(fault.detail().into_owned()))?
        .ingest
        .shards;
    let again = Again::of(&rejected, &one.part_id, hash_routing, (now, shards), || {
        ids.next(now)
    });
    if let Some(publication) = &again.publication {
        commit(env, publication).await?;
        if is_new_shard(publication) {
            register(env, publication.site(), publication.shard()).await;
        }
    }
    match again.rest {
        None => {
            forget_one(one, env).await?;
            Ok(Tried::Taken)
        }
        Some(rest) => {
            if again.publication.is_some() {
                put(env, &one.part_id, &rest).await?;
            }
            d1::rows::<IgnoredAny>(env, &rest.relist(&one.part_id, now)).await?;
            Ok(Tried::Refused)
        }
    }
}

/// Takes it out of the bucket and off the list, in this order: what is listed can be looked for.
async fn forget_one(one: &Chosen, env: &Env) -> Result<()> {
    env.bucket(LAKE)?.delete(&one.key).await?;
    drop_row(one, env).await
}

async fn drop_row(one: &Chosen, env: &Env) -> Result<()> {
    let part = std::slice::from_ref(&one.part_id);
    d1::rows::<IgnoredAny>(env, &forget(&one.site_id, part)).await?;
    Ok(())
}

/// Forgets some of what has been kept for long enough.
pub(crate) async fn forget_old(env: &Env) -> Result<()> {
    let old: Vec<Chosen> = d1::rows(env, &too_old(now_ms())).await?;
    for one in &old {
        forget_one(one, env).await?;
    }
    Ok(())
}
