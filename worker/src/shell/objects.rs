//! Calls to Durable Objects: a POST of JSON text or of bytes, answered by JSON.

use js_sys::Uint8Array;
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
    let mut response = post(env, namespace, name, command, JsValue::from_str(body)).await?;
    read(command, &mut response).await
}

/// Calls `command` with bytes; `None` where the object is done and has nothing to say.
pub(super) async fn call_with_bytes<T: DeserializeOwned>(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: &[u8],
) -> Result<Option<T>> {
    let body = Uint8Array::from(body).into();
    let mut response = post(env, namespace, name, command, body).await?;
    if response.status_code() == NOTHING_TO_SAY {
        return Ok(None);
    }
    read(command, &mut response).await.map(Some)
}

async fn post(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: JsValue,
) -> Result<Response> {
    let stub = env.durable_object(namespace)?.get_by_name(name)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body));
    // The host is never looked up: it is only what a URL must have.
    let request = Request::new_with_init(&format!("https://object{command}"), &init)?;
    stub.fetch_with_request(request).await
}

async fn read<T: DeserializeOwned>(command: &str, response: &mut Response) -> Result<T> {
    let text = response.text().await?;
    if response.status_code() != 200 {
        return Err(worker::Error::RustError(format!("{command}: {text}")));
    }
    Ok(serde_json::from_str(&text)?)
}

/// The status of an answer without a body.
const NOTHING_TO_SAY: u16 = 204;

/// The answer of a command that is done and has nothing to say.
pub(super) fn done() -> Result<Response> {
    Ok(Response::empty()?.with_status(NOTHING_TO_SAY))
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
