//! Real pages in real Chromium: the demo page, and a page of another origin that pastes the snippet.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use shoreline_tests::browser::{Browser, Profile};
use shoreline_tests::eventually;
use shoreline_tests::lake;
use shoreline_tests::system::{StateDir, System};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How soon after the flush a click must be in the live counts.
const LIVE_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn three_views_and_five_clicks_on_the_demo_page_arrive_everywhere() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let browser = Browser::start_in(Profile::whole()).await;
    browser.open(&system.at("/")).await;
    eventually("the tracker is loaded", async || {
        (browser.text("#made").await == "1").then_some(())
    })
    .await;
    let routes = routes(&browser).await;
    assert!(routes.len() >= 4, "{routes:?}");
    for route in routes.iter().skip(1).take(2) {
        browser.click(&format!("[data-route=\"{route}\"]")).await;
    }
    for _ in 0..5 {
        let visible = "[...document.querySelectorAll('button[data-shoreline-feature]')]\
            .find((b) => b.offsetParent).click()";
        browser.run(visible).await;
    }
    browser.click("#flush").await;
    let flushed = Instant::now();
    eventually("live shows exactly 3 and 5", async || {
        let counts = (
            site.live_count("page_view").await,
            site.live_count("feature_use").await,
        );
        assert!(counts.0 <= 3 && counts.1 <= 5, "{counts:?}");
        (counts == (3, 5)).then_some(())
    })
    .await;
    assert!(flushed.elapsed() < LIVE_WITHIN, "{:?}", flushed.elapsed());
    // With how the two pages were read that were left.
    eventually("the page says that 10 were taken", async || {
        (browser.text("#accepted").await == "10").then_some(())
    })
    .await;
    eventually("the events are stored and have landed", async || {
        let stored = site.stored_ids().await.len() == 10;
        (stored && site.settled().await).then_some(())
    })
    .await;
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(
        summary["byType"],
        serde_json::json!({"page_view": 3, "feature_use": 5, "page_leave": 2})
    );
    let stored: BTreeSet<String> = site.stored_ids().await.into_iter().collect();
    assert_eq!(stored.len(), 10);
    let landed = lake::ids_of(&lake::pull(site.state.path()), &site.id);
    assert_eq!(landed, stored.into_iter().collect::<Vec<_>>());
    let recent = site.get("/v1/analytics/events/recent").await;
    let users: BTreeSet<&str> = recent["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["userId"].as_str().unwrap())
        .collect();
    assert_eq!(users.len(), 1, "one visitor");
    browser.close().await;
}

async fn routes(browser: &Browser) -> Vec<String> {
    let list = browser
        .run("return [...new Set([...document.querySelectorAll('[data-route]')].map((a) => a.dataset.route))]")
        .await;
    serde_json::from_value(list).unwrap()
}

/// Serves one page at every path, on a port of its own: another origin.
async fn serve(page: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let page = page.clone();
            tokio::spawn(async move {
                let mut head = [0; 8192];
                let _ = stream.read(&mut head).await;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                    page.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://localhost:{port}")
}

#[tokio::test]
async fn the_snippet_works_on_a_page_of_another_origin_and_loses_nothing_on_the_way_out() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let page = format!(
        "<!doctype html><html lang=en><head><title>Elsewhere</title>{}</head><body>\
         <script>shoreline('feature', 'before-load', {{n: 1}})</script>\
         <button id=b data-shoreline-feature=button>b</button></body></html>",
        system.keys().snippet
    );
    let other = serve(page).await;
    let browser = Browser::start_in(Profile::whole()).await;
    browser.open(&format!("{other}/elsewhere?secret=1")).await;
    eventually("the tracker is loaded", async || {
        let loaded = browser.run("return typeof shoreline.flush").await;
        (loaded == "function").then_some(())
    })
    .await;
    browser.click("#b").await;
    browser.run("history.pushState({}, '', '/second')").await;
    browser
        .run("history.replaceState({}, '', '/third?x=1')")
        .await;
    browser.run("history.pushState({}, '', '/third?x=2')").await;
    // Away at once, before the five seconds are over.
    browser.open("about:blank").await;
    eventually("what was pending has arrived", async || {
        let stored = site.stored_ids().await.len() >= 6;
        (stored && site.settled().await).then_some(())
    })
    .await;
    let recent = site.get("/v1/analytics/events/recent").await;
    let mut seen: Vec<String> = recent["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(told)
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "feature_use before-load".to_owned(),
            "feature_use button".to_owned(),
            format!("page_leave {other}/elsewhere"),
            format!("page_leave {other}/second"),
            format!("page_view {other}/elsewhere"),
            format!("page_view {other}/second"),
        ]
    );
    browser.close().await;
}

fn told(event: &Value) -> String {
    let data = &event["eventData"];
    let what = data["feature"].as_str().or(data["url"].as_str()).unwrap();
    format!("{} {what}", event["eventType"].as_str().unwrap())
}
