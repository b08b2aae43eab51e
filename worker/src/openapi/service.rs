//! The live stream, and how Shoreline itself is doing.

use serde_json::{Value, json};

use super::operation::{Operation, READ, admin, one_of, operation, read, whole};
use crate::http::error::Fault;
use crate::read::operations;

pub(super) fn operations() -> Vec<Operation> {
    vec![ticket(), stream(), calls(), metrics()]
}

const TICKET: &str = "slt_shop_abcdefghijklmnopqrstuvwxyz0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn ticket() -> Operation {
    operation(
        "post",
        "/v1/analytics/live/ticket",
        "liveTicket",
        "Dashboard",
        "A ticket for one live stream, within a minute",
    )
    .keys(READ)
    .faults(&[Fault::UnknownKey, Fault::WrongScope])
    .faults(&[Fault::Unavailable(
        "The live stream cannot be reached right now.",
    )])
    .answers_of(
        201,
        "The ticket.",
        "application/json",
        json!({"type": "object", "required": ["ticket", "expiresAt"], "properties": {
            "ticket": {"type": "string"}, "expiresAt": {"type": "integer", "format": "int64"}}}),
        json!({"ticket": TICKET, "expiresAt": 1_705_334_460_000_i64}),
    )
}

fn stream() -> Operation {
    operation(
        "get",
        "/v1/analytics/live/stream",
        "liveStream",
        "Dashboard",
        "What happens now, as it happens: a WebSocket",
    )
    .description(
        "Frames are `{type: \"state\" | \"delta\", seq, data}`, at most one a second: docs/API.md.",
    )
    .query("ticket", json!({"type": "string"}), "From `liveTicket`.")
    .answers_nothing(101, "The stream.")
    .faults(&[
        Fault::InvalidTicket,
        Fault::UpgradeRequired,
        Fault::TooManyStreams,
        Fault::RateLimited { retry_after_s: 30 },
        Fault::Unavailable("The live stream cannot be reached right now."),
    ])
}

fn calls() -> Operation {
    let mut window = whole(1, 10_080);
    window["default"] = 60.into();
    let figures = json!({"calls": 3, "callsPerMinute": 0.05, "errors": 0, "serverErrors": 0, "errorRate": 0.0,
        "p50": 1.5, "p95": 2.0});
    let hour = 1_705_334_400_000_i64;
    let example: Value = json!({"from": hour, "to": hour + 3_599_000, "total": figures, "actions": {"events": figures},
        "background": {"fold": figures}, "hours": [{"hour": hour, "actions": {"events": figures}}]});
    let csv = "hour,action,calls,callsPerMinute,errors,serverErrors,errorRate,p50,p95\r\n";
    read(
        "/v1/analytics/operations",
        "operations",
        "The calls that were made with the site's keys: rate, errors, durations",
    )
    .query(
        "windowMinutes",
        window,
        "Whole minutes, the running one included.",
    )
    .query(
        "format",
        one_of(&["json", "csv"]),
        "`csv`: a line for each hour and action.",
    )
    .checked("windowMinutes")
    .answers::<operations::Answer>(200, "The calls.", example)
    .answers_of(
        200,
        "The calls.",
        "text/csv",
        json!({"type": "string"}),
        csv.into(),
    )
}

fn metrics() -> Operation {
    let example =
        "# TYPE shoreline_database_size_bytes gauge\nshoreline_database_size_bytes 4096\n";
    admin(
        "get",
        "/metrics",
        "prometheusMetrics",
        "Shoreline's own metrics, for a scraper",
    )
    .answers_of(
        200,
        "Prometheus' text format, version 0.0.4.",
        "text/plain",
        json!({"type": "string"}),
        example.into(),
    )
}
