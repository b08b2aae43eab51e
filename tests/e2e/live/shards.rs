//! A site of several shards, and a workerd that dies.

use serde_json::Value;
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually;
use shoreline_tests::live::{Stream, total};
use shoreline_tests::site::Site;
use shoreline_tests::system::{StateDir, System};

/// Waits until the stream shows so many views by three users.
async fn shows(stream: &mut Stream, views: i64) {
    stream
        .until("all views and their users are shown", |live: &Value| {
            let all = total(live, "page_view") == views && live["activeUsers"] == 3;
            all.then_some(())
        })
        .await;
}

/// Sends batches of the same three users, which fall on all shards.
async fn send(site: &Site) {
    for n in 0..12 {
        let user = |n: usize| format!("u{}", n % 3);
        let views = [view("/a", &user(n)), view("/b", &user(n + 1))];
        site.send_ok(&batch(&views)).await;
    }
}

#[tokio::test]
async fn shards_are_united_and_a_killed_workerd_is_got_over() {
    let system = System::start_with(&StateDir::new(), "SITE_SHARDS:3");
    let site = system.demo();
    let mut stream = Stream::of(&site).await;
    send(&site).await;
    shows(&mut stream, 24).await;
    let shards = system.state().databases("do/shoreline-SiteDo").len();
    assert!(shards >= 3, "{shards} shards have a database");

    assert!(system.kill_workerd());
    while stream.next().await.is_some() {}
    eventually("the worker answers again", async || {
        let health = shoreline_tests::client()
            .get(format!("{}/health", site.url))
            .send()
            .await
            .ok()?;
        health.status().is_success().then_some(())
    })
    .await;
    let mut stream = Stream::of(&site).await;
    assert_eq!(stream.frame().await.kind, "state");
    shows(&mut stream, 24).await;
    send(&site).await;
    shows(&mut stream, 48).await;
}
