//! `POST /v1/analytics/query`: a question is read, asked of the archive's shards, and answered.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, Request, Response, Result};

use crate::base::json::told;
use crate::protocol::names::QUERY;
use crate::query::{Asked, Found, Question};
use crate::read::metric::Format;
use crate::read::question::{found, with_missing};
use crate::shell::http::asking::{ask, asked, parts, site_of, to_json, unanswered};
use crate::shell::http::metrics::body_of;
use crate::shell::http::reply::{Cors, json, problem, table};
use crate::shell::platform::archives::archives;
use crate::shell::platform::clock::now_ms;

#[wasm_bindgen(module = "/src/shell/platform/zone.js")]
extern "C" {
    /// The offsets of a zone, as JSON; empty where there is none of this name.
    fn offsets(zone: &str, from_ms: f64, to_ms: f64) -> String;
}

/// Answers it.
pub(crate) async fn query(mut request: Request, env: &Env) -> Result<Response> {
    let (params, facts) = asked(&request)?;
    let answer = async {
        let format = Format::parse(&params)?;
        let site = site_of(&facts, env).await?;
        let body = body_of(&mut request).await?;
        let text = String::from_utf8_lossy(&body);
        let now = now_ms();
        let question = Question::parse(text.as_bytes())?;
        let window = question.window(now);
        let offsets = offsets(&question.time_zone, window.from as f64, window.to as f64);
        let asked = Asked::new(question, told(offsets).ok(), now)?;
        let archives = archives(env, &site).await.map_err(unanswered)?;
        let (mut all, mut missing) = (Vec::new(), 0_i64);
        for spec in asked.specs(&text, archives) {
            let said = ask(env, &site, QUERY, &to_json(&spec)?).await?;
            let (some, unreadable) = found(parts::<Found>(said)?);
            missing = missing.saturating_add(unreadable);
            all.push(some);
        }
        let answer = asked.answer(all)?;
        Ok(match format {
            Format::Csv => (format, asked.csv(&answer)),
            Format::Json => (format, with_missing(to_json(&answer)?, missing)),
        })
    };
    match answer.await {
        Ok((Format::Csv, text)) => table(text),
        Ok((Format::Json, text)) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}
