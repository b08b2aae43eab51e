//! The dashboard API: a read token, one question, one answer.

use serde::de::DeserializeOwned;
use worker::{Env, Request, Response, Result};

use crate::access::auth::KeyKind;
use crate::archive::fold::Sums;
use crate::archive::scan::{Ask, Asked, Part};
use crate::archive::spread::only;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::log::{Entry, Snapshot};
use crate::observe::tally::OWN_SITE;
use crate::protocol::names::{ASK, HOURS, OUTCOMES, SNAPSHOT};
use crate::read::Params;
use crate::read::live::unite;
use crate::read::metric::Format;
use crate::read::operations::Operations;
use crate::read::outcomes::Outcomes;
use crate::read::question::{found, with_missing};
use crate::read::recent::Recent;
use crate::read::reconciliation::{self, Findings, Reconciliation};
use crate::read::summary::Summary;
use crate::shell::http::fresh::fresh;
use crate::shell::http::health::health;
use crate::shell::http::reply;
use crate::shell::http::reply::{Cors, json, problem, table};
use crate::shell::platform::archives::{archives, ask_all, ask_home};
use crate::shell::platform::bindings::{SITE_DO, config};
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::keys;
use crate::shell::platform::log;
use crate::shell::platform::objects;

/// Answers a GET of the dashboard API or of `/health`.
pub(crate) async fn read(path: &str, request: &Request, env: &Env) -> Result<Response> {
    let (mut params, facts) = asked(request)?;
    if let Ok(config) = config(env) {
        params = params.or("windowMinutes", config.metrics_window.to_string());
    }
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
pub(crate) fn asked(request: &Request) -> Result<(Params, RequestFacts)> {
    let url = request.inner().url();
    let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
    let facts = RequestFacts {
        authorization: request.headers().get("authorization")?,
        ..RequestFacts::default()
    };
    Ok((params, facts))
}

/// The site that the request's read token reads: its own, and no other.
pub(crate) async fn site_of(facts: &RequestFacts, env: &Env) -> std::result::Result<String, Fault> {
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
            let snapshots = each_shard(env, site, shards, SNAPSHOT, "").await?;
            to_json(&unite(told::<Snapshot>(snapshots)?, now))
        }
        "/v1/analytics/events/recent" => {
            let query = Recent::parse(params, now)?;
            let (found, missing) = found(parts(ask_archive(env, site, query.asked()).await?)?);
            Ok(with_missing(query.answer(found), missing))
        }
        "/v1/analytics/outcomes" => {
            let query = Outcomes::parse(params)?;
            let (shards, from) = (
                config(env)?.ingest.shards,
                query.first_hour(now).to_string(),
            );
            let counts = each_shard(env, site, shards, OUTCOMES, &from).await?;
            to_json(&query.answer(told::<Vec<Entry>>(counts)?, now))
        }
        "/v1/analytics/reconciliation" => {
            let query = Reconciliation::parse(params)?;
            to_json(&reconcile(env, site, &query, now).await?)
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

/// Of every hour, what was taken, and where it is now.
pub(crate) async fn reconcile(
    env: &Env,
    site: &str,
    query: &Reconciliation,
    now: i64,
) -> std::result::Result<reconciliation::Answer, Fault> {
    let (shards, from) = (
        config(env)?.ingest.shards,
        query.first_hour(now).to_string(),
    );
    let before = told(each_shard(env, site, shards, HOURS, &from).await?)?;
    let statement = |_: &Sums| vec![query.stored(site, now)];
    let stored = fresh(env, site, &query.wants(now), &statement).await?;
    let found = Findings {
        before,
        stored: stored.rows(0)?,
        lacking: stored.lacking,
        dead: rows(env, &query.dead(site, now)).await?,
        lakes: told(ask(env, site, HOURS, &from).await?)?,
        after: told(each_shard(env, site, shards, HOURS, &from).await?)?,
    };
    Ok(query.answer(&found, now))
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(|_| Fault::Unavailable("The answer could not be written."))
}

pub(crate) async fn rows<T: DeserializeOwned>(
    env: &Env,
    statement: &Statement,
) -> std::result::Result<Vec<T>, Fault> {
    d1::rows(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The read model cannot be reached right now.")
    })
}

pub(crate) fn unanswered(error: worker::Error) -> Fault {
    log::error("archive_do", error);
    Fault::Unavailable("The archive cannot be reached right now.")
}

/// Asks all of a site's archives.
pub(crate) async fn ask(
    env: &Env,
    site: &str,
    command: &str,
    body: &str,
) -> std::result::Result<Vec<String>, Fault> {
    ask_all(env, site, command, body).await.map_err(unanswered)
}

/// Reads what shards answered.
pub(crate) fn told<T: DeserializeOwned>(said: Vec<String>) -> std::result::Result<Vec<T>, Fault> {
    objects::told_all(said).map_err(unanswered)
}

/// Asks the archives of a site that can have what is asked for, each of which answers a [`Part`].
pub(crate) async fn ask_archive(
    env: &Env,
    site: &str,
    asked: Asked,
) -> std::result::Result<Vec<String>, Fault> {
    let number = archives(env, site).await.map_err(unanswered)?;
    let key = &config(env)?.ingest.hash_key;
    let alone = number == 1;
    let has_home = only(&asked, site, number, key).is_some();
    let ask_of = Ask { asked, alone };
    let body = to_json(&ask_of)?;
    if !has_home {
        return ask(env, site, ASK, &body).await;
    }
    let home = |archives| only(&ask_of.asked, site, archives, key).unwrap_or(0);
    let said = ask_home(env, site, &home, ASK, body.as_bytes()).await;
    Ok(vec![said.map_err(unanswered)?])
}

/// Reads the parts of an answer: from their text, for they may be long, and lines of events are told as they are.
pub(crate) fn parts<T: DeserializeOwned>(
    said: Vec<String>,
) -> std::result::Result<Vec<Part<T>>, Fault> {
    let mut parts = Vec::with_capacity(said.len());
    for one in said {
        let part: Part<T> = serde_json::from_str(&one).map_err(|error| unanswered(error.into()))?;
        if part.unreadable > 0 {
            unreadable(part.unreadable);
        }
        parts.push(part);
    }
    Ok(parts)
}

fn unreadable(segments: i64) {
    log::error(
        "archive_do",
        format_args!("{segments} segments cannot be read"),
    );
}

/// Asks every shard of a site's log.
pub(crate) async fn each_shard(
    env: &Env,
    site: &str,
    shards: u32,
    command: &str,
    body: &str,
) -> std::result::Result<Vec<String>, Fault> {
    let asked = objects::ask_all(env, SITE_DO, site, shards, command, body).await;
    asked.map_err(|error| {
        log::error("objects", error);
        Fault::Unavailable("The live counts cannot be reached right now.")
    })
}
