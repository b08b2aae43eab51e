//! Metrics, questions, one user's data, and the cron that keeps them true.

use crate::d1::database;
use crate::folds::{cron, fold};
use reqwest::Method;
use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, feature, uuid, view};
use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{StateDir, System, shared};

const DAY_MS: i64 = 86_400_000;

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}

/// The middle of the day `days` before today, and its date, by the stored events' own clock.
fn noon(days: i64) -> (i64, String) {
    let day = now() / DAY_MS - days;
    (
        day * DAY_MS + DAY_MS / 2,
        shoreline_worker::base::time::date(day),
    )
}

fn at(mut event: Value, session: &str, timestamp: i64) -> Value {
    event["sessionId"] = session.into();
    event["timestamp"] = timestamp.into();
    event
}

fn event(event_type: &str, user: &str, data: Value) -> Value {
    json!({
        "eventId": uuid(), "eventType": event_type, "userId": user, "sessionId": "s",
        "eventData": data, "metadata": {"platform": "web"},
    })
}

/// Two days of two users: Ann was there on both, Bob on the second.
async fn visits(site: &Site) -> (String, String) {
    let ((before, first), (yesterday, last)) = (noon(2), noon(1));
    let events = [
        at(view("/a", "ann"), "s1", before),
        at(feature("search", "ann"), "s1", before + 60_000),
        at(view("/a", "ann"), "s2", yesterday),
        at(view("/b", "ann"), "s2", yesterday + 30_000),
        at(view("/b", "bob"), "s3", yesterday),
        at(feature("search", "bob"), "s3", yesterday + 10_000),
        at(
            event(
                "ai_request",
                "bob",
                json!({"model": "m", "tokens": 10, "cost": 0.1}),
            ),
            "s3",
            yesterday + 10_000,
        ),
        at(
            event(
                "ai_request",
                "bob",
                json!({"model": "m", "tokens": 5, "cost": "0.2"}),
            ),
            "s3",
            yesterday + 20_000,
        ),
        at(
            event("content_create", "bob", json!({"contentType": "post"})),
            "s3",
            yesterday + 90_000,
        ),
    ];
    site.send_ok(&batch(&events)).await;
    // Again in other batches, one by one: counted once all the same.
    for event in &events {
        site.send_ok(&batch(std::slice::from_ref(event))).await;
    }
    site.settle().await;
    (first, last)
}

fn metrics(name: &str, range: &(String, String)) -> String {
    format!(
        "/v1/analytics/metrics/{name}startDate={}&endDate={}",
        range.0, range.1
    )
}

#[tokio::test]
async fn metrics_count_each_event_once_on_its_own_day() {
    let site = shared().new_site().await;
    let range = visits(&site).await;
    let platform = site.get(&metrics("platform?", &range)).await;
    let figures = |figures: &Value| {
        [
            "activeUsers",
            "totalUsers",
            "newSignups24h",
            "dailyActiveUsers",
            "weeklyActiveUsers",
            "sessions",
            "averageSessionDuration",
        ]
        .map(|name| figures[name].as_i64().unwrap())
    };
    assert_eq!(figures(&platform), [2, 2, 1, 2, 2, 3, 60_000]);
    assert_eq!(figures(&platform["days"][0]), [1, 1, 1, 1, 1, 1, 60_000]);
    assert_eq!(figures(&platform["days"][1]), [2, 2, 1, 2, 2, 2, 60_000]);
    assert_eq!(platform["featureUsage"], json!({"search": 2}));
    assert_eq!(
        platform["contentCreated"],
        json!({"total": 1, "byType": {"post": 1}})
    );
    assert_eq!(
        platform["aiUsage"],
        json!({"totalRequests": 2, "totalTokens": 15, "totalCost": 0.3})
    );
    let engagement = site.get(&metrics("engagement?", &range)).await;
    assert_eq!(
        (
            &engagement["dau"],
            &engagement["mau"],
            &engagement["stickiness"]
        ),
        (&json!(2), &json!(2), &json!(1.0))
    );
    let features = site.get(&metrics("features?", &range)).await;
    assert_eq!(
        features["features"],
        json!([{"feature": "search", "uses": 2, "users": 2, "averageDuration": 13}])
    );
    let pages = site.get(&metrics("breakdown?by=page&", &range)).await;
    assert_eq!(
        pages["rows"],
        json!([{"key": "/a", "events": 2, "users": 1, "share": 0.5}, {"key": "/b", "events": 2, "users": 2, "share": 0.5}])
    );
    let sources = site.get(&metrics("breakdown?by=source&", &range)).await;
    assert_eq!(sources["rows"][0]["events"], 9);
    assert_eq!(site.get(&metrics("products?", &range)).await["total"], 0);
    // Another site sees nothing of it.
    let other = shared().new_site().await;
    assert_eq!(
        other.get(&metrics("platform?", &range)).await["totalUsers"],
        0
    );
    assert_eq!(
        other.get(&metrics("breakdown?by=page&", &range)).await["rows"],
        json!([])
    );
}

#[tokio::test]
async fn finished_days_may_be_kept_and_tables_are_csv_too() {
    let site = shared().new_site().await;
    let range = visits(&site).await;
    let ask = async |path: &str, known: Option<&str>| {
        let mut request = shoreline_tests::client()
            .get(format!("{}{path}", site.url))
            .bearer_auth(&site.read_token);
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        let answer = request.sent().await.unwrap();
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let timing = header("server-timing").unwrap_or_default();
        let read = timing
            .split_once("rows_read=")
            .map(|(_, n)| n.trim_end_matches('"').parse::<i64>().unwrap());
        // Nine events: the sums of a few users and days, and nothing that others did. (Vitals ask no D1.)
        assert!(
            path.contains("vitals") || read.is_some_and(|n| n < 200),
            "{path} {timing}"
        );
        let (etag, cache, kind) = (
            header("etag"),
            header("cache-control"),
            header("content-type"),
        );
        (
            answer.status().as_u16(),
            etag,
            cache,
            kind,
            answer.text().await.unwrap(),
        )
    };
    for name in [
        "platform?",
        "engagement?",
        "features?",
        "products?",
        "breakdown?by=page&",
        "vitals?",
    ] {
        let path = metrics(name, &range);
        let (status, etag, cache, _, body) = ask(&path, None).await;
        assert_eq!(
            (status, cache.as_deref()),
            (200, Some("private, max-age=300")),
            "{name}"
        );
        let again = ask(&path, etag.as_deref()).await;
        assert_eq!(
            (again.0, again.1, again.4.as_str()),
            (304, etag, ""),
            "{name}"
        );
        let (status, _, _, kind, csv) = ask(&format!("{path}&format=csv"), None).await;
        assert_eq!(
            (status, kind.as_deref()),
            (200, Some("text/csv; charset=utf-8")),
            "{name}"
        );
        assert_ne!(csv, body);
        assert!(csv.contains("\r\n"), "{name}: {csv}");
    }
    let (_, etag, cache, _, _) = ask("/v1/analytics/metrics/platform", None).await;
    assert_eq!(cache.as_deref(), Some("private, no-cache"));
    assert!(etag.is_some());
}

#[tokio::test]
async fn questions_are_answered_from_the_stored_events() {
    let site = shared().new_site().await;
    let (start, end) = visits(&site).await;
    let ask = async |what: &str, mut body: Value| {
        body["startDate"] = start.clone().into();
        body["endDate"] = end.clone().into();
        let url = format!("{}/v1/analytics/query/{what}", site.url);
        let answer = reply(
            shoreline_tests::client()
                .post(url)
                .bearer_auth(&site.read_token)
                .json(&body),
        )
        .await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        answer.body
    };
    let steps = json!([{"eventType": "page_view", "page": "/b"}, {"eventType": "feature_use", "feature": "search"}, {"eventType": "content_create"}]);
    let funnel = ask("funnel", json!({"steps": steps})).await;
    let users: Vec<&Value> = funnel["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["users"])
        .collect();
    assert_eq!(users, [2, 1, 1]);
    let retention = ask("retention", json!({"periods": 1})).await;
    let cohorts = retention["cohorts"].as_array().unwrap();
    assert_eq!(
        (&cohorts[0]["users"], &cohorts[0]["retained"]),
        (&json!(1), &json!([1, 1]))
    );
    assert_eq!(
        (&cohorts[1]["users"], &cohorts[1]["retained"]),
        (&json!(1), &json!([1, 0]))
    );
    let journeys = ask("journeys", json!({})).await;
    let mut paths: Vec<String> = journeys["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path["steps"].to_string())
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            r#"[["page","/a"],["feature","search"]]"#,
            r#"[["page","/a"],["page","/b"]]"#,
            r#"[["page","/b"],["feature","search"]]"#
        ]
    );
}

#[tokio::test]
async fn bad_parameters_are_named_and_paths_need_their_token() {
    let site = shared().new_site().await;
    for (path, name) in [
        ("platform?startDate=2024-02-30", "startDate"),
        ("platform?endDate=%27%3B--", "endDate"),
        (
            "platform?startDate=2023-01-01&endDate=2024-06-01",
            "startDate",
        ),
        (
            "products?startDate=2024-01-01&endDate=2024-03-01",
            "startDate",
        ),
        ("breakdown", "by"),
        ("breakdown?by=page&limit=0", "limit"),
        ("breakdown?by=page&cursor=x", "cursor"),
        ("features?format=xlsx", "format"),
    ] {
        let answer = site.read(&format!("/v1/analytics/metrics/{path}")).await;
        assert_eq!(
            (answer.status, &answer.body["code"], &answer.body["field"]),
            (400, &json!("invalid_parameter"), &json!(name)),
            "{path}"
        );
    }
    assert_eq!(site.read("/v1/analytics/metrics/nothing").await.status, 404);
    let call = async |method: Method, path: &str, token: &str| {
        let request = shoreline_tests::client()
            .request(method, format!("{}{path}", site.url))
            .bearer_auth(token)
            .body("{}");
        reply(request).await
    };
    let funnel = "/v1/analytics/query/funnel";
    let answer = call(Method::POST, funnel, &site.read_token).await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (400, &json!("steps"))
    );
    assert_eq!(
        call(Method::GET, funnel, &site.read_token).await.status,
        405
    );
    assert_eq!(
        call(
            Method::POST,
            "/v1/analytics/query/nothing",
            &site.read_token
        )
        .await
        .status,
        404
    );
    let user = format!("/v1/analytics/users/ann?siteId={}", site.id);
    let export = format!("/v1/analytics/users/ann/export?siteId={}", site.id);
    for (method, path) in [
        (Method::GET, "/v1/analytics/metrics/platform"),
        (Method::POST, funnel),
        (Method::GET, "/v1/analytics/users/ann/events"),
        (Method::GET, &export),
        (Method::DELETE, &user),
    ] {
        for token in ["x", site.browser_key.as_str()] {
            let status = call(method.clone(), path, token).await.status;
            assert!(status == 401 || status == 403, "{path}: {status}");
        }
    }
    for (method, path) in [(Method::GET, &export), (Method::DELETE, &user)] {
        assert_eq!(
            call(method, path, &site.read_token).await.status,
            401,
            "{path}"
        );
    }
    let admin = &shared().keys().admin_token;
    let answer = call(Method::DELETE, "/v1/analytics/users/ann", admin).await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (400, &json!("siteId"))
    );
}

#[tokio::test]
async fn an_erased_user_is_nowhere_and_no_count_changes() {
    let site = shared().new_site().await;
    let range = visits(&site).await;
    let counts = async || {
        let mut counts = Vec::new();
        for name in [
            "platform?",
            "engagement?",
            "features?",
            "breakdown?by=page&",
            "breakdown?by=source&",
        ] {
            counts.push(site.get(&metrics(name, &range)).await);
        }
        counts
    };
    let before = counts().await;
    let admin = async |method: Method, path: &str| {
        let url = format!("{}/v1/analytics/users/{path}siteId={}", site.url, site.id);
        reply(
            shoreline_tests::client()
                .request(method, url)
                .bearer_auth(&shared().keys().admin_token),
        )
        .await
    };
    let export = admin(Method::GET, "ann/export?").await;
    assert_eq!(
        (export.status, &export.body["userId"]),
        (200, &json!("ann"))
    );
    assert_eq!(export.body["events"].as_array().unwrap().len(), 4);
    assert_eq!(
        export.body["profile"]["activeDays"],
        json!([range.0, range.1])
    );
    let events = "/v1/analytics/users/ann/events";
    assert_eq!(
        site.get(&format!("{events}?limit=3")).await["events"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for erased in [4, 0] {
        let answer = admin(Method::DELETE, "ann?").await;
        assert_eq!(
            (answer.status, &answer.body),
            (200, &json!({"events": erased, "complete": true}))
        );
    }
    assert_eq!(site.get(events).await["events"], json!([]));
    let stored = site.stored().await;
    assert_eq!(stored.len(), 9);
    assert!(
        stored
            .iter()
            .all(|event| !event.to_string().contains("ann"))
    );
    let nameless: Vec<&Value> = stored
        .iter()
        .filter(|event| event["userId"].as_str().unwrap().starts_with("erased-"))
        .collect();
    assert_eq!(nameless.len(), 4);
    assert!(
        nameless
            .iter()
            .all(|event| event["eventData"] == json!({}) && event["metadata"] == json!({}))
    );
    assert_eq!(counts().await, before);
}

#[tokio::test]
async fn the_cron_mends_what_differs_and_forgets_what_is_old() {
    let system = System::start_with(&StateDir::new(), "RETENTION_DAYS:3");
    let site = system.demo();
    let ((yesterday, date), (before, _)) = (noon(1), noon(2));
    let sent = [
        at(view("/a", "ann"), "s1", yesterday),
        at(view("/b", "bob"), "s2", yesterday + 1),
        at(view("/c", "eve"), "s3", before),
    ];
    // By itself, so that it is in a segment of its own.
    site.send_ok(&batch(&sent[2..])).await;
    site.settle().await;
    site.send_ok(&batch(&sent[..2])).await;
    site.settle().await;
    let path = format!("/v1/analytics/metrics/platform?startDate={date}&endDate={date}");
    let pages = format!("/v1/analytics/metrics/breakdown?by=page&startDate={date}&endDate={date}");
    let database = database(&site.state);
    let days = || {
        let days = "SELECT count(*) FROM user_days";
        database.query_row(days, [], |row| row.get::<_, i64>(0))
    };
    let looked = (site.get(&path).await, site.get(&pages).await);
    assert_eq!(days(), Ok(0), "a read wrote to D1");
    fold(&site).await;
    assert_ne!(days(), Ok(0));
    let right = (site.get(&path).await, site.get(&pages).await);
    assert_eq!(looked, right);
    assert_eq!(right.0["dailyActiveUsers"], 2);
    let day = now() / DAY_MS - 1;
    database
        .execute_batch(&format!(
            "UPDATE breakdowns SET events = 40 WHERE dim = 'page' AND key = '/a';
             DELETE FROM member_gaps WHERE dim = 'user' AND day = {day};
             UPDATE jobs SET done_for = 0, cursor = '' WHERE job = 'recount';"
        ))
        .unwrap();
    assert_ne!((site.get(&path).await, site.get(&pages).await), right);
    let keep = async |days: Value| {
        let site_settings =
            json!({"siteId": "demo", "origins": [site.origin], "retentionDays": days});
        let call = shoreline_tests::client()
            .put(format!("{}/v1/sites/demo", site.url))
            .bearer_auth(&site.admin_token);
        assert_eq!(reply(call.json(&site_settings)).await.status, 200);
    };
    keep(json!(1)).await;
    cron(&site).await;
    eventually("the recount and the pruning are done", async || {
        let mended = (site.get(&path).await, site.get(&pages).await) == right;
        (mended && site.stored().await.len() == 2).then_some(())
    })
    .await;
    let repairs: i64 = database
        .query_row(
            "SELECT count(*) FROM repairs WHERE model IN ('page', 'user gaps')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(repairs >= 2);
    // Rollups stay, and so does the memory of what was seen.
    let (_, date) = noon(2);
    let old = format!("/v1/analytics/metrics/platform?startDate={date}&endDate={date}");
    assert_eq!(site.get(&old).await["dailyActiveUsers"], 1);
    keep(Value::Null).await;
    site.send_ok(&batch(&[sent[2].clone()])).await;
    site.settle().await;
    assert_eq!(site.stored().await.len(), 2);
}

#[tokio::test]
async fn web_vitals_are_told_by_name_and_page() {
    let site = shared().new_site().await;
    let (yesterday, date) = noon(1);
    let vital = |name: &str, value: f64, page: &str| {
        let data =
            json!({"name": name, "value": value, "url": format!("https://a.example{page}?x=1")});
        at(event("web_vital", "u", data), "s", yesterday)
    };
    let mut events: Vec<Value> = (1..=20)
        .map(|n| {
            vital(
                "LCP",
                f64::from(n) * 250.0,
                if n > 18 { "/slow" } else { "/" },
            )
        })
        .collect();
    events.extend([vital("CLS", 0.25, "/"), vital("CLS", 0.05, "/")]);
    events.push(at(
        event("web_vital", "u", json!({"name": "X", "value": 1})),
        "s",
        yesterday,
    ));
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let range = (date.clone(), date);
    let vitals = site.get(&metrics("vitals?", &range)).await;
    assert_eq!(
        vitals["vitals"],
        json!([
            {"name": "LCP", "count": 20, "p50": 2500.0, "p75": 3750.0, "p95": 4750.0,
             "good": 10, "needsImprovement": 6, "poor": 4},
            {"name": "CLS", "count": 2, "p50": 0.05, "p75": 0.25, "p95": 0.25,
             "good": 1, "needsImprovement": 1, "poor": 0},
        ])
    );
    let slow = site.get(&metrics("vitals?page=/slow&", &range)).await;
    assert_eq!(slow["vitals"][0]["count"], 2);
    let other = shared().new_site().await;
    assert_eq!(
        other.get(&metrics("vitals?", &range)).await["vitals"],
        json!([])
    );
    // It is no view, and nobody's measurement goes with them.
    assert_eq!(
        site.get(&metrics("breakdown?by=page&", &range)).await["total"],
        0
    );
    let url = format!("{}/v1/analytics/users/u?siteId={}", site.url, site.id);
    let erase = shoreline_tests::client()
        .delete(url)
        .bearer_auth(&site.admin_token);
    assert_eq!(reply(erase).await.body["complete"], true);
    assert_eq!(site.get(&metrics("vitals?", &range)).await, vitals);
    let of_page = site.get(&metrics("vitals?page=/slow&", &range)).await;
    assert_eq!(of_page["vitals"], json!([]));
}
