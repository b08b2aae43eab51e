//! Every path that the worker answers, and the methods that each takes: one table for the router,
//! the preflights, `Allow`, the names of calls, the parameters and fields that each knows, and the API's description. Static files are served before it is asked.

mod route;

pub use route::route;

use crate::admin;
use crate::dead_letter;
use crate::http::error::Fault;
use crate::http::known;
use crate::import;
use crate::ingest::admit::{EVENTS_PARAMS, INGEST_PARAMS};
use crate::observe::operations::Kind::{self, Admin, Import, Ingest, Query, System};
use crate::query;
use crate::read::{funnel, journeys, retention};
use crate::upkeep::rebuild;

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
    /// Any question, with a body.
    AnyQuestion,
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
    /// The query parameters that it knows; none: whatever another system's library sends.
    pub params: Option<&'static [&'static str]>,
    /// The fields that its JSON body may have, `steps.page` for one of what stands under `steps`; empty where it
    /// has no such body, or one of events, whose unknown fields are left out.
    pub fields: &'static [&'static str],
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
        params: Some(&[]),
        fields: &[],
    }
}

/// A path where events come in.
const fn ingest(
    path: &'static str,
    params: Option<&'static [&'static str]>,
    action: &'static str,
) -> Endpoint {
    Endpoint {
        params,
        ..at(path, POST, Door::Ingest, Ingest, action)
    }
}

/// The days of a metric, and the form of its answer.
const METRIC: &[&str] = &["startDate", "endDate", "format"];
const HOURS: &[&str] = &["hours"];

/// The table. A new path has its line here, and its operation in `openapi/`.
#[rustfmt::skip] // A line each.
pub const ENDPOINTS: &[Endpoint] = &[
    ingest("/v1/events", Some(EVENTS_PARAMS), "events"),
    ingest("/v1/ingest", Some(INGEST_PARAMS), "ingest"),
    ingest("/api/event", None, "plausible"),
    ingest("/v1/batch", None, "segment"),
    ingest("/v1/b", None, "segment"),
    ingest("/beacon/v1/batch", None, "segment"),
    ingest("/v1/track", None, "segment"),
    ingest("/v1/t", None, "segment"),
    ingest("/v1/page", None, "segment"),
    ingest("/v1/p", None, "segment"),
    ingest("/v1/screen", None, "segment"),
    ingest("/v1/s", None, "segment"),
    ingest("/v1/identify", None, "segment"),
    ingest("/v1/i", None, "segment"),
    ingest("/v1/group", None, "segment"),
    ingest("/v1/g", None, "segment"),
    ingest("/v1/alias", None, "segment"),
    ingest("/v1/a", None, "segment"),
    at("/v1/projects/{writeKey}/settings", GET, Door::SdkSettings, System, "sdk_settings").of_others(),
    at("/sourceConfig", GET, Door::SdkSettings, System, "sdk_settings").of_others(),
    at("/sourceConfig/", GET, Door::SdkSettings, System, "sdk_settings").of_others(),
    at("/v1/imports", POST, Door::Imports, Import, "imports").body(import::FIELDS),
    at("/v1/imports/{importId}", GET, Door::Imports, Import, "import"),
    at("/v1/imports/{importId}/parts/{part}", "PUT, OPTIONS", Door::Imports, Import, "import_part"),
    at("/v1/imports/{importId}/complete", POST, Door::Imports, Import, "import_complete"),
    at("/v1/analytics/live", GET, Door::Read, Query, "live"),
    at("/v1/analytics/live/ticket", POST, Door::Ticket, Query, "live_ticket"),
    at("/v1/analytics/live/stream", "GET, OPTIONS", Door::Stream, Query, "live_stream").query(&["ticket"]),
    at("/v1/analytics/events/recent", GET, Door::Read, Query, "recent").query(&["limit", "eventType", "userId", "cursor"]),
    at("/v1/analytics/operations", GET, Door::Read, Query, "operations").query(&["windowMinutes", "format"]),
    at("/v1/analytics/outcomes", GET, Door::Read, Query, "outcomes").query(HOURS),
    at("/v1/analytics/reconciliation", GET, Door::Read, Query, "reconciliation").query(HOURS),
    at("/v1/analytics/metrics/summary", GET, Door::Read, Query, "summary").query(&["windowMinutes", "groupBy"]),
    at("/v1/analytics/metrics/platform", GET, Door::Metric, Query, "platform").query(METRIC),
    at("/v1/analytics/metrics/features", GET, Door::Metric, Query, "features").query(METRIC),
    at("/v1/analytics/metrics/engagement", GET, Door::Metric, Query, "engagement").query(METRIC),
    at("/v1/analytics/metrics/products", GET, Door::Metric, Query, "products").query(METRIC),
    at("/v1/analytics/metrics/breakdown", GET, Door::Metric, Query, "breakdown").query(&["by", "startDate", "endDate", "limit", "cursor", "format"]),
    at("/v1/analytics/metrics/vitals", GET, Door::Metric, Query, "vitals").query(&["startDate", "endDate", "page", "format"]),
    at("/v1/analytics/query", POST, Door::AnyQuestion, Query, "query").query(&["format"]).body(query::FIELDS),
    at("/v1/analytics/query/funnel", POST, Door::Question, Query, "funnel").body(funnel::FIELDS),
    at("/v1/analytics/query/retention", POST, Door::Question, Query, "retention").body(retention::FIELDS),
    at("/v1/analytics/query/journeys", POST, Door::Question, Query, "journeys").body(journeys::FIELDS),
    at("/v1/analytics/users/{userId}/events", GET, Door::Users, Query, "user_events").query(&["limit", "eventType", "cursor"]),
    at("/v1/analytics/users/{userId}/export", GET, Door::Users, Admin, "user_export").query(&["siteId", "limit", "eventType", "cursor"]),
    at("/v1/analytics/users/{userId}", "DELETE, OPTIONS", Door::Users, Admin, "user_erase").query(&["siteId"]),
    at("/v1/sites", "GET, POST, OPTIONS", Door::Sites, Admin, "sites").body(admin::SITE_FIELDS),
    at("/v1/sites/{siteId}", "PUT, OPTIONS", Door::Sites, Admin, "site").body(admin::SITE_FIELDS),
    at("/v1/sites/{siteId}/keys", "GET, POST, OPTIONS", Door::Sites, Admin, "keys").body(admin::KEY_FIELDS),
    at("/v1/sites/{siteId}/keys/{keyId}", "DELETE, OPTIONS", Door::Sites, Admin, "key").query(&["after"]),
    at("/v1/dead-letters", "GET, OPTIONS", Door::DeadLetters, Admin, "dead_letters").query(&["siteId", "code", "limit", "cursor"]),
    at("/v1/dead-letters/replay", POST, Door::DeadLetters, Admin, "replay").body(dead_letter::FIELDS),
    at("/v1/rebuild", POST, Door::Rebuild, Admin, "rebuild").body(rebuild::FIELDS),
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

    /// Knows these query parameters.
    const fn query(mut self, params: &'static [&'static str]) -> Self {
        self.params = Some(params);
        self
    }

    /// Takes whatever the libraries of another system send.
    const fn of_others(mut self) -> Self {
        self.params = None;
        self
    }

    /// Takes a JSON body of these fields.
    const fn body(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    /// Checks that it knows every parameter of a query, and that none comes twice.
    ///
    /// # Errors
    /// [`Fault::UnknownParameter`] with the first that it does not know.
    pub fn check_query(&self, query: &str) -> Result<(), Fault> {
        self.params
            .map_or(Ok(()), |known| known::parameters(query, known))
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
mod tests;
