//! Which properties events have, beside a plain count; and features of events that pass filters.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::walks::walked;
use super::*;
use crate::http::params::Params;
use crate::query::{Properties, features_answer, features_body};
use crate::testing::uuid;

/// Events whose properties are of every kind, some of them too long or too many for the columns.
fn held(n: usize) -> Value {
    let mut event = some_event(n);
    event["eventId"] = json!(uuid(n));
    let data = match n % 6 {
        0 => json!({"name": "buy", "total": n, "to": {"city": "x"}, "tags": ["a"], "none": null}),
        1 => json!({"name": "buy", "total": "free", "is_new": true}),
        2 => json!({"name": format!("n{}", n % 2), "long": "y".repeat(400)}),
        3 => json!({"total": 1.5}),
        4 => (0..90)
            .map(|k| (format!("k{}", (n * 7 + k) % 300), json!(k)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => json!({}),
    };
    event["eventData"] = data;
    event["eventType"] = json!(if n.is_multiple_of(4) {
        "order.placed"
    } else {
        "custom"
    });
    event
}

fn note(data: &Value, before: &str, found: &mut BTreeMap<String, [i64; 3]>) {
    for (name, value) in data.as_object().unwrap() {
        let name = format!("{before}{name}");
        let kind = match value {
            Value::String(_) => 0,
            Value::Number(_) => 1,
            Value::Bool(_) => 2,
            Value::Object(_) => {
                note(value, &format!("{name}."), found);
                continue;
            }
            _ => continue,
        };
        found.entry(name).or_default()[kind] += 1;
    }
}

type Known = BTreeMap<(String, Option<String>), (i64, BTreeMap<String, [i64; 3]>)>;

fn counted(events: &[&Value]) -> Known {
    let mut all = Known::new();
    for event in events {
        let kind = event["eventType"].as_str().unwrap();
        let name = event["eventData"]["name"]
            .as_str()
            .filter(|_| kind == "custom");
        let entry = all
            .entry((kind.to_owned(), name.map(str::to_owned)))
            .or_default();
        entry.0 += 1;
        note(&event["eventData"], "", &mut entry.1);
    }
    all
}

fn get(archives: &[TestSql], query: &str) -> Value {
    let question = Properties::parse(&Params::parse(query), NOW).unwrap();
    let (found, meta) = walked(archives, question.asked(), Vec::new()).unwrap();
    serde_json::to_value(question.answer(found, Some(meta))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn properties_are_those_that_a_plain_count_finds(
        ids in prop::collection::btree_set(0_usize..300, 1..80), number in 1_usize..3, size in 1_usize..60,
        kind in prop::option::of(any::<bool>()),
    ) {
        let events: Vec<Value> = ids.iter().map(|n| held(*n)).collect();
        let archives = shards(&events, number, size);
        let kind = kind.map(|is_custom| if is_custom { "custom" } else { "order.placed" });
        let of = kind.map_or(String::new(), |kind| format!("&eventType={kind}"));
        let answer = get(&archives, &format!("range=2024-01-15,2024-01-20&limit=5000{of}"));
        let wanted: Vec<&Value> =
            events.iter().filter(|event| kind.is_none_or(|kind| event["eventType"] == kind)).collect();
        let mut told = Known::new();
        for event in answer["events"].as_array().unwrap() {
            let name = event["event"].as_str().map(str::to_owned);
            let entry = told.entry((event["eventType"].as_str().unwrap().to_owned(), name)).or_default();
            entry.0 = event["events"].as_i64().unwrap();
            for property in event["properties"].as_array().unwrap() {
                let counts = ["texts", "numbers", "booleans"].map(|kind| property[kind].as_i64().unwrap());
                entry.1.insert(property["name"].as_str().unwrap().to_owned(), counts);
            }
        }
        prop_assert_eq!(told, counted(&wanted));
        prop_assert_eq!(&answer["otherProperties"], 0);
    }
}

#[test]
fn what_a_limit_leaves_out_is_told_and_the_most_frequent_are_first() {
    let events: Vec<Value> = (0..60).map(held).collect();
    let archives = shards(&events, 2, 7);
    let all = get(&archives, "range=2024-01-15,2024-01-20&limit=5000");
    let count = |answer: &Value| -> usize {
        let events = answer["events"].as_array().unwrap().iter();
        events
            .map(|event| event["properties"].as_array().unwrap().len())
            .sum()
    };
    let some = get(&archives, "range=2024-01-15,2024-01-20&limit=5");
    assert_eq!(
        (count(&some), &some["events"][0]["properties"][0]),
        (5, &all["events"][0]["properties"][0])
    );
    assert_eq!(some["otherProperties"], count(&all) - 5);
    let counts: Vec<i64> = all["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["events"].as_i64().unwrap())
        .collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    // Of no day of these there is anything.
    assert_eq!(
        get(&archives, "startDate=2023-01-01&endDate=2023-01-02")["events"],
        json!([])
    );
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=x", "limit"),
        ("startDate=2023-1-1", "startDate"),
        ("range=7d&startDate=2023-01-01", "startDate"),
    ] {
        let fault = Properties::parse(&Params::parse(query), NOW).unwrap_err();
        let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
        assert_eq!(problem["field"], field, "{query}");
    }
    let bad = Properties::parse(&Params::parse("range=8d"), NOW).unwrap();
    assert!(
        walked::<Vec<crate::query::properties::Seen>>(&archives, bad.asked(), Vec::new()).is_err()
    );
}

#[test]
fn features_of_events_that_pass_are_a_plain_count() {
    let mut events = some_events(200);
    for (n, event) in events.iter_mut().enumerate() {
        if event["eventType"] == "feature_use" {
            event["eventData"]["duration"] = match n % 5 {
                0 => json!("soon"),
                1 => json!(-4),
                2 => json!(90_000_000),
                _ => json!(n),
            };
        }
    }
    let archives = shards(&events, 2, 9);
    let query = "filters=%5B%22is%22,%22country%22,%22DE%22%5D&range=2024-01-15,2024-01-20";
    let body = features_body(&Params::parse(query), NOW).unwrap().unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    let (_, answers) = answers_in(&archives, &body, Vec::new(), 0).unwrap();
    let told = serde_json::to_value(features_answer(answers)).unwrap();
    let mut want: BTreeMap<&str, (i64, std::collections::BTreeSet<&str>, Vec<f64>)> =
        BTreeMap::new();
    for event in &events {
        if event["country"] != "DE" || event["eventType"] != "feature_use" {
            continue;
        }
        let entry = want
            .entry(event["eventData"]["feature"].as_str().unwrap())
            .or_default();
        entry.0 += 1;
        if let Some(user) = event["userId"]
            .as_str()
            .filter(|user| !user.starts_with("anon-"))
        {
            entry.1.insert(user);
        }
        let duration = event["eventData"]["duration"].as_f64();
        entry
            .2
            .extend(duration.filter(|ms| (0.0..=86_400_000.0).contains(ms)));
    }
    assert!(want.len() > 1);
    let mut rows: Vec<Value> = want
        .into_iter()
        .map(|(feature, (uses, users, all))| {
            let mean = (!all.is_empty())
                .then(|| (all.iter().sum::<f64>() / all.len() as f64).round() as i64);
            json!({"feature": feature, "uses": uses, "users": users.len(), "averageDuration": mean})
        })
        .collect();
    rows.sort_by_key(|row| -row["uses"].as_i64().unwrap());
    assert_eq!(told["features"], json!(rows));
    assert_eq!(told["meta"]["timeZone"], "UTC");
    assert_eq!(
        features_body(&Params::parse("startDate=2024-01-15"), NOW),
        Ok(None)
    );
    assert!(features_body(&Params::parse("filters=x"), NOW).is_err());
}

#[test]
fn the_platform_s_figures_are_refused_of_some_events_alone() {
    use crate::read::metric::{Metric, Platform};
    for name in ["filters", "range", "timeZone"] {
        let fault = Platform::parse(&Params::parse(&format!("{name}=x")), NOW).unwrap_err();
        assert!(fault.detail().contains("have no meaning"), "{name}");
    }
    assert!(Platform::parse(&Params::parse(""), NOW).is_ok());
}
