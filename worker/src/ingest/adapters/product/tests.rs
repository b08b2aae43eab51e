use serde_json::json;

use crate::ingest::adapters::tests::{made, stored_one};

const UUID: &str = "0198c1d2-6f00-7000-8000-000000000001";

#[test]
fn product_events_are_stored() {
    let data = json!({"productId": "p-1", "status": "active"});
    for item in [
        json!({"eventId": UUID, "eventType": "ProductCreated", "timestamp": "2025-11-16T18:14:00Z", "data": data}),
        json!({"id": UUID, "type": "ProductCreated", "timestamp": 1_763_316_840_000_i64, "payload": data}),
        json!({"eventId": UUID, "eventType": "ProductCreated", "occurredAt": "2025-11-16T18:14:00Z", "eventData": data}),
        json!({"eventId": UUID, "eventType": "ProductCreated", "timestamp": "2025-11-16T18:14:00Z", "productId": "p-1", "status": "active"}),
        // As the consumer of the shop's Kafka service stores it.
        json!({"id": "row-1", "eventId": UUID, "eventType": "ProductCreated", "timestamp": "2025-11-16T18:14:00Z",
               "data": data, "ttl": 1, "createdAt": "2025-11-16T18:14:01Z"}),
    ] {
        let stored = stored_one(&item);
        assert_eq!(stored["eventType"], "ProductCreated");
        assert_eq!(stored["source"], "product-service");
        assert_eq!(stored["timestamp"], 1_763_316_840_000_i64);
        assert_eq!(stored["eventData"], data);
        assert_eq!(made(&item).fields["eventId"], UUID);
    }
    for name in ["ProductUpdated", "ProductDeleted", "LowStockWarning"] {
        let stored =
            stored_one(&json!({"type": name, "source": "catalog", "productId": 1, "userId": 7}));
        assert_eq!(stored["eventType"], name);
        assert_eq!(stored["source"], "catalog");
        assert_eq!(stored["userId"], "7");
    }
}

#[test]
fn an_id_that_is_no_uuid_is_a_name() {
    let item = json!({"eventId": "e-1", "eventType": "ProductCreated", "data": {}});
    assert_eq!(made(&item).foreign_id.as_deref(), Some("product:e-1"));
    assert!(!made(&item).fields.contains_key("eventId"));
    // Beside flat fields it is the product's.
    let item = json!({"id": "p-1", "eventType": "ProductCreated", "name": "shoe"});
    assert_eq!(made(&item).foreign_id, None);
    assert_eq!(
        stored_one(&item)["eventData"],
        json!({"id": "p-1", "name": "shoe"})
    );
}

#[test]
fn our_own_form_stays_as_it_is() {
    let item = json!({"eventType": "ProductCreated", "source": "catalog", "payload": {"a": 1}, "tenantId": "t"});
    let stored = stored_one(&item);
    assert_eq!(stored["eventData"], json!({"a": 1}));
    assert_eq!(stored["tenantId"], "t");
}
