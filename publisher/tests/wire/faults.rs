//! Whatever fails between: each event is stored once, or reported.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use shoreline_publisher::PublishError;

use super::*;
use crate::collector::{Collector, Does};

/// Queues events, flushes, and looks at what is stored: all of it, once and in order.
async fn all_arrive(script: Vec<Does>, count: usize) -> Collector {
    let tries = script.len();
    let collector = Collector::start(script).await;
    let publisher = builder(&collector).build().unwrap();
    let made = events(count);
    queue(&publisher, &made);
    let counts = publisher.flush().await.unwrap();
    assert_eq!(collector.stored(), ids(&made));
    assert_eq!(
        (counts.taken(), counts.total()),
        (made.len() as u64, made.len() as u64)
    );
    let seen = collector.seen();
    assert!(seen.len() > tries, "{} of {tries}", seen.len());
    // Every try of the first batch is the same request.
    for again in &seen[1..=tries] {
        assert_eq!(again.body, seen[0].body);
        assert_eq!(
            again.header("idempotency-key"),
            seen[0].header("idempotency-key")
        );
    }
    collector
}

#[tokio::test]
async fn three_times_503_then_202() {
    all_arrive(vec![Does::Refuse(503, "0"); 3], 60).await;
}

#[tokio::test]
async fn a_rate_limit_that_names_a_date() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    all_arrive(vec![Does::Refuse(429, past), Does::Refuse(429, "0")], 30).await;
}

#[tokio::test]
async fn connections_that_break_before_and_after_storing() {
    all_arrive(
        vec![
            Does::Close,
            Does::TakeAndReset,
            Does::TakeAndCut,
            Does::Refuse(502, ""),
        ],
        60,
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up() {
    all_arrive(vec![Does::TakeAndHang], 3).await;
}

#[tokio::test]
async fn a_page_of_somebody_else_is_no_answer() {
    all_arrive(vec![Does::Portal], 3).await;
}

#[tokio::test]
async fn too_large_a_body_is_split_until_it_fits() {
    let collector = Collector::start([Does::MostBytes(1_000)]).await;
    let publisher = builder(&collector).build().unwrap();
    let mut made = events(50);
    queue(&publisher, &made);
    // Alone it is over the limit, and is refused alone.
    let large = Event::domain("a.b", "test").data("text", "x".repeat(1_000));
    publisher.queue_event(large).unwrap();
    let more = events(3);
    queue(&publisher, &more);
    let counts = publisher.flush().await.unwrap();
    assert_eq!(
        (counts.accepted, counts.refused, counts.total()),
        (53, 1, 54)
    );
    made.extend(more);
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test]
async fn a_collector_that_is_away_gets_everything_when_it_is_back() {
    let mut collector = Collector::start([]).await;
    let publisher = builder(&collector).build().unwrap();
    let made = events(80);
    queue(&publisher, &made[..30]);
    publisher.flush().await.unwrap();
    collector.stop().await;
    queue(&publisher, &made[30..]);
    let direct = tokio::time::timeout(Duration::from_millis(50), publisher.track_event(&made[79]));
    assert!(direct.await.is_err());
    collector.restart().await;
    publisher.flush().await.unwrap();
    assert_eq!(collector.stored(), ids(&made));
}

#[tokio::test]
async fn what_is_not_delivered_when_it_closes_is_given_back_and_can_be_published_again() {
    let mut collector = Collector::start([]).await;
    let publisher = builder(&collector)
        .call_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    collector.stop().await;
    let made = events(40);
    queue(&publisher, &made);
    let closure = publisher.close().await;
    assert_eq!(closure.undelivered, made);
    assert_eq!(closure.counts.undelivered, 40);
    collector.restart().await;
    // As a service does that kept them as text.
    let kept = serde_json::to_string(&closure.undelivered).unwrap();
    let kept: Vec<Event> = serde_json::from_str(&kept).unwrap();
    let next = builder(&collector).build().unwrap();
    assert!(next.track_event_batch(&kept).await.all_taken());
    assert_eq!(collector.stored(), ids(&made));
}

fn fault() -> impl Strategy<Value = Does> {
    prop_oneof![
        Just(Does::Refuse(503, "0")),
        Just(Does::Refuse(429, "0")),
        Just(Does::Refuse(500, "")),
        Just(Does::Refuse(401, "")),
        Just(Does::TakeAndReset),
        Just(Does::TakeAndCut),
        Just(Does::Close),
        Just(Does::Portal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Several services' tasks at once, a small queue, any faults: every event ends once, and those
    /// that are said to be taken are those that are stored, each once.
    #[test]
    fn every_event_ends_once_and_the_truth_is_told(
        script in prop::collection::vec(fault(), 0..12),
        tasks in 1_usize..5,
        each in 1_usize..40,
        batch in 1_usize..30,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let collector = Collector::start(script).await;
            let ends: Arc<Mutex<HashMap<String, Vec<bool>>>> = Arc::default();
            let told = ends.clone();
            let publisher = builder(&collector)
                .batch_events(batch)
                .queue_events(20)
                .on_outcome(move |event, outcome| {
                    assert!(!matches!(outcome, Err(PublishError::Undelivered { .. })));
                    told.lock().unwrap().entry(event.event_id().to_owned()).or_default().push(outcome.is_ok());
                })
                .build()
                .unwrap();
            let publisher = Arc::new(publisher);
            let mut producers = tokio::task::JoinSet::new();
            for _ in 0..tasks {
                let publisher = publisher.clone();
                producers.spawn(async move {
                    let made = events(each);
                    for event in &made {
                        publisher.queue_event_wait(event.clone()).await.unwrap();
                    }
                    ids(&made)
                });
            }
            let mut made = Vec::new();
            while let Some(ids) = producers.join_next().await {
                made.extend(ids.unwrap());
            }
            let closure = publisher.close().await;
            assert!(closure.undelivered.is_empty());
            let ends = ends.lock().unwrap();
            assert_eq!(ends.len(), made.len());
            assert_eq!(closure.counts.total(), made.len() as u64);
            let mut stored = collector.stored();
            stored.sort();
            let mut taken: Vec<String> = Vec::new();
            for id in made {
                let outcomes = &ends[&id];
                assert_eq!(outcomes.len(), 1, "{id}");
                if outcomes[0] {
                    taken.push(id);
                } else if stored.contains(&id) {
                    // Taken by a try whose answer was lost, and then the key was refused.
                    stored.retain(|other| *other != id);
                }
            }
            taken.sort();
            assert_eq!(stored, taken);
        });
    }
}
