//! The metrics and questions of the dashboard API: parameters, one statement, an answer.

use worker::{Env, Request, Response, Result};

use crate::access::auth::Grant;
use crate::archive::fold::Sums;
use crate::endpoints::{MetricCall, QuestionCall};
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::query::links::Way;
use crate::query::{Breakdown as OfEvents, features_answer, features_body};
use crate::read::breakdown::Breakdown;
use crate::read::funnel::Funnel;
use crate::read::journeys::Journeys;
use crate::read::metric::{Cached, Engagement, Features, Format, Metric, Platform, Products};
use crate::read::question::{Question, with_missing};
use crate::read::retention::Retention;
use crate::read::vitals::Vitals;
use crate::shell::http::asking::{asked, asker_of, body_of, to_json};
use crate::shell::http::fresh::fresh;
use crate::shell::http::query::{answers, found_of};
use crate::shell::http::reply::{Cors, cached, json, problem};
use crate::shell::platform::clock::now_ms;

/// Answers a GET below `/v1/analytics/metrics/`.
pub(crate) async fn metric(call: MetricCall, request: &Request, env: &Env) -> Result<Response> {
    let (params, facts) = asked(request)?;
    let known = request.headers().get("if-none-match")?;
    let answer = async {
        let asker = asker_of(&facts, env).await?.may(match call {
            MetricCall::Platform => Way::Platform,
            MetricCall::Features => Way::Features,
            MetricCall::Breakdown => Way::Query,
            MetricCall::Vitals => Way::Vitals,
            MetricCall::Engagement | MetricCall::Products => Way::Else,
        })?;
        let params = asker.params(params)?;
        let ask = Ask {
            env,
            site: &asker.site,
            params: &params,
            known: known.as_deref(),
        };
        match call {
            MetricCall::Platform => ask.metric::<Platform>().await,
            MetricCall::Features => ask.features().await,
            MetricCall::Engagement => ask.metric::<Engagement>().await,
            MetricCall::Products => ask.metric::<Products>().await,
            MetricCall::Breakdown => ask.breakdown().await,
            MetricCall::Vitals => ask.vitals().await,
        }
    };
    match answer.await {
        Ok(answer) => cached(answer, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

struct Ask<'a> {
    env: &'a Env,
    site: &'a Grant,
    params: &'a Params,
    known: Option<&'a str>,
}

impl Ask<'_> {
    async fn metric<M: Metric>(&self) -> std::result::Result<Cached, Fault> {
        let now = now_ms();
        let format = Format::parse(self.params)?;
        let metric = M::parse(self.params, now)?;
        let finished = metric.days().finished(now);
        let statement = |lacking: &Sums| vec![metric.statement(&self.site.site, lacking)];
        let found = fresh(self.env, &self.site.site, &metric.wants(), &statement).await?;
        let answer = metric.answer(found.rows(0)?, &found.lacking);
        let body = match format {
            Format::Json => to_json(&answer)?,
            Format::Csv => M::csv(&answer),
        };
        Ok(Cached::new(body, format, finished, self.known).with_rows_read(found.cost(0)))
    }

    /// By sums, or by a scan where these do not say what is asked.
    async fn breakdown(&self) -> std::result::Result<Cached, Fault> {
        let now = now_ms();
        let Some(question) = OfEvents::parse(self.params, now)? else {
            return self.metric::<Breakdown>().await;
        };
        let format = Format::parse(self.params)?;
        let (_, mut answers, missing) = answers(&question.body, false, self.site, self.env).await?;
        let answer = question.answer(answers.pop().ok_or(Fault::NotFound)?);
        let body = match format {
            Format::Json => with_missing(to_json(&answer)?, missing),
            Format::Csv => answer.csv(),
        };
        // Its range may be one that goes on.
        Ok(Cached::new(body, format, false, self.known))
    }

    /// The same.
    async fn features(&self) -> std::result::Result<Cached, Fault> {
        let Some(body) = features_body(self.params, now_ms())? else {
            return self.metric::<Features>().await;
        };
        let format = Format::parse(self.params)?;
        let (_, answers, missing) = answers(&body, true, self.site, self.env).await?;
        let answer = features_answer(answers);
        let body = match format {
            Format::Json => with_missing(to_json(&answer)?, missing),
            Format::Csv => answer.csv(),
        };
        Ok(Cached::new(body, format, false, self.known))
    }

    async fn vitals(&self) -> std::result::Result<Cached, Fault> {
        let now = now_ms();
        let format = Format::parse(self.params)?;
        let vitals = Vitals::parse(self.params, now)?;
        let (found, meta, missing) = found_of(vitals.asked(), self.site, self.env).await?;
        let answer = Vitals::answer(found, meta);
        let body = match format {
            Format::Json => with_missing(to_json(&answer)?, missing),
            Format::Csv => Vitals::csv(&answer),
        };
        let finished = vitals.finished(now);
        Ok(Cached::new(body, format, finished, self.known))
    }
}

/// Answers a POST below `/v1/analytics/query/`.
pub(crate) async fn question(call: QuestionCall, request: Request, env: &Env) -> Result<Response> {
    let (_, facts) = asked(&request)?;
    let answer = async {
        let asker = asker_of(&facts, env).await?.may(Way::Walk)?;
        let body = asker.body(body_of(&request).await?)?;
        let site = &asker.site;
        match call {
            QuestionCall::Funnel => ask::<Funnel>(env, site, &body).await,
            QuestionCall::Retention => ask::<Retention>(env, site, &body).await,
            QuestionCall::Journeys => ask::<Journeys>(env, site, &body).await,
        }
    };
    match answer.await {
        Ok(text) => json(200, text, &Cors::Any),
        Err(fault) => problem(&fault, &Cors::Any),
    }
}

async fn ask<Q: Question>(
    env: &Env,
    site: &Grant,
    body: &[u8],
) -> std::result::Result<String, Fault> {
    let question = Q::parse(body, now_ms())?;
    let (found, meta, missing) = found_of(question.asked(), site, env).await?;
    Ok(with_missing(
        to_json(&question.answer(found, meta))?,
        missing,
    ))
}
