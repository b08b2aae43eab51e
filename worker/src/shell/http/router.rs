//! Every HTTP request, by path. Static files are served by the assets before this is asked.

use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result};

use crate::endpoints::{AdminCall, Asked, Call, Endpoint, SdkCall, find};
use crate::http::error::Fault;
use crate::http::head::Head;
use crate::ingest::sdk_settings::SdkSettings;
use crate::shell::http::admin;
use crate::shell::http::archives;
use crate::shell::http::calls;
use crate::shell::http::dead_letters;
use crate::shell::http::health;
use crate::shell::http::imports;
use crate::shell::http::incoming::Incoming;
use crate::shell::http::ingest;
use crate::shell::http::links;
use crate::shell::http::live;
use crate::shell::http::metrics;
use crate::shell::http::prometheus;
use crate::shell::http::query;
use crate::shell::http::read;
use crate::shell::http::rebuild;
use crate::shell::http::reply::{Cors, preflight, problem};
use crate::shell::http::sdk_settings;
use crate::shell::http::users;

/// Answers a request whose head is `text`.
pub(crate) async fn answer(
    text: String,
    incoming: Incoming,
    env: Env,
    context: Context,
) -> Result<web_sys::Response> {
    let Some(head) = Head::parse(&text) else {
        let fault = Fault::malformed("The request's headers cannot be read.");
        return problem(&fault, &Cors::Any).map(Into::into);
    };
    let context = Rc::new(context);
    let call = calls::begin(&head)?;
    let answer = route(&head, incoming, env.clone(), Rc::clone(&context));
    calls::watched(call, &head, &env, &context, answer).await
}

async fn route(
    head: &Head<'_>,
    incoming: Incoming,
    env: Env,
    context: Rc<Context>,
) -> Result<web_sys::Response> {
    let path = head.path();
    let Some(endpoint) = find(path) else {
        return problem(&Fault::NotFound, &Cors::Any).map(Into::into);
    };
    let cors = if endpoint.takes_events() {
        Cors::Echo(head.header("origin"))
    } else {
        Cors::Any
    };
    if head.method == "OPTIONS" {
        return preflight(endpoint.allow, &cors);
    }
    match endpoint.call(head.method) {
        None => problem(&Fault::MethodNotAllowed(endpoint.allow), &cors).map(Into::into),
        Some(Call::Events(way)) => ingest::take(way, head, incoming, env, context, &cors).await,
        Some(Call::Asked(asked)) => {
            if let Err(fault) = endpoint.check_query(head.query()) {
                return problem(&fault, &cors).map(Into::into);
            }
            let request = Request::from(incoming.into_request());
            // Apart, so that no event carries the rooms of all questions with it.
            Box::pin(answered(asked, endpoint, path, request, env, &context))
                .await
                .map(Into::into)
        }
    }
}

/// What is asked, by its one handler.
async fn answered(
    asked: Asked,
    endpoint: &Endpoint,
    path: &str,
    request: Request,
    env: Env,
    context: &Context,
) -> Result<Response> {
    let segment = |name: &str| endpoint.segment(path, name);
    match asked {
        Asked::SdkSettings(call) => {
            let wanted = match call {
                SdkCall::Segment => SdkSettings::Segment {
                    key: segment("writeKey").to_owned(),
                },
                SdkCall::RudderStack => SdkSettings::RudderStack,
            };
            sdk_settings::settings(&wanted, &request, &env, context).await
        }
        Asked::Import(call) => {
            let (import, part) = (segment("importId"), segment("part"));
            imports::imports(call, import, part, request, &env).await
        }
        Asked::Read(call) => read::read(call, &request, &env).await,
        Asked::Operations => read::operations(&request, &env).await,
        Asked::Health => health::health(&request, &env).await,
        Asked::Ticket => live::ticket(&request, &env).await,
        Asked::Stream => live::stream(&request, &env).await,
        Asked::Prometheus => prometheus::metrics(&request, &env).await,
        Asked::Metric(call) => metrics::metric(call, &request, &env).await,
        Asked::Question(call) => metrics::question(call, request, &env).await,
        Asked::Query(call) => query::query(call, request, &env).await,
        Asked::Goals => query::goals(&request, &env).await,
        Asked::About => links::about(&request, &env).await,
        Asked::SharedPage => links::page(segment("linkId"), &request, &env).await,
        Asked::Links(call) => {
            let of = (segment("siteId"), segment("linkId"));
            links::links(call, of, request, &env).await
        }
        Asked::Properties => query::properties(&request, &env).await,
        Asked::User(call) => users::users(call, segment("userId"), &request, &env).await,
        Asked::Admin(call) => {
            let part = match call {
                AdminCall::ReplaceGoal | AdminCall::DeleteGoal => segment("goalId"),
                _ => segment("keyId"),
            };
            admin::admin(call, segment("siteId"), part, request, &env).await
        }
        Asked::Archives(call) => archives::archives(call, segment("siteId"), request, &env).await,
        Asked::DeadLetters(call) => dead_letters::dead_letters(call, request, &env).await,
        Asked::Rebuild => rebuild::rebuild(request, &env).await,
    }
}
