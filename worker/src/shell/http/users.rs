//! One user: events for a read token; export and erasure for the admin.

use shoreline_shared::privacy::user_hash;
use worker::{Env, Request, Response, Result};

use crate::access::auth::is_site_id;
use crate::admin::users::{Erased, ErasedAt, MAX_STEPS, Profile, erased_at, suppress};
use crate::archive::erase::Forget;
use crate::archive::home::home_of_user;
use crate::archive::nameless::Alias;
use crate::base::hash::hex;
use crate::endpoints::UserCall;
use crate::http::error::Fault;
use crate::http::params::{Params, segment};
use crate::read::question::{found, with_missing};
use crate::read::recent::Recent;
use crate::shell::http::admin::authorize;
use crate::shell::http::archives::is_changing;
use crate::shell::http::asking::{ask_archive, asked, parts, rows, site_of, to_json};
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::log;

type Answer = std::result::Result<String, Fault>;

/// Answers a call about a user, who stands in the path as it was sent.
pub(crate) async fn users(
    call: UserCall,
    user: &str,
    request: &Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, user, request, env).await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn answer(call: UserCall, user: &str, request: &Request, env: &Env) -> Answer {
    let (params, facts) = asked(request).map_err(|_| Fault::NotFound)?;
    let user = segment(user);
    if user.is_empty() {
        return Err(Fault::NotFound);
    }
    match call {
        UserCall::Events => {
            let site = site_of(&facts, env).await?;
            events(env, &site, &user, &params).await
        }
        UserCall::Export => {
            authorize(request, env).await?;
            export(env, site_param(&params)?, &user, &params).await
        }
        UserCall::Erase => {
            authorize(request, env).await?;
            delete(env, site_param(&params)?, &user).await
        }
    }
}

/// The site of an admin call, whose token is of no site.
fn site_param(params: &Params) -> std::result::Result<&str, Fault> {
    params
        .get("siteId")
        .filter(|site| is_site_id(site))
        .ok_or(Fault::InvalidParameter {
            name: "siteId",
            detail: "siteId must be the id of a site.",
        })
}

async fn events(env: &Env, site: &str, user: &str, params: &Params) -> Answer {
    let query = Recent::of_user(user, params, now_ms())?;
    let (found, missing) = found(parts(ask_archive(env, site, query.asked()).await?)?);
    Ok(with_missing(query.answer(found), missing))
}

async fn export(env: &Env, site: &str, user: &str, params: &Params) -> Answer {
    let hash = user_hash(&config(env)?.ingest.hash_key, site, user);
    let home = |archives| home_of_user(&hash, archives);
    let known = Archives::of(env, site).at(&home).profile(&hash).await;
    let known = known.map_err(unavailable)?;
    let erased: Vec<ErasedAt> = rows(env, &erased_at(site, &hash)).await?;
    let erased = erased.first().map(|row| row.erased_at);
    let profile = to_json(&Profile::of(known.as_ref(), erased))?;
    let events = events(env, site, user, params).await?;
    let user = to_json(&user)?;
    let events = events.strip_prefix('{').unwrap_or("}");
    Ok(format!(
        "{{\"userId\":{user},\"profile\":{profile},{events}"
    ))
}

async fn delete(env: &Env, site: &str, user: &str) -> Answer {
    let hash = user_hash(&config(env)?.ingest.hash_key, site, user);
    if is_changing(env, site).await.map_err(unavailable)? {
        return Err(Fault::Conflict(
            "The site gets another number of archives; erase the user when it has.",
        ));
    }
    let mut secret = [0; 16];
    random(&mut secret).map_err(unavailable)?;
    let statement = suppress(site, &hash, now_ms(), &hex(&secret));
    let mut aliases: Vec<Alias> = rows(env, &statement).await?;
    let alias = aliases.pop().ok_or(Fault::Unavailable(
        "The erasure could not be noted right now.",
    ))?;
    let erased = forget(env, site, &hash, alias).await.map_err(unavailable)?;
    to_json(&erased)
}

fn unavailable(error: worker::Error) -> Fault {
    log::error("users", error);
    Fault::Unavailable("The user's events cannot be reached right now.")
}

/// Has the archive make the user's events nameless, as many as one call may.
async fn forget(env: &Env, site: &str, hash: &str, alias: Alias) -> Result<Erased> {
    let forget = Forget {
        user: hash.to_owned(),
        alias_key: alias.alias_key,
        erased_at: alias.erased_at,
    };
    let home = |archives| home_of_user(hash, archives);
    let archive = Archives::of(env, site).at(&home);
    let mut events = 0_i64;
    for _ in 0..MAX_STEPS {
        let step = archive.forget(&forget).await?;
        events = events.saturating_add(step.events);
        if !step.more {
            let complete = step.complete;
            return Ok(Erased { events, complete });
        }
    }
    let complete = false;
    Ok(Erased { events, complete })
}
