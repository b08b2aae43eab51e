//! Errors, Web Vitals and data quality: the numbers on the page are the API's.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, uuid, view};
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;

use super::{Dashboard, number, percent};
use crate::filled::fill;

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn error(message: &str, user: &str) -> Value {
    json!({
        "eventId": uuid(), "eventType": "error", "userId": user, "sessionId": "s1",
        "eventData": {"message": message, "source": "app.js:12", "stack": format!("at f of {message}")},
        "metadata": {"platform": "web"},
    })
}

#[tokio::test]
async fn errors_are_counted_and_looked_into() {
    let site = shared().new_site().await;
    let mut events = vec![view("/", "u1")];
    for (message, n) in [("It broke", 3), ("It hangs", 2)] {
        events.extend((0..n).map(|n| error(message, &format!("u{n}"))));
    }
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=errors&range=7d").await;
    let api = site
        .get("/v1/analytics/metrics/breakdown?by=error&limit=50")
        .await;
    assert_eq!(d.figure("Errors").await, number(&api["total"]));
    let want: Vec<Vec<String>> = list(&api["rows"])
        .iter()
        .map(|row| {
            let counts = [
                number(&row["events"]),
                number(&row["users"]),
                percent(&row["share"]),
            ];
            [vec![row["key"].as_str().unwrap().to_owned()], counts.into()].concat()
        })
        .collect();
    assert_eq!(want[0][..3], ["It broke", "3", "3"]);
    assert_eq!(d.rows("Errors").await, want);
    let messages =
        "return [...document.querySelectorAll('.error-message')].map((one) => one.textContent)";
    assert_eq!(list(&d.browser.run(messages).await).len(), 5);

    d.press("It hangs").await;
    d.ready().await;
    assert!(d.query().await.contains("It+hangs"));
    assert_eq!(
        d.browser.run(messages).await,
        json!(["It hangs", "It hangs"])
    );
    d.browser
        .run("document.querySelector('.errors details').open = true")
        .await;
    assert_eq!(d.browser.text(".stack").await, "at f of It hangs");
    // The same row leads back.
    d.press("It hangs").await;
    d.ready().await;
    assert_eq!(list(&d.browser.run(messages).await).len(), 5);

    d.browser.click("#range").await;
    d.press("Yesterday").await;
    d.ready().await;
    let text = d.browser.text("#main").await;
    assert!(text.contains("No errors in these days."), "{text}");
    d.nothing_wrong().await;
}

#[tokio::test]
async fn web_vitals_are_the_apis() {
    let site = shared().new_site().await;
    let vital = |page: &str, value: i64| {
        json!({
            "eventId": uuid(), "eventType": "web_vital", "userId": "u1", "sessionId": "s1",
            "eventData": {"name": "LCP", "value": value, "url": format!("https://shop.example{page}")},
            "metadata": {"platform": "web"},
        })
    };
    let events = [
        view("/a", "u1"),
        view("/b", "u1"),
        vital("/a", 1200),
        vital("/a", 4600),
        vital("/b", 900),
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=errors&range=7d").await;
    let shown = "const one = document.querySelector('.vital'); return one && \
        [one.querySelector('abbr').textContent, one.querySelector('.rating').textContent, one.lastElementChild.textContent]";
    for (place, name, page) in [("", "LCP", ""), ("&page=%2Fb", "LCP", "&page=/b")] {
        d.go(&format!("?view=errors&range=7d{place}")).await;
        let api = site
            .get(&format!(
                "/v1/analytics/metrics/vitals?startDate={}{page}",
                crate::filled::date(6)
            ))
            .await;
        let vital = &api["vitals"][0];
        let rating = match vital["p75"].as_f64().unwrap() {
            ..=2500.0 => "Good",
            ..=4000.0 => "Needs improvement",
            _ => "Poor",
        };
        let found = d.browser.run(shown).await;
        assert_eq!((&found[0], &found[1]), (&json!(name), &json!(rating)));
        let measured = format!("{} measured", number(&vital["count"]));
        assert!(found[2].as_str().unwrap().ends_with(&measured), "{found}");
    }
    d.nothing_wrong().await;
}

/// The number of a code in the table of outcomes.
async fn outcome(d: &Dashboard, code: &str) -> String {
    let rows = d.rows("Outcomes by reason").await;
    let row = rows.into_iter().find(|row| row[0].ends_with(code));
    row.map_or_else(String::new, |mut row| row.swap_remove(1))
}

#[tokio::test]
async fn every_outcome_is_told_with_its_reason() {
    let site = shared().new_site().await;
    fill(&site).await;
    let good = batch(&[view("/", "u1")]);
    site.send_ok(&good).await;
    site.send_ok(&good).await;
    let mut nameless = view("/", "u1");
    nameless["userId"] = Value::Null;
    site.send_ok(&batch(&[view("/", "u2"), nameless])).await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=quality").await;
    let api = site.get("/v1/analytics/outcomes").await;
    let totals = &api["totals"];
    assert_eq!(d.figure("Received").await, number(&api["received"]));
    for (label, code) in [("Accepted", "accepted"), ("Duplicate", "duplicate")] {
        assert_ne!(totals[code], 0);
        assert_eq!(d.figure(label).await, number(&totals[code]), "{label}");
    }
    let exact = totals.as_object().unwrap().iter();
    for (code, n) in exact.filter(|(code, _)| !list(&api["approximate"]).contains(&json!(code))) {
        assert_eq!(outcome(&d, code).await, number(n), "{code}");
    }
    assert_eq!(totals["missing_field"], 1, "{totals}");
    assert_eq!(d.figure("Rejected").await, "1");

    let api = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(api["closed"], true);
    let rows = d.rows("Reconciliation by hour").await;
    let hours: Vec<Vec<String>> = list(&api["hours"])
        .iter()
        .rev()
        .map(|hour| {
            [
                "received",
                "stored",
                "landed",
                "deadLettered",
                "pending",
                "difference",
            ]
            .iter()
            .map(|name| number(&hour[name]))
            .collect()
        })
        .collect();
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row[1..].to_vec()).collect();
    assert_eq!(shown, hours);
    let text = d.browser.text("#main").await;
    assert!(text.contains("It adds up"), "{text}");
    assert!(text.contains("All in all: Healthy"), "{text}");
    assert!(text.contains("It needs the admin token."), "{text}");

    d.press("Last 7 days").await;
    d.ready().await;
    assert!(d.query().await.contains("hours=168"));
    let api = site.get("/v1/analytics/outcomes?hours=168").await;
    assert_eq!(d.figure("Received").await, number(&api["received"]));
    operations(&d, &site).await;
    d.nothing_wrong().await;
}

/// What is shown of the collector's own calls: some seconds later they may be more.
async fn operations(d: &Dashboard, site: &Site) {
    shoreline_tests::eventually("the calls are those of the API", async || {
        d.go("?view=quality&hours=168").await;
        let api = site
            .get("/v1/analytics/operations?windowMinutes=10080")
            .await;
        let mut rows = d.rows("Calls by action").await;
        rows.sort();
        let shown: Vec<[String; 2]> = rows
            .iter()
            .map(|row| [row[0].clone(), row[1].clone()])
            .collect();
        let want: Vec<[String; 2]> = api["actions"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(action, figures)| [action.clone(), number(&figures["calls"])])
            .collect();
        (!want.is_empty() && shown == want).then_some(())
    })
    .await;
}
