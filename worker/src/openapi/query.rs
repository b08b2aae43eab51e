//! Any question: its body is read by hand, so its schema is written by hand, strict enough to make good questions by.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::operation::{Operation, READ, date, one_of, operation};
use crate::http::error::Fault;
use crate::query::{Answer, Panels, PropertiesAnswer};

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
    /// Which of them are conversions: the name or the id of a goal of the site, or a filter.
    #[schema(value_type = Value, required = false)]
    goal: Option<Value>,
    /// A preset, or the first and the last date, both included; at most 366 days.
    #[schema(value_type = Value, required = false)]
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

const METRICS: &str = "users|events|count|views|sessions|bounceRate|viewsPerSession|sessionDuration|engagedTime|scrollDepth|\
    revenue|errorRate";

/// A question among several about the same events.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Panel {
    /// The figures of each row.
    #[schema(min_items = 1, max_items = 20)]
    metrics: Vec<String>,
    /// What the events of a row have in common.
    #[schema(max_items = 5)]
    dimensions: Option<Vec<String>>,
    /// Which of the events.
    #[schema(value_type = Option<Vec<Value>>)]
    filters: Option<Value>,
    /// Which of them are conversions.
    #[schema(value_type = Value, required = false)]
    goal: Option<Value>,
    /// Columns of the answer, each with `asc` or `desc`.
    #[schema(value_type = Option<Vec<Value>>)]
    order_by: Option<Value>,
    /// Rows of a page.
    #[schema(minimum = 1, maximum = 10_000, default = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    #[schema(pattern = "^[0-9]{1,9}$")]
    cursor: Option<String>,
}

/// Several questions about the same events.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct ManyQuestions {
    /// The questions.
    panels: Vec<Panel>,
    /// Which events all of them are about.
    #[schema(value_type = Option<Vec<Value>>)]
    filters: Option<Value>,
    /// A preset, or the first and the last date, both included.
    #[schema(value_type = Value, required = false)]
    range: Option<Value>,
    /// An IANA zone.
    #[schema(min_length = 1, max_length = 64, default = "UTC")]
    time_zone: Option<String>,
    /// Another range whose figures stand beside.
    #[schema(pattern = "^(previous_period|previous_year|matching_weekdays)$")]
    compare: Option<String>,
}

/// What can be grouped and filtered by.
const DIMENSIONS: &str = "eventType|source|tenantId|country|region|browser|os|device|platform|page|entryPage|exitPage|referrer|\
    utm_source|utm_medium|utm_campaign|utm_term|utm_content|feature|error|outbound|download|form|custom|hour_of_day|\
    day_of_week|entry_page|exit_page|channel|referrerSource|referrer_source|currency|action|\
    category|status|errorType|duration";

const PROPERTY: &str = r"data\.[A-Za-z0-9_.]{1,90}";

/// The schema `QueryFilter`, three deep: what makes questions of a schema that names itself does not come to an end.
pub(super) fn filter() -> Value {
    let tuple = |items: Value, description: &str| {
        let n = items.as_array().unwrap().len();
        json!({"type": "array", "prefixItems": items, "minItems": n, "maxItems": n, "description": description})
    };
    let dimension = json!({"type": "string", "pattern": format!("^({DIMENSIONS}|{PROPERTY})$")});
    let numbers = json!({"type": "string", "pattern": format!("^(hour_of_day|day_of_week|duration|{PROPERTY})$")});
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

/// The properties of a question that stands alone or among others.
fn of_one() -> Value {
    let list = |pattern: String| json!({"uniqueItems": true, "items": {"type": "string", "pattern": pattern}});
    let filters = json!({"anyOf": [{"type": "null"}, {"type": "array", "maxItems": 0}, {"$ref": "#/components/schemas/QueryFilter"}]});
    let conversions = "conversions|converted|conversionRate";
    let of_property = format!(r"(sum|avg|min|max|count|p[1-9][0-9]?)\((duration|{PROPERTY})\)");
    json!({
        "metrics": list(format!(r"^({METRICS}|{conversions}|revenue\([A-Z]{{3}}\)|{of_property})$")),
        "dimensions": list(format!("^(time:(minute|hour|day|week|month)|{DIMENSIONS}|{PROPERTY})$")),
        "filters": filters,
        "goal": {"anyOf": [{"type": ["null", "string"]}, {"$ref": "#/components/schemas/QueryFilter"}]},
        "orderBy": {"maxItems": 20, "items": {"type": "array", "minItems": 2, "maxItems": 2,
            "prefixItems": [{"type": "string"}, one_of(&["asc", "desc"])]}},
    })
}

fn range() -> Value {
    let preset = one_of(&[
        "today",
        "yesterday",
        "1h",
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
    json!({"anyOf": [{"type": "null"}, preset, {"type": "array", "items": date, "minItems": 2, "maxItems": 2}]})
}

fn body() -> Value {
    let mut properties = of_one();
    properties["range"] = range();
    json!({"properties": properties})
}

fn panels_body() -> Value {
    let panel = json!({"allOf": [{"$ref": "#/components/schemas/Panel"}], "properties": of_one()});
    json!({"properties": {
        "panels": {"minItems": 1, "maxItems": 20, "items": panel},
        "filters": of_one()["filters"],
        "range": range(),
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
    .faults(&faults())
    .checked("metrics[0]")
}

fn faults() -> [Fault; 6] {
    [
        Fault::malformed("The body must be a JSON object."),
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::PayloadTooLarge("A question has at most 64 KiB."),
        Fault::QuestionTooLarge("The answer has more than 100,000 rows. Ask for fewer dimensions."),
        Fault::Unavailable("The archive cannot be reached right now."),
    ]
}

/// What stands beside the schema of a question with a body of its own form.
pub(super) fn of_events(more: Value) -> Value {
    let mut properties = json!({"filters": of_one()["filters"], "range": range()});
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    json!({"properties": properties})
}

/// A step of a funnel.
pub(super) fn step() -> Value {
    let text = json!({"type": ["string", "null"]});
    json!({"items": {"anyOf": [
        {"type": "object", "properties": {"eventType": {"type": "string"}, "page": text, "feature": text,
            "goal": {"type": "null"}}, "required": ["eventType"]},
        {"$ref": "#/components/schemas/QueryFilter"},
    ]}})
}

/// What users are told apart by.
pub(super) fn by() -> Value {
    json!({"type": ["string", "null"], "pattern": format!("^({DIMENSIONS}|{PROPERTY})$")})
}

/// What cohorts are of.
pub(super) fn goal() -> Value {
    of_one()["goal"].clone()
}

/// Which properties events have.
pub(super) fn properties() -> Operation {
    let text = || json!({"type": "string"});
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 5_000, "default": 500});
    operation(
        "get",
        "/v1/analytics/properties",
        "properties",
        "Dashboard",
        "Which properties events have, and of which types",
    )
    .keys(READ)
    .query("eventType", text(), "Of events of this type alone.")
    .query("startDate", date(), "The first day, UTC; without it the last 30 days up to the end.")
    .query("endDate", date(), "The last day, UTC, included; without it today. At most 366 days.")
    .query("range", text(), "A preset of the query call, or two dates with a comma, in the zone.")
    .query("timeZone", text(), "An IANA zone.")
    .query("limit", limit, "Properties at most, of the events that there are most of first.")
    .answers::<PropertiesAnswer>(
        200,
        "The events with their properties.",
        json!({"events": [{"eventType": "custom", "event": "purchase", "events": 3, "properties": [
            {"name": "revenue.amount", "texts": 1, "numbers": 2, "booleans": 0}]}], "otherProperties": 0,
            "meta": {"from": 1_705_273_200_000_i64, "to": 1_705_878_000_000_i64, "timeZone": "UTC",
                "coveredFrom": 1_705_273_200_000_i64}}),
    )
    .faults(&[
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::QuestionTooLarge("The answer has more than 100,000 rows. Ask for fewer dimensions."),
        Fault::Unavailable("The archive cannot be reached right now."),
    ])
    .checked("startDate")
}

/// Several questions, answered by one scan.
pub(super) fn panels() -> Operation {
    operation(
        "post",
        "/v1/analytics/query/panels",
        "panels",
        "Dashboard",
        "Several questions about the same events, answered by one scan",
    )
    .keys(READ)
    .needs_body()
    .body::<ManyQuestions>(
        "application/json",
        json!({"range": "7d", "filters": ["is", "country", "DE"],
            "panels": [{"metrics": ["users"]}, {"metrics": ["users"], "dimensions": ["page"], "limit": 10}]}),
    )
    .also(panels_body())
    .answers::<Panels>(
        200,
        "The answers, in the order of the questions.",
        json!({"panels": [{"rows": [{"dimensions": [], "metrics": [2]}], "totals": [2],
            "meta": {"from": 1_705_273_200_000_i64, "to": 1_705_878_000_000_i64, "timeZone": "UTC",
                "coveredFrom": 1_705_273_200_000_i64, "scannedEvents": 3, "source": "scan"}, "nextCursor": null}]}),
    )
    .faults(&faults())
    .checked("panels[0].metrics[0]")
}
