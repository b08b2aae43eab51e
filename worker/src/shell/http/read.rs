//! The dashboard API: a read token, one question, one answer.

use worker::{Env, Request, Response, Result};

use crate::archive::fold::Sums;
use crate::endpoints::ReadCall;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::protocol::names::OWN_SITE;
use crate::read::live::unite;
use crate::read::metric::Format;
use crate::read::operations::Operations;
use crate::read::outcomes::Outcomes;
use crate::read::question::{found, with_missing};
use crate::read::recent::Recent;
use crate::read::reconciliation::{self, Findings, Reconciliation};
use crate::read::summary::Summary;
use crate::shell::http::asking::{
    ask_archive, asked, logs, parts, rows, site_of, to_json, unanswered, uncounted,
};
use crate::shell::http::fresh::fresh;
use crate::shell::http::reply;
use crate::shell::http::reply::{Cors, json, problem, table};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::now_ms;

/// Answers a GET of the dashboard API.
pub(crate) async fn read(call: ReadCall, request: &Request, env: &Env) -> Result<Response> {
    let (mut params, facts) = asked(request)?;
    if let Ok(config) = config(env) {
        params = params.or("windowMinutes", config.metrics_window.to_string());
    }
    let answer = async {
        let site = site_of(&facts, env).await?;
        answer(call, &site, &params, env).await
    };
    match answer.await {
        Ok((text, rows_read)) => reply::answer(text, rows_read),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The calls that were made with a site's keys.
pub(crate) async fn operations(request: &Request, env: &Env) -> Result<Response> {
    let (mut params, facts) = asked(request)?;
    if let Ok(config) = config(env) {
        params = params.or("windowMinutes", config.metrics_window.to_string());
    }
    let answer = async {
        let site = site_of(&facts, env).await?;
        let query = Operations::parse(&params)?;
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

/// The answer, and the rows that D1 read for it where it is D1's alone and tells.
async fn answer(
    call: ReadCall,
    site: &str,
    params: &Params,
    env: &Env,
) -> std::result::Result<(String, Option<usize>), Fault> {
    let now = now_ms();
    let text = match call {
        ReadCall::Live => {
            let snapshots = logs(env, site)?.snapshots().await.map_err(uncounted)?;
            to_json(&unite(snapshots, now))
        }
        ReadCall::Recent => {
            let query = Recent::parse(params, now)?;
            let (found, missing) = found(parts(ask_archive(env, site, query.asked()).await?)?);
            Ok(with_missing(query.answer(found), missing))
        }
        ReadCall::Outcomes => {
            let query = Outcomes::parse(params)?;
            let counts = logs(env, site)?.outcomes(query.first_hour(now)).await;
            to_json(&query.answer(counts.map_err(uncounted)?, now))
        }
        ReadCall::Reconciliation => {
            let query = Reconciliation::parse(params)?;
            to_json(&reconcile(env, site, &query, now).await?)
        }
        ReadCall::Summary => {
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
    let (logs, from) = (logs(env, site)?, query.first_hour(now));
    let before = logs.hours(from).await.map_err(uncounted)?;
    let statement = |_: &Sums| vec![query.stored(site, now)];
    let stored = fresh(env, site, &query.wants(now), &statement).await?;
    let found = Findings {
        before,
        stored: stored.rows(0)?,
        lacking: stored.lacking,
        dead: rows(env, &query.dead(site, now)).await?,
        lakes: Archives::of(env, site)
            .hours(from)
            .await
            .map_err(unanswered)?,
        after: logs.hours(from).await.map_err(uncounted)?,
    };
    Ok(query.answer(&found, now))
}
