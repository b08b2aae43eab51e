//! Judges one kind of traffic some number of times, to be counted by valgrind:
//! `instructions <kind> <batches>`. What two numbers of batches cost apart, divided by the events
//! between them, is the cost of an event.

use shoreline_shared::id::uuid_v7;
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};
use shoreline_worker::agent::read_agent;
use shoreline_worker::batch::split;
use shoreline_worker::judge::{Context, judge};

const NOW: i64 = 1_705_334_400_000;
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const EVENTS: u32 = 25;

fn main() {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_default();
    let batches: u32 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let body = body(&kind);
    let mut taken = 0;
    for _ in 0..batches {
        taken += take(&body);
    }
    assert_eq!(taken, batches * EVENTS);
}

fn take(body: &str) -> u32 {
    let delivery = split(body.as_bytes()).expect("the body is whole");
    let context = Context {
        site: "demo",
        sender: Sender::Browser {
            user_agent: Some(AGENT),
            ip: Some("203.0.113.77"),
            adapted: false,
        },
        source: "tracker",
        privacy: Privacy::default(),
        rules: Rules {
            now_ms: NOW,
            retention_days: 30,
            any_past: false,
        },
        batch_id: delivery.batch_id.as_deref(),
        stored_batch_id: delivery.batch_id.as_deref().unwrap_or_default(),
        sent_at: delivery.sent_at,
        country: Some("DE"),
        region: Some("Bavaria"),
        is_bot: false,
        agent: Some(read_agent(AGENT)),
    };
    let judged = judge(delivery.drafts, &delivery.body, &context, String::new);
    u32::try_from(judged.lines.len()).expect("100 at most")
}

fn body(kind: &str) -> String {
    let events: Vec<String> = (0..EVENTS).map(|n| event(kind, n)).collect();
    format!(
        r#"{{"batchId":"{}","sentAt":{NOW},"dropped":0,"events":[{}]}}"#,
        id(0),
        events.join(",")
    )
}

fn event(kind: &str, n: u32) -> String {
    let (event_type, data) = match kind {
        "plain_view" => (
            "page_view",
            format!(r#"{{"url":"https://shop.example/catalog/{n}","title":"Catalog of the shop"}}"#),
        ),
        "campaign_view" => (
            "page_view",
            format!(
                r#"{{"url":"https://shop.example/catalog/{n}?utm_source=newsletter&utm_medium=email&utm_campaign=weekly&q=secret","title":"Caf\u00e9 \"Stra\u00dfe\" – größer","referrer":"https://www.google.com/search?q=shop"}}"#
            ),
        ),
        "feature" => (
            "feature_use",
            format!(r#"{{"feature":"export-{n}","duration":12.5}}"#),
        ),
        "vital" => (
            "web_vital",
            r#"{"name":"CLS","value":0.061}"#.to_owned(),
        ),
        "error" => (
            "error",
            r#"{"message":"TypeError: Cannot read properties of undefined (reading 'blocks')","source":"https://shop.example/app.js","stack":"TypeError: Cannot read properties of undefined (reading 'blocks')\n    at render (https://shop.example/app.js:10:20)\n    at flush (https://shop.example/app.js:33:7)\n    at https://shop.example/app.js:40:1"}"#.to_owned(),
        ),
        _ => {
            let kinds = ["plain_view", "campaign_view", "feature", "vital", "error", "plain_view", "feature"];
            let kind = kinds[n as usize % kinds.len()];
            return event(kind, n);
        }
    };
    format!(
        r#"{{"eventId":"{}","eventType":"{event_type}","userId":"{}","sessionId":"{}","timestamp":{},"eventData":{data},"metadata":{{"platform":"web"}}}}"#,
        id(n),
        id(1_000),
        id(2_000),
        NOW - i64::from(n) * 1_000
    )
}

fn id(n: u32) -> String {
    let mut random = [0x5a; 10];
    random[6..].copy_from_slice(&n.to_be_bytes());
    uuid_v7(NOW, random)
}
