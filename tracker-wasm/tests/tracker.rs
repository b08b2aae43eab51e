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

use page::{Page, START};
use shoreline_tracker::answer::{HANDED_OVER, NO_ANSWER, Settled, TAKEN_OVER};
use shoreline_tracker::batch::ENVELOPE_BYTES;
use shoreline_tracker::line::QUEUE_EVENTS;
use shoreline_tracker::queue::{LEAVING_BYTES, QUEUE_BYTES, TITLE_BYTES};

fn made(events: u32) -> Page {
    let mut page = Page::new();
    make(&mut page, events);
    page
}

fn make(page: &mut Page, events: u32) {
    for _ in 0..events {
        page.make(200);
    }
}

#[test]
fn twenty_five_events_go_at_once_and_fewer_after_five_seconds() {
    let mut page = made(24);
    assert!(page.take_posts().is_empty());
    make(&mut page, 1);
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].text.events.len()), (1, 25));
    page.settle(posts[0].handle, 202, None);

    make(&mut page, 2);
    page.pass(3_000.0);
    make(&mut page, 1);
    page.pass(1_999.0);
    assert!(page.take_posts().is_empty());
    page.pass(1.0);
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].text.events.len()), (1, 3));
}

#[test]
fn a_batch_stays_below_48_kib_and_an_event_below_32() {
    let mut page = Page::new();
    for _ in 0..3 {
        page.make(20_000);
    }
    let posts = page.take_posts();
    assert_eq!((posts.len(), posts[0].text.events.len()), (1, 2));
    page.make(33_000);
    assert_eq!((page.dropped, page.pending()), (1, 3));
}

#[test]
fn what_was_refused_for_now_comes_again_as_it_was() {
    let mut page = made(25);
    let first = page.take_posts().remove(0);
    for status in [NO_ANSWER, 503, 429, 500] {
        assert_eq!(page.settle(first.handle, status, None), Settled::Waiting);
        assert!(page.take_posts().is_empty(), "{status}: not at once");
        page.pass(60_000.0);
        let again = page.take_posts();
        assert_eq!(again.len(), 1, "{status}");
        assert_eq!(again[0].text, first.text);
    }
    assert_eq!(page.settle(first.handle, 202, None), Settled::Sent);
    assert_eq!(page.settle(first.handle, 202, None), Settled::Nothing);
    page.pass(1e8);
    assert!(page.take_posts().is_empty());
}

#[test]
fn retry_after_is_waited_for_even_if_the_page_flushes_or_is_hidden() {
    let mut page = made(25);
    let first = page.take_posts().remove(0);
    page.settle(first.handle, 429, Some(60_000));
    page.pass(30_000.0);
    page.flush();
    page.leave(false);
    page.pass(29_999.0);
    assert!(page.take_posts().is_empty());
    // Nobody will be there to wait any longer.
    page.leave(true);
    assert_eq!(page.take_posts()[0].text, first.text);
}

#[test]
fn the_next_page_waits_for_retry_after_too_but_for_no_nonsense() {
    for (until, waits) in [
        (START + 60_000.0, true),
        (START * 2.0, false),
        (f64::NAN, false),
    ] {
        let mut page = Page::new();
        page.tracker.queue.bar_until(until, page.now);
        make(&mut page, 25);
        assert_eq!(page.take_posts().is_empty(), waits, "{until}");
        page.pass(60_000.0);
        assert_eq!(page.take_posts().is_empty(), !waits, "{until}");
    }
}

#[test]
fn refused_for_good_is_dropped_and_the_next_goes() {
    for status in [400, 401, 403, 404, 415, 422] {
        let mut page = made(50);
        let first = page.take_posts().remove(0);
        assert_eq!(page.settle(first.handle, status, None), Settled::Rejected);
        let next = page.take_posts();
        assert_eq!(next.len(), 1);
        assert_ne!(next[0].text.id, first.text.id);
    }
}

#[test]
fn too_large_is_split_down_to_one() {
    let mut page = made(3);
    page.flush();
    let whole = page.take_posts().remove(0);
    assert_eq!(page.settle(whole.handle, 413, None), Settled::Split);
    let front = page.take_posts().remove(0);
    assert_ne!(front.text.id, whole.text.id);
    assert_eq!(front.text.events, whole.text.events[..1]);
    assert_eq!(page.settle(front.handle, 413, None), Settled::Rejected);
    let back = page.take_posts().remove(0);
    assert_eq!(back.text.events, whole.text.events[1..]);
    assert_eq!(page.settle(back.handle, 202, None), Settled::Sent);
    assert_eq!((page.pending(), page.tracker.queue.bytes()), (0, 0));
}

#[test]
fn leaving_sends_all_there_is_and_nothing_twice() {
    let mut page = made(57);
    assert_eq!(page.take_posts().len(), 1);
    page.leave(false);
    let posts = page.take_posts();
    let counts: Vec<_> = posts
        .iter()
        .map(|post| (post.text.events.len(), post.leaving))
        .collect();
    assert_eq!(counts, [(25, true), (7, true)]);
    page.leave(true);
    page.flush();
    page.pass(1e6);
    assert!(page.take_posts().is_empty());
    // It comes back, and one of them had failed.
    page.settle(posts[1].handle, NO_ANSWER, None);
    page.settle(posts[0].handle, HANDED_OVER, None);
    page.pass(1e6);
    assert!(
        page.take_posts().is_empty(),
        "the first one is still under way"
    );
}

#[test]
fn no_more_is_under_way_than_the_browser_lets_through() {
    let mut page = Page::new();
    for _ in 0..6 {
        page.make(14_000);
    }
    page.leave(true);
    let bytes: u32 = page
        .take_posts()
        .iter()
        .map(|post| post.text.bytes() + 100)
        .sum();
    assert!(bytes <= LEAVING_BYTES, "{bytes}");
}

#[test]
fn what_is_kept_is_bounded_the_oldest_give_way_and_the_next_batch_tells() {
    let mut page = made(1_100);
    assert!(page.pending() <= QUEUE_EVENTS && page.tracker.queue.bytes() <= QUEUE_BYTES);
    assert_eq!(page.dropped, 1_100 - page.pending());
    // The one under way is not taken away from under the answer.
    let first = page.take_posts().remove(0);
    assert_eq!(first.text.numbers()[0], 0);
    assert_eq!(page.settle(first.handle, 202, None), Settled::Sent);
    let mut told = 0;
    while let Some(post) = page.take_posts().pop() {
        told += post.text.dropped;
        page.settle(post.handle, 202, None);
        page.flush();
    }
    assert_eq!(told, page.dropped);
}

#[test]
fn a_batch_that_another_page_sends_is_not_this_ones_any_more() {
    let mut page = made(50);
    let first = page.take_posts().remove(0);
    assert_eq!(
        page.settle(first.handle, TAKEN_OVER, None),
        Settled::Nothing
    );
    assert_eq!(page.pending(), 25);
    assert_eq!(page.take_posts().len(), 1);
}

#[test]
fn batches_of_other_pages_go_first_and_only_if_a_page_of_ours_could_have_made_them() {
    let mut page = made(1);
    let queue = &mut page.tracker.queue;
    for (events, bytes) in [
        (0, 10),
        (26, 10),
        (1, 60 * 1024),
        (1, u32::MAX),
        (u32::MAX, 1),
    ] {
        assert_eq!(
            queue.adopt(START - 5.0, events, bytes, 0),
            None,
            "{events} {bytes}"
        );
    }
    let later = queue.adopt(START - 1.0, 2, 100, 3).unwrap();
    let sooner = queue.adopt(START - 9.0, 2, 100, 0).unwrap();
    assert_eq!(queue.due(START), Some(sooner));
    assert_eq!(queue.dropped_before(later), 3);
}

#[test]
fn a_batch_that_grew_by_its_views_title_is_taken_on() {
    let mut page = Page::new();
    let full = 48 * 1024 - ENVELOPE_BYTES;
    for (bytes, is_taken) in [(full + TITLE_BYTES, true), (full + TITLE_BYTES + 1, false)] {
        let taken = page.tracker.queue.adopt(START - 5.0, 25, bytes, 0);
        assert_eq!(taken.is_some(), is_taken, "{bytes}");
    }
    // It can still be sent when the page is left.
    assert!(page.tracker.queue.leaving(START).is_some());
}

#[test]
fn without_consent_nothing_is_kept_and_answers_are_not_missed() {
    let mut page = made(30);
    let first = page.take_posts().remove(0);
    page.tracker.consent(false);
    assert_eq!(page.pending(), 0);
    assert_eq!(page.tracker.record(100, START), None);
    assert_eq!(page.settle(first.handle, 503, None), Settled::Nothing);
    page.tracker.consent(true);
    assert!(page.tracker.record(100, START).is_some());
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    let mut page = made(25);
    let first = page.take_posts().remove(0);
    page.settle(first.handle, 503, Some(1_000_000));
    page.now = START - 86_400_000.0;
    make(&mut page, 1);
    assert_eq!(page.take_posts()[0].text, first.text);
}
