//! Who sends too much, and who is not wanted.

use serde_json::{Value, json};

use super::{body, facts, published, run, view};
use crate::access::auth::KeyKind;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::ingest::{take_batch, take_plausible};
use crate::protocol::names::OWN_SITE;
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
fn a_site_takes_what_is_as_old_as_it_keeps_events() {
    let days_old = |days: i64| {
        let mut old = view(1);
        old["timestamp"] = (NOW - days * 86_400_000).into();
        body(&[old])
    };
    for (own, days, taken) in [
        (None, 29, true),
        (None, 31, false),
        (Some(7), 6, true),
        (Some(7), 8, false),
        (Some(90), 89, true),
    ] {
        let mut platform = TestPlatform::new(days_old(days));
        let mut grant = a_grant(KeyKind::Browser);
        grant.policy.retention_days = own;
        platform.grant = Ok(grant);
        match run(&mut platform) {
            Ok(answer) => assert!(taken && answer.accepted == 1, "{own:?} {days}"),
            Err(Fault::NoValidEvent(results)) => {
                assert_eq!((taken, results[0].code), (false, "timestamp_out_of_range"));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
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
    let counted: Value = super::told(&platform.counted.borrow()[0]);
    assert_eq!(counted["counters"][0][2], "bot");
    assert_eq!(counted["counters"][0][3], 2);
    // The platform may know better than the name.
    let mut told = facts();
    told.known_bot = true;
    assert_eq!(
        block_on(take_batch(told, &mut platform)).unwrap().skipped,
        2
    );
    // Every browser says what it is.
    for nothing in [None, Some(" ".into())] {
        let mut silent = facts();
        silent.user_agent = nothing;
        let answer = block_on(take_batch(silent, &mut platform)).unwrap();
        assert_eq!((answer.skipped, answer.rejected), (2, 0));
        assert_eq!(answer.results[0].code, "bot");
    }
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
    assert_eq!(published["quota"], 9);
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

#[test]
fn another_agent_with_each_request_is_the_same_network() {
    let events: Vec<Value> = (0..50).map(|n| view(100 + n)).collect();
    let mut platform = TestPlatform::new(body(&events));
    platform.grant.as_mut().unwrap().policy.visitor_per_minute = Some(100);
    let taken = (0..40)
        .filter(|n| {
            let mut facts = facts();
            facts.user_agent = Some(format!("Mozilla/5.0 ({n})"));
            block_on(take_batch(facts, &mut platform)).is_ok()
        })
        .count();
    // A thousand events, ten visitors' worth.
    assert_eq!(taken, 20);
}

#[test]
fn requests_without_events_are_bounded_too() {
    let mut platform = TestPlatform::new("nonsense");
    platform.grant.as_mut().unwrap().policy.visitor_per_minute = Some(5);
    let codes: Vec<&str> = (0..7)
        .map(|_| run(&mut platform).unwrap_err().code())
        .collect();
    assert_eq!(codes[..5], ["malformed_json"; 5]);
    assert_eq!(codes[5..], ["rate_limited"; 2]);
}

#[test]
fn made_up_keys_are_not_looked_up_without_end() {
    let mut platform = TestPlatform::new("");
    platform.grant = Err(Fault::UnknownKey);
    platform.settings.limits.visitor_per_minute = 3;
    let codes: Vec<&str> = (0..5)
        .map(|_| run(&mut platform).unwrap_err().code())
        .collect();
    assert_eq!(codes[..3], ["unknown_key"; 3]);
    assert_eq!(codes[3..], ["rate_limited"; 2]);
}

#[test]
fn bodies_that_name_no_key_are_not_read_without_end() {
    let mut platform = TestPlatform::new("nonsense");
    platform.settings.limits.visitor_per_minute = 3;
    let nobody = RequestFacts {
        ip: Some("192.0.2.1".into()),
        ..RequestFacts::default()
    };
    let codes: Vec<&str> = (0..5)
        .map(|_| {
            block_on(take_plausible(nobody.clone(), &mut platform))
                .unwrap_err()
                .code()
        })
        .collect();
    assert_eq!(codes[..3], ["malformed_json"; 3]);
    assert_eq!(codes[3..], ["rate_limited"; 2]);
}

#[test]
fn a_batch_that_fits_no_hour_is_to_be_split() {
    let mut platform = TestPlatform::new(body(&[view(10), view(11), view(12)]));
    platform.grant.as_mut().unwrap().policy.hourly_quota = Some(2);
    assert_eq!(run(&mut platform).unwrap_err().code(), "payload_too_large");
    assert!(platform.published.borrow().is_empty());
}
