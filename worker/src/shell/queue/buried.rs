//! What is kept of dead letters, and when it is forgotten.

use serde::de::IgnoredAny;
use worker::{Env, Result};

use crate::dead_letter::{DeadPart, Kept, Reason, find, forget};
use crate::shell::platform::alerts;
use crate::shell::platform::bindings::LAKE;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::log;

/// Keeps a part, lists it, and then lets the log drop it. Whatever fails, the log still has it.
pub(crate) async fn bury(part: &DeadPart, reason: Reason, detail: &str, env: &Env) -> Result<()> {
    let bucket = env.bucket(LAKE)?;
    let message = part.message.clone();
    bucket.put(part.object_key(), message).execute().await?;
    let statement = part.statement(reason, detail, now_ms());
    d1::rows::<IgnoredAny>(env, &statement).await?;
    if let Some(confirmation) = part.confirmation() {
        SiteDo::of(env, &part.site, part.shard)
            .confirm(&confirmation)
            .await?;
    }
    log::error("dead_letter_queue", reason.code());
    alerts::dead_letters(env, &part.site, part.events, reason).await;
    Ok(())
}

/// Takes what a replay has stored out of the bucket and off the list, in this order: what is listed
/// can be looked for.
pub(crate) async fn forget_replayed(env: &Env, site: &str, part_ids: &[String]) -> Result<()> {
    let bucket = env.bucket(LAKE)?;
    for kept in d1::rows::<Kept>(env, &find(site, part_ids)).await? {
        bucket.delete(kept.key).await?;
    }
    d1::rows::<IgnoredAny>(env, &forget(site, part_ids)).await?;
    Ok(())
}
