use std::collections::BTreeSet;

use super::*;

#[test]
fn the_file_is_what_the_types_say() {
    if std::env::var_os("SHORELINE_WRITE_OPENAPI").is_some() {
        std::fs::write(FILE, text()).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == text(),
        "write it anew: SHORELINE_WRITE_OPENAPI=1 cargo test -p shoreline-worker --lib openapi"
    );
}

#[test]
fn it_has_every_path_and_method_of_the_router_and_no_other() {
    let told: BTreeSet<(String, &str)> = operations()
        .iter()
        .filter(|operation| operation.path != PATH)
        .map(|operation| (operation.method.to_uppercase(), operation.path))
        .collect();
    let answered: BTreeSet<(String, &str)> = ENDPOINTS
        .iter()
        .flat_map(|endpoint| {
            endpoint
                .methods()
                .map(|method| (method.to_owned(), endpoint.path))
        })
        .filter(|(method, _)| !["HEAD", "OPTIONS"].contains(&method.as_str()))
        .collect();
    assert_eq!(told, answered);
}

#[test]
fn it_has_every_parameter_of_the_table_and_no_other() {
    let keys = ["key", "writeKey"]; // Security schemes, not parameters.
    for endpoint in ENDPOINTS {
        let Some(known) = endpoint.params else {
            continue;
        };
        let mut told = BTreeSet::new();
        for operation in operations() {
            if operation.path != endpoint.path {
                continue;
            }
            let object = operation.object();
            let parameters = object["parameters"].as_array().cloned().unwrap_or_default();
            for parameter in parameters.iter().filter(|one| one["in"] == "query") {
                told.insert(parameter["name"].as_str().unwrap().to_owned());
            }
            assert!(!object["responses"]["400"].is_null(), "{}", endpoint.path);
        }
        let known: BTreeSet<String> = known
            .iter()
            .filter(|name| !keys.contains(name))
            .map(|name| (*name).to_owned())
            .collect();
        assert_eq!(told, known, "{}", endpoint.path);
    }
}

/// Every schema that a name refers to, with the whole description to look names up in.
fn validator(schema: &Value, document: &Value) -> jsonschema::Validator {
    let whole = json!({"components": document["components"], "allOf": [schema]});
    jsonschema::validator_for(&whole).unwrap()
}

fn contents<'a>(of: &'a Value, found: &mut Vec<&'a Value>) {
    match of {
        Value::Object(fields) => {
            if let Some(content) = fields.get("content").and_then(Value::as_object) {
                found.extend(
                    content
                        .values()
                        .filter(|content| content["schema"].is_object()),
                );
            }
            fields.values().for_each(|value| contents(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| contents(item, found)),
        _ => {}
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = document();
    let mut found = Vec::new();
    contents(&document["paths"], &mut found);
    let (mut checked, problem) = (0, json!({"$ref": "#/components/schemas/Problem"}));
    for content in found {
        if content["schema"] == problem {
            continue;
        }
        let validator = validator(&content["schema"], &document);
        let wrong: Vec<String> = validator
            .iter_errors(&content["example"])
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, Vec::<String>::new(), "{}", content["example"]);
        checked += 1;
    }
    assert!(checked > 80, "{checked}");
    let problems = document["components"]["examples"].as_object().unwrap();
    for (code, example) in problems {
        assert!(
            validator(&problem, &document).is_valid(&example["value"]),
            "{code}"
        );
        assert_eq!(&example["value"]["code"], code.as_str());
    }
}

#[test]
fn an_operation_has_an_id_of_its_own() {
    let all = operations();
    let ids: BTreeSet<String> = all
        .iter()
        .map(|operation| operation.object()["operationId"].to_string())
        .collect();
    assert_eq!(ids.len(), all.len());
}
