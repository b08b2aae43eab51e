//! `GET /metrics`: the deployment's figures, for the holder of the admin token.

use std::time::Duration;

use worker::{Env, Request, Response, Result};

use crate::archive::fold::Sums;
use crate::base::together::join_all;
use crate::http::error::Fault;
use crate::lake::LakeState;
use crate::log::State;
use crate::log::shards::{Count, ShardRow, count_shards, list_shards};
use crate::protocol::names::OWN_SITE;
use crate::read::prometheus::{self, Findings, MAX_SHARDS};
use crate::shell::http::admin::{authorize, rows};
use crate::shell::http::fresh::fresh;
use crate::shell::http::reply::{Cors, exposition, problem};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::deadline::within;
use crate::shell::platform::log;

/// Shards asked at once: each is two calls, and the platform opens six connections at a time.
const AT_ONCE: usize = 3;

/// How long a shard may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long shards are asked, milliseconds: Prometheus waits for ten seconds by default.
const ASKED_FOR_MS: i64 = 6_000;

/// Answers a GET of the page.
pub(crate) async fn metrics(request: &Request, env: &Env) -> Result<Response> {
    match find(request, env).await {
        Ok(found) => exposition(found.page()),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn find(request: &Request, env: &Env) -> std::result::Result<Findings, Fault> {
    authorize(request, env).await?;
    let statements = |_: &Sums| vec![prometheus::calls(), prometheus::outcomes()];
    let counted = fresh(env, OWN_SITE, &prometheus::wants(), &statements).await?;
    let mut found = Findings {
        calls: counted.rows(0)?,
        outcomes: counted.rows(1)?,
        lacking: counted.lacking,
        dead: rows(env, &prometheus::dead_letters()).await?,
        database_bytes: d1::size(env).await.ok().flatten(),
        ..Findings::default()
    };
    let shards: Vec<ShardRow> = rows(env, &list_shards("")).await?;
    let all: Option<Count> = rows(env, &count_shards()).await?.pop();
    let begun = now_ms();
    let mut left = all.unwrap_or_default().n;
    let asked = shards.get(..MAX_SHARDS).unwrap_or(&shards);
    let mut archived = "";
    let asked: Vec<(&ShardRow, bool)> = asked
        .iter()
        .map(|shard| {
            (
                shard,
                std::mem::replace(&mut archived, &shard.site_id) != shard.site_id,
            )
        })
        .collect();
    for some in asked.chunks(AT_ONCE) {
        if now_ms().saturating_sub(begun) > ASKED_FOR_MS {
            break;
        }
        for state in join_all(
            some.iter()
                .map(|(shard, is_first)| state(env, shard, *is_first)),
        )
        .await
        {
            left = left.saturating_sub(1);
            match state {
                Some((site, lakes)) => {
                    found.answered = found.answered.saturating_add(1);
                    found.backlog.add_outbox(&site.outbox);
                    for lake in lakes {
                        found.backlog.add_lake(&lake);
                    }
                }
                None => found.silent = found.silent.saturating_add(1),
            }
        }
    }
    found.unasked = left;
    Ok(found)
}

/// How a shard does, and, for the first one of a site, its archives; none: they do not say.
async fn state(env: &Env, shard: &ShardRow, is_first: bool) -> Option<(State, Vec<LakeState>)> {
    let site = shard.site_id.as_str();
    let asked = async {
        let log = SiteDo::of(env, site, shard.shard).state().await?;
        let lakes = match is_first {
            true => Archives::of(env, site).states().await?,
            false => Vec::new(),
        };
        Ok::<_, worker::Error>((log, lakes))
    };
    match within(ANSWER_WITHIN, asked).await {
        Some(Ok(states)) => Some(states),
        Some(Err(error)) => {
            log::error("metrics", error);
            None
        }
        None => {
            log::error("metrics", "an object did not answer in time");
            None
        }
    }
}
