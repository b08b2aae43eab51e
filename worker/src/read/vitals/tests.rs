use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::privacy::DAY_MS;
use crate::read::days::date;
use crate::rollup::brute::{DAY, ask, event, filled};
use crate::sql::Sql;
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

fn get(sql: &TestSql, site: &str, query: &str) -> Value {
    let vitals = Vitals::parse(&Params::parse(query), NOW).unwrap();
    let rows: Vec<Row> = ask(sql, &vitals.statement(site));
    Vitals::check(&rows).unwrap();
    let answer = vitals.answer(rows);
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
        let sql = filled("demo", &events);
        let days = (first, first + length);
        let answer = get(&sql, "demo", &query(days, page));
        prop_assert_eq!(answer["vitals"].as_array().unwrap(), &brute(&events, days, page));
    }
}

#[test]
fn nothing_else_is_counted_and_no_other_site() {
    let mut events: Vec<Value> = (0..50).map(|n| event("demo", n)).collect();
    events.push(vital(1, "FID", 3.0));
    events.push(vital(2, "LCP", -3.0));
    let sql = filled("demo", &events);
    assert_eq!(get(&sql, "demo", &query((0, 5), None))["vitals"], json!([]));
    let sql = filled("demo", &[vital(1, "LCP", 3.0)]);
    assert_eq!(
        get(&sql, "other", &query((0, 5), None))["vitals"],
        json!([])
    );
    let page = "startDate=2024-01-15&page=%27%20OR%201%3D1--";
    assert_eq!(get(&sql, "demo", page)["vitals"], json!([]));
    let csv = |sql: &TestSql| {
        let vitals = Vitals::parse(&Params::parse("startDate=2024-01-01"), NOW).unwrap();
        Vitals::csv(&vitals.answer(ask(sql, &vitals.statement("demo"))))
    };
    assert_eq!(
        csv(&sql),
        "name,count,p50,p75,p95,good,needsImprovement,poor\r\nLCP,1,3,3,3,1,0,0\r\n"
    );
}

#[test]
fn it_reads_the_index_of_types_and_no_more_than_it_may() {
    let vitals = Vitals::parse(&Params::parse(""), NOW).unwrap();
    let statement = vitals.statement("demo");
    let sql = filled("demo", &[]);
    let plan: Vec<Value> = sql
        .rows(
            &format!("EXPLAIN QUERY PLAN {}", statement.sql),
            &statement.params,
        )
        .unwrap();
    let plan = serde_json::to_string(&plan).unwrap();
    assert!(
        plan.contains("USING INDEX events_by_type (site_id=? AND event_type=? AND received_at>?)"),
        "{plan}"
    );
    let looked_at = |n| Row {
        name: None,
        n,
        p50: None,
        p75: None,
        p95: None,
        good: None,
        poor: None,
    };
    assert_eq!(Vitals::check(&[looked_at(MAX_EVENTS)]), Ok(()));
    let fault = Vitals::check(&[looked_at(MAX_EVENTS + 1)]).unwrap_err();
    assert!(matches!(
        fault,
        Fault::InvalidParameter {
            name: "startDate",
            ..
        }
    ));
    assert_eq!(statement.params.last(), Some(&(MAX_EVENTS + 1).into()));
}
