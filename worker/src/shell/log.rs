//! Structured logs: one JSON line each, with no user data.

use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    at: &'static str,
    message: &'a str,
}

/// Something of ours failed. `message` is a database's or platform's words, never an event's.
pub(super) fn error(at: &'static str, message: impl std::fmt::Display) {
    let message = message.to_string();
    let line = Line {
        level: "error",
        at,
        message: &message,
    };
    worker::console_error!("{}", serde_json::to_string(&line).unwrap_or_default());
}

/// Items of `site` that no adapter knows. Their keys tell a developer what was sent; their values are
/// a user's.
pub(super) fn unknown_shape(site: &str, keys: &[Vec<String>]) {
    let line = serde_json::json!({
        "level": "warn", "at": "adapters", "message": "unknown shape", "site": site, "keys": keys,
    });
    worker::console_warn!("{line}");
}
