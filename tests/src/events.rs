//! Events and batches as a page makes them.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A new UUID, different from all others of this process.
pub fn uuid() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n);
    shoreline_shared::id::uuid_v7(i64::try_from(now).unwrap(), random)
}

/// A view of a page by a user.
pub fn view(path: &str, user: &str) -> Value {
    json!({
        "eventId": uuid(), "eventType": "page_view", "userId": user, "sessionId": "s1",
        "eventData": {"url": format!("https://shop.example{path}"), "title": "A page"},
        "metadata": {"platform": "web"},
    })
}

/// A use of a feature by a user.
pub fn feature(name: &str, user: &str) -> Value {
    json!({
        "eventId": uuid(), "eventType": "feature_use", "userId": user, "sessionId": "s1",
        "eventData": {"feature": name, "duration": 12.5},
        "metadata": {"platform": "web"},
    })
}

/// A batch with an id of its own.
pub fn batch(events: &[Value]) -> Value {
    json!({"batchId": uuid(), "sentAt": null, "events": events})
}

/// The ids of a batch's events, sorted.
pub fn ids(batch: &Value) -> Vec<String> {
    let mut ids: Vec<String> = batch["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["eventId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}
