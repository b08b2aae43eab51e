//! Whatever a service has at hand, sent by curl: the shapes that known services emit, domain events,
//! EventBridge's, Kafka's, and plain commands.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::{Value, json};
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{of_type, stored};

/// Posts a body to `/v1/ingest`; the status and the answer.
async fn curl(site: &Site, headers: &[&str], body: &str) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "\n%{http_code}", "--data-binary", "@-"]);
    for header in headers {
        command.args(["-H", header]);
    }
    command
        .arg("-H")
        .arg(format!("Authorization: Bearer {}", site.source_key))
        .arg(format!("{}/v1/ingest", site.url))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(body.as_bytes()).await.unwrap();
    drop(stdin);
    let said = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (answer, status) = said.rsplit_once('\n').unwrap();
    let answer = serde_json::from_str(answer).unwrap_or(Value::Null);
    (status.parse().unwrap(), answer)
}

/// Posts a body twice, all of whose items must be taken.
async fn twice(site: &Site, headers: &[&str], body: &str, items: i64) {
    for _ in 0..2 {
        let (status, answer) = curl(site, headers, body).await;
        assert_eq!(status, 202, "{body}: {answer}");
        let taken = answer["accepted"].as_i64().unwrap() + answer["duplicate"].as_i64().unwrap();
        assert_eq!(taken, items, "{body}: {answer}");
    }
}

const JSON: &str = "Content-Type: application/json";

/// A minute ago, to the whole second.
fn minute_ago() -> DateTime<Utc> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds = i64::try_from(now.as_secs()).unwrap() - 60;
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn iso(at: DateTime<Utc>, fraction: &str) -> String {
    let (year, month, day) = (at.year(), at.month(), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[tokio::test]
async fn the_six_known_emissions_are_stored_once_in_the_canonical_form() {
    let site = shared().new_site().await;
    let at = minute_ago();
    let parts = [
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        123_456_789,
    ]
    .map(|part| part.to_string())
    .join(",");
    let year = at.year();
    let seconds = at.timestamp();
    let (nano, plain) = (iso(at, ".123456789"), iso(at, ""));
    let emissions = [
        format!(
            r#"{{"id":"u-1","username":"jane","email":"jane@mail.example","registeredAt":[{year},{parts}]}}"#
        ),
        format!(r#"{{"guideId":"g-1","challengeId":"c-1","occurredAt":{seconds}.123456}}"#),
        format!(
            r#"{{"executionId":"e-1","language":"rust","status":"passed","executedAt":"{nano}"}}"#
        ),
        r#"{"userId":"u-2","username":"bob","profileUrl":null}"#.to_owned(),
        r#"{"userId":"u-3","username":"eve","profileUrl":"https://shop.example/eve"}"#.to_owned(),
        format!(r#"{{"challengeId":"c-2","studentId":"s-1","score":97,"occurredOn":"{plain}"}}"#),
    ];
    for (n, emission) in emissions.iter().enumerate() {
        // The two of the community tell no time, so that the request must be named.
        let key = format!("Idempotency-Key: emission-{n}");
        twice(&site, &[JSON, &key], emission, 1).await;
    }
    let stored = stored(&site, 6).await;
    let micro = iso(at, ".123456");
    for (event_type, source, user, field, value) in [
        (
            "iam.user-registered",
            "iam-service",
            json!("u-1"),
            "registeredAtIso",
            json!(micro),
        ),
        (
            "guides.challenge-linked",
            "guides-service",
            Value::Null,
            "occurredAtIso",
            json!(micro),
        ),
        (
            "execution.analytics",
            "execution-service",
            Value::Null,
            "executedAtIso",
            json!(micro),
        ),
        (
            "community.user-registered",
            "community-service",
            json!("u-2"),
            "username",
            json!("bob"),
        ),
        (
            "community.profile-updated",
            "community-service",
            json!("u-3"),
            "profileUrl",
            json!("https://shop.example/eve"),
        ),
        (
            "challenges.solution-completed",
            "challenges-service",
            json!("s-1"),
            "occurredOnIso",
            json!(plain),
        ),
    ] {
        let event = of_type(&stored, event_type);
        assert_eq!(event["source"], source, "{event_type}");
        assert_eq!(event["userId"], user, "{event_type}");
        assert_eq!(event["eventData"][field], value, "{event_type}");
        if !event_type.starts_with("community") {
            let told = event["timestamp"].as_i64().unwrap() / 1000;
            assert_eq!(told, seconds, "{event_type}");
        }
    }
    let registered = of_type(&stored, "iam.user-registered");
    assert_eq!(registered["eventData"]["email"], "[redacted]");
}

#[tokio::test]
async fn commands_domain_events_and_eventbridges_are_stored_once() {
    let site = shared().new_site().await;
    let at = iso(minute_ago(), "");
    let ms = minute_ago().timestamp_millis();
    let command = json!({
        "eventType": "challenge.completed", "source": "challenge-service", "occurredAt": at,
        "tenantId": "academy-123", "payload": {"challengeId": "c-1", "studentId": "s-1", "score": 97},
    });
    twice(
        &site,
        &[JSON, "Idempotency-Key: order 66"],
        &command.to_string(),
        1,
    )
    .await;
    for event_type in [
        "ProductCreated",
        "ProductUpdated",
        "ProductDeleted",
        "LowStockWarning",
    ] {
        let event = json!({
            "id": format!("event-{event_type}"), "eventType": event_type, "timestamp": at,
            "data": {"productId": "p-1"},
        });
        twice(&site, &[JSON], &event.to_string(), 1).await;
    }
    let bridge = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "LessonFinished",
        "source": "edtech.lessons", "account": "123456789012", "time": at, "region": "eu-west-1",
        "resources": [], "detail": {"userId": "u-7", "lesson": 3, "metadata": {"timestamp": ms}},
    });
    twice(&site, &[JSON], &bridge.to_string(), 1).await;
    let entries = json!({"Entries": [{
        "Source": "edtech.lessons", "DetailType": "LessonBegun", "Time": at,
        "Detail": json!({"userId": "u-7", "lesson": 4}).to_string(),
    }]});
    twice(
        &site,
        &[JSON, "Idempotency-Key: entries"],
        &entries.to_string(),
        1,
    )
    .await;
    let stored = stored(&site, 7).await;
    let challenge = of_type(&stored, "challenge.completed");
    assert_eq!(challenge["source"], "challenge-service");
    assert_eq!(challenge["tenantId"], "academy-123");
    assert_eq!(challenge["userId"], "s-1");
    assert_eq!(challenge["eventData"], command["payload"]);
    assert_eq!(challenge["timestamp"], ms / 1000 * 1000);
    let warning = of_type(&stored, "LowStockWarning");
    assert_eq!(
        (&warning["source"], &warning["eventData"]["productId"]),
        (&json!("product-service"), &json!("p-1"))
    );
    let finished = of_type(&stored, "LessonFinished");
    assert_eq!(
        (&finished["source"], &finished["userId"]),
        (&json!("edtech.lessons"), &json!("u-7"))
    );
    assert_eq!(
        (&finished["timestamp"], &finished["eventData"]["lesson"]),
        (&json!(ms), &json!(3))
    );
    assert_eq!(of_type(&stored, "LessonBegun")["eventData"]["lesson"], 4);
}

#[tokio::test]
async fn a_topics_records_come_as_array_as_records_and_as_lines() {
    let site = shared().new_site().await;
    let item = |name: &str| json!({"eventType": name, "source": "orders", "payload": {"n": 1}});
    let array = json!([item("array.one"), item("array.two")]);
    twice(
        &site,
        &[JSON, "Idempotency-Key: array"],
        &array.to_string(),
        2,
    )
    .await;
    let records = json!({"records": [{"key": "k", "value": item("record.one")}, {"value": item("record.two")}]});
    let kafka = "Content-Type: application/vnd.kafka.json.v2+json";
    twice(
        &site,
        &[kafka, "Idempotency-Key: records"],
        &records.to_string(),
        2,
    )
    .await;
    let lines = format!("{}\n\n{}\n", item("line.one"), item("line.two"));
    let ndjson = "Content-Type: application/x-ndjson";
    twice(&site, &[ndjson, "Idempotency-Key: lines"], &lines, 2).await;
    let stored = stored(&site, 6).await;
    for name in [
        "array.one",
        "array.two",
        "record.one",
        "record.two",
        "line.one",
        "line.two",
    ] {
        let event = of_type(&stored, name);
        assert_eq!(
            (&event["source"], &event["eventData"]),
            (&json!("orders"), &json!({"n": 1})),
            "{name}"
        );
    }
}
