//! Imports: files in parts, through whatever happens on the way, into the lake, each event once.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use rusqlite::Connection;
use serde_json::{Value, json};
use shoreline_tests::events::uuid;
use shoreline_tests::lake;
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::{eventually, eventually_is};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Bytes of a part at most.
const MAX_PART: usize = 64 * 1024 * 1024;

/// 2024-01-15T16:00:00Z.
const OLD: i64 = 1_705_334_400_000;

fn request(site: &Site, method: &str, path: &str) -> RequestBuilder {
    let method = method.parse().unwrap();
    let url = format!("{}/v1/imports{path}", site.url);
    shoreline_tests::client()
        .request(method, url)
        .bearer_auth(&site.source_key)
}

/// Makes an import.
async fn begin(site: &Site, body: &Value) -> String {
    let made = reply(request(site, "POST", "").body(body.to_string())).await;
    assert_eq!(made.status, 202, "{}", made.body);
    made.body["importId"].as_str().unwrap().to_owned()
}

async fn put(site: &Site, import: &str, n: usize, part: impl Into<reqwest::Body>) -> Reply {
    reply(request(site, "PUT", &format!("/{import}/parts/{n}")).body(part)).await
}

async fn progress(site: &Site, import: &str) -> Value {
    let told = reply(request(site, "GET", &format!("/{import}"))).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.body
}

/// Waits until the import is over.
async fn finished(site: &Site, import: &str) -> Value {
    eventually("the import is finished", async || {
        let told = progress(site, import).await;
        told["finishedAt"].is_number().then_some(told)
    })
    .await
}

/// A command of the past, with an id of its own.
fn command(n: i64) -> Value {
    json!({"eventId": uuid(), "eventType": "shop.ordered", "source": "shop",
           "timestamp": OLD + n * 1_000, "eventData": {"n": n}})
}

fn ndjson(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn ids(lines: &[Value]) -> BTreeSet<String> {
    lines
        .iter()
        .map(|line| line["eventId"].as_str().unwrap().to_owned())
        .collect()
}

/// The ids of a site's events in the lake, which must be there once each.
fn landed(site: &Site) -> BTreeSet<String> {
    let all = lake::ids_of(&lake::pull(site.state.path()), &site.id);
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "an event is there twice");
    set
}

/// The keys of all that the bucket holds, in the local platform's own list.
fn keys_in_bucket(site: &Site) -> Vec<String> {
    let mut keys = Vec::new();
    for path in site.state.databases("r2/miniflare-R2BucketObject") {
        let database = Connection::open(path).unwrap();
        let Ok(mut statement) = database.prepare("SELECT key FROM _mf_objects") else {
            continue;
        };
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        keys.extend(rows.map(Result::unwrap));
    }
    keys
}

#[tokio::test]
async fn a_file_in_one_request_is_stored_in_its_own_hours_and_its_bad_lines_are_told() {
    let site = shared().new_site().await;
    let good = [command(0), command(1), command(90 * 60)];
    let text = format!(
        "{}nonsense\n\n{{\"eventType\":\"page_view\"}}\n{}",
        ndjson(&good[..2]),
        good[2]
    );
    let made = request(&site, "POST", "")
        .header("content-type", "application/x-ndjson")
        .body(text);
    let made = reply(made).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let import = made.body["importId"].as_str().unwrap();
    let told = finished(&site, import).await;
    assert_eq!(told["status"], "finished", "{told}");
    let counts = [
        "received",
        "processed",
        "duplicate",
        "rejected",
        "skipped",
        "failed",
    ];
    let counts: Vec<i64> = counts
        .iter()
        .map(|name| told[name].as_i64().unwrap())
        .collect();
    assert_eq!(counts, [5, 3, 0, 2, 0, 0]);
    assert_eq!(
        told["rejectedLines"],
        json!([
            {"part": 1, "line": 3, "code": "wrong_type", "field": ""},
            {"part": 1, "line": 5, "code": "missing_field", "field": "userId"},
        ])
    );
    site.settle().await;
    let objects = lake::pull(site.state.path());
    for (key, events) in &objects {
        for event in events.iter().filter(|event| event["siteId"] == site.id) {
            let late = event["eventData"]["n"] == 90 * 60;
            let hour = if late { "hour=17" } else { "hour=16" };
            assert!(
                key.starts_with(&format!("events/date=2024-01-15/{hour}/")),
                "{key}"
            );
            assert_eq!(event["receivedAt"], event["timestamp"]);
            assert_eq!(event["batchId"], import);
        }
    }
    assert_eq!(landed(&site), ids(&good));
    // No live traffic, but in the ledger.
    assert_eq!(site.live_count("shop.ordered").await, 0);
    let outcomes = site.get("/v1/analytics/outcomes?hours=2").await;
    assert_eq!(
        outcomes["totals"],
        json!({"accepted": 3, "wrong_type": 1, "missing_field": 1})
    );
    // The uploads are gone; the list of bad lines is not.
    let of_import = format!("imports/{}/{import}/", site.id);
    eventually_is(
        "the uploads are deleted",
        vec!["rejected".to_owned()],
        async || {
            let keys = keys_in_bucket(&site);
            let names = keys.iter().filter_map(|key| key.strip_prefix(&of_import));
            names
                .map(|name| name.split('-').next().unwrap().to_owned())
                .collect()
        },
    )
    .await;
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_however_it_is_cut() {
    let site = shared().new_site().await;
    let same = json!({"eventType": "a.b", "source": "s", "timestamp": OLD});
    let lines = [
        same.clone(),
        command(1),
        same.clone(),
        json!({"eventType": "a.c", "source": "s"}),
    ];
    let first = begin(&site, &json!({"parts": 1})).await;
    assert_eq!(put(&site, &first, 1, ndjson(&lines)).await.status, 202);
    let told = finished(&site, &first).await;
    assert_eq!(
        (&told["processed"], &told["duplicate"]),
        (&json!(4), &json!(0)),
        "{told}"
    );
    site.settle().await;
    let before = landed(&site);
    assert_eq!(before.len(), 4);
    let again = begin(&site, &json!({})).await;
    for (n, part) in lines.chunks(1).enumerate().rev() {
        assert_eq!(put(&site, &again, n + 1, ndjson(part)).await.status, 202);
    }
    let closed = reply(request(&site, "POST", &format!("/{again}/complete"))).await;
    assert_eq!(closed.status, 202, "{}", closed.body);
    let told = finished(&site, &again).await;
    assert_eq!(
        (&told["processed"], &told["duplicate"]),
        (&json!(0), &json!(4)),
        "{told}"
    );
    site.settle().await;
    assert_eq!(landed(&site), before);
    let late = put(&site, &again, 9, "{}").await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (409, &json!("import_closed"))
    );
}

#[tokio::test]
async fn a_workerd_that_is_killed_on_the_way_loses_and_doubles_nothing() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let lines: Vec<Value> = (0..9_000).map(command).collect();
    let import = begin(&site, &json!({"parts": 2})).await;
    // While a system starts again, it answers nothing.
    let received = async || {
        let answer = request(&site, "GET", &format!("/{import}"))
            .send()
            .await
            .ok()?;
        let told: Value = answer.json().await.ok()?;
        Some((told["received"].as_i64()?, told["status"] == "finished"))
    };
    for (n, part) in lines.chunks(4_500).enumerate() {
        let sent = put(&site, &import, n + 1, ndjson(part)).await;
        assert_eq!(sent.status, 202, "{}", sent.body);
        // Its part is being read now, or on its way through the log, the queue and the archive.
        system.kill_workerd();
        eventually("it answers again", received).await;
    }
    eventually("all lines are read", async || {
        received().await.filter(|(n, _)| *n == 9_000)
    })
    .await;
    eventually("the import is finished", async || {
        received().await.filter(|(_, finished)| *finished)
    })
    .await;
    site.settle().await;
    assert_eq!(landed(&site), ids(&lines));
    let outcomes = site.get("/v1/analytics/outcomes?hours=2").await;
    assert_eq!(outcomes["totals"]["accepted"], 9_000, "{outcomes}");
}

#[tokio::test]
async fn a_part_whose_connection_broke_is_sent_again() {
    let site = shared().new_site().await;
    let import = begin(&site, &json!({"parts": 1})).await;
    let line = command(1);
    let text = ndjson(std::slice::from_ref(&line));
    let address = site.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PUT /v1/imports/{import}/parts/1 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\n\r\n",
        site.source_key,
        text.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&text.as_bytes()[..20]).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    assert_eq!(progress(&site, &import).await["parts"]["received"], 0);
    for _ in 0..2 {
        // The second time as if the first answer had been lost.
        assert_eq!(put(&site, &import, 1, text.clone()).await.status, 202);
    }
    let other = put(&site, &import, 1, "{}").await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (409, &json!("already_exists"))
    );
    assert_eq!(finished(&site, &import).await["processed"], 1);
    site.settle().await;
    assert_eq!(landed(&site), ids(&[line]));
}

#[tokio::test]
async fn nobody_elses_key_can_see_or_touch_an_import() {
    let (site, other) = (shared().new_site().await, shared().new_site().await);
    let import = begin(&site, &json!({})).await;
    let calls = [
        ("GET", format!("/{import}")),
        ("PUT", format!("/{import}/parts/1")),
        ("POST", format!("/{import}/complete")),
    ];
    for (method, path) in &calls {
        let foreign = reply(request(&other, method, path).body("{}")).await;
        assert_eq!(
            (foreign.status, &foreign.body["code"]),
            (404, &json!("not_found")),
            "{path}"
        );
        for (key, status) in [
            (&site.browser_key, 403),
            (&site.read_token, 403),
            (&"x".to_owned(), 401),
        ] {
            let url = format!("{}/v1/imports{path}", site.url);
            let wrong = shoreline_tests::client()
                .request(method.parse().unwrap(), url)
                .bearer_auth(key);
            assert_eq!(
                reply(wrong.body("{}")).await.status,
                status,
                "{method} {path}"
            );
        }
    }
    let told = progress(&site, &import).await;
    assert_eq!(
        (&told["status"], &told["parts"]["received"]),
        (&json!("open"), &json!(0))
    );
}

#[tokio::test]
async fn what_cannot_be_a_part_is_refused_and_the_next_one_taken() {
    let site = shared().new_site().await;
    let import = begin(&site, &json!({})).await;
    let path = format!("/{import}/parts/1");
    let over = put(&site, &import, 1, vec![b'\n'; MAX_PART + 1]).await;
    assert_eq!(
        (over.status, &over.body["code"]),
        (413, &json!("payload_too_large"))
    );
    let packed = request(&site, "PUT", &path)
        .header("content-encoding", "gzip")
        .body("x");
    assert_eq!(reply(packed).await.status, 415);
    let parts = tokio_stream::iter([Ok::<_, std::io::Error>("{}")]);
    let chunked = request(&site, "PUT", &path).body(reqwest::Body::wrap_stream(parts));
    let chunked = reply(chunked).await;
    assert_eq!(
        (chunked.status, &chunked.body["code"]),
        (411, &json!("length_required"))
    );
    for (method, path, status) in [
        ("PUT", format!("/{import}/parts/0"), 404),
        ("PUT", format!("/{import}/parts/10000"), 404),
        ("GET", "/nonsense".to_owned(), 404),
        ("GET", format!("/{}", uuid()), 404),
        ("DELETE", format!("/{import}"), 405),
        ("GET", String::new(), 405),
    ] {
        assert_eq!(
            reply(request(&site, method, &path)).await.status,
            status,
            "{method} {path}"
        );
    }
    for body in ["{\"parts\":0}", "[", "{\"eventType\":1}\n{\"eventType\":2}"] {
        let made = reply(request(&site, "POST", "").body(body)).await;
        assert_eq!(
            (made.status, &made.body["code"]),
            (400, &json!("malformed_json")),
            "{body}"
        );
    }
    // A part of exactly the limit, of blank lines, is one.
    assert_eq!(
        put(&site, &import, 1, vec![b'\n'; MAX_PART]).await.status,
        202
    );
    assert_eq!(put(&site, &import, 2, "").await.status, 202);
    assert_eq!(
        put(&site, &import, 3, ndjson(&[command(1)])).await.status,
        202
    );
    reply(request(&site, "POST", &format!("/{import}/complete"))).await;
    let told = finished(&site, &import).await;
    assert_eq!(
        (&told["processed"], &told["received"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_create_that_is_tried_again_makes_one_import() {
    let site = shared().new_site().await;
    let create = async || {
        let made = request(&site, "POST", "")
            .header("idempotency-key", "file-7")
            .body("{\"parts\":2}");
        reply(made).await.body["importId"].clone()
    };
    assert_eq!(create().await, create().await);
}
