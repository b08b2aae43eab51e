//! What the edge adds to an event and sets right in it.

use serde_json::{Value, json};

use super::{body, facts, published, view};
use crate::ingest::take_batch;
use crate::testing::{NOW, TestPlatform, block_on, uuid};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn stored(body: String) -> Value {
    let mut platform = TestPlatform::new(body);
    let mut facts = facts();
    facts.user_agent = Some(FIREFOX.into());
    block_on(take_batch(facts, &mut platform)).unwrap();
    published(&platform)["parts"][0]["events"][0].clone()
}

#[test]
fn a_views_browser_and_source_are_named() {
    let mut event = view(10);
    event["eventData"] = json!({
        "url": "https://shop.example/a?utm_source=NewsLetter&utm_campaign=Spring&card=4111111111111111",
        "referrer": "https://www.google.com/search?q=secret",
    });
    let event = stored(body(&[event]));
    assert_eq!(
        (&event["browser"], &event["os"]),
        (&json!("Firefox"), &json!("Linux"))
    );
    assert_eq!(event["device"], "desktop");
    let data = &event["eventData"];
    assert_eq!(data["utm_source"], "newsletter");
    assert_eq!(data["utm_campaign"], "Spring");
    assert_eq!(data["referrerHost"], "google.com");
    assert_eq!(data["referrerSource"], "newsletter");
    // What is made of the address is as clean as the address.
    assert!(!event.to_string().contains("secret") && !event.to_string().contains("4111"));
}

#[test]
fn a_made_up_referrer_of_a_spammer_is_left_out() {
    let mut spam = view(10);
    spam["eventData"]["referrer"] = json!("https://www.semalt.com/crawler");
    let mut platform = TestPlatform::new(body(&[spam, view(11)]));
    let answer = super::run(&mut platform).unwrap();
    assert_eq!((answer.accepted, answer.skipped), (1, 1));
    assert_eq!(answer.results[0].code, "spam_referrer");
}

/// What is counted live of pages in a batch of views with these data.
fn pages(data: &[Value]) -> Vec<Value> {
    let views = data.iter().zip(10..).map(|(data, n)| {
        let mut event = view(n);
        event["eventData"] = data.clone();
        event
    });
    let mut platform = TestPlatform::new(body(&views.collect::<Vec<_>>()));
    super::run(&mut platform).unwrap();
    let counters = published(&platform)["counters"].clone();
    let counters = counters.as_array().unwrap().iter();
    let pages = counters.filter(|counter| counter[0] == "p");
    pages
        .map(|counter| json!([counter[2], counter[3]]))
        .collect()
}

#[test]
fn one_page_in_several_spellings_is_one() {
    let views = [
        json!({"path": "/über"}),
        json!({"path": "/%C3%BCber"}),
        json!({"path": "/%c3%bcber?q=1"}),
        json!({"url": "https://shop.example/%C3%BCb%65r"}),
        json!({"page": "/%c3%bcb\u{0}er"}),
    ];
    assert_eq!(pages(&views[..4]), [json!(["/über", 4])]);
    // The slow way, which a control character takes, writes the same.
    assert_eq!(pages(&views[1..]), [json!(["/über", 4])]);
}

#[test]
fn a_path_names_no_host() {
    assert_eq!(
        pages(&[json!({"path": "//shopx/checkout"})]),
        [json!(["//shopx/checkout", 1])]
    );
    assert_eq!(
        pages(&[json!({"url": "//shopx/checkout"})]),
        [json!(["/checkout", 1])]
    );
    let mut event = view(10);
    event["eventData"] = json!({"path": "//shopx/checkout", "referrer": "https://shopx/a"});
    assert_eq!(stored(body(&[event]))["eventData"]["referrerHost"], "shopx");
}

#[test]
fn an_error_keeps_its_lines() {
    let mut error = view(10);
    error["eventType"] = json!("error");
    // Once as the pass takes it, and once, for a key with an escape, as the tree does.
    for other in ["name", "na\u{1}me"] {
        error["eventData"] = json!({
            "message": " Error: a\r\n\tb\u{0}c\n", "stack": "Error\n\tat bob@x.example\n    at (a.js:1:2)",
            other: "a\n\tb", "componentStack": ["\nat A\nat B"],
        });
        let data = stored(body(&[error.clone()]))["eventData"].clone();
        assert_eq!(data["message"], "Error: a\n\tbc");
        assert_eq!(data["stack"], "Error\n\tat [redacted]\n    at (a.js:1:2)");
        assert_eq!(data["componentStack"], json!(["at A\nat B"]));
        assert_eq!(data["name"], "ab");
    }
}

#[test]
fn a_clock_an_hour_ahead_is_set_right() {
    let hour = 3_600_000;
    let mut event = view(10);
    event["timestamp"] = json!(NOW + hour - 30_000);
    let sent = |sent_at: Value| {
        let batch = json!({"batchId": uuid(1), "sentAt": sent_at, "events": [event.clone()]});
        stored(batch.to_string())["timestamp"].clone()
    };
    assert_eq!(sent(json!(NOW + hour)), NOW - 30_000);
    assert_eq!(sent(Value::Null), NOW + hour - 30_000);
}

#[test]
fn a_body_that_is_long_under_way_moves_no_time() {
    let mut event = view(10);
    let mut sent = |at: i64, late: i64| {
        event["timestamp"] = json!(NOW - at);
        let batch = json!({"batchId": uuid(1), "sentAt": NOW - late, "events": [event.clone()]});
        stored(batch.to_string())["timestamp"].clone()
    };
    for late in [100, 15_000, 19_000, 60_000] {
        assert_eq!(sent(70_000, late), NOW - 70_000, "{late}");
    }
    // A clock that is ten minutes behind.
    assert_eq!(sent(620_000, 600_000), NOW - 20_000);
}

#[test]
fn a_private_visits_agent_is_read_and_not_kept() {
    let mut platform = TestPlatform::new(body(&[view(10)]));
    let mut private = facts();
    private.user_agent = Some(FIREFOX.into());
    private.opted_out = true;
    block_on(take_batch(private, &mut platform)).unwrap();
    let event = published(&platform)["parts"][0]["events"][0].clone();
    assert_eq!(event["browser"], "Firefox");
    assert_eq!(event["metadata"]["userAgent"], "[redacted]");
}

#[test]
fn a_page_may_ask_for_hashes_of_its_users_ids() {
    let mut page = facts();
    page.query.push_str("&hashIds=1");
    let (mut named, mut other) = (view(10), view(11));
    named["userId"] = "alice@example.com".into();
    other["userId"] = "bob@example.com".into();
    let users = |platform: &TestPlatform| -> Vec<String> {
        let events = published(platform)["parts"][0]["events"].clone();
        let events = events.as_array().unwrap().iter();
        events
            .map(|event| event["userId"].as_str().unwrap().to_owned())
            .collect()
    };
    let batch = body(&[named.clone(), other, named]);
    let mut platform = TestPlatform::new(batch.clone());
    block_on(take_batch(page.clone(), &mut platform)).unwrap();
    let hashed = users(&platform);
    assert!(
        hashed.iter().all(|id| id.starts_with("hashed-")),
        "{hashed:?}"
    );
    assert_ne!(hashed[0], hashed[1]);
    assert!(!published(&platform).to_string().contains("alice"));

    // Who does not ask for it is named as ever; a private visit has the day's id.
    let mut platform = TestPlatform::new(batch.clone());
    block_on(take_batch(facts(), &mut platform)).unwrap();
    assert_eq!(users(&platform)[0], "alice@example.com");
    page.opted_out = true;
    let mut platform = TestPlatform::new(batch);
    block_on(take_batch(page, &mut platform)).unwrap();
    assert!(users(&platform)[0].starts_with("anon-"));
}
