//! Every HTTP request, by path. Static files are served by the assets before this is asked.

use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result, event};

use super::ingest_worker::Way;
use super::reply::{Cors, preflight, problem};
use super::{
    admin_worker, calls, dead_letter_worker, import_worker, ingest_worker, live_worker,
    metrics_worker, prometheus_worker, read_worker, rebuild_worker, sdk_settings_worker,
    users_worker,
};
use crate::endpoints::{Door, find};
use crate::error::Fault;
use crate::sdk_settings::SdkSettings;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let context = Rc::new(context);
    let path = request.path();
    // The worker crate takes every method that it does not know for GET.
    let method = request.inner().method();
    let call = calls::begin(&request, &method, &path)?;
    let answer = route(path, method, request, env.clone(), Rc::clone(&context));
    calls::watched(call, &env, &context, answer).await
}

async fn route(
    path: String,
    method: String,
    request: Request,
    env: Env,
    context: Rc<Context>,
) -> Result<Response> {
    let Some(endpoint) = find(&path) else {
        return problem(&Fault::NotFound, &Cors::Any);
    };
    let origin = request.headers().get("origin")?;
    let cors = match endpoint.door {
        Door::Ingest => Cors::Echo(origin.as_deref()),
        _ => Cors::Any,
    };
    if method == "OPTIONS" {
        return preflight(endpoint.allow, &cors);
    }
    if !endpoint.takes(&method) {
        return problem(&Fault::MethodNotAllowed(endpoint.allow), &cors);
    }
    match endpoint.door {
        Door::Ingest => match Way::of(&path) {
            Some(way) => ingest_worker::take(way, request, env, context, &cors).await,
            None => problem(&Fault::NotFound, &cors),
        },
        Door::SdkSettings => match SdkSettings::of(&path) {
            Some(wanted) => sdk_settings_worker::settings(&wanted, &request, &env, &context).await,
            None => problem(&Fault::NotFound, &cors),
        },
        Door::Imports => import_worker::imports(&method, &path, request, &env).await,
        Door::Read => read_worker::read(&path, &request, &env).await,
        Door::Ticket => live_worker::ticket(&request, &env).await,
        Door::Stream => live_worker::stream(&request, &env).await,
        Door::Prometheus => prometheus_worker::metrics(&request, &env).await,
        Door::Metric => metrics_worker::metric(&path, &request, &env).await,
        Door::Question => metrics_worker::question(&path, request, &env).await,
        Door::Users => users_worker::users(&method, &path, &request, &env).await,
        Door::Sites => admin_worker::admin(&method, &path, request, &env).await,
        Door::DeadLetters => dead_letter_worker::dead_letters(&method, &path, request, &env).await,
        Door::Rebuild => rebuild_worker::rebuild(request, &env).await,
    }
}
