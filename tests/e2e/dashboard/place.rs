//! The URL is the place: ranges, filters, links, back and forward; and who may be there.

use serde_json::Value;
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;

use super::{Dashboard, number};
use crate::filled::{DAYS, date, fill};

async fn sessions(site: &Site, from: i64, to: i64) -> Value {
    let path = format!(
        "/v1/analytics/metrics/platform?startDate={}&endDate={}",
        date(from),
        date(to)
    );
    site.get(&path).await["sessions"].clone()
}

#[tokio::test]
async fn the_days_are_chosen_kept_and_linked() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "").await;
    let thirty = number(&sessions(&site, 29, 0).await);
    assert_eq!(d.figure("Sessions").await, thirty);

    d.browser.click("#range").await;
    d.press("Yesterday").await;
    d.ready().await;
    assert_eq!(d.query().await, "?range=yesterday");
    let yesterday = number(&sessions(&site, 1, 1).await);
    assert_ne!(yesterday, thirty);
    assert_eq!(d.figure("Sessions").await, yesterday);

    d.browser.click("#range").await;
    let (from, to) = (date(DAYS), date(2));
    let choose = format!(
        "document.querySelector('#range-from').value = '{from}';\
         document.querySelector('#range-to').value = '{to}'"
    );
    d.browser.run(&choose).await;
    d.press("Apply").await;
    d.ready().await;
    assert_eq!(d.query().await, format!("?from={from}&to={to}"));
    let two = number(&sessions(&site, DAYS, 2).await);
    assert_eq!(d.figure("Sessions").await, two);

    // Another view is of the same days.
    d.browser.click("#nav-features").await;
    d.ready().await;
    assert_eq!(
        d.query().await,
        format!("?view=features&from={from}&to={to}")
    );
    for want in [two, yesterday, thirty] {
        d.browser.back().await;
        d.ready().await;
        assert_eq!(d.figure("Sessions").await, want);
    }
    d.browser.run("history.forward()").await;
    d.ready().await;
    shoreline_tests::eventually_is("forward", "?range=yesterday".to_owned(), async || {
        d.query().await
    })
    .await;
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_click_on_a_row_filters_and_a_link_shows_the_same() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "?view=pages").await;
    d.press("/2").await;
    d.ready().await;
    let views = d.figure("Page views").await;
    let api = site
        .get(&format!(
            "/v1/analytics/metrics/breakdown?by=page&startDate={}",
            date(29)
        ))
        .await;
    let rows = api["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["key"] == "/2").unwrap();
    assert_eq!(views, number(&row["events"]));
    let query = d.query().await;
    assert_eq!(
        query,
        "?view=pages&filters=%5B%22is%22%2C%22page%22%2C%5B%22%2F2%22%5D%5D"
    );

    // The same link, as another page.
    d.go(&query).await;
    assert_eq!(d.figure("Page views").await, views);
    d.browser.click("#remove-0").await;
    d.ready().await;
    assert_eq!(d.query().await, "?view=pages");
    assert_eq!(d.figure("Page views").await, "");

    // Events by type and by user.
    d.go("?view=now&type=order.placed").await;
    let types = "return [...new Set([...document.querySelectorAll('.event-type')].map((e) => e.textContent))]";
    shoreline_tests::eventually_is(
        "only orders",
        serde_json::json!(["order.placed"]),
        async || d.browser.run(types).await,
    )
    .await;
    d.browser.click(".event-list summary").await;
    let unfolded = "return [...document.querySelectorAll('.event-links a')].some((a) => a.textContent === 'Only user u1')";
    shoreline_tests::eventually_is("the event is unfolded", true.into(), async || {
        d.browser.run(unfolded).await
    })
    .await;
    d.press("Only user u1").await;
    d.ready().await;
    assert_eq!(d.query().await, "?view=now&type=order.placed&user=u1");
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_token_opens_the_door_and_is_nowhere_in_the_url() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::at_the_door(site.clone(), "?view=features").await;
    let refused = format!("slr_{}_aaaaaaaaaaaaaaaaaaaaaaaaaa", site.id);
    for (wrong, why) in [
        ("nothing", "begins with slr_"),
        (&refused, "does not know this read token"),
    ] {
        d.sign_in(wrong).await;
        shoreline_tests::eventually("it is refused", async || {
            let said = d.browser.text(".sign-in .bad").await;
            said.contains(why).then_some(())
        })
        .await;
    }
    d.sign_in(&site.read_token).await;
    d.ready().await;
    // Where one wanted to go.
    assert_eq!(d.browser.text("h1").await, "Features");
    for view in super::VIEWS {
        d.browser.click(&format!("#nav-{view}")).await;
        d.ready().await;
        let seen = "return [location.href, document.referrer, document.documentElement.outerHTML, \
            JSON.stringify(localStorage), document.cookie, ...performance.getEntries().map((e) => e.name)]";
        let seen = d.browser.run(seen).await.to_string();
        assert!(!seen.contains(&site.read_token), "{view}");
    }
    // Another tab knows nothing of it.
    let url = d.browser.run("return location.href").await;
    let tab = d.browser.new_tab().await;
    d.browser.open(url.as_str().unwrap()).await;
    shoreline_tests::eventually("it asks for a token", async || {
        let form = "return !!document.querySelector('#read-token')";
        (d.browser.run(form).await == true).then_some(())
    })
    .await;
    d.browser.switch_to(tab).await;
    d.press("Sign out").await;
    let kept = d.browser.run("return JSON.stringify(sessionStorage)").await;
    assert_eq!(kept, "{}");
    d.browser.run("location.reload()").await;
    shoreline_tests::eventually("it asks for a token again", async || {
        let form = "return !!document.querySelector('#read-token')";
        (d.browser.run(form).await == true).then_some(())
    })
    .await;
}
