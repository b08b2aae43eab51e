//! `POST /v1/analytics/query` and `…/panels`: questions are read, asked of the archive's shards, and answered.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, Request, Response, Result};

use crate::access::auth::Grant;
use crate::archive::fold::Sums;
use crate::base::json::told;
use crate::endpoints::QueryCall;
use crate::http::error::Fault;
use crate::query::goals::{self, Goal, GoalRow, Goals};
use crate::query::links::Way;
use crate::query::{
    Answer, Asked, Found, OfSums, Panels, Properties, Question, Source, Walked, Walking, put_zone,
};
use crate::read::activity::Row;
use crate::read::metric::Format;
use crate::read::question::{Ask, Meta, Told, found, with_missing};
use crate::shell::http::asking::{
    ask_archive, asked, asker_of, body_of, parts, rows, to_json, unanswered,
};
use crate::shell::http::fresh::fresh;
use crate::shell::http::reply::{Cors, json, problem, table};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::deadline::within;

#[wasm_bindgen(module = "/src/shell/platform/zone.js")]
extern "C" {
    /// The offsets of a zone, as JSON; empty where there is none of this name.
    fn offsets(zone: &str, from_ms: f64, to_ms: f64) -> String;
}

/// Answers it, or several at once.
pub(crate) async fn query(call: QueryCall, request: Request, env: &Env) -> Result<Response> {
    let (params, facts) = asked(&request)?;
    let answer = async {
        let format = Format::parse(&params)?;
        let asker = asker_of(&facts, env).await?.may(Way::Query)?;
        let body = asker.body(body_of(&request).await?)?;
        let site = asker.site;
        let text = String::from_utf8_lossy(&body);
        if call == QueryCall::Panels {
            let (_, panels, missing) = answers(&text, true, &site, env).await?;
            return Ok((format, with_missing(to_json(&Panels { panels })?, missing)));
        }
        let (asked, mut answers, missing) = answers(&text, false, &site, env).await?;
        let answer = answers.pop().ok_or(Fault::NotFound)?;
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

/// The answers to a body, and how many segments are missing in them.
pub(super) async fn answers(
    text: &str,
    is_of_panels: bool,
    site: &Grant,
    env: &Env,
) -> std::result::Result<(Asked, Vec<Answer>, i64), Fault> {
    let text = with_site(text, site, env).await?;
    let now = now_ms();
    let question = if is_of_panels {
        Question::parse_panels(text.as_bytes())?
    } else {
        Question::parse(text.as_bytes())?
    };
    let window = question.window(now);
    let offsets = offsets(&question.time_zone, window.from as f64, window.to as f64);
    let mut asked = Asked::new(question, told(offsets).ok(), now)?;
    if is_of_panels {
        asked = asked.of_panels();
    }
    if let Some(sums) = asked.of_sums()
        && let Some(found) = found_by(&sums, &site.site, env).await
    {
        let answers = asked.answers(found, Source::ReadModels)?;
        return Ok((asked, answers, 0));
    }
    let archives = Archives::of(env, &site.site);
    let number = archives.number().await.map_err(unanswered)?;
    let (mut all, mut missing) = (Vec::new(), 0_i64);
    for spec in asked.specs(&text, number) {
        let said = archives.query(&to_json(&spec)?).await.map_err(unanswered)?;
        let (some, unreadable) = found(parts::<Found>(said)?);
        missing = missing.saturating_add(unreadable);
        all.push(some);
    }
    let answers = asked.answers(all, Source::Scan)?;
    Ok((asked, answers, missing))
}

/// How long the read models may take, which answer in some milliseconds, before a scan answers.
const SUMS_WITHIN: Duration = Duration::from_secs(2);

/// What the read models say; nothing where D1 does not answer, or is behind: a scan answers then.
async fn found_by(sums: &OfSums<'_>, site: &str, env: &Env) -> Option<Vec<Vec<Found>>> {
    let statements = |_: &Sums| sums.statements(site);
    let wants = sums.wants();
    let found = within(SUMS_WITHIN, fresh(env, site, &wants, &statements)).await?;
    let found = found.ok()?;
    let rows = (0..sums.ranges()).map(|place| found.rows(place).ok());
    let rows: Vec<Vec<Row>> = rows.collect::<Option<_>>()?;
    found.is_fresh.then(|| sums.found(&rows, &found.lacking))?
}

/// What shards found of a question with a body of its own form, what was looked at, and how many segments are missing.
pub(super) async fn found_of<T: DeserializeOwned>(
    asked: Ask,
    site: &Grant,
    env: &Env,
) -> std::result::Result<(Vec<Told<T>>, Option<Meta>, i64), Fault> {
    let of = match asked {
        Ask::Archive(asked) => {
            let (all, missing) = found(parts(ask_archive(env, &site.site, asked).await?)?);
            return Ok((all.into_iter().map(Told::plain).collect(), None, missing));
        }
        Ask::Events(of) => of,
    };
    let now = now_ms();
    let mut body = of.body;
    put_site(&mut body, site, env).await?;
    let walking = Walking::parse(Value::Object(body).to_string(), of.walk)?;
    let window = walking.window(now);
    let offsets = offsets(walking.time_zone(), window.from as f64, window.to as f64);
    let archives = Archives::of(env, &site.site);
    let number = archives.number().await.map_err(unanswered)?;
    let (spec, mut meta) = walking.spec(told(offsets).ok(), number, now)?;
    let said = archives.query(&to_json(&spec)?).await.map_err(unanswered)?;
    let (all, missing) = found(parts::<Walked>(said)?);
    let all = Walking::told(all, &mut meta)?;
    Ok((all, Some(meta), missing))
}

/// A body with what the site says: the filters of the goals that it names, and the zone where it names none.
async fn with_site<'t>(
    text: &'t str,
    site: &Grant,
    env: &Env,
) -> std::result::Result<Cow<'t, str>, Fault> {
    let Ok(mut body) = crate::base::json::read::<Map<String, Value>>(text.as_bytes()) else {
        return Ok(text.into());
    };
    if !put_site(&mut body, site, env).await? {
        return Ok(text.into());
    }
    Ok(Value::Object(body).to_string().into())
}

/// Puts these into a body; whether there were any.
async fn put_site(
    body: &mut Map<String, Value>,
    site: &Grant,
    env: &Env,
) -> std::result::Result<bool, Fault> {
    let has_zone = put_zone(body, site.time_zone.as_deref());
    let has_goals = goals::are_named(body);
    if has_goals {
        goals::put(body, &goals_of(&site.site, env).await?)?;
    }
    Ok(has_zone || has_goals)
}

/// Whether the platform knows a zone.
pub(super) fn is_zone(name: &str) -> bool {
    !offsets(name, 0.0, 0.0).is_empty()
}

async fn goals_of(site: &str, env: &Env) -> std::result::Result<Vec<Goal>, Fault> {
    let rows: Vec<GoalRow> = rows(env, &goals::list(site)).await?;
    Ok(rows.into_iter().map(Goal::from).collect())
}

/// Which properties events have.
pub(crate) async fn properties(request: &Request, env: &Env) -> Result<Response> {
    let (params, facts) = asked(request)?;
    let answer = async {
        let asker = asker_of(&facts, env).await?.may(Way::Properties)?;
        let properties = Properties::parse(&asker.params(params)?, now_ms())?;
        let (found, meta, missing) = found_of(properties.asked(), &asker.site, env).await?;
        let answer = to_json(&properties.answer(found, meta))?;
        Ok(with_missing(answer, missing))
    };
    match answer.await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

/// The goals of the token's site.
pub(crate) async fn goals(request: &Request, env: &Env) -> Result<Response> {
    let (_, facts) = asked(request)?;
    let answer = async {
        let site = asker_of(&facts, env).await?.may(Way::Goals)?.site;
        to_json(&Goals {
            goals: goals_of(&site.site, env).await?,
        })
    };
    match answer.await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}
