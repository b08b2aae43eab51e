//! Any question: its body is read by hand, so its schema is written by hand, strict enough to make good questions by.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::operation::{Operation, READ, one_of, operation};
use crate::http::error::Fault;
use crate::query::Answer;

/// What is asked, and how the answer is cut.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnyQuestion {
    /// The figures of each row.
    #[schema(min_items = 1, max_items = 20)]
    metrics: Vec<String>,
    /// What the events of a row have in common; without one there is one row.
    #[schema(max_items = 5)]
    dimensions: Option<Vec<String>>,
    /// Which events.
    #[schema(value_type = Option<Vec<Value>>)]
    filters: Option<Value>,
    /// A preset, or the first and the last date, both included; at most 366 days.
    #[schema(value_type = Value)]
    range: Option<Value>,
    /// An IANA zone: days, hours and dates are in it.
    #[schema(min_length = 1, max_length = 64, default = "UTC")]
    time_zone: Option<String>,
    /// Another range whose figures stand beside.
    #[schema(pattern = "^(previous_period|previous_year|matching_weekdays)$")]
    compare: Option<String>,
    /// Columns of the answer, each with `asc` or `desc`.
    #[schema(value_type = Option<Vec<Value>>)]
    order_by: Option<Value>,
    /// Rows of a page; 10,000 by default where time is the first dimension.
    #[schema(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    #[schema(pattern = "^[0-9]{1,9}$")]
    cursor: Option<String>,
}

const METRICS: &str = "users|events|count|views|sessions|bounceRate|viewsPerSession|sessionDuration|engagedTime|scrollDepth";

/// What can be grouped and filtered by.
const DIMENSIONS: &str = "eventType|source|country|region|browser|os|device|platform|page|entryPage|exitPage|referrer|\
    utm_source|utm_medium|utm_campaign|utm_term|utm_content|feature|error|outbound|download|custom|hour_of_day|\
    day_of_week|entry_page|exit_page";

const PROPERTY: &str = r"data\.[A-Za-z0-9_.]{1,90}";

/// The schema `QueryFilter`, three deep: what makes questions of a schema that names itself does not come to an end.
pub(super) fn filter() -> Value {
    let tuple = |items: Value, description: &str| {
        let n = items.as_array().unwrap().len();
        json!({"type": "array", "prefixItems": items, "minItems": n, "maxItems": n, "description": description})
    };
    let dimension = json!({"type": "string", "pattern": format!("^({DIMENSIONS}|{PROPERTY})$")});
    let numbers =
        json!({"type": "string", "pattern": format!("^(hour_of_day|day_of_week|{PROPERTY})$")});
    let text = json!({"type": ["string", "number", "boolean"]});
    let texts =
        json!({"anyOf": [text, {"type": "array", "items": text, "minItems": 1, "maxItems": 100}]});
    let tests = ["is", "is_not", "contains", "not_contains", "starts_with"];
    let test = tuple(
        json!([one_of(&tests), dimension, texts]),
        "Any of the values.",
    );
    let simple = vec![
        test.clone(),
        tuple(
            json!([one_of(&["gt", "gte", "lt", "lte"]), numbers, {"type": "number"}]),
            "Numbers alone.",
        ),
        tuple(json!([one_of(&["exists"]), dimension]), "There is a value."),
        tuple(
            json!([one_of(&["did", "did_not"]), test]),
            "Events of users who did in the range what the inner filter says, which has no did of its own.",
        ),
    ];
    let made_of = |inner: &[Value]| {
        let inner = json!({"anyOf": inner});
        vec![
            json!({"type": "array", "prefixItems": [one_of(&["and", "or"])], "items": inner, "minItems": 1,
                "maxItems": 4, "description": "All, or any, of some."}),
            tuple(json!([one_of(&["not"]), inner]), "What does not pass."),
        ]
    };
    let two_deep = [simple.clone(), made_of(&simple)].concat();
    let filters = [simple, made_of(&two_deep)].concat();
    json!({"description": "At most 50 nodes, nested 16 deep; here three.", "anyOf": filters})
}

fn body() -> Value {
    let list = |pattern: String| json!({"uniqueItems": true, "items": {"type": "string", "pattern": pattern}});
    let preset = one_of(&[
        "today",
        "yesterday",
        "24h",
        "7d",
        "28d",
        "30d",
        "90d",
        "month",
        "last_month",
        "year",
        "12mo",
    ]);
    let date = json!({"type": "string", "format": "date"});
    json!({"properties": {
        "metrics": list(format!(r"^({METRICS}|(sum|avg|min|max|count|p[1-9][0-9]?)\({PROPERTY}\))$")),
        "dimensions": list(format!("^(time:(minute|hour|day|week|month)|{DIMENSIONS}|{PROPERTY})$")),
        "filters": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/QueryFilter"}]},
        "range": {"anyOf": [{"type": "null"}, preset,
            {"type": "array", "items": date, "minItems": 2, "maxItems": 2}]},
        "orderBy": {"maxItems": 20, "items": {"type": "array", "minItems": 2, "maxItems": 2,
            "prefixItems": [{"type": "string"}, one_of(&["asc", "desc"])]}},
    }})
}

pub(super) fn query() -> Operation {
    operation(
        "post",
        "/v1/analytics/query",
        "query",
        "Dashboard",
        "Any question: metrics by dimensions, of the events that pass filters",
    )
    .keys(READ)
    .query("format", one_of(&["json", "csv"]), "`csv`: the answer's rows.")
    .needs_body()
    .body::<AnyQuestion>(
        "application/json",
        json!({"metrics": ["users", "views"], "dimensions": ["page"], "filters": ["is", "country", ["DE", "AT"]],
            "range": "7d", "timeZone": "Europe/Berlin", "compare": "previous_period", "orderBy": [["users", "desc"]],
            "limit": 100, "cursor": null}),
    )
    .also(body())
    .answers::<Answer>(
        200,
        "A page of rows, and the totals.",
        json!({"rows": [{"dimensions": ["/"], "metrics": [2, 3], "compared": [1, 1]}], "totals": [2, 3],
            "meta": {"from": 1_705_273_200_000_i64, "to": 1_705_878_000_000_i64, "timeZone": "Europe/Berlin",
                "coveredFrom": 1_705_273_200_000_i64, "scannedEvents": 3, "source": "scan",
                "compared": [1_704_668_400_000_i64, 1_705_273_200_000_i64]}, "nextCursor": null}),
    )
    .answers_of(
        200,
        "A page of rows, and the totals.",
        "text/csv",
        json!({"type": "string"}),
        "page,users,views\r\n/,2,3\r\n".into(),
    )
    .faults(&[
        Fault::malformed("The body must be a JSON object."),
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::PayloadTooLarge("A question has at most 64 KiB."),
        Fault::QuestionTooLarge("The answer has more than 100,000 rows. Ask for fewer dimensions."),
        Fault::Unavailable("The archive cannot be reached right now."),
    ])
    .checked("metrics[0]")
}
