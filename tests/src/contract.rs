//! Every answer of the worker is what its description says: `www/openapi.json`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// A request whose answer is held to the description.
pub trait Checked {
    /// Sends it; the answer is read to its end and checked.
    ///
    /// # Errors
    /// If there is no answer.
    ///
    /// # Panics
    /// If the answer is not what is described.
    fn sent(self) -> impl Future<Output = reqwest::Result<Response>>;
}

impl Checked for RequestBuilder {
    async fn sent(self) -> reqwest::Result<Response> {
        let (client, request) = self.build_split();
        let request = request?;
        let asked = format!("{} {}", request.method(), request.url().path());
        let answer = client.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        // What Wrangler says while the worker starts again is none of the worker's.
        if !status.is_server_error() || header("x-content-type-options") == "nosniff" {
            CONTRACT.check(&asked, status.as_u16(), header("content-type"), &body);
            if CONTRACT.knows(&asked) {
                crate::headers::check(&asked, status, &headers);
            }
        }
        let mut response = http::Response::new(body);
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response.into())
    }
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let text = include_str!("../../www/openapi.json");
    Contract::new(serde_json::from_str(text).unwrap())
});

/// The description, and the schemas that were compiled so far.
struct Contract {
    document: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn new(mut document: Value) -> Self {
        let mut parts = BTreeSet::new();
        parts_of(&document, &mut parts);
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        for (name, schema) in schemas {
            if !parts.contains(name) {
                close(schema);
            }
        }
        Self {
            document,
            compiled: Mutex::default(),
        }
    }

    /// Whether `METHOD /path` is a call.
    fn knows(&self, asked: &str) -> bool {
        let path = asked.split_once(' ').map(|(_, path)| path);
        path.is_some_and(|path| self.path(path).is_some())
    }

    /// Checks an answer to `METHOD /path`.
    fn check(&self, asked: &str, status: u16, content_type: &str, body: &[u8]) {
        let (method, path) = asked.split_once(' ').unwrap();
        let said = || {
            format!(
                "{asked}: {status} {content_type} {}",
                String::from_utf8_lossy(body)
            )
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let Some(known) = self.path(path) else {
            // A static file, or nothing.
            if essence == "application/problem+json" {
                self.problem(status, 404, body, &said());
            }
            return;
        };
        let operation = match method {
            "OPTIONS" => return assert_eq!((status, body.len()), (204, 0), "{}", said()),
            "HEAD" => &known["get"],
            method => &known[method.to_ascii_lowercase()],
        };
        if operation.is_null() && method == "HEAD" {
            return assert_eq!(status, 405, "{}", said());
        }
        if operation.is_null() {
            return self.problem(status, 405, body, &said());
        }
        let response = &operation["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "the status is not described: {}",
            said()
        );
        if method == "HEAD" || response["content"].is_null() {
            return assert!(body.is_empty(), "{}", said());
        }
        let content = &response["content"][essence];
        assert!(
            content.is_object(),
            "the content type is not described: {}",
            said()
        );
        if !essence.ends_with("json") {
            return;
        }
        let answer: Value =
            serde_json::from_slice(body).unwrap_or_else(|_| panic!("no JSON: {}", said()));
        self.fits(&content["schema"], &answer, &said());
        if let Some(code) = answer["code"]
            .as_str()
            .filter(|_| essence.contains("problem"))
        {
            let codes = &content["examples"];
            assert!(
                codes[code].is_object(),
                "the code is not described: {}",
                said()
            );
            assert_eq!(answer["status"], status, "{}", said());
        }
    }

    fn problem(&self, status: u16, want: u16, body: &[u8], said: &str) {
        assert_eq!(status, want, "{said}");
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let answer: Value =
            serde_json::from_slice(body).unwrap_or_else(|_| panic!("no JSON: {said}"));
        self.fits(&schema, &answer, said);
        assert_eq!(answer["status"], want, "{said}");
    }

    fn path(&self, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let (mut wanted, mut given) = (template.split('/'), path.split('/'));
            wanted.by_ref().all(|want| {
                let given = given.next();
                given.is_some_and(|given| {
                    given == want || (want.starts_with('{') && !given.is_empty())
                })
            }) && given.next().is_none()
        };
        paths
            .iter()
            .find(|(template, _)| fits(template))
            .map(|(_, item)| item)
    }

    fn fits(&self, schema: &Value, answer: &Value, said: &str) {
        let validator = {
            let mut compiled = self.compiled.lock().unwrap();
            let make = || {
                let whole = json!({"components": self.document["components"], "allOf": [schema]});
                Arc::new(jsonschema::validator_for(&whole).unwrap())
            };
            compiled
                .entry(schema.to_string())
                .or_insert_with(make)
                .clone()
        };
        let wrong: Vec<String> = validator
            .iter_errors(answer)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{said}\n{}", wrong.join("\n"));
    }
}

/// The names of schemas that are parts of others, which may have fields beside theirs.
fn parts_of(value: &Value, parts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields
                .get("allOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let name = part["$ref"]
                    .as_str()
                    .and_then(|name| name.rsplit('/').next());
                parts.extend(name.map(str::to_owned));
            }
            fields.values().for_each(|value| parts_of(value, parts));
        }
        Value::Array(items) => items.iter().for_each(|item| parts_of(item, parts)),
        _ => {}
    }
}

/// A field that no schema names is not described, though a client has to bear with it.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    for name in ["items", "additionalProperties"] {
        fields.get_mut(name).into_iter().for_each(close);
    }
    let whole = fields.contains_key("properties") || fields.contains_key("allOf");
    if whole && !fields.contains_key("additionalProperties") {
        fields.insert("unevaluatedProperties".to_owned(), false.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &str, status: u16, content_type: &str, body: &Value) -> bool {
        let body = body.to_string();
        std::panic::catch_unwind(|| CONTRACT.check(asked, status, content_type, body.as_bytes()))
            .is_ok()
    }

    #[test]
    fn what_is_not_described_fails() {
        let (json_type, problem_type) = ("application/json", "application/problem+json");
        let figures = json!({"dau": 1, "anonymous": 0, "wau": 1, "mau": 1, "stickiness": 1.0});
        let mut day = figures.clone();
        day["date"] = json!("2026-01-01");
        let mut good = figures;
        good["note"] = json!("");
        good["days"] = json!([day]);
        let path = "GET /v1/analytics/metrics/engagement";
        assert!(check(path, 200, json_type, &good));
        for (name, value) in [
            ("more", json!(1)),
            ("dau", json!("1")),
            ("days", json!([{"date": "x"}])),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert!(!check(path, 200, json_type, &bad), "{name}");
        }
        let mut lacking = good.clone();
        lacking["days"][0]["more"] = json!(1);
        assert!(!check(path, 200, json_type, &lacking));
        lacking.as_object_mut().unwrap().remove("days");
        assert!(!check(path, 200, json_type, &lacking));
        assert!(!check(path, 201, json_type, &good));
        assert!(!check(path, 200, "text/html", &good));
        let problem = |status: u16, code: &str| json!({"type": "t", "title": "t", "status": status, "code": code, "detail": "d"});
        assert!(check(path, 401, problem_type, &problem(401, "unknown_key")));
        assert!(!check(path, 401, problem_type, &problem(401, "other")));
        assert!(!check(
            path,
            401,
            problem_type,
            &problem(403, "unknown_key")
        ));
        assert!(check(
            "POST /v1/analytics/live",
            405,
            problem_type,
            &problem(405, "method_not_allowed")
        ));
        assert!(!check(
            "POST /v1/analytics/live",
            404,
            problem_type,
            &problem(404, "not_found")
        ));
        assert!(check(
            "GET /v1/nothing",
            404,
            problem_type,
            &problem(404, "not_found")
        ));
        assert!(check("GET /", 200, "text/html", &json!("a page")));
    }
}
