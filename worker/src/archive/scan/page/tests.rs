use proptest::prelude::*;
use serde_json::{Value, json};

use crate::archive::scan::tests::{append, archived, ask, empty};
use crate::base::sql::Sql;
use crate::base::time::{DAY_MS, HOUR_MS};
use crate::http::params::Params;
use crate::read::brute::{DAY, event};
use crate::read::recent::Recent;
use crate::testing::{NOW, TestSql};

const START: i64 = (DAY + 9) * DAY_MS;

fn some_event((n, (hours, ms)): (usize, (i64, i64))) -> Value {
    let mut event = event("demo", n);
    event["receivedAt"] = json!(START + hours * HOUR_MS + ms);
    event
}

fn page(sql: &TestSql, query: &str) -> Value {
    let recent = Recent::parse(&Params::parse(query), NOW).unwrap();
    let answer = recent.answer(vec![ask(sql, recent.asked(), 0).found]);
    serde_json::from_str(&answer).unwrap()
}

/// The events of all pages.
fn walk(sql: &TestSql, query: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = page(sql, &format!("limit={limit}&{query}{cursor}"));
        let events = page["events"].as_array().unwrap();
        assert!(events.len() == limit || page["nextCursor"].is_null());
        all.extend(events.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn pages_walk_through_all_events_once(
        times in prop::collection::vec((0_i64..4, prop_oneof![0_i64..3, 0_i64..HOUR_MS]), 0..90),
        size in 1_usize..40, limit in 1_usize..30, later in 0_usize..90,
    ) {
        // In order of receipt, as they come, but for those that came much later.
        let mut events: Vec<Value> = times.into_iter().enumerate().map(some_event).collect();
        let (late, mut others) = (events.split_off(later.min(events.len())), events);
        others.sort_by_key(|event| event["receivedAt"].as_i64());
        let sql = empty();
        append(&sql, &others, size);
        append(&sql, &late, size);
        let mut events = [others, late].concat();
        events.sort_by_key(|e| (e["receivedAt"].as_i64().unwrap(), e["eventId"].as_str().unwrap().to_owned()));
        events.reverse();
        prop_assert_eq!(&walk(&sql, "", limit), &events);
        for (query, field, want) in [
            ("userId=u1", "userId", "u1"), ("userId=nobody", "userId", "nobody"),
            ("eventType=page_view", "eventType", "page_view"), ("eventType=x", "eventType", "x"),
        ] {
            let want: Vec<Value> = events.iter().filter(|e| e[field] == want).cloned().collect();
            prop_assert_eq!(&walk(&sql, query, limit), &want);
        }
        let both = |e: &&Value| e["userId"] == "u1" && e["eventType"] == "page_view";
        let want: Vec<Value> = events.iter().filter(both).cloned().collect();
        prop_assert_eq!(&walk(&sql, "userId=u1&eventType=page_view", limit), &want);
    }
}

#[test]
fn a_first_page_reads_few_segments() {
    let events: Vec<Value> = (0..600)
        .map(|n| some_event((n, (n as i64 / 200, n as i64 % 200 * 15_000))))
        .collect();
    let sql = archived(&events, 10);
    // Segments that are never looked at can be anything.
    sql.run("UPDATE segments SET columns = x'00' WHERE seq < 40", &[])
        .unwrap();
    assert_eq!(
        page(&sql, "limit=50")["events"].as_array().unwrap().len(),
        50
    );
    let recent = Recent::parse(&Params::parse("limit=50"), NOW).unwrap();
    assert_eq!(ask::<Value>(&sql, recent.asked(), 0).unreadable, 0);
}

#[test]
fn a_segment_that_is_broken_is_told_and_lines_that_are_lost_end_no_walk() {
    let events: Vec<Value> = (0..40).map(|n| some_event((n, (0, n as i64)))).collect();
    let sql = archived(&events, 10);
    sql.run("UPDATE segments SET columns = x'00' WHERE seq = 2", &[])
        .unwrap();
    sql.run("UPDATE segments SET lines = x'' WHERE seq = 3", &[])
        .unwrap();
    let recent = Recent::parse(&Params::parse("limit=50"), NOW).unwrap();
    let part = ask::<Vec<Value>>(&sql, recent.asked(), 0);
    assert_eq!((part.unreadable, part.found.len()), (1 + 10, 30));
    let first = page(&sql, "limit=15");
    assert_eq!(first["events"].as_array().unwrap().len(), 10);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = page(&sql, &format!("limit=15&cursor={cursor}"));
    let got: Vec<&Value> = second["events"].as_array().unwrap().iter().collect();
    assert_eq!(got, events[..10].iter().rev().collect::<Vec<_>>());
    assert_eq!(second["nextCursor"], Value::Null);
}

#[test]
fn two_users_whose_hash_is_one_are_told_apart_by_their_line() {
    let mut mine = some_event((1, (0, 1)));
    let mut other = some_event((2, (0, 1)));
    (mine["userId"], other["userId"]) = (json!("one"), json!("one"));
    let sql = archived(&[mine.clone(), other], 2);
    // The line says who it is.
    let lines = format!("{}\n{}\n", mine, json!({"eventId": "x"}));
    assert!(lines.len() > 10);
    let text: String = String::from_utf8(
        sql.cells::<1>("SELECT lines FROM segments", &[]).unwrap()[0][0]
            .bytes()
            .to_vec(),
    )
    .unwrap();
    let mut parts: Vec<String> = text.lines().map(str::to_owned).collect();
    parts[1] = parts[1].replace("\"one\"", "\"two\"");
    let text = format!("{}\n{}\n", parts[0], parts[1]);
    sql.run("UPDATE segments SET lines = ?1", &[text.as_bytes().into()])
        .unwrap();
    assert_eq!(page(&sql, "userId=one")["events"], json!([mine]));
}

#[test]
fn what_is_no_longer_kept_is_on_no_page() {
    let events: Vec<Value> = (0..60).map(|n| some_event((n, (0, n as i64)))).collect();
    let sql = archived(&events, 10);
    let kept_from = (DAY + 3) * DAY_MS;
    let kept = events
        .iter()
        .filter(|e| e["timestamp"].as_i64().unwrap() >= kept_from)
        .count();
    let recent = Recent::parse(&Params::parse("limit=100"), NOW).unwrap();
    let found = ask::<Vec<Value>>(&sql, recent.asked(), kept_from).found;
    assert!(kept > 5 && found.len() == kept, "{kept} {}", found.len());
}

/// By the source and tenant that stand in the columns, and by when events happened; each alone and all at once.
#[test]
fn a_page_is_of_a_source_a_tenant_and_of_days() {
    let events: Vec<Value> = (0..60)
        .map(|n| {
            let mut event = some_event((n, (0, n as i64)));
            event["source"] = json!(format!("s{}", n % 3));
            if n % 4 > 0 {
                event["tenantId"] = json!(format!("t{}", n % 4));
            }
            event["timestamp"] = json!((DAY + n as i64 % 5) * DAY_MS + 7);
            event
        })
        .collect();
    let sql = archived(&events, 7);
    let ids = |query: &str| -> Vec<Value> {
        let mut ids: Vec<Value> = walk(&sql, query, 10)
            .iter()
            .map(|event| event["eventId"].clone())
            .collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    let want = |wanted: &dyn Fn(&Value, i64) -> bool| -> Vec<Value> {
        let day = |event: &Value| event["timestamp"].as_i64().unwrap() / DAY_MS - DAY;
        let of = events.iter().filter(|event| wanted(event, day(event)));
        let mut ids: Vec<Value> = of.map(|event| event["eventId"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    let date = |day: i64| crate::base::time::date(DAY + day);
    assert_eq!(ids("source=s1"), want(&|event, _| event["source"] == "s1"));
    assert_eq!(
        ids("tenantId=t2"),
        want(&|event, _| event["tenantId"] == "t2")
    );
    assert_eq!(ids("tenantId=nobody"), Vec::<serde_json::Value>::new());
    let some = format!("startDate={}&endDate={}", date(1), date(2));
    assert_eq!(ids(&some), want(&|_, day| (1..=2).contains(&day)));
    assert_eq!(
        ids(&format!("startDate={}", date(3))),
        want(&|_, day| day >= 3)
    );
    assert_eq!(
        ids(&format!("endDate={}", date(0))),
        want(&|_, day| day == 0)
    );
    let all = format!("source=s1&tenantId=t1&eventType=page_view&{some}");
    let is_it = |event: &Value, day| {
        event["source"] == "s1"
            && event["tenantId"] == "t1"
            && event["eventType"] == "page_view"
            && (1..=2).contains(&day)
    };
    assert_eq!(ids(&all), want(&is_it));
}
