//! The admin calls: sites and their keys, for the holder of the admin token.

use serde::de::IgnoredAny;
use worker::{Env, Request, Response, Result};

use crate::access::auth::same_hash;
use crate::access::grants::publish::publish;
use crate::access::grants::rows::{Due, Found, KeyRow};
use crate::admin::{
    ListedKey, NewSite, SECRET_CHARS, SiteRow, end_key, end_of_key, find_site, list_keys,
    list_sites, new_key,
};
use crate::base::hash::sha256_hex;
use crate::base::sql::Statement;
use crate::endpoints::AdminCall;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::http::fields::MAX_BODY_BYTES;
use crate::http::params::Params;
use crate::query::goals::{self, Goal, GoalRow, Goals, NewGoal};
use crate::shell::http::asking::{address, body_within};
use crate::shell::http::query::is_zone;
use crate::shell::http::reply::{Cors, empty, json, problem};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clock::{Ids, now_ms, random};
use crate::shell::platform::d1;
use crate::shell::platform::keys::Platform;
use crate::shell::platform::limiter;
use crate::shell::platform::log;

/// Answers an admin call of the site that its path names, and of its `part`: a key or a goal.
pub(crate) async fn admin(
    call: AdminCall,
    site_id: &str,
    part: &str,
    request: Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, site_id, part, request, env).await {
        Ok((status, Some(text))) => json(status, text, &Cors::Any),
        Ok((status, None)) => empty(status, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

type Answer = std::result::Result<(u16, Option<String>), Fault>;

async fn answer(call: AdminCall, site_id: &str, part: &str, request: Request, env: &Env) -> Answer {
    authorize(&request, env).await?;
    match call {
        AdminCall::ListSites => {
            let sites: Vec<SiteRow> = rows(env, &list_sites()).await?;
            let sites: Vec<NewSite> = sites.into_iter().map(NewSite::from).collect();
            Ok((200, Some(serde_json::json!({ "sites": sites }).to_string())))
        }
        AdminCall::MakeSite => {
            let site = site_in(&body(&request).await?)?;
            let rows: Vec<Found> = rows(env, &site.statement(now_ms())).await?;
            if rows.is_empty() {
                return Err(Fault::AlreadyExists);
            }
            made(env, rows).await;
            Ok((201, serde_json::to_string(&site).ok()))
        }
        AdminCall::ReplaceSite => {
            let site = site_in(&body(&request).await?)?;
            if site.site_id != site_id {
                return Err(Fault::Malformed {
                    field: Some("siteId"),
                    detail: "siteId must be the path's.",
                });
            }
            let replaced: Vec<Found> = rows(env, &site.replace(now_ms())).await?;
            if replaced.is_empty() {
                let found = rows::<IgnoredAny>(env, &find_site(site_id)).await?;
                return Err(if found.is_empty() {
                    Fault::NotFound
                } else {
                    Fault::AlreadyExists
                });
            }
            changed(env, replaced).await?;
            Ok((200, serde_json::to_string(&site).ok()))
        }
        AdminCall::ListKeys => {
            let keys: Vec<ListedKey> = rows(env, &list_keys(site_id)).await?;
            // A site may have none; what is no site has nothing to list.
            if keys.is_empty()
                && rows::<IgnoredAny>(env, &find_site(site_id))
                    .await?
                    .is_empty()
            {
                return Err(Fault::NotFound);
            }
            Ok((200, Some(serde_json::json!({ "keys": keys }).to_string())))
        }
        AdminCall::MakeKey => {
            let mut bytes = [0; SECRET_CHARS];
            random(&mut bytes).map_err(|error| {
                log::error("random", error);
                Fault::Unavailable("A key cannot be made right now.")
            })?;
            let key = new_key(site_id, &body(&request).await?, &bytes)?;
            let rows: Vec<KeyRow> = rows(env, &key.statement(now_ms())).await?;
            if rows.is_empty() {
                return Err(Fault::NotFound);
            }
            made(env, rows).await;
            Ok((201, serde_json::to_string(&key).ok()))
        }
        AdminCall::EndKey => {
            let url = request.inner().url();
            let params = Params::parse(url.split_once('?').map_or("", |(_, query)| query));
            let now = now_ms();
            let end = end_key(site_id, part, end_of_key(&params, now)?, now);
            let rows: Vec<KeyRow> = rows(env, &end).await?;
            if rows.is_empty() {
                return Err(Fault::NotFound);
            }
            changed(env, rows).await?;
            Ok((204, None))
        }
        AdminCall::ListGoals => {
            known(site_id, env).await?;
            let found: Vec<GoalRow> = rows(env, &goals::list(site_id)).await?;
            let goals = found.into_iter().map(Goal::from).collect();
            Ok((200, serde_json::to_string(&Goals { goals }).ok()))
        }
        AdminCall::MakeGoal => {
            let goal = NewGoal::parse(&body(&request).await?)?;
            known(site_id, env).await?;
            let now = now_ms();
            let id = Ids::new().map_err(|error| {
                log::error("random", error);
                Fault::Unavailable("An id cannot be made right now.")
            })?;
            let made = one_goal(env, &goal.statement(site_id, &id.next(now), now)).await?;
            let made = made.ok_or(Fault::AlreadyExists)?;
            Ok((201, serde_json::to_string(&made).ok()))
        }
        AdminCall::ReplaceGoal => {
            let goal = NewGoal::parse(&body(&request).await?)?;
            if let Some(replaced) = one_goal(env, &goal.replace(site_id, part)).await? {
                return Ok((200, serde_json::to_string(&replaced).ok()));
            }
            let found: Vec<GoalRow> = rows(env, &goals::list(site_id)).await?;
            let mut found = found.into_iter().map(Goal::from);
            Err(if found.any(|goal| goal.goal_id == part) {
                Fault::AlreadyExists
            } else {
                Fault::NotFound
            })
        }
        AdminCall::DeleteGoal => {
            let deleted = one_goal(env, &goals::delete(site_id, part)).await?;
            deleted.map(|_| (204, None)).ok_or(Fault::NotFound)
        }
    }
}

/// The goal that a statement tells, where there is one.
async fn one_goal(env: &Env, statement: &Statement) -> std::result::Result<Option<Goal>, Fault> {
    let mut found: Vec<GoalRow> = rows(env, statement).await?;
    Ok(found.pop().map(Goal::from))
}

/// Whether there is such a site.
pub(crate) async fn known(site: &str, env: &Env) -> std::result::Result<(), Fault> {
    let found = rows::<IgnoredAny>(env, &find_site(site)).await?;
    if found.is_empty() {
        return Err(Fault::NotFound);
    }
    Ok(())
}

/// Writes to KV what D1 has just taken for new. Where that fails the call succeeds all the same: D1 is asked
/// for what KV does not have, the cron writes it, and a key is shown but once.
async fn made<Row: Due>(env: &Env, rows: Vec<Row>) {
    if publish(rows, &Platform(env)).await != Ok(0) {
        log::error("grants", "what was made is not in KV yet");
    }
}

/// Writes to KV what D1 has just changed.
async fn changed<Row: Due>(env: &Env, rows: Vec<Row>) -> std::result::Result<(), Fault> {
    match publish(rows, &Platform(env)).await {
        Ok(0) => Ok(()),
        _ => Err(NOT_EVERYWHERE),
    }
}

/// A change that is stored, but that KV did not take. The call may be repeated; the cron brings it there, too.
const NOT_EVERYWHERE: Fault =
    Fault::Unavailable("The change is stored, but not everywhere yet; repeat the call.");

/// A site of a body, whose zone the platform knows.
fn site_in(body: &[u8]) -> std::result::Result<NewSite, Fault> {
    let site = NewSite::parse(body)?;
    match &site.time_zone {
        Some(zone) if !is_zone(zone) => Err(site.unknown_zone()),
        _ => Ok(site),
    }
}

/// Whether the request shows the admin token.
pub(crate) async fn authorize(request: &Request, env: &Env) -> std::result::Result<(), Fault> {
    let ip = address(request);
    let looked = limiter::of_strangers(env, ip.as_deref(), async {
        let facts = RequestFacts {
            authorization: request.headers().get("authorization").ok().flatten(),
            ..RequestFacts::default()
        };
        let token = facts.bearer().ok_or(Fault::UnknownKey)?;
        let config = config(env)?;
        let known = config.admin_token_hash.as_deref();
        known
            .is_some_and(|hash| same_hash(hash, &sha256_hex(token.as_bytes())))
            .then_some(())
            .ok_or(Fault::UnknownKey)
    });
    looked.await
}

/// The request's body.
pub(crate) async fn body(request: &Request) -> std::result::Result<Vec<u8>, Fault> {
    let over = Fault::PayloadTooLarge("The body has at most 64 KiB.");
    body_within(request, MAX_BODY_BYTES, over).await
}

/// The rows of a statement, or 503.
pub(crate) async fn rows<T: serde::de::DeserializeOwned>(
    env: &Env,
    statement: &Statement,
) -> std::result::Result<Vec<T>, Fault> {
    d1::rows(env, statement).await.map_err(|error| {
        log::error("d1", error);
        Fault::Unavailable("The database cannot be reached right now.")
    })
}
