//! The settings that browser SDKs fetch first: the platform's side of [`crate::ingest::sdk_settings`].

use worker::{Context, Env, Request, Response, Result};

use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::ingest::sdk_settings::SdkSettings;
use crate::shell::http::asking::address;
use crate::shell::http::reply::{Cors, json, problem};
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::keys;
use crate::shell::platform::limiter;

/// Answers a GET for the settings of a write key.
pub(crate) async fn settings(
    wanted: &SdkSettings,
    request: &Request,
    env: &Env,
    context: &Context,
) -> Result<Response> {
    let url = request.inner().url();
    let facts = RequestFacts {
        query: url
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default(),
        authorization: request.headers().get("authorization")?,
        ip: address(request),
        ..RequestFacts::default()
    };
    match answer(wanted, &facts, &url, env, context).await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn answer(
    wanted: &SdkSettings,
    facts: &RequestFacts,
    url: &str,
    env: &Env,
    context: &Context,
) -> std::result::Result<String, Fault> {
    let looked = limiter::of_strangers(env, facts.ip.as_deref(), async {
        let key = wanted.key(facts).ok_or(Fault::UnknownKey)?;
        let grant = keys::grant(env, Some(context), &key, now_ms()).await?;
        Ok((key, grant))
    });
    let (key, grant) = looked.await?;
    wanted.answer(&key, &grant, url)
}
