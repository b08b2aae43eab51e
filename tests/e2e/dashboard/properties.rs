//! Properties: from events to what they hold, to any of it broken down.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, uuid, view};
use shoreline_tests::system::shared;

use super::access::complaints;
use super::filters::answer;
use super::{Dashboard, number};

fn custom(name: &str, user: &str, data: &Value) -> Value {
    let mut event = json!({
        "eventId": uuid(), "eventType": "custom", "userId": user, "sessionId": user,
        "eventData": {"name": name}, "metadata": {"platform": "web"},
    });
    for (key, value) in data.as_object().unwrap() {
        event["eventData"][key] = value.clone();
    }
    event
}

#[tokio::test]
async fn an_events_properties_are_found_and_broken_down() {
    let site = shared().new_site().await;
    let events = [
        view("/", "ann"),
        custom(
            "order",
            "ann",
            &json!({"plan": "pro", "order": {"total": 12.5}}),
        ),
        custom(
            "order",
            "bob",
            &json!({"plan": "pro", "order": {"total": 7.5}}),
        ),
        custom(
            "order",
            "bob",
            &json!({"plan": "free", "order": {"total": "none"}}),
        ),
        custom("signup", "cid", &json!({"plan": "free"})),
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let d = Dashboard::open(site.clone(), "?view=properties&range=7d").await;
    let mut names: Vec<Vec<String>> = d.rows("Events").await;
    names.sort();
    assert_eq!(
        names,
        [
            ["Page view", "1", "1"],
            ["order", "3", "2"],
            ["signup", "1", "1"]
        ]
    );
    d.press("order").await;
    d.ready().await;
    let mut held = d.rows("Properties").await;
    held.sort();
    // The newest event is looked at first: which type is named first depends on their order.
    let total = held.iter_mut().find(|row| row[0] == "order.total").unwrap();
    if total[1] == "text, number" {
        total[1] = "number, text".to_owned();
    }
    assert_eq!(
        held,
        [
            ["name", "text", "100%"],
            ["order.total", "number, text", "100%"],
            ["plan", "text", "100%"]
        ]
    );
    d.press("plan").await;
    d.ready().await;
    let body = json!({"metrics": ["events", "users"], "dimensions": ["data.plan"], "range": "7d",
        "filters": ["and", ["is", "custom", ["order"]], ["exists", "data.plan"]], "orderBy": [["events", "desc"]]});
    let api = answer(&site, body).await;
    let rows = d.rows("plan").await;
    assert_eq!(rows.len(), 2);
    for (row, want) in rows.iter().zip(api["rows"].as_array().unwrap()) {
        assert_eq!(row[0], want["dimensions"][0].as_str().unwrap());
        assert_eq!(row[1], number(&want["metrics"][0]));
        assert_eq!(row[2], number(&want["metrics"][1]));
    }
    // Numbers are summed; what is none is said to be left out.
    d.press("order.total").await;
    d.ready().await;
    assert_eq!(d.figure("Sum").await, "20");
    assert_eq!(d.figure("Mean").await, "10");
    let main = d.browser.text("#main").await;
    assert!(main.contains("1 of 3 values are no numbers"), "{main}");
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        d.scheme(scheme).await;
        d.resize(width, 900).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
    }
    // A value narrows everything to it.
    d.press("plan").await;
    d.ready().await;
    d.press("free").await;
    d.ready().await;
    assert_eq!(
        d.rows("plan").await[0][..2],
        ["free".to_owned(), "1".to_owned()]
    );
    assert!(d.query().await.contains("data.plan"));
    d.nothing_wrong().await;
}
