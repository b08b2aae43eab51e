//! Calls to Durable Objects: a POST of JSON text, answered by JSON.

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{Env, Method, Request, RequestInit, Response, Result};

/// Calls `command` of the object `name` and reads its answer.
pub(super) async fn call<T: DeserializeOwned>(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: &str,
) -> Result<T> {
    let stub = env.durable_object(namespace)?.get_by_name(name)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(body)));
    // The host is never looked up: it is only what a URL must have.
    let request = Request::new_with_init(&format!("https://object{command}"), &init)?;
    let mut response = stub.fetch_with_request(request).await?;
    let text = response.text().await?;
    if response.status_code() != 200 {
        return Err(worker::Error::RustError(format!("{command}: {text}")));
    }
    Ok(serde_json::from_str(&text)?)
}

/// The answer of an object's command.
pub(super) fn answer<T: serde::Serialize, E: std::fmt::Display>(
    result: std::result::Result<T, E>,
) -> Result<Response> {
    match result {
        Ok(value) => Response::ok(serde_json::to_string(&value)?),
        Err(error) => Response::error(error.to_string(), 500),
    }
}
