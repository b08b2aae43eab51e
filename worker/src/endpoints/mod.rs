//! Every path that the worker answers, and the methods that each takes: one table for the router,
//! the preflights, `Allow`, the names of calls, the parameters and fields that each knows, and the API's description. Static files are served before it is asked.

mod call;
mod route;

pub use call::{
    AdminCall, ArchivesCall, Asked, Call, DeadLetterCall, ImportCall, LinksCall, MetricCall,
    QueryCall, QuestionCall, ReadCall, SdkCall, UserCall, Way,
};
pub use route::route;

use crate::admin;
use crate::dead_letter;
use crate::http::error::Fault;
use crate::http::known;
use crate::import;
use crate::ingest::adapters::{SegmentCall, SegmentKind};
use crate::ingest::admit::{EVENTS_PARAMS, INGEST_PARAMS};
use crate::observe::operations::Kind::{self, Admin, Import, Ingest, Query, System};
use crate::query;
use crate::read::{funnel, journeys, retention};
use crate::upkeep::{rebuild, repairs};

/// A path and its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The path; `{name}` stands for one segment that is not empty.
    pub path: &'static str,
    /// The methods, as `Allow` tells them.
    pub allow: &'static str,
    /// What each method calls; `HEAD` calls what `GET` does, where it is allowed.
    get: Option<Call>,
    post: Option<Call>,
    put: Option<Call>,
    delete: Option<Call>,
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

/// A path that nothing calls yet.
const fn at(path: &'static str, allow: &'static str, kind: Kind, action: &'static str) -> Endpoint {
    Endpoint {
        path,
        allow,
        get: None,
        post: None,
        put: None,
        delete: None,
        kind,
        action,
        params: Some(&[]),
        fields: &[],
    }
}

const fn get(path: &'static str, call: Asked, kind: Kind, action: &'static str) -> Endpoint {
    Endpoint {
        get: Some(Call::Asked(call)),
        ..at(path, GET, kind, action)
    }
}

const fn post(path: &'static str, call: Asked, kind: Kind, action: &'static str) -> Endpoint {
    Endpoint {
        post: Some(Call::Asked(call)),
        ..at(path, POST, kind, action)
    }
}

const fn put(path: &'static str, call: Asked, kind: Kind, action: &'static str) -> Endpoint {
    Endpoint {
        put: Some(Call::Asked(call)),
        ..at(path, "PUT, OPTIONS", kind, action)
    }
}

const fn delete(path: &'static str, call: Asked, kind: Kind, action: &'static str) -> Endpoint {
    Endpoint {
        delete: Some(Call::Asked(call)),
        ..at(path, "DELETE, OPTIONS", kind, action)
    }
}

/// A path where events come in.
const fn ingest(
    path: &'static str,
    way: Way,
    params: Option<&'static [&'static str]>,
    action: &'static str,
) -> Endpoint {
    Endpoint {
        post: Some(Call::Events(way)),
        params,
        ..at(path, POST, Ingest, action)
    }
}

/// One of Segment's paths.
const fn segment(path: &'static str, call: SegmentCall) -> Endpoint {
    ingest(path, Way::Segment(call), None, "segment")
}

const fn metric(
    path: &'static str,
    call: MetricCall,
    params: &'static [&'static str],
    action: &'static str,
) -> Endpoint {
    get(path, Asked::Metric(call), Query, action).query(params)
}

/// The days of a metric, and the form of its answer.
const METRIC: &[&str] = &["startDate", "endDate", "format"];
/// The same of a metric that can be of events that pass filters.
const FILTERED: &[&str] = &[
    "startDate",
    "endDate",
    "filters",
    "range",
    "timeZone",
    "format",
];
const HOURS: &[&str] = &["hours"];

/// Which stored events.
const RECENT: &[&str] = &[
    "limit",
    "eventType",
    "source",
    "tenantId",
    "userId",
    "startDate",
    "endDate",
    "cursor",
];
const USER_EVENTS: &[&str] = &[
    "limit",
    "eventType",
    "source",
    "tenantId",
    "startDate",
    "endDate",
    "cursor",
];
const EXPORT: &[&str] = &[
    "siteId",
    "limit",
    "eventType",
    "source",
    "tenantId",
    "startDate",
    "endDate",
    "cursor",
];

/// The table. A new path has its line here, and its operation in `openapi/`.
#[rustfmt::skip] // A line each.
pub const ENDPOINTS: &[Endpoint] = &[
    ingest("/v1/events", Way::Batch, Some(EVENTS_PARAMS), "events"),
    ingest("/v1/ingest", Way::Commands, Some(INGEST_PARAMS), "ingest"),
    ingest("/api/event", Way::Plausible, None, "plausible"),
    segment("/v1/batch", SegmentCall::Batch),
    segment("/v1/b", SegmentCall::Batch),
    segment("/beacon/v1/batch", SegmentCall::Batch),
    segment("/v1/track", SegmentCall::One(SegmentKind::Track)),
    segment("/v1/t", SegmentCall::One(SegmentKind::Track)),
    segment("/v1/page", SegmentCall::One(SegmentKind::Page)),
    segment("/v1/p", SegmentCall::One(SegmentKind::Page)),
    segment("/v1/screen", SegmentCall::One(SegmentKind::Screen)),
    segment("/v1/s", SegmentCall::One(SegmentKind::Screen)),
    segment("/v1/identify", SegmentCall::One(SegmentKind::Identify)),
    segment("/v1/i", SegmentCall::One(SegmentKind::Identify)),
    segment("/v1/group", SegmentCall::One(SegmentKind::Group)),
    segment("/v1/g", SegmentCall::One(SegmentKind::Group)),
    segment("/v1/alias", SegmentCall::One(SegmentKind::Alias)),
    segment("/v1/a", SegmentCall::One(SegmentKind::Alias)),
    get("/v1/projects/{writeKey}/settings", Asked::SdkSettings(SdkCall::Segment), System, "sdk_settings").of_others(),
    get("/sourceConfig", Asked::SdkSettings(SdkCall::RudderStack), System, "sdk_settings").of_others(),
    get("/sourceConfig/", Asked::SdkSettings(SdkCall::RudderStack), System, "sdk_settings").of_others(),
    post("/v1/imports", Asked::Import(ImportCall::Create), Import, "imports").body(import::FIELDS),
    get("/v1/imports/{importId}", Asked::Import(ImportCall::Progress), Import, "import"),
    put("/v1/imports/{importId}/parts/{part}", Asked::Import(ImportCall::Part), Import, "import_part"),
    post("/v1/imports/{importId}/complete", Asked::Import(ImportCall::Complete), Import, "import_complete"),
    get("/v1/analytics/live", Asked::Read(ReadCall::Live), Query, "live"),
    post("/v1/analytics/live/ticket", Asked::Ticket, Query, "live_ticket"),
    get("/v1/analytics/live/stream", Asked::Stream, Query, "live_stream").without_head().query(&["ticket"]),
    get("/v1/analytics/events/recent", Asked::Read(ReadCall::Recent), Query, "recent").query(RECENT),
    get("/v1/analytics/operations", Asked::Operations, Query, "operations").query(&["windowMinutes", "format"]),
    get("/v1/analytics/outcomes", Asked::Read(ReadCall::Outcomes), Query, "outcomes").query(HOURS),
    get("/v1/analytics/reconciliation", Asked::Read(ReadCall::Reconciliation), Query, "reconciliation").query(HOURS),
    get("/v1/analytics/metrics/summary", Asked::Read(ReadCall::Summary), Query, "summary").query(&["windowMinutes", "groupBy"]),
    metric("/v1/analytics/metrics/platform", MetricCall::Platform, FILTERED, "platform"),
    metric("/v1/analytics/metrics/features", MetricCall::Features, FILTERED, "features"),
    metric("/v1/analytics/metrics/engagement", MetricCall::Engagement, METRIC, "engagement"),
    metric("/v1/analytics/metrics/products", MetricCall::Products, METRIC, "products"),
    metric("/v1/analytics/metrics/breakdown", MetricCall::Breakdown, &["by", "startDate", "endDate", "filters", "range", "timeZone", "limit", "cursor", "format"], "breakdown"),
    metric("/v1/analytics/metrics/vitals", MetricCall::Vitals, &["startDate", "endDate", "filters", "range", "timeZone", "page", "format"], "vitals"),
    post("/v1/analytics/query", Asked::Query(QueryCall::One), Query, "query").query(&["format"]).body(query::FIELDS),
    post("/v1/analytics/query/panels", Asked::Query(QueryCall::Panels), Query, "panels").body(query::PANELS_FIELDS),
    get("/v1/analytics/site", Asked::About, Query, "about"),
    get("/v1/analytics/goals", Asked::Goals, Query, "goals"),
    get("/v1/analytics/properties", Asked::Properties, Query, "properties").query(query::PROPERTIES_PARAMS),
    post("/v1/analytics/query/funnel", Asked::Question(QuestionCall::Funnel), Query, "funnel").body(funnel::FIELDS),
    post("/v1/analytics/query/retention", Asked::Question(QuestionCall::Retention), Query, "retention").body(retention::FIELDS),
    post("/v1/analytics/query/journeys", Asked::Question(QuestionCall::Journeys), Query, "journeys").body(journeys::FIELDS),
    get("/v1/analytics/users/{userId}/events", Asked::User(UserCall::Events), Query, "user_events").query(USER_EVENTS),
    get("/v1/analytics/users/{userId}/export", Asked::User(UserCall::Export), Admin, "user_export").query(EXPORT),
    delete("/v1/analytics/users/{userId}", Asked::User(UserCall::Erase), Admin, "user_erase").query(&["siteId"]),
    get("/v1/sites", Asked::Admin(AdminCall::ListSites), Admin, "sites").and_post(Asked::Admin(AdminCall::MakeSite)).body(admin::SITE_FIELDS),
    put("/v1/sites/{siteId}", Asked::Admin(AdminCall::ReplaceSite), Admin, "site").body(admin::SITE_FIELDS),
    get("/v1/sites/{siteId}/archives", Asked::Archives(ArchivesCall::Tell), Admin, "archives").and_post(Asked::Archives(ArchivesCall::Change)).and_delete(Asked::Archives(ArchivesCall::Cancel)).body(admin::ARCHIVES_FIELDS),
    get("/v1/sites/{siteId}/keys", Asked::Admin(AdminCall::ListKeys), Admin, "keys").and_post(Asked::Admin(AdminCall::MakeKey)).body(admin::KEY_FIELDS),
    delete("/v1/sites/{siteId}/keys/{keyId}", Asked::Admin(AdminCall::EndKey), Admin, "key").query(&["after"]),
    get("/v1/sites/{siteId}/goals", Asked::Admin(AdminCall::ListGoals), Admin, "site_goals").and_post(Asked::Admin(AdminCall::MakeGoal)).body(query::goals::GOAL_FIELDS),
    put("/v1/sites/{siteId}/goals/{goalId}", Asked::Admin(AdminCall::ReplaceGoal), Admin, "site_goal").and_delete(Asked::Admin(AdminCall::DeleteGoal)).body(query::goals::GOAL_FIELDS),
    get("/v1/sites/{siteId}/links", Asked::Links(LinksCall::List), Admin, "links").and_post(Asked::Links(LinksCall::Make)).body(query::links::LINK_FIELDS),
    delete("/v1/sites/{siteId}/links/{linkId}", Asked::Links(LinksCall::Delete), Admin, "link"),
    get("/v1/dead-letters", Asked::DeadLetters(DeadLetterCall::List), Admin, "dead_letters").without_head().query(&["siteId", "code", "limit", "cursor"]),
    post("/v1/dead-letters/replay", Asked::DeadLetters(DeadLetterCall::Replay), Admin, "replay").body(dead_letter::FIELDS),
    get("/v1/repairs", Asked::DeadLetters(DeadLetterCall::Repairs), Admin, "repairs").without_head().query(repairs::PARAMS),
    post("/v1/rebuild", Asked::Rebuild, Admin, "rebuild").body(rebuild::FIELDS),
    // The dashboard's page takes what its URL says.
    get("/shared/{linkId}", Asked::SharedPage, System, "shared").without_head().of_others(),
    get("/metrics", Asked::Prometheus, System, "metrics"),
    get("/health", Asked::Health, System, "health"),
];

/// The endpoint of a path; none: 404.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.is_at(path))
}

impl Endpoint {
    /// What a method calls; none: it is not allowed. `OPTIONS` is answered for all paths alike.
    pub fn call(&self, method: &str) -> Option<Call> {
        match method {
            "GET" => self.get,
            "HEAD" if self.allow == GET => self.get,
            "POST" => self.post,
            "PUT" => self.put,
            "DELETE" => self.delete,
            _ => None,
        }
    }

    /// Whether events come in here: any page may read its answers.
    pub fn takes_events(&self) -> bool {
        matches!(self.post, Some(Call::Events(_)))
    }

    /// The segment of a path of its own that stands where the table has `{name}`, as it was sent; empty where it has
    /// none of this name.
    pub fn segment<'p>(&self, path: &'p str, name: &str) -> &'p str {
        let is_it = |want: &str| {
            let inside = want
                .strip_prefix('{')
                .and_then(|want| want.strip_suffix('}'));
            inside == Some(name)
        };
        let mut found = self.path.split('/').zip(path.split('/'));
        found
            .find(|(want, _)| is_it(want))
            .map_or("", |(_, segment)| segment)
    }

    /// Takes a `POST`, too.
    const fn and_post(mut self, call: Asked) -> Self {
        self.allow = "GET, POST, OPTIONS";
        self.post = Some(Call::Asked(call));
        self
    }

    /// Takes a `DELETE`, too.
    const fn and_delete(mut self, call: Asked) -> Self {
        self.allow = match self.put {
            Some(_) => "PUT, DELETE, OPTIONS",
            None => "GET, POST, DELETE, OPTIONS",
        };
        self.delete = Some(Call::Asked(call));
        self
    }

    /// Takes no `HEAD`.
    const fn without_head(mut self) -> Self {
        self.allow = "GET, OPTIONS";
        self
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
