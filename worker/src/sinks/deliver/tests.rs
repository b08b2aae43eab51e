//! The recipes against scripted answers, for each sink.

use std::cell::RefCell;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::*;
use crate::sinks::http::{Answer, Method, NoAnswer, SinkRequest};
use crate::sinks::{FailureKind, Sink, SinkKind, SinksConfig};
use crate::testing::{NOW, block_on, uuid};

/// Answers in turn; then none.
#[derive(Default)]
struct Script {
    answers: RefCell<VecDeque<Result<Answer, NoAnswer>>>,
    asked: RefCell<Vec<SinkRequest>>,
}

impl Script {
    fn new(answers: Vec<(u16, Value)>) -> Self {
        let answers = answers.into_iter().map(|(status, body)| {
            Ok(Answer {
                status,
                headers: vec![("etag".into(), "\"e\"".into())],
                body: body.to_string(),
            })
        });
        Self {
            answers: RefCell::new(answers.collect()),
            asked: RefCell::default(),
        }
    }

    fn bodies(&self) -> Vec<Value> {
        let asked = self.asked.borrow();
        let bodies = asked
            .iter()
            .map(|r| serde_json::from_slice(&r.body).unwrap());
        bodies.collect()
    }
}

impl Transport for Script {
    fn now_ms(&self) -> i64 {
        NOW
    }

    async fn send(&self, request: SinkRequest) -> Result<Answer, NoAnswer> {
        self.asked.borrow_mut().push(request);
        let next = self.answers.borrow_mut().pop_front();
        next.unwrap_or(Err(NoAnswer("timeout")))
    }
}

fn sink(kind: SinkKind) -> Sink {
    let config = SinksConfig::read(&|name: &str| {
        let value = match name {
            "SINKS" => kind.name(),
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "AK",
            "AWS_SECRET_ACCESS_KEY" => "secret",
            "S3_BUCKET" => "lake",
            "FIREHOSE_STREAM" => "events",
            "SQS_QUEUE_URL" => "https://sqs.example/1/events",
            _ => return None,
        };
        Some(value.to_owned())
    });
    config.unwrap().sinks.remove(0)
}

fn line(n: usize) -> String {
    let id = uuid(n);
    json!({
        "eventId": id, "eventType": "page_view", "siteId": "demo", "source": "tracker",
        "timestamp": NOW, "receivedAt": NOW, "eventData": {"title": "a \"b\""},
        "metadata": {"platform": "web"},
    })
    .to_string()
}

fn send(kind: SinkKind, script: &Script, lines: &[String]) -> Sent {
    let sink = sink(kind);
    let window: Vec<u32> = (0..u32::try_from(lines.len()).unwrap()).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let records = sink.records().unwrap();
    block_on(send_records(
        records,
        script,
        &Progress::default(),
        &window,
        &lines,
    ))
}

fn put(script: &Script) -> Landing {
    let Sink::S3(s3) = sink(SinkKind::S3) else {
        panic!("not s3");
    };
    let object = SealedObject {
        sequence: 1,
        key: "events/k".into(),
        hash: "beef".into(),
        events: 1,
    };
    block_on(put_object(&s3, script, &object, b"gzip".to_vec()))
}

#[test]
fn a_taken_key_is_asked_for_and_nothing_else_is() {
    let script = Script::new(vec![(200, json!(null))]);
    assert_eq!(put(&script), Landing::Put);
    assert_eq!(script.asked.borrow().len(), 1);
    let script = Script::new(vec![(412, json!(null)), (200, json!(null))]);
    assert!(matches!(put(&script), Landing::Taken(_)));
    let methods: Vec<Method> = script.asked.borrow().iter().map(|r| r.method).collect();
    assert_eq!(methods, [Method::Put, Method::Head]);
    for script in [Script::default(), Script::new(vec![(412, json!(null))])] {
        assert_eq!(put(&script), Landing::Failed(Failure::passing("timeout")));
    }
}

#[test]
fn firehose_gets_an_event_a_record_with_a_line_end() {
    let answer = json!({"FailedPutCount": 0, "RequestResponses": [{"RecordId": "a"}]});
    let script = Script::new(vec![(200, answer)]);
    let sent = send(SinkKind::Firehose, &script, &["{}".to_owned()]);
    assert_eq!((sent.taken, &sent.failure), (1, &None));
    let want = json!({"DeliveryStreamName": "events", "Records": [{"Data": "e30K"}]});
    assert_eq!(script.bodies(), [want]);
    let request = &script.asked.borrow()[0];
    assert_eq!(request.url, "https://firehose.eu-central-1.amazonaws.com/");
    let target = (
        "x-amz-target",
        "Firehose_20150804.PutRecordBatch".to_owned(),
    );
    assert!(request.headers.contains(&target));
}

#[test]
fn eventbridge_gets_source_type_and_the_timestamp_in_metadata() {
    let answer = json!({"FailedEntryCount": 0, "Entries": [{"EventId": "a"}]});
    let script = Script::new(vec![(200, answer)]);
    let sent = send(SinkKind::EventBridge, &script, &[line(1)]);
    assert_eq!((sent.taken, sent.failure), (1, None));
    let entry = script.bodies()[0]["Entries"][0].clone();
    assert_eq!(entry["Source"], "shoreline.tracker");
    assert_eq!(entry["DetailType"], "page_view");
    assert_eq!(entry["EventBusName"], "default");
    assert_eq!(entry["Time"], NOW / 1_000);
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let mut want: Value = serde_json::from_str(&line(1)).unwrap();
    want["metadata"]["timestamp"] = json!(NOW);
    assert_eq!(detail, want);
}

#[test]
fn sqs_gets_the_event_itself_and_a_fifo_queue_its_ids() {
    let answer = json!({"Successful": [{"Id": "0"}, {"Id": "1"}]});
    let script = Script::new(vec![(200, answer)]);
    let sent = send(SinkKind::Sqs, &script, &[line(1), line(2)]);
    assert_eq!((sent.taken, sent.failure), (2, None));
    let want = json!({"QueueUrl": "https://sqs.example/1/events", "Entries": [
        {"Id": "0", "MessageBody": line(1)}, {"Id": "1", "MessageBody": line(2)},
    ]});
    assert_eq!(script.bodies(), [want]);
    let Sink::Sqs(mut sqs) = sink(SinkKind::Sqs) else {
        panic!("not sqs");
    };
    sqs.queue_url.push_str(".fifo");
    let record: Value = serde_json::from_str(&sqs.record(&line(1)).unwrap().json).unwrap();
    assert_eq!(record["MessageGroupId"], "demo");
    assert_eq!(record["MessageDeduplicationId"], uuid(1));
}

#[test]
fn only_the_failed_entries_are_left() {
    for (kind, answer) in [
        (
            SinkKind::Firehose,
            json!({"FailedPutCount": 1, "RequestResponses": [{"RecordId": "a"},
                {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"},
                {"RecordId": "c"}]}),
        ),
        (
            SinkKind::EventBridge,
            json!({"FailedEntryCount": 1, "Entries": [{"EventId": "a"},
                {"ErrorCode": "InternalFailure", "ErrorMessage": "…"}, {"EventId": "c"}]}),
        ),
        (
            SinkKind::Sqs,
            json!({"Successful": [{"Id": "2"}, {"Id": "0"}],
                "Failed": [{"Id": "1", "SenderFault": false, "Code": "InternalError"}]}),
        ),
    ] {
        let lines = [line(1), line(2), line(3)];
        let sent = send(kind, &Script::new(vec![(200, answer)]), &lines);
        assert_eq!((sent.taken, sent.refused), (2, 0), "{kind:?}");
        assert_eq!(sent.failure.unwrap().kind, FailureKind::Passing);
        assert_eq!(sent.progress.window(3, 10), [1], "{kind:?}");
    }
}

#[test]
fn an_entry_that_is_wrong_itself_is_reported_and_not_sent_again() {
    for (kind, answer) in [
        (
            SinkKind::EventBridge,
            json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail"}]}),
        ),
        (
            SinkKind::Sqs,
            json!({"Failed": [{"Id": "0", "SenderFault": true, "Code": "InvalidMessageContents"}]}),
        ),
    ] {
        let sent = send(kind, &Script::new(vec![(200, answer)]), &[line(1)]);
        assert_eq!((sent.taken, sent.refused, &sent.failure), (0, 1, &None));
        assert!(sent.progress.is_complete(1));
        assert!(sent.refused_code.is_some());
    }
}

#[test]
fn an_answer_that_does_not_add_up_says_nothing() {
    for (kind, answers) in [
        (
            SinkKind::Firehose,
            vec![
                json!("<html>"),
                json!({"FailedPutCount": 0, "RequestResponses": []}),
                json!({"FailedPutCount": 1, "RequestResponses": [{"RecordId": "a"}]}),
            ],
        ),
        (
            SinkKind::EventBridge,
            vec![
                json!({}),
                json!({"FailedEntryCount": 1, "Entries": [{"EventId": "a"}]}),
            ],
        ),
        (
            SinkKind::Sqs,
            vec![json!([]), json!({}), json!({"Successful": [{"Id": "7"}]})],
        ),
    ] {
        for answer in answers {
            let sent = send(kind, &Script::new(vec![(200, answer.clone())]), &[line(1)]);
            assert_eq!(sent.taken, 0, "{kind:?} {answer}");
            assert_eq!(sent.failure.unwrap().kind, FailureKind::Passing);
            assert_eq!(sent.progress, Progress::default());
        }
    }
}

#[test]
fn a_request_that_is_refused_leaves_all_of_it_by_its_code() {
    let refusal = json!({"__type": "com.amazonaws#UnrecognizedClientException", "message": "no"});
    for kind in [SinkKind::Firehose, SinkKind::EventBridge, SinkKind::Sqs] {
        let script = Script::new(vec![(400, refusal.clone())]);
        let sent = send(kind, &script, &[line(1)]);
        let want = Failure::lasting("UnrecognizedClientException");
        assert_eq!(sent.failure, Some(want), "{kind:?}");
        assert_eq!(sent.progress, Progress::default());
    }
}

#[test]
fn the_services_limits_are_kept() {
    for (kind, most, bytes) in [
        (SinkKind::Firehose, 500, 4_000_000),
        (SinkKind::EventBridge, 10, 256_000),
        (SinkKind::Sqs, 10, 1_048_576),
    ] {
        let pad = |n: usize| {
            let mut event: Value = serde_json::from_str(&line(n)).unwrap();
            event["eventData"]["pad"] = json!("x".repeat(n % 9 / 8 * 60_000));
            event.to_string()
        };
        let lines: Vec<String> = (0..600).map(pad).collect();
        let sink = sink(kind);
        let records = sink.records().unwrap();
        let made: Vec<Record> = lines
            .iter()
            .map(|line| records.record(line).unwrap())
            .collect();
        let sizes: Vec<usize> = made.iter().map(|record| record.size).collect();
        for range in cut_batches(&sizes, records.limits()) {
            assert!(range.len() <= most);
            let batch: Vec<&Record> = made[range.clone()].iter().collect();
            let sum: usize = lines[range].iter().map(String::len).sum();
            assert!(sum <= bytes);
            if kind == SinkKind::Firehose {
                assert!(records.request(&batch, NOW).body.len() <= bytes);
            }
        }
        // One that no request could hold.
        let limits = records.limits();
        let mut event: Value = serde_json::from_str(&line(1)).unwrap();
        event["eventData"]["pad"] = json!("x".repeat(limits.entry_bytes));
        assert_eq!(
            records.record(&event.to_string()),
            Err("too_large"),
            "{kind:?}"
        );
        assert!(records.record("not an event").is_err() || kind == SinkKind::Firehose);
    }
}

#[test]
fn after_a_failure_nothing_more_is_sent_and_the_rest_is_left() {
    // Three requests at once: the first is answered, the others are not; the fourth is not begun.
    let answer = json!({"FailedEntryCount": 0, "Entries": vec![json!({"EventId": "a"}); 10]});
    let script = Script::new(vec![(200, answer)]);
    let lines: Vec<String> = (0..40).map(line).collect();
    let sent = send(SinkKind::EventBridge, &script, &lines);
    assert_eq!(script.asked.borrow().len(), 3);
    assert_eq!(sent.taken, 10);
    assert_eq!(sent.failure, Some(Failure::passing("timeout")));
    assert_eq!(sent.progress.window(40, 3), [10, 11, 12]);
    assert_eq!(
        serde_json::to_string(&sent.progress).unwrap(),
        r#"{"next":10,"left":[]}"#
    );
}

#[test]
fn lines_that_are_missing_are_a_failure_and_not_a_loop() {
    let sink = sink(SinkKind::Sqs);
    let records = sink.records().unwrap();
    let script = Script::default();
    let sent = block_on(send_records(
        records,
        &script,
        &Progress::default(),
        &[0, 1],
        &[],
    ));
    assert_eq!(sent.failure, Some(Failure::passing("lines_missing")));
}
