//! A call as an event: one line of the lake, as any other.

use serde_json::{Map, Value, json};
use shoreline_shared::limits::SCHEMA_VERSION;
use shoreline_shared::stamp::StampedEvent;

use super::call::CallId;
use super::histogram::Histogram;
use super::outcomes::Outcomes;
use super::route::{Kind, Route};
use super::site_name::SiteName;
use crate::live::{MINUTE_MS, floor_to};
use crate::tally::OWN_SITE;
use crate::trace::Trace;

/// The source of the events, and the worker's name.
const NAME: &str = "shoreline";

/// The worker's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first status that is a failure.
const FAILURE_FROM: u16 = 400;

/// A call that was answered; or several that are alike, of which it was the first. It is made for
/// every call, so it holds no text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// When it was answered, Unix milliseconds.
    pub at: i64,
    /// Its route.
    pub route: Route,
    /// Its method.
    pub method: &'static str,
    /// The site that its key is of, where it had a good one.
    pub site: Option<SiteName>,
    /// The status of its answer.
    pub status: u16,
    /// The code of a failure.
    pub code: Option<&'static str>,
    /// Its trace.
    pub trace: Trace,
    /// Its name in logs.
    pub id: CallId,
    /// Milliseconds until the answer was ready, by the platform's clock, which stands still between
    /// I/O: what was waited for, not what was reckoned.
    pub duration_ms: i64,
    /// The durations of the calls that it stands for, its own among them.
    pub durations: Histogram,
    /// How the events that they brought ended.
    pub outcomes: Outcomes,
}

/// What calls have in common that may stand for each other: all that they are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Likeness {
    /// In its minute, of which D1 keeps the counts.
    minute: i64,
    site: Option<SiteName>,
    action: &'static str,
    method: &'static str,
    status: u16,
    code: Option<&'static str>,
}

/// What is told of all events that are committed together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Its id.
    pub id: &'a str,
    /// Now, Unix milliseconds.
    pub received_at: i64,
}

impl Operation {
    /// What it has in common with those that it may stand for.
    pub(super) fn likeness(&self) -> Likeness {
        Likeness {
            minute: floor_to(self.at, MINUTE_MS),
            site: self.site,
            action: self.route.action,
            method: self.method,
            status: self.status,
            code: self.code,
        }
    }

    /// Lets it stand for another one too.
    pub(super) fn stand_for(&mut self, other: &Self) {
        self.durations.add(&other.durations);
        self.outcomes.add_all(&other.outcomes);
    }

    /// The calls that it stands for, itself among them.
    pub fn calls(&self) -> i64 {
        self.durations.n
    }

    /// Whether it failed, for whatever reason.
    pub fn is_failure(&self) -> bool {
        self.status >= FAILURE_FROM
    }

    /// The event, as it is stored. `event_id` is a UUID.
    pub fn stamped(&self, event_id: &str, batch: Batch<'_>) -> Option<StampedEvent> {
        let kind = kind_name(self.route.kind);
        let mut data = Map::from_iter([
            ("action".to_owned(), self.route.action.into()),
            ("type".to_owned(), kind.into()),
            ("method".to_owned(), self.method.into()),
            ("route".to_owned(), self.route.pattern.into()),
            ("httpStatus".to_owned(), self.status.into()),
            ("calls".to_owned(), self.calls().into()),
            ("totalDuration".to_owned(), self.durations.sum_ms.into()),
        ]);
        if let Some(site) = &self.site {
            data.insert("site".to_owned(), site.as_str().into());
        }
        // Of a single call, its own duration says the same.
        if self.calls() > 1 {
            let buckets = self.durations.buckets();
            let buckets = buckets.map(|(bound, n)| (bound.to_string(), n.into()));
            data.insert("durations".to_owned(), Value::Object(buckets.collect()));
        }
        if !self.outcomes.is_empty() {
            data.insert("outcomes".to_owned(), json!(self.outcomes));
        }
        let mut metadata = Map::from_iter([
            ("source".to_owned(), Value::from(NAME)),
            ("requestId".to_owned(), self.id.text().into()),
            ("traceId".to_owned(), self.trace.id().into()),
            ("duration".to_owned(), self.duration_ms.into()),
            ("status".to_owned(), self.outcome().into()),
            ("eventCategory".to_owned(), self.category().into()),
            ("functionName".to_owned(), NAME.into()),
            ("functionVersion".to_owned(), VERSION.into()),
        ]);
        if let Some(code) = self.code {
            metadata.insert("errorType".to_owned(), code.into());
        }
        let stored = json!({
            "eventId": event_id,
            "eventType": format!("{kind}_ANALYTICS"),
            "siteId": OWN_SITE,
            "source": NAME,
            "timestamp": self.at,
            "receivedAt": batch.received_at,
            "schemaVersion": SCHEMA_VERSION,
            "batchId": batch.id,
            "eventData": data,
            "metadata": metadata,
        });
        StampedEvent::from_json(&stored.to_string())
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
            Kind::Import | Kind::Admin | Kind::System => "SYSTEM_EVENT",
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ingest => "INGEST",
        Kind::Query => "QUERY",
        Kind::Import => "IMPORT",
        Kind::Admin => "ADMIN",
        Kind::System => "SYSTEM",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{NOW, uuid};

    /// A call that took so long.
    pub(crate) fn operation(path: &str, site: Option<&str>, status: u16, ms: i64) -> Operation {
        Operation {
            at: NOW,
            route: Route::of("GET", path),
            method: "GET",
            site: site.and_then(SiteName::new),
            status,
            code: None,
            trace: Trace::begin(
                Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
                &[1; 24],
            ),
            id: CallId::new(NOW, [7; 10]),
            duration_ms: ms,
            durations: Histogram::one(ms),
            outcomes: Outcomes::default(),
        }
    }

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
    fn shorelines_own_site_is_nobody_elses() {
        assert!(!crate::auth::is_site_id(OWN_SITE));
    }
}
