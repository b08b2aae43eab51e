//! Every minute, a bounded piece of each: what KV is to keep of sites and keys, the hourly recount of the
//! read models, and forgetting what is old.

use worker::{Env, Result};

use crate::access::grants::{Unreachable, publish};
use crate::archive::recount::Counted;
use crate::shell::http::rejected_items;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::keys::Platform;
use crate::shell::platform::log;
use crate::upkeep::jobs::{self, Job};
use crate::upkeep::prune::{self, Deleted, MAX_CALL_STATEMENTS, MAX_CALLS, MAX_STEPS, Site, Turns};
use crate::upkeep::rebuild;
use crate::upkeep::recompute::{self, BUDGET_MS, Differs, Repair, SiteDay, Step, Stored};

/// The job of [`crate::access::grants`].
const GRANTS_JOB: &str = "grants";

/// The job of [`recompute`].
const RECOUNT_JOB: &str = "recount";

/// Does what is due; a job that fails keeps no other from its turn, is tried again in a minute, and is added to the
/// failed ones.
pub(crate) async fn upkeep(env: &Env, failed: &mut Vec<&'static str>) {
    let mut note = |job: &'static str, result: Result<()>| {
        if let Err(error) = result {
            log::error(job, error);
            failed.push(job);
        }
    };
    match publish::publish_due(&Platform(env)).await {
        Ok(0) => {}
        Ok(n) => log::error(GRANTS_JOB, format!("{n} rows are not in KV yet")),
        Err(Unreachable) => {
            let words = "D1 did not answer".to_owned();
            note(GRANTS_JOB, Err(worker::Error::RustError(words)));
        }
    }
    note(RECOUNT_JOB, recount(env).await);
    match is_rebuilding(env).await {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) => note(prune::JOB, Err(error)),
    }
    note(prune::JOB, forget_old(env).await);
    note(prune::JOB, forget_calls(env).await);
    note(prune::JOB, rejected_items::forget_old(env).await);
    note(prune::ARCHIVES_JOB, forget_events(env).await);
}

async fn is_rebuilding(env: &Env) -> Result<bool> {
    let noted: Vec<Job> = d1::rows(env, &rebuild::noted()).await?;
    Ok(rebuild::runs(noted.first(), now_ms()))
}

/// How far a job is.
pub(crate) async fn load(env: &Env, job: &'static str) -> Result<Job> {
    let mut rows: Vec<Job> = d1::rows(env, &jobs::load(job)).await?;
    Ok(rows.pop().unwrap_or_default())
}

/// Notes how far a job is.
pub(crate) async fn save(env: &Env, job: &'static str, progress: &Job) -> Result<()> {
    d1::rows::<serde::de::IgnoredAny>(env, &jobs::save(job, progress)).await?;
    Ok(())
}

async fn recount(env: &Env) -> Result<()> {
    let begun = now_ms();
    let hour = recompute::hour_of(begun);
    let mut job = load(env, RECOUNT_JOB).await?;
    if job.done_for >= hour {
        return Ok(());
    }
    let sites: Vec<SiteDay> = d1::rows(env, &recompute::sites(begun)).await?;
    for step in recompute::steps(&sites, &job.cursor) {
        let now = now_ms();
        if now.saturating_sub(begun) > BUDGET_MS {
            return save(env, RECOUNT_JOB, &job).await;
        }
        // A step that fails is told and passed by: it must not keep all others from their turn, and
        // has its own again in an hour.
        if let Err(error) = recount_step(env, &step, now).await {
            log::error(RECOUNT_JOB, error);
        }
        job.cursor = step.cursor();
    }
    let done = Job {
        done_for: hour,
        cursor: String::new(),
    };
    save(env, RECOUNT_JOB, &done).await
}

/// A step. What the archive does not tell whole, and what D1 has not taken yet, has its turn in an hour.
async fn recount_step(env: &Env, step: &Step, now_ms: i64) -> Result<()> {
    let statements = match step.asks() {
        Some(day) => {
            let counted = Archives::of(env, &step.site).recount(&day).await?;
            let Some(counted) = Counted::united(counted) else {
                return Ok(());
            };
            let stored: Vec<Stored> = d1::rows(env, &step.stored(day.part, &counted)).await?;
            let found = step.differences(&counted, stored);
            if found.is_empty() {
                return Ok(());
            }
            step.mend(&counted, &found, now_ms)
        }
        None => {
            let found: Vec<Differs> = d1::rows(env, &step.check_receipt()).await?;
            if found.iter().all(|found| found.n == 0) {
                return Ok(());
            }
            step.mend_receipt(now_ms)
        }
    };
    let repairs: Vec<Repair> = d1::transaction(env, &statements).await?;
    for Repair { model, n } in repairs {
        log::error(RECOUNT_JOB, format!("{n} rows of {model} were mended"));
    }
    Ok(())
}

/// Once an hour, for a run in which nothing is old would read some rows of every site for nothing.
async fn forget_old(env: &Env) -> Result<()> {
    let (default, now) = (settings(env)?.ingest.retention_days, now_ms());
    let mut job = load(env, prune::JOB).await?;
    if job.done_for >= recompute::hour_of(now) {
        return Ok(());
    }
    let page: Vec<Site> = d1::rows(env, &prune::sites(&job.cursor, default, now)).await?;
    let mut turns = Turns::new(page);
    let mut failed = false;
    while let Some(site) = turns.next_site() {
        match forget_some(env, &site, now).await {
            Ok(true) => turns.again(site),
            Ok(false) => {}
            // The others have their turn all the same, and this one again in a minute.
            Err(error) => {
                log::error(prune::JOB, error);
                failed = true;
            }
        }
    }
    let is_done = turns.is_done() && !failed;
    let cursor = turns.cursor();
    if is_done && cursor.is_empty() {
        job.done_for = recompute::hour_of(now);
    } else if cursor == job.cursor {
        return Ok(());
    }
    job.cursor = cursor;
    save(env, prune::JOB, &job).await
}

/// A site's turn; whether there is more of it.
async fn forget_some(env: &Env, site: &Site, now_ms: i64) -> Result<bool> {
    let mut more = false;
    for statement in prune::turn(site, now_ms) {
        let deleted: Vec<Deleted> = d1::rows(env, &statement).await?;
        more |= prune::has_more(deleted.len());
    }
    Ok(more)
}

async fn forget_calls(env: &Env) -> Result<()> {
    for _ in 0..MAX_CALL_STATEMENTS {
        let deleted: Vec<Deleted> = d1::rows(env, &prune::calls(now_ms())).await?;
        if i64::try_from(deleted.len()).unwrap_or(0) < MAX_CALLS {
            break;
        }
    }
    Ok(())
}

/// Has archives delete events that are too old, in turns.
async fn forget_events(env: &Env) -> Result<()> {
    let (default, now) = (settings(env)?.ingest.retention_days, now_ms());
    let mut job = load(env, prune::ARCHIVES_JOB).await?;
    let page: Vec<Site> = d1::rows(env, &prune::archives(&job.cursor, default)).await?;
    let mut turns = Turns::new(page);
    while let Some(site) = turns.next_site() {
        match prune_archive(env, &site, now).await {
            Ok(true) => turns.again(site),
            Ok(false) => {}
            Err(error) => log::error(prune::ARCHIVES_JOB, error),
        }
    }
    let cursor = turns.cursor();
    if cursor == job.cursor {
        return Ok(());
    }
    job.cursor = cursor;
    save(env, prune::ARCHIVES_JOB, &job).await
}

/// Some steps of a site's archives; whether there is more to delete.
async fn prune_archive(env: &Env, site: &Site, now_ms: i64) -> Result<bool> {
    let kept_from = prune::events_from(site.days, now_ms);
    for _ in 0..MAX_STEPS {
        let steps = Archives::of(env, &site.site_id).prune(kept_from).await?;
        if steps.iter().all(|step| !step.more) {
            return Ok(false);
        }
    }
    Ok(true)
}
