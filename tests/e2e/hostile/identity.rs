//! Events that claim to be another site's, and events sent again.

use serde_json::{Value, json};
use shoreline_tests::events::uuid;
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;

use super::{AGENT, Door, code, stored_data};

#[tokio::test]
async fn an_event_is_its_keys_sites_whatever_it_claims() {
    for door in Door::ALL {
        let (own, other) = (shared().new_site().await, shared().new_site().await);
        let claim = format!(r#","siteId":"{0}","site":"{0}""#, other.id);
        let mut body = door.body(&[door.event(&own, &claim)]);
        // Beside the event's data, and around all of it.
        body = body.replacen('{', &format!(r#"{{"siteId":"{}","#, other.id), 1);
        let answer = door.send(&own, body).await;
        assert_eq!(answer.status, door.taken(), "{door:?}: {}", answer.body);
        door.still_works(&own).await;
        own.settle().await;
        let stored = own.stored().await;
        assert_eq!(stored.len(), 2, "{door:?}");
        assert!(stored.iter().all(|event| event["siteId"] == own.id));
        assert!(other.stored().await.is_empty(), "{door:?}");
    }
}

#[tokio::test]
async fn a_page_counts_for_no_other_domain() {
    let (own, other) = (shared().new_site().await, shared().new_site().await);
    let door = Door::Plausible;
    // What names the other site comes from a page of one's own.
    let answer = door.send(&own, door.good_body(&other)).await;
    assert_eq!(code(&answer), (403, "origin_not_allowed"));
    for domain in [
        "nobody.example",
        "'; DROP TABLE sites; --",
        "%",
        "_",
        "*",
        "site-%.example",
    ] {
        let body = json!({"n": "pageview", "u": "https://x.example/", "d": domain});
        let answer = door.send(&own, body.to_string()).await;
        assert_eq!(code(&answer), (401, "unknown_key"), "{domain}");
    }
    // A name longer than any domain's is looked up nowhere.
    let body = json!({"n": "pageview", "u": "https://x.example/", "d": "x".repeat(30_000)});
    assert_eq!(
        code(&door.send(&own, body.to_string()).await),
        (400, "malformed_json")
    );
    door.still_works(&own).await;
    own.settle().await;
    assert_eq!(own.stored().await.len(), 1);
    assert!(other.stored().await.is_empty());
}

/// The same event by each door that knows events by a name, as one of a site's.
async fn send_all(site: &Site, event_id: &str, whose: &str) -> Vec<Reply> {
    let foreign = "the-same-name";
    let json = |body: Value| body.to_string();
    let cloud = json!({"specversion": "1.0", "id": foreign, "source": "/s", "type": "a.cloud", "data": {"whose": whose}});
    let bridge = json!({"id": foreign, "detail-type": "a.bridge", "source": "s", "detail": {"whose": whose}});
    let kinds = [
        (
            Door::Events,
            json(json!({"batchId": event_id, "events": [{
                "eventId": event_id, "eventType": "feature_use", "userId": "u", "sessionId": "s",
                "eventData": {"feature": "f", "whose": whose}, "metadata": {"platform": "web"},
            }]})),
        ),
        (
            Door::SegmentBatch,
            json(json!({"batch": [{
                "type": "track", "messageId": foreign, "userId": "u", "event": "f", "properties": {"whose": whose},
            }]})),
        ),
        (Door::Ingest, json(cloud)),
        (Door::Ingest, json(bridge)),
    ];
    let mut replies = Vec::new();
    for (door, body) in kinds {
        replies.push(door.send(site, body).await);
    }
    let command = json!({"eventType": "a.command", "source": "s", "payload": {"whose": whose}});
    let named = Door::Ingest.post(site).header("idempotency-key", foreign);
    replies.push(reply(named.body(command.to_string())).await);
    replies
}

#[tokio::test]
async fn a_name_that_another_site_used_suppresses_nothing() {
    let (first, second) = (shared().new_site().await, shared().new_site().await);
    let event_id = uuid();
    for (site, whose) in [(&first, "first"), (&second, "second")] {
        for reply in send_all(site, &event_id, whose).await {
            assert!(matches!(reply.status, 200 | 202), "{whose}: {}", reply.body);
            assert!(
                reply.body["accepted"] == 1 || reply.body["success"] == true,
                "{whose}: {}",
                reply.body
            );
        }
    }
    for (site, whose) in [(&first, "first"), (&second, "second")] {
        let stored = stored_data(site, 5).await;
        assert!(
            stored.iter().all(|data| data["whose"] == whose),
            "{stored:#?}"
        );
    }
    // Sent again by its own site each is a duplicate.
    send_all(&first, &event_id, "again").await;
    let stored = stored_data(&first, 5).await;
    assert!(
        stored.iter().all(|data| data["whose"] == "first"),
        "{stored:#?}"
    );
    stored_data(&second, 5).await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_counts_once_where_its_events_have_names() {
    for door in Door::ALL {
        let site = shared().new_site().await;
        let body = door.good_body(&site);
        for _ in 0..5 {
            assert_eq!(door.send(&site, body.clone()).await.status, door.taken());
        }
        // Plausible's events have none: as with Plausible itself, each counts.
        stored_data(&site, if door == Door::Plausible { 5 } else { 1 }).await;
    }
}

#[tokio::test]
async fn a_page_may_not_say_who_it_is() {
    let site = shared().new_site().await;
    let claim = r#"{"type":"track","messageId":"m","userId":"u","event":"f","context":{"ip":"8.8.8.8","userAgent":"claimed"}}"#;
    let door = Door::SegmentTrack;
    assert_eq!(door.send(&site, claim).await.status, 200);
    site.settle().await;
    let stored = site.stored().await;
    assert_eq!(stored[0]["metadata"]["userAgent"], AGENT);
    assert_ne!(stored[0]["metadata"]["ipAddress"], "8.8.8.0");
}
