//! Filters: a click on any row narrows everything; chips, their opposites, forms, segments; all of it in the URL.

use serde_json::{Value, json};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;

use super::access::complaints;
use super::views::{chart_table, days};
use super::{Dashboard, VIEWS, number};
use crate::filled::{DAYS, date, fill};

/// Asks the API any question of the seeded days.
pub(super) async fn answer(site: &Site, mut body: Value) -> Value {
    if body["range"].is_null() {
        body["range"] = json!([date(DAYS), date(1)]);
    }
    let url = format!("{}/v1/analytics/query", site.url);
    let call = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token);
    let answer = reply(call.json(&body)).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    answer.body
}

/// The texts of the chips.
async fn chips(d: &Dashboard) -> Vec<String> {
    let texts = "return [...document.querySelectorAll('.filter-bar .chip-text')].map((one) => one.firstChild.data)";
    serde_json::from_value(d.browser.run(texts).await).unwrap()
}

/// A filter as the URL has it.
pub(super) fn encoded(filters: &Value) -> String {
    filters
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

#[tokio::test]
async fn a_click_on_a_row_narrows_every_panel_and_filters_stack() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?{}", days())).await;
    let of_page = json!(["is", "page", ["/2"]]);
    d.press("/2").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Page is /2"]);
    let body = json!({"metrics": ["users", "views", "sessions", "bounceRate"], "filters": of_page});
    let api = answer(&site, body).await;
    for (label, n) in [("Active users", 0), ("Page views", 1), ("Sessions", 2)] {
        assert_eq!(d.figure(label).await, number(&api["totals"][n]), "{label}");
    }
    // Every other panel, too: those who saw the page came by mail, and used no feature there.
    assert_eq!(d.rows("Pages").await.len(), 1);
    assert_eq!(d.rows("Features").await, Vec::<Vec<String>>::new());
    let by_day = json!({"metrics": ["users"], "dimensions": ["time:day"], "filters": of_page});
    let api = answer(&site, by_day).await;
    let shown = chart_table(&d, "Active users by day").await;
    for row in api["rows"].as_array().unwrap() {
        assert!(
            shown.iter().any(|one| one[1] == number(&row["metrics"][0])),
            "{row}: {shown:?}"
        );
    }
    assert_eq!(shown.len() as i64, DAYS, "a day without events is a zero");

    // Another view has the filter too, and another row adds to it.
    d.browser.click("#nav-pages").await;
    d.ready().await;
    d.browser.click("#tab-by-platform").await;
    d.ready().await;
    d.press("web").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Page is /2", "Platform is web"]);
    let both = json!(["and", ["is", "page", ["/2"]], ["is", "platform", ["web"]]]);
    let body = json!({"metrics": ["views"], "filters": both});
    let views = answer(&site, body).await["totals"][0].clone();
    assert_eq!(d.figure("Page views").await, number(&views));

    // The opposite, then none of it.
    d.browser.click("#negate-0").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Page is not /2", "Platform is web"]);
    let rest = json!([
        "and",
        ["is_not", "page", ["/2"]],
        ["is", "platform", ["web"]]
    ]);
    let body = json!({"metrics": ["views"], "filters": rest});
    let views = answer(&site, body).await["totals"][0].clone();
    assert_eq!(d.figure("Page views").await, number(&views));
    let link = d.query().await;
    d.go(&link).await;
    assert_eq!(chips(&d).await, ["Page is not /2", "Platform is web"]);
    d.browser.click("#remove-0").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Platform is web"]);
    // The row that was clicked leads back.
    d.press("web").await;
    d.ready().await;
    assert_eq!(chips(&d).await, Vec::<String>::new());
    d.nothing_wrong().await;
}

#[tokio::test]
async fn every_view_says_what_its_filters_do() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = json!(["did", ["is", "feature", ["f1"]]]);
    let d = Dashboard::open(site, "").await;
    for view in VIEWS {
        for width in [360, 1280] {
            d.resize(width, 900).await;
            d.go(&format!(
                "?view={view}&{}&filters={}",
                days(),
                encoded(&filter)
            ))
            .await;
            let shown = chips(&d).await;
            if ["quality", "settings"].contains(&view) {
                assert_eq!(shown, Vec::<String>::new(), "{view}");
                continue;
            }
            assert_eq!(shown, ["users with: Feature is f1"], "{view}");
            let bar = d.browser.text(".filter-bar").await;
            let says = bar.contains("do not narrow");
            assert_eq!(says, view == "now", "{view}: {bar}");
            let failed = "return document.querySelectorAll('#main .failure').length";
            assert_eq!(d.browser.run(failed).await, 0, "{view}");
            assert_eq!(complaints(&d).await, Vec::<String>::new(), "{view} {width}");
            let wide = "return document.documentElement.scrollWidth - innerWidth";
            assert!(
                d.browser.run(wide).await.as_i64().unwrap() <= 0,
                "{view} {width}"
            );
        }
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_filter_of_ones_own_is_typed_and_refused_where_it_is_wrong() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?{}", days())).await;
    let open = async || {
        d.browser.click("#add-filter").await;
        shoreline_tests::eventually("the form is there", async || {
            let there = "return !!document.querySelector('#filter-what')";
            (d.browser.run(there).await == true).then_some(())
        })
        .await;
    };
    let choose = async |what: &str, how: &str, values: &str| {
        let script = format!(
            "const set = (id, value) => {{ const one = document.querySelector(id); one.value = value; \
             one.dispatchEvent(new Event('input', {{bubbles: true}})); \
             one.dispatchEvent(new Event('change', {{bubbles: true}})) }}; \
             set('#filter-what', {}); set('#filter-how', {}); set('#filter-values', {})",
            json!(what),
            json!(how),
            json!(values)
        );
        d.browser.run(&script).await;
        d.browser.click(".filter-form .primary").await;
    };
    open().await;
    assert_eq!(complaints(&d).await, Vec::<String>::new());
    // Values are suggested from what there is.
    let known =
        "return [...document.querySelectorAll('#filter-known option')].map((one) => one.value)";
    shoreline_tests::eventually("pages are suggested", async || {
        let known = d.browser.run(known).await;
        known
            .as_array()
            .unwrap()
            .contains(&json!("/2"))
            .then_some(())
    })
    .await;
    choose("page", "is", "/2; /3").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Page is /2 or /3"]);
    let filter = json!(["is", "page", ["/2", "/3"]]);
    let body = json!({"metrics": ["views"], "filters": filter});
    let views = answer(&site, body).await["totals"][0].clone();
    assert_eq!(d.figure("Page views").await, number(&views));
    let focus = d.browser.run("return document.activeElement.id").await;
    assert_eq!(focus, "add-filter");

    // A number where a number is wanted.
    open().await;
    choose("hour_of_day", "gte", "noon").await;
    let message = "return document.querySelector('#filter-values').validationMessage";
    assert_eq!(d.browser.run(message).await, "One number.");
    choose("hour_of_day", "gte", "0").await;
    d.ready().await;
    assert_eq!(
        chips(&d).await,
        ["Page is /2 or /3", "Hour of the day ≥ 0:00"]
    );

    // What the API refuses is said as it says it.
    for wrong in [json!(["likes", "page", ["/2"]]), json!(["is", "shoe", 1])] {
        d.go(&format!("?{}&filters={}", days(), encoded(&wrong)))
            .await;
        let said = d.browser.text(".failure").await;
        assert!(said.contains("invalid_parameter"), "{said}");
        assert!(said.contains("filters"), "{said}");
    }
    d.go(&format!("?{}&filters=nonsense", days())).await;
    assert!(!d.browser.text(".failure").await.is_empty());
    assert_eq!(chips(&d).await, ["not readable: nonsense"]);
    d.browser.click("#remove-0").await;
    d.ready().await;
    assert_eq!(chips(&d).await, Vec::<String>::new());
    d.nothing_wrong().await;
}

#[tokio::test]
async fn filters_are_kept_as_a_segment_of_their_site() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = json!(["is", "platform", ["web"]]);
    let d = Dashboard::open(site, &format!("?{}&filters={}", days(), encoded(&filter))).await;
    let open = async || {
        d.browser.click("#add-filter").await;
        shoreline_tests::eventually("the segments are there", async || {
            let there = "return !!document.querySelector('.segments')";
            (d.browser.run(there).await == true).then_some(())
        })
        .await;
    };
    open().await;
    d.browser
        .run("document.querySelector('#segment-name').value = 'On the web'")
        .await;
    d.press("Save these filters").await;
    d.ready().await;
    // Without filters, as another page: it is there, and leads to them.
    d.go(&format!("?view=features&{}", days())).await;
    assert_eq!(chips(&d).await, Vec::<String>::new());
    open().await;
    d.press("On the web").await;
    d.ready().await;
    assert_eq!(chips(&d).await, ["Platform is web"]);
    assert!(d.query().await.starts_with("?view=features&"));
    open().await;
    d.browser.click(".segments .icon-button").await;
    let none = "return document.querySelectorAll('.segments li').length";
    assert_eq!(d.browser.run(none).await, 0);
    d.go("").await;
    open().await;
    assert_eq!(d.browser.run(none).await, 0);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_keyboard_alone_filters() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, &format!("?view=pages&{}", days())).await;
    let enter = async |css: &str| {
        d.browser
            .run(&format!("document.querySelector({}).focus()", json!(css)))
            .await;
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { "\r" } else { "" };
            let event = json!({"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text});
            d.browser.devtools("Input.dispatchKeyEvent", event).await;
        }
        d.ready().await;
    };
    enter(".row-link").await;
    assert_eq!(chips(&d).await.len(), 1);
    let first = chips(&d).await;
    enter("#negate-0").await;
    assert_ne!(chips(&d).await, first);
    let focus = d.browser.run("return document.activeElement.id").await;
    assert_eq!(focus, "negate-0", "the focus stays where it was");
    enter("#remove-0").await;
    assert_eq!(chips(&d).await, Vec::<String>::new());
    let focus = d.browser.run("return document.activeElement.id").await;
    assert_eq!(focus, "main", "what has gone leaves it in the view");
    d.nothing_wrong().await;
}
