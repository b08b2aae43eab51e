//! Every path that the worker answers, and the methods that each takes: one table for the router,
//! the preflights, `Allow`, the names of calls and the API's description. Static files are served before it is asked.

use crate::operations::Kind::{self, Admin, Import, Ingest, Query, System};

/// Who answers below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// What takes events; any page may read its answers.
    Ingest,
    /// The settings that browser SDKs fetch first.
    SdkSettings,
    /// Imports.
    Imports,
    /// A question of the dashboard API without parameters in its path, and `/health`.
    Read,
    /// A ticket for a live stream.
    Ticket,
    /// A live stream, a WebSocket.
    Stream,
    /// Shoreline's own metrics, for a scraper.
    Prometheus,
    /// A metric.
    Metric,
    /// A question with a body.
    Question,
    /// A user's events.
    Users,
    /// Sites and keys.
    Sites,
    /// Dead letters.
    DeadLetters,
    /// Rebuild of D1 from the lake.
    Rebuild,
}

/// A path and its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The path; `{name}` stands for one segment that is not empty.
    pub path: &'static str,
    /// The methods, as `Allow` tells them.
    pub allow: &'static str,
    /// Who answers.
    pub door: Door,
    /// What kind of call it is.
    pub kind: Kind,
    /// What a call of it is named in logs, metrics and events.
    pub action: &'static str,
}

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";

const fn at(
    path: &'static str,
    allow: &'static str,
    door: Door,
    kind: Kind,
    action: &'static str,
) -> Endpoint {
    Endpoint {
        path,
        allow,
        door,
        kind,
        action,
    }
}

/// The table. A new path has its line here, and its operation in `openapi/`.
#[rustfmt::skip] // A line each.
pub const ENDPOINTS: &[Endpoint] = &[
    at("/v1/events", POST, Door::Ingest, Ingest, "events"),
    at("/v1/ingest", POST, Door::Ingest, Ingest, "ingest"),
    at("/api/event", POST, Door::Ingest, Ingest, "plausible"),
    at("/v1/batch", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/b", POST, Door::Ingest, Ingest, "segment"),
    at("/beacon/v1/batch", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/track", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/t", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/page", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/p", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/screen", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/s", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/identify", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/i", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/group", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/g", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/alias", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/a", POST, Door::Ingest, Ingest, "segment"),
    at("/v1/projects/{writeKey}/settings", GET, Door::SdkSettings, System, "sdk_settings"),
    at("/sourceConfig", GET, Door::SdkSettings, System, "sdk_settings"),
    at("/sourceConfig/", GET, Door::SdkSettings, System, "sdk_settings"),
    at("/v1/imports", POST, Door::Imports, Import, "imports"),
    at("/v1/imports/{importId}", GET, Door::Imports, Import, "import"),
    at("/v1/imports/{importId}/parts/{part}", "PUT, OPTIONS", Door::Imports, Import, "import_part"),
    at("/v1/imports/{importId}/complete", POST, Door::Imports, Import, "import_complete"),
    at("/v1/analytics/live", GET, Door::Read, Query, "live"),
    at("/v1/analytics/live/ticket", POST, Door::Ticket, Query, "live_ticket"),
    at("/v1/analytics/live/stream", "GET, OPTIONS", Door::Stream, Query, "live_stream"),
    at("/v1/analytics/events/recent", GET, Door::Read, Query, "recent"),
    at("/v1/analytics/operations", GET, Door::Read, Query, "operations"),
    at("/v1/analytics/outcomes", GET, Door::Read, Query, "outcomes"),
    at("/v1/analytics/reconciliation", GET, Door::Read, Query, "reconciliation"),
    at("/v1/analytics/metrics/summary", GET, Door::Read, Query, "summary"),
    at("/v1/analytics/metrics/platform", GET, Door::Metric, Query, "platform"),
    at("/v1/analytics/metrics/features", GET, Door::Metric, Query, "features"),
    at("/v1/analytics/metrics/engagement", GET, Door::Metric, Query, "engagement"),
    at("/v1/analytics/metrics/products", GET, Door::Metric, Query, "products"),
    at("/v1/analytics/metrics/breakdown", GET, Door::Metric, Query, "breakdown"),
    at("/v1/analytics/metrics/vitals", GET, Door::Metric, Query, "vitals"),
    at("/v1/analytics/query/funnel", POST, Door::Question, Query, "funnel"),
    at("/v1/analytics/query/retention", POST, Door::Question, Query, "retention"),
    at("/v1/analytics/query/journeys", POST, Door::Question, Query, "journeys"),
    at("/v1/analytics/users/{userId}/events", GET, Door::Users, Query, "user_events"),
    at("/v1/analytics/users/{userId}/export", GET, Door::Users, Admin, "user_export"),
    at("/v1/analytics/users/{userId}", "DELETE, OPTIONS", Door::Users, Admin, "user_erase"),
    at("/v1/sites", "GET, POST, OPTIONS", Door::Sites, Admin, "sites"),
    at("/v1/sites/{siteId}", "PUT, OPTIONS", Door::Sites, Admin, "site"),
    at("/v1/sites/{siteId}/keys", "GET, POST, OPTIONS", Door::Sites, Admin, "keys"),
    at("/v1/sites/{siteId}/keys/{keyId}", "DELETE, OPTIONS", Door::Sites, Admin, "key"),
    at("/v1/dead-letters", "GET, OPTIONS", Door::DeadLetters, Admin, "dead_letters"),
    at("/v1/dead-letters/replay", POST, Door::DeadLetters, Admin, "replay"),
    at("/v1/rebuild", POST, Door::Rebuild, Admin, "rebuild"),
    at("/metrics", GET, Door::Prometheus, System, "metrics"),
    at("/health", GET, Door::Read, System, "health"),
];

/// The endpoint of a path; none: 404.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.is_at(path))
}

impl Endpoint {
    /// Whether it takes a method.
    pub fn takes(&self, method: &str) -> bool {
        self.methods().any(|known| known == method)
    }

    /// Its methods.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.allow.split(", ")
    }

    fn is_at(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        self.path.split('/').all(|want| match segments.next() {
            Some(segment) if want.starts_with('{') => !segment.is_empty(),
            Some(segment) => segment == want,
            None => false,
        }) && segments.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::SegmentCall;
    use crate::import::Call;
    use crate::sdk_settings::SdkSettings;

    #[test]
    fn a_path_has_one_endpoint() {
        for (path, want) in [
            ("/v1/events", Some("/v1/events")),
            ("/v1/sites", Some("/v1/sites")),
            ("/v1/sites/", None),
            ("/v1/sites/a", Some("/v1/sites/{siteId}")),
            (
                "/v1/sites/a/keys/b",
                Some("/v1/sites/{siteId}/keys/{keyId}"),
            ),
            ("/v1/sites/a/keys/b/c", None),
            (
                "/v1/analytics/users/%2F/events",
                Some("/v1/analytics/users/{userId}/events"),
            ),
            ("/v1/analytics/users//events", None),
            ("/v1/analytics/metrics/", None),
            ("/v1", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(find(path).map(|found| found.path), want, "{path}");
        }
        for endpoint in ENDPOINTS {
            assert_eq!(find(endpoint.path), Some(endpoint), "the first at its path");
            assert!(endpoint.takes("OPTIONS") && !endpoint.takes("TRACE"));
        }
    }

    #[test]
    fn who_answers_knows_every_path() {
        for endpoint in ENDPOINTS {
            let path = endpoint
                .path
                .replace("{importId}", "0198c1d2-0000-7000-8000-00000000000a")
                .replace("{part}", "1");
            let own = ["/v1/events", "/v1/ingest", "/api/event"];
            match endpoint.door {
                Door::Ingest => {
                    assert!(
                        own.contains(&path.as_str()) || SegmentCall::from_path(&path).is_some()
                    );
                }
                Door::SdkSettings => assert!(SdkSettings::of(&path).is_some(), "{path}"),
                Door::Imports => {
                    for method in endpoint.methods().filter(|method| *method != "OPTIONS") {
                        assert!(Call::parse(method, &path).is_ok(), "{method} {path}");
                    }
                }
                _ => {}
            }
        }
    }
}
