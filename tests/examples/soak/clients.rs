//! Who sends.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use shoreline_publisher::{Event, Publisher};
use shoreline_tests::browser::Browser;
use shoreline_tests::clients::{ClientPage, run};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::pages::{Page, Pages};
use shoreline_tests::patient;
use shoreline_tests::proxy::Proxy;
use shoreline_tests::{eventually, within};

use super::{SETTLED_WITHIN, Soak};

/// How often each client does something.
const PACE: Duration = Duration::from_millis(500);
/// The same of what costs a process, or thousands of lines.
const SLOW_PACE: Duration = Duration::from_secs(20);

/// Lines of an import.
const LINES: usize = 500;

/// A page's batches, sent again until they are taken.
pub(crate) async fn pages(soak: Rc<Soak>, name: usize) {
    for n in 0_u64.. {
        if !soak.goes_on() {
            return;
        }
        let user = format!("u{name}-{}", n % 50);
        let path = format!("/{}", n % 20);
        let sent = batch(&[view(&path, &user), view("/b", &user), feature("f", &user)]);
        eventually("the batch is taken", async || {
            let answer = soak.site.post().body(sent.to_string()).send().await.ok()?;
            let status = answer.status().as_u16();
            assert!(
                matches!(status, 202 | 429 | 503),
                "a page was told {status}"
            );
            let wait = answer.headers().contains_key("retry-after");
            assert!(status == 202 || wait, "{status} without Retry-After");
            (status == 202).then_some(())
        })
        .await;
        soak.taken.borrow_mut().extend(ids(&sent));
        soak.did("batches of pages", 1);
        tokio::time::sleep(PACE / 5).await;
    }
}

/// The tracker in Chromium: views of a page that counts features, through a proxy that notes what is taken.
pub(crate) async fn tracker(soak: Rc<Soak>) {
    let proxy = Proxy::start(&soak.site.url).await;
    let keys: Value =
        serde_json::from_slice(&std::fs::read(soak.site.state.path().join("keys.json")).unwrap())
            .unwrap();
    let snippet = keys["snippet"].as_str().unwrap();
    let pages = Pages::serve(Page {
        snippet: snippet.replace(&soak.site.url, &proxy.url),
        ..Page::default()
    })
    .await;
    let browser = Browser::start().await;
    let mut made = 0_u64;
    while soak.goes_on() {
        browser
            .open(&format!("{}/page-{}", pages.url, made % 10))
            .await;
        for _ in 0..5 {
            made += 1;
            browser
                .run(&format!("shoreline('feature', 'soak', {{n: {made}}})"))
                .await;
            tokio::time::sleep(PACE).await;
        }
        soak.did("views of the tracker's page", 1);
    }
    // What it still has it sends from the next page.
    within(SETTLED_WITHIN, "the tracker has sent all", async || {
        browser.open(&format!("{}/end", pages.url)).await;
        let taken = proxy.taken();
        let events = taken
            .iter()
            .flat_map(|post| post.body["events"].as_array().unwrap());
        let features = events.filter(|event| event["eventData"]["feature"] == "soak");
        let mut numbers: Vec<u64> = features
            .map(|event| event["eventData"]["n"].as_u64().unwrap())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        tokio::time::sleep(PACE).await;
        (numbers.len() as u64 == made).then_some(())
    })
    .await;
    soak.did("features that the tracker counted", made);
    browser.close().await;
    let mut ids: Vec<String> = proxy.taken().iter().flat_map(|post| post.ids()).collect();
    ids.sort();
    ids.dedup();
    soak.taken.borrow_mut().extend(ids);
}

/// Segment's browser SDK.
pub(crate) async fn segment_page(soak: Rc<Soak>) {
    let config =
        json!({"collector": soak.site.url, "writeKey": soak.site.browser_key, "batching": false});
    sdk(
        soak,
        "segment-browser.mjs",
        config,
        "calls of Segment's page",
    )
    .await;
}

/// RudderStack's browser SDK.
pub(crate) async fn rudderstack_page(soak: Rc<Soak>) {
    let config =
        json!({"collector": soak.site.url, "writeKey": soak.site.browser_key, "beacon": false});
    sdk(
        soak,
        "rudderstack-browser.mjs",
        config,
        "calls of RudderStack's page",
    )
    .await;
}

/// A page that calls all that an SDK has. How often an SDK tries again is its own: what it sent is known to the ledger
/// alone.
async fn sdk(soak: Rc<Soak>, program: &str, config: Value, name: &'static str) {
    let page = ClientPage::open(program, &config, "").await;
    while soak.goes_on() {
        page.browser.value("app.everything()").await;
        soak.did(name, 1);
        tokio::time::sleep(PACE * 4).await;
    }
    // What it tries again meanwhile has an answer.
    tokio::time::sleep(SLOW_PACE).await;
}

/// Segment's library for Node, whose calls are repeated under their ids until all were taken.
pub(crate) async fn segment_service(soak: Rc<Soak>) {
    for n in 0_u64.. {
        if !soak.goes_on() {
            return;
        }
        let ids = format!("soak-{n}");
        eventually("Segment's library has sent", async || {
            let args = [&*soak.site.url, &soak.site.source_key, &ids];
            let said = run("segment-node.mjs", &args).await;
            (said["failures"] == json!([])).then_some(())
        })
        .await;
        soak.did("runs of Segment's library", 1);
        tokio::time::sleep(SLOW_PACE).await;
    }
}

/// The publisher of a Rust service.
pub(crate) async fn publisher(soak: Rc<Soak>) {
    let publisher = Publisher::builder(&soak.site.url, &soak.site.source_key)
        .retry(Duration::from_millis(50), Duration::from_millis(500))
        .build()
        .unwrap();
    let mut made = Vec::new();
    while soak.goes_on() {
        for n in 0..10 {
            let event = Event::domain("com.example.order.v1", "orders")
                .user(format!("user-{n}"))
                .data("total", n);
            made.push(event.event_id().to_owned());
            publisher.queue_event(event).unwrap();
        }
        publisher.flush().await.unwrap();
        tokio::time::sleep(PACE).await;
    }
    let closure = publisher.close().await;
    assert_eq!(closure.undelivered.len(), 0);
    soak.did("events of the publisher", made.len() as u64);
    soak.taken.borrow_mut().extend(made);
}

/// Files of history.
pub(crate) async fn imports(soak: Rc<Soak>) {
    while soak.goes_on() {
        let ids = patient::import(&soak.site, &patient::lines(LINES)).await;
        soak.taken.borrow_mut().extend(ids);
        soak.did("imports of 500 lines", 1);
        tokio::time::sleep(SLOW_PACE).await;
    }
}
