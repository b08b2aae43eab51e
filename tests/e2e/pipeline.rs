//! A batch's way: live counts, D1, the lake; once, however often it is sent.

use std::time::Duration;

use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, feature, ids, uuid, view};
use shoreline_tests::lake;
use shoreline_tests::site::reply;
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::{eventually, within};

#[tokio::test]
async fn a_batch_is_counted_stored_and_landed_as_it_was_cleaned() {
    let site = shared().new_site().await;
    let mut event = view("/checkout?token=abc&utm_source=news#frag", "user-1");
    event["eventData"]["note"] = json!("  mail jane@example.com\u{7}  ");
    event["eventData"]["password"] = json!("hunter2");
    event["metadata"]["ipAddress"] = json!("8.8.8.8");
    event["timestamp"] = Value::Null;
    let sent = batch(&[event, feature("export", "user-2")]);
    let answer = site.send_ok(&sent).await;
    assert_eq!(
        answer,
        json!({"accepted": 2, "duplicate": 0, "rejected": 0, "skipped": 0, "results": []})
    );
    let live = site.get("/v1/analytics/live").await;
    assert_eq!(live["activeUsers"], 2);
    assert_eq!(live["minutes"].as_array().unwrap().len(), 60);
    assert_eq!(live["topPages"], json!([{"key": "/checkout", "count": 1}]));
    assert_eq!(live["topFeatures"], json!([{"key": "export", "count": 1}]));
    site.settle().await;

    let recent = site
        .get("/v1/analytics/events/recent?eventType=page_view")
        .await;
    let stored = &recent["events"][0];
    assert_eq!(stored["siteId"], site.id);
    assert_eq!(stored["source"], "tracker");
    assert_eq!(stored["batchId"], sent["batchId"]);
    assert_eq!(stored["schemaVersion"], 1);
    assert_eq!(stored["timestamp"], stored["receivedAt"]);
    assert_eq!(
        stored["eventData"],
        json!({
            "url": "https://shop.example/checkout?utm_source=news", "title": "A page",
            "note": "mail [redacted]", "password": "[redacted]",
            "utm_source": "news", "referrerSource": "news",
        })
    );
    assert_eq!(stored["metadata"]["userAgent"], "Mozilla/5.0 (test)");
    let ip = stored["metadata"]["ipAddress"].as_str().unwrap();
    assert!(ip.ends_with(".0") || ip.ends_with("::"), "{ip}");

    let objects = lake::pull(site.state.path());
    let landed = lake::events_of(&objects, &site.id);
    assert_eq!(landed.len(), 2);
    assert!(
        landed.contains(stored),
        "the lake's line is the stored event"
    );
    let received = stored["receivedAt"].as_i64().unwrap();
    let (key, _) = objects
        .iter()
        .find(|(_, events)| events.contains(stored))
        .unwrap();
    let hour = key.split("hour=").nth(1).unwrap()[..2]
        .parse::<i64>()
        .unwrap();
    assert_eq!(hour, received / 3_600_000 % 24);
    let name = key.rsplit('/').next().unwrap();
    assert!(
        name.starts_with(&format!("{}-0-", site.id)) && name.ends_with(".ndjson.gz"),
        "{key}"
    );
}

#[tokio::test]
async fn the_same_batch_ten_times_counts_and_lands_once() {
    let site = shared().new_site().await;
    let sent = batch(&[view("/a", "u1"), view("/b", "u2"), feature("f", "u1")]);
    assert_eq!(site.send_ok(&sent).await["accepted"], 3);
    for _ in 0..9 {
        let answer = site.send_ok(&sent).await;
        assert_eq!(
            (&answer["accepted"], &answer["duplicate"]),
            (&json!(0), &json!(3))
        );
        assert_eq!(answer["results"][2]["status"], "duplicate");
        assert_eq!(
            answer["results"][2]["eventId"],
            sent["events"][2]["eventId"]
        );
    }
    site.settle().await;
    assert_eq!(site.live_count("page_view").await, 2);
    assert_eq!(site.live_count("feature_use").await, 1);
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["byType"], json!({"page_view": 2, "feature_use": 1}));
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, ids(&sent));
    assert_eq!(
        lake::ids_of(&lake::pull(site.state.path()), &site.id),
        ids(&sent)
    );
    let health = site.get("/health").await;
    assert_eq!(
        health["metrics"]["outcomes"],
        json!({"accepted": 3, "duplicate": 27})
    );
}

#[tokio::test]
async fn an_event_resent_in_another_batch_is_taken_back_from_the_live_counts() {
    let site = shared().new_site().await;
    let again = view("/again", "u");
    let first = batch(std::slice::from_ref(&again));
    site.send_ok(&first).await;
    let second = batch(&[again, view("/new", "u")]);
    site.send_ok(&second).await;
    eventually("the live counts are those of two events", async || {
        let settled = site.settled().await;
        (settled && site.live_count("page_view").await == 2).then_some(())
    })
    .await;
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["total"], 2);
    assert_eq!(
        lake::ids_of(&lake::pull(site.state.path()), &site.id),
        ids(&second)
    );
    let health = site.get("/health").await;
    assert_eq!(
        health["metrics"]["outcomes"],
        json!({"accepted": 2, "duplicate": 1})
    );
}

const FILLER: &str = "Lorem ipsum dolor. ";

/// A batch of a hundred events of five kilobytes each.
fn half_a_megabyte() -> Value {
    let events = (0..100).map(|_| {
        let mut event = view("/big", "u");
        for name in ["a", "b", "c", "d", "e"] {
            event["eventData"][name] = json!(FILLER.repeat(50));
        }
        event
    });
    batch(&events.collect::<Vec<_>>())
}

#[tokio::test]
async fn half_a_megabyte_is_taken_whole_cut_into_parts_and_arrives_whole() {
    let site = shared().new_site().await;
    let sent = half_a_megabyte();
    let size = sent.to_string().len();
    assert!((490_000..=524_288).contains(&size), "{size}");
    assert_eq!(site.send_ok(&sent).await["accepted"], 100);
    site.settle().await;
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, ids(&sent));
    let objects = lake::pull(site.state.path());
    assert_eq!(lake::ids_of(&objects, &site.id), ids(&sent));
    let landed = &lake::events_of(&objects, &site.id)[0];
    assert_eq!(landed["eventData"]["e"], FILLER.repeat(50).trim());
}

/// A consumer is given its next messages when all that it waits for has ended. Its own operation events once took five
/// seconds of that, of every two messages, where no request had one: as after a power cut.
#[tokio::test]
async fn a_queue_of_messages_is_worked_off_without_a_pause() {
    let system = System::start(&StateDir::new());
    for _ in 0..4 {
        system.demo().send_ok(&half_a_megabyte()).await;
    }
    let system = System::start(&system.power_cut());
    let site = system.demo();
    // Sixteen messages, two at a time: with that pause, forty seconds; without, those of the lake's seal, five.
    within(
        Duration::from_secs(20),
        "two megabytes are stored",
        async || site.settled().await.then_some(()),
    )
    .await;
}

#[tokio::test]
async fn many_batches_at_once_all_arrive_once() {
    let site = shared().new_site().await;
    let batches: Vec<Value> = (0..60)
        .map(|n| {
            batch(&[
                view(&format!("/{}", n % 7), "u1"),
                feature("f", &format!("u{n}")),
            ])
        })
        .collect();
    let mut sends = tokio::task::JoinSet::new();
    for sent in &batches {
        let (site, sent) = (site.clone(), sent.clone());
        sends.spawn(async move { site.send_ok(&sent).await["accepted"].clone() });
    }
    while let Some(accepted) = sends.join_next().await {
        assert_eq!(accepted.unwrap(), 2);
    }
    site.settle().await;
    let mut want: Vec<String> = batches.iter().flat_map(ids).collect();
    want.sort();
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, want);
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), &site.id), want);
    let live = site.get("/v1/analytics/live").await;
    assert_eq!(live["activeUsers"], 60);
}

#[tokio::test]
async fn live_counts_are_there_with_the_answer() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/now", "u")])).await;
    // Not eventually: the answer comes after the commit that counts.
    assert_eq!(site.live_count("page_view").await, 1);
}

#[tokio::test]
async fn long_page_names_do_not_swell_the_live_view() {
    let site = shared().new_site().await;
    let long = "ü".repeat(600);
    let events: Vec<Value> = (0..60)
        .map(|n| view(&format!("/{n}/{long}"), "u"))
        .collect();
    site.send_ok(&batch(&events)).await;
    let live = site.get("/v1/analytics/live").await;
    let pages = live["topPages"].as_array().unwrap();
    assert_eq!(pages.len(), 20);
    for page in pages {
        assert!(page["key"].as_str().unwrap().chars().count() <= 128);
        assert_eq!(page["count"], 1);
    }
}

#[tokio::test]
async fn a_private_visit_leaves_no_id_of_the_visitor() {
    let site = shared().new_site().await;
    for (header, path) in [("sec-gpc", "/gpc"), ("dnt", "/dnt")] {
        let body = batch(&[view(path, "my-name")]).to_string();
        let taken = reply(site.post().header(header, "1").body(body)).await;
        assert_eq!(taken.status, 202, "{}", taken.body);
    }
    site.send_ok(&batch(&[view("/open", "my-name")])).await;
    site.settle().await;
    let recent = site.get("/v1/analytics/events/recent").await;
    let user = |path: &str| {
        let events = recent["events"].as_array().unwrap();
        let url = format!("https://shop.example{path}");
        let event = events
            .iter()
            .find(|e| e["eventData"]["url"] == url)
            .unwrap();
        (event["userId"].clone(), event["sessionId"].clone())
    };
    let (id, session) = user("/gpc");
    assert!(id.as_str().unwrap().starts_with("anon-"), "{id}");
    assert_eq!(session, id);
    assert_eq!(user("/dnt").0, id, "the same visitor of the same day");
    assert_eq!(user("/open").0, "my-name");
    assert_eq!(site.get("/v1/analytics/live").await["activeUsers"], 2);
}

#[tokio::test]
async fn a_retry_without_ids_is_the_same_batch() {
    let site = shared().new_site().await;
    let mut event = view("/", "u");
    event.as_object_mut().unwrap().remove("eventId");
    let sent = json!({"batchId": uuid(), "events": [event.clone(), event]});
    assert_eq!(site.send_ok(&sent).await["accepted"], 2);
    assert_eq!(site.send_ok(&sent).await["duplicate"], 2);
    site.settle().await;
    assert_eq!(site.stored_ids().await.len(), 2);
}

#[tokio::test]
async fn one_site_never_sees_anothers_data_nor_suppresses_it() {
    let (one, two) = (shared().new_site().await, shared().new_site().await);
    let sent = batch(&[view("/same", "u")]);
    assert_eq!(one.send_ok(&sent).await["accepted"], 1);
    assert_eq!(two.send_ok(&sent).await["accepted"], 1);
    one.settle().await;
    two.settle().await;
    for site in [&one, &two] {
        assert_eq!(site.stored_ids().await, ids(&sent));
        assert_eq!(site.live_count("page_view").await, 1);
        let recent = site.get("/v1/analytics/events/recent").await;
        assert_eq!(recent["events"][0]["siteId"], site.id);
    }
    let objects = lake::pull(one.state.path());
    for events in objects.values() {
        let first = &events[0]["siteId"];
        assert!(events.iter().all(|event| event["siteId"] == *first));
    }
    // A browser key reads nothing.
    let answer = shoreline_tests::client()
        .get(format!("{}/v1/analytics/live", one.url))
        .bearer_auth(&one.browser_key)
        .sent()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
}
