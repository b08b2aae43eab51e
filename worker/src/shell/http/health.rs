//! `GET /health`: each dependency checked. Everybody hears the status; the holder of a read token
//! the rest.

use std::cell::Cell;
use worker::{Env, Request, Response};

use crate::archive::fold::Sums;
use crate::base::sorted::Map;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::protocol::names::HEALTH_SITE;
use crate::read::health::{
    Backlog, Condition, Details, Health, Metrics, Service, WRITE_PROBE_MS, database_service,
    lake_service, queue_service, totals, wants, worst,
};
use crate::read::live::sum;
use crate::shell::http::asking::{asked, site_of, to_json, uncounted};
use crate::shell::http::fresh::fresh;
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::{LAKE, config};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;

/// How long the verdict for everybody is good: whoever asks a thousand times a second costs one
/// check in that time.
const PUBLIC_MS: i64 = 10_000;

thread_local! {
    static PUBLIC: Cell<Option<(i64, Condition)>> = const { Cell::new(None) };
    /// Whether D1 took the last write that was asked, and when.
    static WRITES: Cell<Option<(i64, bool)>> = const { Cell::new(None) };
}

/// What a check of all services found.
struct Findings {
    services: Map<&'static str, Service>,
    backlog: Backlog,
    metrics: Metrics,
    database_bytes: Option<u64>,
}

/// Answers a GET.
pub(crate) async fn health(request: &Request, env: &Env) -> worker::Result<Response> {
    let (_, facts) = asked(request)?;
    match told(&facts, env).await {
        Ok((status, text)) => json(status, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The status and body of the answer.
async fn told(facts: &RequestFacts, env: &Env) -> Result<(u16, String), Fault> {
    let now = now_ms();
    // A token that is shown must be good; none need be shown.
    let Some(_) = &facts.authorization else {
        let status = match PUBLIC
            .get()
            .filter(|(at, _)| now.saturating_sub(*at) < PUBLIC_MS)
        {
            Some((_, status)) => status,
            None => {
                let found = check(env, HEALTH_SITE, 1, now).await;
                let status = worst(found.services.values());
                PUBLIC.set(Some((now, status)));
                status
            }
        };
        return answer(status, None);
    };
    let site = site_of(facts, env).await?;
    let shards = config(env)?.ingest.shards;
    let mut found = check(env, &site, shards, now).await;
    let statement = |_: &Sums| vec![totals(&site)];
    if let Ok(counted) = fresh(env, &site, &wants(), &statement).await
        && let Ok(rows) = counted.rows(0)
    {
        found.metrics.add(rows, &counted.lacking);
    }
    let status = worst(found.services.values());
    answer(
        status,
        Some(Details {
            timestamp: now,
            services: found.services,
            metrics: found.metrics,
            backlog: found.backlog,
            database_bytes: found.database_bytes,
        }),
    )
}

fn answer(status: Condition, details: Option<Details>) -> Result<(u16, String), Fault> {
    let http_status = if status == Condition::Unhealthy {
        503
    } else {
        200
    };
    Ok((http_status, to_json(&Health { status, details })?))
}

async fn check(env: &Env, site: &str, shards: u32, now: i64) -> Findings {
    let mut services = Map::new();
    let mut backlog = Backlog::default();
    let mut metrics = Metrics::default();

    let size = d1::size(env).await;
    let writes = size.is_ok() && writes(env, now).await;
    services.insert("d1", database_service(size.is_ok(), writes));

    let states = SiteDo::all(env, site, shards)
        .states()
        .await
        .map_err(uncounted);
    services.insert(
        "site_do",
        service(&states, "The live counts do not answer."),
    );
    for shard in states.unwrap_or_default() {
        backlog.add_outbox(&shard.outbox);
        for entry in shard.outcomes {
            sum(&mut metrics.outcomes, entry);
        }
    }
    services.insert("events_queue", queue_service(&backlog.outbox, now));

    let lakes = Archives::of(env, site).states().await;
    let answers = service(&lakes, "The archive does not answer.");
    for state in lakes.unwrap_or_default() {
        backlog.add_lake(&state);
    }
    let lake = match answers.status {
        Condition::Healthy => lake_service(&backlog.lake),
        _ => answers,
    };
    services.insert("archive_do", lake);

    let bucket = match env.bucket(LAKE) {
        Ok(bucket) => bucket.head("health").await.map(drop),
        Err(error) => Err(error),
    };
    services.insert("r2", service(&bucket, "The bucket does not answer."));
    Findings {
        services,
        backlog,
        metrics,
        database_bytes: size.ok().flatten(),
    }
}

/// Whether D1 takes writes, asked at most every [`WRITE_PROBE_MS`].
async fn writes(env: &Env, now: i64) -> bool {
    let known = WRITES.get();
    if let Some((at, writes)) = known
        && now.saturating_sub(at) < WRITE_PROBE_MS
    {
        return writes;
    }
    let writes = d1::takes_writes(env).await;
    WRITES.set(Some((now, writes)));
    writes
}

fn service<T, E>(result: &Result<T, E>, detail: &'static str) -> Service {
    match result {
        Ok(_) => Service::HEALTHY,
        Err(_) => Service::unhealthy(detail),
    }
}
