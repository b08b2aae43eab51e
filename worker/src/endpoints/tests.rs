use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::read::funnel::Funnel;
use crate::read::journeys::Journeys;
use crate::read::question::Question;
use crate::read::retention::Retention;

#[test]
fn a_path_has_one_endpoint() {
    for (path, want) in [
        ("/v1/events", Some("/v1/events")),
        ("/v1/sites", Some("/v1/sites")),
        ("/v1/sites/", None),
        ("/v1/sites/a", Some("/v1/sites/{siteId}")),
        (
            "/v1/sites/a/keys/b",
            Some("/v1/sites/{siteId}/keys/{keyId}"),
        ),
        ("/v1/sites/a/keys/b/c", None),
        (
            "/v1/analytics/users/%2F/events",
            Some("/v1/analytics/users/{userId}/events"),
        ),
        ("/v1/analytics/users//events", None),
        ("/v1/analytics/metrics/", None),
        ("/v1", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(find(path).map(|found| found.path), want, "{path}");
    }
    for endpoint in ENDPOINTS {
        assert_eq!(find(endpoint.path), Some(endpoint), "the first at its path");
    }
}

fn named(result: Result<(), Fault>) -> Option<String> {
    match result {
        Err(Fault::UnknownParameter { name, .. }) => Some(name),
        other => other.map(|()| None).unwrap(),
    }
}

#[test]
fn every_path_names_a_parameter_that_it_does_not_know() {
    for endpoint in ENDPOINTS {
        let Some(known) = endpoint.params else {
            assert_eq!(endpoint.check_query("x=1&x=2"), Ok(()), "{}", endpoint.path);
            continue;
        };
        for wrong in ["country", "start_date", "interval", "Limit", "", "siteid"] {
            let found = named(endpoint.check_query(&format!("{wrong}=1")));
            assert_eq!(found.as_deref(), Some(wrong), "{}", endpoint.path);
        }
        for name in known {
            assert_eq!(named(endpoint.check_query(&format!("{name}=1"))), None);
            let twice = named(endpoint.check_query(&format!("{name}=1&{name}=1")));
            assert_eq!(twice.as_deref(), Some(*name), "{}", endpoint.path);
        }
    }
}

/// The body of a path that has each of its fields, and one that nobody knows where `at` says.
fn body(fields: &[&str], at: Option<&str>) -> Value {
    let mut body = json!({});
    for field in fields.iter().filter(|field| !field.contains('.')) {
        let below = format!("{field}.");
        let inner: Vec<&str> = fields
            .iter()
            .filter_map(|field| field.strip_prefix(below.as_str()))
            .collect();
        let at = at.and_then(|at| at.strip_prefix(below.as_str()));
        body[*field] = match inner.as_slice() {
            [] => Value::Null,
            inner => json!([self::body(inner, at)]),
        };
    }
    if at == Some("") {
        body["country"] = json!("DE");
    }
    body
}

/// What a path says of a body.
fn asked(path: &str, body: &Value) -> Result<(), Fault> {
    let body = body.to_string();
    let body = body.as_bytes();
    match path {
        "/v1/analytics/query" => crate::query::Question::parse(body).map(drop),
        "/v1/analytics/query/panels" => crate::query::Question::parse_panels(body).map(drop),
        "/v1/sites/{siteId}/goals" | "/v1/sites/{siteId}/goals/{goalId}" => {
            crate::query::goals::NewGoal::parse(body).map(drop)
        }
        "/v1/sites/{siteId}/links" => crate::query::links::NewLink::parse(body).map(drop),
        "/v1/analytics/query/funnel" => Funnel::parse(body, 0).map(drop),
        "/v1/analytics/query/retention" => Retention::parse(body, 0).map(drop),
        "/v1/analytics/query/journeys" => Journeys::parse(body, 0).map(drop),
        "/v1/sites" | "/v1/sites/{siteId}" => admin::NewSite::parse(body).map(drop),
        "/v1/sites/{siteId}/archives" => admin::archives::Wish::parse(body).map(drop),
        "/v1/sites/{siteId}/keys" => admin::new_key("s", body, &[0; 26]).map(drop),
        "/v1/imports" => import::new_import(body).map(drop),
        "/v1/dead-letters/replay" => dead_letter::Selection::parse(body).map(drop),
        "/v1/rebuild" => rebuild::Rebuild::parse(body, 0).map(drop),
        other => panic!("nobody reads the body of {other}"),
    }
}

#[test]
fn every_body_names_a_field_that_it_does_not_know() {
    let mut checked = 0;
    for endpoint in ENDPOINTS
        .iter()
        .filter(|endpoint| !endpoint.fields.is_empty())
    {
        let (path, fields) = (endpoint.path, endpoint.fields);
        let known = asked(path, &body(fields, None));
        assert!(
            !matches!(known, Err(Fault::UnknownParameter { .. })),
            "{path}: {known:?}"
        );
        let levels = fields.iter().filter_map(|field| field.rsplit_once('.'));
        let levels: BTreeSet<String> = levels.map(|(level, _)| format!("{level}.")).collect();
        for level in levels.iter().map(String::as_str).chain([""]) {
            let want = format!("{}country", level.replace('.', "[0]."));
            let found = named(asked(path, &body(fields, Some(level))));
            assert_eq!(found, Some(want), "{path}");
            checked += 1;
        }
    }
    assert_eq!(checked, 18);
}

#[test]
fn what_is_allowed_has_a_handler_and_nothing_else_has() {
    for endpoint in ENDPOINTS {
        let path = endpoint.path;
        assert!(
            endpoint.methods().any(|method| method == "OPTIONS"),
            "{path}"
        );
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE"] {
            let is_allowed = endpoint.methods().any(|known| known == method);
            assert_eq!(
                endpoint.call(method).is_some(),
                is_allowed,
                "{method} {path}"
            );
        }
    }
}

#[test]
fn each_call_has_one_path_but_for_those_of_other_systems() {
    let all = ENDPOINTS.iter().flat_map(|endpoint| {
        let calls = ["GET", "POST", "PUT", "DELETE"].map(|method| endpoint.call(method));
        calls.into_iter().flatten()
    });
    let mut seen = Vec::new();
    for call in all {
        let has_several = matches!(
            call,
            Call::Events(Way::Segment(_)) | Call::Asked(Asked::SdkSettings(_))
        );
        assert!(has_several || !seen.contains(&call), "{call:?}");
        seen.push(call);
    }
}

#[test]
fn segments_of_a_path_are_told_by_name() {
    let key = find("/v1/sites/shop/keys/ab%2Fc").unwrap();
    let segment = |name| key.segment("/v1/sites/shop/keys/ab%2Fc", name);
    assert_eq!((segment("siteId"), segment("keyId")), ("shop", "ab%2Fc"));
    assert_eq!(segment("userId"), "");
}
