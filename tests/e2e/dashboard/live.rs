//! What happens now gets there by itself.

use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is};

use super::filters::encoded;
use super::{Dashboard, number};

#[tokio::test]
async fn the_first_event_turns_the_page_live() {
    let site = shared().new_site().await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    d.sign_in(&site.read_token).await;
    eventually("it tells what to paste", async || {
        let waits = "return document.querySelector('.onboarding pre')?.textContent ?? ''";
        let snippet = d.browser.run(waits).await;
        let path = format!("{}/shoreline.js", site.url);
        snippet.as_str().unwrap().contains(&path).then_some(())
    })
    .await;
    site.send_ok(&batch(&[view("/first", "u1")])).await;
    eventually("it says so", async || {
        let state = d.browser.text(".onboarding .waiting").await;
        state.contains("The first event is here").then_some(())
    })
    .await;
    d.press("See it live").await;
    d.ready().await;
    assert_eq!(d.query().await, "?view=now");
    assert_eq!(d.figure("Page views, last hour").await, "1");
    eventually("the event is listed", async || {
        let about = "return document.querySelector('.event-about')?.textContent ?? ''";
        (d.browser.run(about).await == "/first").then_some(())
    })
    .await;
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_page_on_this_machine_is_told_that_it_does_not_count_and_what_makes_it() {
    let site = shared().new_site().await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    d.sign_in(&site.read_token).await;
    let snippet = async || {
        let text = "return document.querySelector('.onboarding pre')?.textContent ?? ''";
        let text = d.browser.run(text).await;
        text.as_str().unwrap().to_owned()
    };
    eventually("it tells what to paste", async || {
        (!snippet().await.is_empty()).then_some(())
    })
    .await;
    let plain = snippet().await;
    assert!(!plain.contains("data-include-local"), "{plain}");
    let text = d.browser.text(".onboarding").await;
    for word in ["localhost", "data-include-local", "http://localhost:*"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    d.browser.click("#onboarding-local").await;
    let local = plain.replace("\"KEY\">", "\"KEY\" data-include-local>");
    assert_eq!(snippet().await, local);
    d.browser.click("#onboarding-local").await;
    assert_eq!(snippet().await, plain);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_latest_events_are_asked_for_once() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u1")])).await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=now").await;
    eventually("the event is listed", async || {
        let count = "return document.querySelectorAll('.event-list > li').length";
        (d.browser.run(count).await == 1).then_some(())
    })
    .await;
    // Later on it asks again, as the event was counted just now.
    let asked = "const at = performance.getEntriesByType('resource').filter(({ name }) => \
        name.includes('/events/recent')).map(({ startTime }) => startTime); \
        return at.filter((one) => one < at[0] + 2000).length";
    assert_eq!(d.browser.run(asked).await, 1);
    d.nothing_wrong().await;
}

/// Filters narrow the lists of the last hour, which say what the stream does not know.
#[tokio::test]
async fn filters_narrow_the_lists_of_now() {
    let site = shared().new_site().await;
    let seen = [view("/a", "u1"), view("/b", "u2"), view("/b", "u2")];
    site.send_ok(&batch(&seen)).await;
    site.send_ok(&batch(&[feature("export", "u1"), feature("print", "u2")]))
        .await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=now").await;
    eventually_is("all pages are listed", 2, async || {
        d.rows("Page, last hour").await.len()
    })
    .await;
    let filter = serde_json::json!(["did", ["is", "page", ["/b"]]]);
    d.go(&format!("?view=now&filters={}", encoded(&filter)))
        .await;
    let row = |name: &str, count: &str| vec![vec![name.to_owned(), count.to_owned()]];
    eventually_is("the pages of who saw one", row("/b", "2"), async || {
        d.rows("Page, last hour").await
    })
    .await;
    eventually_is("their features", row("print", "1"), async || {
        d.rows("Feature, last hour").await
    })
    .await;
    // A row narrows another view by itself and the filters.
    d.press("print").await;
    d.ready().await;
    let query = d.query().await;
    assert!(query.contains("view=features"), "{query}");
    let chips = "return document.querySelectorAll('.filter-bar .chip').length";
    assert_eq!(d.browser.run(chips).await, 2);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_new_site_has_no_lines_for_changes() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u1")])).await;
    site.settle().await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    d.resize(360, 800).await;
    d.sign_in(&site.read_token).await;
    d.ready().await;
    let empty = "return [...document.querySelectorAll('.figure *')].filter((one) => \
        !one.textContent.trim()).length";
    assert_eq!(d.browser.run(empty).await, 0);
    let last = "return Math.max(...[...document.querySelectorAll('.figure')].map((one) => \
        one.getBoundingClientRect().bottom - one.lastElementChild.getBoundingClientRect().bottom))";
    let room = d.browser.run(last).await.as_f64().unwrap();
    assert!(room < 16.0, "{room} pixels below a figure");
    d.nothing_wrong().await;
}

#[tokio::test]
async fn events_arrive_without_a_reload() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u1")])).await;
    let d = Dashboard::open(site.clone(), "?view=now").await;
    d.browser.run("window.before = true").await;
    for n in 2..5 {
        let user = format!("u{n}");
        site.send_ok(&batch(&[view("/", &user), feature("export", &user)]))
            .await;
        eventually_is("the users are counted", n.to_string(), async || {
            d.figure("Active users").await
        })
        .await;
    }
    let live = site.get("/v1/analytics/live").await;
    assert_eq!(d.figure("Active users").await, number(&live["activeUsers"]));
    assert_eq!(d.figure("Events, last hour").await, "7");
    let want = vec![vec!["/".to_owned(), number(&live["topPages"][0]["count"])]];
    assert_eq!(d.rows("Page, last hour").await, want);
    assert_eq!(d.rows("Feature, last hour").await, [["export", "3"]]);
    eventually_is("all are listed", serde_json::json!(7), async || {
        let count = "return document.querySelectorAll('.event-list > li').length";
        d.browser.run(count).await
    })
    .await;
    assert_eq!(d.browser.run("return window.before").await, true);
    d.nothing_wrong().await;
}
