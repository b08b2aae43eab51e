//! How Shoreline itself is doing.

use serde_json::{Value, json};

use super::operation::{Operation, admin, one_of, read, whole};
use crate::read::operations;

pub(super) fn operations() -> Vec<Operation> {
    vec![calls(), metrics()]
}

fn calls() -> Operation {
    let mut window = whole(1, 10_080);
    window["default"] = 60.into();
    let figures = json!({"calls": 3, "callsPerMinute": 0.05, "errors": 0, "serverErrors": 0, "errorRate": 0.0,
        "p50": 1.5, "p95": 2.0});
    let hour = 1_705_334_400_000_i64;
    let example: Value = json!({"from": hour, "to": hour + 3_599_000, "total": figures, "actions": {"events": figures},
        "hours": [{"hour": hour, "actions": {"events": figures}}]});
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
