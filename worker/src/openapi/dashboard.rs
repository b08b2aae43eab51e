//! The dashboard API.

use serde_json::{Value, json};

use super::ingest::stored_event;
use super::operation::{Operation, READ, date, one_of, operation, read, whole};
use super::query::{by, goal, of_events, step};
use super::shapes::{
    Events, FullHealth, FunnelQuestion, JourneysQuestion, PublicHealth, RetentionQuestion,
};
use crate::http::error::Fault;
use crate::read::{
    breakdown, engagement, features, funnel, journeys, live, outcomes, platform, products,
    reconciliation, retention, summary, vitals,
};

const AT: i64 = 1_705_334_400_000;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![
        live(),
        recent(
            "/v1/analytics/events/recent",
            "recentEvents",
            "The newest stored events",
        )
        .query("userId", json!({"type": "string"}), "Only this user's."),
        recent(
            "/v1/analytics/users/{userId}/events",
            "userEvents",
            "The newest stored events of a user",
        ),
        outcomes(),
        reconciliation(),
        summary(),
    ];
    all.extend(metrics());
    all.extend(questions());
    all.push(health());
    all
}

fn live() -> Operation {
    let example = json!({"asOf": AT, "activeUsers": 2, "minutes": [{"minute": AT, "counts": {"page_view": 3}}],
        "topPages": [{"key": "/", "count": 3}], "topFeatures": [{"key": "search", "count": 1}]});
    read(
        "/v1/analytics/live",
        "live",
        "What happens now, exact, over all shards of the site",
    )
    .answers::<live::Live>(200, "The last 60 minutes.", example)
}

/// What a cursor of stored events looks like.
pub(super) const EVENT_CURSOR: &str =
    "^[0-9]{1,15}\\.[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/// `limit` and `cursor`.
pub(super) fn paged(operation: Operation, default: i64, cursor: &str) -> Operation {
    let mut limit = whole(1, 500);
    limit["default"] = default.into();
    operation
        .query("limit", limit, "Rows of a page.")
        .query(
            "cursor",
            json!({"type": "string", "pattern": cursor}),
            "The `nextCursor` of the page before.",
        )
        .checked("limit")
}

fn recent(path: &'static str, id: &str, summary: &str) -> Operation {
    let operation = read(path, id, summary)
        .query("eventType", json!({"type": "string"}), "Only of this type.")
        .answers::<Events>(
            200,
            "A page of events.",
            json!({"events": [stored_event()], "nextCursor": null}),
        );
    chosen(paged(operation, 50, EVENT_CURSOR))
}

/// What stored events are chosen by.
pub(super) fn chosen(operation: Operation) -> Operation {
    let text = || json!({"type": "string"});
    let date = || json!({"type": "string", "format": "date"});
    operation
        .query("source", text(), "Only of this source.")
        .query("tenantId", text(), "Only of this tenant.")
        .query(
            "startDate",
            date(),
            "Only those that happened on this day (UTC) or later.",
        )
        .query(
            "endDate",
            date(),
            "Only those that happened on this day (UTC) or before.",
        )
}

fn hours(operation: Operation) -> Operation {
    let mut hours = whole(1, 744);
    hours["default"] = 24.into();
    operation
        .query("hours", hours, "Hours, the running one included.")
        .checked("hours")
}

fn outcomes() -> Operation {
    let example = json!({"hours": [{"hour": AT, "counts": {"accepted": 3}}], "totals": {"accepted": 3},
        "received": 3, "approximate": ["rate_limited"]});
    hours(read(
        "/v1/analytics/outcomes",
        "outcomes",
        "How every event ended at the collector, by hour",
    ))
    .answers::<outcomes::Answer>(200, "The ledger.", example)
}

fn reconciliation() -> Operation {
    let example = json!({"hours": [{"hour": AT, "received": 3, "stored": 3, "landed": 2, "deadLettered": 0,
        "pending": 1, "difference": 0}], "closed": true});
    let summary = "Of every hour, what was taken, and where it is now";
    hours(read(
        "/v1/analytics/reconciliation",
        "reconciliation",
        summary,
    ))
    .answers::<reconciliation::Answer>(200, "The hours.", example)
}

fn summary() -> Operation {
    let mut window = whole(1, 10_080);
    window["default"] = 60.into();
    let example = json!({"from": AT, "to": AT + 30_000, "bucketMinutes": 1, "total": 3, "byType": {"page_view": 3},
        "buckets": [{"start": AT, "byType": {"page_view": 3}}]});
    read(
        "/v1/analytics/metrics/summary",
        "summary",
        "Events by type over a window, by receipt",
    )
    .query(
        "windowMinutes",
        window,
        "Whole minutes, the running one included.",
    )
    .query("groupBy", one_of(&["source"]), "`source` adds `bySource`.")
    .checked("windowMinutes")
    .answers::<summary::Answer>(200, "The window in buckets.", example)
}

/// A metric's parameters, and what its answers have in common.
fn metric(operation: Operation, csv: &str) -> Operation {
    operation
        .query(
            "startDate",
            date(),
            "The first day, UTC; without it the last 30 days up to the end.",
        )
        .query(
            "endDate",
            date(),
            "The last day, UTC, included; without it today. At most 366 days.",
        )
        .query(
            "format",
            one_of(&["json", "csv"]),
            "`csv`: the answer's table.",
        )
        .header(
            "If-None-Match",
            json!({"type": "string"}),
            "An `ETag`: 304 where nothing changed.",
        )
        .checked("startDate")
        .answers_of(
            200,
            "The figures.",
            "text/csv",
            json!({"type": "string"}),
            csv.into(),
        )
        .with_header(200, "ETag", "Of the content.")
        .with_header(
            200,
            "Cache-Control",
            "Days that are over may be kept for five minutes.",
        )
        .with_header(
            200,
            "Server-Timing",
            "`d1;desc=\"rows_read=n\"`: how many rows the database read.",
        )
        .answers_nothing(304, "Nothing changed.")
}

fn metrics() -> Vec<Operation> {
    let figures = json!({"activeUsers": 2, "anonymousUsers": 0, "totalUsers": 9, "newSignups24h": 1,
        "dailyActiveUsers": 2, "weeklyActiveUsers": 4, "monthlyActiveUsers": 7, "sessions": 3,
        "averageSessionDuration": 61_000, "featureUsage": {"search": 5},
        "contentCreated": {"total": 1, "byType": {"post": 1}},
        "aiUsage": {"totalRequests": 1, "totalTokens": 120, "totalCost": 0.0042}});
    let with = |base: &Value, key: &str, value: Value| {
        let mut base = base.clone();
        base[key] = value;
        base
    };
    let note = json!("What is left out.");
    let day = with(&figures, "date", json!("2026-01-31"));
    let platform = with(&with(&figures, "note", note.clone()), "days", json!([day]));
    let engaged = json!({"dau": 2, "anonymous": 0, "wau": 4, "mau": 7, "stickiness": 0.2857});
    let day = with(&engaged, "date", json!("2026-01-31"));
    let engagement = with(&with(&engaged, "note", note.clone()), "days", json!([day]));
    let breakdown = metric(
        read(
            "/v1/analytics/metrics/breakdown",
            "breakdown",
            "What events and users have in one dimension",
        ),
        "key,events,users,share\r\n/,3,2,0.75\r\n",
    );
    let page = json!({"type": "string"});
    let text = json!({"type": "string"});
    let by = [breakdown::DIMENSIONS.as_slice(), &breakdown::MORE].concat();
    let of_filters = |operation: Operation| {
        operation
            .query(
                "filters",
                text.clone(),
                "A filter of the query call, as JSON: only these events.",
            )
            .query(
                "range",
                text.clone(),
                "A preset of the query call, or two dates with a comma, in the zone.",
            )
            .query("timeZone", text.clone(), "An IANA zone.")
    };
    let refused = |operation: Operation| {
        let detail =
            "Refused: these figures have no meaning of some events alone; the query call has them.";
        let names = ["filters", "range", "timeZone"];
        names.into_iter().fold(operation, |operation, name| {
            operation.query(name, text.clone(), detail)
        })
    };
    vec![
        refused(metric(read("/v1/analytics/metrics/platform", "platform", "The figures of a range, and of each of its days"),
            "date,activeUsers\r\n2026-01-31,2\r\n"))
            .answers::<platform::Answer>(200, "The figures.", platform),
        metric(read("/v1/analytics/metrics/engagement", "engagement", "How many users come, and how often"),
            "date,dau,anonymous,wau,mau,stickiness\r\n2026-01-31,2,0,4,7,0.2857\r\n")
            .answers::<engagement::Answer>(200, "The figures.", engagement),
        of_filters(metric(read("/v1/analytics/metrics/features", "features", "Which features are used, by how many, for how long"),
            "feature,uses,users,averageDuration\r\nsearch,5,2,\r\n"))
            .answers::<features::Answer>(200, "The figures.",
                json!({"features": [{"feature": "search", "uses": 5, "users": 2, "averageDuration": null}]})),
        metric(read("/v1/analytics/metrics/products", "products", "Domain events by hour, type and status"),
            "hour,eventType,status,events\r\n1705334400000,order.placed,paid,1\r\n")
            .description("At most 31 days.")
            .answers::<products::Answer>(200, "The figures.", json!({"total": 1, "totals": {"order.placed": 1},
                "byStatus": {"order.placed": {"paid": 1}}, "hours": [{"hour": AT, "counts": {"order.placed": 1},
                "byStatus": {"order.placed": {"paid": 1}}}]})),
        paged(breakdown, 100, "^[0-9]{1,15}(\\.|$)")
            .query("by", one_of(&by), "The dimension.")
            .required(json!("page"))
            .query("filters", text.clone(), "A filter of the query call, as JSON: only these events.")
            .query("range", text.clone(), "A preset of the query call, or two dates with a comma, in the zone.")
            .query("timeZone", text.clone(), "An IANA zone.")
            .answers::<breakdown::Answer>(200, "The figures.", json!({"by": "page", "total": 4, "note": note,
                "rows": [{"key": "/", "events": 3, "users": 2, "share": 0.75}], "nextCursor": null})),
        of_filters(metric(read("/v1/analytics/metrics/vitals", "vitals", "Web Vitals: how fast pages were for those who saw them"),
            "name,count,p50,p75,p95,good,needsImprovement,poor\r\nLCP,4,1200,1900.5,4100,3,0,1\r\n"))
            .query("page", page, "Only of this page, by its path.")
            .answers::<vitals::Answer>(200, "The figures.", json!({"vitals": [{"name": "LCP", "count": 4, "p50": 1200,
                "p75": 1900.5, "p95": 4100, "good": 3, "needsImprovement": 0, "poor": 1}], "note": note})),
    ]
}

fn questions() -> Vec<Operation> {
    let question = |path, id: &str, summary: &str| {
        operation("post", path, id, "Dashboard", summary)
            .keys(READ)
            .needs_body()
            .faults(&[
                Fault::malformed("The body must be a JSON object."),
                Fault::UnknownKey,
                Fault::WrongScope,
                Fault::PayloadTooLarge("A question has at most 64 KiB."),
                Fault::QuestionTooLarge(
                    "The question takes more than two seconds of computing. Ask for less.",
                ),
                Fault::Unavailable("The read model cannot be reached right now."),
            ])
            .checked("startDate")
    };
    vec![
        question("/v1/analytics/query/funnel", "funnel", "How many users did these steps, in this order")
            .body::<FunnelQuestion>("application/json",
                json!({"steps": [{"eventType": "page_view", "page": "/"}, {"eventType": "feature_use"}], "windowHours": 24}))
            .also(of_events(json!({"steps": step(), "by": by()})))
            .answers::<funnel::Answer>(200, "The steps.", json!({"windowHours": 24, "order": "sequence",
                "medianMs": 61_000, "steps": [
                {"eventType": "page_view", "page": "/", "users": 4, "conversion": 1.0, "fromPrevious": 1.0},
                {"eventType": "feature_use", "users": 1, "conversion": 0.25, "fromPrevious": 0.25}]})),
        question("/v1/analytics/query/retention", "retention", "Who comes back, by the day or week of their first event")
            .body::<RetentionQuestion>("application/json", json!({"period": "week", "periods": 4}))
            .also(of_events(json!({"goal": goal()})))
            .answers::<retention::Answer>(200, "The cohorts.", json!({"period": "week", "note": "What is left out.",
                "cohorts": [{"date": "2026-01-26", "users": 4, "retained": [4, 1]}]})),
        question("/v1/analytics/query/journeys", "journeys", "The paths that most sessions begin with")
            .body::<JourneysQuestion>("application/json", json!({"depth": 3}))
            .also(of_events(json!({})))
            .answers::<journeys::Answer>(200, "The paths.", json!({"sessions": 4, "paths": [
                {"steps": [["page", "/"], ["feature", "search"]], "sessions": 3, "share": 0.75}]})),
    ]
}

fn health() -> Operation {
    let mut operation = operation(
        "get",
        "/health",
        "health",
        "System",
        "Whether each dependency answers",
    )
    .description("Everybody is told the status; the holder of a read token the rest.")
    .or_nobody()
    .keys(READ);
    let schema = json!({"anyOf": [operation.reference::<FullHealth>(), operation.reference::<PublicHealth>()]});
    operation
        .answers_of(
            200,
            "It works, perhaps degraded.",
            "application/json",
            schema.clone(),
            json!({"status": "healthy"}),
        )
        .answers_of(
            503,
            "Unhealthy.",
            "application/json",
            schema,
            json!({"status": "unhealthy"}),
        )
        .faults(&[Fault::UnknownKey, Fault::WrongScope])
}
