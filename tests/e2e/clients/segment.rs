//! Segment's libraries for Node and for browsers.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shoreline_tests::clients::{ClientPage, run};
use shoreline_tests::system::shared;

use super::{of_type, one, stored, totals};

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test]
async fn every_call_of_the_node_library_is_stored_once() {
    let site = shared().new_site().await;
    let said = run("segment-node.mjs", &[&site.url, &site.source_key]).await;
    assert_eq!(said["failures"], json!([]), "{said}");
    assert_eq!(said["statuses"], json!([200, 200, 200, 200]), "{said}");
    let stored = stored(&site, 7).await;
    assert!(stored.iter().all(|event| event["source"] == "segment"));
    let minute_ago = now_ms() - 60_000;

    let track = one(&stored, "messageId", "m-track");
    assert_eq!(track["eventType"], "feature_use");
    assert_eq!(track["userId"], "user-1");
    assert_eq!(
        track["eventData"],
        json!({"feature": "Order Placed", "messageId": "m-track", "total": 12.5, "items": ["a", "b"]})
    );
    assert_eq!(track["metadata"]["ipAddress"], "203.0.113.0");
    assert_eq!(track["metadata"]["platform"], "server");
    assert_eq!(track["metadata"]["locale"], "nl-NL");
    let library = track["metadata"]["library"].as_str().unwrap();
    assert!(library.starts_with("@segment/analytics-node/"), "{library}");
    assert_eq!(
        (&track["browser"], &track["os"]),
        (&json!("Chrome"), &json!("Linux"))
    );
    let at = track["timestamp"].as_i64().unwrap();
    assert!((minute_ago - 60_000..=minute_ago).contains(&at), "{at}");

    let page = one(&stored, "messageId", "m-page");
    assert_eq!(page["eventType"], "page_view");
    assert_eq!(page["sessionId"], track["sessionId"]);
    for (key, value) in [
        ("url", "https://shop.example/setup?utm_source=News"),
        ("utm_source", "news"),
        ("title", "Setup"),
        ("name", "Setup"),
        ("category", "Docs"),
    ] {
        assert_eq!(page["eventData"][key], value, "{key}");
    }
    let screen = one(&stored, "messageId", "m-screen");
    assert_eq!(
        (&screen["eventType"], &screen["eventData"]["page"]),
        (&json!("page_view"), &json!("Cart"))
    );
    let data = |event_type: &str| of_type(&stored, event_type)["eventData"].clone();
    assert_eq!(data("segment.identify")["traits"], json!({"plan": "pro"}));
    let group = data("segment.group");
    assert_eq!(
        (&group["groupId"], &group["traits"]),
        (&json!("acme"), &json!({"seats": 5}))
    );
    assert_eq!(data("segment.alias")["previousId"], "anon-9");
    assert_eq!(one(&stored, "messageId", "m-anonymous")["userId"], "anon-9");
    // Counted as sent, twice, and stored once.
    let totals = totals(&site).await;
    let sum: i64 = totals
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_i64)
        .sum();
    assert_eq!(sum, 14, "{totals}");
}

#[tokio::test]
async fn every_call_of_the_browser_library_is_stored_once() {
    for batching in [false, true] {
        let site = shared().new_local_site().await;
        let config =
            json!({"collector": site.url, "writeKey": site.browser_key, "batching": batching});
        let page = ClientPage::open("segment-browser.mjs", &config, "").await;
        let sent = page.browser.value("app.everything()").await;
        let anonymous = page.browser.value("app.anonymousId()").await;
        let stored = stored(&site, 6).await;
        for id in sent.as_array().unwrap() {
            let event = one(&stored, "messageId", id.as_str().unwrap());
            assert_eq!(event["metadata"]["platform"], "web", "{event}");
            assert_eq!(event["browser"], "Chrome", "{event}");
            let ip = event["metadata"]["ipAddress"].as_str().unwrap();
            assert!(ip.ends_with(".0") || ip.ends_with("::"), "{ip}");
        }
        let view = one(&stored, "name", "Setup");
        assert_eq!(view["eventType"], "page_view");
        assert_eq!(view["userId"], anonymous);
        assert_eq!(view["eventData"]["url"], format!("{}/", page.pages.url));
        assert_eq!(view["eventData"]["title"], "A page");
        assert_eq!(view["eventData"]["colour"], "green");
        let track = one(&stored, "feature", "Order Placed");
        assert_eq!(
            (&track["eventType"], &track["eventData"]["total"]),
            (&json!("feature_use"), &json!(12.5))
        );
        let identify = of_type(&stored, "segment.identify");
        assert_eq!(identify["userId"], "user-1");
        assert_eq!(identify["eventData"]["traits"], json!({"plan": "pro"}));
        assert_eq!(
            of_type(&stored, "segment.group")["eventData"]["groupId"],
            "acme"
        );
        // The library puts the user that it knows before the one that the call names.
        let alias = of_type(&stored, "segment.alias");
        assert_eq!(alias["userId"], "user-1");
        assert_eq!(alias["eventData"]["previousId"], "user-1");
        assert_eq!(one(&stored, "page", "Cart")["eventType"], "page_view");
    }
}
