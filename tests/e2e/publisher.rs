//! The publisher of services against the real collector.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shoreline_publisher::{Command, Event, PublishError, Publisher, Receipt, Visit};
use shoreline_tests::eventually;
use shoreline_tests::lake;
use shoreline_tests::site::Site;
use shoreline_tests::system::{StateDir, System, shared};

const VISIT: Visit<'_> = Visit {
    user_id: "user-1",
    session_id: "session-1",
    user_agent: "Mozilla/5.0 (test)",
    ip_address: "203.0.113.77",
    platform: "web",
};

fn publisher(site: &Site) -> Publisher {
    Publisher::builder(&site.url, &site.source_key)
        .retry(Duration::from_millis(50), Duration::from_millis(500))
        .build()
        .unwrap()
}

/// Sixty events, ten of each kind.
fn sixty() -> Vec<Event> {
    (0..10)
        .flat_map(|n| {
            let command: Command = serde_json::from_value(json!({
                "eventType": "LowStockWarning", "source": "catalog", "tenantId": "t-1",
                "payload": {"productId": format!("p-{n}"), "left": n},
            }))
            .unwrap();
            [
                Event::page_view(&VISIT, &format!("/{n}")),
                Event::feature_use(&VISIT, "export").data("duration", n),
                Event::ai_request(&VISIT, "m-1")
                    .data("tokens", n)
                    .data("cost", 0.0125),
                Event::error(&VISIT, "oops"),
                Event::domain("com.example.order.v1", "orders")
                    .user("user-2")
                    .data("total", n),
                command.into(),
            ]
        })
        .collect()
}

fn ids(events: &[Event]) -> Vec<String> {
    let mut ids: Vec<String> = events
        .iter()
        .map(|event| event.event_id().to_owned())
        .collect();
    ids.sort();
    ids
}

async fn stored_ids(site: &Site) -> Vec<String> {
    let mut stored = site.stored_ids().await;
    stored.sort();
    stored
}

#[tokio::test]
async fn sixty_events_of_a_service_are_stored_once_whichever_way_they_come() {
    let site = shared().new_site().await;
    let publisher = publisher(&site);
    let made = sixty();
    for event in &made[..40] {
        publisher.queue_event(event.clone()).unwrap();
    }
    assert_eq!(publisher.flush().await.unwrap().accepted, 40);
    let report = publisher.track_event_batch(&made[40..59]).await;
    assert!(report.all_taken(), "{report:?}");
    assert_eq!(
        publisher.track_event(&made[59]).await,
        Ok(Receipt::Accepted)
    );
    site.settle().await;
    assert_eq!(stored_ids(&site).await, ids(&made));

    let stored = site.stored().await;
    let of = |event: &Event| -> Value {
        stored
            .iter()
            .find(|stored| stored["eventId"] == event.event_id())
            .unwrap()
            .clone()
    };
    let (feature, order, warning) = (of(&made[1]), of(&made[4]), of(&made[5]));
    assert_eq!(feature["eventType"], "feature_use");
    assert_eq!(
        feature["eventData"],
        json!({"feature": "export", "duration": 0})
    );
    assert_eq!(feature["metadata"]["ipAddress"], "203.0.113.0");
    assert_eq!(
        (&order["source"], &order["userId"]),
        (&json!("orders"), &json!("user-2"))
    );
    assert_eq!(warning["eventType"], "LowStockWarning");
    assert_eq!(
        (&warning["source"], &warning["tenantId"]),
        (&json!("catalog"), &json!("t-1"))
    );
    assert_eq!(warning["eventData"], json!({"productId": "p-0", "left": 0}));
    let batches: BTreeSet<&str> = stored
        .iter()
        .filter_map(|e| e["batchId"].as_str())
        .collect();
    assert_eq!(batches.len(), 4, "25, 15, 19 and 1");

    // All of it again, in other batches: taken, and stored no second time.
    assert!(publisher.track_event_batch(&made).await.all_taken());
    site.settle().await;
    assert_eq!(stored_ids(&site).await, ids(&made));
    assert_eq!(
        lake::ids_of(&lake::pull(site.state.path()), &site.id),
        ids(&made)
    );
    let closure = publisher.close().await;
    assert!(closure.undelivered.is_empty());
}

#[tokio::test]
async fn a_publisher_loses_and_doubles_nothing_when_the_collector_is_killed() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let publisher = publisher(&site);
    let mut made = Vec::new();
    for _ in 0..3 {
        let more = sixty();
        for event in &more {
            publisher.queue_event_wait(event.clone()).await.unwrap();
        }
        made.extend(more);
        // Full batches are on their way already. Wrangler starts workerd again.
        assert!(system.kill_all_workerds());
        let counts = publisher.flush().await.unwrap();
        assert_eq!(counts.taken(), made.len() as u64, "{counts:?}");
    }
    eventually("everything is stored and has landed", async || {
        let request = shoreline_tests::client()
            .get(format!("{}/health", site.url))
            .bearer_auth(&site.read_token);
        let health: Value = request.send().await.ok()?.json().await.ok()?;
        let landed = health["backlog"]["lake"]["landedEvents"] == made.len();
        (landed && health["backlog"]["outbox"]["parts"] == 0).then_some(())
    })
    .await;
    assert_eq!(stored_ids(&site).await, ids(&made));
    let state = system.stop();
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), ids(&made));
}

#[tokio::test]
async fn a_key_of_another_kind_is_refused_and_said_so() {
    let site = shared().new_site().await;
    let wrong = [
        (site.browser_key.as_str(), 403),
        (site.read_token.as_str(), 403),
        ("sls_nobody_abcdefghijklmnopqrstuvwxyz", 401),
    ];
    for (key, want) in wrong {
        let publisher = Publisher::new(&site.url, key).unwrap();
        let outcome = publisher.track_event(&Event::domain("a.b", "test")).await;
        let Err(PublishError::Refused { status, .. }) = outcome else {
            panic!("{key}: {outcome:?}")
        };
        assert_eq!(status, want, "{key}");
    }
    assert!(site.stored().await.is_empty());
}
