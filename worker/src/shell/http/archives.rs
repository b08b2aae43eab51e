//! `/v1/sites/{siteId}/archives`: another number of archives for a site that has events.

use serde::de::IgnoredAny;
use worker::{Env, Request, Response, Result};

use crate::admin::archives::{Archives, Wish};
use crate::admin::find_site;
use crate::endpoints::ArchivesCall;
use crate::http::error::Fault;
use crate::protocol::names::OWN_SITE;
use crate::shell::http::admin::{authorize, body, rows};
use crate::shell::http::reply::{Cors, empty, json, problem};
use crate::shell::platform::clients::archives::Archives as Client;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::log;
use crate::upkeep::jobs::Job;
use crate::upkeep::rebuild;

/// Answers a call about a site's archives.
pub(crate) async fn archives(
    call: ArchivesCall,
    site: &str,
    request: Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, site, request, env).await {
        Ok((status, Some(text))) => json(status, text, &Cors::Any),
        Ok((status, None)) => empty(status, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// What the call answers: its status and text.
async fn answer(
    call: ArchivesCall,
    site: &str,
    request: Request,
    env: &Env,
) -> std::result::Result<(u16, Option<String>), Fault> {
    authorize(&request, env).await?;
    let body = body(&request).await?;
    let wish = match call {
        ArchivesCall::Change => Wish::parse(&body)?,
        ArchivesCall::Cancel => Wish::Cancel,
        ArchivesCall::Tell => Wish::Nothing,
    };
    if site != OWN_SITE && rows::<IgnoredAny>(env, &find_site(site)).await?.is_empty() {
        return Err(Fault::NotFound);
    }
    if let Wish::Archives(_) = wish {
        let noted: Vec<Job> = rows(env, &rebuild::noted()).await?;
        if rebuild::runs(noted.first(), now_ms()) {
            return Err(Fault::Conflict(
                "A rebuild runs; ask again when it has ended.",
            ));
        }
    }
    let (is_granted, state) = Client::of(env, site).reshard(wish).await.map_err(|error| {
        log::error("archive_do", error);
        Fault::Unavailable("The archive cannot be reached right now.")
    })?;
    match wish {
        _ if is_granted => {}
        Wish::Cancel => {
            return Err(Fault::Conflict(
                "The new archives are the site's already; it cannot be cancelled any more.",
            ));
        }
        _ => {
            return Err(Fault::Conflict(
                "The site gets another number of archives already; wait, or cancel it.",
            ));
        }
    }
    let is_under_way = wish != Wish::Nothing && state.job.is_some();
    let status = if is_under_way { 202 } else { 200 };
    let answer = Archives::of(&state);
    Ok((status, serde_json::to_string(&answer).ok()))
}

/// Whether a site is getting another number of archives.
pub(super) async fn is_changing(env: &Env, site: &str) -> Result<bool> {
    let (_, state) = Client::of(env, site).reshard(Wish::Nothing).await?;
    Ok(state.job.is_some())
}
