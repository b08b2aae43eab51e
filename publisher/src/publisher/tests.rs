//! The publisher by a clock that stands still until everybody waits: waits are exact and cost nothing.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "tests stop at what goes wrong"
)]

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::{Duration, sleep, timeout};

use super::*;
use crate::outcome::Receipt;

mod collector;

use collector::{Collector, Does};

fn builder() -> Builder {
    Publisher::builder("https://c.example", "sls_demo_x")
}

fn start(builder: Builder, collector: &Arc<Collector>) -> Publisher {
    builder.build_with(collector.clone()).unwrap()
}

fn events(count: usize) -> Vec<Event> {
    (0..count)
        .map(|n| Event::domain("a.b", "test").data("n", n))
        .collect()
}

fn ids(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| event.event_id().to_owned())
        .collect()
}

fn queue(publisher: &Publisher, events: &[Event]) {
    for event in events {
        publisher.queue_event(event.clone()).unwrap();
    }
}

/// Both must be at rest for the clock to move on, so a moment is as long as anything at hand takes.
async fn moment() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn twenty_five_leave_at_once_and_fewer_after_five_seconds() {
    let collector = Collector::new([]);
    let publisher = start(builder(), &collector);
    let began = Instant::now();
    let made = events(30);
    queue(&publisher, &made);
    moment().await;
    assert_eq!(collector.sizes(), [25]);
    assert_eq!(publisher.pending(), 5);
    sleep(crate::BATCH_WAIT).await;
    assert_eq!(collector.sizes(), [25, 5]);
    assert_eq!(collector.seen()[1].0 - began, crate::BATCH_WAIT);
    assert_eq!(collector.stored(), ids(&made));
    assert_eq!(publisher.pending(), 0);
    assert_eq!(publisher.close().await.counts.accepted, 30);
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_what_was_queued_before_it() {
    let collector = Collector::new([Does::Refuse(503, None)]);
    let publisher = start(builder(), &collector);
    let made = events(60);
    queue(&publisher, &made);
    let counts = publisher.flush().await.unwrap();
    assert_eq!(counts.accepted, 60);
    assert_eq!(collector.stored(), ids(&made));
    assert_eq!(collector.sizes(), [25, 25, 25, 10]);
    // With nothing queued there is nothing to wait for.
    let before = Instant::now();
    assert_eq!(publisher.flush().await, Ok(counts));
    assert_eq!(before, Instant::now());
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_the_same_request_after_what_the_collector_asks_for() {
    let busy = Does::Refuse(503, Some("90"));
    let collector = Collector::new([busy.clone(), Does::Refuse(429, Some("3")), busy]);
    let publisher = start(builder(), &collector);
    let made = events(3);
    queue(&publisher, &made);
    publisher.flush().await.unwrap();
    let seen = collector.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|(_, request)| *request == seen[0].1));
    // In full, also over this sender's own longest wait, and up to a second of jitter.
    let gaps = collector.gaps();
    assert!((90_000..=91_000).contains(&gaps[0]), "{gaps:?}");
    assert!((3_000..=4_000).contains(&gaps[1]), "{gaps:?}");
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test(start_paused = true)]
async fn without_being_asked_waits_double_up_to_a_minute() {
    let collector = Collector::new(vec![Does::Refuse(500, None); 12]);
    let publisher = start(builder(), &collector);
    queue(&publisher, &events(1));
    publisher.flush().await.unwrap();
    let gaps = collector.gaps();
    for (at, full) in [1_u128, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
        .into_iter()
        .enumerate()
    {
        assert!(
            (full * 500 - 1..=full * 1_000).contains(&gaps[at]),
            "{gaps:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_without_an_answer_is_a_duplicate_and_stored_once() {
    let collector = Collector::new([Does::TakeAndCut, Does::Hang]);
    let publisher = start(builder(), &collector);
    let made = events(25);
    queue(&publisher, &made);
    let counts = publisher.flush().await.unwrap();
    assert_eq!((counts.duplicate, counts.total()), (25, 25));
    assert_eq!(collector.stored(), ids(&made));
    let keys: HashSet<String> = collector
        .seen()
        .into_iter()
        .map(|seen| seen.1.key)
        .collect();
    assert_eq!(keys.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn too_large_a_batch_goes_in_halves_in_order_under_keys_of_their_own() {
    let collector = Collector::new([Does::Most(7)]);
    let publisher = start(builder(), &collector);
    let made = events(25);
    queue(&publisher, &made);
    assert_eq!(publisher.flush().await.unwrap().accepted, 25);
    assert_eq!(collector.stored(), ids(&made));
    assert_eq!(collector.sizes(), [25, 13, 7, 6, 12, 6, 6]);
    let seen = collector.seen();
    let keys: HashSet<&str> = seen
        .iter()
        .map(|(_, request)| request.key.as_str())
        .collect();
    assert_eq!(keys.len(), seen.len());
    assert!(
        collector.gaps().iter().all(|gap| *gap == 0),
        "without waiting"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_too_large_by_itself_is_refused() {
    let collector = Collector::new([Does::Most(0)]);
    let publisher = start(builder(), &collector);
    let report = publisher.track_event_batch(&events(3)).await;
    assert_eq!(report.counts().refused, 3);
    assert_eq!(collector.sizes(), [3, 2, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_for_each_event_and_never_tried_again() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let collector = Collector::new([Does::Refuse(401, None)]);
    let handler = told.clone();
    let publisher = start(
        builder().on_outcome(move |event, outcome| {
            let status = match outcome {
                Err(PublishError::Refused { status, .. }) => *status,
                _ => 0,
            };
            lock(&handler).push((event.event_id().to_owned(), status));
        }),
        &collector,
    );
    let made = events(2);
    queue(&publisher, &made);
    let counts = publisher.flush().await.unwrap();
    assert_eq!((counts.refused, counts.total()), (2, 2));
    let want: Vec<(String, u16)> = ids(&made).into_iter().map(|id| (id, 401)).collect();
    assert_eq!(*lock(&told), want);
    assert_eq!(collector.sizes(), [2]);
    assert_eq!(publisher.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_stops_nothing() {
    let collector = Collector::new([]);
    let publisher = start(builder().on_outcome(|_, _| panic!("as it may")), &collector);
    queue(&publisher, &events(30));
    assert_eq!(publisher.flush().await.unwrap().accepted, 30);
    assert!(publisher.close().await.undelivered.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_an_error_or_a_wait_and_drops_nothing() {
    let collector = Collector::new([Does::Refuse(503, Some("600"))]);
    let publisher = Arc::new(start(builder().queue_events(30), &collector));
    let made = events(33);
    queue(&publisher, &made[..30]);
    moment().await;
    // A batch on its way takes room too: memory is bounded, wherever an event is.
    assert_eq!(publisher.pending(), 30);
    let full = publisher.queue_event(made[30].clone());
    assert_eq!(full, Err(QueueError::Full(Box::new(made[30].clone()))));
    let mut waiting = tokio::task::JoinSet::new();
    for event in &made[30..] {
        let (publisher, event) = (publisher.clone(), event.clone());
        waiting.spawn(async move { publisher.queue_event_wait(event).await });
        moment().await;
    }
    let given_up = timeout(
        Duration::from_secs(1),
        publisher.queue_event_wait(made[0].clone()),
    );
    assert!(given_up.await.is_err());
    assert_eq!(collector.stored().len(), 0);
    while let Some(queued) = waiting.join_next().await {
        queued.unwrap().unwrap();
    }
    publisher.flush().await.unwrap();
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_does_not_wait_for_a_batch_to_fill_up() {
    let collector = Collector::new([]);
    let publisher = start(builder().queue_events(10), &collector);
    let began = Instant::now();
    let made = events(35);
    for event in &made {
        publisher.queue_event_wait(event.clone()).await.unwrap();
    }
    assert_eq!(Instant::now(), began);
    publisher.flush().await.unwrap();
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_in_bytes_too() {
    let collector = Collector::new([]);
    let publisher = start(builder().queue_bytes(64 * 1024), &collector);
    let large = || Event::domain("a.b", "test").data("text", "x".repeat(30 * 1024));
    queue(&publisher, &[large(), large()]);
    assert!(matches!(
        publisher.queue_event(large()),
        Err(QueueError::Full(_))
    ));
    assert_eq!(publisher.pending(), 2);
    publisher.queue_event(events(1)[0].clone()).unwrap();
    publisher.queue_event_wait(large()).await.unwrap();
    assert_eq!(publisher.flush().await.unwrap().accepted, 4);
}

#[tokio::test(start_paused = true)]
async fn a_body_never_exceeds_its_bytes() {
    let collector = Collector::new([]);
    let publisher = start(builder().batch_bytes(40 * 1024), &collector);
    let made: Vec<Event> = (0..9)
        .map(|n| Event::domain("a.b", "test").data("text", "ü".repeat(n * 1_700)))
        .collect();
    queue(&publisher, &made);
    publisher.flush().await.unwrap();
    assert_eq!(collector.stored(), ids(&made));
    let seen = collector.seen();
    assert!(
        seen.len() > 3
            && seen
                .iter()
                .all(|(_, request)| request.body.len() <= 40 * 1024)
    );
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_and_ends() {
    let collector = Collector::new([]);
    let publisher = start(builder(), &collector);
    let made = events(60);
    queue(&publisher, &made);
    let closure = publisher.close().await;
    assert!(closure.undelivered.is_empty());
    assert_eq!(closure.counts.accepted, 60);
    assert_eq!(collector.stored(), ids(&made));
    let late = made[0].clone();
    let refused = Err(QueueError::Closed(Box::new(late.clone())));
    assert_eq!(publisher.queue_event(late.clone()), refused);
    assert_eq!(publisher.queue_event_wait(late).await, refused);
    assert_eq!(publisher.flush().await, Err(Closed));
    assert!(publisher.close().await.undelivered.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_ever_does_so() {
    let collector = Collector::new(vec![Does::Refuse(503, Some("3600")); 2]);
    let patient = builder()
        .batch_wait(Duration::MAX)
        .call_timeout(Duration::MAX);
    let publisher = start(patient, &collector);
    queue(&publisher, &events(24));
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert!(collector.seen().is_empty());
    assert_eq!(publisher.close().await.counts.accepted, 24);
    assert_eq!(collector.sizes(), [24, 24, 24]);
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_out_a_backoff_of_its_own() {
    let collector = Collector::new(vec![Does::Refuse(500, None); 90]);
    let publisher = start(builder(), &collector);
    let made = events(1);
    queue(&publisher, &made);
    // Into the waits of up to a minute.
    sleep(Duration::from_secs(5 + 63 + 120)).await;
    collector.recover();
    let began = Instant::now();
    assert_eq!(publisher.close().await.counts.accepted, 1);
    assert_eq!(Instant::now(), began);
}

#[tokio::test(start_paused = true)]
async fn closing_gives_back_in_order_what_nobody_takes() {
    let collector = Collector::new(vec![Does::Hang; 100]);
    let publisher = start(builder(), &collector);
    let made = events(60);
    queue(&publisher, &made);
    moment().await;
    let began = Instant::now();
    let closure = publisher.close().await;
    assert_eq!(Instant::now() - began, crate::CALL_TIMEOUT);
    assert_eq!(ids(&closure.undelivered), ids(&made));
    assert_eq!(
        (closure.counts.undelivered, closure.counts.total()),
        (60, 60)
    );
    // Published again they are the same events.
    collector.recover();
    let next = start(builder(), &collector);
    let report = next.track_event_batch(&closure.undelivered).await;
    assert!(report.all_taken());
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_is_dropped_still_sends_while_the_runtime_runs() {
    let collector = Collector::new([Does::Refuse(503, Some("2"))]);
    let publisher = start(builder(), &collector);
    let made = events(30);
    queue(&publisher, &made);
    drop(publisher);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test(start_paused = true)]
async fn a_direct_call_is_answered_for_each_event_in_its_place() {
    let collector = Collector::new([]);
    let publisher = start(builder(), &collector);
    let mut made = events(60);
    publisher.track_event(&made[40]).await.unwrap();
    made[7] = Event::domain("not a type", "test");
    let report = publisher.track_event_batch(&made).await;
    assert_eq!(report.outcomes.len(), 60);
    assert_eq!(report.outcomes[40], Ok(Receipt::Duplicate));
    let failures: Vec<_> = report.failures().collect();
    assert_eq!(failures.len(), 1);
    assert!(
        matches!(failures[0], (7, PublishError::Rejected(problem)) if problem.code == "invalid_event_type")
    );
    assert_eq!(
        (report.counts().accepted, report.counts().taken()),
        (58, 59)
    );
    assert_eq!(collector.sizes(), [1, 25, 25, 9]);
    // What was not queued is not counted as queued.
    assert_eq!(publisher.counts(), Counts::default());
    assert!(publisher.track_event_batch(&[]).await.outcomes.is_empty());
    let invalid = publisher.queue_event(made[7].clone());
    assert!(matches!(invalid, Err(QueueError::Invalid(_))));
}

#[tokio::test(start_paused = true)]
async fn a_direct_call_ends_in_time_and_says_how_far_it_came() {
    let collector = Collector::new(vec![Does::Hang; 100]);
    let publisher = start(builder(), &collector);
    let began = Instant::now();
    let report = publisher.track_event_batch(&events(26)).await;
    assert!(Instant::now() - began <= crate::CALL_TIMEOUT);
    let Err(PublishError::Undelivered { attempts, .. }) = &report.outcomes[0] else {
        panic!("{report:?}")
    };
    assert_eq!(*attempts, 2);
    assert_eq!(report.outcomes[25], Err(PublishError::NOT_SENT));

    // It does not wait for a moment that is beyond its time anyway.
    let busy = Collector::new([Does::Refuse(503, Some("31"))]);
    let publisher = start(builder(), &busy);
    let began = Instant::now();
    let outcome = publisher.track_event(&events(1)[0]).await;
    assert_eq!(Instant::now(), began);
    let error = outcome.unwrap_err().to_string();
    assert_eq!(
        error,
        "not delivered after 1 attempts: answered with status 503"
    );
}
