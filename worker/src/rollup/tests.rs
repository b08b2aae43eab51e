use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::consume::{Batch, Handover, Message, NotStored};
use crate::sql::Sql;
use crate::testing::{NOW, TestSql, consume, row_name, uuid};

const KEY: &[u8] = b"a key of the test";

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

fn event(site: &str, n: usize, at: i64) -> serde_json::Value {
    json!({
        "eventId": uuid(n), "eventType": if n.is_multiple_of(2) { "page_view" } else { "error" },
        "siteId": site, "source": "tracker", "userId": "u", "receivedAt": at,
        "eventData": {"text": "it's \"quoted\" \u{1f600} \\"},
    })
}

/// A message of rows, each a list of event numbers.
fn message(site: &str, rows: &[(usize, Vec<usize>)]) -> Vec<u8> {
    let rows: Vec<(usize, Vec<_>)> = rows
        .iter()
        .map(|(seq, events)| (*seq, events.iter().map(|n| event(site, *n, NOW)).collect()))
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|(seq, events)| (*seq, NOW, events.as_slice()))
        .collect();
    crate::testing::message(site, 0, &rows)
}

fn take(sql: &TestSql, text: &[u8]) -> Handover {
    consume(sql, &[text], KEY).unwrap()
}

fn appended(handover: &Handover) -> Vec<(String, Vec<String>)> {
    let value: serde_json::Value = serde_json::from_str(&handover.append).unwrap();
    let id = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap().to_owned();
    value["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            let events = part["events"].as_array().unwrap();
            (
                id(part, "id"),
                events.iter().map(|e| id(e, "eventId")).collect(),
            )
        })
        .collect()
}

#[test]
fn a_message_that_comes_again_changes_nothing() {
    let sql = database();
    let text = message("demo", &[(1, vec![10, 11, 12]), (2, vec![13])]);
    let first = take(&sql, &text);
    let duplicates = |handover: &Handover| -> usize {
        let rows = handover
            .confirmations
            .iter()
            .flat_map(|told| &told.duplicates);
        rows.map(|(_, ids)| ids.len()).sum()
    };
    assert_eq!(duplicates(&first), 0);
    for _ in 0..2 {
        assert_eq!(take(&sql, &text), first);
    }
    assert_eq!(sql.number("SELECT count(*) FROM events"), 4);
    assert_eq!(sql.number("SELECT sum(n) FROM minute_counts"), 4);
    assert_eq!(sql.number("SELECT sum(n) FROM hour_counts"), 4);
    assert_eq!(sql.number("SELECT sum(n) FROM daily_counts"), 4);
    assert_eq!(
        sql.number("SELECT n FROM minute_counts WHERE event_type = 'error'"),
        2
    );
    assert_eq!(
        sql.number("SELECT count(*) FROM daily_counts WHERE date = '2024-01-15'"),
        2
    );
}

/// A database of the version before has minutes and no hours.
#[test]
fn the_migration_fills_the_hours_as_the_consumer_does() {
    let sql = database();
    let events: Vec<_> = (0..40)
        .map(|n| event("demo", n, NOW + i64::try_from(n).unwrap() * 400_000))
        .collect();
    take(
        &sql,
        &crate::testing::message("demo", 0, &[(100, NOW, &events)]),
    );
    let hours = || {
        let rows = "SELECT * FROM hour_counts ORDER BY site_id, hour, event_type, source";
        sql.rows::<serde_json::Value>(rows, &[]).unwrap()
    };
    let filled = hours();
    assert_eq!(filled.len(), 10);
    sql.execute_batch("DROP TABLE hour_counts");
    sql.execute_batch(include_str!("../../migrations/0009_hours.sql"));
    assert_eq!(hours(), filled);
}

#[test]
fn a_message_costs_the_same_however_many_events_there_are() {
    #[derive(Deserialize)]
    struct Step {
        detail: String,
    }
    let sql = database();
    for n in 0..300 {
        take(&sql, &message("demo", &[(1000 + n, vec![n])]));
    }
    // With statistics too: a planner that counts must not come to walk the site's ids either.
    for analyze in ["SELECT 1", "ANALYZE"] {
        sql.execute_batch(analyze);
        let text = message("demo", &[(1, vec![1])]);
        let message = Message::parse(&text).unwrap();
        let batch = Batch::of("demo", &[&message], KEY);
        for statement in batch.statements(&[]).into_iter().chain([batch.known()]) {
            let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let steps: Vec<Step> = sql.rows(&plan, &statement.params).unwrap();
            let ids = steps.iter().filter(|step| step.detail.contains(" i "));
            for step in ids {
                assert!(step.detail.contains("event_id=?"), "{}", step.detail);
            }
        }
    }
}

#[test]
fn a_transaction_that_fails_leaves_nothing_behind() {
    let sql = database();
    let text = message("demo", &[(1, vec![10, 11])]);
    for nth in 1.. {
        sql.fail_in(nth);
        let stored = consume(&sql, &[&text], KEY);
        sql.fail_in(u32::MAX);
        match stored {
            Ok(_) => return assert!(nth > 10),
            Err(error) => assert!(matches!(error, NotStored::Refused(_))),
        }
        assert_eq!(sql.number("SELECT count(*) FROM event_ids"), 0);
        assert_eq!(sql.number("SELECT count(*) FROM minute_counts"), 0);
        assert_eq!(sql.number("SELECT count(*) FROM hour_counts"), 0);
    }
}

#[test]
fn a_stored_event_is_what_was_sent_to_the_letter() {
    let sql = database();
    take(&sql, &message("demo", &[(1, vec![10])]));
    let body: String = {
        #[derive(Deserialize)]
        struct Row {
            body: String,
        }
        let row: Option<Row> = sql.first("SELECT body FROM events", &[]).unwrap();
        row.unwrap().body
    };
    assert_eq!(body, event("demo", 10, NOW).to_string());
}

#[test]
fn sites_do_not_suppress_each_others_events() {
    let sql = database();
    take(&sql, &message("one", &[(1, vec![10])]));
    let two = take(&sql, &message("two", &[(2, vec![10])]));
    assert!(two.confirmations[0].duplicates.is_empty());
    assert_eq!(sql.number("SELECT count(*) FROM events"), 2);
}

#[test]
fn an_event_of_two_parts_is_landed_by_the_first_and_named_to_the_second() {
    let sql = database();
    let text = message("demo", &[(1, vec![10, 11]), (2, vec![11, 12])]);
    let handover = take(&sql, &text);
    assert_eq!(
        appended(&handover),
        [
            (row_name(1), vec![uuid(10), uuid(11)]),
            (row_name(2), vec![uuid(12)])
        ]
    );
    let told = &handover.confirmations[0];
    assert_eq!(told.ranges, [(1, 2)]);
    assert_eq!(told.duplicates, [(2, vec![uuid(11)])]);
}

#[test]
fn what_no_outbox_wrote_is_unreadable_and_no_panic() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"site":1}"#,
        "{\"site\":\"a\",\"shard\":0,\"epoch\":\"e\",\"rows\":[[1,5,1,9]]}\n{\"odd\":1}",
        "{\"site\":\"a\",\"shard\":0,\"epoch\":\"e\",\"rows\":[[1,5,2,10]]}\n{\"odd\":1}\n",
        "{\"site\":\"a\",\"shard\":0,\"epoch\":\"e\",\"rows\":[[1,5,1,2]]}\n\"\n",
    ] {
        assert!(Message::parse(text.as_bytes()).is_err(), "{text}");
    }
    let latin = b"{\"site\":\"a\",\"shard\":0,\"epoch\":\"e\",\"rows\":[[1,5,1,2]]}\n\xff\n";
    assert!(Message::parse(latin).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_event_is_counted_and_landed_once_in_any_order_and_repetition(
        parts in prop::collection::vec(prop::collection::btree_set(0_usize..20, 1..6), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..24),
    ) {
        let sql = database();
        let mut landed: std::collections::BTreeMap<String, Vec<String>> = Default::default();
        let mut seen = std::collections::BTreeSet::new();
        for index in &order {
            let id = index.index(parts.len());
            let events: Vec<usize> = parts[id].iter().copied().collect();
            seen.extend(events.iter().copied());
            let text = message("demo", &[(1000 + id, events)]);
            let handover = take(&sql, &text);
            for (part, events) in appended(&handover) {
                // A part that comes again brings the same set.
                let before = landed.entry(part).or_insert_with(|| events.clone());
                prop_assert_eq!(&*before, &events);
            }
        }
        let mut all: Vec<String> = landed.into_values().flatten().collect();
        all.sort();
        let want: Vec<String> = seen.iter().map(|n| uuid(*n)).collect();
        prop_assert_eq!(all, want);
        prop_assert_eq!(sql.number("SELECT count(*) FROM events"), seen.len() as i64);
        prop_assert_eq!(sql.number("SELECT sum(n) FROM minute_counts"), seen.len() as i64);
        prop_assert_eq!(sql.number("SELECT sum(n) FROM hour_counts"), seen.len() as i64);
        prop_assert_eq!(sql.number("SELECT sum(n) FROM daily_counts"), seen.len() as i64);
    }
}
