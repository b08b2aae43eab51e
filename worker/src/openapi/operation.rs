//! An operation of the description, put together in the words of its call.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::http::error::Fault;

/// Who may make a call: names of security schemes, any of which will do.
pub(super) const READ: &[&str] = &["readToken"];
pub(super) const ADMIN: &[&str] = &["adminToken"];
pub(super) const SOURCE: &[&str] = &["sourceKey"];
pub(super) const BROWSER: &[&str] = &["browserKey", "browserKeyInQuery"];

/// An operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    fields: Value,
    /// The schemas it names.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    /// The problems it answers, by their codes.
    pub(super) problems: BTreeMap<&'static str, Value>,
}

/// Begins an operation; its parameters in the path are those of the path.
pub(super) fn operation(
    method: &'static str,
    path: &'static str,
    id: &str,
    tag: &str,
    summary: &str,
) -> Operation {
    let named = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let parameters: Vec<Value> = named
        .map(|(name, _)| {
            let (schema, example) = in_path(name);
            json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
        })
        .collect();
    Operation {
        method,
        path,
        fields: json!({"operationId": id, "tags": [tag], "summary": summary, "parameters": parameters,
            "responses": {}, "security": []}),
        schemas: Vec::new(),
        problems: BTreeMap::new(),
    }
}

/// A read of the dashboard API.
pub(super) fn read(path: &'static str, id: &str, summary: &str) -> Operation {
    operation("get", path, id, "Dashboard", summary)
        .keys(READ)
        .faults(&[Fault::UnknownKey, Fault::WrongScope])
        .faults(&[Fault::Unavailable(
            "The read model cannot be reached right now.",
        )])
}

/// A call of the admin's.
pub(super) fn admin(
    method: &'static str,
    path: &'static str,
    id: &str,
    summary: &str,
) -> Operation {
    let operation = operation(method, path, id, "Admin", summary)
        .keys(ADMIN)
        .faults(&[Fault::UnknownKey]);
    let operation = match method {
        "post" | "put" => {
            operation.faults(&[Fault::PayloadTooLarge("The body has at most 64 KiB.")])
        }
        _ => operation,
    };
    operation.faults(&[Fault::Unavailable(
        "The database cannot be reached right now.",
    )])
}

fn in_path(name: &str) -> (Value, Value) {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    match name {
        "importId" => (uuid(), json!("0198c1d2-6f00-7000-8000-000000000001")),
        "part" => (whole(1, 9_999), json!(1)),
        "siteId" => (text("^[a-z0-9-]{1,40}$"), json!("shop")),
        "keyId" | "linkId" => (text("^[0-9a-f]{16}$"), json!("0123456789abcdef")),
        "writeKey" => (
            text("^sl[bs]_[a-z0-9-]{1,40}_[a-z0-9]{26,}$"),
            json!("slb_shop_abcdefghijklmnopqrstuvwxyz"),
        ),
        _ => (json!({"type": "string", "minLength": 1}), json!("user-123")),
    }
}

/// The schema of a UUID.
pub(super) fn uuid() -> Value {
    json!({"type": "string", "format": "uuid",
        "pattern": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"})
}

/// The schema of a whole number.
pub(super) fn whole(least: i64, most: i64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// The schema of a day.
pub(super) fn date() -> Value {
    json!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
}

/// The schema of one of some texts.
pub(super) fn one_of(texts: &[&str]) -> Value {
    json!({"type": "string", "enum": texts})
}

impl Operation {
    /// Says more.
    pub(super) fn description(mut self, text: &str) -> Self {
        self.fields["description"] = text.into();
        self
    }

    /// Any of these keys will do. Who shows too many that are none is asked to wait.
    pub(super) fn keys(mut self, schemes: &[&str]) -> Self {
        let list = self.fields["security"].as_array_mut().unwrap();
        list.extend(schemes.iter().map(|scheme| json!({*scheme: []})));
        self.faults(&[Fault::RateLimited { retry_after_s: 30 }])
    }

    /// No key will do, too.
    pub(super) fn or_nobody(mut self) -> Self {
        self.fields["security"]
            .as_array_mut()
            .unwrap()
            .push(json!({}));
        self
    }

    /// Takes a query parameter; an empty one counts as absent.
    pub(super) fn query(mut self, name: &str, schema: Value, description: &str) -> Self {
        self = self.parameter("query", name, schema, description);
        self.last()["allowEmptyValue"] = true.into();
        self
    }

    /// Takes a header.
    pub(super) fn header(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("header", name, schema, description)
    }

    /// The parameter that was named last must be there.
    pub(super) fn required(mut self, example: Value) -> Self {
        let last = self.last();
        last["required"] = true.into();
        last["example"] = example;
        last.as_object_mut().unwrap().remove("allowEmptyValue");
        self
    }

    fn last(&mut self) -> &mut Value {
        let list = self.fields["parameters"].as_array_mut().unwrap();
        list.last_mut().unwrap()
    }

    fn parameter(mut self, at: &str, name: &str, schema: Value, description: &str) -> Self {
        let parameter =
            json!({"name": name, "in": at, "schema": schema, "description": description});
        self.fields["parameters"]
            .as_array_mut()
            .unwrap()
            .push(parameter);
        self
    }

    /// Names the schema of a type.
    pub(super) fn reference<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// Takes a body of a type.
    pub(super) fn body<T: ToSchema>(mut self, content_type: &str, example: Value) -> Self {
        let schema = self.reference::<T>();
        self.body_of(content_type, schema, example)
    }

    /// Takes a body of a schema; called again, of another content type too.
    pub(super) fn body_of(mut self, content_type: &str, schema: Value, example: Value) -> Self {
        self.fields["requestBody"]["content"][content_type] =
            json!({"schema": schema, "example": example});
        self
    }

    /// The JSON body must also be what this schema says.
    pub(super) fn also(mut self, schema: Value) -> Self {
        let body = &mut self.fields["requestBody"]["content"]["application/json"]["schema"];
        *body = json!({"allOf": [body.take(), schema]});
        self
    }

    /// The body must be there.
    pub(super) fn needs_body(mut self) -> Self {
        self.fields["requestBody"]["required"] = true.into();
        self
    }

    /// Answers JSON of a type.
    pub(super) fn answers<T: ToSchema>(mut self, status: u16, what: &str, example: Value) -> Self {
        let schema = self.reference::<T>();
        self.answers_of(status, what, "application/json", schema, example)
    }

    /// Answers of a schema; called again with a status, of another content type too.
    pub(super) fn answers_of(
        mut self,
        status: u16,
        what: &str,
        content_type: &str,
        schema: Value,
        example: Value,
    ) -> Self {
        let response = &mut self.fields["responses"][status.to_string()];
        response["description"] = what.into();
        response["content"][content_type] = json!({"schema": schema, "example": example});
        self
    }

    /// Answers nothing.
    pub(super) fn answers_nothing(mut self, status: u16, what: &str) -> Self {
        self.fields["responses"][status.to_string()]["description"] = what.into();
        self
    }

    /// A header of the answers with a status.
    pub(super) fn with_header(mut self, status: u16, name: &str, what: &str) -> Self {
        self.fields["responses"][status.to_string()]["headers"][name] =
            json!({"description": what, "schema": {"type": "string"}});
        self
    }

    /// Fails with these, each an example of its status by its code.
    pub(super) fn faults(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            let code = fault.code();
            let response = &mut self.fields["responses"][fault.status().to_string()];
            let body: Value = serde_json::from_str(&fault.to_json()).unwrap();
            if response["description"].is_null() {
                response["description"] = body["title"].clone();
            }
            let content = &mut response["content"]["application/problem+json"];
            content["schema"] = json!({"$ref": "#/components/schemas/Problem"});
            content["examples"][code] = json!({"$ref": format!("#/components/examples/{code}")});
            if fault.retry_after_s().is_some() {
                response["headers"]["Retry-After"] =
                    json!({"$ref": "#/components/headers/Retry-After"});
            }
            self.problems.entry(code).or_insert(body);
        }
        self
    }

    /// A parameter that is not as described is told by its name.
    pub(super) fn checked(self, name: &'static str) -> Self {
        let detail = "limit must be a whole number from 1 to 500.";
        self.faults(&[Fault::InvalidParameter { name, detail }])
    }

    /// The operation object.
    pub(super) fn object(&self) -> Value {
        let mut fields = self.fields.clone();
        let object = fields.as_object_mut().unwrap();
        if object["parameters"].as_array().unwrap().is_empty() {
            object.remove("parameters");
        }
        fields
    }
}

/// Operations by path and method.
pub(super) fn paths(operations: &[Operation]) -> BTreeMap<&'static str, Value> {
    let mut paths: BTreeMap<&'static str, Value> = BTreeMap::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        let known = path
            .as_object_mut()
            .unwrap()
            .insert(operation.method.to_owned(), operation.object());
        assert!(
            known.is_none(),
            "{} {} is told twice",
            operation.method,
            operation.path
        );
    }
    paths
}
