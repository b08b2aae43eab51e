//! Which call a request makes, by its path's pattern: names of a fixed list, never what was sent.

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It brings events.
    Ingest,
    /// It asks about events.
    Query,
    /// It makes, fills or asks for an import.
    Import,
    /// It is for the holder of the admin token.
    Admin,
    /// It keeps the service going: health checks, settings, preflights, and what is no path of ours.
    /// It has its line in the log and makes no event.
    System,
}

/// A path as a pattern, and what a call of it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub action: &'static str,
    /// The path, with `{…}` where it varies.
    pub pattern: &'static str,
}

const fn route(kind: Kind, action: &'static str, pattern: &'static str) -> Route {
    Route {
        kind,
        action,
        pattern,
    }
}

use Kind::{Admin, Import, Ingest, Query, System};

/// Every path. The first that fits is taken.
const ROUTES: [Route; 52] = [
    route(Ingest, "events", "/v1/events"),
    route(Ingest, "ingest", "/v1/ingest"),
    route(Ingest, "plausible", "/api/event"),
    route(Ingest, "segment", "/v1/batch"),
    route(Ingest, "segment", "/v1/track"),
    route(Ingest, "segment", "/v1/page"),
    route(Ingest, "segment", "/v1/screen"),
    route(Ingest, "segment", "/v1/identify"),
    route(Ingest, "segment", "/v1/group"),
    route(Ingest, "segment", "/v1/alias"),
    route(Ingest, "segment", "/v1/b"),
    route(Ingest, "segment", "/v1/t"),
    route(Ingest, "segment", "/v1/p"),
    route(Ingest, "segment", "/v1/s"),
    route(Ingest, "segment", "/v1/i"),
    route(Ingest, "segment", "/v1/g"),
    route(Ingest, "segment", "/v1/a"),
    route(Ingest, "segment", "/beacon/v1/batch"),
    route(Query, "live", "/v1/analytics/live"),
    route(Query, "live_ticket", "/v1/analytics/live/ticket"),
    route(Query, "live_stream", "/v1/analytics/live/stream"),
    route(Query, "recent", "/v1/analytics/events/recent"),
    route(Query, "outcomes", "/v1/analytics/outcomes"),
    route(Query, "reconciliation", "/v1/analytics/reconciliation"),
    route(Query, "operations", "/v1/analytics/operations"),
    route(Query, "summary", "/v1/analytics/metrics/summary"),
    route(Query, "platform", "/v1/analytics/metrics/platform"),
    route(Query, "features", "/v1/analytics/metrics/features"),
    route(Query, "engagement", "/v1/analytics/metrics/engagement"),
    route(Query, "products", "/v1/analytics/metrics/products"),
    route(Query, "breakdown", "/v1/analytics/metrics/breakdown"),
    route(Query, "funnel", "/v1/analytics/query/funnel"),
    route(Query, "retention", "/v1/analytics/query/retention"),
    route(Query, "journeys", "/v1/analytics/query/journeys"),
    route(Query, "user_events", "/v1/analytics/users/{userId}/events"),
    route(Admin, "user_export", "/v1/analytics/users/{userId}/export"),
    route(Admin, "user_erase", "/v1/analytics/users/{userId}"),
    route(Import, "imports", "/v1/imports"),
    route(Import, "import_complete", "/v1/imports/{id}/complete"),
    route(Import, "import_part", "/v1/imports/{id}/parts/{n}"),
    route(Import, "import", "/v1/imports/{id}"),
    route(Admin, "dead_letters", "/v1/dead-letters"),
    route(Admin, "replay", "/v1/dead-letters/replay"),
    route(Admin, "rebuild", "/v1/rebuild"),
    route(Admin, "sites", "/v1/sites"),
    route(Admin, "site", "/v1/sites/{id}"),
    route(Admin, "keys", "/v1/sites/{id}/keys"),
    route(Admin, "key", "/v1/sites/{id}/keys/{keyId}"),
    route(System, "health", "/health"),
    route(System, "metrics", "/metrics"),
    route(System, "openapi", "/openapi.json"),
    route(System, "sdk_settings", "/sourceConfig"),
];

/// The write key is in the path of this one.
const PROJECT: Route = route(System, "sdk_settings", "/v1/projects/{key}/settings");

const PREFLIGHT: &str = "preflight";

/// What is no path of ours. Its own text is a stranger's.
const OTHER: Route = route(System, "other", "other");

impl Route {
    /// The route of a request.
    pub fn of(method: &str, path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let found = ROUTES
            .into_iter()
            .chain([PROJECT])
            .find(|route| fits(route.pattern, path))
            .unwrap_or(OTHER);
        if method == "OPTIONS" {
            return Self {
                kind: System,
                action: PREFLIGHT,
                ..found
            };
        }
        found
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(want), Some(is)) if want == is => {}
            (Some(want), Some(is)) if want.starts_with('{') && !is.is_empty() => {}
            _ => return false,
        }
    }
}

/// The method's name; one that HTTP does not know is a stranger's text too.
pub fn method_name(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::SegmentCall;
    use crate::sdk_settings::SdkSettings;

    #[test]
    fn a_path_is_told_by_its_pattern() {
        for (path, action, pattern) in [
            ("/v1/events", "events", "/v1/events"),
            (
                "/v1/analytics/users/ann%40example.com/events",
                "user_events",
                "/v1/analytics/users/{userId}/events",
            ),
            (
                "/v1/analytics/users/ann",
                "user_erase",
                "/v1/analytics/users/{userId}",
            ),
            (
                "/v1/imports/0198/parts/7",
                "import_part",
                "/v1/imports/{id}/parts/{n}",
            ),
            (
                "/v1/projects/slb_demo_x/settings",
                "sdk_settings",
                "/v1/projects/{key}/settings",
            ),
            ("/sourceConfig/", "sdk_settings", "/sourceConfig"),
            ("/v1/sites//keys", "other", "other"),
            ("/v1/analytics/metrics/ann@example.com", "other", "other"),
            ("/ann@example.com", "other", "other"),
            ("", "other", "other"),
        ] {
            let route = Route::of("GET", path);
            assert_eq!((route.action, route.pattern), (action, pattern), "{path}");
        }
        assert_eq!(Route::of("OPTIONS", "/v1/events").kind, Kind::System);
        assert_eq!(method_name("PUT"), "PUT");
        assert_eq!(method_name("ann@example.com"), "OTHER");
    }

    #[test]
    fn every_path_that_the_worker_knows_has_a_route() {
        let sources = [
            include_str!("../shell/http_worker.rs"),
            include_str!("../shell/ingest_worker.rs"),
            include_str!("../shell/metrics_worker.rs"),
        ];
        let literals = sources
            .iter()
            .flat_map(|text| text.split('"').skip(1).step_by(2));
        for path in literals.filter(|text| text.starts_with('/') && !text.ends_with('/')) {
            assert_ne!(Route::of("GET", path), OTHER, "{path} has no route");
        }
        for route in ROUTES {
            let path = route.pattern;
            let is_segment = SegmentCall::from_path(path).is_some();
            assert_eq!(is_segment, route.action == "segment", "{path}");
            let is_settings = SdkSettings::of(path).is_some();
            assert_eq!(is_settings, route.action == "sdk_settings", "{path}");
            assert_eq!(Route::of("GET", path), route, "{path} is met by another");
        }
    }
}
