//! Names that want to be markup stay text.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, uuid};
use shoreline_tests::system::shared;

use super::Dashboard;

/// What a page, a feature, a user may be called.
pub(super) const NAMES: [&str; 6] = [
    "<img src=x onerror=\"window.hit=1\">",
    "<script>window.hit=2</script>",
    "\"><svg onload=window.hit=3>",
    "javascript:window.hit=4",
    "{{constructor.constructor('window.hit=5')()}}",
    "constructor",
];

pub(super) fn event(event_type: &str, name: &str, data: Value) -> Value {
    json!({
        "eventId": uuid(), "eventType": event_type, "userId": name, "sessionId": name,
        "eventData": data, "metadata": {"platform": name},
    })
}

#[tokio::test]
async fn names_that_want_to_be_markup_stay_text() {
    let site = shared().new_site().await;
    for name in NAMES {
        let events = [
            event(
                "page_view",
                name,
                json!({"path": format!("/{name}"), "title": name, "referrer": name, "utm_source": name, "utm_campaign": name}),
            ),
            event("feature_use", name, json!({"feature": name})),
            event("content_create", name, json!({"contentType": name})),
            event(
                "ai_request",
                name,
                json!({"model": name, "tokens": 3, "cost": 0.5}),
            ),
            event(
                "error",
                name,
                json!({"message": name, "source": name, "stack": name}),
            ),
        ];
        site.send_ok(&batch(&events)).await;
    }
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=features").await;
    let mut shown: Vec<String> = d
        .rows("Features")
        .await
        .into_iter()
        .map(|mut row| row.swap_remove(0))
        .collect();
    shown.sort();
    let mut want = NAMES.map(str::to_owned).to_vec();
    want.sort();
    assert_eq!(shown, want);
    let places = super::VIEWS.iter().map(|view| format!("?view={view}"));
    let tabs = ["referrer", "utm_source", "utm_campaign", "platform"];
    let tabs = tabs.iter().map(|by| format!("?view=pages&by={by}"));
    let chosen = NAMES.iter().flat_map(|name| {
        let named = |filters: Value| super::filters::encoded(&filters);
        let query: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let by = named(json!([
            "and",
            ["is", "page", [format!("/{name}")]],
            ["did", ["contains", format!("data.{name}"), [name]]]
        ]));
        [
            format!("overview&filters={query}"),
            format!("features&filters={by}"),
            format!("pages&tz={query}&compare={query}&interval={query}&filters={by}"),
            format!("content&metric={query}"),
            format!("properties&custom={query}&property={query}"),
            format!("properties&eventType={query}"),
            format!("ask&ask={query}"),
            format!(
                "ask&ask={}",
                named(
                    json!({"metrics": [name], "dimensions": [format!("data.{name}")], (*name): name})
                )
            ),
            format!("now&user={query}"),
            format!("now&type={query}"),
        ]
        .map(|place| format!("?view={place}"))
    });
    for place in places.chain(tabs).chain(chosen) {
        d.go(&place).await;
        d.browser
            .run("document.querySelectorAll('details').forEach((e) => { e.open = true })")
            .await;
        let foreign = "return [window.hit ?? null, document.querySelectorAll('#app img, #app script, #app [onload], #app [onerror], #app [href^=\"javascript:\"]').length]";
        assert_eq!(d.browser.run(foreign).await, json!([null, 0]), "{place}");
        d.nothing_wrong().await;
    }
}
