mod drain;
mod imports;
mod quota;
mod restarts;
mod watch;

use proptest::prelude::*;

use super::*;
use crate::ingest::take_batch;
use crate::protocol::message::Message;
use crate::protocol::{Confirmation, commit};
use crate::read::live::unite;
use crate::testing::{EPOCH, NOW, TestPlatform, TestSql, block_on, lines_of, uuid};

const RESEND: i64 = 120_000;

fn open(sql: &TestSql, now: i64) -> Log<&TestSql> {
    Log::open(sql, RESEND, EPOCH, now).unwrap()
}

/// What the collector sends for a batch of (type, user, event number).
fn publication(batch: Option<usize>, events: &[(&str, &str, usize)], at: i64) -> Vec<u8> {
    let events: Vec<String> = events
        .iter()
        .map(|(event_type, user, n)| {
            let data = match *event_type {
                "page_view" => format!(r#"{{"url":"https://shop.example/p{}"}}"#, n % 3),
                _ => format!(r#"{{"feature":"f{}"}}"#, n % 3),
            };
            format!(
                r#"{{"eventId":"{}","eventType":"{event_type}","userId":"{user}","sessionId":"s","eventData":{data},"metadata":{{"platform":"web"}}}}"#,
                uuid(*n)
            )
        })
        .collect();
    let batch = batch.map_or(String::new(), |n| format!(r#""batchId":"{}","#, uuid(n)));
    let mut platform = TestPlatform::new(format!(r#"{{{batch}"events":[{}]}}"#, events.join(",")));
    platform.now_ms = at;
    let facts = crate::ingest::tests::facts();
    block_on(take_batch(facts, &mut platform)).unwrap();
    platform.published.borrow()[0].body().to_owned()
}

/// A batch of one view.
fn view(batch: usize, event: usize, at: i64) -> Vec<u8> {
    publication(Some(batch), &[("page_view", "u", event)], at)
}

fn commit_at(log: &Log<&TestSql>, body: &[u8], now: i64) -> Result<bool, SqlError> {
    let commit = Commit::parse(body).unwrap();
    log.commit(&commit, now).map(|receipt| receipt.duplicate)
}

fn commit(log: &Log<&TestSql>, body: &[u8]) -> Result<bool, SqlError> {
    commit_at(log, body, NOW)
}

fn live_total(log: &Log<&TestSql>, now: i64) -> i64 {
    let live = unite(vec![log.snapshot(now)], now);
    live.minutes.iter().flat_map(|m| m.counts.values()).sum()
}

fn confirm(log: &Log<&TestSql>, seq: i64, duplicates: &[String], now: i64) {
    let confirmation = Confirmation::of(EPOCH, [(seq, duplicates.to_vec())]);
    log.confirm(&confirmation, now).unwrap();
}

/// Sends what is due, and returns the rows of each message.
fn send_all(log: &Log<&TestSql>, now: i64) -> Vec<Vec<i64>> {
    let mut sent = Vec::new();
    while let Some(message) = log.next_message("demo", 0, now).unwrap() {
        assert!(message.body.len() <= 128_000);
        let rows = Message::parse(&message.body).unwrap().rows;
        sent.push(rows.iter().map(|row| row.seq).collect());
        log.sent(message, now);
    }
    sent
}

fn outcome(log: &Log<&TestSql>, code: &str) -> i64 {
    let state = log.state(NOW).unwrap();
    let entry = state.outcomes.iter().find(|entry| entry.key == code);
    entry.map_or(0, |entry| entry.n)
}

#[test]
fn a_batch_sent_ten_times_counts_once() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let events = [("page_view", "u1", 10), ("feature_use", "u2", 11)];
    let batch = publication(Some(1), &events, NOW);
    assert!(!commit(&log, &batch).unwrap());
    for _ in 0..9 {
        assert!(commit(&log, &batch).unwrap());
    }
    let live = unite(vec![log.snapshot(NOW)], NOW);
    assert_eq!(live_total(&log, NOW), 2);
    assert_eq!(live.active_users, 2);
    assert_eq!(live.top_pages[0].key, "/p1");
    assert_eq!(live.top_features[0].key, "f2");
    assert_eq!(log.outbox_state().unwrap().events, 2);
    assert_eq!(
        (outcome(&log, "accepted"), outcome(&log, "duplicate")),
        (2, 18)
    );
}

#[test]
fn another_batch_under_the_same_id_is_not_lost() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    assert!(!commit(&log, &view(1, 11, NOW)).unwrap());
    assert_eq!(live_total(&log, NOW), 2);
}

#[test]
fn a_batch_without_an_id_is_a_row_less() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let batch = publication(None, &[("page_view", "u", 10)], NOW);
    for _ in 0..2 {
        assert!(!commit(&log, &batch).unwrap());
    }
    assert_eq!(sql.number("SELECT count(*) FROM log"), 2);
    let day = NOW / 86_400_000;
    assert_eq!(
        sql.number(&format!("SELECT count(*) FROM batches_{day}")),
        0
    );
}

#[test]
fn a_batch_is_known_for_a_day_at_least_and_forgotten_by_a_dropped_table() {
    let day = 86_400_000;
    let end = NOW - NOW % day + day - 1;
    let sql = TestSql::new();
    let log = open(&sql, end);
    let batch = view(1, 10, end);
    assert!(!commit_at(&log, &batch, end).unwrap());
    for later in [end + 1, end + day] {
        assert!(commit_at(&log, &batch, later).unwrap());
        assert!(commit_at(&open(&sql, later), &batch, later).unwrap());
    }
    assert!(!commit_at(&log, &batch, end + 1 + day).unwrap());
    let tables = "SELECT count(*) FROM sqlite_master WHERE name GLOB 'batches_*'";
    assert_eq!(sql.number(tables), 2);
    // A clock that is set back knows what is known.
    assert!(commit_at(&log, &batch, end).unwrap());
}

#[test]
fn a_commit_that_fails_anywhere_leaves_nothing() {
    let body = view(1, 10, NOW);
    for nth in 1..=2 {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        sql.fail_in(nth);
        assert!(commit(&log, &body).is_err(), "{nth}");
        assert_eq!(sql.number("SELECT count(*) FROM log"), 0);
        assert_eq!(live_total(&log, NOW), 0);
        assert_eq!(log.outbox_state().unwrap(), OutboxState::default());
        // The sender tries again, and it is not taken for a duplicate.
        assert!(!commit(&log, &body).unwrap());
        assert_eq!(live_total(&log, NOW), 1);
        assert_eq!(send_all(&log, NOW), [[1]]);
    }
}

#[test]
fn an_event_resent_in_another_batch_is_taken_back_once() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    let both = [("page_view", "u", 10), ("page_view", "u", 11)];
    commit(&log, &publication(Some(2), &both, NOW)).unwrap();
    assert_eq!(live_total(&log, NOW), 3);
    for _ in 0..2 {
        confirm(&log, 2, &[uuid(10)], NOW);
        assert_eq!(live_total(&log, NOW), 2);
    }
    let snapshot = log.snapshot(NOW);
    assert_eq!(snapshot.pages.iter().map(|p| p.n).sum::<i64>(), 2);
    assert_eq!(
        (outcome(&log, "accepted"), outcome(&log, "duplicate")),
        (2, 1)
    );
}

#[test]
fn a_confirmation_of_another_log_is_none() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    let other = Confirmation::of("another", [(1, vec![uuid(10)])]);
    assert!(!log.confirm(&other, NOW).unwrap());
    assert_eq!(log.outbox_state().unwrap().events, 1);
    assert_eq!(live_total(&log, NOW), 1);
}

#[test]
fn what_is_old_is_not_shown_and_forgotten() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    assert_eq!(log.snapshot(NOW + ACTIVE_MS + 1).visitors.len(), 0);
    assert_eq!(live_total(&log, NOW + 59 * MINUTE_MS), 1);
    assert_eq!(live_total(&log, NOW + 60 * MINUTE_MS), 0);
    // The log is never pruned: what is not confirmed is not lost.
    log.prune_if_due(NOW + 40 * 86_400_000).unwrap();
    assert_eq!(log.outbox_state().unwrap().events, 1);
    assert!(log.next_due(NOW).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn live_counts_are_the_distinct_events_whatever_is_resent(
        sends in prop::collection::vec((0_usize..4, prop::collection::btree_set(0_usize..12, 1..6)), 1..12),
    ) {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let mut distinct: std::collections::BTreeSet<&usize> = Default::default();
        for (batch, events) in &sends {
            let rows: Vec<(&str, &str, usize)> =
                events.iter().map(|n| ("page_view", "u", 100 + n)).collect();
            commit(&log, &publication(Some(*batch), &rows, NOW)).unwrap();
            distinct.extend(events);
        }
        // What the consumer does: the first row that brings an event owns it.
        let mut owner: std::collections::HashMap<String, i64> = Default::default();
        while let Some(message) = log.next_message("demo", 0, NOW).unwrap() {
            for row in Message::parse(&message.body).unwrap().rows {
                let lines = std::str::from_utf8(row.lines).unwrap().lines();
                let ids = lines.map(|line| {
                    let event: serde_json::Value = serde_json::from_str(line).unwrap();
                    event["eventId"].as_str().unwrap().to_owned()
                });
                let known = ids.filter(|id| *owner.entry(id.clone()).or_insert(row.seq) != row.seq);
                confirm(&log, row.seq, &known.collect::<Vec<_>>(), NOW);
            }
            log.sent(message, NOW);
        }
        prop_assert_eq!(live_total(&log, NOW), distinct.len() as i64);
        prop_assert_eq!(log.outbox_state().unwrap().parts, 0);
    }
}
