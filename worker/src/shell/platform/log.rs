//! Structured logs: one JSON line each, with no user data. What goes wrong within a call has the
//! call's names.

use serde::Serialize;
use serde_json::json;

use crate::observe::operations::{Operation, current};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    level: &'static str,
    at: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

/// Something of ours failed. `message` is a database's or platform's words, never an event's.
pub(crate) fn error(at: &'static str, message: impl std::fmt::Display) {
    write(at, &message.to_string());
}

/// The same of a text: one piece of code for all types.
#[inline(never)]
fn write(at: &'static str, message: &str) {
    let (request_id, trace_id) = names();
    let line = Line {
        level: "error",
        at,
        message,
        request_id,
        trace_id,
    };
    worker::console_error!("{}", serde_json::to_string(&line).unwrap_or_default());
}

/// A call was answered.
pub(crate) fn request(operation: &Operation) {
    if operation.is_our_failure() {
        worker::console_error!("{}", operation.line());
    } else {
        worker::console_log!("{}", operation.line());
    }
}

/// Items of `site` that no adapter knows. The forms of their keys tell a developer what was sent; keys and values are
/// a user's.
pub(crate) fn unknown_shape(site: &str, keys: &[Vec<String>]) {
    let (request_id, trace_id) = names();
    let line = json!({
        "level": "warn", "at": "adapters", "message": "unknown shape", "site": site, "keys": keys,
        "requestId": request_id, "traceId": trace_id,
    });
    worker::console_warn!("{line}");
}

/// The names of the call that is under way, where there is one.
fn names() -> (Option<String>, Option<String>) {
    current(|call| (call.id().text(), call.trace().id())).unzip()
}
