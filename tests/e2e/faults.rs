//! Power cuts: what a 202 was given for is there afterwards, once.

use crate::archives::{self, archived_ids};
use crate::d1::database;
use crate::folds::{cron, fold};
use rusqlite::{Connection, TransactionBehavior};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::eventually;
use shoreline_tests::lake;
use shoreline_tests::system::{StateDir, System};

#[tokio::test]
async fn a_power_cut_between_the_202_and_the_consumer_loses_and_doubles_nothing() {
    let system = System::start(&StateDir::new());
    let sent = batch(&[view("/", "u1"), view("/a", "u2"), feature("f", "u1")]);
    assert_eq!(system.demo().send_ok(&sent).await["accepted"], 3);
    let state = system.power_cut();
    assert!(
        archived_ids(&state, &ids(&sent)[0]).is_empty(),
        "the cut came after the consumer"
    );

    let system = System::start(&state);
    let site = system.demo();
    eventually("the batch is stored and has landed", async || {
        let landed = site.get("/health").await["backlog"]["lake"]["landedEvents"] == 3;
        (landed && site.settled().await).then_some(())
    })
    .await;
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, ids(&sent));
    // The tracker that got no answer sends it again.
    assert_eq!(site.send_ok(&sent).await["duplicate"], 3);
    site.settle().await;
    assert_eq!(site.live_count("page_view").await, 2);
    assert_eq!(site.get("/v1/analytics/metrics/summary").await["total"], 3);
    let state = system.stop();
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), ids(&sent));
}

#[tokio::test]
async fn a_d1_that_takes_nothing_keeps_no_page_waiting_and_loses_nothing() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let before = batch(&[view("/before", "u")]);
    site.send_ok(&before).await;
    site.settle().await;
    fold(&site).await;
    // Every write of D1 fails as long as this transaction is open.
    let mut connection = database(&site.state);
    let lock = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let during = batch(&[view("/during", "u"), feature("f", "u")]);
    assert_eq!(site.send_ok(&during).await["accepted"], 2);
    assert_eq!(
        site.live_count("page_view").await,
        2,
        "live counts need no D1"
    );
    // The archive needs no D1 either: it takes the events, lands them, and shows them.
    eventually("the events are archived and have landed", async || {
        let landed = site.get("/health").await["backlog"]["lake"]["landedEvents"] == 3;
        (landed && site.settled().await).then_some(())
    })
    .await;
    assert_eq!(site.stored().await.len(), 3);
    // What D1 lacks is told by the archive: before a fold of it, and while D1 does not take that.
    let total = async || site.get("/v1/analytics/metrics/summary").await["total"].clone();
    assert_eq!(total().await, 3);
    let all = archives::open(&site.state);
    let count = |archive: &Connection, sql: &str| -> i64 {
        archive.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let id = ids(&during).remove(0).replace('-', "");
    let has = format!("SELECT count(*) FROM ids_0 WHERE lower(hex(id)) = '{id}'");
    let mut own = all.iter().filter(|archive| count(archive, &has) == 1);
    let archive = own.next().expect("an archive has the site's events");
    // As if the day were over.
    let passed = archive.execute("UPDATE segments SET at = at - 172800000", []);
    assert!(passed.unwrap() > 0);
    eventually("a fold waits for D1", async || {
        cron(&site).await;
        (count(archive, "SELECT count(*) FROM pending") > 0).then_some(())
    })
    .await;
    assert_eq!(total().await, 3);
    lock.rollback().unwrap();
    let mut want = ids(&before);
    want.extend(ids(&during));
    want.sort();
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, want);
    assert_eq!(total().await, 3);
    fold(&site).await;
    assert_eq!(total().await, 3);
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), "demo"), want);
}

#[tokio::test]
async fn a_site_of_several_shards_counts_each_event_and_user_once() {
    let system = System::start_with(&StateDir::new(), "SITE_SHARDS:3");
    let site = system.demo();
    let batches: Vec<serde_json::Value> = (0..30)
        .map(|n| batch(&[view(&format!("/{}", n % 2), &format!("u{}", n % 5))]))
        .collect();
    for sent in batches.iter().chain(&batches) {
        site.send_ok(sent).await;
    }
    let live = site.get("/v1/analytics/live").await;
    assert_eq!(live["activeUsers"], 5);
    assert_eq!(live["topPages"][0]["count"], 15);
    assert_eq!(site.live_count("page_view").await, 30);
    site.settle().await;
    let objects = lake::pull(site.state.path());
    let mut want: Vec<String> = batches.iter().flat_map(ids).collect();
    want.sort();
    assert_eq!(lake::ids_of(&objects, "demo"), want);
    let logs = "SELECT count(*) FROM shards WHERE site_id = 'demo'";
    let logs = database(&site.state).query_row(logs, [], |row| row.get(0));
    assert_eq!(logs, Ok(3), "not all logs took a batch");
    let outcomes = site.get("/health").await["metrics"]["outcomes"].clone();
    assert_eq!(
        outcomes,
        serde_json::json!({"accepted": 30, "duplicate": 30})
    );
}
