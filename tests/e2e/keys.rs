//! Keys come and go: an overlap with the next one, and a revocation that holds within a minute.

use std::time::Duration;

use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;
use shoreline_tests::within;

/// A revoked key works for 60 seconds at most; the rest is for a busy machine.
const REVOKED_WITHIN: Duration = Duration::from_secs(75);

fn views(n: usize) -> Value {
    let events: Vec<Value> = (0..n).map(|n| view(&format!("/{n}"), "u")).collect();
    batch(&events)
}

#[tokio::test]
async fn a_key_may_overlap_with_its_successor() {
    let site = shared().new_site().await;
    let client = shoreline_tests::client();
    let keys = format!("{}/v1/sites/{}/keys", site.url, site.id);
    let made: Value = client
        .post(&keys)
        .bearer_auth(&site.admin_token)
        .json(&json!({"kind": "browser"}))
        .sent()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let list = reply(client.get(&keys).bearer_auth(&site.admin_token)).await;
    let listed = list.body["keys"].as_array().unwrap();
    assert_eq!(listed.len(), 4);
    assert!(
        !list
            .body
            .to_string()
            .contains(made["key"].as_str().unwrap())
    );
    let end = format!("{keys}/{}?after=3600", made["keyId"].as_str().unwrap());
    let ended = reply(client.delete(&end).bearer_auth(&site.admin_token)).await;
    assert_eq!(ended.status, 204);
    // Both are good until then.
    let new = Site {
        browser_key: made["key"].as_str().unwrap().to_owned(),
        ..site.clone()
    };
    new.send_ok(&views(1)).await;
    site.send_ok(&views(1)).await;
    let now = format!("{keys}/{}", made["keyId"].as_str().unwrap());
    assert_eq!(
        reply(client.delete(&now).bearer_auth(&site.admin_token))
            .await
            .status,
        204
    );
    let list = reply(client.get(&keys).bearer_auth(&site.admin_token)).await;
    let ended: Vec<&Value> = list.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| !key["revokedAt"].is_null())
        .collect();
    assert_eq!(ended.len(), 1);
}

/// What each of the site's three keys is answered: sending as a page, as a service, and reading.
async fn statuses(site: &Site) -> [u16; 3] {
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}});
    let service = site.ingest().body(command.to_string());
    [
        site.send(&views(1)).await.status,
        reply(service).await.status,
        site.read("/v1/analytics/live").await.status,
    ]
}

#[tokio::test]
async fn what_is_revoked_stops_within_a_minute_and_what_is_not_goes_on() {
    let (site, other) = (shared().new_site().await, shared().new_site().await);
    let client = shoreline_tests::client();
    // Every key has been used, so that the worker remembers it.
    assert_eq!(statuses(&site).await, [202, 202, 200]);
    let keys = format!("{}/v1/sites/{}/keys", site.url, site.id);
    let list = reply(client.get(&keys).bearer_auth(&site.admin_token)).await;
    for key in list.body["keys"].as_array().unwrap() {
        let key = format!("{keys}/{}", key["keyId"].as_str().unwrap());
        let revoked = reply(client.delete(&key).bearer_auth(&site.admin_token)).await;
        assert_eq!(revoked.status, 204);
    }
    // An origin that is taken off the list goes as a key does.
    let elsewhere = json!({"siteId": other.id, "origins": ["https://elsewhere.example"]});
    let moved = client
        .put(format!("{}/v1/sites/{}", other.url, other.id))
        .bearer_auth(&other.admin_token)
        .json(&elsewhere);
    assert_eq!(statuses(&other).await, [202, 202, 200]);
    assert_eq!(reply(moved).await.status, 200);
    within(REVOKED_WITHIN, "the keys are revoked", async || {
        (statuses(&site).await == [401; 3]).then_some(())
    })
    .await;
    within(REVOKED_WITHIN, "the origin is forgotten", async || {
        (other.send(&views(1)).await.status == 403).then_some(())
    })
    .await;
    assert_eq!(statuses(&other).await, [403, 202, 200]);
}
