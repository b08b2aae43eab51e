use std::cell::{Cell, RefCell};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::rollup::brute::{KEY, count, event, read};
use crate::sql::{Sql, SqlError, Statement};
use crate::testing::{NOW, TestSql, block_on, consume, row_name, uuid};

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

/// A message of one row.
fn message(site: &str, row: usize, events: std::ops::Range<usize>) -> Vec<u8> {
    let events: Vec<Value> = events.map(|n| event(site, n)).collect();
    crate::testing::message(site, 0, &[(row, NOW, &events)])
}

fn events(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(|n| event("demo", n)).collect()
}

/// Ids of the events that the lake gets, part by part.
fn landed(handover: &Handover) -> Vec<(String, Vec<String>)> {
    let append: Value = serde_json::from_str(&handover.append).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parts = append["parts"].as_array().unwrap().iter();
    parts
        .map(|part| {
            let events = part["events"].as_array().unwrap().iter();
            let ids = events.map(|event| text(&event["eventId"])).collect();
            (text(&part["id"]), ids)
        })
        .collect()
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(uuid).collect()
}

#[test]
fn messages_are_stored_together_by_site_and_a_replay_alone() {
    let replay = |text: &[u8]| crate::dead_letter::replay_message(text, Replay::Plain).unwrap();
    let (one, two) = (message("one", 1, 0..1), message("two", 2, 0..1));
    let texts = [
        one.clone(),
        two.clone(),
        replay(&one),
        one.clone(),
        replay(&one),
    ];
    let messages: Vec<Message<'_>> = texts.iter().map(|t| Message::parse(t).unwrap()).collect();
    let mut groups = groups((0..texts.len()).collect(), |n| &messages[*n]);
    groups.sort();
    assert_eq!(groups, [vec![0, 3], vec![1], vec![2], vec![4]]);
}

#[test]
fn messages_that_share_events_share_a_transaction_and_each_event_lands_once() {
    let sql = database();
    // The queue brings the first message twice, and the second has some of its events.
    let (first, second) = (message("demo", 1, 0..30), message("demo", 2, 20..50));
    let texts: [&[u8]; 3] = [&first, &second, &first];
    for _ in 0..2 {
        let handover = consume(&sql, &texts, KEY).unwrap();
        assert_eq!(
            landed(&handover),
            [(row_name(1), ids(0..30)), (row_name(2), ids(30..50))]
        );
        let told = &handover.confirmations[0];
        assert_eq!(told.ranges, [(1, 2)]);
        assert_eq!(told.duplicates, [(2, ids(20..30))]);
        assert_eq!(read(&sql, "demo"), count("demo", &events(0..50)));
    }
}

#[test]
fn what_d1_refuses_spoils_its_batch_and_not_its_neighbours_alone() {
    let sql = database();
    sql.execute_batch(&format!(
        "CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.event_id = '{}' \
         BEGIN SELECT RAISE(ABORT, 'poison'); END",
        uuid(5)
    ));
    let (bad, good) = (message("demo", 1, 0..10), message("demo", 2, 10..20));
    for texts in [vec![good.as_slice(), &bad], vec![&bad]] {
        let refused = NotStored::Refused(SqlError("poison".to_owned()));
        assert_eq!(consume(&sql, &texts, KEY), Err(refused));
        assert_eq!(sql.number("SELECT count(*) FROM event_ids"), 0);
    }
    consume(&sql, &[&good], KEY).unwrap();
    assert_eq!(read(&sql, "demo"), count("demo", &events(10..20)));
}

/// A database that does something else before each transaction.
struct Interrupted<'a, F: Fn()>(&'a TestSql, F);

impl<F: Fn()> Database for Interrupted<'_, F> {
    type Error = SqlError;

    async fn transaction<T: DeserializeOwned>(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<T>, SqlError> {
        self.1();
        self.0.batch(statements)
    }
}

#[test]
fn what_other_consumers_store_meanwhile_is_met_again() {
    let sql = database();
    let text = message("demo", 1, 0..20);
    let message_of_all = Message::parse(&text).unwrap();
    let batch = Batch::of("demo", &[&message_of_all], KEY);
    // Two others store some of the events, one before each try.
    let others = RefCell::new(vec![message("demo", 3, 5..10), message("demo", 2, 0..5)]);
    let calls = Cell::new(0);
    let database = Interrupted(&sql, || {
        calls.set(calls.get() + 1);
        // Not between the question what is known and its answer.
        if calls.get() % 2 == 1
            && let Some(other) = others.borrow_mut().pop()
        {
            consume(&sql, &[&other], KEY).unwrap();
        }
    });
    let findings = block_on(store(&database, &batch)).unwrap();
    let handover = Handover::of(&[&message_of_all], &findings);
    assert_eq!(landed(&handover), [(row_name(1), ids(10..20))]);
    assert_eq!(handover.confirmations[0].duplicates, [(1, ids(0..10))]);
    assert_eq!(read(&sql, "demo"), count("demo", &events(0..20)));
}

#[test]
fn a_database_that_is_always_changed_meanwhile_is_given_up_and_asked_again_later() {
    let sql = database();
    let text = message("demo", 1, 0..20);
    let message_of_all = Message::parse(&text).unwrap();
    let batch = Batch::of("demo", &[&message_of_all], KEY);
    let calls = Cell::new(0);
    let database = Interrupted(&sql, || {
        let n = calls.replace(calls.get() + 1);
        consume(&sql, &[&message("demo", 100 + n, n..n + 1)], KEY).unwrap();
    });
    // Not refused: nothing is wrong with it.
    let gone = block_on(store(&database, &batch));
    assert!(matches!(gone, Err(NotStored::Away(_))));
    assert!(consume(&sql, &[&text], KEY).is_ok());
    assert_eq!(read(&sql, "demo"), count("demo", &events(0..20)));
}

#[test]
fn a_database_that_answers_nothing_is_away() {
    struct Nothing;
    impl Database for Nothing {
        type Error = ();
        async fn transaction<T: DeserializeOwned>(&self, _: &[Statement]) -> Result<Vec<T>, ()> {
            Err(())
        }
    }
    let text = message("demo", 1, 0..2);
    let message = Message::parse(&text).unwrap();
    let batch = Batch::of("demo", &[&message], KEY);
    assert_eq!(block_on(store(&Nothing, &batch)), Err(NotStored::Away(())));
}

#[test]
fn a_commit_that_landed_though_it_failed_is_met_as_its_own() {
    let sql = database();
    let text = message("demo", 1, 0..20);
    consume(&sql, &[&text], KEY).unwrap();
    let handover = consume(&sql, &[&text], KEY).unwrap();
    assert_eq!(landed(&handover), [(row_name(1), ids(0..20))]);
    assert!(handover.confirmations[0].duplicates.is_empty());
    let all: Vec<Value> = sql.rows("SELECT event_id FROM events", &[]).unwrap();
    assert_eq!(all.len(), 20);
}

#[test]
fn a_log_whose_storage_was_lost_between_two_messages_is_told_by_its_new_name() {
    let sql = database();
    let first = message("demo", 1, 0..5);
    let text = String::from_utf8(message("demo", 1, 5..9)).unwrap();
    let second = text.replacen("\"epoch\":\"e\"", "\"epoch\":\"later\"", 1);
    let handover = consume(&sql, &[&first, second.as_bytes()], KEY).unwrap();
    // Both are row 1, and neither is taken for the other.
    let parts = [(row_name(1), ids(0..5)), ("later-1".to_owned(), ids(5..9))];
    assert_eq!(landed(&handover), parts);
    let told = handover.confirmations.iter();
    let told: Vec<_> = told.map(|c| (c.epoch.as_str(), c.ranges[0])).collect();
    assert_eq!(told, [("e", (1, 1)), ("later", (1, 1))]);
}
