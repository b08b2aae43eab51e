//! What the tracker does on one page, by example.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub
)]

mod page;

use page::{START, TestPage};
use shoreline_shared::id::parse_uuid;
use shoreline_tracker::{
    queue::{HANDED_OVER, NO_ANSWER, QUEUE_EVENTS, Settled},
    tracker::{SESSION_KEY, Tracker, VISITOR_KEY},
};

fn tracker(page: &TestPage) -> Tracker<&TestPage> {
    let mut tracker = Tracker::new(page);
    tracker.identify("");
    tracker
}

/// Uses a feature, as often as that.
fn make(tracker: &mut Tracker<&TestPage>, events: usize) {
    for n in 0..events {
        tracker.record(
            "\"feature_use\"",
            &format!("{{\"feature\":\"f\",\"n\":{n}}}"),
            "",
        );
    }
}

/// Lets time pass, waking the tracker whenever it asked for it.
fn pass(page: &TestPage, tracker: &mut Tracker<&TestPage>, ms: f64) {
    let end = page.now.get() + ms;
    while let Some(at) = page.wake_at.get().filter(|at| *at <= end) {
        page.wake_at.set(None);
        page.now.set(at.max(page.now.get()));
        tracker.wake();
    }
    page.now.set(end);
}

#[test]
fn an_event_says_what_the_contract_asks_for() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    tracker.record("\"page_view\"", r#"{"url":"https://shop.example/"}"#, "");
    let made = page.made.borrow();
    let event = made[0].as_object().unwrap();
    assert_eq!(
        parse_uuid(event["eventId"].as_str().unwrap()).as_deref(),
        event["eventId"].as_str()
    );
    assert_eq!(event["eventType"], "page_view");
    assert_eq!(event["userId"], *page.kept.borrow()[VISITOR_KEY]);
    let session = page.kept.borrow()[SESSION_KEY].clone();
    assert!(session.starts_with(event["sessionId"].as_str().unwrap()));
    assert_eq!(event["timestamp"], START as u64);
    assert_eq!(event["eventData"]["url"], "https://shop.example/");
    assert_eq!(event["metadata"], serde_json::json!({"platform": "web"}));
}

#[test]
fn a_known_visitor_stays_and_a_named_one_is_taken_on() {
    let page = TestPage::new();
    let mut tracker = Tracker::new(&page);
    tracker.identify(r#""a \"quoted\" id""#);
    make(&mut tracker, 1);
    tracker.identify("\"user-2\"");
    make(&mut tracker, 1);
    let users: Vec<_> = page
        .made
        .borrow()
        .iter()
        .map(|event| event["userId"].clone())
        .collect();
    assert_eq!(users, ["a \"quoted\" id", "user-2"]);
    assert!(page.kept.borrow().get(VISITOR_KEY).is_none());
}

#[test]
fn twenty_five_events_go_at_once_and_fewer_after_five_seconds() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 24);
    assert!(page.take_posts().is_empty());
    make(&mut tracker, 1);
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].events.len()), (1, 25));
    tracker.settle(&posts[0].batch_id, 202, None);

    make(&mut tracker, 2);
    pass(&page, &mut tracker, 3_000.0);
    make(&mut tracker, 1);
    pass(&page, &mut tracker, 1_999.0);
    assert!(page.take_posts().is_empty());
    pass(&page, &mut tracker, 1.0);
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].events.len()), (1, 3));
    assert_eq!(posts[0].sent_at, START as u64 + 5_000);
}

#[test]
fn a_batch_stays_below_48_kib_and_an_event_below_32() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    for _ in 0..3 {
        tracker.record("\"feature_use\"", &long, "");
    }
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].events.len()), (1, 2));
    assert!(posts[0].bytes <= 48 * 1024);

    tracker.record(
        "\"feature_use\"",
        &format!("{{\"text\":\"{}\"}}", "x".repeat(33_000)),
        "",
    );
    assert_eq!(*page.dropped.borrow(), [(1, "too_large".into())]);
    assert_eq!(tracker.pending(), 3);
}

#[test]
fn what_was_refused_for_now_comes_again_as_it_was() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 25);
    let first = page.take_posts().remove(0);
    for status in [NO_ANSWER, 503, 429, 500] {
        assert_eq!(
            tracker.settle(&first.batch_id, status, None),
            Settled::Waiting
        );
        assert!(page.take_posts().is_empty(), "{status}: not at once");
        pass(&page, &mut tracker, 60_000.0);
        let again = page.take_posts();
        assert_eq!(again.len(), 1, "{status}");
        assert_eq!(again[0].batch_id, first.batch_id);
        assert_eq!(again[0].events_text, first.events_text);
        assert!(again[0].sent_at > first.sent_at);
    }
    assert_eq!(tracker.settle(&first.batch_id, 202, None), Settled::Sent);
    assert_eq!(tracker.settle(&first.batch_id, 202, None), Settled::Nothing);
    pass(&page, &mut tracker, 1e8);
    assert!(page.take_posts().is_empty());
}

#[test]
fn retry_after_is_waited_for_even_if_the_page_flushes_or_is_hidden() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 25);
    let first = page.take_posts().remove(0);
    tracker.settle(&first.batch_id, 429, Some(60_000));
    pass(&page, &mut tracker, 30_000.0);
    tracker.flush();
    tracker.leave(false);
    pass(&page, &mut tracker, 29_999.0);
    assert!(page.take_posts().is_empty());
    // Nobody will be there to wait any longer.
    tracker.leave(true);
    assert_eq!(page.take_posts()[0].batch_id, first.batch_id);
}

#[test]
fn refused_for_good_is_dropped_and_the_next_goes() {
    for status in [400, 401, 403, 404, 415, 422] {
        let page = TestPage::new();
        let mut tracker = tracker(&page);
        make(&mut tracker, 50);
        let first = page.take_posts().remove(0);
        assert_eq!(
            tracker.settle(&first.batch_id, status, None),
            Settled::Rejected
        );
        let next = page.take_posts();
        assert_eq!(next.len(), 1);
        assert_ne!(next[0].batch_id, first.batch_id);
    }
}

#[test]
fn too_large_is_split_down_to_one() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 3);
    tracker.flush();
    let whole = page.take_posts().remove(0);
    assert_eq!(tracker.settle(&whole.batch_id, 413, None), Settled::Nothing);
    let front = page.take_posts().remove(0);
    assert_ne!(front.batch_id, whole.batch_id);
    assert_eq!(front.events, whole.events[..1]);
    assert_eq!(
        tracker.settle(&front.batch_id, 413, None),
        Settled::Rejected
    );
    let back = page.take_posts().remove(0);
    assert_eq!(back.events, whole.events[1..]);
    assert_eq!(tracker.settle(&back.batch_id, 202, None), Settled::Sent);
    assert_eq!(tracker.pending(), 0);
}

#[test]
fn leaving_sends_all_there_is_and_nothing_twice() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 57);
    assert_eq!(page.take_posts().len(), 1);
    tracker.leave(false);
    let posts = page.take_posts();
    let counts: Vec<_> = posts
        .iter()
        .map(|post| (post.events.len(), post.leaving))
        .collect();
    assert_eq!(counts, [(25, true), (7, true)]);
    tracker.leave(true);
    tracker.flush();
    pass(&page, &mut tracker, 1e6);
    assert!(page.take_posts().is_empty());
    // It comes back, and one of them had failed.
    tracker.settle(&posts[1].batch_id, NO_ANSWER, None);
    tracker.settle(&posts[0].batch_id, HANDED_OVER, None);
    pass(&page, &mut tracker, 1e6);
    assert!(
        page.take_posts().is_empty(),
        "the first one is still under way"
    );
}

#[test]
fn no_more_is_under_way_than_the_browser_lets_through() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    for _ in 0..6 {
        tracker.record(
            "\"error\"",
            &format!("{{\"stack\":\"{}\"}}", "x".repeat(14_000)),
            "",
        );
    }
    tracker.leave(true);
    let bytes: usize = page.take_posts().iter().map(|post| post.bytes).sum();
    assert!(bytes <= 60 * 1024, "{bytes}");
}

#[test]
fn memory_is_bounded_and_the_oldest_give_way() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 1_100);
    assert!(tracker.pending() <= QUEUE_EVENTS);
    assert_eq!(page.dropped_events(), 1_100 - tracker.pending());
    // The one under way is not taken away from under the answer.
    let first = page.take_posts().remove(0);
    assert_eq!(tracker.settle(&first.batch_id, 202, None), Settled::Sent);
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    let page = TestPage::new();
    let mut tracker = tracker(&page);
    make(&mut tracker, 25);
    let first = page.take_posts().remove(0);
    tracker.settle(&first.batch_id, 503, Some(1_000_000));
    page.now.set(START - 86_400_000.0);
    make(&mut tracker, 1);
    assert_eq!(page.take_posts()[0].batch_id, first.batch_id);
}
