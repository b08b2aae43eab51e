//! Bodies, good ones and others.

use proptest::prelude::*;

use super::*;

#[test]
fn a_site_s_zone_is_that_of_questions_which_name_none() {
    for (body, want) in [
        (json!({}), json!("Europe/Berlin")),
        (json!({"timeZone": null}), json!("Europe/Berlin")),
        (json!({"timeZone": "UTC"}), json!("UTC")),
    ] {
        let mut body = body.as_object().unwrap().clone();
        let named = want == json!("UTC");
        assert_eq!(
            crate::query::put_zone(&mut body, Some("Europe/Berlin")),
            !named
        );
        assert_eq!(body["timeZone"], want);
        let before = body.clone();
        assert!(!crate::query::put_zone(&mut body, None));
        assert_eq!(body, before);
    }
}

/// The code and the field that a body is refused with.
fn refused(body: &Value) -> (u16, String) {
    let fault = Question::parse(body.to_string().as_bytes()).unwrap_err();
    let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
    assert_eq!(problem["code"], "invalid_parameter", "{body}");
    (
        fault.status(),
        problem["field"].as_str().unwrap().to_owned(),
    )
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"metrics": ["users"]});
    body[field] = value;
    body
}

/// As many filters beside each other.
fn or(n: usize) -> Value {
    json!([vec![json!("or")], vec![json!(["is", "page", "/"]); n]].concat())
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let nested = (0..17).fold(json!(["is", "page", "/"]), |inner, _| json!(["not", inner]));
    let many = or(50);
    for (field, value, want) in [
        ("metrics", json!([]), "metrics"),
        ("metrics", json!("users"), "metrics"),
        ("metrics", Value::Null, "metrics"),
        ("metrics", json!(["users", "visitors"]), "metrics[1]"),
        ("metrics", json!(["users", "users"]), "metrics[1]"),
        ("metrics", json!(["sum(page)"]), "metrics[0]"),
        ("metrics", json!(["sum(data.)"]), "metrics[0]"),
        ("metrics", json!(["p0(data.x)"]), "metrics[0]"),
        ("metrics", json!(["p100(data.x)"]), "metrics[0]"),
        ("metrics", json!(["p+5(data.x)"]), "metrics[0]"),
        ("metrics", json!(["revenue(eur)"]), "metrics[0]"),
        ("metrics", json!(["revenue(EURO)"]), "metrics[0]"),
        ("goal", json!("no goal of the site"), "goal"),
        ("goal", json!(["is", "planet", "Mars"]), "goal[1]"),
        ("metrics", json!(["conversionRate"]), "metrics[0]"),
        (
            "metrics",
            json!(
                (0..21)
                    .map(|n| format!("sum(data.x{n})"))
                    .collect::<Vec<_>>()
            ),
            "metrics",
        ),
        ("dimensions", json!(["page", "planet"]), "dimensions[1]"),
        ("dimensions", json!(["time:decade"]), "dimensions[0]"),
        ("dimensions", json!([7]), "dimensions[0]"),
        (
            "dimensions",
            json!(["os", "page", "device", "country", "browser", "region"]),
            "dimensions",
        ),
        ("filters", json!("page"), "filters"),
        ("filters", json!([["is", "page", "/"]]), "filters"),
        ("filters", json!(["equals", "page", "/"]), "filters[0]"),
        ("filters", json!(["is", "planet", "/"]), "filters[1]"),
        (
            "filters",
            json!(["is", "time:day", "2024-01-01"]),
            "filters[1]",
        ),
        ("filters", json!(["is", "page"]), "filters[2]"),
        ("filters", json!(["is", "page", []]), "filters[2]"),
        ("filters", json!(["is", "page", {"x": 1}]), "filters[2]"),
        ("filters", json!(["is", "page", "/", "/"]), "filters[2]"),
        ("filters", json!(["gt", "page", 1]), "filters[1]"),
        ("filters", json!(["gt", "data.x", "1"]), "filters[2]"),
        ("filters", json!(["gt", "data.x", [1, 2]]), "filters[2]"),
        ("filters", json!(["exists", "page", "/"]), "filters[2]"),
        (
            "filters",
            json!(["and", [["is", "page", "/"]]]),
            "filters[1]",
        ),
        (
            "filters",
            json!(["and", ["is", "page", "/"], ["not", ["is", "x", "/"]]]),
            "filters[2][1][1]",
        ),
        ("filters", json!(["not"]), "filters"),
        (
            "filters",
            json!(["is", "page", vec!["/"; 101]]),
            "filters[2]",
        ),
        (
            "orderBy",
            json!(vec![json!(["users", "asc"]); 21]),
            "orderBy",
        ),
        (
            "filters",
            json!(["did", ["not", ["did", ["exists", "page"]]]]),
            "filters[1][1]",
        ),
        ("filters", nested, "filters"),
        ("filters", many, "filters"),
        ("range", json!("8d"), "range"),
        ("range", json!(["2024-01-01"]), "range"),
        ("range", json!(["2024-01-01", "2024-02-30"]), "range[1]"),
        ("range", json!(["2024-01-02", "2024-01-01"]), "range[0]"),
        ("range", json!(["2023-01-01", "2024-01-02"]), "range"),
        ("timeZone", json!(""), "timeZone"),
        ("timeZone", json!(1), "timeZone"),
        ("timeZone", json!("x".repeat(65)), "timeZone"),
        ("compare", json!("last_week"), "compare"),
        ("orderBy", json!("users"), "orderBy"),
        ("orderBy", json!([["users"]]), "orderBy[0]"),
        ("orderBy", json!([["events", "desc"]]), "orderBy[0]"),
        ("orderBy", json!([["users", "down"]]), "orderBy[0]"),
        ("limit", json!(0), "limit"),
        ("limit", json!(10_001), "limit"),
        ("limit", json!("7"), "limit"),
        ("cursor", json!("-1"), "cursor"),
        ("cursor", json!("1e3"), "cursor"),
        ("cursor", json!(7), "cursor"),
        ("country", json!("DE"), "country"),
    ] {
        assert_eq!(
            refused(&with(field, value.clone())),
            (400, want.to_owned()),
            "{value}"
        );
    }
    for malformed in ["", "[]", "7", "{", "{\"metrics\":[\"users\"]}x"] {
        let fault = Question::parse(malformed.as_bytes()).unwrap_err();
        assert_eq!(fault.code(), "malformed_json", "{malformed}");
    }
    let long = format!("{{\"metrics\":[\"{}\"]}}", "x".repeat(70_000));
    assert_eq!(Question::parse(long.as_bytes()).unwrap_err().status(), 413);
}

#[test]
fn a_zone_that_the_platform_does_not_know_is_named() {
    let question = Question::parse(br#"{"metrics":["users"],"timeZone":"Mars/Olympus"}"#).unwrap();
    let fault = Asked::new(question, None, NOW).unwrap_err();
    let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
    assert_eq!(
        (fault.status(), &problem["field"]),
        (400, &json!("timeZone"))
    );
}

#[test]
fn as_deep_and_wide_as_it_may_be_is_taken() {
    let nested = (0..15).fold(json!(["is", "page", "/"]), |inner, _| json!(["not", inner]));
    let many = or(49);
    for filter in [nested, many, json!([]), json!(["and"]), Value::Null] {
        Question::parse(with("filters", filter).to_string().as_bytes()).unwrap();
    }
}

/// JSON of words that questions are made of.
fn words() -> impl Strategy<Value = Value> {
    let words = [
        "and",
        "or",
        "not",
        "did",
        "is",
        "gt",
        "exists",
        "page",
        "data.x",
        "entryPage",
        "time:day",
        "users",
        "sum(data.x)",
        "desc",
        "(",
        ".*",
        "2024-01-15",
        "7d",
    ];
    let leaf = prop_oneof![
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        ".{0,9}".prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 30, 5, |inner| {
        prop::collection::vec(inner, 0..5).prop_map(Value::from)
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_is_refused_or_answered(
        metrics in words(), dimensions in words(), filters in words(), range in words(), order in words(),
    ) {
        let body = json!({"metrics": ["users", metrics], "dimensions": dimensions, "filters": filters,
            "range": range, "orderBy": order});
        let sql = archived(&some_events(9), 4);
        for field in ["", "metrics", "dimensions", "filters", "range", "orderBy"] {
            let mut body = body.clone();
            // One field alone is odd, too: else nearly nothing is answered.
            if !field.is_empty() {
                let odd = body[field].clone();
                body = json!({"metrics": ["users"]});
                body[field] = odd;
            }
            match ask_in(std::slice::from_ref(&sql), &body, Vec::new(), 0) {
                Ok(answer) => prop_assert!(answer["rows"].is_array()),
                Err(fault) => prop_assert_eq!(fault.status(), 400),
            }
        }
    }
}
