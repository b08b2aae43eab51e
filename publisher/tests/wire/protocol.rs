//! What is sent, and what an answer means.

use std::time::Duration;

use shoreline_publisher::{Event, PublishError, Publisher, Receipt, Visit};

use super::*;
use crate::collector::{Collector, Does};

#[tokio::test]
async fn a_request_is_what_the_contract_asks_for() {
    let collector = Collector::start([]).await;
    let publisher = builder(&collector).build().unwrap();
    let visit = Visit {
        user_id: "u-1",
        session_id: "s-1",
        user_agent: "Mozilla/5.0",
        ip_address: "203.0.113.7",
        platform: "web",
    };
    let event = Event::feature_use(&visit, "export").data("name", "Zoë \u{1f30a} \"quoted\"");
    assert_eq!(publisher.track_event(&event).await, Ok(Receipt::Accepted));
    assert_eq!(publisher.track_event(&event).await, Ok(Receipt::Duplicate));
    let seen = collector.seen();
    assert_eq!(seen[0].line, "POST /v1/ingest HTTP/1.1");
    assert_eq!(seen[0].header("authorization"), format!("Bearer {KEY}"));
    assert_eq!(seen[0].header("content-type"), "application/json");
    assert!(
        seen[0]
            .header("user-agent")
            .starts_with("shoreline-publisher/")
    );
    assert_eq!(seen[0].header("idempotency-key").len(), 36);
    assert_ne!(
        seen[0].header("idempotency-key"),
        seen[1].header("idempotency-key")
    );
    assert_eq!(seen[0].events(), [serde_json::to_value(&event).unwrap()]);
}

#[tokio::test]
async fn one_bad_event_is_reported_and_its_neighbours_are_stored() {
    let collector = Collector::start([]).await;
    collector.refuse_type("bad");
    let publisher = builder(&collector).build().unwrap();
    let mut made = events(30);
    made[26] = Event::domain("bad", "test");
    let report = publisher.track_event_batch(&made).await;
    let failures: Vec<_> = report.failures().collect();
    let (place, PublishError::Rejected(problem)) = failures[0] else {
        panic!("{failures:?}")
    };
    assert_eq!(
        (place, problem.code.as_ref(), problem.field.as_ref()),
        (26, "invalid_event_type", "eventType")
    );
    assert_eq!((failures.len(), collector.stored().len()), (1, 29));
    // A batch of nothing else is a 422.
    let outcome = publisher.track_event(&made[26]).await;
    assert!(
        matches!(outcome, Err(PublishError::Rejected(problem)) if problem.message == "Not this one.")
    );
}

#[tokio::test]
async fn a_refused_key_ends_the_batch_at_once() {
    let collector = Collector::start([Does::Refuse(401, "")]).await;
    let publisher = builder(&collector).build().unwrap();
    queue(&publisher, &events(3));
    assert_eq!(publisher.flush().await.unwrap().refused, 3);
    assert_eq!(collector.seen().len(), 1);
    assert!(!format!("{publisher:?}").contains(KEY));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_not_handed_on() {
    let other = Collector::start([]).await;
    let collector = Collector::start([
        Does::Redirect(307, other.url()),
        Does::Redirect(301, other.url()),
    ])
    .await;
    let publisher = builder(&collector).build().unwrap();
    let outcome = publisher.track_event(&events(1)[0]).await;
    assert_eq!(outcome, Ok(Receipt::Accepted));
    assert_eq!((collector.seen().len(), other.raw().as_str()), (3, ""));
}

#[tokio::test]
async fn with_https_nothing_is_said_in_the_clear() {
    let collector = Collector::start([]).await;
    let url = collector.url().replace("http:", "https:");
    let publisher = Publisher::builder(&url, KEY)
        .retry(Duration::from_millis(1), Duration::from_millis(5))
        .build()
        .unwrap();
    let event = &events(1)[0];
    tokio::select! {
        outcome = publisher.track_event(event) => panic!("over plain HTTP: {outcome:?}"),
        () = collector.hung_up(3) => {}
    }
    let raw = collector.raw();
    assert!(!raw.is_empty() && !raw.contains(KEY) && !raw.contains("ingest"));
}
