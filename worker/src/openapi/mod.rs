//! The API's description, OpenAPI 3.1: `www/openapi.json` is what the table of [`crate::endpoints`] and
//! the types of answers say. It is made here and checked in, so that the worker holds nothing of it.
//! After a change of either: `SHORELINE_WRITE_OPENAPI=1 cargo test -p shoreline-worker --lib openapi`.
//!
//! An operation has one place, in the file of its kind.

use serde_json::{Map, Value, json};

use crate::endpoints::{ENDPOINTS, find};
use operation::{Operation, paths};

mod admin;
mod dashboard;
mod goals;
mod ingest;
mod known;
mod links;
mod operation;
mod query;
mod service;
mod shapes;

pub(crate) use shapes::Origin;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/openapi.json");
const EVENT: &str = include_str!("../../../docs/schemas/event.schema.json");

/// Where it is served: a static file.
const PATH: &str = "/openapi.json";

/// The groups of operations.
const TAGS: [&str; 6] = [
    "Ingest",
    "Imports",
    "Other libraries",
    "Dashboard",
    "Admin",
    "System",
];

fn operations() -> Vec<Operation> {
    let mut all = ingest::operations();
    all.extend(dashboard::operations());
    all.extend([query::query(), query::panels(), query::properties()]);
    all.extend(goals::operations());
    all.extend(links::operations());
    all.extend(admin::operations());
    all.extend(service::operations());
    all.into_iter().map(refusing).map(links::shared).collect()
}

/// An operation that refuses what it does not know, where it does.
fn refusing(operation: Operation) -> Operation {
    let is_checked = find(operation.path).is_some_and(|endpoint| endpoint.params.is_some());
    if is_checked {
        operation.checked("limit")
    } else {
        operation
    }
}

fn document() -> Value {
    let operations = operations();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shoreline",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            "description": "Edge analytics that ends in a data lake. Times are Unix milliseconds. Every path but \
                this one takes OPTIONS, and HEAD where it takes GET but for sites, keys and dead letters; another method is a 405 \
                with `Allow`. A path that is not here is a 404 `not_found`. A query parameter or a field of a question that is not \
                here is a 400 `invalid_parameter` with its name, but where another system's libraries send.",
        },
        "servers": [{"url": "/"}],
        "tags": TAGS.map(|name| json!({"name": name})).to_vec(),
        "paths": paths(&operations),
        "components": {
            "schemas": schemas(&operations),
            "examples": problems(&operations),
            "headers": {"Retry-After": {
                "description": "Seconds after which the same request may be sent again.",
                "schema": {"type": "integer"}, "example": 5}},
            "securitySchemes": keys(),
        },
    })
}

/// The schemas that the operations name, and the two that all have.
fn schemas(operations: &[Operation]) -> Value {
    use utoipa::{PartialSchema, ToSchema};
    let mut named = vec![("Problem".to_owned(), crate::http::error::Problem::schema())];
    crate::http::error::Problem::schemas(&mut named);
    for operation in operations {
        named.extend(operation.schemas.iter().cloned());
    }
    let mut schemas = Map::new();
    for (name, schema) in named {
        let schema = serde_json::to_value(schema).unwrap();
        let before = schemas.insert(name.clone(), schema.clone());
        assert!(
            before.is_none_or(|before| before == schema),
            "two schemas have the name {name}"
        );
    }
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event.as_object_mut().unwrap().remove("$schema");
    schemas.insert("Event".to_owned(), event);
    schemas.insert("QueryFilter".to_owned(), query::filter());
    known::close(&mut schemas, operations);
    Value::Object(schemas)
}

/// One problem for each code.
fn problems(operations: &[Operation]) -> Value {
    let mut problems = Map::new();
    for (code, body) in operations.iter().flat_map(|operation| &operation.problems) {
        problems
            .entry(*code)
            .or_insert_with(|| json!({"value": body}));
    }
    Value::Object(problems)
}

fn keys() -> Value {
    let bearer = |what: &str| json!({"type": "http", "scheme": "bearer", "description": what});
    let query = |name: &str, what: &str| json!({"type": "apiKey", "in": "query", "name": name, "description": what});
    json!({
        "browserKey": bearer("A browser key, `slb_…`: public, taken from the site's origins."),
        "browserKeyInQuery": query("key", "A browser key where no header can be set, as in a beacon."),
        "sourceKey": bearer("A source key, `sls_…`: secret, of a service."),
        "readToken": bearer("A read token, `slr_…`: reads its own site."),
        "sharedLink": bearer("The token of a shared link, `slv_…`: asks what its views show."),
        "adminToken": bearer("The admin token, `sla_…`."),
        "writeKey": {"type": "http", "scheme": "basic",
            "description": "A browser or source key as the user name, with no password."},
        "writeKeyInQuery": query("writeKey", "A browser or source key."),
    })
}

fn text() -> String {
    serde_json::to_string_pretty(&document()).unwrap() + "\n"
}

#[cfg(test)]
mod tests;
