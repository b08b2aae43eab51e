//! What an item says of its own identity, where its envelope has none.

use serde_json::{Value, json};

use super::{canonical, draft, made, refused, stored_one};

const UUID: &str = "0198c1d2-6f00-7000-8000-000000000009";

fn told(item: &Value) -> (Value, Option<String>) {
    let made = made(item);
    let id = made.fields.get("eventId").cloned().unwrap_or_default();
    (id, made.foreign_id)
}

#[test]
fn a_payloads_event_id_is_the_events_where_the_envelope_has_none() {
    let with = |id: Value| {
        let mut item = canonical();
        item["payload"]["eventId"] = id;
        item
    };
    assert_eq!(told(&with(json!(UUID))), (json!(UUID), None));
    // A name is one among those of its source and type.
    let name = "payload:challenge-service\nchallenge.completed\n42";
    assert_eq!(told(&with(json!(42))), (Value::Null, Some(name.into())));
    assert_eq!(told(&with(json!("42"))).1.as_deref(), Some(name));
    for none in [Value::Null, json!(" "), json!({"a": 1}), json!(1.5)] {
        assert_eq!(told(&with(none)), (Value::Null, None));
    }
    let mut own = with(json!(42));
    own["eventId"] = json!(UUID);
    assert_eq!(told(&own), (json!(UUID), None));
    // It stays where it was told.
    assert_eq!(stored_one(&with(json!("42")))["eventData"]["eventId"], "42");
}

#[test]
fn emissions_and_entries_tell_theirs_likewise() {
    let emission =
        |id: Value| json!({"userId": "u-1", "username": "ada", "profileUrl": null, "eventId": id});
    assert_eq!(told(&emission(json!(UUID))), (json!(UUID), None));
    let name = "payload:community-service\ncommunity.user-registered\nreg-1";
    assert_eq!(told(&emission(json!("reg-1"))).1.as_deref(), Some(name));
    // Before the name that is made of ids and time.
    let executed =
        json!({"executionId": "x-1", "executedAt": "2025-11-16T18:14:00Z", "eventId": "e-1"});
    let name = "payload:execution-service\nexecution.analytics\ne-1";
    assert_eq!(told(&executed).1.as_deref(), Some(name));
    let entry = json!({"DetailType": "x", "Source": "s", "Detail": "{\"eventId\":\"e-1\"}"});
    assert_eq!(
        told(&entry).1.as_deref(),
        Some("eventbridge-detail:s\nx\ne-1")
    );
    let delivered =
        json!({"detail-type": "x", "source": "s", "id": "bus-1", "detail": {"eventId": "e-1"}});
    assert_eq!(told(&delivered).1.as_deref(), Some("eventbridge:bus-1"));
}

#[test]
fn a_product_event_has_the_id_that_its_service_gave_it() {
    for item in [
        json!({"eventType": "ProductCreated", "data": {"eventId": "e-1", "productId": "p-1"}}),
        json!({"eventType": "ProductCreated", "source": "product-service", "eventId": "e-1", "payload": {"productId": "p-1"}}),
        json!({"eventType": "ProductCreated", "source": "product-service", "id": "e-1", "payload": {"productId": "p-1"}}),
    ] {
        assert_eq!(told(&item).1.as_deref(), Some("product:e-1"), "{item}");
        let stored = stored_one(&item);
        assert_eq!(stored["eventData"]["productId"], "p-1");
        assert_eq!(stored["source"], "product-service");
    }
}

/// Where all else is canonical, what is missing is told by its name.
#[test]
fn a_command_without_a_type_lacks_it() {
    for item in [
        json!({"source": "s", "payload": {"a": 1}}),
        json!({"source": "s", "occurredAt": "2025-11-16T18:14:00Z", "eventData": {}}),
        json!({"eventType": null, "source": "s", "payload": {}}),
        json!({"eventType": null, "source": "s", "eventData": {}}),
    ] {
        assert_eq!(
            refused(draft(&item)),
            ("missing_field", "eventType".to_owned()),
            "{item}"
        );
    }
    for item in [
        json!({"source": "s"}),
        json!({"source": "s", "payload": 5}),
        json!({"payload": {"a": 1}}),
    ] {
        assert!(
            matches!(draft(&item), crate::ingest::draft::Draft::Unknown { .. }),
            "{item}"
        );
    }
}
