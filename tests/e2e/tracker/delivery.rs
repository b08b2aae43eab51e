//! Batches on their way: from tabs, through gaps in the network, past the end of the browser.

use std::collections::BTreeMap;

use serde_json::Value;
use shoreline_tests::eventually;
use shoreline_tests::proxy::{Fault, Post, Proxy};
use shoreline_tests::visit::{Setup, Visit};

/// Each event was in one batch that reached the collector.
fn assert_sent_once(proxy: &Proxy) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in proxy.taken().iter().flat_map(|post| post.ids()) {
        *times.entry(id).or_default() += 1;
    }
    let tell = |post: &Post| {
        let (id, sent) = (post.batch_id().to_owned(), &post.body["sentAt"]);
        format!(
            "{id} of {} events at {sent}: {:?}",
            post.ids().len(),
            post.status
        )
    };
    let posts: Vec<String> = proxy.posts().iter().map(tell).collect();
    assert!(times.values().all(|times| *times == 1), "{posts:#?}");
}

fn assert_one(events: &[Value], field: &str) {
    let first = &events[0][field];
    assert!(events.iter().all(|event| &event[field] == first), "{field}");
}

#[tokio::test]
async fn two_tabs_are_one_visit_and_send_nothing_twice() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    let mut want = vec!["page_view /".to_owned(), "page_view /second".to_owned()];
    want.extend(visit.features("first", 30).await);
    let first = visit.browser.new_tab().await;
    visit.go("/second").await;
    want.extend(visit.features("second", 30).await);
    visit.flush().await;
    let second = visit.browser.switch_to(first).await;
    want.extend(visit.features("again", 10).await);
    visit.flush().await;
    visit.browser.switch_to(second).await;
    visit.flush().await;
    let events = visit.arrived(&want).await;
    assert_one(&events, "userId");
    assert_one(&events, "sessionId");
    assert_sent_once(&visit.proxy);
}

#[tokio::test]
async fn what_two_tabs_kept_while_the_collector_was_away_is_sent_once() {
    let visit = Visit::begin(Setup::default().in_whole_browser()).await;
    visit.proxy.set(Fault::Cut);
    visit.go("/").await;
    let mut want = vec!["page_view /".to_owned(), "page_view /second".to_owned()];
    want.extend(visit.features("first", 40).await);
    visit.flush().await;
    let first = visit.browser.new_tab().await;
    visit.go("/second").await;
    want.extend(visit.features("second", 40).await);
    visit.flush().await;
    assert!(visit.proxy.taken().is_empty());
    visit.proxy.set(Fault::None);
    // Both at once: neither waits for the other's answer.
    visit.browser.run("void shoreline.flush()").await;
    visit.browser.switch_to(first).await;
    visit.browser.run("void shoreline.flush()").await;
    let events = visit.arrived(&want).await;
    assert_one(&events, "sessionId");
    assert_sent_once(&visit.proxy);
}

#[tokio::test]
async fn two_hundred_events_made_offline_arrive_once_online() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    visit.browser.set_offline(true).await;
    let mut want = visit.features("offline", 200).await;
    want.push("page_view /".to_owned());
    let outcome = visit.flush().await;
    assert_eq!(outcome["pending"], 200, "{outcome}");
    assert_eq!(visit.proxy.taken().len(), 1);
    visit.browser.set_offline(false).await;
    // By itself: nobody flushes.
    let events = visit.arrived(&want).await;
    assert_sent_once(&visit.proxy);
    visit.landed(&events).await;
}

#[tokio::test]
async fn what_was_made_offline_is_sent_by_the_next_page() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    visit.proxy.set(Fault::Cut);
    let mut want = visit.features("offline", 60).await;
    visit.flush().await;
    visit.go("/next").await;
    visit.proxy.set(Fault::None);
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    let events = visit.arrived(&want).await;
    assert_one(&events, "userId");
}

#[tokio::test]
async fn what_a_killed_browser_had_stored_is_sent_once_by_the_next() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    // The first of three batches is stored by the collector, which never says so; the others wait.
    visit.proxy.set(Fault::StoreAndHold);
    let mut want = visit.features("mid-flight", 60).await;
    visit.browser.run("void shoreline.flush()").await;
    eventually("a batch is under way", async || {
        (!visit.proxy.taken().is_empty() && visit.proxy.posts().len() > 1).then_some(())
    })
    .await;
    eventually("the browser has written the last event", async || {
        let profile = visit.browser.profile();
        profile.keeps("mid-flight59").then_some(())
    })
    .await;
    let visit = visit.killed().await;
    visit.proxy.set(Fault::None);
    visit.go("/reopened").await;
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /reopened".to_owned()]);
    let events = visit.arrived(&want).await;
    assert_one(&events, "userId");
    visit.landed(&events).await;
}

#[tokio::test]
async fn a_batch_whose_page_was_left_before_the_answer_came_counts_once() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    visit.proxy.set(Fault::StoreAndHold);
    let mut want = visit.features("f", 20).await;
    visit.browser.run("void shoreline.flush()").await;
    eventually("the batch is taken", async || {
        (visit.proxy.taken().len() == 2).then_some(())
    })
    .await;
    visit.proxy.set(Fault::None);
    visit.go("/next").await;
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    let again = posts[2..]
        .iter()
        .find(|post| post.batch_id() == posts[1].batch_id());
    let again = again.expect("without an answer the batch comes again");
    assert_eq!(again.body["events"], posts[1].body["events"]);
    assert_eq!(visit.site.live_count("feature_use").await, 20);
}

#[tokio::test]
async fn a_closed_tab_sends_what_it_has() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    let first = visit.browser.new_tab().await;
    visit.go("/second").await;
    let mut want = visit.features("f", 40).await;
    visit.browser.driver().close_window().await.unwrap();
    visit
        .browser
        .driver()
        .switch_to_window(first)
        .await
        .unwrap();
    want.extend(["page_view /".to_owned(), "page_view /second".to_owned()]);
    visit.arrived(&want).await;
}

#[tokio::test]
async fn what_is_too_much_for_the_way_out_is_sent_by_the_next_page() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    visit.flush().await;
    // Three times what browsers let through after the page.
    let call = "for (let n = 0; n < 90; n++) shoreline.feature(`f${n}`, { text: 'x'.repeat(900), more: 'y'.repeat(900) })";
    visit.browser.run(call).await;
    visit.go_away("about:blank").await;
    let mut want = shoreline_tests::visit::numbered("f", 90);
    eventually("some of it is taken on the way out", async || {
        (visit.proxy.taken().len() > 1).then_some(())
    })
    .await;
    visit.go("/next").await;
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    visit.arrived(&want).await;
}

#[tokio::test]
async fn where_fetch_does_not_outlive_the_page_a_beacon_does() {
    let old = "delete Request.prototype.keepalive; const real = navigator.sendBeacon; \
        navigator.sendBeacon = function (...what) { \
        localStorage.beacons = Number(localStorage.beacons ?? 0) + 1; return real.apply(this, what) }";
    let visit = Visit::open(Setup::script(old).in_whole_browser()).await;
    visit.flush().await;
    // Fewer than a batch, which would go at once.
    let mut want = visit.features("f", 10).await;
    visit.go("/next").await;
    let beacons = visit.browser.run("return localStorage.beacons").await;
    assert_eq!(beacons, "1");
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    visit.arrived(&want).await;
    // What the browser took over, nobody sends again.
    assert_sent_once(&visit.proxy);
}

#[tokio::test]
async fn a_page_left_before_the_module_came_sends_what_it_was_told() {
    let visit = Visit::begin(Setup::default().in_whole_browser()).await;
    visit.proxy.hold_module(true);
    visit.go("/").await;
    let mut want = visit.features("f", 40).await;
    visit.go_away("about:blank").await;
    visit.proxy.hold_module(false);
    visit.go("/next").await;
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    visit.arrived(&want).await;
}
