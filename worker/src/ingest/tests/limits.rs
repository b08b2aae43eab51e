//! Who sends too much, and who is not wanted.

use serde_json::{Value, json};

use super::{body, facts, published, run, view};
use crate::auth::KeyKind;
use crate::error::Fault;
use crate::facts::RequestFacts;
use crate::ingest::take_batch;
use crate::tally::OWN_SITE;
use crate::testing::{NOW, TestPlatform, a_grant, block_on, uuid};

#[test]
fn refusals_before_anything_is_read_are_tallied() {
    let tallied = |platform: &TestPlatform| platform.tallied.borrow_mut().pop().unwrap();
    let demo = |code| ("demo".to_owned(), code);
    let mut platform = TestPlatform::new("nonsense");
    assert!(run(&mut platform).is_err());
    assert_eq!(tallied(&platform), demo("malformed_json"));
    let mut elsewhere = facts();
    elsewhere.origin = None;
    assert!(block_on(take_batch(elsewhere, &mut platform)).is_err());
    assert_eq!(tallied(&platform), demo("origin_not_allowed"));
    assert!(block_on(take_batch(RequestFacts::default(), &mut platform)).is_err());
    // No site can be known of it: a key that is none must not write to the site it names.
    assert_eq!(tallied(&platform), (OWN_SITE.to_owned(), "unknown_key"));
}

#[test]
fn a_visitor_who_sends_too_much_is_refused_before_the_body_and_may_come_back() {
    let events: Vec<Value> = (0..50).map(|n| view(100 + n)).collect();
    let mut platform = TestPlatform::new(body(&events));
    let mut grant = a_grant(KeyKind::Browser);
    grant.policy.visitor_per_minute = Some(100);
    platform.grant = Ok(grant);
    assert!(run(&mut platform).is_ok());
    assert_eq!(platform.limiter_asked.get(), 0);
    assert!(run(&mut platform).is_ok());
    let refused = Err(Fault::RateLimited { retry_after_s: 1 });
    assert_eq!(run(&mut platform), refused);
    assert_eq!(platform.published.borrow().len(), 2);
    // Another visitor of the same site is none the worse.
    let mut other = facts();
    other.ip = Some("198.51.100.7".into());
    assert!(block_on(take_batch(other, &mut platform)).is_ok());
    platform.now_ms += 1_000;
    // Room for one event: close to the limit, so the platform's limiter is asked.
    assert!(run(&mut platform).is_ok());
    assert_eq!(platform.limiter_asked.get(), 1);
    platform.now_ms += 30_000;
    platform.within_limit = false;
    assert_eq!(
        run(&mut platform),
        Err(Fault::RateLimited { retry_after_s: 10 })
    );
}

#[test]
fn a_bots_events_are_skipped_and_counted_exactly() {
    let mut bot = facts();
    bot.user_agent = Some("Mozilla/5.0 (compatible; Googlebot/2.1)".into());
    let mut platform = TestPlatform::new(body(&[view(10), view(11)]));
    let answer = block_on(take_batch(bot.clone(), &mut platform)).unwrap();
    assert_eq!((answer.accepted, answer.skipped), (0, 2));
    assert_eq!(answer.results[1].code, "bot");
    assert!(platform.published.borrow().is_empty());
    let counted: Value = serde_json::from_str(platform.counted.borrow()[0].json()).unwrap();
    assert_eq!(counted["counters"][0][2], "bot");
    assert_eq!(counted["counters"][0][3], 2);
    // The platform may know better than the name.
    let mut told = facts();
    told.known_bot = true;
    assert_eq!(
        block_on(take_batch(told, &mut platform)).unwrap().skipped,
        2
    );
    // A site may want them.
    platform.grant.as_mut().unwrap().policy.keep_bots = true;
    assert_eq!(
        block_on(take_batch(bot, &mut platform)).unwrap().accepted,
        2
    );
}

#[test]
fn a_quota_travels_with_the_batch() {
    let mut platform = TestPlatform::new(body(&[view(10), view(11)]));
    platform.grant.as_mut().unwrap().policy.hourly_quota = Some(9);
    run(&mut platform).unwrap();
    let published = published(&platform);
    assert_eq!(published["quota"], json!({"max": 9, "n": 2}));
    let hour = NOW - NOW % 3_600_000;
    let counters = published["counters"].as_array().unwrap();
    assert!(counters.contains(&json!(["q", hour, "", 2])));
}

#[test]
fn what_a_tracker_dropped_is_told_in_the_ledger() {
    let text = json!({"batchId": uuid(1), "dropped": 7, "events": [view(10)]}).to_string();
    let mut platform = TestPlatform::new(text);
    run(&mut platform).unwrap();
    let counters = published(&platform)["counters"].clone();
    let hour = NOW - NOW % 3_600_000;
    let told = json!(["o", hour, "tracker_dropped", 7]);
    assert!(counters.as_array().unwrap().contains(&told));
}
