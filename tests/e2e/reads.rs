//! The dashboard API: tokens, parameters, paging, health.

use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::system::shared;

#[tokio::test]
async fn reading_needs_a_read_token() {
    let system = shared();
    for path in [
        "/v1/analytics/live",
        "/v1/analytics/events/recent",
        "/v1/analytics/metrics/summary",
    ] {
        for token in [None, Some("x"), Some("slr_demo_aaaaaaaaaaaaaaaaaaaaaaaaaa")] {
            let mut request = shoreline_tests::client().get(system.at(path));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.sent().await.unwrap();
            assert_eq!(answer.status(), 401, "{path} {token:?}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], "unknown_key");
        }
    }
}

#[tokio::test]
async fn recent_events_are_paged_and_filtered() {
    let site = shared().new_site().await;
    for n in 0..7 {
        let events = [view(&format!("/{n}"), "ann"), feature("f", "bob")];
        site.send_ok(&batch(&events)).await;
    }
    site.settle().await;
    let all = site.get("/v1/analytics/events/recent").await;
    let all = all["events"].as_array().unwrap();
    assert_eq!(all.len(), 14);
    let times: Vec<i64> = all
        .iter()
        .map(|e| e["receivedAt"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = site
            .get(&format!("/v1/analytics/events/recent?limit=4{cursor}"))
            .await;
        paged.extend(page["events"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, all);
    for (filter, field, value, n) in [
        ("eventType=feature_use", "eventType", "feature_use", 7),
        ("userId=ann", "userId", "ann", 7),
        ("userId=ann&eventType=page_view", "userId", "ann", 7),
        ("userId=ann&eventType=feature_use", "userId", "ann", 0),
        ("userId=nobody", "userId", "nobody", 0),
    ] {
        let page = site
            .get(&format!("/v1/analytics/events/recent?{filter}"))
            .await;
        let events = page["events"].as_array().unwrap();
        assert_eq!(events.len(), n, "{filter}");
        assert!(events.iter().all(|event| event[field] == value), "{filter}");
    }
}

#[tokio::test]
async fn the_summary_adds_up() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u"), view("/", "u"), feature("f", "u")]))
        .await;
    site.settle().await;
    for window in [1, 60, 1440, 10_080] {
        // A minute may pass between sending and asking: the smallest window that is sure is two.
        let window = if window == 1 { 2 } else { window };
        let path = format!("/v1/analytics/metrics/summary?windowMinutes={window}&groupBy=source");
        let summary = site.get(&path).await;
        assert_eq!(summary["total"], 3, "{window}");
        assert_eq!(summary["byType"], json!({"page_view": 2, "feature_use": 1}));
        assert_eq!(summary["bySource"], json!({"tracker": 3}));
        let sum: i64 = summary["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|bucket| bucket["byType"].as_object().unwrap().values())
            .map(|n| n.as_i64().unwrap())
            .sum();
        assert_eq!(sum, 3, "{window}");
    }
    assert!(
        site.get("/v1/analytics/metrics/summary")
            .await
            .get("bySource")
            .is_none()
    );
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let site = shared().new_site().await;
    for (path, name) in [
        ("events/recent?limit=0", "limit"),
        ("events/recent?limit=1000", "limit"),
        ("events/recent?cursor=%27", "cursor"),
        ("metrics/summary?windowMinutes=0", "windowMinutes"),
        ("metrics/summary?windowMinutes=1e9", "windowMinutes"),
        ("metrics/summary?groupBy=userId", "groupBy"),
        ("operations?windowMinutes=0", "windowMinutes"),
        ("operations?windowMinutes=10081", "windowMinutes"),
        ("operations?windowMinutes=%27%3B--", "windowMinutes"),
        ("operations?format=xml", "format"),
    ] {
        let reply = site.read(&format!("/v1/analytics/{path}")).await;
        assert_eq!(reply.status, 400, "{path}");
        assert_eq!(reply.body["code"], "invalid_parameter");
        assert_eq!(reply.body["field"], name);
    }
}

#[tokio::test]
async fn health_tells_everybody_the_status_and_the_token_the_rest() {
    let site = shared().new_site().await;
    let public: Value = shoreline_tests::client()
        .get(format!("{}/health", site.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(public, json!({"status": "healthy"}));
    site.send_ok(&batch(&[view("/", "u"), json!({})])).await;
    site.settle().await;
    let health = site.get("/health").await;
    let services = health["services"].as_object().unwrap();
    let names: Vec<&String> = services.keys().collect();
    assert_eq!(names, ["archive_do", "d1", "events_queue", "r2", "site_do"]);
    assert!(
        services
            .values()
            .all(|service| service["status"] == "healthy")
    );
    assert_eq!(health["metrics"]["totalEvents"], 1);
    assert_eq!(health["metrics"]["eventsByType"], json!({"page_view": 1}));
    assert_eq!(
        health["metrics"]["outcomes"],
        json!({"accepted": 1, "missing_field": 1})
    );
    assert_eq!(health["backlog"]["lake"]["landedEvents"], 1);
    assert!(health["databaseBytes"].as_u64().unwrap() > 0);
    let bad = shoreline_tests::client()
        .get(format!("{}/health", site.url))
        .bearer_auth("nonsense")
        .sent()
        .await
        .unwrap();
    assert_eq!(bad.status(), 401);
}

#[tokio::test]
async fn sites_and_keys_are_made_by_the_admin_alone_and_a_key_can_be_revoked() {
    let system = shared();
    let client = shoreline_tests::client();
    let admin = &system.keys().admin_token;
    let site = system.new_site().await;
    for token in ["x", site.read_token.as_str()] {
        let answer = client
            .get(system.at("/v1/sites"))
            .bearer_auth(token)
            .sent()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
    let post = async |path: String, body: Value| {
        let request = client.post(system.at(&path)).bearer_auth(admin).json(&body);
        shoreline_tests::site::reply(request).await
    };
    let again = post("/v1/sites".into(), json!({"siteId": site.id})).await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (409, &json!("already_exists"))
    );
    let bad = post("/v1/sites".into(), json!({"siteId": "Not An Id"})).await;
    assert_eq!((bad.status, &bad.body["field"]), (400, &json!("siteId")));
    let nowhere = post("/v1/sites/nowhere/keys".into(), json!({"kind": "read"})).await;
    assert_eq!(nowhere.status, 404);
    let made = post(
        format!("/v1/sites/{}/keys", site.id),
        json!({"kind": "read"}),
    )
    .await;
    assert_eq!(made.status, 201);
    let path = format!(
        "/v1/sites/{}/keys/{}",
        site.id,
        made.body["keyId"].as_str().unwrap()
    );
    for _ in 0..2 {
        let gone = client
            .delete(system.at(&path))
            .bearer_auth(admin)
            .sent()
            .await
            .unwrap();
        assert_eq!(gone.status(), 204);
    }
    // It was never used, so no isolate remembers it: it is refused at once.
    let answer = client
        .get(system.at("/v1/analytics/live"))
        .bearer_auth(made.body["key"].as_str().unwrap())
        .sent()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let sites: Value = client
        .get(system.at("/v1/sites"))
        .bearer_auth(admin)
        .sent()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let ids = sites["sites"].as_array().unwrap();
    assert!(ids.iter().any(|listed| listed["siteId"] == site.id));
}
