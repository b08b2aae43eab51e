//! Shared links: the admin's calls, what a token is told of itself, and the page that a link opens.

use worker::{Env, Request, Response, Result};

use crate::endpoints::LinksCall;
use crate::http::error::Fault;
use crate::query::links::{self, About, LinkRow, Links, Listed, NewLink, SECRET_CHARS};
use crate::shell::http::admin::{authorize, body, known};
use crate::shell::http::asking::{address, asked, asker_of, rows};
use crate::shell::http::reply::{Cors, empty, framed, json, problem};
use crate::shell::platform::assets;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::{limiter, log};

/// Answers an admin call about the links of the site that its path names, and of one of them.
pub(crate) async fn links(
    call: LinksCall,
    (site, link_id): (&str, &str),
    request: Request,
    env: &Env,
) -> Result<Response> {
    match answer(call, (site, link_id), request, env).await {
        Ok((status, Some(text))) => json(status, text, &Cors::Any),
        Ok((status, None)) => empty(status, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn answer(
    call: LinksCall,
    (site, link_id): (&str, &str),
    request: Request,
    env: &Env,
) -> std::result::Result<(u16, Option<String>), Fault> {
    authorize(&request, env).await?;
    match call {
        LinksCall::List => {
            known(site, env).await?;
            let found: Vec<LinkRow> = rows(env, &links::list(site)).await?;
            let links = found.into_iter().map(Listed::from).collect();
            Ok((200, serde_json::to_string(&Links { links }).ok()))
        }
        LinksCall::Make => {
            let link = NewLink::parse(&body(&request).await?)?;
            known(site, env).await?;
            let mut bytes = [0; SECRET_CHARS];
            random(&mut bytes).map_err(|error| {
                log::error("random", error);
                Fault::Unavailable("A link cannot be made right now.")
            })?;
            let shown = link.shown(site, &bytes, now_ms());
            let made: Vec<LinkRow> = rows(env, &link.statement(site, &shown)).await?;
            if made.is_empty() {
                return Err(Fault::Conflict("The site has 100 links already."));
            }
            Ok((201, serde_json::to_string(&shown).ok()))
        }
        LinksCall::Delete => {
            let gone: Vec<LinkRow> = rows(env, &links::delete(site, link_id)).await?;
            if gone.is_empty() {
                return Err(Fault::NotFound);
            }
            Ok((204, None))
        }
    }
}

/// What the holder of a token is told of the site.
pub(crate) async fn about(request: &Request, env: &Env) -> Result<Response> {
    let (_, facts) = asked(request)?;
    let answer = async {
        let asker = asker_of(&facts, env).await?;
        let site_id = asker.site.site.clone();
        let found = rows::<LinkRow>(env, &links::about(&site_id)).await?.pop();
        let found = found.ok_or(Fault::UnknownKey)?;
        Ok(serde_json::to_string(&About {
            site_id,
            name: found.name,
            time_zone: found.time_zone,
            link: asker.link,
        })
        .unwrap_or_default())
    };
    match answer.await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The page that a link opens: the dashboard, which finds the token behind the `#` of its address. The path names the
/// link alone, so that it can be said whose pages may frame it.
pub(crate) async fn page(link_id: &str, request: &Request, env: &Env) -> Result<Response> {
    let ip = address(request);
    let found = limiter::of_strangers(env, ip.as_deref(), async {
        let found: Vec<LinkRow> = rows(env, &links::framing(link_id, now_ms())).await?;
        found.into_iter().next().ok_or(Fault::NotFound)
    });
    match found.await {
        Ok(link) => framed(assets::text(env, "/dashboard/").await?, &link.ancestors()),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}
