//! The dashboard API: a read token, one question, one answer.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use worker::{Env, Request, Response, Result};

use super::bindings::{LAKE, LAKE_DO, SITE_DO, config};
use super::ingest_worker::now_ms;
use super::reply::{Cors, json, problem};
use super::{d1, keys, log, objects};
use crate::admit::RequestFacts;
use crate::auth::{KeyKind, lookup_hash};
use crate::error::Fault;
use crate::lake::LakeState;
use crate::read::health::{
    Backlog, Condition, Details, Health, Metrics, Service, TotalRow, lake_service, queue_service,
    totals, worst,
};
use crate::read::live::{sum, unite};
use crate::read::recent::Recent;
use crate::read::summary::Summary;
use crate::read::{Params, recent, summary};
use crate::routes::{SNAPSHOT, STATE, lake_object, site_object};
use crate::site::{OutboxState, Snapshot};

/// Answers a GET of the dashboard API or of `/health`.
pub(super) async fn read(path: &str, request: &Request, env: &Env) -> Result<Response> {
    let url = request.inner().url();
    let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
    let facts = RequestFacts {
        authorization: request.headers().get("authorization")?,
        ..RequestFacts::default()
    };
    let result = match path {
        "/health" => health(&facts, env).await,
        _ => match site_of(&facts, env).await {
            Ok(site) => answer(path, &site, &params, env)
                .await
                .map(|text| (200, text)),
            Err(fault) => Err(fault),
        },
    };
    match result {
        Ok((status, text)) => json(status, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The site that the request's read token reads: its own, and no other.
async fn site_of(facts: &RequestFacts, env: &Env) -> std::result::Result<String, Fault> {
    let token = facts.bearer().ok_or(Fault::UnknownKey)?;
    let hash = lookup_hash(&token).ok_or(Fault::UnknownKey)?;
    let grant = keys::grant(env, &hash, now_ms()).await?;
    if grant.kind == KeyKind::Read {
        Ok(grant.site)
    } else {
        Err(Fault::WrongScope)
    }
}

async fn answer(
    path: &str,
    site: &str,
    params: &Params,
    env: &Env,
) -> std::result::Result<String, Fault> {
    let now = now_ms();
    match path {
        "/v1/analytics/live" => {
            let shards = each_shard::<Snapshot>(env, site, SITE_DO, SNAPSHOT).await?;
            to_json(&unite(shards, now))
        }
        "/v1/analytics/events/recent" => {
            let query = Recent::parse(params)?;
            let rows: Vec<recent::Row> = rows(env, &query.statement(site)).await?;
            Ok(query.answer(&rows))
        }
        _ => {
            let query = Summary::parse(params)?;
            let rows: Vec<summary::Row> = rows(env, &query.statement(site, now)).await?;
            to_json(&query.answer(rows, now))
        }
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::Unavailable("The answer could not be written."))
}

async fn rows<T: DeserializeOwned>(
    env: &Env,
    statement: &crate::sql::Statement,
) -> std::result::Result<Vec<T>, Fault> {
    d1::rows(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The read model cannot be reached right now.")
    })
}

/// Asks every shard of a site.
async fn each_shard<T: DeserializeOwned>(
    env: &Env,
    site: &str,
    namespace: &str,
    command: &str,
) -> std::result::Result<Vec<T>, Fault> {
    let shards = config(env)?.ingest.shards;
    let mut answers = Vec::new();
    for shard in 0..shards {
        let name = if namespace == SITE_DO {
            site_object(site, shard)
        } else {
            lake_object(site, shard)
        };
        let answer = objects::call(env, namespace, &name, command, "")
            .await
            .map_err(|error| {
                log::error("objects", error);
                Fault::Unavailable("The live counts cannot be reached right now.")
            })?;
        answers.push(answer);
    }
    Ok(answers)
}

/// Checks each dependency. Everybody hears the status; the holder of a read token the rest.
async fn health(facts: &RequestFacts, env: &Env) -> std::result::Result<(u16, String), Fault> {
    // A token that is shown must be good; none need be shown.
    let site = match facts.authorization {
        Some(_) => Some(site_of(facts, env).await?),
        None => None,
    };
    // Without a token the objects checked are those of a site that nobody has.
    let checked = site.as_deref().unwrap_or("health-check");
    let now = now_ms();
    let mut services = BTreeMap::new();
    let mut backlog = Backlog::default();
    let mut metrics = Metrics::default();

    let size = d1::size(env).await;
    services.insert("d1", service(&size, "The database does not answer."));
    let outboxes = each_shard::<OutboxState>(env, checked, SITE_DO, STATE).await;
    services.insert(
        "site_do",
        service(&outboxes, "The live counts do not answer."),
    );
    for shard in outboxes.unwrap_or_default() {
        backlog.add_outbox(&shard);
    }
    services.insert("events_queue", queue_service(&backlog.outbox, now));
    let lakes = each_shard::<LakeState>(env, checked, LAKE_DO, STATE).await;
    let lakes_answer = service(&lakes, "The lake's writer does not answer.");
    for shard in lakes.unwrap_or_default() {
        backlog.add_lake(&shard);
    }
    services.insert(
        "lake_do",
        match lakes_answer.status {
            Condition::Healthy => lake_service(&backlog.lake),
            _ => lakes_answer,
        },
    );
    let bucket = match env.bucket(LAKE) {
        Ok(bucket) => bucket.head("health").await.map(drop),
        Err(error) => Err(error),
    };
    services.insert("r2", service(&bucket, "The bucket does not answer."));

    if let Some(site) = &site {
        let snapshots = each_shard::<Snapshot>(env, site, SITE_DO, SNAPSHOT).await;
        for entry in snapshots
            .unwrap_or_default()
            .into_iter()
            .flat_map(|s| s.outcomes)
        {
            sum(&mut metrics.outcomes, entry);
        }
        if let Ok(rows) = rows::<TotalRow>(env, &totals(site)).await {
            metrics.total_events = rows.iter().fold(0, |all, row| row.n.saturating_add(all));
            metrics.events_by_type = rows
                .into_iter()
                .map(|row| (row.event_type, row.n))
                .collect();
        }
    }
    let status = worst(services.values());
    let http_status = if status == Condition::Unhealthy {
        503
    } else {
        200
    };
    let health = Health {
        status,
        details: site.map(|_| Details {
            timestamp: now,
            services,
            metrics,
            backlog,
            database_bytes: size.ok().flatten(),
        }),
    };
    Ok((http_status, to_json(&health)?))
}

fn service<T, E>(result: &std::result::Result<T, E>, detail: &'static str) -> Service {
    match result {
        Ok(_) => Service::HEALTHY,
        Err(_) => Service::unhealthy(detail),
    }
}
