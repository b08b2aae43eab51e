//! What services send beside their events: operations, tenants, identities, what is refused, history; and what is told
//! when the deployment is in trouble.

use reqwest::Client;
use rusqlite::TransactionBehavior;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::webhook::Webhook;

use crate::d1::database;
use crate::folds::cron;

/// Now, so far back, RFC 3339 to the second.
fn ago(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let at = i64::try_from(now.unwrap().as_secs()).unwrap() - seconds;
    chrono::DateTime::from_timestamp(at, 0)
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// An analytics event of seed 001, as its document has it.
fn analytics(action: &str, duration: i64, error: Option<&str>) -> Value {
    let mut metadata = json!({"source": "nextjs", "traceId": "1-5759e988", "duration": duration,
        "status": if error.is_some() { "FAILURE" } else { "SUCCESS" }, "eventCategory": "QUERY",
        "properties": {"functionName": "f", "functionVersion": "1", "memoryLimitInMB": 128, "remainingTime": 900}});
    if let Some(error) = error {
        metadata["errorType"] = json!(error);
    }
    json!({"eventType": "QUERY_PROFILE_ANALYTICS", "source": "profile-service", "requestId": "c6af9ac6",
        "detail": {"action": action, "type": "QUERY_PROFILE", "timestamp": ago(5), "userId": "u-1", "metadata": metadata}})
}

async fn ingest(site: &Site, items: &Value) -> Value {
    let answer = reply(site.ingest().body(items.to_string())).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

async fn ask(site: &Site, question: &Value) -> Value {
    let call = Client::new()
        .post(format!("{}/v1/analytics/query", site.url))
        .bearer_auth(&site.read_token);
    let answer = reply(call.json(question)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["rows"].clone()
}

#[tokio::test]
async fn services_operations_are_figures_by_service_and_action() {
    let site = shared().new_site().await;
    let mut items: Vec<Value> = (1..=9).map(|n| analytics("READ", n * 10, None)).collect();
    items.push(analytics("READ", 500, Some("TimeoutError")));
    let bus = analytics("WRITE", 7, None);
    items.push(
        json!({"version": "0", "id": "bus-1", "detail-type": "QUERY_PROFILE_ANALYTICS",
        "source": "profile-service", "time": ago(5), "detail": bus["detail"]}),
    );
    assert_eq!(ingest(&site, &items.into()).await["accepted"], 11);
    site.settle().await;
    let rows = ask(
        &site,
        &json!({"metrics": ["events", "users", "errorRate", "p50(duration)", "p95(duration)"],
            "dimensions": ["source", "action", "category"], "filters": ["exists", "category"], "range": "24h",
            "orderBy": [["events", "desc"]]}),
    )
    .await;
    assert_eq!(
        rows,
        json!([
            {"dimensions": ["profile-service", "READ", "QUERY"], "metrics": [10, 1, 0.1, 50, 500]},
            {"dimensions": ["profile-service", "WRITE", "QUERY"], "metrics": [1, 1, 0, 7, 7]},
        ])
    );
    let classes = json!({"metrics": ["events"], "dimensions": ["errorType"], "filters": ["exists", "errorType"], "range": "24h"});
    assert_eq!(
        ask(&site, &classes).await,
        json!([{"dimensions": ["TimeoutError"], "metrics": [1]}])
    );
    let stored = site.stored().await;
    assert!(
        stored
            .iter()
            .all(|event| event["siteId"] == site.id.as_str() && event["userId"] == "u-1")
    );
}

#[tokio::test]
async fn a_tenants_events_are_asked_for_by_day_source_and_tenant() {
    let site = shared().new_site().await;
    let item = |tenant: &str, source: &str, seconds: i64| json!({"eventType": "a.b", "source": source, "tenantId": tenant, "occurredAt": ago(seconds), "payload": {}});
    let items = json!([
        item("t1", "s1", 10),
        item("t1", "s2", 10),
        item("t2", "s1", 3 * 86_400)
    ]);
    ingest(&site, &items).await;
    site.settle().await;
    let found = async |query: &str| {
        let path = format!("/v1/analytics/events/recent?{query}");
        site.get(&path).await["events"].as_array().unwrap().len()
    };
    assert_eq!(found("tenantId=t1").await, 2);
    assert_eq!(found("tenantId=t1&source=s2").await, 1);
    assert_eq!(found("source=s1").await, 2);
    let yesterday = &ago(86_400)[..10];
    assert_eq!(found(&format!("startDate={yesterday}")).await, 2);
    assert_eq!(found(&format!("endDate={yesterday}")).await, 1);
    let unknown = site.read("/v1/analytics/events/recent?tenant=t1").await;
    assert_eq!(
        (unknown.status, &unknown.body["field"]),
        (400, &json!("tenant"))
    );
    let by = site
        .get("/v1/analytics/metrics/breakdown?by=tenantId")
        .await;
    let keys: Vec<&Value> = by["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["key"])
        .collect();
    assert_eq!(keys, ["t1", "t2"]);
    let question = json!({"metrics": ["events"], "dimensions": ["tenantId"], "filters": ["is", "tenantId", ["t2"]], "range": "7d"});
    assert_eq!(
        ask(&site, &question).await,
        json!([{"dimensions": ["t2"], "metrics": [1]}])
    );
}

#[tokio::test]
async fn a_redelivery_that_names_itself_in_its_payload_counts_once() {
    let site = shared().new_site().await;
    let item =
        |id: Value| json!({"eventType": "a.b", "source": "s", "payload": {"eventId": id, "n": 1}});
    let uuid = shoreline_tests::events::uuid();
    for _ in 0..2 {
        for id in [json!("order-7"), json!(7), json!(uuid)] {
            ingest(&site, &item(id)).await;
        }
    }
    // The name is one of its source and type.
    ingest(
        &site,
        &json!({"eventType": "a.c", "source": "s", "payload": {"eventId": "order-7"}}),
    )
    .await;
    site.settle().await;
    let stored = site.stored_ids().await;
    assert_eq!(stored.len(), 4);
    assert!(stored.contains(&uuid));
    eventually("the duplicates are taken back", async || {
        (site.live_count("a.b").await == 3).then_some(())
    })
    .await;
}

async fn dead_letters(site: &Site, query: &str) -> Vec<Value> {
    let url = format!("{}/v1/dead-letters?siteId={}{query}", site.url, site.id);
    let answer = reply(Client::new().get(url).bearer_auth(&site.admin_token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["deadLetters"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_a_service_sends_and_is_refused_is_listed_and_replayed() {
    let site = shared().new_site().await;
    let items = json!([
        {"eventType": "a.b", "source": "s", "payload": {}},
        {"eventType": "a.b", "payload": {"mail": "bob@x.example"}},
        {"what": "is this"},
        {"source": "s", "payload": {}},
    ]);
    let answer = ingest(&site, &items).await;
    assert_eq!(answer["results"][2]["code"], "missing_field");
    assert_eq!(answer["results"][2]["field"], "eventType");
    let found = eventually("what was refused is listed", async || {
        let found = dead_letters(&site, "").await;
        (found.len() == 3).then_some(found)
    })
    .await;
    let mut told: Vec<(&str, &str)> = found
        .iter()
        .map(|one| {
            (
                one["code"].as_str().unwrap(),
                one["detail"].as_str().unwrap(),
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("rejected", "missing_field eventType"),
            ("rejected", "missing_field source"),
            ("unknown_shape", "unknown_shape"),
        ]
    );
    assert_eq!(dead_letters(&site, "&code=unknown_shape").await.len(), 1);
    // They were never received.
    assert_eq!(
        site.get("/v1/analytics/reconciliation").await["closed"],
        true
    );
    let replay = Client::new()
        .post(format!("{}/v1/dead-letters/replay", site.url))
        .bearer_auth(&site.admin_token)
        .json(&json!({"siteId": site.id}));
    let replayed = reply(replay).await;
    assert_eq!(
        replayed.body,
        json!({"replayed": 0, "missing": 0, "refused": 3, "more": false})
    );
    assert!(
        dead_letters(&site, "")
            .await
            .iter()
            .all(|one| one["tries"] == 2)
    );
}

#[tokio::test]
async fn history_is_taken_counts_on_its_day_and_is_not_live() {
    let site = shared().new_site().await;
    let item = json!({"eventType": "order.placed", "source": "s", "occurredAt": "2019-03-04T05:06:07Z", "payload": {}});
    assert_eq!(ingest(&site, &item).await["accepted"], 1);
    site.settle().await;
    let day = "/v1/analytics/metrics/products?startDate=2019-03-04&endDate=2019-03-04";
    assert_eq!(site.get(day).await["total"], 1);
    assert_eq!(site.live_count("order.placed").await, 0);
    assert_eq!(
        site.get("/v1/analytics/reconciliation").await["closed"],
        true
    );
}

#[tokio::test]
async fn a_d1_that_takes_no_write_is_told_and_so_is_its_end() {
    let webhook = Webhook::start().await;
    let settings = format!("ALERT_WEBHOOK_URL:{}", webhook.url);
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    site.send_ok(&batch(&[view("/", "u")])).await;
    site.settle().await;
    cron(&site).await;
    assert_eq!(webhook.posts(), [json!(null); 0]);
    let mut connection = database(&site.state);
    let lock = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    cron(&site).await;
    let told = |kind: &str, over: bool| {
        let posts = webhook.posts();
        posts
            .iter()
            .filter(|post| post["kind"] == kind && post["over"] == over)
            .count()
    };
    assert_eq!((told("d1_writes", false), told("d1_writes", true)), (1, 0));
    // Once as long as it lasts; and it hushes nothing else.
    cron(&site).await;
    assert_eq!(told("d1_writes", false), 1);
    eventually("health is degraded", async || {
        (site.get("/health").await["services"]["d1"]["status"] == "degraded").then_some(())
    })
    .await;
    lock.rollback().unwrap();
    cron(&site).await;
    assert_eq!((told("d1_writes", false), told("d1_writes", true)), (1, 1));
    cron(&site).await;
    assert_eq!(told("d1_writes", true), 1);
    assert_eq!(told("cron_failed", false), told("cron_failed", true));
    eventually("health is well", async || {
        (site.get("/health").await["status"] == "healthy").then_some(())
    })
    .await;
    // Without its tables it is not.
    database(&site.state)
        .execute_batch("ALTER TABLE sites RENAME TO elsewhere")
        .unwrap();
    eventually("health is unhealthy", async || {
        let answer = reply(Client::new().get(format!("{}/health", site.url))).await;
        (answer.status == 503 && answer.body["status"] == "unhealthy").then_some(())
    })
    .await;
}
