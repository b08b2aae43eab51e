mod imports;
mod quota;
mod watch;

use proptest::prelude::*;

use super::*;
use crate::ingest::take_batch;
use crate::outbox::MESSAGES_PER_RUN;
use crate::read::live::unite;
use crate::testing::{NOW, TestPlatform, TestSql, block_on, uuid};

const RESEND: i64 = 120_000;

/// What the collector sends for a batch of (type, user, event number).
fn publication(batch: Option<usize>, events: &[(&str, &str, usize)], at: i64) -> String {
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
    platform.published.borrow()[0].json().to_owned()
}

fn commit(store: &SiteStore<&TestSql>, json: &str) -> Result<bool, SqlError> {
    let commit: Commit<'_> = serde_json::from_str(json).unwrap();
    store.commit(&commit).map(|receipt| receipt.duplicate)
}

fn live_total(store: &SiteStore<&TestSql>, now: i64) -> i64 {
    let live = unite(vec![store.snapshot(now).unwrap()], now);
    live.minutes.iter().flat_map(|m| m.counts.values()).sum()
}

fn confirm(store: &SiteStore<&TestSql>, id: &str, duplicates: &[String]) {
    let part = ConfirmedPart {
        id: id.into(),
        duplicates: duplicates.to_vec(),
    };
    store.confirm(&Confirmation { parts: vec![part] }).unwrap();
}

#[test]
fn kinds_are_named_alike_in_rust_and_in_the_table() {
    for kind in [
        Kind::Type,
        Kind::Page,
        Kind::Feature,
        Kind::Outcome,
        Kind::Quota,
        Kind::Imported,
    ] {
        let json = serde_json::to_string(&kind).unwrap();
        assert_eq!(json, format!("\"{}\"", kind_name(kind)));
    }
}

#[test]
fn a_batch_sent_ten_times_counts_once() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    let batch = publication(
        Some(1),
        &[("page_view", "u1", 10), ("feature_use", "u2", 11)],
        NOW,
    );
    assert!(!commit(&store, &batch).unwrap());
    for _ in 0..9 {
        assert!(commit(&store, &batch).unwrap());
    }
    let snapshot = store.snapshot(NOW).unwrap();
    let live = unite(vec![snapshot.clone()], NOW);
    assert_eq!(live_total(&store, NOW), 2);
    assert_eq!(live.active_users, 2);
    assert_eq!(live.top_pages[0].key, "/p1");
    assert_eq!(live.top_features[0].key, "f2");
    assert_eq!(store.outbox_state().unwrap().events, 2);
    let state = store.state(NOW).unwrap();
    let outcome = |code: &str| state.outcomes.iter().find(|e| e.key == code).unwrap().n;
    assert_eq!((outcome("accepted"), outcome("duplicate")), (2, 18));
}

#[test]
fn another_batch_under_the_same_id_is_not_lost() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    commit(
        &store,
        &publication(Some(1), &[("page_view", "u", 10)], NOW),
    )
    .unwrap();
    let other = publication(Some(1), &[("page_view", "u", 11)], NOW);
    assert!(!commit(&store, &other).unwrap());
    assert_eq!(live_total(&store, NOW), 2);
}

#[test]
fn a_commit_that_fails_anywhere_leaves_nothing() {
    let json = publication(Some(1), &[("page_view", "u", 10)], NOW);
    for nth in 1..=4 {
        let sql = TestSql::new();
        let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
        sql.fail_in(nth);
        assert!(commit(&store, &json).is_err(), "{nth}");
        for table in ["batches", "counters", "visitors", "outbox"] {
            assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), 0);
        }
        // The sender tries again, and it is not taken for a duplicate.
        assert!(!commit(&store, &json).unwrap());
        assert_eq!(live_total(&store, NOW), 1);
    }
}

#[test]
fn a_part_is_sent_again_until_it_is_confirmed() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    assert_eq!(store.next_due().unwrap(), None);
    commit(
        &store,
        &publication(Some(1), &[("page_view", "u", 10)], NOW),
    )
    .unwrap();
    assert_eq!(store.outbox_due().unwrap(), Some(NOW));
    let mut now = NOW;
    let mut waits = Vec::new();
    for n in 0..3 {
        let messages = store.due_messages("demo", 0, now).unwrap();
        assert_eq!(messages.len(), 1);
        assert!(
            messages[0]
                .body
                .starts_with(r#"{"site":"demo","shard":0,"parts":[{"id":""#)
        );
        store.mark_sent(&messages[0], &uuid(n), now).unwrap();
        assert!(store.due_messages("demo", 0, now).unwrap().is_empty());
        let due = store.outbox_due().unwrap().unwrap();
        waits.push(due - now);
        now = due;
    }
    assert_eq!(waits, [RESEND, 2 * RESEND, 4 * RESEND]);
    let part = store.due_messages("demo", 0, now).unwrap()[0].part_ids[0].clone();
    confirm(&store, &part, &[]);
    confirm(&store, &part, &[]);
    assert_eq!(store.outbox_state().unwrap(), OutboxState::default());
    assert_eq!(store.outbox_due().unwrap(), None);
    assert_eq!(live_total(&store, NOW), 1);
}

#[test]
fn an_event_resent_in_another_batch_is_taken_back_once() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    commit(
        &store,
        &publication(Some(1), &[("page_view", "u", 10)], NOW),
    )
    .unwrap();
    commit(
        &store,
        &publication(
            Some(2),
            &[("page_view", "u", 10), ("page_view", "u", 11)],
            NOW,
        ),
    )
    .unwrap();
    assert_eq!(live_total(&store, NOW), 3);
    let message = &store.due_messages("demo", 0, NOW).unwrap()[0];
    for _ in 0..2 {
        confirm(&store, &message.part_ids[1], &[uuid(10)]);
        assert_eq!(live_total(&store, NOW), 2);
    }
    let snapshot = store.snapshot(NOW).unwrap();
    assert_eq!(snapshot.pages.iter().map(|p| p.n).sum::<i64>(), 2);
    let state = store.state(NOW).unwrap();
    let outcome = |code: &str| state.outcomes.iter().find(|e| e.key == code).unwrap().n;
    assert_eq!((outcome("accepted"), outcome("duplicate")), (2, 1));
}

#[test]
fn a_stalled_consumer_is_not_drowned() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    let big = "x".repeat(900);
    // Each batch is far over half a message, so that each is a message of its own.
    for batch in 0..70 {
        let events: Vec<String> = (0..80)
            .map(|n| {
                format!(
                    r#"{{"eventId":"{}","eventType":"page_view","userId":"u","sessionId":"s","eventData":{{"title":"{big}"}},"metadata":{{"platform":"web"}}}}"#,
                    uuid(batch * 100 + n)
                )
            })
            .collect();
        let body = format!(
            r#"{{"batchId":"{}","events":[{}]}}"#,
            uuid(batch),
            events.join(",")
        );
        let mut platform = TestPlatform::new(body);
        block_on(take_batch(crate::ingest::tests::facts(), &mut platform)).unwrap();
        commit(&store, platform.published.borrow()[0].json()).unwrap();
    }
    let mut sent = 0;
    loop {
        let messages = store.due_messages("demo", 0, NOW).unwrap();
        if messages.is_empty() {
            break;
        }
        for message in &messages {
            assert!(message.body.len() <= 128_000);
            store.mark_sent(message, &uuid(sent), NOW).unwrap();
            sent += 1;
        }
    }
    assert_eq!(sent, 64);
    assert_eq!(store.outbox_state().unwrap().unconfirmed_messages, 64);
    // The next thing to do is to send again what is overdue; nothing new until a confirmation.
    assert_eq!(store.outbox_due().unwrap(), Some(NOW + RESEND));
    let later = NOW + RESEND;
    let again = store.due_messages("demo", 0, later).unwrap();
    assert!(!again.is_empty());
    let again_ids: Vec<&String> = again.iter().flat_map(|m| &m.part_ids).collect();
    for id in &again_ids {
        let sends = sql.number(&format!("SELECT sends FROM outbox WHERE part_id = '{id}'"));
        assert_eq!(sends, 1);
    }
    // A confirmation makes room for something new.
    for id in again_ids {
        confirm(&store, id, &[]);
    }
    assert_eq!(store.outbox_due().unwrap(), Some(NOW));
}

#[test]
fn what_is_old_is_pruned_and_not_shown_before() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    commit(
        &store,
        &publication(Some(1), &[("page_view", "u", 10)], NOW),
    )
    .unwrap();
    let after_five = NOW + ACTIVE_MS + 1;
    assert_eq!(store.snapshot(after_five).unwrap().visitors.len(), 0);
    assert_eq!(live_total(&store, NOW + 59 * MINUTE_MS), 1);
    assert_eq!(live_total(&store, NOW + 60 * MINUTE_MS), 0);
    store.prune_if_due(NOW + 62 * MINUTE_MS).unwrap();
    assert_eq!(
        sql.number("SELECT count(*) FROM counters WHERE kind <> 'o'"),
        0
    );
    assert_eq!(sql.number("SELECT count(*) FROM visitors"), 0);
    assert_eq!(sql.number("SELECT count(*) FROM batches"), 1);
    store.prune_if_due(NOW + BATCH_MEMORY_MS + 1).unwrap();
    assert_eq!(sql.number("SELECT count(*) FROM batches"), 0);
    // The outbox is never pruned: what is not confirmed is not lost.
    assert_eq!(store.outbox_state().unwrap().events, 1);
    assert!(store.next_due().unwrap().is_some());
}

#[test]
fn an_instance_that_lives_for_a_moment_prunes_all_the_same() {
    let sql = TestSql::new();
    let open = |now| SiteStore::open(&sql, RESEND, now).unwrap();
    let store = open(NOW);
    commit(
        &store,
        &publication(Some(1), &[("page_view", "u", 10)], NOW),
    )
    .unwrap();
    let part = store.due_messages("demo", 0, NOW).unwrap()[0].part_ids[0].clone();
    confirm(&store, &part, &[]);
    // As on the platform: each alarm, and each minute's cron, wakes another instance.
    let mut rings_at = open(NOW + 1).next_due().unwrap();
    let mut rings = 0;
    while let Some(now) = rings_at {
        assert_eq!(
            open(now - 30_000).next_due().unwrap(),
            Some(now),
            "not put off"
        );
        open(now).prune_if_due(now).unwrap();
        let next = open(now).next_due().unwrap();
        assert!(next.is_none_or(|next| next > now), "not at once again");
        rings_at = next;
        rings += 1;
    }
    // Ten minutes apart, until the batch's id is forgotten after a day; then it rests.
    assert!((144..=146).contains(&rings), "{rings}");
    assert_eq!(sql.number("SELECT count(*) FROM visitors"), 0);
    assert_eq!(sql.number("SELECT count(*) FROM batches"), 0);
}

#[test]
fn parts_that_may_not_be_sent_do_not_hide_those_that_must_be() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    let row = |n: usize, bytes: usize, message: &str, sends: i64| {
        sql.execute_batch(&format!(
            "INSERT INTO outbox (part_id, at, n, bytes, events, due_at, message, sends) \
             VALUES ('{}', {NOW}, 1, {bytes}, '[]', {NOW}, {message}, {sends})",
            uuid(n)
        ));
    };
    // More small parts that were never sent than a run looks at, then as many sent messages as may
    // be unconfirmed.
    (0..600).for_each(|n| row(n, 10, "NULL", 0));
    (600..664).for_each(|n| row(n, 90_000, &format!("'m{n}'"), 1));
    let messages = store.due_messages("demo", 0, NOW).unwrap();
    assert_eq!(messages.len(), MESSAGES_PER_RUN);
    assert_eq!(messages[0].part_ids, [uuid(600)]);
}

#[test]
fn a_part_that_never_succeeds_goes_alone() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    for n in 0..3 {
        commit(&store, &publication(Some(n), &[("page_view", "u", n)], NOW)).unwrap();
    }
    assert_eq!(store.due_messages("demo", 0, NOW).unwrap().len(), 1);
    sql.execute_batch("UPDATE outbox SET sends = 3 WHERE seq = 2");
    let messages = store.due_messages("demo", 0, NOW).unwrap();
    let sizes: Vec<usize> = messages.iter().map(|m| m.part_ids.len()).collect();
    assert_eq!(sizes, [1, 1, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn live_counts_are_the_distinct_events_whatever_is_resent(
        sends in prop::collection::vec((0_usize..4, prop::collection::vec(0_usize..12, 1..6)), 1..12),
    ) {
        let sql = TestSql::new();
        let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
        let mut owner: std::collections::HashMap<usize, String> = Default::default();
        let mut distinct = std::collections::BTreeSet::new();
        for (batch, events) in &sends {
            let mut events = events.clone();
            events.dedup();
            let unique: std::collections::BTreeSet<usize> = events.into_iter().collect();
            let rows: Vec<(&str, &str, usize)> =
                unique.iter().map(|n| ("page_view", "u", 100 + n)).collect();
            commit(&store, &publication(Some(*batch), &rows, NOW)).unwrap();
            distinct.extend(unique);
        }
        // What the consumer does: the first part that brings an event owns it.
        for message in store.due_messages("demo", 0, NOW).unwrap() {
            let value: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            for part in value["parts"].as_array().unwrap() {
                let id = part["id"].as_str().unwrap();
                let mut duplicates = Vec::new();
                for event in part["events"].as_array().unwrap() {
                    let event_id = event["eventId"].as_str().unwrap().to_owned();
                    let n = usize::from_str_radix(&event_id[24..], 16).unwrap() - 100;
                    if owner.entry(n).or_insert_with(|| id.to_owned()) != id {
                        duplicates.push(event_id);
                    }
                }
                confirm(&store, id, &duplicates);
            }
        }
        prop_assert_eq!(live_total(&store, NOW), distinct.len() as i64);
        prop_assert_eq!(store.outbox_state().unwrap().parts, 0);
    }
}
