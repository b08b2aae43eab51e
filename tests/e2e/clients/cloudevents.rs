//! The CloudEvents SDK in its three modes.

use serde_json::{Value, json};
use shoreline_tests::clients::run;
use shoreline_tests::system::shared;

use super::{of_type, stored};

#[tokio::test]
async fn each_mode_stores_each_event_once() {
    for mode in ["structured", "batch", "binary"] {
        let site = shared().new_site().await;
        let said = run("cloudevents.mjs", &[&site.url, &site.source_key, mode]).await;
        for answer in said.as_array().unwrap() {
            assert_eq!(answer["status"], 202, "{mode}: {said}");
            assert_eq!(
                (&answer["rejected"], &answer["skipped"]),
                (&json!(0), &json!(0)),
                "{mode}: {said}"
            );
        }
        let stored = stored(&site, 3).await;
        assert!(stored.iter().all(|event| event["source"] == "/shops/1"));
        let order = of_type(&stored, "com.example.order.v1");
        assert_eq!(order["userId"], "user-1", "{mode}");
        let mut data = order["eventData"].clone();
        let told: Value = data.as_object_mut().unwrap().remove("cloudEvent").unwrap();
        assert_eq!(
            data,
            json!({"total": 12.5, "note": "crème brûlée"}),
            "{mode}"
        );
        assert_eq!(told["id"], format!("{mode}-1"));
        assert_eq!(told["subject"], "order 1");
        let note = of_type(&stored, "com.example.note.v1");
        assert_eq!(note["eventData"]["data"], "only text", "{mode}");
        let bytes = of_type(&stored, "com.example.bytes.v1");
        assert_eq!(bytes["eventData"]["dataBase64"], "AP8Q", "{mode}");
    }
}
