//! Every path of the worker, and what it answers to each kind of key.

use reqwest::Method;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::Site;

/// Who asks, in the order of a row's statuses.
pub(super) const ASKERS: [&str; 6] = [
    "nobody",
    "a made-up key",
    "browser",
    "source",
    "read",
    "admin",
];

/// What a path answers to each of [`ASKERS`].
pub(super) struct Row {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: String,
    pub(super) statuses: [u16; 6],
}

fn row(method: Method, path: &str, body: &Value, statuses: [u16; 6]) -> Row {
    Row {
        method,
        path: path.to_owned(),
        body: if body.is_null() {
            String::new()
        } else {
            body.to_string()
        },
        statuses,
    }
}

const SEGMENT: [&str; 15] = [
    "batch",
    "b",
    "track",
    "t",
    "page",
    "p",
    "screen",
    "s",
    "identify",
    "i",
    "group",
    "g",
    "alias",
    "a",
    "../beacon/v1/batch",
];

/// Every path of the worker, for a site that nobody else knows.
pub(super) fn rows(site: &Site) -> Vec<Row> {
    let (get, post) = (Method::GET, Method::POST);
    let id = &site.id;
    let one = batch(&[view("/", "u")]);
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}});
    let message = json!({"type": "track", "userId": "u", "event": "f"});
    let several = json!({"batch": [message]});
    let plausible = json!({"n": "pageview", "u": format!("{}/", site.origin), "d": site.domain});
    let mut rows = vec![
        row(
            post.clone(),
            "/v1/events",
            &one,
            [401, 401, 202, 403, 403, 401],
        ),
        row(
            post.clone(),
            "/v1/ingest",
            &command,
            [401, 401, 403, 202, 403, 401],
        ),
        // The page's origin alone decides; a key changes nothing.
        row(post.clone(), "/api/event", &plausible, [202; 6]),
        row(
            get.clone(),
            "/health",
            &Value::Null,
            [200, 401, 403, 403, 200, 401],
        ),
        row(
            get.clone(),
            "/sourceConfig",
            &Value::Null,
            [401, 401, 200, 200, 403, 401],
        ),
        row(
            get.clone(),
            "/sourceConfig/",
            &Value::Null,
            [401, 401, 200, 200, 403, 401],
        ),
        row(
            get.clone(),
            "/v1/projects/KEY/settings",
            &Value::Null,
            [401, 401, 200, 200, 403, 401],
        ),
        row(
            post.clone(),
            "/v1/analytics/live/ticket",
            &Value::Null,
            [401, 401, 403, 403, 201, 401],
        ),
        // A ticket alone opens it, and only to a WebSocket.
        row(
            get.clone(),
            "/v1/analytics/live/stream",
            &Value::Null,
            [426; 6],
        ),
        row(get.clone(), "/v1/nothing", &Value::Null, [404; 6]),
        // Nobody made such a link.
        row(
            get.clone(),
            "/shared/0123456789abcdef",
            &Value::Null,
            [404; 6],
        ),
    ];
    for call in SEGMENT {
        let path = match call.strip_prefix("..") {
            Some(path) => path.to_owned(),
            None => format!("/v1/{call}"),
        };
        let body = if matches!(call, "batch" | "b") || call.starts_with("..") {
            &several
        } else {
            &message
        };
        rows.push(row(
            post.clone(),
            &path,
            body,
            [401, 401, 200, 200, 403, 401],
        ));
    }
    for path in READS {
        rows.push(row(
            get.clone(),
            path,
            &Value::Null,
            [401, 401, 403, 403, 200, 401],
        ));
    }
    rows.push(row(
        get.clone(),
        "/v1/analytics/metrics/breakdown?by=page",
        &Value::Null,
        [401, 401, 403, 403, 200, 401],
    ));
    for (path, question) in [
        ("", json!({"metrics": ["users"]})),
        ("/panels", json!({"panels": [{"metrics": ["users"]}]})),
        ("/funnel", json!({"steps": [{"eventType": "page_view"}]})),
        ("/retention", json!({"period": "day", "periods": 1})),
        ("/journeys", json!({})),
    ] {
        let path = format!("/v1/analytics/query{path}");
        rows.push(row(
            post.clone(),
            &path,
            &question,
            [401, 401, 403, 403, 200, 401],
        ));
    }
    let unknown = "0198c1d2-6f00-7000-8000-000000000001";
    for (method, path, body, source) in [
        (post.clone(), "/v1/imports".to_owned(), Value::Null, 202),
        (
            get.clone(),
            format!("/v1/imports/{unknown}"),
            Value::Null,
            404,
        ),
        (
            Method::PUT,
            format!("/v1/imports/{unknown}/parts/1"),
            json!({}),
            404,
        ),
        (
            post.clone(),
            format!("/v1/imports/{unknown}/complete"),
            Value::Null,
            404,
        ),
    ] {
        rows.push(row(method, &path, &body, [401, 401, 403, source, 403, 401]));
    }
    let made = json!({"siteId": format!("{id}-x"), "origins": []});
    let changed = json!({"siteId": id, "origins": [site.origin], "domain": site.domain});
    for (method, path, body, admin) in [
        (get.clone(), "/metrics".to_owned(), Value::Null, 200),
        (get.clone(), "/v1/sites".to_owned(), Value::Null, 200),
        (post.clone(), "/v1/sites".to_owned(), made, 201),
        (Method::PUT, format!("/v1/sites/{id}"), changed, 200),
        (
            get.clone(),
            format!("/v1/sites/{id}/archives"),
            Value::Null,
            200,
        ),
        // It has so many.
        (
            post.clone(),
            format!("/v1/sites/{id}/archives"),
            json!({"archives": 1}),
            200,
        ),
        (
            Method::DELETE,
            format!("/v1/sites/{id}/archives"),
            Value::Null,
            200,
        ),
        (get, format!("/v1/sites/{id}/keys"), Value::Null, 200),
        (
            post,
            format!("/v1/sites/{id}/keys"),
            json!({"kind": "read"}),
            201,
        ),
        (
            Method::GET,
            format!("/v1/dead-letters?siteId={id}"),
            Value::Null,
            200,
        ),
        (
            Method::GET,
            format!("/v1/repairs?siteId={id}"),
            Value::Null,
            200,
        ),
        (
            Method::POST,
            "/v1/dead-letters/replay".to_owned(),
            json!({"siteId": id}),
            202,
        ),
        // What it is asked for is no range of days.
        (
            Method::POST,
            "/v1/rebuild".to_owned(),
            json!({"startDate": "x"}),
            400,
        ),
        (
            Method::GET,
            format!("/v1/analytics/users/u/export?siteId={id}"),
            Value::Null,
            200,
        ),
        (
            Method::DELETE,
            format!("/v1/analytics/users/u?siteId={id}"),
            Value::Null,
            200,
        ),
        (
            Method::DELETE,
            format!("/v1/sites/{id}/keys/none"),
            Value::Null,
            404,
        ),
        (
            Method::GET,
            format!("/v1/sites/{id}/links"),
            Value::Null,
            200,
        ),
        (
            Method::POST,
            format!("/v1/sites/{id}/links"),
            json!({"name": "l", "views": ["pages"]}),
            201,
        ),
        (
            Method::DELETE,
            format!("/v1/sites/{id}/links/none"),
            Value::Null,
            404,
        ),
        (
            Method::GET,
            format!("/v1/sites/{id}/goals"),
            Value::Null,
            200,
        ),
        (
            Method::POST,
            format!("/v1/sites/{id}/goals"),
            json!({"name": "g", "filter": ["exists", "page"]}),
            201,
        ),
        (
            Method::PUT,
            format!("/v1/sites/{id}/goals/none"),
            json!({"name": "h", "filter": ["exists", "page"]}),
            404,
        ),
        (
            Method::DELETE,
            format!("/v1/sites/{id}/goals/none"),
            Value::Null,
            404,
        ),
    ] {
        rows.push(row(method, &path, &body, [401, 401, 401, 401, 401, admin]));
    }
    rows
}

/// What the holder of a shared link may ask whose views are all of them.
pub(super) const SHARED: [&str; 12] = [
    "/v1/analytics/site",
    "/v1/analytics/goals",
    "/v1/analytics/properties",
    "/v1/analytics/query",
    "/v1/analytics/query/panels",
    "/v1/analytics/query/funnel",
    "/v1/analytics/query/retention",
    "/v1/analytics/query/journeys",
    "/v1/analytics/metrics/breakdown?by=page",
    "/v1/analytics/metrics/features",
    "/v1/analytics/metrics/platform",
    "/v1/analytics/metrics/vitals",
];

/// What a read token reads.
pub(super) const READS: [&str; 15] = [
    "/v1/analytics/site",
    "/v1/analytics/goals",
    "/v1/analytics/properties",
    "/v1/analytics/live",
    "/v1/analytics/events/recent",
    "/v1/analytics/operations",
    "/v1/analytics/outcomes",
    "/v1/analytics/reconciliation",
    "/v1/analytics/metrics/summary",
    "/v1/analytics/metrics/platform",
    "/v1/analytics/metrics/features",
    "/v1/analytics/metrics/engagement",
    "/v1/analytics/metrics/products",
    "/v1/analytics/metrics/vitals",
    "/v1/analytics/users/u/events",
];
