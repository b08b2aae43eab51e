//! What calls know, in the description: bodies take the fields of the table of [`crate::endpoints`] and no others.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::operation::Operation;
use crate::endpoints::find;

/// Closes the schemas of the bodies that the table has fields of. They must have just these.
pub(super) fn close(schemas: &mut Map<String, Value>, operations: &[Operation]) {
    for operation in operations {
        let fields = find(operation.path).map_or(&[][..], |endpoint| endpoint.fields);
        if fields.is_empty() || !["post", "put"].contains(&operation.method) {
            continue;
        }
        let object = operation.object();
        let schema = &object["requestBody"]["content"]["application/json"]["schema"];
        let schema = schema["allOf"].get(0).unwrap_or(schema);
        let name = named(schema).unwrap_or_else(|| panic!("{schema} of {}", operation.path));
        close_one(schemas, &name, "", fields);
    }
}

/// The name of the schema that is referred to, plainly, of items or as one that may be null.
fn named(schema: &Value) -> Option<String> {
    let reference = schema["$ref"].as_str();
    let name = reference.and_then(|text| text.rsplit('/').next());
    name.map(str::to_owned)
        .or_else(|| named(schema.get("items")?))
        .or_else(|| schema["oneOf"].as_array()?.iter().find_map(named))
}

fn close_one(schemas: &mut Map<String, Value>, name: &str, path: &str, fields: &[&str]) {
    let schema = flat(schemas, name);
    let told: BTreeSet<String> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let here = fields.iter().filter_map(|field| field.strip_prefix(path));
    let known: BTreeSet<String> = here
        .filter(|field| !field.contains('.'))
        .map(str::to_owned)
        .collect();
    assert_eq!(told, known, "the fields of {name}");
    schemas.insert(name.to_owned(), schema.clone());
    for field in known {
        let below = format!("{path}{field}.");
        if fields.iter().any(|known| known.starts_with(&below)) {
            let inner = named(&schema["properties"][&field]).unwrap();
            close_one(schemas, &inner, &below, fields);
        }
    }
}

/// An object with all its properties in one place, and no others.
fn flat(schemas: &Map<String, Value>, name: &str) -> Value {
    let mut schema = schemas[name].clone();
    if let Some(parts) = schema.as_object_mut().unwrap().remove("allOf") {
        for part in parts.as_array().unwrap() {
            let part = match named(part) {
                Some(name) => &schemas[&name],
                None => part,
            };
            schema["type"] = part["type"].clone();
            for (name, property) in part["properties"].as_object().unwrap() {
                schema["properties"][name] = property.clone();
            }
            if let Some(required) = part.get("required") {
                schema["required"] = required.clone();
            }
        }
    }
    schema["additionalProperties"] = false.into();
    schema
}
