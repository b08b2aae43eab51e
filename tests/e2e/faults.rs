//! Power cuts: what a 202 was given for is there afterwards, once.

use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::eventually;
use shoreline_tests::lake;
use shoreline_tests::system::{StateDir, System};

/// Events that D1 knows, read from its file while nothing runs.
fn events_in_d1(state: &StateDir) -> i64 {
    let folder = state.path().join("v3/d1/miniflare-D1DatabaseObject");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "sqlite")
        {
            let database = rusqlite::Connection::open(&path).unwrap();
            // Wrangler keeps another database beside ours.
            let sql = "SELECT count(*) FROM event_ids";
            count += database
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .unwrap_or(0);
        }
    }
    count
}

#[tokio::test]
async fn a_power_cut_between_the_202_and_the_consumer_loses_and_doubles_nothing() {
    let system = System::start(&StateDir::new());
    let sent = batch(&[view("/", "u1"), view("/a", "u2"), feature("f", "u1")]);
    assert_eq!(system.demo().send_ok(&sent).await["accepted"], 3);
    let state = system.power_cut();
    assert_eq!(events_in_d1(&state), 0, "the cut came after the consumer");

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
async fn a_workerd_killed_again_and_again_under_load_loses_and_doubles_nothing() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let mut want = Vec::new();
    for round in 0..3 {
        for _ in 0..10 {
            let sent = batch(&[view("/", &format!("u{round}")), feature("f", "u")]);
            // As the tracker does: until there is an answer that says it is taken.
            eventually("the batch is taken", async || {
                let request = site.post().body(sent.to_string()).send();
                let answer = request.await.ok()?;
                (answer.status() == 202).then_some(())
            })
            .await;
            want.extend(ids(&sent));
        }
        // Some of these are in the queue by now, which forgets them; wrangler starts workerd again.
        system.kill_workerd();
    }
    want.sort();
    eventually("everything is stored and has landed", async || {
        let request = reqwest::Client::new()
            .get(format!("{}/health", site.url))
            .bearer_auth(&site.read_token);
        let health: serde_json::Value = request.send().await.ok()?.json().await.ok()?;
        let landed = health["backlog"]["lake"]["landedEvents"] == 60;
        (landed && health["backlog"]["outbox"]["parts"] == 0).then_some(())
    })
    .await;
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, want);
    assert_eq!(site.live_count("page_view").await, 30);
    assert_eq!(site.get("/v1/analytics/metrics/summary").await["total"], 60);
    let state = system.stop();
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), want);
}
