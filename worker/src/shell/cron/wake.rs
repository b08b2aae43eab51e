//! Every minute, before [`upkeep`]: wakes the shards that have ever taken a batch, in turns where
//! they are many, so that no alarm that was lost leaves work lying.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::{Delay, Env, Result, ScheduleContext, ScheduledEvent, event};

use crate::base::together::join_all;
use crate::http::error::Fault;
use crate::import::{ImportRow, Place, list_imports};
use crate::log::shards::{ShardRow, WAKE_JOB, cursor, list_shards};
use crate::observe::alert::{Condition, LONG_MS, Ran};
use crate::observe::operations::Background;
use crate::read::reconciliation::Reconciliation;
use crate::shell::cron::upkeep;
use crate::shell::cron::upkeep::{load, save};
use crate::shell::http::calls::note;
use crate::shell::http::read::reconcile;
use crate::shell::platform::alerts;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::import_do::ImportDo;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::deadline::within;
use crate::shell::platform::log;
use crate::upkeep::jobs::Job;

/// Shards woken at once: each is two calls or more, and the platform opens six connections at a time.
const AT_ONCE: usize = 3;

/// Calls of a run after which no more shards are woken: the smaller plans allow an invocation 1,000.
const MAX_CALLS: usize = 800;

/// How long an object may take to look at its alarm.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long a run goes on waking objects, in milliseconds: where many do not answer, upkeep must have
/// its turn all the same, before the next minute.
const BUDGET_MS: i64 = 20_000;

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, context: ScheduleContext) {
    let began = now_ms();
    let is_watched = alerts::are_wanted(&env);
    if is_watched {
        // First: while D1 takes no write, all that follows may take long.
        let writes = d1::takes_writes(&env).await;
        alerts::conditions(&env, &[Condition::d1_writes(!writes)]).await;
    }
    let run = pin!(run(&env));
    let long = Duration::from_millis(LONG_MS.unsigned_abs());
    let ran = match select(run, pin!(Delay::from(long))).await {
        Either::Left((ran, _)) => ran,
        Either::Right((_, run)) => {
            log::error("wake_cron", "a run takes long");
            if is_watched {
                alerts::conditions(&env, &[Condition::cron_slow(true)]).await;
            }
            run.await
        }
    };
    let failed = ran.failed.first().copied();
    if let Some(noted) = note(&env, Background::Cron, None, began, failed) {
        context.wait_until(noted.commit_in_time());
    }
    let now = now_ms();
    if is_watched {
        let mut all = ran.conditions(now.saturating_sub(began), now);
        for site in ran.reconciled(now) {
            match closes(&env, site).await {
                Ok(closes) => all.push(Condition::reconciliation(site, !closes)),
                Err(fault) => log::error("wake_cron", fault.detail()),
            }
        }
        alerts::conditions(&env, &all).await;
    }
}

/// All that a run does.
async fn run(env: &Env) -> Ran {
    let mut ran = Ran::default();
    let until = now_ms().saturating_add(BUDGET_MS);
    for woken in [
        wake_shards(env, until, &mut ran).await,
        wake_imports(env, until).await,
    ] {
        if let Err(error) = woken {
            log::error("wake_cron", error);
            ran.failed.push("wake");
        }
    }
    upkeep::upkeep(env, &mut ran.failed).await;
    ran
}

/// Whether a site's reconciliation closes; one that does not is looked at twice, for it is read in several steps.
async fn closes(env: &Env, site: &str) -> std::result::Result<bool, Fault> {
    for _ in 0..2 {
        if reconcile(env, site, &Reconciliation::DAY, now_ms())
            .await?
            .closed
        {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn wake_shards(env: &Env, until: i64, ran: &mut Ran) -> Result<()> {
    let job = load(env, WAKE_JOB).await?;
    let shards: Vec<ShardRow> = d1::rows(env, &list_shards(&job.cursor)).await?;
    let (mut woken, mut calls) = (0_usize, 0_usize);
    let mut site = "";
    for some in shards.chunks(AT_ONCE) {
        if now_ms() > until || calls > MAX_CALLS {
            break;
        }
        let some: Vec<(&ShardRow, bool)> = some
            .iter()
            .map(|shard| {
                let before = std::mem::replace(&mut site, &shard.site_id);
                (shard, before != shard.site_id)
            })
            .collect();
        let called = join_all(some.iter().map(|(shard, is_first)| async move {
            let site = shard.site_id.as_str();
            let oldest = in_time(SiteDo::of(env, site, shard.shard).wake()).await;
            let archives = match is_first {
                true => in_time(Archives::of(env, site).wake()).await.unwrap_or(1),
                false => 0,
            };
            (archives.saturating_add(1), site, oldest.flatten())
        }));
        for (called, site, oldest) in called.await {
            calls = calls.saturating_add(called);
            ran.note(site, oldest);
        }
        woken = woken.saturating_add(some.len());
    }
    let next = cursor(shards.len(), shards.get(..woken).unwrap_or_default());
    if next == job.cursor {
        return Ok(());
    }
    let job = Job {
        cursor: next,
        ..job
    };
    save(env, WAKE_JOB, &job).await
}

async fn wake_imports(env: &Env, until: i64) -> Result<()> {
    let imports: Vec<ImportRow> = d1::rows(env, &list_imports()).await?;
    for some in imports.chunks(AT_ONCE) {
        if now_ms() > until {
            break;
        }
        join_all(some.iter().map(|import| async move {
            let place = Place {
                site: &import.site_id,
                import_id: &import.import_id,
            };
            in_time(ImportDo::of(env, place).wake()).await;
        }))
        .await;
    }
    Ok(())
}

/// What a call comes to; none where the object does not answer: it must not keep the others asleep.
async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Option<T> {
    match within(DEADLINE, call).await {
        Some(Ok(told)) => return Some(told),
        Some(Err(error)) => log::error("wake_cron", error),
        None => log::error("wake_cron", "an object did not answer in time"),
    }
    None
}
