//! A call's line in the log: JSON, of names from fixed lists, numbers and ids of our own.

use serde::Serialize;

use super::event::Operation;
use super::site_name::SiteName;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    level: &'static str,
    at: &'static str,
    request_id: String,
    trace_id: String,
    method: &'static str,
    route: &'static str,
    action: &'static str,
    status: u16,
    duration_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
}

impl Operation {
    /// Whether it failed for a reason of ours.
    pub fn is_our_failure(&self) -> bool {
        self.status >= 500
    }

    /// Its line in the log.
    pub fn line(&self) -> String {
        let line = Line {
            level: if self.is_our_failure() {
                "error"
            } else {
                "info"
            },
            at: "request",
            request_id: self.id.text(),
            trace_id: self.trace.id(),
            method: self.method,
            route: self.route.pattern,
            action: self.route.action,
            status: self.status,
            duration_ms: self.duration_ms,
            code: self.code,
            site: self.site.as_ref().map(SiteName::as_str),
        };
        // Strings and numbers always serialize.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::operation;
    #[test]
    fn a_line_tells_the_call_and_nothing_of_a_user() {
        let mut call = operation("/v1/analytics/users/ann/events", Some("demo"), 200, 3);
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let id = call.id.text();
        assert_eq!(
            call.line(),
            format!(
                r#"{{"level":"info","at":"request","requestId":"{id}","traceId":"{trace}","method":"GET","route":"/v1/analytics/users/{{userId}}/events","action":"user_events","status":200,"durationMs":3,"site":"demo"}}"#
            )
        );
        (call.status, call.code, call.site) = (503, Some("unavailable"), None);
        assert!(call.line().starts_with(r#"{"level":"error""#));
        assert!(call.line().ends_with(r#""code":"unavailable"}"#));
    }
}
