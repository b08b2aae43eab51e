//! Every minute, before [`upkeep_cron`]: wakes every shard that has ever taken a batch, so that no alarm that was lost
//! leaves work lying.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use worker::{Delay, Env, Result, ScheduleContext, ScheduledEvent, event};

use super::bindings::{IMPORT_DO, LAKE_DO, SITE_DO};
use super::{d1, log, objects, upkeep_cron};
use crate::import::{ImportRow, list_imports};
use crate::routes::{WAKE, import_object, lake_object, site_object};
use crate::shards::{ShardRow, list_shards};

/// Shards woken at once: each is two calls, and the platform opens six connections at a time.
const AT_ONCE: usize = 3;

/// How long an object may take to look at its alarm.
const DEADLINE: Duration = Duration::from_secs(5);

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = wake_all(&env).await {
        log::error("wake_cron", error);
    }
    upkeep_cron::upkeep(&env).await;
}

async fn wake_all(env: &Env) -> Result<()> {
    let shards: Vec<ShardRow> = d1::rows(env, &list_shards()).await?;
    for some in shards.chunks(AT_ONCE) {
        join_all(some.iter().map(|shard| async move {
            let site_name = site_object(&shard.site_id, shard.shard);
            let lake_name = lake_object(&shard.site_id, shard.shard);
            wake(env, SITE_DO, &site_name).await;
            wake(env, LAKE_DO, &lake_name).await;
        }))
        .await;
    }
    let imports: Vec<ImportRow> = d1::rows(env, &list_imports()).await?;
    for some in imports.chunks(AT_ONCE) {
        join_all(some.iter().map(|import| async move {
            let name = import_object(&import.site_id, &import.import_id);
            wake(env, IMPORT_DO, &name).await;
        }))
        .await;
    }
    Ok(())
}

/// Wakes an object; one that does not answer must not keep the others asleep.
async fn wake(env: &Env, namespace: &str, name: &str) {
    let call = pin!(objects::call::<()>(env, namespace, name, WAKE, ""));
    match select(call, pin!(Delay::from(DEADLINE))).await {
        Either::Left((Ok(()), _)) => {}
        Either::Left((Err(error), _)) => log::error("wake_cron", error),
        Either::Right(_) => log::error("wake_cron", "an object did not answer in time"),
    }
}
