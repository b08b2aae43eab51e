//! What happens now gets there by itself.

use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is};

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
