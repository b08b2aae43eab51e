//! The templates of `deploy/aws/`: clean for cfn-lint; the lake's tables are what the schema says, and the way in posts
//! with the source key, to the path that takes the bus's events.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use shoreline_tests::root;

use super::python;

const TEMPLATE: &str = include_str!("../../deploy/aws/shoreline-lake.yaml");
const INGEST: &str = include_str!("../../deploy/aws/shoreline-ingest.yaml");
const SCHEMA: &str = include_str!("../../docs/schemas/event.schema.json");

const SINKS: [&str; 4] = ["S3Sink", "FirehoseSink", "EventBridgeSink", "SqsSink"];

/// The stack's resources with these sinks.
fn stack(folder: &Path, sinks: &[&str]) -> Map<String, Value> {
    let parameters: Map<String, Value> = SINKS
        .iter()
        .map(|sink| ((*sink).to_owned(), sinks.contains(sink).to_string().into()))
        .collect();
    resources(folder, TEMPLATE, &parameters.into())
}

/// The resources of a template with these parameters.
fn resources(folder: &Path, template: &str, parameters: &Value) -> Map<String, Value> {
    let task = json!({"template": template, "parameters": parameters});
    let answer = python::run("template.py", folder, &task);
    answer["resources"].as_object().unwrap().clone()
}

/// What Athena reads of a view's text: the SQL, and the names and types of its columns.
fn presto(table: &Value) -> Option<Value> {
    let text = table["ViewOriginalText"].as_str()?;
    let json = text
        .strip_prefix("/* Presto View: ")
        .unwrap()
        .strip_suffix(" */")
        .unwrap();
    Some(serde_json::from_str(json).unwrap())
}

/// The statements that make the views of a stack with the s3 sink.
pub(crate) fn views(folder: &Path) -> Vec<String> {
    let stack = stack(folder, &["S3Sink"]);
    let tables = stack
        .values()
        .map(|resource| &resource["Properties"]["TableInput"]);
    let views = tables.filter_map(|table| {
        let sql = presto(table)?["originalSql"].as_str()?.to_owned();
        Some(format!("CREATE VIEW {} AS {sql}", table["Name"].as_str()?))
    });
    views.collect()
}

fn columns(table: &Value) -> Vec<(String, String)> {
    let columns = table["StorageDescriptor"]["Columns"]
        .as_array()
        .unwrap()
        .iter();
    let text = |column: &Value, key: &str| column[key].as_str().unwrap().to_owned();
    columns
        .map(|column| (text(column, "Name"), text(column, "Type")))
        .collect()
}

#[test]
fn cfn_lint_has_nothing_to_say() {
    let output = Command::new("node")
        .arg("deploy/aws/check.mjs")
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A field that is added to the stored event is a column too, in both tables and in what Firehose
/// reads, by its own name.
#[test]
fn the_tables_have_every_field_of_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(folder.path(), &SINKS);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let fields = schema["properties"].as_object().unwrap();
    let mut want: Vec<(String, String)> = fields
        .iter()
        .map(|(name, field)| {
            let kind = match (field["type"].as_str().unwrap(), field["format"].as_str()) {
                ("integer", Some("int64")) => "bigint",
                ("integer", _) => "int",
                _ => "string",
            };
            (name.to_lowercase(), kind.to_owned())
        })
        .collect();
    want.sort();
    let events = &stack["EventsTable"]["Properties"]["TableInput"];
    let parquet = &stack["ParquetTable"]["Properties"]["TableInput"];
    for table in [events, parquet] {
        let mut have = columns(table);
        have.sort();
        assert_eq!(have, want);
    }

    let serde = &events["StorageDescriptor"]["SerdeInfo"]["Parameters"];
    let firehose = &stack["Firehose"]["Properties"]["ExtendedS3DestinationConfiguration"];
    let conversion = &firehose["DataFormatConversionConfiguration"]["InputFormatConfiguration"];
    let mapping = conversion["Deserializer"]["OpenXJsonSerDe"]["ColumnToJsonKeyMappings"]
        .as_object()
        .unwrap();
    let named: Vec<&String> = fields
        .keys()
        .filter(|name| name.chars().any(char::is_uppercase))
        .collect();
    assert_eq!(mapping.len(), named.len());
    assert_eq!(serde.as_object().unwrap().len(), named.len() + 1);
    for name in named {
        let column = name.to_lowercase();
        assert_eq!(serde[format!("mapping.{column}")], **name);
        assert_eq!(mapping[&column], **name);
    }
}

/// The partitions that Athena computes are where the worker puts its objects.
#[test]
fn the_partitions_are_those_of_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(folder.path(), &SINKS);
    let parameters = &stack["EventsTable"]["Properties"]["TableInput"]["Parameters"];
    let digits = parameters["projection.hour.digits"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    for hour in [7_i64, 23] {
        let key = shoreline_worker::lake::object_key("demo", 0, "e", 1, 492_336 + hour);
        let location = parameters["storage.location.template"].as_str().unwrap();
        let location = location
            .replace("${date}", "2026-03-02")
            .replace("${hour}", &format!("{hour:0digits$}"));
        let (prefix, _) = key.rsplit_once('/').unwrap();
        assert_eq!(location, format!("s3://Bucket/{prefix}/"));
    }
}

#[test]
fn a_view_declares_what_its_columns_are() {
    let folder = tempfile::tempdir().unwrap();
    for sinks in [&["S3Sink"][..], &["FirehoseSink"], &SINKS] {
        let stack = stack(folder.path(), sinks);
        let tables: Vec<&Value> = stack
            .values()
            .map(|each| &each["Properties"]["TableInput"])
            .collect();
        let views: Vec<(&Value, Value)> = tables
            .iter()
            .filter_map(|table| Some((*table, presto(table)?)))
            .collect();
        assert!(views.len() >= 3);
        for (table, view) in views {
            let declared: Vec<(String, String)> = view["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|column| {
                    let kind = match column["type"].as_str().unwrap() {
                        "varchar" => "string",
                        "integer" => "int",
                        other => other,
                    };
                    (column["name"].as_str().unwrap().to_owned(), kind.to_owned())
                })
                .collect();
            assert_eq!(declared, columns(table));
            // What it reads is in the stack.
            let sql = view["originalSql"].as_str().unwrap();
            let source = sql.rsplit_once(" FROM ").unwrap().1;
            let source = source.split([' ', ')']).next().unwrap();
            assert!(
                tables.iter().any(|table| table["Name"] == source),
                "{source}"
            );
        }
    }
}

/// The worker's key may send, to what is switched on, and nothing else.
#[test]
fn the_user_may_only_send() {
    let folder = tempfile::tempdir().unwrap();
    let actions = |sinks: &[&str]| {
        let stack = stack(folder.path(), sinks);
        let mut actions: Vec<String> = stack
            .values()
            .filter(|each| each["Type"] == "AWS::IAM::UserPolicy")
            .flat_map(|each| {
                each["Properties"]["PolicyDocument"]["Statement"]
                    .as_array()
                    .unwrap()
                    .clone()
            })
            .map(|statement| {
                assert_eq!(statement["Effect"], "Allow");
                assert_ne!(statement["Resource"], "*");
                statement["Action"].as_str().unwrap().to_owned()
            })
            .collect();
        actions.sort();
        actions
    };
    assert_eq!(actions(&["S3Sink"]), ["s3:GetObject", "s3:PutObject"]);
    assert_eq!(actions(&["FirehoseSink"]), ["firehose:PutRecordBatch"]);
    assert_eq!(actions(&["EventBridgeSink"]), ["events:PutEvents"]);
    assert_eq!(actions(&["SqsSink"]), ["sqs:SendMessage"]);
    assert_eq!(actions(&[]), [""; 0]);
    assert!(!stack(folder.path(), &[]).contains_key("SinkUser"));
}

/// Events by the beginning of their source go to `/v1/ingest` with the key, and what is refused to a queue that the rule
/// alone may write.
#[test]
fn the_rule_posts_with_the_source_key_and_keeps_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let parameters = json!({
        "CollectorUrl": "https://collector.example", "SourceKey": "sls_demo_key", "SourcePrefix": "edtech.",
    });
    let stack = resources(folder.path(), INGEST, &parameters);
    let of = |name: &str| stack[name]["Properties"].clone();
    let rule = of("Rule");
    assert_eq!(
        rule["EventPattern"],
        json!({"source": [{"prefix": "edtech."}]})
    );
    let target = &rule["Targets"][0];
    assert_eq!(target["Arn"], "Destination.Arn");
    assert_eq!(target["RoleArn"], "DestinationRole.Arn");
    assert_eq!(target["DeadLetterConfig"]["Arn"], "Refused.Arn");
    // The event goes as the bus has it: the shape that the adapter of `/v1/ingest` knows.
    assert!(target.get("InputTransformer").is_none() && target.get("InputPath").is_none());
    let destination = of("Destination");
    assert_eq!(
        destination["InvocationEndpoint"],
        "https://collector.example/v1/ingest"
    );
    assert_eq!(destination["HttpMethod"], "POST");
    let key = &of("Connection")["AuthParameters"]["ApiKeyAuthParameters"];
    assert_eq!(
        *key,
        json!({"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer sls_demo_key"})
    );
    let allowed = &of("RefusedPolicy")["PolicyDocument"]["Statement"][0];
    assert_eq!(
        allowed["Condition"],
        json!({"ArnEquals": {"aws:SourceArn": "Rule.Arn"}})
    );
    let role = &of("DestinationRole")["Policies"][0]["PolicyDocument"]["Statement"][0];
    assert_eq!(
        (&role["Action"], &role["Resource"]),
        (
            &json!("events:InvokeApiDestination"),
            &json!("Destination.Arn")
        )
    );
}
