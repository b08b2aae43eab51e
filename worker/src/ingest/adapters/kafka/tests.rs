use serde_json::{Value, json};

use super::super::MAX_ITEMS;
use crate::http::cloud_event::CloudEventHeaders;
use crate::ingest::adapters::tests::{draft, drafts, ingest, stored};
use crate::ingest::draft::Draft;

const DOCS: &str = include_str!("../../../../../docs/KAFKA.md");

/// The JSON blocks of the documentation: two connectors and a request.
fn blocks() -> Vec<Value> {
    let parts = DOCS.split("```json\n").skip(1);
    let blocks = parts.map(|part| part.split("```").next().unwrap());
    blocks
        .map(|block| serde_json::from_str(block).unwrap())
        .collect()
}

fn values() -> [Value; 2] {
    [
        json!({"eventType": "order.placed", "source": "shop", "payload": {"total": 5}}),
        json!({"userId": "u-1", "username": "ada", "profileUrl": null}),
    ]
}

/// A batch as Aiven's connector writes it, with its defaults for what a configuration leaves out.
fn aivens_body(config: &Value) -> String {
    let option = |name: &str, default: &str| {
        let given = config.get(name).map(|value| value.as_str().unwrap());
        given.unwrap_or(default).to_owned()
    };
    let values: Vec<String> = values().iter().map(Value::to_string).collect();
    option("batch.prefix", "")
        + &values.join(&option("batch.separator", "\n"))
        + &option("batch.suffix", "\n")
}

#[test]
fn the_documented_connectors_feed_ingest() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);
    let expected = values().map(|value| draft(&value));

    let aiven = &blocks[0]["config"];
    assert_eq!(
        aiven["connector.class"],
        "io.aiven.kafka.connect.http.HttpSinkConnector"
    );
    assert!(aiven["http.url"].as_str().unwrap().ends_with("/v1/ingest"));
    let content_type = aiven["http.headers.content.type"].as_str().unwrap();
    assert_eq!(drafts(content_type, &aivens_body(aiven)), expected);
    // Lines are told from other JSON without their own content type too.
    assert_eq!(drafts("application/json", &aivens_body(aiven)), expected);

    let confluent = &blocks[1]["config"];
    assert_eq!(
        confluent["connector.class"],
        "io.confluent.connect.http.HttpSinkConnector"
    );
    assert!(
        confluent["http.api.url"]
            .as_str()
            .unwrap()
            .ends_with("/v1/ingest")
    );
    let separator = confluent["header.separator"].as_str().unwrap();
    let headers = confluent["headers"].as_str().unwrap().split(separator);
    let content_type = headers
        .filter_map(|header| header.strip_prefix("Content-Type:"))
        .next()
        .unwrap();
    assert_eq!(confluent["batch.json.as.array"], "true");
    assert_eq!(
        drafts(content_type, &Value::from(values().to_vec()).to_string()),
        expected
    );

    for config in [aiven, confluent] {
        let batch: usize = config["batch.max.size"].as_str().unwrap().parse().unwrap();
        assert!(batch <= MAX_ITEMS);
    }
}

#[test]
fn the_documented_records_are_stored() {
    let body = blocks()[2].to_string();
    let drafts = drafts("application/vnd.kafka.json.v2+json", &body);
    assert_eq!(drafts.len(), 1);
    let stored = stored(drafts[0].clone()).unwrap().unwrap();
    assert_eq!(stored["eventType"], "order.placed");
    assert_eq!(stored["eventData"], json!({"total": 5}));
}

#[test]
fn a_record_without_a_value_is_left_out() {
    let body = r#"{"key_schema":null,"records":[{"key":"k","value":null},{"key":"k"},{"value":{"a":1}},{"value":1},[null],7]}"#;
    let drafts = ingest(None, &CloudEventHeaders::default(), body.as_bytes()).unwrap();
    let unknown = |names: &[&str]| Draft::Unknown {
        keys: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(drafts[0], unknown(&["key", "xxxxx"]));
    assert_eq!(drafts[1], unknown(&["key"]));
    assert_eq!(drafts[2], unknown(&["x"]));
    let codes: Vec<_> = drafts
        .into_iter()
        .skip(3)
        .map(|draft| stored(draft).unwrap_err().code.as_str())
        .collect();
    assert_eq!(codes, ["wrong_type"; 3]);
}
