//! Goals: made from filters, counted, drawn, told apart; and questions of a view go in one call.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, uuid, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;

use super::access::complaints;
use super::filters::{answer, encoded};
use super::settings::{admin, says};
use super::{Dashboard, number, percent};
use crate::filled::fill;

fn sale(user: &str, amount: f64, currency: &str) -> Value {
    json!({
        "eventId": uuid(), "eventType": "custom", "source": "shop", "userId": user, "sessionId": user,
        "eventData": {"name": "buy", "revenue": {"amount": amount, "currency": currency}},
    })
}

async fn shop() -> Site {
    let site = shared().new_site().await;
    let views = [("/", "ann"), ("/", "bob"), ("/cart", "bob"), ("/", "cid")].map(|(path, user)| {
        let mut event = view(path, user);
        event["sessionId"] = user.into();
        event
    });
    site.send_ok(&batch(&views)).await;
    let sales = [
        sale("ann", 10.0, "EUR"),
        sale("ann", 2.5, "EUR"),
        sale("bob", 5.0, "USD"),
    ];
    let taken = reply(site.ingest().json(&sales)).await;
    assert_eq!(taken.body["accepted"], 3, "{}", taken.body);
    site.settle().await;
    site
}

#[tokio::test]
async fn a_goal_is_made_of_filters_counted_drawn_and_told_apart() {
    let site = shop().await;
    let filter = json!(["is", "custom", ["buy"]]);
    let d = admin(site.clone(), "?view=goals&range=7d").await;
    d.go("?view=goals&range=7d").await;
    let main = d.browser.text("#main").await;
    assert!(main.contains("No goal is set."), "{main}");
    d.go(&format!(
        "?view=goals&range=7d&filters={}",
        encoded(&filter)
    ))
    .await;
    d.browser
        .run("document.querySelector('#f-name').value = 'Sale'")
        .await;
    d.press("Save as a goal").await;
    shoreline_tests::eventually("it is listed", async || {
        let rows = d.rows("Goals").await;
        (!rows.is_empty()).then_some(())
    })
    .await;
    d.ready().await;
    let goals = site.get("/v1/analytics/goals").await;
    let goal = &goals["goals"][0];
    assert_eq!((&goal["name"], &goal["filter"]), (&json!("Sale"), &filter));
    let asked = json!({"metrics": ["conversions", "converted", "conversionRate"], "range": "7d", "goal": goal["goalId"]});
    let api = answer(&site, asked).await;
    let totals = &api["totals"];
    assert_eq!(totals[0], 3);
    let row = d.rows("Goals").await.remove(0);
    assert_eq!(row[0], "Sale");
    assert_eq!(row[1], number(&totals[0]));
    assert_eq!(row[3], number(&totals[1]));
    assert_eq!(row[4], percent(&totals[2]));
    // Amounts of money by currency, never added.
    assert_eq!(row[5], "12.5 EUR, 5 USD");

    // The goal that was made is the one that is shown.
    assert_eq!(d.figure("Conversions").await, "3");
    assert_eq!(d.figure("Users").await, "2");
    d.press("Entry pages").await;
    d.ready().await;
    let rows = d.rows("Conversions by entry page").await;
    assert_eq!(rows[0][..3], ["/", "3", "2"]);
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        d.scheme(scheme).await;
        d.resize(width, 900).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        assert!(d.browser.run(wide).await.as_i64().unwrap() <= 0, "{width}");
    }
    d.resize(1280, 900).await;

    // A name twice is refused as the API says it.
    d.go(&format!(
        "?view=goals&range=7d&filters={}",
        encoded(&filter)
    ))
    .await;
    d.browser
        .run("document.querySelector('#f-name').value = 'Sale'")
        .await;
    d.press("Save as a goal").await;
    says(&d, ".goal-admin .form", "already").await;
    // Ask knows it by name.
    d.go("?view=ask&range=7d").await;
    let offered =
        "return [...document.querySelectorAll('#ask-goal option')].map((one) => one.textContent)";
    shoreline_tests::eventually_is("the goal is offered", json!(["None", "Sale"]), async || {
        d.browser.run(offered).await
    })
    .await;
    // It goes when it is removed.
    d.go("?view=goals&range=7d").await;
    d.press("Remove").await;
    d.browser.click("dialog .danger").await;
    shoreline_tests::eventually("it is gone", async || {
        let main = d.browser.text("#main").await;
        main.contains("No goal is set.").then_some(())
    })
    .await;
    d.nothing_wrong().await;
}

#[tokio::test]
async fn questions_of_a_view_go_in_one_call() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "").await;
    let filter = json!(["is", "platform", ["web"]]);
    d.go(&format!("?filters={}", encoded(&filter))).await;
    let asked = "return performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)\
        .filter((path) => path.startsWith('/v1/analytics/query'))";
    assert_eq!(
        d.browser.run(asked).await,
        json!(["/v1/analytics/query/panels"])
    );
    // One that cannot be answered does not take the others with it.
    let wrong = json!(["is", "shoe", ["red"]]);
    d.go(&format!(
        "?view=errors&range=7d&filters={}",
        encoded(&wrong)
    ))
    .await;
    let failed = "return [...document.querySelectorAll('.failure')].map((one) => one.textContent)";
    let failed = d.browser.run(failed).await;
    assert!(!failed.as_array().unwrap().is_empty());
    for one in failed.as_array().unwrap() {
        assert!(one.as_str().unwrap().contains("(filters"), "{one}");
    }
    d.nothing_wrong().await;
}
