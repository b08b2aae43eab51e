//! The dashboard API: a read token, one question, one answer.

use serde::de::DeserializeOwned;
use worker::{Env, Request, Response, Result};

use super::bindings::{ARCHIVE_DO, SITE_DO, config};
use super::fresh::fresh;
use super::health_worker::health;
use super::platform::now_ms;
use super::reply::{Cors, json, problem, table};
use super::{d1, keys, log, objects, reply};
use crate::archive::fold::Sums;
use crate::archive::scan::{Ask, Asked, Part};
use crate::auth::KeyKind;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::log::{Entry, Snapshot};
use crate::read::Params;
use crate::read::live::unite;
use crate::read::metric::Format;
use crate::read::operations::Operations;
use crate::read::outcomes::Outcomes;
use crate::read::question::{found, with_missing};
use crate::read::recent::Recent;
use crate::read::reconciliation::{Findings, Reconciliation};
use crate::read::summary::Summary;
use crate::routes::{ASK, HOURS, OUTCOMES, SNAPSHOT, archive_object, site_object};
use crate::sql::Statement;
use crate::tally::OWN_SITE;

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
        let wants = query.wants(&site, now);
        let statement = |_: &Sums| vec![query.statement(&site, now)];
        let found = fresh(env, OWN_SITE, &wants, &statement).await?;
        let answer = query.answer(found.rows(0)?, &found.lacking, now);
        Ok((query.format, answer))
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
            let snapshots = each_shard::<Snapshot>(env, site, shards, SNAPSHOT, "").await?;
            to_json(&unite(snapshots, now))
        }
        "/v1/analytics/events/recent" => {
            let query = Recent::parse(params)?;
            let (found, missing) = found(ask_archive(env, site, query.asked()).await?);
            Ok(with_missing(query.answer(found), missing))
        }
        "/v1/analytics/outcomes" => {
            let query = Outcomes::parse(params)?;
            let (shards, from) = (
                config(env)?.ingest.shards,
                query.first_hour(now).to_string(),
            );
            let counts = each_shard::<Vec<Entry>>(env, site, shards, OUTCOMES, &from).await?;
            to_json(&query.answer(counts, now))
        }
        "/v1/analytics/reconciliation" => {
            let query = Reconciliation::parse(params)?;
            let (shards, from) = (
                config(env)?.ingest.shards,
                query.first_hour(now).to_string(),
            );
            let before = each_shard(env, site, shards, HOURS, &from).await?;
            let statement = |_: &Sums| vec![query.stored(site, now)];
            let stored = fresh(env, site, &query.wants(now), &statement).await?;
            let found = Findings {
                before,
                stored: stored.rows(0)?,
                lacking: stored.lacking,
                dead: rows(env, &query.dead(site, now)).await?,
                lakes: vec![ask(env, site, HOURS, &from).await?],
                after: each_shard(env, site, shards, HOURS, &from).await?,
            };
            to_json(&query.answer(&found, now))
        }
        _ => {
            let query = Summary::parse(params)?;
            let statement = |_: &Sums| vec![query.statement(site, now)];
            let found = fresh(env, site, &query.wants(now), &statement).await?;
            let answer = query.answer(found.rows(0)?, &found.lacking, now);
            return Ok((to_json(&answer)?, found.cost(0)));
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

/// Asks a site's archive.
pub(super) async fn ask<T: DeserializeOwned>(
    env: &Env,
    site: &str,
    command: &str,
    body: &str,
) -> std::result::Result<T, Fault> {
    let asked = objects::call(env, ARCHIVE_DO, &archive_object(site), command, body).await;
    asked.map_err(unanswered)
}

pub(super) fn unanswered(error: worker::Error) -> Fault {
    log::error("archive_do", error);
    Fault::Unavailable("The archive cannot be reached right now.")
}

/// Asks each shard of a site's archive a question: so far there is one.
pub(super) async fn ask_archive<T: DeserializeOwned>(
    env: &Env,
    site: &str,
    asked: Asked,
) -> std::result::Result<Vec<Part<T>>, Fault> {
    let said = ask_shards(env, site, ASK, &to_json(&Ask { asked, alone: true })?).await?;
    // From its text: an answer may be long, and lines of events are told as they are.
    let parts = said
        .iter()
        .map(|said| serde_json::from_str::<Part<T>>(said));
    let parts = parts.collect::<std::result::Result<Vec<_>, _>>();
    let parts = parts.map_err(|error| unanswered(error.into()))?;
    parts
        .iter()
        .for_each(|part| note_unreadable(part.unreadable));
    Ok(parts)
}

/// Has each shard of a site's archive answer a command with its [`Part`], as JSON.
pub(super) async fn ask_shards(
    env: &Env,
    site: &str,
    command: &str,
    body: &str,
) -> std::result::Result<Vec<String>, Fault> {
    let said = objects::ask(env, ARCHIVE_DO, &archive_object(site), command, body).await;
    Ok(vec![said.map_err(unanswered)?])
}

/// Tells the log of segments that cannot be read.
pub(super) fn note_unreadable(segments: i64) {
    if segments > 0 {
        let said = format_args!("{segments} segments cannot be read");
        log::error("archive_do", said);
    }
}

/// Asks every shard of a site's log.
pub(super) async fn each_shard<T: DeserializeOwned>(
    env: &Env,
    site: &str,
    shards: u32,
    command: &str,
    body: &str,
) -> std::result::Result<Vec<T>, Fault> {
    let mut answers = Vec::new();
    for shard in 0..shards {
        let answer = objects::call(env, SITE_DO, &site_object(site, shard), command, body)
            .await
            .map_err(|error| {
                log::error("objects", error);
                Fault::Unavailable("The live counts cannot be reached right now.")
            })?;
        answers.push(answer);
    }
    Ok(answers)
}
