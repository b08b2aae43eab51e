//! Every minute: wakes every shard, so that no alarm that was lost leaves work lying.

use serde::Deserialize;
use worker::{Env, Result, ScheduleContext, ScheduledEvent, event};

use super::bindings::{LAKE_DO, SITE_DO, config};
use super::{d1, log, objects};
use crate::routes::{WAKE, lake_object, site_object};
use crate::sql::Statement;

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = wake_all(&env).await {
        log::error("wake_cron", error);
    }
}

async fn wake_all(env: &Env) -> Result<()> {
    #[derive(Deserialize)]
    struct Site {
        site_id: String,
    }
    let shards = config(env)
        .map_err(|fault| worker::Error::RustError(fault.detail().into_owned()))?
        .ingest
        .shards;
    let sites: Vec<Site> = d1::rows(env, &Statement::new("SELECT site_id FROM sites", [])).await?;
    for site in sites {
        for shard in 0..shards {
            let site_name = site_object(&site.site_id, shard);
            let lake_name = lake_object(&site.site_id, shard);
            for (namespace, name) in [(SITE_DO, &site_name), (LAKE_DO, &lake_name)] {
                // One shard that does not wake must not keep the others asleep.
                if let Err(error) = objects::call::<()>(env, namespace, name, WAKE, "").await {
                    log::error("wake_cron", error);
                }
            }
        }
    }
    Ok(())
}
