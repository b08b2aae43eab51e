//! Funnels, retention and journeys against counts by hand and by brute force.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::archive::scan::tests::{archived, ask};
use crate::base::time::{DAY_MS, date, day_of};
use crate::read::brute::{DAY, event};
use crate::read::journeys::Journeys;
use crate::read::retention::Retention;
use crate::testing::TestSql;

const NOW: i64 = (DAY + 5) * DAY_MS + 1;

fn get<Q: Question>(sql: &TestSql, body: &Value) -> Value {
    let question = Q::parse(body.to_string().as_bytes(), NOW).unwrap();
    let found = vec![Told::plain(
        ask(sql, question.asked().of_archive(), 0).found,
    )];
    serde_json::to_value(question.answer(found, None)).unwrap()
}

#[test]
fn a_page_is_asked_for_in_any_spelling() {
    let funnel = |page: &str| {
        let body = json!({"steps": [{"eventType": "page_view", "page": page}]});
        Funnel::parse(body.to_string().as_bytes(), NOW).unwrap()
    };
    for page in ["/%C3%BCber", "/%c3%bcb%65r"] {
        assert_eq!(funnel(page), funnel("/über"));
    }
}

fn matches(event: &Value, step: &Value) -> bool {
    event["eventType"] == step["eventType"]
        && (step["page"].is_null() || event["eventData"]["path"] == step["page"])
        && (step["feature"].is_null() || event["eventData"]["feature"] == step["feature"])
}

/// Whether some events of a user, in order, are the steps within the window: tries them all.
fn walks(events: &[&Value], steps: &[Value], begin: Option<i64>, window_ms: i64) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    (0..events.len()).any(|n| {
        let at = events[n]["timestamp"].as_i64().unwrap();
        let begin = begin.unwrap_or(at);
        matches(events[n], step)
            && at - begin <= window_ms
            && walks(&events[n + 1..], rest, Some(begin), window_ms)
    })
}

fn by<'a>(events: &'a [Value], field: &str) -> BTreeMap<&'a str, Vec<&'a Value>> {
    let mut groups: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        if let Some(id) = event[field].as_str().filter(|id| !id.starts_with("anon-")) {
            groups.entry(id).or_default().push(event);
        }
    }
    for events in groups.values_mut() {
        events.sort_by_key(|e| {
            (
                e["timestamp"].as_i64().unwrap(),
                e["eventId"].as_str().unwrap(),
            )
        });
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_funnel_equals_trying_every_way(
        ids in prop::collection::btree_set(0_usize..400, 1..60),
        picks in prop::collection::vec(0_usize..4, 1..5), window in 1_i64..100,
    ) {
        let kinds = [
            json!({"eventType": "page_view"}), json!({"eventType": "page_view", "page": "/1"}),
            json!({"eventType": "feature_use"}), json!({"eventType": "error"}),
        ];
        let steps: Vec<Value> = picks.iter().map(|n| kinds[*n].clone()).collect();
        let events: Vec<Value> = ids.iter().map(|n| event("demo", *n)).collect();
        let sql = archived(&events, 50);
        let answer = get::<Funnel>(&sql, &json!({
            "startDate": date(DAY), "endDate": date(DAY + 5), "windowHours": window, "steps": steps,
        }));
        let users = by(&events, "userId");
        for n in 1..=steps.len() {
            let want = users.values().filter(|events| walks(events, &steps[..n], None, window * HOUR_MS)).count();
            prop_assert_eq!(&answer["steps"][n - 1]["users"], want);
        }
    }
}

#[test]
fn a_funnel_tells_conversion_and_takes_one_event_for_one_step() {
    let events: Vec<Value> = (0..4)
        .map(|n| {
            let mut view = event("demo", n);
            view["eventType"] = "page_view".into();
            view["eventData"] = json!({"path": "/a"});
            view["userId"] = (if n < 3 { "one" } else { "two" }).into();
            view["timestamp"] = (DAY * DAY_MS).into();
            view
        })
        .collect();
    let sql = archived(&events, 50);
    let step = json!({"eventType": "page_view", "page": "/a"});
    let body =
        json!({"startDate": date(DAY), "endDate": date(DAY), "steps": [step, step, step, step]});
    let answer = get::<Funnel>(&sql, &body);
    let users: Vec<_> = answer["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["users"].as_i64().unwrap())
        .collect();
    assert_eq!(users, [2, 1, 1, 0]);
    assert_eq!(
        (
            &answer["steps"][1]["conversion"],
            &answer["steps"][2]["fromPrevious"]
        ),
        (&json!(0.5), &json!(1.0))
    );
    assert_eq!(
        get::<Funnel>(&archived(&[], 1), &body)["steps"][0]["users"],
        0
    );
}

#[test]
fn retention_equals_a_plain_count() {
    let events: Vec<Value> = (0..150).map(|n| event("demo", n)).collect();
    let sql = archived(&events, 50);
    let days: BTreeMap<&str, BTreeSet<i64>> = by(&events, "userId")
        .into_iter()
        .map(|(user, events)| {
            (
                user,
                events
                    .iter()
                    .map(|e| day_of(e["timestamp"].as_i64().unwrap()))
                    .collect(),
            )
        })
        .collect();
    // 2024-01-15, the first day, is a Monday; a week before it begins the other cohort.
    for (period, first, last) in [
        ("day", 0, 5),
        ("day", 2, 3),
        ("week", -7, 5),
        ("week", 1, 5),
    ] {
        let body = json!({"startDate": date(DAY + first), "endDate": date(DAY + last), "period": period, "periods": 3});
        let answer = get::<Retention>(&sql, &body);
        let bucket = |day: i64| {
            if period == "day" {
                day
            } else {
                (day + 3).div_euclid(7)
            }
        };
        let cohorts = answer["cohorts"].as_array().unwrap();
        assert_eq!(
            cohorts.len(),
            if period == "day" {
                usize::try_from(last - first + 1).unwrap()
            } else if first < 0 {
                2
            } else {
                1
            }
        );
        for cohort in cohorts {
            let day = crate::base::time::day(cohort["date"].as_str().unwrap()).unwrap();
            let mine: Vec<&BTreeSet<i64>> = days
                .values()
                .filter(|days| (DAY + first..=DAY + last).contains(days.first().unwrap()))
                .filter(|days| bucket(*days.first().unwrap()) == bucket(day))
                .collect();
            assert_eq!(cohort["users"], mine.len());
            let retained = cohort["retained"].as_array().unwrap();
            for (age, n) in retained.iter().enumerate() {
                let then = bucket(day) + i64::try_from(age).unwrap();
                let want = mine
                    .iter()
                    .filter(|days| days.iter().any(|day| bucket(*day) == then))
                    .count();
                assert_eq!(n, want, "{period} {day} {age}");
            }
            let oldest = (bucket(DAY + 5) - bucket(day)).min(3);
            assert_eq!(i64::try_from(retained.len()).unwrap(), oldest + 1);
        }
    }
}

#[test]
fn journeys_equal_a_plain_count() {
    let events: Vec<Value> = (0..200).map(|n| event("demo", n)).collect();
    let sql = archived(&events, 50);
    for (depth, limit) in [(1, 100), (3, 100), (10, 2)] {
        let mut paths: BTreeMap<String, i64> = BTreeMap::new();
        for events in by(&events, "sessionId").values() {
            let mut steps: Vec<Value> = events
                .iter()
                .filter_map(|e| match e["eventType"].as_str().unwrap() {
                    "page_view" => Some(json!(["page", e["eventData"]["path"]])),
                    "feature_use" => Some(json!(["feature", e["eventData"]["feature"]])),
                    _ => None,
                })
                .collect();
            steps.dedup();
            steps.truncate(depth);
            if !steps.is_empty() {
                *paths.entry(json!(steps).to_string()).or_default() += 1;
            }
        }
        let body = json!({"startDate": date(DAY), "endDate": date(DAY + 5), "depth": depth, "limit": limit});
        let answer = get::<Journeys>(&sql, &body);
        assert_eq!(answer["sessions"], paths.values().sum::<i64>());
        let mut want: Vec<(String, i64)> = paths.into_iter().collect();
        want.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        want.truncate(limit);
        let got: Vec<(String, i64)> = answer["paths"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["steps"].to_string(), p["sessions"].as_i64().unwrap()))
            .collect();
        assert_eq!(got, want);
    }
}

#[test]
fn bad_questions_are_named() {
    fn name<Q: Question>(body: &str) -> &'static str {
        match Q::parse(body.as_bytes(), NOW).map(|_| ()) {
            Err(Fault::InvalidParameter { name, .. }) => name,
            Err(Fault::Malformed { .. }) => "body",
            Err(Fault::PayloadTooLarge(_)) => "size",
            other => panic!("{body}: {other:?}"),
        }
    }
    let step = r#"{"eventType":"a"}"#;
    let eleven = format!("{{\"steps\":[{}]}}", [step; 11].join(","));
    for body in [
        "{}",
        r#"{"steps":[]}"#,
        r#"{"steps":[1]}"#,
        r#"{"steps":[{"page":"/"}]}"#,
        r#"{"steps":[{"eventType":"a","page":1}]}"#,
        &eleven,
    ] {
        assert_eq!(name::<Funnel>(body), "steps", "{body}");
    }
    for body in ["", "[]", "null", "{"] {
        assert_eq!(name::<Funnel>(body), "body");
    }
    assert_eq!(name::<Funnel>(&" ".repeat(100_000)), "size");
    assert_eq!(
        name::<Funnel>(r#"{"steps":[{"eventType":"a"}],"windowHours":0}"#),
        "windowHours"
    );
    assert_eq!(
        name::<Funnel>(r#"{"steps":[{"eventType":"a"}],"startDate":5}"#),
        "startDate"
    );
    assert_eq!(name::<Retention>(r#"{"period":"month"}"#), "period");
    assert_eq!(name::<Retention>(r#"{"periods":1.5}"#), "periods");
    assert_eq!(name::<Journeys>(r#"{"depth":11}"#), "depth");
    assert_eq!(name::<Journeys>(r#"{"limit":"5"}"#), "limit");
    assert_eq!(name::<Journeys>(r#"{"endDate":"2024-02-30"}"#), "endDate");
}
