//! The read models equal a plain count, however the events come.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::brute::{DAY, KEY, count, distinct, event, read};
use super::*;
use crate::consume::Message;
use crate::privacy::DAY_MS;
use crate::sql::Sql;
use crate::testing::{NOW, TestSql, uuid};

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

fn message(site: &str, part: usize, events: &[Value]) -> String {
    let part = json!({"id": uuid(part), "at": NOW, "n": events.len(), "events": events});
    json!({"site": site, "shard": 0, "parts": [part]}).to_string()
}

fn take(sql: &TestSql, text: &str, attempt: &str) {
    let statements = Message::parse(text).unwrap().statements(attempt, KEY);
    sql.batch::<Finding>(&statements).unwrap();
}

fn assert_models(sql: &TestSql, site: &str, events: &[Value]) {
    let want = count(site, events);
    assert_eq!(read(sql, site), want);
    for (dim, key) in [
        ("user", ""),
        ("anon", ""),
        ("page", "/0"),
        ("country", "DE"),
        ("feature", "f1"),
    ] {
        for from in DAY - 1..DAY + 6 {
            for to in from..DAY + 7 {
                let (got, want) = (
                    distinct(sql, site, dim, key, from..=to),
                    want.distinct(dim, key, from..=to),
                );
                assert_eq!(got, want, "{dim} {key} {from} {to}");
            }
        }
    }
    assert_eq!(sql.number("SELECT count(*) FROM members WHERE gap = -1"), 0);
    assert_eq!(
        sql.number("SELECT count(*) FROM member_gaps WHERE n < 0"),
        0
    );
}

#[test]
fn a_failure_at_any_statement_leaves_nothing_and_the_next_try_counts_once() {
    let sql = database();
    let before: Vec<Value> = (0..40).map(|n| event("demo", n)).collect();
    take(&sql, &message("demo", 1, &before), "first");
    let events: Vec<Value> = (30..90).map(|n| event("demo", n)).collect();
    let text = message("demo", 2, &events);
    let statements = Message::parse(&text).unwrap().statements("second", KEY);
    for nth in 1..=u32::try_from(statements.len()).unwrap() {
        sql.fail_in(nth);
        assert!(sql.batch::<Finding>(&statements).is_err());
        assert_models(&sql, "demo", &before);
    }
    for attempt in ["third", "fourth"] {
        take(&sql, &text, attempt);
        let all: Vec<Value> = (0..90).map(|n| event("demo", n)).collect();
        assert_models(&sql, "demo", &all);
    }
}

#[test]
fn a_day_that_is_full_counts_the_rest_as_other() {
    let sql = database();
    let view = |n: usize| {
        let mut view = event("demo", n);
        view["eventType"] = "page_view".into();
        view["eventData"] = json!({"path": format!("/{n}")});
        view["timestamp"] = (DAY * DAY_MS).into();
        view["userId"] = format!("u{}", n % 7).into();
        view
    };
    let (first, second): (Vec<Value>, Vec<Value>) =
        ((0..400).map(view).collect(), (400..700).map(view).collect());
    take(&sql, &message("demo", 1, &first), "a");
    take(&sql, &message("demo", 2, &second), "b");
    let number =
        |what: &str| sql.number(&format!("SELECT {what} FROM breakdowns WHERE dim = 'page'"));
    assert_eq!(
        (number("sum(events)"), number("count(*)")),
        (700, MAX_KEYS_PER_DAY + 1)
    );
    assert_eq!(number("sum(events) FILTER (WHERE key = '(other)')"), 200);
    assert_eq!(distinct(&sql, "demo", "page", OTHER, DAY..=DAY), 7);
    // A key that has a row keeps it; one that has none does not get one later.
    let again: Vec<Value> = [(3, 1_000), (650, 1_001)]
        .map(|(page, n)| {
            let mut view = view(page);
            view["eventId"] = uuid(n).into();
            view
        })
        .to_vec();
    take(&sql, &message("demo", 3, &again), "c");
    assert_eq!(number("sum(events) FILTER (WHERE key = '/3')"), 2);
    assert_eq!(number("sum(events) FILTER (WHERE key = '(other)')"), 201);
    assert_eq!(number("count(*)"), MAX_KEYS_PER_DAY + 1);
}

#[test]
fn sites_are_counted_apart() {
    let sql = database();
    let events = |site: &str| (0..30).map(|n| event(site, n)).collect::<Vec<Value>>();
    take(&sql, &message("one", 1, &events("one")), "a");
    take(&sql, &message("two", 2, &events("two")), "b");
    assert_models(&sql, "one", &events("one"));
    assert_models(&sql, "two", &events("two"));
}

#[test]
fn users_who_return_after_more_than_a_year_are_counted_in_every_range() {
    let sql = database();
    for (n, day) in [(1, DAY), (2, DAY + 366), (3, DAY + 800)] {
        let mut event = event("demo", n);
        event["userId"] = "u".into();
        event["timestamp"] = (day * DAY_MS).into();
        take(&sql, &message("demo", n, &[event]), &n.to_string());
    }
    for (from, to, want) in [
        (0, 365, 1),
        (0, 366, 1),
        (1, 366, 1),
        (366, 731, 1),
        (435, 800, 1),
        (367, 732, 0),
    ] {
        assert_eq!(
            distinct(&sql, "demo", "user", "", DAY + from..=DAY + to),
            want,
            "{from} {to}"
        );
    }
}

/// No statement may walk a table of the site: each row is found by its key.
#[test]
fn statements_find_their_rows_by_key() {
    let sql = database();
    let events: Vec<Value> = (0..200).map(|n| event("demo", n)).collect();
    take(&sql, &message("demo", 1, &events), "a");
    for analyze in ["SELECT 1", "ANALYZE"] {
        sql.execute_batch(analyze);
        for statement in store_statements("demo", &[], "a") {
            let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            for step in sql.rows::<Value>(&plan, &statement.params).unwrap() {
                let step = step["detail"].as_str().unwrap();
                let own = [
                    "f", "t", "n", "c", "m", "u", "v", "s", "r", "w", "x", "e", "d", "p",
                ];
                let scanned = step
                    .strip_prefix("SCAN ")
                    .and_then(|rest| rest.split(' ').next());
                let fine =
                    scanned.is_none_or(|table| own.contains(&table) || table.starts_with('('));
                assert!(fine, "{step}\n{}", statement.sql);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_order_repetition_and_batching_gives_the_plain_count(
        parts in prop::collection::vec(prop::collection::btree_set(0_usize..120, 1..25), 1..7),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..16),
    ) {
        let sql = database();
        let mut seen = BTreeSet::new();
        for (attempt, index) in order.iter().enumerate() {
            let id = index.index(parts.len());
            seen.extend(parts[id].iter().copied());
            let events: Vec<Value> = parts[id].iter().map(|n| event("demo", *n)).collect();
            take(&sql, &message("demo", 1_000 + id, &events), &attempt.to_string());
        }
        let events: Vec<Value> = seen.iter().map(|n| event("demo", *n)).collect();
        assert_models(&sql, "demo", &events);
    }
}
