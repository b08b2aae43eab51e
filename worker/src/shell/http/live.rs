//! The live stream's two calls: a ticket for a read token, and a stream for a ticket.

use worker::{Env, Request, Response, Result};

use crate::admin::SECRET_CHARS;
use crate::base::hash::sha256_hex;
use crate::http::error::Fault;
use crate::live::{Presented, new_ticket};
use crate::observe::operations::current;
use crate::shell::http::asking::{asked, site_of};
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::bindings::config;
use crate::shell::platform::clients::live_do::LiveDo;
use crate::shell::platform::clock::random;
use crate::shell::platform::limiter;
use crate::shell::platform::log;

const DOWN: Fault = Fault::Unavailable("The live stream cannot be reached right now.");

/// A ticket for the bearer of a read token.
pub(crate) async fn ticket(request: &Request, env: &Env) -> Result<Response> {
    let answer = new(request, env).await;
    answer.or_else(|fault| problem(&fault, &Cors::Any))
}

/// A stream for a ticket.
pub(crate) async fn stream(request: &Request, env: &Env) -> Result<Response> {
    let answer = opened(request, env).await;
    answer.or_else(|fault| problem(&fault, &Cors::Any))
}

async fn new(request: &Request, env: &Env) -> std::result::Result<Response, Fault> {
    let (_, facts) = asked(request).map_err(broken)?;
    let site = site_of(&facts, env).await?;
    let mut bytes = [0; SECRET_CHARS];
    random(&mut bytes).map_err(broken)?;
    let ticket = new_ticket(&site, &bytes, &config(env)?.ingest.hash_key);
    let hash = sha256_hex(ticket.as_bytes());
    let kept = LiveDo::of(env, &site).keep_ticket(&hash).await;
    let expires_at = kept.map_err(broken)?;
    let text = serde_json::json!({ "ticket": ticket, "expiresAt": expires_at }).to_string();
    json(201, text, &Cors::Any).map_err(broken)
}

async fn opened(request: &Request, env: &Env) -> std::result::Result<Response, Fault> {
    let upgrade = request.headers().get("upgrade").map_err(broken)?;
    if !upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Err(Fault::UpgradeRequired);
    }
    let (params, facts) = asked(request).map_err(broken)?;
    let config = config(env)?;
    let opened = limiter::of_strangers(env, facts.ip.as_deref(), async {
        let ticket = params.get("ticket").unwrap_or_default();
        let presented = Presented::read(ticket, &config.ingest.hash_key);
        let presented = presented.ok_or(Fault::InvalidTicket)?;
        let streams = LiveDo::of(env, &presented.site);
        let answer = streams.open(&presented.hash).await.map_err(broken)?;
        match answer.status_code() {
            101 => {
                current(|call| call.note_site(&presented.site));
                Ok(answer)
            }
            401 => Err(Fault::InvalidTicket),
            429 => Err(Fault::TooManyStreams),
            status => Err(broken(format!("a stream was answered {status}"))),
        }
    });
    opened.await
}

fn broken(error: impl std::fmt::Display) -> Fault {
    log::error("live_worker", error);
    DOWN
}
