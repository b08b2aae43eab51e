//! Plausible's tracker: the code of its script, as a package.

use serde_json::json;
use shoreline_tests::clients::ClientPage;
use shoreline_tests::system::shared;

use super::{of_type, one, stored};

#[tokio::test]
async fn views_events_clicks_and_engagement_are_stored_once() {
    let site = shared().new_local_site().await;
    let config = json!({"collector": site.url, "domain": site.domain});
    let link = "<a id=out href='https://elsewhere.example/x' onclick='return false'>Out</a>";
    let page = ClientPage::open("plausible.mjs", &config, link).await;
    let signup =
        "app.sent('Signup', {props: {plan: 'pro'}, revenue: {amount: '12.50', currency: 'EUR'}})";
    assert_eq!(page.browser.value(signup).await, json!({"status": 202}));
    let passive = "app.sent('Autoplay', {interactive: false})";
    assert_eq!(page.browser.value(passive).await, json!({"status": 202}));
    page.browser.click("#out").await;
    page.browser
        .run("history.pushState({}, '', '/second')")
        .await;
    // The first page is left by the second, the second by closing it.
    page.browser.open("about:blank").await;
    let stored = stored(&site, 7).await;

    for event in &stored {
        assert_eq!(event["source"], "plausible");
        let user = event["userId"].as_str().unwrap();
        assert!(user.starts_with("anon-"), "{user}");
        assert_eq!(event["userId"], stored[0]["userId"], "one visitor");
        assert_eq!(event["browser"], "Chrome");
        assert_eq!(event["metadata"]["platform"], "web");
    }
    let of = |event_type: &str| {
        let events = stored
            .iter()
            .filter(|event| event["eventType"] == event_type);
        let mut urls: Vec<&str> = events
            .map(|event| event["eventData"]["url"].as_str().unwrap())
            .collect();
        urls.sort_unstable();
        urls
    };
    let (first, second) = (
        format!("{}/", page.pages.url),
        format!("{}/second", page.pages.url),
    );
    assert_eq!(of("page_view"), [&first, &second]);
    assert_eq!(of("page_leave"), [&first, &second]);
    for event in stored
        .iter()
        .filter(|event| event["eventType"] == "page_leave")
    {
        assert!(event["eventData"]["scrollDepth"].is_number(), "{event}");
        assert!(event["eventData"]["engagedMs"].is_number(), "{event}");
    }
    let signup = one(&stored, "feature", "Signup");
    assert_eq!(signup["eventType"], "feature_use");
    assert_eq!(
        signup["eventData"],
        json!({"feature": "Signup", "plan": "pro", "url": first, "revenue": {"amount": "12.50", "currency": "EUR"}})
    );
    assert_eq!(
        one(&stored, "feature", "Autoplay")["eventData"]["interactive"],
        false
    );
    let out = of_type(&stored, "outbound");
    assert_eq!(
        (&out["eventData"]["url"], &out["eventData"]["page"]),
        (&json!("https://elsewhere.example/x"), &json!(first))
    );
}

#[tokio::test]
async fn the_form_of_older_scripts_is_stored_once() {
    let site = shared().new_local_site().await;
    let config = json!({"collector": site.url, "domain": site.domain});
    let page = ClientPage::open("plausible-old.mjs", &config, "").await;
    page.browser.value("app.everything()").await;
    let stored = stored(&site, 2).await;
    let url = format!("{}/", page.pages.url);
    let view = of_type(&stored, "page_view");
    assert_eq!(view["eventData"]["url"], url);
    assert_eq!(view["eventData"]["referrerSource"], "Google");
    assert!(view["metadata"]["screenWidth"].is_number(), "{view}");
    let signup = one(&stored, "feature", "Signup");
    assert_eq!(signup["eventData"]["plan"], "pro");
    assert_eq!(signup["eventData"]["url"], url);
    assert_eq!(signup["userId"], view["userId"]);
}
