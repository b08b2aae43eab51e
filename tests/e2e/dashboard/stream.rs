//! *Now* by WebSocket: frames arrive, nothing is asked for beside them, and a cut one comes back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::{eventually, eventually_is};

use super::{Dashboard, number};

/// How soon after the answer an event may be on the page, by the best of a few: a frame takes up to 1.2 s.
const SHOWN_WITHIN: Duration = Duration::from_millis(1_500);

async fn link(d: &Dashboard) -> String {
    let state = "return document.querySelector('.link-state')?.dataset.state ?? ''";
    d.browser.run(state).await.as_str().unwrap().to_owned()
}

async fn streams(d: &Dashboard) {
    eventually_is("it streams", "stream".to_owned(), async || link(d).await).await;
}

/// What the page asked for.
async fn asked(d: &Dashboard, path: &str) -> Value {
    let count = format!(
        "return performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname === {}).length",
        json!(path)
    );
    d.browser.run(&count).await
}

#[tokio::test]
async fn frames_keep_the_page_equal_to_the_api() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u0")])).await;
    let d = Dashboard::open(site.clone(), "?view=now").await;
    streams(&d).await;
    let polls = asked(&d, "/v1/analytics/live").await;
    let mut fastest = Duration::MAX;
    for n in 1..6 {
        let user = format!("u{n}");
        let events = [view(&format!("/{n}"), &user), feature("export", &user)];
        site.send_ok(&batch(&events)).await;
        let sent = Instant::now();
        eventually_is("it is shown", (n + 1).to_string(), async || {
            d.figure("Active users").await
        })
        .await;
        fastest = fastest.min(sent.elapsed());
    }
    println!("shown after {fastest:?}");
    assert!(fastest < SHOWN_WITHIN, "{fastest:?}");
    let live = site.get("/v1/analytics/live").await;
    eventually("the pages are the API's", async || {
        let want: Vec<Vec<String>> = live["topPages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                vec![
                    row["key"].as_str().unwrap().to_owned(),
                    number(&row["count"]),
                ]
            })
            .collect();
        (d.rows("Page, last hour").await == want).then_some(())
    })
    .await;
    assert_eq!(d.figure("Events, last hour").await, "11");
    assert_eq!(d.rows("Feature, last hour").await, [["export", "5"]]);
    d.browser
        .run("document.querySelector('.chart-table').open = true")
        .await;
    let by_minute = eventually("the table is there", async || {
        let rows = d.rows("Events by minute (UTC)").await;
        (!rows.is_empty()).then_some(rows)
    })
    .await;
    assert_eq!(by_minute.len(), 60);
    let views: i64 = by_minute
        .iter()
        .map(|row| row[1].parse::<i64>().unwrap())
        .sum();
    assert_eq!(views, 6);
    assert_eq!(
        asked(&d, "/v1/analytics/live").await,
        polls,
        "nothing is asked for beside the frames"
    );
    d.nothing_wrong().await;
}

/// Keeps one delta from the page, when it is told to.
const SWALLOW: &str = "const Real = WebSocket; window.WebSocket = class extends Real { \
    addEventListener(type, listener, options) { super.addEventListener(type, (event) => { \
    if (type === 'message' && window.swallow && JSON.parse(event.data).type === 'delta') { window.swallow = false; return } \
    listener(event) }, options) } }";

#[tokio::test]
async fn after_a_gap_the_page_begins_with_the_state_again() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u0")])).await;
    let d = Dashboard::at_the_door(site.clone(), "?view=now").await;
    let swallow = json!({"source": SWALLOW});
    d.browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", swallow)
        .await;
    d.go_to_the_door("?view=now").await;
    d.sign_in(&site.read_token).await;
    streams(&d).await;
    assert_eq!(asked(&d, "/v1/analytics/live/ticket").await, 1);
    d.browser.run("window.swallow = true").await;
    site.send_ok(&batch(&[view("/lost", "u1")])).await;
    eventually_is("a second stream is opened", json!(2), async || {
        asked(&d, "/v1/analytics/live/ticket").await
    })
    .await;
    streams(&d).await;
    eventually_is("nothing is missing", "2".to_owned(), async || {
        d.figure("Page views, last hour").await
    })
    .await;
    assert_eq!(d.browser.run("return window.swallow").await, false);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_cut_stream_comes_back_and_misses_nothing() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    site.send_ok(&batch(&[view("/before", "u0")])).await;
    let d = Dashboard::open(site.clone(), "?view=now").await;
    streams(&d).await;
    // The page may be back before anybody asks it again.
    let watch = "const seen = () => { \
        if (document.querySelector('.link-state')?.dataset.state !== 'stream') window.wasCut = true }; \
        new MutationObserver(seen).observe(document, {subtree: true, childList: true, attributes: true})";
    d.browser.run(watch).await;
    assert!(system.kill_workerd());
    eventually("the cut is seen", async || {
        (d.browser.run("return window.wasCut").await == true).then_some(())
    })
    .await;
    eventually("the events are taken again", async || {
        let events = batch(&[view("/after", "u1")]);
        let sent = site.post().body(events.to_string()).send().await;
        sent.is_ok_and(|answer| answer.status() == 202)
            .then_some(())
    })
    .await;
    streams(&d).await;
    eventually("what happened meanwhile is shown", async || {
        let rows = d.rows("Page, last hour").await;
        let has = |name: &str| rows.iter().any(|row| row[0] == name);
        (has("/before") && has("/after")).then_some(())
    })
    .await;
    site.send_ok(&batch(&[view("/later", "u2")])).await;
    eventually("and what happens from now on", async || {
        let rows = d.rows("Page, last hour").await;
        rows.iter().any(|row| row[0] == "/later").then_some(())
    })
    .await;
    assert_eq!(link(&d).await, "stream");
}
