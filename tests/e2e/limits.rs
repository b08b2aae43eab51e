//! Who sends too much is told so and loses nothing; the ledger says how every event ended.

use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;

fn views(n: usize) -> Value {
    let events: Vec<Value> = (0..n).map(|n| view(&format!("/{n}"), "u")).collect();
    batch(&events)
}

/// The ledger of the last hours.
async fn totals(site: &Site) -> Value {
    site.get("/v1/analytics/outcomes?hours=2").await["totals"].clone()
}

#[tokio::test]
async fn a_visitor_who_sends_too_much_is_asked_to_wait_and_loses_nothing() {
    let site = shared()
        .new_site_with(&json!({"visitorPerMinute": 60}))
        .await;
    let taken = views(100);
    site.send_ok(&taken).await;
    let refused = views(1);
    let answer = site.post().body(refused.to_string()).sent().await.unwrap();
    assert_eq!(answer.status(), 429);
    let seconds: u32 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited");
    // Another visitor of the site is none the worse.
    let other = site
        .post()
        .header("user-agent", "Mozilla/5.0 (another)")
        .body(views(1).to_string());
    assert_eq!(reply(other).await.status, 202);
    // A service is bound by the quota alone.
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}});
    let service = site.ingest().body(command.to_string());
    assert_eq!(reply(service).await.status, 202);
    // Refusals are written now and then, with whatever request comes next.
    eventually("the refusal is in the ledger", async || {
        site.send(&json!({})).await;
        (totals(&site).await["rate_limited"].as_i64()? >= 1).then_some(())
    })
    .await;
    assert_eq!(totals(&site).await["accepted"], 102);
}

#[tokio::test]
async fn a_sites_quota_is_exact_whoever_sends_at_once() {
    let site = shared().new_site_with(&json!({"hourlyQuota": 50})).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let request = site
            .post()
            .header("user-agent", format!("Mozilla/5.0 ({n})"))
            .body(views(7).to_string());
        tasks.spawn(async { reply(request).await.status });
    }
    let sent = tasks.join_all().await;
    // At the turn of an hour there are two quotas.
    let taken = sent.iter().filter(|status| **status == 202).count();
    let refused = sent.iter().filter(|status| **status == 429).count();
    assert_eq!(taken + refused, 20);
    assert!(taken == 7 || taken == 14, "{taken}");
    assert_eq!(totals(&site).await["accepted"], 7 * taken);
    // The refused batch fits nobody's room any more; a smaller one may.
    site.settle().await;
    assert_eq!(site.stored().await.len(), 7 * taken);
}

#[tokio::test]
async fn bots_are_counted_and_left_out() {
    let site = shared().new_site().await;
    let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let request = site
        .post()
        .header("user-agent", bot)
        .body(views(3).to_string());
    let answer = reply(request).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.body["skipped"], 3);
    assert_eq!(answer.body["results"][0]["code"], "bot");
    site.send_ok(&views(2)).await;
    eventually("the bots are in the ledger", async || {
        (totals(&site).await["bot"] == 3).then_some(())
    })
    .await;
    site.settle().await;
    assert_eq!(site.stored().await.len(), 2);
    let wants = shared().new_site_with(&json!({"keepBots": true})).await;
    let request = wants
        .post()
        .header("user-agent", bot)
        .body(views(3).to_string());
    assert_eq!(reply(request).await.body["accepted"], 3);
}

#[tokio::test]
async fn the_ledgers_sums_are_what_was_sent() {
    let site = shared().new_site().await;
    let good = views(5);
    site.send_ok(&good).await;
    site.send_ok(&good).await;
    let mut mixed = views(3);
    mixed["events"][1] = json!({"eventType": "page_view"});
    mixed["dropped"] = json!(4);
    site.send_ok(&mixed).await;
    site.send(&json!({"events": [1, 2]})).await;
    let commands = json!([{"what": 1}, {"eventType": "a.b", "source": "s", "payload": {}}]);
    reply(site.ingest().body(commands.to_string())).await;
    let ledger = eventually("all is counted", async || {
        let ledger = site.get("/v1/analytics/outcomes").await;
        (ledger["received"] == 5 + 5 + 3 + 2 + 2).then_some(ledger)
    })
    .await;
    assert_eq!(
        ledger["totals"],
        json!({
            "accepted": 5 + 2 + 1, "duplicate": 5, "missing_field": 1, "wrong_type": 2,
            "unknown_shape": 1, "tracker_dropped": 4,
        })
    );
    let hours = ledger["hours"].as_array().unwrap();
    assert!((1..=2).contains(&hours.len()));
}

#[tokio::test]
async fn every_hours_sums_close_at_each_stage() {
    let site = shared().new_site().await;
    let sent = views(9);
    let closed = async || {
        let found = site.get("/v1/analytics/reconciliation?hours=2").await;
        assert_eq!(found["closed"], true, "{found}");
        found["hours"].clone()
    };
    site.send_ok(&sent).await;
    // While they are on their way, and when they are there.
    while !site.settled().await {
        closed().await;
    }
    // Events that come again in another batch move from received to duplicate.
    let mut again = sent.clone();
    again["batchId"] = Value::Null;
    site.send_ok(&again).await;
    site.settle().await;
    let sum = |hours: &Value, field: &str| -> i64 {
        let hours = hours.as_array().unwrap();
        hours.iter().map(|hour| hour[field].as_i64().unwrap()).sum()
    };
    let hours = closed().await;
    for (field, n) in [
        ("received", 9),
        ("stored", 9),
        ("landed", 9),
        ("deadLettered", 0),
        ("pending", 0),
        ("difference", 0),
    ] {
        assert_eq!(sum(&hours, field), n, "{field}: {hours}");
    }
}
