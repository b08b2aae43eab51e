mod doors;
mod enriched;
mod limits;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::http::outcome::Status;
use crate::testing::{NOW, TestPlatform, block_on, published_rows, uuid};

const KEY: &str = "slb_demo_abcdefghijklmnopqrstuvwxyz";

pub(crate) fn facts() -> RequestFacts {
    RequestFacts {
        query: format!("key={KEY}"),
        origin: Some("https://shop.example".into()),
        content_type: Some("text/plain".into()),
        user_agent: Some("Mozilla/5.0".into()),
        ip: Some("192.168.1.77".into()),
        country: Some("NL".into()),
        ..RequestFacts::default()
    }
}

fn view(n: usize) -> Value {
    json!({
        "eventId": uuid(n), "eventType": "page_view", "userId": "u1", "sessionId": "s1",
        "timestamp": NOW, "eventData": {"url": "https://shop.example/a?secret=1"},
        "metadata": {"platform": "web", "userAgent": "claimed", "ipAddress": "8.8.8.8"},
    })
}

fn body(events: &[Value]) -> String {
    json!({"batchId": uuid(1), "events": events}).to_string()
}

fn run(platform: &mut TestPlatform) -> Result<Answer, Fault> {
    block_on(take_batch(facts(), platform))
}

/// What was published: the head of the whole, and its rows as `parts`.
fn published(platform: &TestPlatform) -> Value {
    told(&platform.published.borrow()[0])
}

fn told(publication: &crate::ingest::publish::Publication) -> Value {
    let commit = crate::protocol::Commit::parse(publication.body()).unwrap();
    let mut value = serde_json::to_value(commit.head()).unwrap();
    value["parts"] = published_rows(publication).into();
    value
}

#[test]
fn a_good_batch_is_published_whole_with_its_counts() {
    let mut platform = TestPlatform::new(body(&[view(10), view(11)]));
    let answer = run(&mut platform).unwrap();
    assert_eq!(answer, Answer::new(2, Vec::new()));
    let published = published(&platform);
    assert_eq!(published["batch"][0], uuid(1));
    assert_eq!(published["visitors"].as_array().unwrap().len(), 1);
    let part = &published["parts"][0];
    assert_eq!(part["n"], 2);
    let event = &part["events"][0];
    assert_eq!(event["siteId"], "demo");
    assert_eq!(event["source"], "tracker");
    assert_eq!(event["receivedAt"], NOW);
    assert_eq!(event["country"], "NL");
    assert_eq!(event["metadata"]["userAgent"], "Mozilla/5.0");
    assert_eq!(event["metadata"]["ipAddress"], "192.168.1.0");
    assert_eq!(event["eventData"]["url"], "https://shop.example/a");
    let minute = NOW - NOW % 60_000;
    assert_eq!(
        published["counters"],
        json!([
            ["t", minute, "page_view", 2],
            ["p", minute, "/a", 2],
            ["o", NOW - NOW % 3_600_000, "accepted", 2],
        ])
    );
    assert!(!published.to_string().contains("u1\"]"));
}

/// It is stored and in the ledger, but nobody is active because of it.
#[test]
fn what_happened_long_ago_is_not_live() {
    let mut old = view(10);
    old["timestamp"] = json!(NOW - 3 * 24 * 3_600_000);
    old["userId"] = json!("u-old");
    let mut platform = TestPlatform::new(body(&[old, view(11)]));
    assert_eq!(run(&mut platform).unwrap().accepted, 2);
    let published = published(&platform);
    assert_eq!(published["parts"][0]["n"], 2);
    assert_eq!(published["visitors"].as_array().unwrap().len(), 1);
    let minute = NOW - NOW % 60_000;
    assert_eq!(
        published["counters"],
        json!([
            ["t", minute, "page_view", 1],
            ["p", minute, "/a", 1],
            ["o", NOW - NOW % 3_600_000, "accepted", 2],
        ])
    );
}

#[test]
fn the_good_events_of_a_mixed_batch_are_kept() {
    let mut twice = view(12);
    twice["eventId"] = json!(uuid(10).to_uppercase());
    let mut bad = view(13);
    bad["userId"] = json!(7);
    let mut platform = TestPlatform::new(body(&[view(10), json!(null), bad, twice, view(11)]));
    let answer = run(&mut platform).unwrap();
    assert_eq!(
        (
            answer.accepted,
            answer.duplicate,
            answer.rejected,
            answer.skipped
        ),
        (2, 1, 2, 0)
    );
    let told: Vec<(usize, Status, &str)> = answer
        .results
        .iter()
        .map(|r| (r.index, r.status, r.code))
        .collect();
    assert_eq!(
        told,
        [
            (1, Status::Rejected, "wrong_type"),
            (2, Status::Rejected, "wrong_type"),
            (3, Status::Duplicate, "duplicate"),
        ]
    );
    assert_eq!(published(&platform)["parts"][0]["n"], 2);
}

#[test]
fn a_batch_seen_before_is_all_duplicates() {
    let mut platform = TestPlatform::new(body(&[view(10), json!({}), view(11)]));
    platform.receipt = Ok(true);
    let answer = run(&mut platform).unwrap();
    assert_eq!(
        (answer.accepted, answer.duplicate, answer.rejected),
        (0, 2, 1)
    );
    let order: Vec<usize> = answer.results.iter().map(|r| r.index).collect();
    assert_eq!(order, [0, 1, 2]);
}

#[test]
fn a_retry_without_ids_makes_the_same_ids() {
    let mut event = view(0);
    event.as_object_mut().unwrap().remove("eventId");
    let ids = |text: String| {
        let mut platform = TestPlatform::new(text);
        run(&mut platform).unwrap();
        let events = published(&platform)["parts"][0]["events"].clone();
        let events = events.as_array().unwrap().clone();
        events
            .iter()
            .map(|e| e["eventId"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = ids(body(&[event.clone(), event.clone()]));
    assert_eq!(first, ids(body(&[event.clone(), event.clone()])));
    assert_ne!(first[0], first[1]);
    // Without a batch id nothing can be a retry, so nothing is remembered either.
    let mut platform = TestPlatform::new(json!({"events": [event]}).to_string());
    run(&mut platform).unwrap();
    assert!(published(&platform).get("batch").is_none());
}

#[test]
fn nothing_valid_is_a_422_counted_and_not_published() {
    let mut platform = TestPlatform::new(body(&[json!({}), json!(1)]));
    let Err(Fault::NoValidEvent(results)) = run(&mut platform) else {
        panic!("not a 422");
    };
    assert_eq!(results.len(), 2);
    assert!(platform.published.borrow().is_empty());
    let counted: Value = told(&platform.counted.borrow()[0]);
    assert_eq!(counted["parts"], json!([]));
    assert!(counted.get("batch").is_none());
    assert_eq!(counted["counters"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fault_of_ours_takes_nothing_and_says_so() {
    let unavailable = Fault::Unavailable("down");
    let mut platform = TestPlatform::new(body(&[view(10)]));
    platform.receipt = Err(unavailable.clone());
    assert_eq!(run(&mut platform), Err(unavailable.clone()));
    platform.grant = Err(unavailable.clone());
    assert_eq!(run(&mut platform), Err(unavailable));
    assert_eq!(
        block_on(take_batch(RequestFacts::default(), &mut platform)),
        Err(Fault::UnknownKey)
    );
}

#[test]
fn a_visitor_who_opts_out_is_replaced_for_the_day() {
    let mut platform = TestPlatform::new(body(&[view(10)]));
    let mut private = facts();
    private.opted_out = true;
    block_on(take_batch(private.clone(), &mut platform)).unwrap();
    let event = published(&platform)["parts"][0]["events"][0].clone();
    let user = event["userId"].as_str().unwrap();
    assert!(user.starts_with("anon-"));
    assert_eq!(event["sessionId"], user);
    assert!(!event.to_string().contains("u1"));
    // Nor what the id is made of, which would link two days.
    assert_eq!(event["metadata"]["ipAddress"], "[redacted]");
    assert_eq!(event["metadata"]["userAgent"], "[redacted]");
    // A page that keeps nothing in the browser says so, and is treated alike.
    let mut asked = facts();
    asked.query.push_str("&private=1");
    block_on(take_batch(asked, &mut platform)).unwrap();
    let event = published(&platform)["parts"][0]["events"][0].clone();
    assert_eq!(event["userId"], user);
    // Without the day's key nothing is taken: never the visitor's own ids instead.
    platform.day_key = Err(Fault::Unavailable("down"));
    platform.published.borrow_mut().clear();
    assert!(block_on(take_batch(private, &mut platform)).is_err());
    assert!(platform.published.borrow().is_empty());
}

#[test]
fn a_dry_run_judges_and_keeps_nothing() {
    let mut platform = TestPlatform::new(body(&[view(10), json!({})]));
    let mut dry = facts();
    dry.query.push_str("&dryRun=1");
    let answer = block_on(take_batch(dry, &mut platform)).unwrap();
    assert_eq!((answer.accepted, answer.rejected), (1, 1));
    assert!(platform.published.borrow().is_empty());
    assert!(platform.counted.borrow().is_empty());
}

#[test]
fn an_event_that_grows_over_a_part_is_refused_alone() {
    // Numbers grow most: 1e9 is 4 bytes here and 12 as a float is printed.
    let row: Vec<Value> = vec![json!(1); 99];
    let mut huge = view(10);
    huge["eventData"] = json!({"rows": vec![row; 75]});
    let text = body(&[huge, view(11)])
        .replace("[1,", "[1e20,")
        .replace(",1,", ",1e20,")
        .replace(",1,", ",1e20,");
    assert!(text.len() < 60_000);
    let mut platform = TestPlatform::new(text);
    let answer = run(&mut platform).unwrap();
    assert_eq!((answer.accepted, answer.rejected), (1, 1));
    assert_eq!(answer.results[0].code, "event_too_large");
}

#[test]
fn half_a_megabyte_is_cut_into_parts_that_fit() {
    let filler = "lorem ipsum ".repeat(80);
    let events: Vec<Value> = (0..100)
        .map(|n| {
            let mut event = view(100 + n);
            event["eventData"] =
                json!({"a": filler, "b": filler, "c": filler, "d": filler, "e": filler});
            event
        })
        .collect();
    let text = body(&events);
    assert!(
        text.len() > 490_000 && text.len() <= 524_288,
        "{}",
        text.len()
    );
    let mut platform = TestPlatform::new(text);
    assert_eq!(run(&mut platform).unwrap().accepted, 100);
    let published = published(&platform);
    let parts = published["parts"].as_array().unwrap();
    assert!(parts.len() > 5);
    let mut ids = Vec::new();
    for part in parts {
        assert!(part["bytes"].as_u64().unwrap() <= crate::protocol::commit::MAX_ROW_BYTES as u64);
        ids.extend(
            part["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["eventId"].clone()),
        );
    }
    let want: Vec<Value> = (0..100).map(|n| json!(uuid(100 + n))).collect();
    assert_eq!(ids, want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn outcomes_add_up_to_the_events_sent(kinds in prop::collection::vec(0_u8..5, 1..40)) {
        let events: Vec<Value> = kinds
            .iter()
            .enumerate()
            .map(|(n, kind)| match kind {
                0 | 1 => view(100 + n),
                2 => view(100),
                3 => json!({"eventType": "nope"}),
                _ => json!([n]),
            })
            .collect();
        let mut platform = TestPlatform::new(body(&events));
        match run(&mut platform) {
            Ok(answer) => {
                let sum = answer.accepted + answer.duplicate + answer.rejected + answer.skipped;
                prop_assert_eq!(sum, events.len());
                prop_assert_eq!(answer.results.len(), events.len() - answer.accepted);
                let parts = published(&platform)["parts"].clone();
                let n: u64 = parts.as_array().unwrap().iter().map(|p| p["n"].as_u64().unwrap()).sum();
                prop_assert_eq!(n as usize, answer.accepted);
            }
            Err(Fault::NoValidEvent(results)) => prop_assert_eq!(results.len(), events.len()),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_body_can_panic_it(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = run(&mut TestPlatform::new(bytes));
    }
}
