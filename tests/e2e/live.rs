//! The live stream, on real workerd.

mod many;
mod shards;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, uuid, view};
use shoreline_tests::eventually;
use shoreline_tests::live::{Stream, ask_ticket, open, refusal, ticket, total};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;
use tokio_tungstenite::tungstenite::Message;

/// Whether a stream shows what the call for the live counts answers.
async fn agrees(stream: &Stream, site: &Site) -> bool {
    let mut live = site.get("/v1/analytics/live").await;
    let mut view = stream.view.clone();
    for view in [&mut live, &mut view] {
        view["asOf"].take();
    }
    live == view
}

#[tokio::test]
async fn a_stream_begins_with_the_state_and_goes_on_with_what_changed() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/a", "ann"), feature("f", "bob")]))
        .await;
    let mut stream = Stream::of(&site).await;
    let first = stream.frame().await;
    assert_eq!((first.kind.as_str(), first.seq), ("state", 1));
    let live = site.get("/v1/analytics/live").await;
    let fields = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&stream.view), fields(&live));
    assert_eq!(stream.view["minutes"].as_array().unwrap().len(), 60);
    assert_eq!(stream.view["activeUsers"], 2);

    site.send_ok(&batch(&[view("/b", "ann")])).await;
    let delta: Value = serde_json::from_str(&stream.frame().await.text).unwrap();
    assert_eq!(delta["type"], "delta");
    let data = delta["data"].as_object().unwrap();
    // Nobody and no feature came, so they are not told again.
    assert!(!data.contains_key("activeUsers") && !data.contains_key("topFeatures"));
    assert!(data["minutes"].as_array().unwrap().len() <= 2, "{delta}");
    let pages = json!([{"key": "/a", "count": 1}, {"key": "/b", "count": 1}]);
    assert_eq!(data["topPages"], pages);
    // A minute may begin between the frame and the call.
    eventually("the stream shows what the call answers", async || {
        if agrees(&stream, &site).await {
            return Some(());
        }
        stream.frame().await;
        None
    })
    .await;
}

/// Samples of a measurement.
const SAMPLES: u32 = 20;

/// How long a frame may take from the 202, at the 95th percentile.
const BOUND: Duration = Duration::from_millis(1_200);

/// The 95th percentile of the time from a 202 to the frame with its event.
async fn delay_of_frames(site: &Site, stream: &mut Stream) -> Duration {
    let mut delays = Vec::new();
    for n in 0..SAMPLES {
        // Not in step with the frames, but at every moment between two of them.
        tokio::time::sleep(Duration::from_millis(u64::from(n * 379 % 1_000))).await;
        let before = total(&stream.view, "page_view");
        site.send_ok(&batch(&[view("/", "u")])).await;
        let taken = Instant::now();
        stream
            .until("the event is in a frame", |view| {
                (total(view, "page_view") > before).then_some(())
            })
            .await;
        delays.push(taken.elapsed());
    }
    delays.sort();
    delays[delays.len() * 95 / 100 - 1]
}

#[tokio::test]
async fn an_event_is_in_a_frame_within_the_bound() {
    let site = shared().new_site().await;
    let mut stream = Stream::of(&site).await;
    stream.frame().await;
    // A busy machine may spoil a run: what else it does is not what is measured.
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(delay_of_frames(&site, &mut stream).await);
        if runs.iter().any(|p95| *p95 <= BOUND) {
            return;
        }
    }
    panic!("p95 of each run: {runs:?}");
}

#[tokio::test]
async fn what_is_taken_back_is_taken_out_of_the_frames() {
    let site = shared().new_site().await;
    let mut stream = Stream::of(&site).await;
    let event = view("/", "u");
    site.send_ok(&batch(std::slice::from_ref(&event))).await;
    stream
        .until("the event is counted", |view| {
            (total(view, "page_view") == 1).then_some(())
        })
        .await;
    site.settle().await;
    // In another batch: counted until the consumer knows better.
    site.send_ok(&batch(&[event, feature("f", "u")])).await;
    site.settle().await;
    stream
        .until("the event counts once", |view| {
            let counts = (total(view, "page_view"), total(view, "feature_use"));
            (counts == (1, 1)).then_some(())
        })
        .await;
    assert_eq!(site.live_count("page_view").await, 1);
}

#[tokio::test]
async fn a_ticket_opens_one_stream_of_its_own_site() {
    let (site, other) = (shared().new_site().await, shared().new_site().await);
    let used = ticket(&site).await;
    let mut stream = open(&site, &format!("?ticket={used}")).await.unwrap();
    assert_eq!(stream.frame().await.kind, "state");
    let theirs = ticket(&other).await.replace(&other.id, &site.id);
    for query in [
        String::new(),
        "?ticket=".into(),
        "?ticket=%27%20OR%201=1".into(),
        format!("?ticket={used}"),
        format!("?ticket={theirs}"),
        format!("?ticket={}", site.read_token),
        format!("?ticket=slt_{}_aaaaaaaaaaaaaaaaaaaaaaaaaa", site.id),
        "?ticket=slt_no-such-site_aaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
    ] {
        let Reply { status, body } = refusal(&site, &query).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (401, Some("invalid_ticket")),
            "{query}"
        );
        assert!(open(&site, &query).await.is_none(), "{query}");
    }
    // A good one is not used up by a request that is no WebSocket.
    let good = ticket(&site).await;
    let url = format!("{}/v1/analytics/live/stream?ticket={good}", site.url);
    let plain = reply(shoreline_tests::client().get(&url)).await;
    assert_eq!(
        (plain.status, plain.body["code"].as_str()),
        (426, Some("upgrade_required"))
    );
    open(&site, &format!("?ticket={good}")).await.unwrap();
    for (method, path, allow) in [
        (Method::GET, "ticket", "POST, OPTIONS"),
        (Method::POST, "stream", "GET, OPTIONS"),
    ] {
        let url = format!("{}/v1/analytics/live/{path}", site.url);
        let answer = shoreline_tests::client()
            .request(method, url)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], allow);
    }
}

#[tokio::test]
async fn a_ticket_is_for_a_minute_and_not_for_a_revoked_token() {
    let site = shared().new_site().await;
    let client = shoreline_tests::client();
    let keys = format!("{}/v1/sites/{}/keys", site.url, site.id);
    let make = client.post(&keys).json(&json!({"kind": "read"}));
    let key = reply(make.bearer_auth(&site.admin_token)).await.body;
    let revoke = client.delete(format!("{keys}/{}", key["keyId"].as_str().unwrap()));
    assert_eq!(
        reply(revoke.bearer_auth(&site.admin_token)).await.status,
        204
    );
    let answer = ask_ticket(&site, key["key"].as_str().unwrap()).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (401, Some("unknown_key"))
    );

    let answer = ask_ticket(&site, &site.read_token).await;
    let as_of = site.get("/v1/analytics/live").await["asOf"].as_i64();
    let left = answer.body["expiresAt"].as_i64().unwrap() - as_of.unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn what_a_client_sends_is_overlooked_and_bounded() {
    let site = shared().new_site().await;
    let mut stream = Stream::of(&site).await;
    stream.frame().await;
    stream.send(Message::text(r#"{"type":"state"}"#)).await;
    stream.send(Message::binary(vec![0; 1_024])).await;
    stream.ping().await;
    site.send_ok(&batch(&[view("/", "u")])).await;
    assert_eq!(stream.frame().await.kind, "delta");
    stream.send(Message::text("x".repeat(1_025))).await;
    assert_eq!(stream.closed().await, (1009, "message too large".into()));

    let mut stream = Stream::of(&site).await;
    for _ in 0..17 {
        stream.send(Message::text(uuid())).await;
    }
    assert_eq!(stream.closed().await, (1008, "too many messages".into()));
}

/// Nothing happens on the site: its object is put to sleep, and its streams are not.
#[tokio::test]
async fn a_stream_outlives_the_sleep_of_its_object() {
    let site = shared().new_site().await;
    let mut stream = Stream::of(&site).await;
    assert_eq!(stream.frame().await.seq, 1);
    // The next one comes when the leases are renewed. An object that slept meanwhile knows no last frame,
    // and so sends a state; its number is the next one, which the stream checks.
    assert_eq!(stream.frame().await.kind, "state");
    site.send_ok(&batch(&[view("/", "u")])).await;
    stream
        .until("the event is in a frame", |view| {
            (total(view, "page_view") == 1).then_some(())
        })
        .await;
}
