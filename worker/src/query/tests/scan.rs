//! What a scan tells beside its rows, and where it gives up.

use super::*;
use crate::base::sql::Sql;
use crate::query::spec::{Limits, Spec};

fn event_of(n: usize, kind: &str, data: Value) -> Value {
    let mut event = some_event(n);
    event["eventType"] = json!(kind);
    event["eventData"] = data;
    event["userId"] = json!(format!("u{}", n % 2));
    event["sessionId"] = json!(format!("s{n}"));
    event["timestamp"] = json!(DAY * DAY_MS + n as i64);
    event
}

#[test]
fn lists_rank_by_users_and_equals_by_name() {
    let pages = ["/a", "/b", "/b", "/c", "/c", "/c"];
    let events = pages.iter().enumerate().map(|(n, page)| {
        // Two users were on /b and /c each, more often on /c.
        event_of(n, "page_view", json!({"path": page}))
    });
    let sql = archived(&events.collect::<Vec<_>>(), 2);
    let pages = |body: Value| -> Vec<Value> {
        let answer = ask(&sql, &body);
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| row["dimensions"][0].clone()).collect()
    };
    let body = json!({"metrics": ["views", "users"], "dimensions": ["page"], "range": all_days()});
    assert_eq!(pages(body.clone()), ["/b", "/c", "/a"]);
    let mut by_views = body.clone();
    by_views["orderBy"] = json!([["views", "desc"]]);
    assert_eq!(pages(by_views), ["/c", "/b", "/a"]);
    let mut by_page = body;
    by_page["orderBy"] = json!([["page", "desc"]]);
    assert_eq!(pages(by_page), ["/c", "/b", "/a"]);
}

#[test]
fn a_page_that_is_left_is_called_as_one_that_is_viewed() {
    let pages = [
        json!({"path": 7, "url": "https://a.example/a"}),
        json!({"path": 7}),
        json!({"path": true, "page": "/b"}),
        json!({"path": "true"}),
        json!({"url": "https://a.example"}),
    ];
    for kind in ["page_view", "page_leave"] {
        let events = pages
            .iter()
            .enumerate()
            .map(|(n, data)| event_of(n, kind, data.clone()));
        let sql = archived(&events.collect::<Vec<_>>(), 2);
        let answer = ask(
            &sql,
            &json!({"metrics": ["events"], "dimensions": ["page"], "range": all_days(),
            "orderBy": [["page", "asc"]]}),
        );
        let rows = answer["rows"].as_array().unwrap().iter();
        let pages: Vec<&Value> = rows.map(|row| &row["dimensions"][0]).collect();
        assert_eq!(
            json!(pages),
            json!([null, "/", "/a", "/b", "true"]),
            "{kind}"
        );
    }
}

#[test]
fn what_is_no_number_is_told_and_sums_are_exact() {
    let values = [
        json!(0.1),
        json!(0.2),
        json!("0.3"),
        json!(true),
        json!(1e21),
        json!(-5),
        json!(null),
        json!([1]),
    ];
    let events = values
        .iter()
        .enumerate()
        .map(|(n, value)| event_of(n, "order.placed", json!({"amount": value})));
    let sql = archived(&events.collect::<Vec<_>>(), 3);
    let answer = ask(
        &sql,
        &json!({"metrics": ["sum(data.amount)", "count(data.amount)", "p50(data.amount)", "events"],
        "range": all_days()}),
    );
    assert_eq!(answer["totals"], json!([-4.7, 6, 0.1, 8]));
    assert_eq!(
        answer["meta"]["notNumbers"],
        json!({"sum(data.amount)": 3, "p50(data.amount)": 3})
    );
    // A sum that doubles would get wrong: ten million tenths are a million.
    let tenths: Vec<Value> = (0..1_000)
        .map(|n| event_of(n, "order.placed", json!({"amount": 0.1})))
        .collect();
    let sql = archived(&tenths, 500);
    let answer = ask(
        &sql,
        &json!({"metrics": ["sum(data.amount)"], "range": all_days()}),
    );
    assert_eq!(answer["totals"], json!([100]));
}

#[test]
fn texts_that_look_like_expressions_are_texts() {
    let texts = [".*", "a.c", "%", "abc", "'; --"];
    let events = texts
        .iter()
        .enumerate()
        .map(|(n, text)| event_of(n, "custom", json!({"x": text})));
    let sql = archived(&events.collect::<Vec<_>>(), 9);
    for text in texts {
        for (op, want) in [("is", 1), ("contains", 1), ("starts_with", 1)] {
            let answer = ask(
                &sql,
                &json!({"metrics": ["events"], "filters": [op, "data.x", text], "range": all_days()}),
            );
            assert_eq!(answer["totals"], json!([want]), "{op} {text}");
        }
    }
}

#[test]
fn pages_are_asked_for_in_any_spelling_and_length() {
    let long = format!("/{}", "x".repeat(200));
    let paths = ["/über uns".to_owned(), long.clone()];
    let events = paths
        .iter()
        .enumerate()
        .map(|(n, path)| event_of(n, "page_view", json!({"path": path})));
    let sql = archived(&events.collect::<Vec<_>>(), 9);
    for (op, page) in [
        ("is", "/über uns"),
        ("is", "/%C3%BCber%20uns"),
        ("starts_with", "/%c3%bc"),
        ("is", long.as_str()),
        ("contains", "xxx"),
    ] {
        for dimension in ["page", "entryPage", "exitPage"] {
            let answer = ask(
                &sql,
                &json!({"metrics": ["views"], "filters": [op, dimension, page], "range": all_days()}),
            );
            assert_eq!(answer["totals"], json!([1]), "{op} {dimension} {page}");
        }
    }
}

#[test]
fn gaps_of_retention_are_told_and_nothing_of_them_is_counted() {
    let sql = archived(&some_events(100), 7);
    let body = json!({"metrics": ["events"], "range": all_days()});
    let kept_from = (DAY + 3) * DAY_MS;
    let of = |kept_from| ask_in(std::slice::from_ref(&sql), &body, Vec::new(), kept_from).unwrap();
    let (all, some) = (of(0), of(kept_from));
    assert_eq!(all["meta"]["coveredFrom"], all["meta"]["from"]);
    assert_eq!(some["meta"]["coveredFrom"], json!(kept_from));
    assert_eq!(some["meta"]["source"], "scan");
    let later = json!({"metrics": ["events"], "range": ["2024-01-18", "2024-01-20"]});
    assert_eq!(some["totals"], ask(&sql, &later)["totals"]);
    assert!(some["totals"][0].as_i64() < all["totals"][0].as_i64());
    // A range that is over before anything is kept.
    let gone = of((DAY + 30) * DAY_MS);
    assert_eq!(gone["meta"]["coveredFrom"], gone["meta"]["to"]);
    assert_eq!(gone["totals"], json!([0]));
}

fn spec(body: &Value) -> Vec<u8> {
    serde_json::to_vec(&Spec {
        panels: false,
        archives: 1,
        body: body.to_string(),
        at: (DAY * DAY_MS, (DAY + 6) * DAY_MS),
        zone: Vec::new(),
        walk: None,
        until: 0,
    })
    .unwrap()
}

#[test]
fn segments_that_are_rewritten_meanwhile_are_met_once() {
    let sql = archived(&some_events(120), 4);
    let body = json!({"metrics": ["events", "users", "count(data.note)"], "dimensions": ["entryPage"],
        "filters": ["did", ["exists", "data.note"]]});
    let want = find(&sql, &spec(&body), 0).found;
    for stop in 0..12 {
        let query = Query::begin(&spec(&body), 0).unwrap();
        let mut asking = Asking::of_scan(Box::new(query), true);
        let (mut steps, mut rewrites) = (0, 0);
        let found = loop {
            loop {
                steps += 1;
                rewrites += u64::from(steps == stop);
                if !asking.slice(&sql, rewrites).unwrap() {
                    break;
                }
            }
            let some = asking.packed(&sql).unwrap();
            if some.is_empty() {
                break asking.part().unwrap();
            }
            for lines in some {
                let text = String::from_utf8(lines.packed.clone()).unwrap();
                asking.cut(&lines, &text);
            }
        };
        let part: Part<Found> = serde_json::from_str(&found).unwrap();
        assert_eq!((part.unreadable, part.found), (0, want.clone()), "{stop}");
    }
}

#[test]
fn a_segment_that_cannot_be_read_is_told_and_counts_nowhere() {
    let events = some_events(100);
    let sql = archived(&events, 10);
    let body = json!({"metrics": ["events", "sessions", "bounceRate"], "dimensions": ["exitPage"],
        "filters": ["exists", "data.note"]});
    // Its columns; and of another the lines, which long notes are in.
    sql.run(
        "UPDATE segments SET columns = substr(columns, 1, 40) WHERE seq = 2",
        &[],
    )
    .unwrap();
    sql.run(
        "UPDATE segments SET lines = CAST('x' AS BLOB) WHERE seq = 7",
        &[],
    )
    .unwrap();
    let part = find(&sql, &spec(&body), 0);
    assert_eq!(part.unreadable, 2);
    let whole = find(&archived(&events, 10), &spec(&body), 0);
    assert_eq!(whole.unreadable, 0);
    assert!(part.found.scanned < whole.found.scanned);
}

#[test]
fn a_question_that_is_too_large_says_why() {
    let sql = archived(&some_events(100), 10);
    let body = json!({"metrics": ["users", "p50(data.amount)"], "dimensions": ["data.note", "page"], "range": all_days()});
    let enough = Limits {
        rows: 1_000,
        bytes: 1_000_000,
        told: 1_000_000,
        work: 1_000_000,
    };
    let ask = |limits: Limits| {
        let mut query = Query::begin(&spec(&body), 0).unwrap();
        query.limits = limits;
        let found = found_by(&sql, query).found;
        let question = Question::parse(body.to_string().as_bytes()).unwrap();
        let asked = Asked::new(question, Some(Vec::new()), NOW).unwrap();
        asked.answers(
            vec![vec![find(&sql, &spec(&body), 0).found, found]],
            Source::Scan,
        )
    };
    assert!(ask(enough).is_ok());
    for (limits, why) in [
        (Limits { rows: 3, ..enough }, "rows"),
        (
            Limits {
                bytes: 100,
                ..enough
            },
            "there is room for",
        ),
        (
            Limits {
                told: 100,
                ..enough
            },
            "there is room for",
        ),
        (
            Limits {
                work: 100,
                ..enough
            },
            "two seconds",
        ),
    ] {
        let fault = ask(limits).unwrap_err();
        assert_eq!((fault.status(), fault.code()), (422, "question_too_large"));
        assert!(fault.detail().contains(why), "{}", fault.detail());
    }
}

#[test]
fn a_table_for_a_spreadsheet_has_no_formulas() {
    let events = [
        event_of(0, "custom", json!({"=x,y": "=1+1"})),
        event_of(1, "custom", json!({"=x,y": 2})),
    ];
    let sql = archived(&events, 9);
    let body = json!({"metrics": ["events", "sum(data.=x,y)"], "dimensions": ["data.=x,y"], "range": all_days(),
        "compare": "previous_year"});
    let (asked, answer) = answer_in(std::slice::from_ref(&sql), &body, Vec::new(), 0).unwrap();
    assert_eq!(
        asked.csv(&answer),
        "\"data.=x,y\",events,\"sum(data.=x,y)\",compared events,\"compared sum(data.=x,y)\"\r\n\
         2,1,2,0,0\r\n\"'=1+1\",1,0,0,0\r\n"
    );
}

/// What services tell of operations, and of which tenant: `errorRate` is of those that tell a status, durations are of
/// those that tell one.
#[test]
fn operations_are_asked_for_by_service_action_and_tenant() {
    let statuses = [
        json!("SUCCESS"),
        json!("FAILURE"),
        json!("failed"),
        json!(204),
        json!(503),
        Value::Null,
    ];
    let events: Vec<Value> = (0..60)
        .map(|n: usize| {
            let mut event = some_event(3);
            event["eventId"] = json!(crate::testing::uuid(n));
            event["eventType"] = json!("QUERY_ANALYTICS");
            event["source"] = json!(format!("s{}", n % 2));
            event["tenantId"] = json!(format!("t{}", n % 3));
            let mut data = json!({"action": "EXECUTE", "eventCategory": "QUERY", "duration": n});
            if !statuses[n % 6].is_null() {
                data["status"] = statuses[n % 6].clone();
            }
            if n % 6 == 1 {
                data["errorType"] = json!("TimeoutError");
            }
            event["eventData"] = data;
            event
        })
        .collect();
    let sql = archived(&events, 13);
    let answer = ask(
        &sql,
        &json!({"metrics": ["events", "errorRate", "p50(duration)", "p95(duration)", "avg(data.duration)"],
            "dimensions": ["source", "action", "category"], "range": all_days()}),
    );
    // Of s0: SUCCESS, failed, 503 at even numbers; of s1: FAILURE, 204, none.
    assert_eq!(
        answer["rows"],
        json!([
            {"dimensions": ["s0", "EXECUTE", "QUERY"], "metrics": [30, 2.0 / 3.0, 28, 56, 29]},
            {"dimensions": ["s1", "EXECUTE", "QUERY"], "metrics": [30, 0.5, 29, 57, 30]},
        ])
    );
    assert_eq!(answer["totals"][1], 0.6);
    let answer = ask(
        &sql,
        &json!({"metrics": ["events"], "dimensions": ["tenantId", "errorType"], "range": all_days(),
            "filters": ["and", ["exists", "errorType"], ["is", "tenantId", ["t1"]], ["gte", "duration", 7]]}),
    );
    // 1, 7, 13, … are of t1.
    assert_eq!(
        answer["rows"],
        json!([{"dimensions": ["t1", "TimeoutError"], "metrics": [9]}])
    );
    let answer = ask(
        &sql,
        &json!({"metrics": ["events"], "dimensions": ["status"], "range": all_days(),
            "filters": ["is", "status", ["FAILURE", 503]]}),
    );
    let statuses: Vec<&Value> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["dimensions"][0])
        .collect();
    assert_eq!(statuses, ["503", "FAILURE"]);
}
