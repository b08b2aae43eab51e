//! Several sinks in trouble, on the real workerd: each gets everything, object stores once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shoreline_tests::aws::{REGION, S3Server, SinkProxy, Trouble, moto};
use shoreline_tests::events::{batch, ids, uuid, view};
use shoreline_tests::site::Site;
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::{eventually, lake};

/// The settings of a system with these sinks, the S3 being `s3` with `secret`.
pub(crate) fn settings(sinks: &str, s3: &str, secret: &str) -> String {
    format!(
        "SINKS:{sinks} {QUIET} LAKE_SEAL_SECONDS:1 OUTBOX_RESEND_SECONDS:2 AWS_REGION:{REGION} \
         S3_ENDPOINT:{s3} S3_BUCKET:{} S3_ACCESS_KEY_ID:{} S3_SECRET_ACCESS_KEY:{secret}",
        S3Server::BUCKET,
        S3Server::KEY_ID,
    )
}

/// What `/health` says of a sink.
pub(crate) async fn sink(site: &Site, name: &str) -> Value {
    let health = site.get("/health").await;
    let sinks = health["backlog"]["lake"]["sinks"].as_array().unwrap();
    let found = sinks.iter().find(|sink| sink["sink"] == name);
    found.cloned().unwrap_or(Value::Null)
}

/// Waits until a sink has this many events.
pub(crate) async fn landed(site: &Site, name: &str, events: usize) {
    eventually(&format!("{events} events land in {name}"), async || {
        (sink(site, name).await["landedEvents"] == events).then_some(())
    })
    .await;
}

/// Sends a batch of two and remembers its ids.
async fn send(site: &Site, sent: &mut Vec<String>) {
    let two = batch(&[view("/a", "u"), view("/b", "u")]);
    site.send_ok(&two).await;
    sent.extend(ids(&two));
    sent.sort();
}

pub(crate) fn ids_in(server: &S3Server) -> Vec<String> {
    lake::ids_of(&lake::unpack(&server.objects()), "demo")
}

#[tokio::test]
async fn whatever_a_sink_answers_object_stores_get_every_event_once() {
    let server = S3Server::start().await;
    let moto = moto().await;
    moto.new_stream("troubled").await;
    let of_bus = moto.new_bus("troubled-bus", "troubled").await;
    let queue = moto.new_queue("troubled-queue").await;
    let s3 = SinkProxy::start(&server.url).await;
    let firehose = SinkProxy::start(&moto.url).await;
    let eventbridge = SinkProxy::start(&moto.url).await;
    let sqs = SinkProxy::start(&moto.url).await;
    let all = [&s3, &firehose, &eventbridge, &sqs];
    let mut settings = settings("r2,s3,firehose,eventbridge,sqs", &s3.url, S3Server::SECRET);
    for (name, value) in [
        ("FIREHOSE_ENDPOINT", &firehose.url),
        ("FIREHOSE_STREAM", &"troubled".to_owned()),
        ("EVENTBRIDGE_ENDPOINT", &eventbridge.url),
        ("EVENTBRIDGE_BUS", &"troubled-bus".to_owned()),
        ("EVENTBRIDGE_SOURCE_PREFIX", &"troubled".to_owned()),
        ("SQS_QUEUE_URL", &queue.replace(&moto.url, &sqs.url)),
    ] {
        settings += &format!(" {name}:{value}");
    }
    for service in ["FIREHOSE", "EVENTBRIDGE", "SQS"] {
        settings += &format!(" {service}_ACCESS_KEY_ID:{}", moto.key_id);
        settings += &format!(" {service}_SECRET_ACCESS_KEY:{}", moto.secret);
    }
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    let mut sent = Vec::new();
    for trouble in [
        Trouble::None,
        Trouble::Answer(500, "InternalError", None),
        Trouble::Answer(503, "SlowDown", Some(3)),
        Trouble::Answer(409, "ConditionalRequestConflict", None),
        Trouble::Cut,
        Trouble::StoreAndCut,
        Trouble::Garbage,
        Trouble::Stranger,
    ] {
        let before = all.map(|sink| sink.met(trouble));
        for sink in all {
            sink.set_times(1, trouble);
        }
        send(&site, &mut sent).await;
        eventually(&format!("all sinks meet {trouble:?}"), async || {
            let met = all.map(|sink| sink.met(trouble));
            met.iter()
                .zip(before)
                .all(|(met, before)| *met > before)
                .then_some(())
        })
        .await;
        // Each trouble is the first after all was well.
        site.settle().await;
    }
    for trace in all.map(SinkProxy::traces).concat() {
        assert!(trace.is_some_and(|trace| trace.len() == 55));
    }
    assert_eq!(ids_in(&server), sent);
    let r2 = lake::pull_raw(site.state.path());
    assert_eq!(lake::ids_of(&lake::unpack(&r2), "demo"), sent);
    // The same objects to the byte, wherever they are.
    assert_eq!(r2, server.objects());
    // What was stored before the connection broke was known again.
    assert!(s3.seen().contains(&("HEAD".to_owned(), Trouble::None)));
    let of_bus = moto.receive(&of_bus).await;
    for (name, events) in [
        ("firehose", moto.delivered("troubled").await),
        (
            "eventbridge",
            of_bus.iter().map(|told| told["detail"].clone()).collect(),
        ),
        ("sqs", moto.receive(&queue).await),
    ] {
        let id = |event: &Value| event["eventId"].as_str().unwrap().to_owned();
        let got: BTreeSet<String> = events.iter().map(id).collect();
        assert_eq!(got, sent.iter().cloned().collect(), "{name}");
    }
    for name in ["r2", "s3", "firehose", "eventbridge", "sqs"] {
        let state = sink(&site, name).await;
        assert_eq!(state["failingSince"], Value::Null, "{state}");
        assert_eq!(
            (&state["conflicts"], &state["refusedEvents"]),
            (&json!(0), &json!(0))
        );
    }
}

#[tokio::test]
async fn a_sink_that_hangs_keeps_no_other_waiting() {
    let server = S3Server::start().await;
    let s3 = SinkProxy::start(&server.url).await;
    s3.set(Trouble::Hang);
    let settings = settings("s3,r2", &s3.url, S3Server::SECRET);
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    let mut sent = Vec::new();
    for round in 1..=3 {
        send(&site, &mut sent).await;
        landed(&site, "r2", round * 2).await;
    }
    // All of that within the first attempt at the other.
    assert_eq!(s3.seen().len(), 1);
    let waiting = sink(&site, "s3").await;
    assert_eq!(waiting["landedEvents"], 0);
    assert_eq!(waiting["pendingObjects"], 3);
    assert!(waiting["pendingBytes"].as_i64().unwrap() > 0);
    // It gives up, and the next attempt lands without our hearing of it.
    s3.set_times(1, Trouble::StoreAndHang);
    eventually("the attempt is given up", async || {
        (sink(&site, "s3").await["code"] == "timeout").then_some(())
    })
    .await;
    site.settle().await;
    assert_eq!(ids_in(&server), sent);
}

#[tokio::test]
async fn a_wrong_secret_is_seen_and_not_tried_again_and_again_until_it_is_mended() {
    let server = S3Server::start().await;
    let s3 = SinkProxy::start(&server.url).await;
    let webhook = SinkProxy::start("http://127.0.0.1").await;
    webhook.set(Trouble::Stranger);
    let wrong = format!(
        "{} ALERT_WEBHOOK_URL:{}",
        settings("r2,s3", &s3.url, "wrong"),
        webhook.url
    );
    let system = System::start_with(&StateDir::new(), &wrong);
    let site = system.demo();
    let mut sent = Vec::new();
    for round in 1..=3 {
        send(&site, &mut sent).await;
        landed(&site, "r2", round * 2).await;
    }
    eventually("the refusal is seen", async || {
        let state = sink(&site, "s3").await;
        let seen = state["lasting"] == true && state["code"] == "SignatureDoesNotMatch";
        (seen && state["failingSince"].is_i64()).then_some(())
    })
    .await;
    let health = site.get("/health").await;
    assert_eq!(health["services"]["archive_do"]["status"], "degraded");
    assert_eq!(s3.seen().len(), 1, "one attempt in five minutes at most");
    assert!(server.objects().is_empty());
    let log = std::fs::read_to_string(site.state.path().join("shoreline/wrangler.log")).unwrap();
    assert!(log.contains("sink_alert"), "it is logged");
    eventually("somebody is told", async || {
        (webhook.met(Trouble::Stranger) == 1).then_some(())
    })
    .await;
    assert!(!log.contains("AKIATEST"), "no key is logged");
    let state = system.stop();

    let right = settings("r2,s3", &s3.url, S3Server::SECRET);
    let system = System::start_with(&state, &right);
    let site = system.demo();
    site.settle().await;
    assert_eq!(ids_in(&server), sent);
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), "demo"), sent);
    assert_eq!(sink(&site, "s3").await["lasting"], false);
}

#[tokio::test]
async fn a_sink_that_is_down_fills_the_lake_and_then_the_outbox_and_loses_nothing() {
    let server = S3Server::start().await;
    let s3 = SinkProxy::start(&server.url).await;
    s3.set(Trouble::Cut);
    let settings = format!(
        "{} LAKE_BACKLOG_BYTES:1000000",
        settings("s3", &s3.url, S3Server::SECRET)
    );
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    let mut sent = Vec::new();
    for _ in 0..5 {
        let large = |_| {
            json!({
                "eventId": uuid(), "eventType": "page_view", "userId": "u", "sessionId": "s",
                "eventData": {"path": "/", "text": vec!["x".repeat(900); 25]},
                "metadata": {"platform": "web"},
            })
        };
        let events: Vec<Value> = (0..12).map(large).collect();
        let large = batch(&events);
        site.send_ok(&large).await;
        sent.extend(ids(&large));
    }
    sent.sort();
    eventually("the lake is full", async || {
        let log = std::fs::read_to_string(site.state.path().join("shoreline/wrangler.log"));
        log.unwrap().contains("backlog is full").then_some(())
    })
    .await;
    let backlog = site.get("/health").await["backlog"].clone();
    let pending = backlog["lake"]["pendingBytes"].as_i64().unwrap();
    assert!((500_000..=1_000_000).contains(&pending), "{backlog}");
    assert!(
        backlog["outbox"]["parts"].as_i64().unwrap() > 0,
        "{backlog}"
    );
    s3.set(Trouble::None);
    site.settle().await;
    assert_eq!(ids_in(&server), sent);
}
