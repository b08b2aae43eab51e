//! Breakdowns that are questions.

use super::*;
use crate::http::params::Params;
use crate::query::Breakdown;

fn asked(query: &str) -> Result<Option<Breakdown>, Fault> {
    Breakdown::parse(&Params::parse(query), NOW)
}

#[test]
fn a_breakdown_of_filtered_events_is_answered_from_them() {
    let sql = archived(&some_events(200), 40);
    let range = "range=2024-01-15,2024-01-20";
    for (by, filters) in [
        ("page", "%5B%22is%22%2C%22country%22%2C%22DE%22%5D"),
        ("channel", ""),
        ("form", ""),
    ] {
        let filters_of = |text: &str| {
            let text = form_urlencoded::parse(text.as_bytes())
                .next()
                .map(|(text, _)| text.into_owned());
            text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
        };
        let mut query = format!("by={by}&{range}&limit=2");
        if !filters.is_empty() {
            query.push_str(&format!("&filters={filters}"));
        }
        let question = asked(&query).unwrap().unwrap();
        let body: Value = serde_json::from_str(&question.body).unwrap();
        let (_, answer) = answer_in(std::slice::from_ref(&sql), &body, Vec::new(), 0).unwrap();
        let told = serde_json::to_value(question.answer(answer)).unwrap();
        let want = ask(
            &sql,
            &json!({"metrics": ["events", "users"], "dimensions": [by], "range": all_days(), "limit": 2,
            "orderBy": [["events", "desc"]],
            "filters": ["and", ["exists", by], match filters_of(filters) { Value::Null => json!(["and"]), some => some }]}),
        );
        let total = want["totals"][0].as_f64().unwrap();
        let rows: Vec<Value> = want["rows"].as_array().unwrap().iter().map(|row| {
            let [events, users] = [0, 1].map(|at| row["metrics"][at].clone());
            let share = (events.as_f64().unwrap() / total * 1e4).round() / 1e4;
            json!({"key": row["dimensions"][0], "events": events, "users": users, "share": share})
        }).collect();
        assert_eq!((&told["rows"], &told["by"]), (&json!(rows), &json!(by)));
        assert_eq!(
            (&told["total"], &told["nextCursor"]),
            (&want["totals"][0], &want["nextCursor"])
        );
        assert_eq!(told["meta"]["scannedEvents"], 200);
    }
}

#[test]
fn sums_answer_what_they_can_and_what_is_wrong_is_named() {
    for sums in [
        "by=page",
        "by=page&startDate=2024-01-15&limit=7",
        "by=planet",
        "by=type",
        "",
    ] {
        assert_eq!(asked(sums), Ok(None), "{sums}");
    }
    for (query, field) in [
        ("by=channel&limit=0", "limit"),
        ("by=page&filters=country", "filters"),
        (
            "by=page&filters=%5B%22is%22%2C%22planet%22%2C1%5D",
            "filters[1]",
        ),
        ("by=page&range=7d&startDate=2024-01-15", "startDate"),
        ("by=form&startDate=yesterday", "startDate"),
    ] {
        let fault = asked(query).unwrap_err();
        let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
        assert_eq!(problem["field"], field, "{query}");
    }
    // The rest is the question's to say.
    let bad = asked("by=page&range=8d&timeZone=Mars").unwrap().unwrap();
    assert!(Question::parse(bad.body.as_bytes()).is_err());
}
