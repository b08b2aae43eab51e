//! What a request is named in logs, metrics and events: by its path's pattern, never by what was sent.

use super::find;
use crate::observe::operations::{Kind, Route};

const PREFLIGHT: &str = "preflight";

/// What is no path of ours. Its own text is a stranger's.
const OTHER: Route = Route {
    kind: Kind::System,
    action: "other",
    pattern: "other",
};

/// The route of a request.
pub fn route(method: &str, path: &str) -> Route {
    let found = find(path).map_or(OTHER, |endpoint| Route {
        kind: endpoint.kind,
        action: endpoint.action,
        pattern: endpoint.path,
    });
    if method == "OPTIONS" {
        return Route {
            kind: Kind::System,
            action: PREFLIGHT,
            ..found
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::ENDPOINTS;
    use crate::observe::operations::Background;

    #[test]
    fn no_call_is_named_like_what_runs_by_itself() {
        assert!(Background::is("cron") && !Background::is("events"));
        for endpoint in ENDPOINTS {
            assert!(!Background::is(endpoint.action), "{}", endpoint.action);
        }
    }

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
                "/v1/imports/{importId}/parts/{part}",
            ),
            (
                "/v1/projects/slb_demo_x/settings",
                "sdk_settings",
                "/v1/projects/{writeKey}/settings",
            ),
            ("/sourceConfig/", "sdk_settings", "/sourceConfig/"),
            ("/v1/sites//keys", "other", "other"),
            ("/v1/analytics/metrics/ann@example.com", "other", "other"),
            ("/ann@example.com", "other", "other"),
            ("", "other", "other"),
        ] {
            let found = route("GET", path);
            assert_eq!((found.action, found.pattern), (action, pattern), "{path}");
        }
        assert_eq!(route("OPTIONS", "/v1/events").kind, Kind::System);
    }
}
