//! Each service that the worker needs fails, is slow, or loses its answers, while pages send.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::{PATIENCE, eventually, lake};

/// The services, and the operations of them that fail.
const SERVICES: [&str; 6] = [
    "SITE_DO",
    "ARCHIVE_DO",
    "EVENTS_QUEUE",
    "DB",
    "GRANTS",
    "LAKE",
];

/// How: before anything is done, after it was done, or late.
const MODES: [&str; 3] = ["fail", "lost", "slow"];

/// How long a fault lasts, for each of them; `CHAOS_MS` says another time.
const FOR_MS: u64 = 600;

/// How late what is slow answers.
const LATE_MS: u64 = 300;

/// What a page was told while a fault lasted.
#[derive(Debug, Default)]
struct Told {
    statuses: BTreeMap<u16, usize>,
    slowest: Duration,
    /// What was refused, to be sent again.
    again: Vec<Value>,
    taken: Vec<String>,
}

impl Told {
    async fn send(&mut self, site: &Site, sent: Value) {
        let begun = Instant::now();
        let answer = site.post().body(sent.to_string()).send().await.unwrap();
        self.slowest = self.slowest.max(begun.elapsed());
        let status = answer.status().as_u16();
        *self.statuses.entry(status).or_default() += 1;
        if status == 202 {
            self.taken.extend(ids(&sent));
        } else {
            // What a sender may do about it is said, and nothing else ever is.
            assert!(matches!(status, 429 | 503), "{status}");
            assert!(answer.headers().contains_key("retry-after"), "{status}");
            self.again.push(sent);
        }
    }
}

/// A change of the site, which D1 and KV hear of: told to be stored, or not everywhere yet.
async fn change(site: &Site, n: u32) {
    let name = format!("Demo {n}");
    let origins = ["http://localhost:*", "http://127.0.0.1:*"];
    let asked = json!({"siteId": site.id, "name": name, "origins": origins, "domain": "localhost", "keepBots": true});
    let request = shoreline_tests::client().put(format!("{}/v1/sites/{}", site.url, site.id));
    let answer = reply(
        request
            .bearer_auth(&site.admin_token)
            .body(asked.to_string()),
    )
    .await;
    assert!(matches!(answer.status, 200 | 503), "{}", answer.body);
}

#[tokio::test]
async fn whatever_fails_late_or_before_or_after_it_was_done_loses_and_doubles_nothing() {
    let ms = std::env::var("CHAOS_MS").map_or(FOR_MS, |ms| ms.parse().unwrap());
    let settings = format!("{QUIET} OUTBOX_RESEND_SECONDS:1 LAKE_SEAL_SECONDS:1");
    let system = System::start_strict(&StateDir::new(), &settings);
    let site = system.demo();
    site.send_ok(&batch(&[view("/before", "u")])).await;
    site.settle().await;
    let mut want = site.stored_ids().await;
    println!("service       fault  met  202  503  slowest");
    for service in SERVICES {
        for mode in MODES {
            system.forget_counts().await;
            system
                .faults(&json!({service: {"mode": mode, "ms": LATE_MS}}))
                .await;
            let mut told = Told::default();
            let begun = Instant::now();
            let (mut n, mut met) = (0, 0);
            // As long as nothing has asked the service yet: queue and lake have their own pace.
            while begun.elapsed() < Duration::from_millis(ms) || met == 0 {
                assert!(
                    begun.elapsed() < PATIENCE,
                    "{service} {mode}: nobody asked it"
                );
                n += 1;
                let user = format!("u{}", n % 5);
                let sent = batch(&[view(&format!("/{service}"), &user), feature(mode, &user)]);
                told.send(&site, sent).await;
                change(&site, n).await;
                met = system.counted().await["met"][service].as_i64().unwrap_or(0);
            }
            system.faults(&json!({})).await;
            let of = |status: u16| told.statuses.get(&status).copied().unwrap_or(0);
            println!(
                "{service:<13} {mode:<5} {met:>4} {:>4} {:>4} {:>5} ms",
                of(202),
                of(503),
                told.slowest.as_millis()
            );
            // A page needs its log alone.
            if service != "SITE_DO" {
                assert_eq!(
                    told.statuses.keys().copied().collect::<Vec<_>>(),
                    [202],
                    "{service} {mode}"
                );
            }
            // What was refused is sent again, under its ids, as a tracker does.
            for sent in std::mem::take(&mut told.again) {
                eventually("the batch is taken", async || {
                    let answer = site.send(&sent).await;
                    (answer.status == 202).then_some(())
                })
                .await;
                told.taken.extend(ids(&sent));
            }
            want.extend(told.taken);
        }
    }
    want.sort();
    eventually("all is stored and has landed", async || {
        let health = site.read("/health").await;
        let landed = health.body["backlog"]["lake"]["landedEvents"] == want.len();
        (landed && site.settled().await).then_some(())
    })
    .await;
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["total"], want.len());
    let reconciliation = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(reconciliation["closed"], true, "{reconciliation}");
    assert_eq!(system.counted().await["refused"], json!({}));
    let state = system.stop();
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), want);
}
