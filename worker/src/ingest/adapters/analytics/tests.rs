use serde_json::{Value, json};

use crate::ingest::adapters::tests::{draft, made, refused, stored_one};

/// As the document has it.
fn analytics_event() -> Value {
    json!({
        "eventType": "QUERY_PROFILE_ANALYTICS", "source": "profile-service",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "detail": {
            "action": "EXECUTE", "type": "QUERY_PROFILE", "timestamp": "2025-11-16T18:14:00.000Z", "userId": "u-1",
            "metadata": {
                "source": "nextjs", "traceId": "1-5759e988-bd862e3fe1be46a994272793", "duration": 42.5,
                "status": "FAILURE", "errorType": "ValidationError", "eventCategory": "QUERY",
                "properties": {"functionName": "query", "functionVersion": "$LATEST", "memoryLimitInMB": 128,
                    "remainingTime": 2_900}
            }
        }
    })
}

fn assert_told(stored: &Value, source: &str) {
    assert_eq!(stored["eventType"], "QUERY_PROFILE_ANALYTICS");
    assert_eq!(stored["source"], source);
    assert_eq!(stored["siteId"], "demo");
    assert_eq!(stored["userId"], "u-1");
    assert_eq!(stored["timestamp"], 1_763_316_840_000_i64);
    let data = &stored["eventData"];
    assert_eq!(
        (&data["action"], &data["type"]),
        (&json!("EXECUTE"), &json!("QUERY_PROFILE"))
    );
    // Where questions ask for it, and where the document has it.
    for at in [data, &data["metadata"]] {
        assert_eq!(at["duration"], 42.5);
        assert_eq!(at["status"], "FAILURE");
        assert_eq!(at["errorType"], "ValidationError");
        assert_eq!(at["eventCategory"], "QUERY");
    }
    let metadata = &data["metadata"];
    assert_eq!(metadata["traceId"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(metadata["properties"]["memoryLimitInMB"], 128);
}

#[test]
fn a_services_analytics_event_is_stored_under_its_own_source() {
    let stored = stored_one(&analytics_event());
    assert_told(&stored, "profile-service");
    assert_eq!(
        stored["eventData"]["requestId"],
        "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    );
    // The names of Shoreline's own events are not reserved.
    let mut own = analytics_event();
    own["eventType"] = json!("INGEST_ANALYTICS");
    assert_eq!(stored_one(&own)["eventType"], "INGEST_ANALYTICS");
    let bare = json!({"eventType": "QUERY_ANALYTICS", "source": "s", "detail": {}});
    assert_eq!(stored_one(&bare)["eventData"], json!({}));
}

/// By the bus, whose detail is the event's, or the whole of it; as an entry; and as a CloudEvent.
#[test]
fn an_analytics_event_comes_by_every_envelope() {
    let event = analytics_event();
    let mut whole = event.clone();
    whole.as_object_mut().unwrap().remove("source");
    for detail in [&event["detail"], &event, &whole] {
        let delivered = json!({"version": "0", "id": "6a7e8feb", "detail-type": "QUERY_PROFILE_ANALYTICS",
            "source": "profile-service", "time": "2025-11-16T18:15:00Z", "detail": detail});
        assert_told(&stored_one(&delivered), "profile-service");
        assert_eq!(
            made(&delivered).foreign_id.as_deref(),
            Some("eventbridge:6a7e8feb")
        );
        let entry = json!({"DetailType": "QUERY_PROFILE_ANALYTICS", "Source": "profile-service",
            "Detail": detail.to_string()});
        assert_told(&stored_one(&entry), "profile-service");
    }
    let cloud = json!({"specversion": "1.0", "type": "x", "source": "profile-service", "id": "1", "data": whole});
    assert_told(&stored_one(&cloud), "profile-service");
}

#[test]
fn what_is_broken_is_told_in_the_senders_words() {
    for (path, value, code, field) in [
        ("/detail", json!("text"), "wrong_type", "detail"),
        (
            "/detail/timestamp",
            json!("soon"),
            "invalid_timestamp",
            "detail.timestamp",
        ),
        ("/source", Value::Null, "missing_field", "source"),
    ] {
        let mut event = analytics_event();
        *event.pointer_mut(path).unwrap() = value;
        assert_eq!(refused(draft(&event)), (code, field.to_owned()));
    }
}

/// Of any event of a service, and never over what its data has already; a page's kinds of events stay as they are.
#[test]
fn what_metadata_tells_of_an_operation_is_asked_for_in_the_data() {
    let item = json!({"eventType": "order.placed", "source": "orders", "eventData": {"status": "PAID"},
        "metadata": {"duration": 7, "status": "SUCCESS", "eventCategory": "USER_ACTION"}});
    assert_eq!(
        stored_one(&item)["eventData"],
        json!({"status": "PAID", "duration": 7, "eventCategory": "USER_ACTION"})
    );
    let bus = json!({"detail-type": "x", "source": "s", "detail": {"metadata": {"duration": 7}}});
    assert_eq!(stored_one(&bus)["eventData"]["duration"], 7);
    let used = json!({"eventType": "feature_use", "userId": "u", "sessionId": "s", "eventData": {"feature": "f"},
        "metadata": {"userAgent": "a", "ipAddress": "203.0.113.9", "platform": "web", "duration": 7}});
    assert_eq!(stored_one(&used)["eventData"], json!({"feature": "f"}));
}

/// A field `detail` of an event in Shoreline's own form is none of the contract's.
#[test]
fn a_stray_detail_makes_no_analytics_event() {
    let item = json!({"eventType": "order.placed", "source": "s", "detail": {"action": "x"}, "eventData": {"a": 1}});
    assert_eq!(stored_one(&item)["eventData"], json!({"a": 1}));
    let item = json!({"eventType": "order.placed", "source": "s", "detail": "x"});
    assert_eq!(stored_one(&item)["eventData"], json!({}));
}
