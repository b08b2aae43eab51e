//! An operation as an event: one line of the lake, as any other.

use serde::{Serialize, Serializer};
use shoreline_shared::limits::SCHEMA_VERSION;
use shoreline_shared::stamp::StampedEvent;

use super::event::Operation;
use super::histogram::Histogram;
use super::outcomes::Outcomes;
use super::route::Kind;
use super::site_name::SiteName;
use crate::protocol::names::OWN_SITE;

/// The source of the events, and the worker's name.
const NAME: &str = "shoreline";

/// The worker's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is told of all events that are committed together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Its id.
    pub id: &'a str,
    /// Now, Unix milliseconds.
    pub received_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    event_id: &'a str,
    event_type: &'static str,
    site_id: &'static str,
    source: &'static str,
    timestamp: i64,
    received_at: i64,
    schema_version: u32,
    batch_id: &'a str,
    event_data: Data<'a>,
    metadata: Metadata,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    action: &'static str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    method: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    route: &'static str,
    http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
    calls: i64,
    total_duration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    durations: Option<Buckets<'a>>,
    #[serde(skip_serializing_if = "Outcomes::is_empty")]
    outcomes: &'a Outcomes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    source: &'static str,
    request_id: String,
    trace_id: String,
    duration: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
    event_category: &'static str,
    function_name: &'static str,
    function_version: &'static str,
}

/// How many durations fall in each bucket, by its upper bound.
struct Buckets<'a>(&'a Histogram);

impl Serialize for Buckets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.buckets())
    }
}

impl Operation {
    /// The event, as it is stored. `event_id` is a UUID.
    pub fn stamped(&self, event_id: &str, batch: Batch<'_>) -> Option<StampedEvent> {
        let (kind, event_type) = names(self.route.kind);
        let stored = Stored {
            event_id,
            event_type,
            site_id: OWN_SITE,
            source: NAME,
            timestamp: self.at,
            received_at: batch.received_at,
            schema_version: SCHEMA_VERSION,
            batch_id: batch.id,
            event_data: Data {
                action: self.route.action,
                r#type: kind,
                method: self.method,
                route: self.route.pattern,
                http_status: self.status,
                site: self.site.as_ref().map(SiteName::as_str),
                calls: self.calls(),
                total_duration: self.durations.sum_ms,
                // Of a single call, its own duration says the same.
                durations: (self.calls() > 1).then_some(Buckets(&self.durations)),
                outcomes: &self.outcomes,
            },
            metadata: Metadata {
                source: NAME,
                request_id: self.id.text(),
                trace_id: self.trace.id(),
                duration: self.duration_ms,
                status: self.outcome(),
                error_type: self.code,
                event_category: self.category(),
                function_name: NAME,
                function_version: VERSION,
            },
        };
        StampedEvent::from_json(&serde_json::to_string(&stored).ok()?)
    }

    fn outcome(&self) -> &'static str {
        if self.is_failure() {
            "FAILURE"
        } else {
            "SUCCESS"
        }
    }

    fn category(&self) -> &'static str {
        let about_keys = matches!(self.route.action, "keys" | "key");
        if about_keys || matches!(self.code, Some("unknown_key" | "wrong_scope")) {
            return "AUTHENTICATION";
        }
        match self.route.kind {
            Kind::Ingest => "USER_ACTION",
            Kind::Query => "QUERY",
            Kind::Import | Kind::Admin | Kind::Background | Kind::System => "SYSTEM_EVENT",
        }
    }
}

/// The name of a kind, and of its events' type.
fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Ingest => ("INGEST", "INGEST_ANALYTICS"),
        Kind::Query => ("QUERY", "QUERY_ANALYTICS"),
        Kind::Import => ("IMPORT", "IMPORT_ANALYTICS"),
        Kind::Admin => ("ADMIN", "ADMIN_ANALYTICS"),
        Kind::Background => ("BACKGROUND", "BACKGROUND_ANALYTICS"),
        Kind::System => ("SYSTEM", "SYSTEM_ANALYTICS"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::event::tests::operation;
    use super::super::route::Background;
    use super::*;
    use crate::observe::operations::CallId;
    use crate::testing::{NOW, uuid};

    fn stored(operation: &Operation) -> Value {
        let (id, batch_id) = (uuid(7), uuid(8));
        let batch = Batch {
            id: &batch_id,
            received_at: NOW + 5_000,
        };
        let event = operation.stamped(&id, batch).unwrap();
        assert_eq!(event.user_id(), None);
        assert_eq!(event.event_id(), id);
        serde_json::from_str(event.json()).unwrap()
    }

    #[test]
    fn an_event_has_the_fields_of_an_analytics_event() {
        let mut call = operation("/v1/events", Some("demo"), 202, 12);
        call.outcomes.add("accepted", 25);
        assert_eq!(
            stored(&call),
            json!({
                "eventId": uuid(7), "eventType": "INGEST_ANALYTICS", "siteId": "_shoreline",
                "source": "shoreline", "timestamp": NOW, "receivedAt": NOW + 5_000,
                "schemaVersion": SCHEMA_VERSION, "batchId": uuid(8),
                "eventData": {
                    "action": "events", "type": "INGEST", "method": "GET", "route": "/v1/events",
                    "httpStatus": 202, "calls": 1, "totalDuration": 12, "site": "demo",
                    "outcomes": {"accepted": 25},
                },
                "metadata": {
                    "source": "shoreline", "requestId": call.id.text(), "duration": 12,
                    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "status": "SUCCESS",
                    "eventCategory": "USER_ACTION", "functionName": "shoreline",
                    "functionVersion": VERSION,
                },
            })
        );
    }

    #[test]
    fn an_event_of_several_calls_names_the_first_and_has_the_durations_of_all() {
        let mut call = operation("/v1/events", Some("demo"), 202, 12);
        for ms in [0, 1, 15, 9_000, 10_001, 60_000] {
            call.stand_for(&operation("/v1/events", Some("demo"), 202, ms));
        }
        let event = stored(&call);
        let data = &event["eventData"];
        assert_eq!(
            (&data["calls"], &data["totalDuration"]),
            (&json!(7), &json!(79_029))
        );
        // Those above the last bound are what is missing of the calls.
        assert_eq!(data["durations"], json!({"1": 2, "20": 2, "10000": 1}));
        assert_eq!(event["metadata"]["duration"], 12);
        assert_eq!(event["metadata"]["requestId"], call.id.text());
    }

    #[test]
    fn a_failure_tells_its_code_and_the_category_is_by_the_call() {
        for (path, code, category, name) in [
            ("/v1/ingest", None, "USER_ACTION", "INGEST_ANALYTICS"),
            (
                "/v1/ingest",
                Some("unknown_key"),
                "AUTHENTICATION",
                "INGEST_ANALYTICS",
            ),
            ("/v1/analytics/live", None, "QUERY", "QUERY_ANALYTICS"),
            (
                "/v1/imports",
                Some("unavailable"),
                "SYSTEM_EVENT",
                "IMPORT_ANALYTICS",
            ),
            ("/v1/sites/a", None, "SYSTEM_EVENT", "ADMIN_ANALYTICS"),
            (
                "/v1/sites/a/keys",
                None,
                "AUTHENTICATION",
                "ADMIN_ANALYTICS",
            ),
        ] {
            let mut call = operation(path, None, 503, 1);
            call.code = code;
            let event = stored(&call);
            assert_eq!(event["metadata"]["eventCategory"], category, "{path}");
            assert_eq!(event["metadata"]["status"], "FAILURE");
            assert_eq!(event["metadata"]["errorType"].as_str(), code);
            assert_eq!(event["eventType"], name);
            assert_eq!(event["eventData"].get("site"), None);
        }
    }

    #[test]
    fn what_runs_by_itself_has_an_event_without_a_route() {
        let id = CallId::new(NOW - 70, [7; 10]);
        let trace = operation("/v1/events", None, 200, 1).trace;
        let ran = |failed| {
            let ran =
                Operation::background(Background::Fold, Some("demo"), (id, trace), NOW, failed);
            stored(&ran)
        };
        let event = ran(None);
        assert_eq!(event["eventType"], "BACKGROUND_ANALYTICS");
        assert_eq!(
            event["eventData"],
            json!({"action": "fold", "type": "BACKGROUND", "httpStatus": 200, "site": "demo", "calls": 1, "totalDuration": 70})
        );
        let metadata = &event["metadata"];
        assert_eq!(
            (&metadata["duration"], &metadata["status"]),
            (&json!(70), &json!("SUCCESS"))
        );
        assert_eq!(metadata["eventCategory"], "SYSTEM_EVENT");
        let failed = ran(Some("not_taken"));
        assert_eq!(failed["metadata"]["status"], "FAILURE");
        assert_eq!(failed["metadata"]["errorType"], "not_taken");
    }

    #[test]
    fn shorelines_own_site_is_nobody_elses() {
        assert!(!crate::access::auth::is_site_id(OWN_SITE));
    }
}
