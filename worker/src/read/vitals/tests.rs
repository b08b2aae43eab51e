use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::archive::scan::tests::{archived, ask, ask_with};
use crate::base::time::{DAY_MS, date};
use crate::read::brute::{DAY, event};
use crate::testing::{TestSql, uuid};

const NOW: i64 = (DAY + 5) * DAY_MS + 1;

/// Vital `n` of a site: of one of three pages, on one of six days.
fn vital(n: usize, name: &str, value: f64) -> Value {
    let mut vital = event("demo", n);
    vital["eventId"] = json!(uuid(50_000 + n));
    vital["eventType"] = json!("web_vital");
    vital["eventData"] =
        json!({"name": name, "value": value, "url": format!("https://a.example/{}?x", n % 3)});
    vital
}

fn query(days: (i64, i64), page: Option<usize>) -> String {
    let page = page.map_or(String::new(), |page| format!("&page=/{page}"));
    let date = |day| date(DAY + day);
    format!("startDate={}&endDate={}{page}", date(days.0), date(days.1))
}

#[test]
fn a_page_is_asked_for_in_any_spelling() {
    let vitals = |page| Vitals::parse(&Params::parse(&format!("page={page}")), NOW).unwrap();
    for page in ["/%25C3%25BCber", "/%25c3%25bcb%2565r", "/%C3%BCber"] {
        assert_eq!(vitals(page), vitals("/über"));
    }
}

fn get(sql: &TestSql, query: &str) -> Value {
    let vitals = Vitals::parse(&Params::parse(query), NOW).unwrap();
    let answer = Vitals::answer(
        vec![Told::plain(ask(sql, vitals.asked().of_archive(), 0).found)],
        None,
    );
    assert_eq!(
        Vitals::csv(&answer).lines().count(),
        1 + answer.vitals.len()
    );
    serde_json::to_value(&answer).unwrap()
}

/// The same by sorting.
fn brute(events: &[Value], days: (i64, i64), page: Option<usize>) -> Vec<Value> {
    let limits = [
        (2500.0, 4000.0),
        (200.0, 500.0),
        (0.1, 0.25),
        (1800.0, 3000.0),
        (800.0, 1800.0),
    ];
    let of = |name: &str| -> Vec<f64> {
        let mut values: Vec<f64> = events
            .iter()
            .filter(|e| e["eventData"]["name"] == name)
            .filter(|e| {
                let day = e["timestamp"].as_i64().unwrap().div_euclid(DAY_MS) - DAY;
                (days.0..=days.1).contains(&day)
            })
            .filter(|e| {
                let url = e["eventData"]["url"].as_str().unwrap();
                page.is_none_or(|page| url == format!("https://a.example/{page}?x"))
            })
            .map(|e| e["eventData"]["value"].as_f64().unwrap())
            .collect();
        values.sort_by(f64::total_cmp);
        values
    };
    ["LCP", "INP", "CLS", "FCP", "TTFB"]
        .iter()
        .zip(limits)
        .map(|(name, limits)| (name, of(name), limits))
        .filter(|(_, values, _)| !values.is_empty())
        .map(|(name, values, (good, poor))| {
            let rank = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
            let count = |test: &dyn Fn(&f64) -> bool| values.iter().filter(|v| test(v)).count();
            json!({
                "name": name, "count": values.len(), "p50": rank(50), "p75": rank(75), "p95": rank(95),
                "good": count(&|v| *v <= good), "poor": count(&|v| *v > poor),
                "needsImprovement": count(&|v| *v > good && *v <= poor),
            })
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn percentiles_equal_those_of_a_sorted_list(
        measured in prop::collection::vec((0_usize..5, 0_i64..5_000), 1..80),
        first in -1_i64..5, length in 0_i64..5, page in prop::option::of(0_usize..3),
    ) {
        let events: Vec<Value> = measured.iter().enumerate().map(|(n, (name, value))| {
            // The limits themselves among them.
            let scale = if *name == 2 { 10_000.0 } else { 1.0 };
            vital(n, VITALS[*name], (value / 50 * 50) as f64 / scale)
        }).collect();
        let sql = archived(&events, 7);
        let days = (first, first + length);
        let answer = get(&sql, &query(days, page));
        prop_assert_eq!(answer["vitals"].as_array().unwrap(), &brute(&events, days, page));
    }
}

#[test]
fn nothing_else_is_counted_and_no_other_site() {
    let mut events: Vec<Value> = (0..50).map(|n| event("demo", n)).collect();
    events.push(vital(1, "FID", 3.0));
    events.push(vital(2, "LCP", -3.0));
    let sql = archived(&events, 7);
    assert_eq!(get(&sql, &query((0, 5), None))["vitals"], json!([]));
    let sql = archived(&[vital(1, "LCP", 3.0)], 1);
    let page = "startDate=2024-01-15&page=%27%20OR%201%3D1--";
    assert_eq!(get(&sql, page)["vitals"], json!([]));
    let csv = |sql: &TestSql| {
        let vitals = Vitals::parse(&Params::parse("startDate=2024-01-01"), NOW).unwrap();
        Vitals::csv(&Vitals::answer(
            vec![Told::plain(ask(sql, vitals.asked().of_archive(), 0).found)],
            None,
        ))
    };
    assert_eq!(
        csv(&sql),
        "name,count,p50,p75,p95,good,needsImprovement,poor\r\nLCP,1,3,3,3,1,0,0\r\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn shards_together_answer_what_one_would(
        values in prop::collection::vec(0_i64..40, 1..80), cut in 0_usize..80,
    ) {
        let vital = |(n, value): (usize, &i64)| vital(n, VITALS[n % 2], (value * 100) as f64);
        let events: Vec<Value> = values.iter().enumerate().map(vital).collect();
        let (one, other) = events.split_at(cut.min(events.len()));
        let vitals = Vitals::parse(&Params::parse(&query((0, 5), None)), NOW).unwrap();
        let parts = [one, other].map(|events| {
            Told::plain(ask_with(&archived(events, 7), vitals.asked().of_archive(), 0, false).found)
        });
        let together = serde_json::to_value(Vitals::answer(parts.into(), None)).unwrap();
        prop_assert_eq!(together, get(&archived(&events, 9), &query((0, 5), None)));
    }
}
