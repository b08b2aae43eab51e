//! Two sites with keys of their own: on every path, what each kind of key may do, and that nothing
//! of one site is seen or written with what the other has.

mod rows;

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;
use shoreline_worker::endpoints::{ENDPOINTS, find};

use crate::links::{VIEWS, share};
use rows::{ASKERS, READS, Row, SHARED, rows};

/// The request of a row with a key, from a page of `origin`.
fn request(site: &Site, row: &Row, key: Option<&str>, origin: &str) -> RequestBuilder {
    let path = row.path.replace("KEY", key.unwrap_or("none"));
    let request = shoreline_tests::client()
        .request(row.method.clone(), format!("{}{path}", site.url))
        .header("origin", origin)
        .header("user-agent", "Mozilla/5.0 (test)")
        .header("content-type", "application/json")
        .body(row.body.clone());
    match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    }
}

#[tokio::test]
async fn every_path_answers_each_kind_of_key_as_it_should() {
    let site = shared().new_site().await;
    let made_up = |prefix: &str| format!("{prefix}_{}_aaaaaaaaaaaaaaaaaaaaaaaaaa", site.id);
    let keys: [Vec<Option<String>>; 6] = [
        vec![None],
        vec![
            Some(made_up("slb")),
            Some(made_up("sls")),
            Some(made_up("slr")),
            Some(made_up("sla")),
            Some(made_up("slv")),
            Some("x".into()),
            Some(String::new()),
        ],
        vec![Some(site.browser_key.clone())],
        vec![Some(site.source_key.clone())],
        vec![Some(site.read_token.clone())],
        vec![Some(site.admin_token.clone())],
    ];
    for row in rows(&site) {
        for (asker, (keys, want)) in ASKERS.iter().zip(keys.iter().zip(row.statuses)) {
            for key in keys {
                if row.path.contains("/KEY/") && key.as_deref() == Some("") {
                    continue; // Without its key that is no path.
                }
                let answer = reply(request(&site, &row, key.as_deref(), &site.origin)).await;
                let (method, path) = (&row.method, &row.path);
                assert_eq!(
                    answer.status, want,
                    "{method} {path}, {asker}: {}",
                    answer.body
                );
                if matches!(want, 401 | 403) {
                    let code = answer.body["code"].as_str();
                    let wanted = if want == 401 {
                        "unknown_key"
                    } else {
                        "wrong_scope"
                    };
                    assert_eq!(code, Some(wanted), "{method} {path}, {asker}");
                    // Nothing of the site is told to who may not ask.
                    assert!(
                        !answer.body.to_string().contains(&site.id),
                        "{}",
                        answer.body
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_shared_link_asks_what_is_shared_and_nothing_else() {
    let site = shared().new_site().await;
    let link = share(&site, json!({"views": VIEWS})).await;
    let token = link["token"].as_str();
    let mut asked = 0;
    for row in rows(&site) {
        let [nobody, unknown, _, _, read, _] = row.statuses;
        let want = match (SHARED.contains(&row.path.as_str()), read) {
            (true, _) => 200,
            // It is known to whoever takes read tokens; to all others it is no key.
            (false, 200 | 201) if unknown == 401 => 403,
            _ => unknown,
        };
        asked += i32::from(want == 200 && nobody == 401);
        let answer = reply(request(&site, &row, token, &site.origin)).await;
        assert_eq!(
            answer.status, want,
            "{} {}: {}",
            row.method, row.path, answer.body
        );
    }
    assert_eq!(asked, 12);
}

#[tokio::test]
async fn the_table_has_every_path_that_the_worker_knows() {
    let site = shared().new_site().await;
    let known: BTreeSet<(String, &str)> = rows(&site)
        .iter()
        .filter_map(|row| {
            let path = row.path.split('?').next()?;
            Some((row.method.to_string(), find(path)?.path))
        })
        .collect();
    for endpoint in ENDPOINTS {
        let methods = endpoint
            .methods()
            .filter(|method| !["HEAD", "OPTIONS"].contains(method));
        for method in methods {
            let wanted = (method.to_owned(), endpoint.path);
            assert!(known.contains(&wanted), "{wanted:?} is in no row");
        }
    }
}

/// What only the first site's events hold.
const MARK: &str = "only-the-first-knows";

#[tokio::test]
async fn nothing_of_a_site_is_seen_with_what_another_has() {
    let (first, second) = (shared().new_site().await, shared().new_site().await);
    let marked: Vec<Value> = (0..3)
        .map(|n| view(&format!("/{MARK}/{n}"), MARK))
        .collect();
    first.send_ok(&batch(&marked)).await;
    first.settle().await;
    let page = first.get("/v1/analytics/events/recent?limit=1").await;
    let cursor = page["nextCursor"].as_str().unwrap();
    let id = &first.id;
    let asked = |path: &str| {
        vec![
            path.to_owned(),
            format!("{path}?siteId={id}&site={id}"),
            format!("{path}?userId={MARK}"),
            format!("{path}?cursor={cursor}"),
            format!("{path}?key={}", first.read_token),
            format!("{path}?userId=%27%20OR%20site_id%3D%27{id}"),
        ]
    };
    for path in READS
        .iter()
        .chain(&["/health"])
        .flat_map(|path| asked(path))
    {
        let Reply { status, body } = second.read(&path).await;
        assert!(matches!(status, 200 | 400), "{path}: {body}");
        let text = body.to_string();
        assert!(
            !text.contains(MARK) && !text.contains(id.as_str()),
            "{path}: {text}"
        );
    }
    let read = second.stored().await;
    assert!(read.is_empty(), "{read:#?}");
    assert_eq!(second.live_count("page_view").await, 0);
    assert_eq!(
        second.get("/v1/analytics/metrics/summary").await["total"],
        0
    );
    // Its own sees all of it.
    assert_eq!(first.stored().await.len(), 3);
}

#[tokio::test]
async fn nothing_is_written_to_a_site_with_what_another_has() {
    let (first, second) = (shared().new_site().await, shared().new_site().await);
    for row in rows(&first).iter().filter(|row| row.method == Method::POST) {
        for key in [&second.browser_key, &second.source_key, &second.read_token] {
            // As a page of either site.
            for origin in [&first.origin, &second.origin] {
                if row.path == "/api/event" && origin == &first.origin {
                    continue; // A page of the first site speaks for it.
                }
                let answer = reply(request(&first, row, Some(key), origin)).await;
                assert!(answer.status < 500, "{}: {}", row.path, answer.body);
            }
        }
    }
    // A key of one site is none of the other's to end.
    let client = shoreline_tests::client();
    let list = client.get(format!("{}/v1/sites/{}/keys", first.url, first.id));
    let list = reply(list.bearer_auth(&first.admin_token)).await;
    for key in list.body["keys"].as_array().unwrap() {
        let key_id = key["keyId"].as_str().unwrap();
        let end = client.delete(format!(
            "{}/v1/sites/{}/keys/{key_id}",
            first.url, second.id
        ));
        assert_eq!(reply(end.bearer_auth(&first.admin_token)).await.status, 404);
    }
    first.settle().await;
    assert!(
        first.stored().await.is_empty(),
        "{:#?}",
        first.stored().await
    );
    first.send_ok(&batch(&[view("/", "u")])).await;
}
