//! Batches of events to Firehose, EventBridge and SQS.

use serde_json::{Value, json};
use shoreline_tests::aws::{Moto, REGION, Wire, config, moto};
use shoreline_tests::events::uuid;
use shoreline_worker::sinks::{FailureKind, Progress, Sent, Sink, send_records};

fn sink(moto: &Moto, vars: &[(&str, &str)]) -> Sink {
    sink_with(moto, &moto.secret, vars)
}

fn sink_with(moto: &Moto, secret: &str, vars: &[(&str, &str)]) -> Sink {
    let common = [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", &moto.key_id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("FIREHOSE_ENDPOINT", &moto.url),
        ("EVENTBRIDGE_ENDPOINT", &moto.url),
    ];
    let vars = [vars, &common].concat();
    config(&vars).sinks.remove(0)
}

/// Stored events with all that JSON, base64 and XML find hard.
fn events(count: usize) -> Vec<Value> {
    let event = |n: usize| {
        json!({
            "eventId": uuid(), "eventType": "page_view", "siteId": "demo", "source": "tracker",
            "timestamp": 1_705_334_412_345_i64, "receivedAt": 1_705_334_412_345_i64,
            "schemaVersion": 1,
            "eventData": {"title": format!("{n} \"é\" <&> \u{1F600} \u{FFFE} \\n")},
            "metadata": {"platform": "web"},
        })
    };
    (0..count).map(event).collect()
}

async fn send(sink: &Sink, events: &[Value]) -> Sent {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let window: Vec<u32> = (0..u32::try_from(lines.len()).unwrap()).collect();
    let records = sink.records().unwrap();
    let progress = Progress::default();
    send_records(records, &Wire::new(), &progress, &window, &lines).await
}

fn sorted(mut events: Vec<Value>) -> Vec<Value> {
    events.sort_by_key(|event| event["eventId"].as_str().unwrap().to_owned());
    events
}

#[tokio::test]
async fn firehose_delivers_the_lines_into_its_bucket() {
    let moto = moto().await;
    moto.new_stream("lines").await;
    let sink = sink(moto, &[("SINKS", "firehose"), ("FIREHOSE_STREAM", "lines")]);
    // More than one request holds.
    let events = events(620);
    let sent = send(&sink, &events).await;
    assert_eq!((sent.taken, sent.failure), (620, None));
    assert!(sent.progress.is_complete(620));
    assert_eq!(sorted(moto.delivered("lines").await), sorted(events));
}

#[tokio::test]
async fn sqs_gets_every_event_as_it_is() {
    let moto = moto().await;
    let queue = moto.new_queue("plain").await;
    let sink = sink(moto, &[("SINKS", "sqs"), ("SQS_QUEUE_URL", &queue)]);
    let events = events(45);
    let sent = send(&sink, &events).await;
    assert_eq!((sent.taken, sent.failure), (45, None));
    assert_eq!(sorted(moto.receive(&queue).await), sorted(events));
}

#[tokio::test]
async fn eventbridge_hands_events_to_the_target_of_a_rule() {
    let moto = moto().await;
    let queue = moto.new_bus("bus", "edtech").await;
    let sink = sink(
        moto,
        &[
            ("SINKS", "eventbridge"),
            ("EVENTBRIDGE_BUS", "bus"),
            ("EVENTBRIDGE_SOURCE_PREFIX", "edtech"),
        ],
    );
    let events = events(25);
    let sent = send(&sink, &events).await;
    assert_eq!((sent.taken, sent.failure), (25, None));
    let got = moto.receive(&queue).await;
    for message in &got {
        assert_eq!(message["source"], "edtech.tracker");
        assert_eq!(message["detail-type"], "page_view");
        assert_eq!(
            message["detail"]["metadata"]["timestamp"],
            1_705_334_412_345_i64
        );
        assert_eq!(message["time"], "2024-01-15T16:00:12Z");
    }
    let details = got.iter().map(|message| {
        let mut detail = message["detail"].clone();
        detail["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("timestamp");
        detail
    });
    assert_eq!(sorted(details.collect()), sorted(events));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_nothing_arrives() {
    let moto = moto().await;
    moto.new_stream("refused").await;
    let queue = moto.new_queue("refused").await;
    for vars in [
        [("SINKS", "firehose"), ("FIREHOSE_STREAM", "refused")],
        [("SINKS", "sqs"), ("SQS_QUEUE_URL", &queue)],
        [("SINKS", "eventbridge"), ("EVENTBRIDGE_BUS", "default")],
    ] {
        let sent = send(&sink_with(moto, "wrong", &vars), &events(3)).await;
        let failure = sent.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Lasting, "{failure:?}");
        assert_eq!(failure.code, "SignatureDoesNotMatch", "{vars:?}");
        assert_eq!((sent.taken, sent.progress), (0, Progress::default()));
    }
    assert!(moto.delivered("refused").await.is_empty());
    assert!(moto.receive(&queue).await.is_empty());
}

#[tokio::test]
async fn a_stream_or_queue_that_is_not_there_lasts() {
    let moto = moto().await;
    let nowhere = format!("{}/123456789012/nowhere", moto.url);
    for (vars, code) in [
        (
            [("SINKS", "firehose"), ("FIREHOSE_STREAM", "nowhere")],
            "ResourceNotFoundException",
        ),
        (
            [("SINKS", "sqs"), ("SQS_QUEUE_URL", &nowhere)],
            "QueueDoesNotExist",
        ),
    ] {
        let failure = send(&sink(moto, &vars), &events(1)).await.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Lasting, "{failure:?}");
        assert_eq!(failure.code, code);
    }
}
