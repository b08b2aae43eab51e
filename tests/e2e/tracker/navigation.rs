//! What counts as a view.

use serde_json::json;
use shoreline_tests::visit::{Setup, Visit};

#[tokio::test]
async fn only_paths_that_are_gone_to_are_views() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    let page = &visit.browser;
    page.run("history.pushState({}, '', '/a')").await;
    page.run("history.replaceState({}, '', '/renamed')").await;
    page.run("history.pushState({}, '', '/renamed?page=2')")
        .await;
    page.run("history.pushState({}, '', '/renamed#part')").await;
    page.run("history.pushState({}, '', '/b')").await;
    page.run("history.go(-4)").await;
    shoreline_tests::eventually("the visitor is back at /", async || {
        let path = page.run("return location.pathname").await;
        (path == "/").then_some(())
    })
    .await;
    visit.feature("the end").await;
    visit.flush().await;
    let want = [
        "page_view /",
        "page_view /a",
        "page_view /b",
        "page_view /",
        "feature_use the end",
    ];
    let events = visit.arrived(&want).await;
    // A route's view names the route before as what led to it; of the site's own pages the collector
    // keeps none as a referrer.
    let url = |path: &str| format!("{}{path}", visit.pages.url);
    assert_eq!(events[1]["eventData"]["url"], url("/a"));
    let sent: Vec<_> = visit
        .proxy
        .posts()
        .into_iter()
        .map(|post| post.body)
        .collect();
    let told = sent
        .iter()
        .flat_map(|body| body["events"].as_array().unwrap())
        .find(|event| event["eventId"] == events[1]["eventId"])
        .unwrap();
    assert_eq!(told["eventData"]["referrer"], url("/"));
    assert_eq!(events[1]["eventData"]["referrer"], serde_json::Value::Null);
    assert_eq!(events[0]["eventData"]["title"], "/");
    visit.landed(&events).await;
}

#[tokio::test]
async fn with_hash_mode_fragments_are_paths_and_without_they_are_not() {
    for (attributes, views) in [
        ("", &["page_view /"][..]),
        ("data-hash", &["page_view /", "page_view /", "page_view /"]),
    ] {
        let visit = Visit::open(Setup::attributes(attributes).in_whole_browser()).await;
        visit.browser.run("location.hash = '#/one'").await;
        visit.feature("between").await;
        visit.browser.run("location.hash = '#/two'").await;
        visit.feature("after").await;
        visit.flush().await;
        let mut want = views.to_vec();
        want.extend(["feature_use between", "feature_use after"]);
        visit.arrived(&want).await;
        let sent = visit.proxy.taken();
        let urls: Vec<&str> = sent
            .iter()
            .flat_map(|post| post.body["events"].as_array().unwrap())
            .filter(|event| event["eventType"] == "page_view")
            .map(|event| event["eventData"]["url"].as_str().unwrap())
            .collect();
        assert_eq!(urls.len(), views.len());
        if !attributes.is_empty() {
            assert!(
                urls[1].ends_with("#/one") && urls[2].ends_with("#/two"),
                "{urls:?}"
            );
        }
    }
}

#[tokio::test]
async fn back_from_another_page_by_the_back_forward_cache_is_a_view() {
    let persisted =
        "addEventListener('pageshow', (event) => { window.persisted = event.persisted })";
    let visit = Visit::open(Setup::script(persisted).in_whole_browser()).await;
    visit.feature("before").await;
    visit.flush().await;
    visit.go("/elsewhere").await;
    visit.flush().await;
    visit.browser.back().await;
    visit.loaded().await;
    let shown = "return [location.pathname, window.persisted, \
        performance.getEntriesByType('navigation')[0].notRestoredReasons]";
    let shown = visit.browser.run(shown).await;
    assert_eq!(
        (&shown[0], &shown[1]),
        (&json!("/"), &json!(true)),
        "{shown}"
    );
    visit.feature("restored").await;
    visit.flush().await;
    let want = [
        "page_view /",
        "feature_use before",
        "page_view /elsewhere",
        "page_view /",
        "feature_use restored",
    ];
    let events = visit.arrived(&want).await;
    let sessions: Vec<_> = events.iter().map(|event| &event["sessionId"]).collect();
    assert!(sessions.iter().all(|id| *id == sessions[0]), "{sessions:?}");
}

#[tokio::test]
async fn a_reload_is_a_view_and_repeats_nothing() {
    let visit = Visit::open(Setup::default().in_whole_browser()).await;
    let mut want = vec!["page_view /".to_owned()];
    for round in 0..3 {
        want.extend(visit.features(&format!("round{round}-"), 30).await);
        visit.browser.driver().refresh().await.unwrap();
        visit.loaded().await;
        want.push("page_view /".to_owned());
    }
    visit.flush().await;
    let events = visit.arrived(&want).await;
    for field in ["userId", "sessionId"] {
        let first = &events[0][field];
        assert!(events.iter().all(|event| &event[field] == first), "{field}");
    }
    visit.landed(&events).await;
}

#[tokio::test]
async fn a_page_that_is_prerendered_is_viewed_when_it_is_shown() {
    // What the prerendered page has to say, it keeps where the page before can read it.
    let told = "addEventListener('load', async () => { if (!document.prerendering) return; \
        shoreline('feature', 'told before it was shown'); \
        const { sent, pending } = await shoreline.flush(); \
        localStorage.prerendered = [location.pathname, document.prerendering, sent, pending] })";
    let rules = r#"<script type=speculationrules>{"prerender": [{"source": "list", "urls": ["/next"]}]}</script>"#;
    let visit = Visit::open(Setup::script(told).and_body(rules).in_whole_browser()).await;
    shoreline_tests::eventually("the next page is prerendered", async || {
        let told = visit
            .browser
            .run("return localStorage.prerendered ?? ''")
            .await;
        (told == "/next,true,0,0").then_some(())
    })
    .await;
    visit.flush().await;
    visit.arrived(&["page_view /"]).await;
    let shown = visit.browser.run("return Date.now()").await;
    visit.browser.run("location.href = '/next'").await;
    visit.loaded().await;
    shoreline_tests::eventually("it is the prerendered page that is shown", async || {
        let activation = "return location.pathname === '/next' && \
            performance.getEntriesByType('navigation')[0].activationStart > 0";
        (visit.browser.run(activation).await == true).then_some(())
    })
    .await;
    visit.flush().await;
    let want = [
        "page_view /",
        "page_view /next",
        "feature_use told before it was shown",
    ];
    let events = visit.arrived(&want).await;
    let next = events
        .iter()
        .find(|event| event["eventData"]["title"] == "/next")
        .unwrap();
    assert!(next["timestamp"].as_i64() >= shown.as_i64(), "{next}");
}
