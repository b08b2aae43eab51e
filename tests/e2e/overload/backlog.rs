//! What waits in the log while the archive is away: `npm run backlog` has a million events, `npm test` fewer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shoreline_tests::events::uuid;
use shoreline_tests::lake;
use shoreline_tests::site::Site;
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::within;

/// Events, where `BACKLOG_EVENTS` does not say.
const EVENTS: usize = 8_000;

/// Events of a call of a service, and calls at once.
const A_CALL: usize = 100;
const SENDERS: usize = 4;

/// How long the log may take to be empty again: for each event, and at least.
const EACH: Duration = Duration::from_millis(2);
const LEAST: Duration = Duration::from_secs(60);

/// Sends calls until so many events were taken; their ids.
async fn send(site: Site, events: usize) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < events {
        let items: Vec<Value> = (0..A_CALL)
            .map(|n| json!({"eventId": uuid(), "eventType": "shop.ordered", "source": "shop", "payload": {"n": n}}))
            .collect();
        let body = json!(items).to_string();
        within(LEAST, "the call is taken", async || {
            let answer = site.ingest().body(body.clone()).send().await.unwrap();
            let status = answer.status().as_u16();
            assert!(matches!(status, 202 | 429 | 503), "{status}");
            let waits = answer.headers().contains_key("retry-after");
            assert!(status == 202 || waits, "{status}");
            (status == 202).then_some(())
        })
        .await;
        let ids = items
            .iter()
            .map(|item| item["eventId"].as_str().unwrap().to_owned());
        taken.extend(ids);
    }
    taken
}

#[tokio::test]
async fn a_backlog_is_taken_kept_and_worked_off() {
    let events = std::env::var("BACKLOG_EVENTS").map_or(EVENTS, |text| text.parse().unwrap());
    let patience = LEAST.max(EACH * u32::try_from(events).unwrap());
    let settings = format!("{QUIET} OUTBOX_RESEND_SECONDS:2 LAKE_SEAL_SECONDS:5");
    let system = System::start_strict(&StateDir::new(), &settings);
    let site = system.demo();
    system
        .faults(&json!({"ARCHIVE_DO": {"mode": "fail", "only": "fetch"}}))
        .await;
    let begun = Instant::now();
    let senders = (0..SENDERS).map(|_| send(site.clone(), events / SENDERS));
    let mut want = futures_util::future::join_all(senders).await.concat();
    want.sort();
    println!(
        "{} events taken in {:?}, none stored",
        want.len(),
        begun.elapsed()
    );
    assert_eq!(site.live_count("shop.ordered").await, want.len() as i64);

    system.faults(&json!({})).await;
    let begun = Instant::now();
    // Who sends meanwhile is taken.
    let mut slowest = Duration::ZERO;
    let mut stored = Duration::ZERO;
    within(patience, "the backlog is worked off", async || {
        let asked = Instant::now();
        want.extend(send(site.clone(), A_CALL).await);
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
        let health = site.read("/health").await.body;
        let waiting = &health["backlog"]["outbox"]["parts"];
        stored = begun.elapsed();
        (waiting.as_i64()? < 10).then_some(())
    })
    .await;
    within(patience, "all has landed", async || {
        let lake = site.read("/health").await.body["backlog"]["lake"].clone();
        (lake["landedEvents"] == want.len() && lake["pendingEvents"] == 0).then_some(())
    })
    .await;
    println!(
        "stored {stored:?}, landed {:?} after the archive was back; slowest answer meanwhile {slowest:?}",
        begun.elapsed()
    );
    let reconciliation = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(reconciliation["closed"], true, "{reconciliation}");
    let state = system.stop();
    want.sort();
    let landed = lake::ids_of(&lake::pull(state.path()), "demo");
    assert!(landed == want, "{} of {} landed", landed.len(), want.len());
}
