//! Calls to Durable Objects: a POST of JSON text or of bytes, answered by JSON.

use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Env, Error, Response, Result};

use crate::base::json;
use crate::base::together::try_join_all;

#[wasm_bindgen(module = "/src/shell/platform/objects.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = call)]
    async fn call_object(
        env: &Env,
        namespace: &str,
        name: &str,
        command: &str,
        body: JsValue,
    ) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = commit)]
    async fn commit_batch(
        env: &Env,
        name: &str,
        batch: Uint8Array,
    ) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = open)]
    async fn open_socket(
        env: &Env,
        namespace: &str,
        name: &str,
        command: &str,
    ) -> std::result::Result<JsValue, JsValue>;
}

/// Commits a batch to the log `name`: nothing where it is taken, else its receipt.
pub(crate) async fn commit(
    env: &Env,
    name: &str,
    batch: &[u8],
) -> std::result::Result<Option<String>, String> {
    let said = commit_batch(env, name, Uint8Array::from(batch)).await;
    said.map(|receipt| receipt.as_string())
        .map_err(|error| Error::from(error).to_string())
}

/// Opens a WebSocket of the object `name`: its answer, whatever the status.
pub(crate) async fn open(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
) -> Result<Response> {
    let answer = open_socket(env, namespace, name, command).await?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}

/// Calls `command` of the object `name`; the text of its answer.
pub(crate) async fn ask(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: &str,
) -> Result<String> {
    post(env, namespace, name, command, JsValue::from_str(body)).await
}

/// Calls `command` of the object `name` and reads its answer.
pub(crate) async fn call<T: DeserializeOwned>(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: &str,
) -> Result<T> {
    Ok(json::told(ask(env, namespace, name, command, body).await?)?)
}

/// Reads the answers of several objects.
pub(crate) fn told_all<T: DeserializeOwned>(said: Vec<String>) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(said.len());
    for one in said {
        all.push(json::told(one)?);
    }
    Ok(all)
}

/// Calls `command` of objects by their names, each with its body, all at once; the texts of their answers.
pub(crate) async fn post_all(
    env: &Env,
    namespace: &str,
    command: &str,
    calls: Vec<(String, JsValue)>,
) -> Result<Vec<String>> {
    let calls = calls
        .into_iter()
        .map(|(name, body)| async move { post(env, namespace, &name, command, body).await });
    try_join_all(calls).await
}

/// The text of an answer.
async fn post(
    env: &Env,
    namespace: &str,
    name: &str,
    command: &str,
    body: JsValue,
) -> Result<String> {
    let answer = call_object(env, namespace, name, command, body).await?;
    let answer = answer.as_string().unwrap_or_default();
    let (status, text) = answer.split_once('\n').unwrap_or_default();
    match status {
        "200" => Ok(text.to_owned()),
        _ => Err(Error::RustError(format!("{command}: {text}"))),
    }
}

/// The answer of an object's command.
pub(crate) fn answer<T: serde::Serialize, E: std::fmt::Display>(
    result: std::result::Result<T, E>,
) -> Result<Response> {
    respond(match result {
        Ok(value) => Ok(serde_json::to_string(&value)?),
        Err(error) => Err(error.to_string()),
    })
}

/// The same of texts: one piece of code for all types.
#[inline(never)]
fn respond(result: std::result::Result<String, String>) -> Result<Response> {
    match result {
        Ok(text) => Response::ok(text),
        Err(error) => Response::error(error, 500),
    }
}
