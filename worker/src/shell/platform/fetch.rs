//! Requests to elsewhere.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::base::json;
use crate::sinks::{Answer, SinkRequest};

#[wasm_bindgen(module = "/src/shell/platform/fetch.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn exchange(
        method: &str,
        url: &str,
        headers: &str,
        body: Option<Uint8Array>,
        redirect: &str,
        within_ms: u32,
        most_bytes: u32,
    ) -> Result<JsValue, JsValue>;
}

/// What may be done for an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Milliseconds that it may take, body included.
    pub(crate) within_ms: u32,
    /// Bytes of it that are read at most.
    pub(crate) most_bytes: u32,
    /// Whether redirects are followed.
    pub(crate) follow: bool,
}

/// Why there was no answer in time.
pub(crate) const TIMEOUT: &str = "timeout";

/// Sends a request and reads its answer.
///
/// # Errors
/// [`TIMEOUT`], or the platform's words; these may hold the URL.
pub(crate) async fn send(request: &SinkRequest, limits: Limits) -> Result<Answer, String> {
    let headers = serde_json::to_string(&request.headers).unwrap_or_default();
    let has_body = matches!(request.method.as_str(), "POST" | "PUT");
    let answer = exchange(
        request.method.as_str(),
        &request.url,
        &headers,
        has_body.then(|| Uint8Array::from(request.body.as_slice())),
        if limits.follow { "follow" } else { "manual" },
        limits.within_ms,
        limits.most_bytes,
    );
    let answer = answer
        .await
        .map_err(|why| why.as_string().unwrap_or_default())?;
    let answer = answer.as_string().unwrap_or_default();
    let (status, headers, body) = json::told(answer).map_err(|error| error.to_string())?;
    Ok(Answer {
        status,
        headers,
        body,
    })
}
