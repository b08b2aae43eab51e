//! The dashboard API: a read token, one question, one answer.

use serde::de::DeserializeOwned;
use worker::{Env, Request, Response, Result};

use super::bindings::{LAKE_DO, SITE_DO, config};
use super::health_worker::health;
use super::platform::now_ms;
use super::reply::{Cors, json, problem, table};
use super::{d1, keys, log, objects, reply};
use crate::auth::KeyKind;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::log::{Entry, Snapshot};
use crate::read::live::unite;
use crate::read::metric::Format;
use crate::read::operations::Operations;
use crate::read::outcomes::Outcomes;
use crate::read::recent::Recent;
use crate::read::reconciliation::{Findings, Reconciliation};
use crate::read::summary::Summary;
use crate::read::{Params, operations, recent, summary};
use crate::routes::{HOURS, OUTCOMES, SNAPSHOT, lake_object, site_object};
use crate::sql::Statement;

/// Answers a GET of the dashboard API or of `/health`.
pub(super) async fn read(path: &str, request: &Request, env: &Env) -> Result<Response> {
    let (params, facts) = asked(request)?;
    let result = match path {
        "/health" => health(&facts, env).await,
        "/v1/analytics/operations" => return operations(&params, &facts, env).await,
        _ => match site_of(&facts, env).await {
            Ok(site) => match answer(path, &site, &params, env).await {
                Ok((text, rows_read)) => return reply::answer(text, rows_read),
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        },
    };
    match result {
        Ok((status, text)) => json(status, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The calls that were made with a site's keys.
async fn operations(params: &Params, facts: &RequestFacts, env: &Env) -> Result<Response> {
    let answer = async {
        let site = site_of(facts, env).await?;
        let query = Operations::parse(params)?;
        let now = now_ms();
        let rows: Vec<operations::Row> = rows(env, &query.statement(&site, now)).await?;
        Ok((query.format, query.answer(&rows, now)))
    };
    match answer.await {
        Ok((Format::Json, answer)) => json(200, serde_json::to_string(&answer)?, &Cors::Any),
        Ok((Format::Csv, answer)) => table(answer.csv()),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// What a request of the dashboard API asks, and with which token.
pub(super) fn asked(request: &Request) -> Result<(Params, RequestFacts)> {
    let url = request.inner().url();
    let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
    let facts = RequestFacts {
        authorization: request.headers().get("authorization")?,
        ..RequestFacts::default()
    };
    Ok((params, facts))
}

/// The site that the request's read token reads: its own, and no other.
pub(super) async fn site_of(facts: &RequestFacts, env: &Env) -> std::result::Result<String, Fault> {
    let token = facts.bearer().ok_or(Fault::UnknownKey)?;
    let grant = keys::grant(env, None, &token, now_ms()).await?;
    if grant.kind == KeyKind::Read {
        Ok(grant.site.clone())
    } else {
        Err(Fault::WrongScope)
    }
}

/// The answer, and the rows that D1 read for it where it is D1's alone and tells.
async fn answer(
    path: &str,
    site: &str,
    params: &Params,
    env: &Env,
) -> std::result::Result<(String, Option<usize>), Fault> {
    let now = now_ms();
    let text = match path {
        "/v1/analytics/live" => {
            let shards = config(env)?.ingest.shards;
            let snapshots =
                each_shard::<Snapshot>(env, site, shards, SITE_DO, SNAPSHOT, "").await?;
            to_json(&unite(snapshots, now))
        }
        "/v1/analytics/events/recent" => {
            let query = Recent::parse(params)?;
            let (rows, read): (Vec<recent::Row>, _) =
                rows_and_cost(env, &query.statement(site)).await?;
            return Ok((query.answer(&rows), read));
        }
        "/v1/analytics/outcomes" => {
            let query = Outcomes::parse(params)?;
            let (shards, from) = (
                config(env)?.ingest.shards,
                query.first_hour(now).to_string(),
            );
            let counts =
                each_shard::<Vec<Entry>>(env, site, shards, SITE_DO, OUTCOMES, &from).await?;
            to_json(&query.answer(counts, now))
        }
        "/v1/analytics/reconciliation" => {
            let query = Reconciliation::parse(params)?;
            let (shards, from) = (
                config(env)?.ingest.shards,
                query.first_hour(now).to_string(),
            );
            let found = Findings {
                before: each_shard(env, site, shards, SITE_DO, HOURS, &from).await?,
                stored: rows(env, &query.stored(site, now)).await?,
                dead: rows(env, &query.dead(site, now)).await?,
                lakes: each_shard(env, site, shards, LAKE_DO, HOURS, &from).await?,
                after: each_shard(env, site, shards, SITE_DO, HOURS, &from).await?,
            };
            to_json(&query.answer(&found, now))
        }
        _ => {
            let query = Summary::parse(params)?;
            let (rows, read): (Vec<summary::Row>, _) =
                rows_and_cost(env, &query.statement(site, now)).await?;
            return Ok((to_json(&query.answer(rows, now))?, read));
        }
    };
    Ok((text?, None))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::Unavailable("The answer could not be written."))
}

pub(super) async fn rows<T: DeserializeOwned>(
    env: &Env,
    statement: &Statement,
) -> std::result::Result<Vec<T>, Fault> {
    d1::rows(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The read model cannot be reached right now.")
    })
}

/// As [`rows`], with how many rows D1 read, where it tells.
pub(super) async fn rows_and_cost<T: DeserializeOwned>(
    env: &Env,
    statement: &Statement,
) -> std::result::Result<(Vec<T>, Option<usize>), Fault> {
    d1::rows_and_cost(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The read model cannot be reached right now.")
    })
}

/// Asks every shard of a site.
pub(super) async fn each_shard<T: DeserializeOwned>(
    env: &Env,
    site: &str,
    shards: u32,
    namespace: &str,
    command: &str,
    body: &str,
) -> std::result::Result<Vec<T>, Fault> {
    let mut answers = Vec::new();
    for shard in 0..shards {
        let name = if namespace == SITE_DO {
            site_object(site, shard)
        } else {
            lake_object(site, shard)
        };
        let answer = objects::call(env, namespace, &name, command, body)
            .await
            .map_err(|error| {
                log::error("objects", error);
                Fault::Unavailable("The live counts cannot be reached right now.")
            })?;
        answers.push(answer);
    }
    Ok(answers)
}
