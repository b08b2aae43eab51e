//! Every HTTP request, by path. Static files are served by the assets before this is asked.

use worker::{Context, Env, Request, Response, Result, event};

use super::ingest_worker::Way;
use super::reply::{Cors, preflight, problem};
use super::{
    admin_worker, dead_letter_worker, import_worker, ingest_worker, live_worker, metrics_worker,
    read_worker, rebuild_worker, sdk_settings_worker, users_worker,
};
use crate::error::Fault;
use crate::import::Call;
use crate::sdk_settings::SdkSettings;

const POST: &str = "POST, OPTIONS";
const ADMIN: &str = "GET, POST, PUT, DELETE, OPTIONS";
const GET: &str = "GET, HEAD, OPTIONS";

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let path = request.path();
    // The worker crate takes every method that it does not know for GET.
    let method = request.inner().method();
    if let Some(way) = Way::of(&path) {
        let origin = request.headers().get("origin")?;
        let cors = Cors::Echo(origin.as_deref());
        return match method.as_str() {
            "POST" => ingest_worker::take(way, request, env, context, &cors).await,
            "OPTIONS" => preflight(POST, &cors),
            _ => problem(&Fault::MethodNotAllowed(POST), &cors),
        };
    }
    if let Some(wanted) = SdkSettings::of(&path) {
        return match method.as_str() {
            "GET" | "HEAD" => sdk_settings_worker::settings(&wanted, &request, &env).await,
            "OPTIONS" => preflight(GET, &Cors::Any),
            _ => problem(&Fault::MethodNotAllowed(GET), &Cors::Any),
        };
    }
    match path.as_str() {
        "/health"
        | "/v1/analytics/live"
        | "/v1/analytics/events/recent"
        | "/v1/analytics/outcomes"
        | "/v1/analytics/reconciliation"
        | "/v1/analytics/metrics/summary" => match method.as_str() {
            "GET" | "HEAD" => read_worker::read(&path, &request, &env).await,
            "OPTIONS" => preflight(GET, &Cors::Any),
            _ => problem(&Fault::MethodNotAllowed(GET), &Cors::Any),
        },
        _ if path.starts_with("/v1/analytics/live/") => {
            live_worker::live(&method, &path, &request, &env).await
        }
        _ if path.starts_with("/v1/analytics/metrics/") => match method.as_str() {
            "GET" | "HEAD" => metrics_worker::metric(&path, &request, &env).await,
            "OPTIONS" => preflight(GET, &Cors::Any),
            _ => problem(&Fault::MethodNotAllowed(GET), &Cors::Any),
        },
        _ if path.starts_with("/v1/analytics/query/") => match method.as_str() {
            "POST" => metrics_worker::question(&path, request, &env).await,
            "OPTIONS" => preflight(POST, &Cors::Any),
            _ => problem(&Fault::MethodNotAllowed(POST), &Cors::Any),
        },
        _ if path.starts_with("/v1/analytics/users/") => match method.as_str() {
            "OPTIONS" => preflight(ADMIN, &Cors::Any),
            _ => users_worker::users(&method, &path, &request, &env).await,
        },
        _ if path == "/v1/imports" || path.starts_with("/v1/imports/") => match method.as_str() {
            "OPTIONS" => preflight(Call::methods(&path), &Cors::Any),
            _ => import_worker::imports(&method, &path, request, &env).await,
        },
        "/v1/dead-letters" | "/v1/dead-letters/replay" => match method.as_str() {
            "OPTIONS" => preflight(ADMIN, &Cors::Any),
            _ => dead_letter_worker::dead_letters(&method, &path, request, &env).await,
        },
        "/v1/rebuild" => match method.as_str() {
            "OPTIONS" => preflight(POST, &Cors::Any),
            _ => rebuild_worker::rebuild(&method, request, &env).await,
        },
        _ if path == "/v1/sites" || path.starts_with("/v1/sites/") => match method.as_str() {
            "OPTIONS" => preflight(ADMIN, &Cors::Any),
            _ => admin_worker::admin(&method, &path, request, &env).await,
        },
        _ => problem(&Fault::NotFound, &Cors::Any),
    }
}
