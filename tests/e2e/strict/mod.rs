//! The system behind bindings that refuse what the platform refuses, and count what is asked of them.

mod chaos;
mod free;
mod idle;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shoreline_tests::live::refusal;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{StateDir, System};
use shoreline_worker::endpoints::{ENDPOINTS, find};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

/// The longest body of a call that takes no events, of the API's documentation.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The same of one that makes an import.
const MAX_IMPORT_BYTES: usize = 4 * 1024;

/// What invocations of a kind used in all.
fn used(counted: &Value, kind: &str, what: &str) -> i64 {
    counted["kinds"][kind][what].as_i64().unwrap_or(0)
}

/// Made-up tokens that are asked with at once.
const AT_ONCE: usize = 50;

/// How often each status came for so many tokens that nobody was given.
async fn made_up_tokens(site: &Site, n: usize) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    let mut asked = 0;
    while asked < n {
        let mut some = JoinSet::new();
        for n in asked..asked + AT_ONCE {
            let url = format!("{}/v1/analytics/metrics/summary", site.url);
            let token = format!("slr_{}_{:a>26}", site.id, base26(n));
            some.spawn(reply(shoreline_tests::client().get(url).bearer_auth(token)));
        }
        asked += AT_ONCE;
        for answer in some.join_all().await {
            *statuses.entry(answer.status).or_default() += 1;
        }
    }
    statuses
}

fn base26(mut n: usize) -> String {
    let mut text = String::new();
    while n > 0 {
        text.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
    }
    text
}

#[tokio::test]
async fn who_makes_up_tickets_and_tokens_starts_no_object_and_soon_asks_no_store() {
    let system = System::start_strict(&StateDir::new(), "VISITOR_EVENTS_PER_MINUTE:60");
    let site = system.demo();
    system.forget_counts().await;
    for n in 0..30 {
        let ticket = format!("?ticket=slt_site-{n}_{}", "a".repeat(58));
        let refused = refusal(&site, &ticket).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (401, &json!("invalid_ticket"))
        );
    }
    let counted = system.counted().await;
    let objects = counted["kinds"].as_object().unwrap();
    assert!(
        objects.keys().all(|kind| !kind.starts_with("live_do")),
        "{counted}"
    );

    let statuses = made_up_tokens(&site, 5_000).await;
    println!("made-up tokens: {statuses:?}");
    let looked_up = statuses[&401];
    assert_eq!(looked_up + statuses[&429], 5_000, "{statuses:?}");
    // A bucket of 60, and one more a second.
    assert!(looked_up < 200, "{statuses:?}");
    let counted = system.counted().await;
    // A key that KV does not have is one query; Shoreline's own events may add a few.
    let queries = used(&counted, "fetch", "d1Queries");
    assert!(
        queries <= looked_up as i64 + 10,
        "{queries} queries for {looked_up} tokens"
    );

    // Every other door is closed for this network by now, too, and says until when.
    let client = shoreline_tests::client();
    let at = |path: &str| format!("{}{path}", site.url);
    let made_up = |kind: &str| format!("{kind}_{}_{}", site.id, "b".repeat(26));
    for request in [
        client
            .get(at("/v1/sites"))
            .bearer_auth("sla_bbbbbbbbbbbbbbbbbbbbbbbbbb"),
        client.post(at("/v1/imports")).bearer_auth(made_up("sls")),
        client.get(at(&format!("/v1/projects/{}/settings", made_up("slb")))),
        client
            .post(at("/v1/ingest"))
            .bearer_auth(made_up("sls"))
            .body("{}"),
        client
            .post(at("/v1/analytics/live/ticket"))
            .bearer_auth(made_up("slr")),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 429, "{}", answer.url());
        assert!(
            answer.headers().contains_key("retry-after"),
            "{}",
            answer.url()
        );
    }
    assert_eq!(system.counted().await["refused"], json!({}));
}

#[tokio::test]
async fn a_body_without_an_end_is_read_to_the_limit_on_every_path() {
    let site = shoreline_tests::system::shared().new_site().await;
    // One byte more than the call takes, and no end. More that nobody reads would end the connection, perhaps before its
    // answer is read.
    let chunked = |path: &str| {
        let most = if path == "/v1/imports" {
            MAX_IMPORT_BYTES
        } else {
            MAX_BODY_BYTES
        };
        let begin = tokio_stream::once(Ok::<_, std::io::Error>(vec![b' '; most + 1]));
        reqwest::Body::wrap_stream(begin.chain(tokio_stream::pending()))
    };
    let id = &site.id;
    let mut tried = BTreeSet::new();
    for (method, path, key) in [
        ("POST", "/v1/analytics/query".to_owned(), &site.read_token),
        (
            "POST",
            "/v1/analytics/query/funnel".to_owned(),
            &site.read_token,
        ),
        (
            "POST",
            "/v1/analytics/query/panels".to_owned(),
            &site.read_token,
        ),
        (
            "POST",
            "/v1/analytics/query/retention".to_owned(),
            &site.read_token,
        ),
        (
            "POST",
            "/v1/analytics/query/journeys".to_owned(),
            &site.read_token,
        ),
        ("POST", "/v1/imports".to_owned(), &site.source_key),
        ("POST", "/v1/sites".to_owned(), &site.admin_token),
        ("PUT", format!("/v1/sites/{id}"), &site.admin_token),
        ("POST", format!("/v1/sites/{id}/keys"), &site.admin_token),
        ("POST", format!("/v1/sites/{id}/goals"), &site.admin_token),
        ("PUT", format!("/v1/sites/{id}/goals/1"), &site.admin_token),
        ("POST", format!("/v1/sites/{id}/links"), &site.admin_token),
        (
            "POST",
            format!("/v1/sites/{id}/archives"),
            &site.admin_token,
        ),
        (
            "POST",
            "/v1/dead-letters/replay".to_owned(),
            &site.admin_token,
        ),
        ("POST", "/v1/rebuild".to_owned(), &site.admin_token),
    ] {
        let url = format!("{}{path}", site.url);
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = shoreline_tests::client()
            .request(method, url)
            .bearer_auth(key);
        let answer = reply(request.body(chunked(&path))).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.body);
        assert_eq!(answer.body["code"], "payload_too_large", "{path}");
        tried.insert(find(&path).unwrap().path);
    }
    for endpoint in ENDPOINTS.iter().filter(|one| !one.fields.is_empty()) {
        assert!(tried.contains(endpoint.path), "{}", endpoint.path);
    }
}
