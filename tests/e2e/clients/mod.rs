//! Clients of other collectors, unmodified and told another host: everything they send is taken,
//! stored once and right, and a retry changes nothing.

mod cloudevents;
mod curl;
mod docs;
mod plausible;
mod rudderstack;
mod segment;

use serde_json::Value;
use shoreline_tests::eventually;
use shoreline_tests::site::Site;

/// The stored events, once there are so many and nothing waits any more.
async fn stored(site: &Site, count: usize) -> Vec<Value> {
    eventually("all is stored", async || {
        let stored = site.stored().await.len();
        (stored >= count && site.settled().await).then_some(())
    })
    .await;
    let stored = site.stored().await;
    assert_eq!(stored.len(), count, "{stored:#?}");
    stored
}

/// The one event whose `eventData` has this value under this key.
fn one<'a>(stored: &'a [Value], key: &str, value: &str) -> &'a Value {
    let mut found = stored
        .iter()
        .filter(|event| event["eventData"][key] == value);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {key} {value}: {stored:#?}"));
    assert!(found.next().is_none(), "{key} {value} twice");
    event
}

/// The one event of this type.
fn of_type<'a>(stored: &'a [Value], event_type: &str) -> &'a Value {
    let mut found = stored
        .iter()
        .filter(|event| event["eventType"] == event_type);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {event_type}: {stored:#?}"));
    assert!(found.next().is_none(), "{event_type} twice");
    event
}

/// The ledger's totals.
async fn totals(site: &Site) -> Value {
    site.get("/v1/analytics/outcomes?hours=2").await["totals"].clone()
}
