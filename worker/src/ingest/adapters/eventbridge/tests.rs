use serde_json::{Value, json};

use crate::ingest::adapters::tests::{draft, drafts, made, refused, stored_one};
use crate::ingest::draft::Draft;

fn event() -> Value {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Course Completed",
        "source": "edtech.course", "account": "1", "region": "eu-central-1", "resources": [],
        "time": "2025-11-16T18:14:09Z",
        "detail": {"courseId": "c-1", "userId": "u-1", "metadata": {"timestamp": 1_763_316_840_000_i64}}
    })
}

#[test]
fn a_delivered_event_is_stored() {
    let stored = stored_one(&event());
    assert_eq!(stored["eventType"], "Course-Completed");
    assert_eq!(stored["source"], "edtech.course");
    assert_eq!(stored["userId"], "u-1");
    assert_eq!(stored["timestamp"], 1_763_316_840_000_i64);
    assert_eq!(
        stored["eventData"],
        json!({
            "courseId": "c-1", "userId": "u-1", "metadata": {"timestamp": 1_763_316_840_000_i64},
            "eventBridge": {"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "account": "1",
                "region": "eu-central-1", "resources": [], "detail-type": "Course Completed"}
        })
    );
    let id = made(&event()).foreign_id;
    assert_eq!(
        id.as_deref(),
        Some("eventbridge:6a7e8feb-b491-4cf7-a9f1-bf3703467718")
    );
}

#[test]
fn the_moment_is_the_events_else_the_bus() {
    for (inside, expected) in [
        (json!("1763316840000"), 1_763_316_840_000_i64),
        (json!("2025-11-16T18:14:00Z"), 1_763_316_840_000),
        (json!("soon"), 1_763_316_849_000),
        (Value::Null, 1_763_316_849_000),
    ] {
        let mut event = event();
        event["detail"]["metadata"]["timestamp"] = inside;
        assert_eq!(stored_one(&event)["timestamp"], expected);
    }
    let mut bare = event();
    bare["detail"] = Value::Null;
    assert_eq!(stored_one(&bare)["timestamp"], 1_763_316_849_000_i64);
    let mut user = event();
    user["detail"] = json!({"metadata": {"userId": 7}});
    assert_eq!(stored_one(&user)["userId"], "7");
}

#[test]
fn entries_are_events_not_yet_delivered() {
    let entry = json!({"Source": "edtech.course", "DetailType": "CourseCompleted", "Time": 1_763_316_840,
        "Detail": "{\"courseId\":\"c-1\",\"n\":1e999}", "EventBusName": "main"});
    let body = json!({"Entries": [entry, {"DetailType": "x", "Source": "s", "Detail": "no json"}, 5, {"a": 1}]});
    let drafts = drafts("application/json", &body.to_string());
    assert_eq!(drafts.len(), 4);
    assert_eq!(drafts[0], draft(&entry));
    let stored = stored_one(&entry);
    assert_eq!(stored["eventType"], "CourseCompleted");
    assert_eq!(stored["timestamp"], 1_763_316_840_000_i64);
    assert_eq!(stored["eventData"]["courseId"], "c-1");
    assert_eq!(
        refused(drafts[1].clone()),
        ("wrong_type", "Detail".to_owned())
    );
    assert_eq!(refused(drafts[2].clone()).0, "wrong_type");
    assert_eq!(
        drafts[3],
        Draft::Unknown {
            keys: vec!["x".to_owned()]
        }
    );
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let deep = json!({"DetailType": "x", "Source": "s", "Detail": deep});
    assert_eq!(refused(draft(&deep)).0, "too_deep");
}

#[test]
fn our_own_sinks_entries_come_back_whole() {
    let own = json!({
        "eventId": "0198c1d2-6f00-7000-8000-000000000001", "eventType": "feature_use", "source": "shop",
        "userId": "u-1", "sessionId": "s-1", "timestamp": 1_763_316_840_000_i64,
        "eventData": {"feature": "f"},
        "metadata": {"userAgent": "a", "ipAddress": "203.0.113.0", "platform": "web", "timestamp": 1_763_316_840_000_i64}
    });
    let entry =
        json!({"Source": "shoreline.shop", "DetailType": "feature_use", "Detail": own.to_string()});
    let stored = stored_one(&entry);
    assert_eq!(stored["source"], "shop");
    assert_eq!(stored["eventData"], json!({"feature": "f"}));
    assert_eq!(made(&entry).fields["eventId"], own["eventId"]);
}

#[test]
fn a_broken_event_is_refused_by_its_field() {
    for (field, value, code) in [
        ("detail-type", Value::Null, "missing_field"),
        ("detail-type", json!(5), "wrong_type"),
        ("detail-type", json!(" "), "empty_field"),
        ("detail", json!([1]), "wrong_type"),
        ("source", Value::Null, "missing_field"),
        ("time", json!("soon"), "invalid_timestamp"),
    ] {
        let mut broken = event();
        broken["detail"] = json!({});
        broken[field] = value;
        assert_eq!(refused(draft(&broken)), (code, field.to_owned()));
    }
    for (entry, refusal) in [
        (
            json!({"DetailType": 5, "Source": "s"}),
            ("wrong_type", "DetailType"),
        ),
        (
            json!({"DetailType": "x", "Source": "s", "Detail": [1]}),
            ("wrong_type", "Detail"),
        ),
        (
            json!({"DetailType": "x", "Source": "s", "Time": {}}),
            ("invalid_timestamp", "Time"),
        ),
    ] {
        assert_eq!(refused(draft(&entry)), (refusal.0, refusal.1.to_owned()));
    }
}
