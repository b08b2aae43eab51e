//! Every HTTP request, by path. Static files are served by the assets before this is asked.

use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result};

use crate::endpoints::{Door, Endpoint, find};
use crate::http::error::Fault;
use crate::http::head::Head;
use crate::ingest::sdk_settings::SdkSettings;
use crate::shell::http::admin;
use crate::shell::http::calls;
use crate::shell::http::dead_letters;
use crate::shell::http::imports;
use crate::shell::http::incoming::Incoming;
use crate::shell::http::ingest;
use crate::shell::http::ingest::Way;
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
    let cors = match endpoint.door {
        Door::Ingest => Cors::Echo(head.header("origin")),
        _ => Cors::Any,
    };
    if head.method == "OPTIONS" {
        return preflight(endpoint.allow, &cors);
    }
    if !endpoint.takes(head.method) {
        return problem(&Fault::MethodNotAllowed(endpoint.allow), &cors).map(Into::into);
    }
    match (endpoint.door, Way::of(path)) {
        (Door::Ingest, Some(way)) => ingest::take(way, head, incoming, env, context, &cors).await,
        _ => {
            if let Err(fault) = endpoint.check_query(head.query()) {
                return problem(&fault, &cors).map(Into::into);
            }
            let request = Request::from(incoming.into_request());
            // Apart, so that no event carries the rooms of all questions with it.
            Box::pin(other(endpoint, head, request, env, &context))
                .await
                .map(Into::into)
        }
    }
}

/// What takes no events.
async fn other(
    endpoint: &Endpoint,
    head: &Head<'_>,
    request: Request,
    env: Env,
    context: &Context,
) -> Result<Response> {
    let (method, path) = (head.method, head.path());
    match endpoint.door {
        Door::Ingest => problem(&Fault::NotFound, &Cors::Echo(head.header("origin"))),
        Door::SdkSettings => match SdkSettings::of(path) {
            Some(wanted) => sdk_settings::settings(&wanted, &request, &env, context).await,
            None => problem(&Fault::NotFound, &Cors::Any),
        },
        Door::Imports => imports::imports(method, path, request, &env).await,
        Door::Read => read::read(path, &request, &env).await,
        Door::Ticket => live::ticket(&request, &env).await,
        Door::Stream => live::stream(&request, &env).await,
        Door::Prometheus => prometheus::metrics(&request, &env).await,
        Door::Metric => metrics::metric(path, &request, &env).await,
        Door::Question => metrics::question(path, request, &env).await,
        Door::AnyQuestion => query::query(request, &env).await,
        Door::Users => users::users(method, path, &request, &env).await,
        Door::Sites => admin::admin(method, path, request, &env).await,
        Door::DeadLetters => dead_letters::dead_letters(method, path, request, &env).await,
        Door::Rebuild => rebuild::rebuild(request, &env).await,
    }
}
