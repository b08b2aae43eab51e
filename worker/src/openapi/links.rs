//! Shared links: the admin's calls, and what a link may ask.

use serde_json::{Value, json};

use super::operation::{Operation, READ, admin, operation};
use crate::http::error::Fault;
use crate::query::links::{About, Links, Listed, NewLink};

const ID: &str = "0123456789abcdef";

/// What may be asked with a shared link, too.
const SHARED: [&str; 12] = [
    "/v1/analytics/site",
    "/v1/analytics/goals",
    "/v1/analytics/properties",
    "/v1/analytics/query",
    "/v1/analytics/query/panels",
    "/v1/analytics/query/funnel",
    "/v1/analytics/query/retention",
    "/v1/analytics/query/journeys",
    "/v1/analytics/metrics/breakdown",
    "/v1/analytics/metrics/features",
    "/v1/analytics/metrics/platform",
    "/v1/analytics/metrics/vitals",
];

/// An operation that a shared link may ask, where it is one.
pub(super) fn shared(operation: Operation) -> Operation {
    if !SHARED.contains(&operation.path) {
        return operation;
    }
    operation
        .keys(&["sharedLink"])
        .header(
            "X-Link-Password",
            json!({"type": "string"}),
            "The password of a shared link that has one.",
        )
        .faults(&[Fault::PasswordRequired])
}

fn link() -> Value {
    json!({"linkId": ID, "name": "For the board", "views": ["overview", "goals"],
        "filters": ["is", "country", ["DE"]], "hasPassword": false, "origins": [],
        "createdAt": 1_705_334_400_000_i64, "expiresAt": null})
}

pub(super) fn operations() -> Vec<Operation> {
    let mut shown = link();
    shown["token"] = json!("slv_shop_abcdefghijklmnopqrstuvwxyz234567");
    shown["path"] = json!(format!(
        "/shared/{ID}#slv_shop_abcdefghijklmnopqrstuvwxyz234567"
    ));
    let bad = Fault::InvalidField {
        path: "views".into(),
        detail: "A link shows one view at least.",
    };
    vec![
        operation("get", "/v1/analytics/site", "aboutSite", "Dashboard", "The site of a token")
            .keys(READ)
            .answers::<About>(
                200,
                "The site; and the link, where the token is of one.",
                json!({"siteId": "shop", "name": "The shop", "timeZone": "Europe/Berlin", "link": null}),
            )
            .faults(&[
                Fault::UnknownKey,
                Fault::WrongScope,
                Fault::Unavailable("The database cannot be reached right now."),
            ]),
        admin("get", "/v1/sites/{siteId}/links", "listLinks", "A site's shared links, never a token")
            .answers::<Links>(200, "The links.", json!({"links": [link()]}))
            .faults(&[Fault::NotFound]),
        admin(
            "post",
            "/v1/sites/{siteId}/links",
            "makeLink",
            "Makes a shared link, 100 a site at most; its token is shown this once",
        )
        .body::<NewLink>(
            "application/json",
            json!({"name": "For the board", "views": ["overview", "goals"],
                "filters": ["is", "country", "DE"], "expiresInDays": 90}),
        )
        .also(a_body())
        .needs_body()
        .answers::<Listed>(201, "The link.", shown)
        .faults(&[bad, Fault::NotFound, Fault::Conflict("The site has 100 links already.")]),
        admin("delete", "/v1/sites/{siteId}/links/{linkId}", "deleteLink", "Revokes a shared link, at once")
            .answers_nothing(204, "It is gone.")
            .faults(&[Fault::NotFound]),
        operation("get", "/shared/{linkId}", "sharedPage", "System", "The dashboard of a shared link")
            .description("The token stands behind the `#` of its address, which is not sent.")
            .or_nobody()
            .answers_of(
                200,
                "The page; its policy names the origins whose pages may frame it.",
                "text/html",
                json!({"type": "string"}),
                json!("<!doctype html>"),
            )
            .faults(&[
                Fault::NotFound,
                Fault::RateLimited { retry_after_s: 30 },
                Fault::Unavailable("The database cannot be reached right now."),
            ]),
    ]
}

/// What the type of a body cannot say: what a filter is, and that the view of properties has none.
fn a_body() -> Value {
    let views = [
        "overview", "pages", "features", "content", "funnels", "goals", "ask", "errors",
    ];
    json!({"allOf": [
        {"properties": {"filters": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/QueryFilter"}]}}},
        {"anyOf": [
            {"properties": {"filters": {"type": "null"}}},
            {"properties": {"views": {"type": "array", "items": {"enum": views}}}},
        ]},
    ]})
}
