//! Answers are what a plain count says, whatever the segments and shards; what should add up does.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::model::{Model, rows_of};
use super::*;

const METRICS: [&str; 21] = [
    "conversions",
    "converted",
    "conversionRate",
    "revenue(EUR)",
    "revenue(USD)",
    "users",
    "events",
    "views",
    "sessions",
    "bounceRate",
    "viewsPerSession",
    "sessionDuration",
    "engagedTime",
    "sum(data.amount)",
    "avg(data.amount)",
    "min(data.amount)",
    "max(data.amount)",
    "count(data.amount)",
    "p50(data.amount)",
    "p95(data.plan.size)",
    "sum(data.engagedMs)",
];

const DIMENSIONS: [&str; 17] = [
    "channel",
    "referrer_source",
    "currency",
    "page",
    "country",
    "eventType",
    "feature",
    "entryPage",
    "exitPage",
    "hour_of_day",
    "day_of_week",
    "time:day",
    "time:month",
    "data.plan.size",
    "data.on",
    "data.note",
    "data.amount",
];

fn leaf() -> impl Strategy<Value = Value> {
    let texts = [
        json!(["is", "page", "/1"]),
        json!(["is_not", "page", ["/1", "/2"]]),
        json!(["contains", "eventType", ["page", "cust"]]),
        json!(["not_contains", "data.note", "1"]),
        json!(["starts_with", "data.note", ["note 2", "xx"]]),
        json!(["is", "country", ["DE"]]),
        json!(["is", "eventType", "custom"]),
        json!(["is", "data.on", true]),
        json!(["is", "data.plan.size", [3, "4"]]),
        json!(["gt", "data.amount", 2]),
        json!(["gte", "data.amount", -0.1]),
        json!(["lt", "data.amount", 3.5]),
        json!(["lte", "hour_of_day", 12]),
        json!(["is", "day_of_week", 3]),
        json!(["exists", "data.note"]),
        json!(["exists", "feature"]),
        json!(["is", "entryPage", "/0"]),
        json!(["exists", "exitPage"]),
        json!(["is", "channel", ["Direct", "Paid"]]),
        json!(["is", "referrer_source", "Direct"]),
        json!(["is", "currency", "EUR"]),
        json!(["did", ["is", "eventType", "feature_use"]]),
        json!([
            "did_not",
            ["and", ["is", "country", "FR"], ["is", "page", "/2"]]
        ]),
    ];
    select(texts.to_vec())
}

pub(super) fn filter() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (select(vec!["and", "or"]), many)
                .prop_map(|(name, all)| { json!([vec![json!(name)], all].concat()) }),
            inner.prop_map(|inner| json!(["not", inner])),
        ]
    })
}

pub(super) fn question() -> impl Strategy<Value = Value> {
    let metrics = subsequence(METRICS.to_vec(), 1..6);
    let dimensions = subsequence(DIMENSIONS.to_vec(), 0..4).prop_shuffle();
    let filter = prop_oneof![Just(Value::Null), filter()];
    (metrics, dimensions, filter, leaf()).prop_map(|(metrics, dimensions, filters, goal)| {
        json!({"metrics": metrics, "dimensions": dimensions, "filters": filters, "goal": goal, "range": all_days(),
            "limit": 10_000})
    })
}

fn with_filter(question: &Value, filter: &Value) -> Value {
    let mut question = question.clone();
    question["filters"] = filter.clone();
    question
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn answers_are_what_a_plain_count_says(
        question in question(), count in 0_usize..250, shards in 1_usize..4, size in 1_usize..60,
    ) {
        let events = some_events(count);
        let archives = super::shards(&events, shards, size);
        let answer = ask_in(&archives, &question, Vec::new(), 0).unwrap();
        let (rows, totals) = rows_of(&answer);
        let goal = question["goal"].clone();
        let want = Model { events: &events, goal }.rows(&question);
        prop_assert_eq!(rows, want.0);
        prop_assert_eq!(totals, want.1);
        prop_assert_eq!(&answer["meta"]["scannedEvents"], &json!(count));
    }

    #[test]
    fn a_filter_and_its_negation_add_up_to_the_whole(filter in filter(), count in 0_usize..200) {
        let events = some_events(count);
        let sql = archived(&events, 40);
        let question = json!({"metrics": ["events", "views", "sum(data.amount)", "count(data.note)"],
            "range": all_days()});
        let of = |filter: &Value| rows_of(&ask(&sql, &with_filter(&question, filter))).1;
        let (some, others) = (of(&filter), of(&json!(["not", filter])));
        let whole = of(&Value::Null);
        for ((some, other), whole) in some.iter().zip(&others).zip(whole) {
            let sum = (some.unwrap() + other.unwrap()) * 1e6;
            prop_assert_eq!(sum.round(), (whole.unwrap() * 1e6).round());
        }
    }

    #[test]
    fn two_ranges_add_up(count in 0_usize..200, cut in 15_u32..20, filter in filter()) {
        // What a user or a session did is another thing in another range.
        let text = filter.to_string();
        prop_assume!(["did", "Page", "channel", "_source"].iter().all(|name| !text.contains(name)));
        let sql = archived(&some_events(count), 30);
        let of = |first: u32, last: u32| {
            let question = json!({"metrics": ["events", "views", "count(data.note)"], "dimensions": ["country"],
                "filters": filter, "range": [format!("2024-01-{first}"), format!("2024-01-{last}")]});
            let (rows, totals) = rows_of(&ask(&sql, &question));
            (rows.into_iter().collect::<std::collections::BTreeMap<_, _>>(), totals)
        };
        let (whole, one, two) = (of(15, 20), of(15, cut), of(cut + 1, 21));
        let add = |a: &[Option<f64>], b: &[Option<f64>]| -> Vec<_> {
            a.iter().zip(b).map(|(a, b)| Some(a.unwrap() + b.unwrap())).collect()
        };
        prop_assert_eq!(&whole.1, &add(&one.1, &two.1));
        let none = vec![Some(0.0); 3];
        for (key, row) in &whole.0 {
            let of = |rows: &std::collections::BTreeMap<_, Vec<_>>| rows.get(key).unwrap_or(&none).clone();
            prop_assert_eq!(row, &add(&of(&one.0), &of(&two.0)));
        }
    }

    #[test]
    fn pages_are_the_answer_in_pieces(question in question(), limit in 1_usize..5) {
        let sql = archived(&some_events(60), 25);
        let whole = ask(&sql, &question);
        let mut pieces: Vec<Value> = Vec::new();
        let mut page = question.clone();
        page["limit"] = json!(limit);
        loop {
            let answer = ask(&sql, &page);
            let rows = answer["rows"].as_array().unwrap();
            prop_assert!(rows.len() <= limit);
            pieces.extend(rows.iter().cloned());
            prop_assert_eq!(&answer["totals"], &whole["totals"]);
            page["cursor"] = answer["nextCursor"].clone();
            if page["cursor"].is_null() {
                break;
            }
        }
        prop_assert_eq!(&json!(pieces), &whole["rows"]);
    }
}
