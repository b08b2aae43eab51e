//! Every HTTP request, by path. Static files are served by the assets before this is asked.

use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result};

use super::entry::Incoming;
use super::ingest_worker::Way;
use super::reply::{Cors, preflight, problem};
use super::{
    admin_worker, calls, dead_letter_worker, import_worker, ingest_worker, live_worker,
    metrics_worker, prometheus_worker, query_worker, read_worker, rebuild_worker,
    sdk_settings_worker, users_worker,
};
use crate::endpoints::{Door, Endpoint, find};
use crate::error::Fault;
use crate::head::Head;
use crate::sdk_settings::SdkSettings;

/// Answers a request whose head is `text`.
pub(super) async fn answer(
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
        (Door::Ingest, Some(way)) => {
            ingest_worker::take(way, head, incoming, env, context, &cors).await
        }
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
            Some(wanted) => sdk_settings_worker::settings(&wanted, &request, &env, context).await,
            None => problem(&Fault::NotFound, &Cors::Any),
        },
        Door::Imports => import_worker::imports(method, path, request, &env).await,
        Door::Read => read_worker::read(path, &request, &env).await,
        Door::Ticket => live_worker::ticket(&request, &env).await,
        Door::Stream => live_worker::stream(&request, &env).await,
        Door::Prometheus => prometheus_worker::metrics(&request, &env).await,
        Door::Metric => metrics_worker::metric(path, &request, &env).await,
        Door::Question => metrics_worker::question(path, request, &env).await,
        Door::AnyQuestion => query_worker::query(path, request, &env).await,
        Door::Goals => query_worker::goals(&request, &env).await,
        Door::Users => users_worker::users(method, path, &request, &env).await,
        Door::Sites => admin_worker::admin(method, path, request, &env).await,
        Door::DeadLetters => dead_letter_worker::dead_letters(method, path, request, &env).await,
        Door::Rebuild => rebuild_worker::rebuild(request, &env).await,
    }
}
