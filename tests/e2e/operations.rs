//! Shoreline watching itself: the events of its calls, the figures of a site, Prometheus, and logs.

use std::collections::BTreeSet;

use openmetrics_parser::prometheus::parse_prometheus;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::{eventually, lake};

use crate::d1::database;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What must be in no event, line or figure: who it was.
const SECRET: &str = "ann-of-the-test";

fn traceparent() -> String {
    format!("00-{TRACE}-00f067aa0ba902b7-01")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value
        .unwrap_or_else(|| panic!("no {name}"))
        .to_str()
        .unwrap()
}

fn get(site: &Site, path: &str, token: &str) -> RequestBuilder {
    let request = shoreline_tests::client().get(format!("{}{path}", site.url));
    request.bearer_auth(token)
}

/// How often an action was called with the site's keys, and how often in vain.
async fn calls(site: &Site, action: &str) -> (i64, i64) {
    let answer = site.get("/v1/analytics/operations").await;
    let figures = &answer["actions"][action];
    let number = |name: &str| figures[name].as_i64().unwrap_or(0);
    (number("calls"), number("errors"))
}

/// The events of calls with the site's keys, from the lake.
fn events_of_calls(site: &Site) -> Vec<Value> {
    let own = lake::events_of(&lake::pull(site.state.path()), "_shoreline");
    let of_site = own
        .into_iter()
        .filter(|event| event["eventData"]["site"] == site.id.as_str());
    of_site.collect()
}

/// The page of figures.
async fn page(site: &Site) -> String {
    let answer = get(site, "/metrics", &site.admin_token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        header(&answer, "content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = answer.text().await.unwrap();
    assert!(parse_prometheus(&text).is_ok(), "{text}");
    text
}

/// The value of a sample; 0 where there is none.
fn sample(page: &str, name: &str) -> f64 {
    let found = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().unwrap())
}

/// The lines that a system's worker logged so far.
fn log_lines(state: &StateDir) -> Vec<Value> {
    let log = std::fs::read_to_string(state.path().join("shoreline/wrangler.log")).unwrap();
    // Wrangler puts a mark of its own before errors.
    let lines = log
        .lines()
        .filter_map(|line| line.find('{').map(|at| &line[at..]));
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.collect()
}

#[tokio::test]
async fn calls_become_events_in_the_lake_and_figures_of_their_site_alone() {
    let (site, other) = (shared().new_site().await, shared().new_site().await);
    let page = format!("/{SECRET}");
    for _ in 0..4 {
        site.send_ok(&batch(&[view(&page, SECRET), json!({})]))
            .await;
    }
    let asked_for = site
        .post()
        .header("traceparent", traceparent())
        .body(batch(&[view(&page, SECRET)]).to_string());
    let asked_for = asked_for.send().await.unwrap();
    assert_eq!(asked_for.status(), 202);
    let nothing_valid = site.post().body(batch(&[json!({})]).to_string());
    let nothing_valid = nothing_valid.send().await.unwrap();
    assert_eq!(nothing_valid.status(), 422);
    site.get(&format!("/v1/analytics/users/{SECRET}/events?eventType=x"))
        .await;
    let bad = site
        .read("/v1/analytics/metrics/summary?windowMinutes=0")
        .await;
    assert_eq!(bad.status, 400);
    let import = shoreline_tests::client().post(format!("{}/v1/imports", site.url));
    let import = reply(import.bearer_auth(&site.source_key).body("{}")).await;
    assert_eq!(import.status, 202, "{}", import.body);
    for (action, want) in [
        ("events", (6, 1)),
        ("user_events", (1, 0)),
        ("summary", (1, 1)),
        ("imports", (1, 0)),
    ] {
        eventually(&format!("the calls of {action} are counted"), async || {
            (calls(&site, action).await == want).then_some(())
        })
        .await;
    }
    let answer = site
        .get("/v1/analytics/operations?windowMinutes=10080")
        .await;
    let events = &answer["actions"]["events"];
    assert_eq!(events["errorRate"], 0.1667);
    assert_eq!(events["serverErrors"], 0);
    assert!(events["p50"].as_f64().unwrap() <= events["p95"].as_f64().unwrap());
    let csv = get(
        &site,
        "/v1/analytics/operations?format=csv",
        &site.read_token,
    );
    let csv = csv.send().await.unwrap();
    assert_eq!(header(&csv, "content-type"), "text/csv; charset=utf-8");
    let csv = csv.text().await.unwrap();
    assert!(csv.starts_with("hour,action,calls,"), "{csv}");
    assert!(csv.contains(",events,6,"), "{csv}");

    // The other has made no call yet, and sees none.
    assert_eq!(
        other.get("/v1/analytics/operations").await["total"]["calls"],
        0
    );

    let landed = eventually("the events have landed", async || {
        let landed = events_of_calls(&site);
        let ingest = landed
            .iter()
            .filter(|event| event["eventType"] == "INGEST_ANALYTICS");
        let calls: i64 = ingest
            .map(|event| event["eventData"]["calls"].as_i64().unwrap())
            .sum();
        let import = landed
            .iter()
            .any(|event| event["eventType"] == "IMPORT_ANALYTICS");
        (calls == 6 && import).then_some(landed)
    })
    .await;
    let ids: BTreeSet<&str> = landed
        .iter()
        .map(|e| e["eventId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), landed.len());
    let refused = landed
        .iter()
        .find(|event| event["eventData"]["httpStatus"] == 422)
        .unwrap();
    assert_eq!(refused["metadata"]["status"], "FAILURE");
    assert_eq!(refused["metadata"]["errorType"], "no_valid_event");
    assert_eq!(
        refused["metadata"]["requestId"],
        header(&nothing_valid, "x-request-id")
    );
    assert_eq!(
        refused["eventData"]["outcomes"],
        json!({"missing_field": 1})
    );
    // What the caller asked for has an event by itself; the others share theirs.
    let traced = landed
        .iter()
        .find(|event| event["metadata"]["traceId"] == TRACE)
        .unwrap();
    assert_eq!(traced["eventData"]["calls"], 1);
    assert_eq!(
        traced["metadata"]["requestId"],
        header(&asked_for, "x-request-id")
    );
    let shared: Vec<&Value> = landed
        .iter()
        .filter(|event| {
            event["eventData"]["action"] == "events"
                && event["eventData"]["httpStatus"] == 202
                && event["metadata"]["traceId"] != TRACE
        })
        .collect();
    // A commit may have come between two of the calls; it cannot between all.
    assert!(shared.len() < 4, "{shared:?}");
    for event in &shared {
        let (data, metadata) = (&event["eventData"], &event["metadata"]);
        assert_eq!(metadata["functionName"], "shoreline");
        let calls = data["calls"].as_i64().unwrap();
        assert_eq!(
            data["outcomes"],
            json!({"accepted": calls, "missing_field": calls})
        );
        let by_bucket = data["durations"].as_object();
        let counted: Option<i64> =
            by_bucket.map(|buckets| buckets.values().filter_map(Value::as_i64).sum());
        assert_eq!(counted, (calls > 1).then_some(calls), "{event}");
    }
    let user = landed
        .iter()
        .find(|event| event["eventData"]["action"] == "user_events");
    let user = user.unwrap();
    assert_eq!(user["metadata"]["eventCategory"], "QUERY");
    assert_eq!(
        user["eventData"]["route"],
        "/v1/analytics/users/{userId}/events"
    );
    for event in &landed {
        let text = event.to_string();
        for secret in [
            SECRET,
            &site.browser_key,
            &site.read_token,
            "127.0.0.1",
            "eventType=x",
        ] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(event.get("userId").is_none() && event.get("sessionId").is_none());
    }
    // None of it is the site's traffic.
    site.settle().await;
    assert_eq!(site.stored().await.len(), 5);
    assert_eq!(site.live_count("INGEST_ANALYTICS").await, 0);
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["byType"], json!({"page_view": 5}));
}

#[tokio::test]
async fn figures_only_grow_and_count_what_no_site_can_be_told_for() {
    let site = shared().new_site().await;
    let refused = "shoreline_requests_total{action=\"ingest\",status=\"401\"}";
    let accepted = "shoreline_ingest_events_total{outcome=\"accepted\"}";
    let before = page(&site).await;
    for _ in 0..3 {
        let stranger = shoreline_tests::client().post(format!("{}/v1/ingest", site.url));
        let stranger = reply(stranger.bearer_auth("sls_x").body("{}")).await;
        assert_eq!(stranger.status, 401);
        site.send_ok(&batch(&[view("/", SECRET), view("/a", SECRET)]))
            .await;
    }
    let after = eventually("the calls are counted", async || {
        let after = page(&site).await;
        let more = |name| sample(&after, name) - sample(&before, name);
        (more(refused) >= 3.0 && more(accepted) >= 6.0).then_some(after)
    })
    .await;
    assert_eq!(calls(&site, "ingest").await, (0, 0));
    let samples = |page: &str| -> Vec<(String, f64)> {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap())
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect()
    };
    let of_counters = |name: &str| {
        ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .any(|part| name.split('{').next().unwrap().ends_with(part))
    };
    for (name, value) in samples(&before) {
        if of_counters(&name) && !name.contains("landed") {
            assert!(sample(&after, &name) >= value, "{name} went down");
        }
    }
    for name in [
        "shoreline_outbox_parts",
        "shoreline_lake_pending_events",
        "shoreline_database_size_bytes",
        "shoreline_sink_failing{sink=\"r2\"}",
        "shoreline_build_info{version=\"0.1.0\"}",
    ] {
        assert!(samples(&after).iter().any(|(own, _)| own == name), "{name}");
    }
    // The buckets of a histogram are within each other, and end in its count.
    let action = "action=\"events\"";
    let buckets: Vec<f64> = samples(&after)
        .into_iter()
        .filter(|(name, _)| name.contains("duration_seconds_bucket") && name.contains(action))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(buckets.len(), 14);
    assert!(buckets.is_sorted());
    let count = format!("shoreline_request_duration_seconds_count{{{action}}}");
    assert_eq!(buckets.last(), Some(&sample(&after, &count)));
    assert!(!after.contains(&site.id), "a site is no label");
}

#[tokio::test]
async fn shorelines_own_site_is_nobodys() {
    let site = shared().new_site().await;
    let admin = |method: reqwest::Method, path: &str, body: Value| {
        let request = shoreline_tests::client().request(method, format!("{}{path}", site.url));
        request.bearer_auth(&site.admin_token).json(&body)
    };
    let own = json!({"siteId": "_shoreline", "origins": []});
    let made = reply(admin(reqwest::Method::POST, "/v1/sites", own.clone())).await;
    assert_eq!((made.status, &made.body["field"]), (400, &json!("siteId")));
    let put = reply(admin(reqwest::Method::PUT, "/v1/sites/_shoreline", own)).await;
    assert_eq!((put.status, &put.body["field"]), (400, &json!("siteId")));
    let keys = admin(
        reqwest::Method::POST,
        "/v1/sites/_shoreline/keys",
        json!({"kind": "read"}),
    );
    assert_eq!(reply(keys).await.status, 404);
    for key in ["slr", "sls", "slb"] {
        let key = format!("{key}__shoreline_aaaaaaaaaaaaaaaaaaaaaaaaaa");
        for path in ["/v1/analytics/operations", "/v1/analytics/events/recent"] {
            assert_eq!(reply(get(&site, path, &key)).await.status, 401);
        }
    }
    // A service may have events of the same names: they are its site's, and count nowhere as Shoreline's calls.
    let before = site.get("/v1/analytics/operations").await["total"].clone();
    let event =
        json!({"eventType": "INGEST_ANALYTICS", "source": "s", "payload": {"calls": 900_000}});
    let answer = reply(site.ingest().body(event.to_string())).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    site.settle().await;
    let after = site.get("/v1/analytics/operations").await["total"].clone();
    let calls = |total: &Value| total["calls"].as_i64().unwrap();
    assert!(calls(&after) < calls(&before) + 900_000, "{after}");
}

#[tokio::test]
async fn every_answer_has_a_name_and_continues_a_good_trace_alone() {
    let site = shared().new_site().await;
    let long = format!("{}-{}", traceparent(), "x".repeat(6_000));
    let mut names = BTreeSet::new();
    for (sent, continued) in [
        (Some(traceparent()), true),
        (Some(traceparent().replacen("00", "cc", 1)), true),
        (None, false),
        (Some(String::new()), false),
        (Some(traceparent().to_uppercase()), false),
        (Some(traceparent().replacen("00", "ff", 1)), false),
        (Some(format!("{0}, {0}", traceparent())), false),
        (Some(traceparent().replace(TRACE, &"0".repeat(32))), false),
        (Some("00-<script>-x-01".into()), false),
        (Some(long), false),
    ] {
        for path in ["/v1/analytics/live", "/health", "/nowhere", "/v1/events"] {
            let mut request = get(&site, path, &site.read_token);
            if let Some(sent) = &sent {
                request = request.header("traceparent", sent);
            }
            let answer = request.send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{path} {sent:?}");
            let id = header(&answer, "x-request-id").to_owned();
            assert_eq!(id.len(), 36, "{id}");
            assert!(names.insert(id), "a name came twice");
            let trace = header(&answer, "traceparent");
            let fields: Vec<&str> = trace.split('-').collect();
            assert_eq!(trace.len(), 55, "{trace}");
            assert_eq!(fields[1] == TRACE, continued, "{sent:?}: {trace}");
            assert_ne!(fields[2], "00f067aa0ba902b7", "the span is our own");
            // It answers any page, or, where pages send events, the page that asks.
            if path != "/v1/events" {
                let exposed = header(&answer, "access-control-expose-headers");
                assert!(exposed.contains("X-Request-Id"));
            }
        }
    }
    // A name of the caller's is not taken.
    let named = get(&site, "/health", &site.read_token).header("x-request-id", "evil");
    assert_ne!(header(&named.send().await.unwrap(), "x-request-id"), "evil");
    let page = site.post().body("{").send().await.unwrap();
    assert!(header(&page, "access-control-expose-headers").contains("X-Request-Id"));
}

#[tokio::test]
async fn who_sends_events_is_told_a_name_where_it_is_of_use() {
    let site = shared().new_site().await;
    let good = |n: usize| {
        let event = json!({
            "eventType": "page_view", "userId": format!("u{n}"), "sessionId": "s",
            "eventData": {"path": "/"}, "metadata": {"platform": "web"},
        });
        json!({"events": [event]}).to_string()
    };
    let named = async |request: reqwest::RequestBuilder, status: u16| {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        let has = |name| answer.headers().contains_key(name);
        assert_eq!(has("x-request-id"), has("traceparent"));
        has("traceparent").then(|| header(&answer, "traceparent").to_owned())
    };
    assert_eq!(named(site.post().body(good(1)), 202).await, None);
    let traced = site.post().header("traceparent", traceparent());
    let told = named(traced.body(good(2)), 202).await.unwrap();
    assert!(told.contains(TRACE), "{told}");
    assert!(named(site.post().body("{"), 400).await.is_some());
    assert!(named(site.ingest().body("[]"), 422).await.is_some());
}

#[tokio::test]
async fn a_call_has_one_line_in_the_log_and_what_goes_wrong_in_it_has_its_name() {
    let system = System::start_with(&StateDir::new(), "REQUEST_LOGS:all");
    let site = system.demo();
    let read = |path: &str| get(&site, path, &site.read_token).header("traceparent", traceparent());
    let path = format!("/v1/analytics/users/{SECRET}/events?cursor={SECRET}");
    let bad = read(&path).send().await.unwrap();
    assert_eq!(bad.status(), 400);
    let bad = header(&bad, "x-request-id").to_owned();
    let cut = site.post().header("referer", SECRET);
    let cut = cut.body(format!("{{\"{SECRET}\"")).send().await.unwrap();
    assert_eq!(cut.status(), 400);
    let cut = header(&cut, "x-request-id").to_owned();
    let d1 = database(&site.state);
    d1.execute_batch("ALTER TABLE minute_counts RENAME TO away")
        .unwrap();
    let broken = read("/v1/analytics/metrics/summary").send().await.unwrap();
    assert_eq!(broken.status(), 503);
    let broken = header(&broken, "x-request-id").to_owned();
    d1.execute_batch("ALTER TABLE away RENAME TO minute_counts")
        .unwrap();

    let of = |id: &str, at: &str| -> Vec<Value> {
        let lines = log_lines(&site.state).into_iter();
        lines
            .filter(|line| line["requestId"] == id && line["at"] == at)
            .collect()
    };
    eventually("the calls have their lines", async || {
        let all = [&bad, &cut, &broken];
        all.iter()
            .all(|id| of(id, "request").len() == 1)
            .then_some(())
    })
    .await;
    let line = of(&bad, "request").remove(0);
    assert_eq!(line["level"], "info");
    assert_eq!(line["route"], "/v1/analytics/users/{userId}/events");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["status"], 400);
    assert_eq!(line["code"], "invalid_parameter");
    assert_eq!(line["traceId"], TRACE);
    assert_eq!(line["site"], "demo");
    assert!(line["durationMs"].is_u64());
    let line = of(&broken, "request").remove(0);
    assert_eq!(
        (&line["level"], &line["code"]),
        (&json!("error"), &json!("unavailable"))
    );
    let cause = of(&broken, "d1").remove(0);
    assert_eq!(cause["traceId"], TRACE);
    assert!(cause["message"].as_str().unwrap().contains("minute_counts"));
    for line in log_lines(&site.state) {
        let line = line.to_string();
        for secret in [SECRET, site.read_token.as_str()] {
            assert!(!line.contains(secret), "{secret} is in {line}");
        }
    }

    let (n, errors) = eventually("the calls are counted", async || {
        let found = calls(&site, "summary").await;
        (found.0 > 0).then_some(found)
    })
    .await;
    assert_eq!((n, errors), (1, 1));
    let answer = site.get("/v1/analytics/operations").await;
    assert_eq!(answer["actions"]["summary"]["serverErrors"], 1);
}

#[tokio::test]
async fn events_can_be_switched_off_and_a_call_that_went_well_has_no_line() {
    let system = System::start_with(&StateDir::new(), "OPERATION_EVENTS:off");
    let site = system.demo();
    // Twice the time until an event would have been committed, and more: the lake's seal takes five
    // seconds.
    for _ in 0..2 {
        site.send_ok(&batch(&[view("/", "u")])).await;
        site.settle().await;
    }
    assert!(!page(&site).await.contains("shoreline_requests_total{"));
    let objects = lake::pull(site.state.path());
    assert!(lake::events_of(&objects, "_shoreline").is_empty());
    assert_eq!(lake::events_of(&objects, "demo").len(), 2);
    let lines = log_lines(&site.state);
    assert!(
        lines.iter().all(|line| line["at"] != "request"),
        "{lines:?}"
    );
}
