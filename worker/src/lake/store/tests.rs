use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::hash::sha256_hex;
use crate::base::sql::Cell;
use crate::lake::Delivery;
use crate::lake::testing::{append_lines, ndjson, never_update, unpack};
use crate::sinks::{Failure, Landing, Outcome, SealedObject};
use crate::testing::{NOW, TestSql};

const RULE: SealRule = SealRule {
    bytes: 1_000,
    age_ms: 60_000,
};

fn lines(events: &[usize]) -> Vec<String> {
    events.iter().map(|n| format!("{{\"n\":{n}}}")).collect()
}

/// A segment of these events, received at `at`; answers its number.
fn append(store: &LakeStore<&TestSql>, events: &[usize], at: i64, now: i64) -> i64 {
    append_lines(store, hour_of(at), &lines(events), false, now).unwrap()
}

#[test]
fn what_is_open_is_sealed_at_once_when_asked_for_and_once() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, &[1, 2], NOW, NOW);
    append(&store, &[3], NOW + HOUR_MS, NOW);
    store.seal("demo", 0, NOW).unwrap();
    assert_eq!(due(&store, NOW), None, "too new for the rule");
    for _ in 0..2 {
        store.seal_open("demo", 0, NOW).unwrap();
        assert_eq!(store.state().unwrap().pending_objects, 2);
    }
    assert_eq!(
        store.next_due().unwrap(),
        Some(NOW),
        "the alarm delivers it"
    );
    let object = due(&store, NOW).unwrap().object;
    assert_eq!(ndjson(&store, object.sequence), "{\"n\":1}\n{\"n\":2}\n");
}

#[test]
fn a_table_of_an_earlier_version_gets_the_column_that_it_lacks() {
    let sql = TestSql::new();
    sql.execute_batch(
        "CREATE TABLE segments (seq INTEGER PRIMARY KEY, hour INTEGER NOT NULL, \
         at INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, first_at INTEGER NOT NULL, \
         last_at INTEGER NOT NULL, landed INTEGER NOT NULL DEFAULT 0, columns BLOB NOT NULL, \
         lines BLOB NOT NULL); \
         INSERT INTO segments VALUES (1, 2, 3, 4, 5, 6, 7, 1, x'08', x'09');",
    );
    for _ in 0..2 {
        LakeStore::open(&sql, &settings(&[SinkKind::R2]), NOW, [1, 2, 3, 4]).unwrap();
    }
    let more = "SELECT columns, more, lines FROM segments";
    let rows: Vec<[Cell; 3]> = sql.cells(more, &[]).unwrap();
    let bytes = |byte: &[u8]| Cell::Blob(byte.to_vec());
    assert_eq!(rows, [[bytes(&[8]), bytes(&[]), bytes(&[9])]]);
    let store = open(&sql);
    append(&store, &[1, 2], NOW, NOW);
    store.seal_open("demo", 0, NOW).unwrap();
    let object = due(&store, NOW).unwrap().object;
    assert_eq!(ndjson(&store, object.sequence), "{\"n\":1}\n{\"n\":2}\n");
}

/// A bucket that keeps what is put under a free key.
#[derive(Default)]
struct Bucket(BTreeMap<String, (String, Vec<u8>)>);

impl Bucket {
    fn put(&mut self, object: &SealedObject, packed: Vec<u8>) -> Landing {
        if let Some((hash, _)) = self.0.get(&object.key) {
            return Landing::Taken([("sha256".to_owned(), hash.clone())].into_iter().collect());
        }
        assert_eq!(sha256_hex(&packed), object.hash, "{}", object.key);
        self.0
            .insert(object.key.clone(), (object.hash.clone(), packed));
        Landing::Put
    }

    fn events(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .0
            .values()
            .flat_map(|(_, packed)| {
                let text = unpack(packed);
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        all.sort();
        all
    }
}

fn settings(sinks: &[SinkKind]) -> LakeSettings {
    LakeSettings {
        seal: RULE,
        backlog_bytes: 1_000_000,
        sink_tries: 3,
        sinks: sinks.iter().map(|kind| (*kind, "1".to_owned())).collect(),
    }
}

fn open_with<'a>(sql: &'a TestSql, sinks: &[SinkKind]) -> LakeStore<&'a TestSql> {
    never_update(sql);
    LakeStore::open(sql, &settings(sinks), NOW, [1, 2, 3, 4]).unwrap()
}

fn open(sql: &TestSql) -> LakeStore<&TestSql> {
    open_with(sql, &[SinkKind::R2])
}

fn due(store: &LakeStore<&TestSql>, now: i64) -> Option<Delivery> {
    store.due_delivery(SinkKind::R2, now).unwrap()
}

fn settle(store: &LakeStore<&TestSql>, delivery: &Delivery, outcome: Outcome, now: i64) {
    store.settle(delivery, &outcome, now, 0).unwrap();
}

fn lost() -> Landing {
    Landing::Failed(Failure::passing("no_answer"))
}

#[test]
fn what_waits_and_what_has_landed_is_known_by_hour() {
    let sql = TestSql::new();
    let store = open(&sql);
    let before = NOW - HOUR_MS;
    append(&store, &[1, 2], before, NOW);
    append(&store, &[3], NOW, NOW);
    let hours = |from: i64| {
        let hours = store.hours(from).unwrap();
        let of = |entries: Vec<crate::protocol::hours::Entry>| -> Vec<(i64, i64)> {
            entries
                .iter()
                .map(|entry| (entry.bucket, entry.n))
                .collect()
        };
        (of(hours.done), of(hours.waiting))
    };
    let (first, second) = (before - before % HOUR_MS, NOW - NOW % HOUR_MS);
    assert_eq!(hours(before), (vec![], vec![(first, 2), (second, 1)]));
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let delivery = due(&store, NOW + RULE.age_ms).unwrap();
    settle(&store, &delivery, Outcome::Done, NOW);
    assert_eq!(hours(before), (vec![(first, 2)], vec![(second, 1)]));
    assert_eq!(hours(NOW), (vec![], vec![(second, 1)]));
    store.prune_if_due(NOW + 32 * 24 * HOUR_MS).unwrap();
    assert_eq!(hours(0).0, vec![]);
}

#[test]
fn an_object_holds_one_hour_and_is_sealed_by_size() {
    let sql = TestSql::new();
    let store = open(&sql);
    let many: Vec<usize> = (100..170).collect();
    append(&store, &many, NOW, NOW);
    append(&store, &[1], NOW + HOUR_MS, NOW);
    append(&store, &[2], NOW, NOW);
    append(&store, &many, NOW, NOW);
    assert_eq!(store.next_due().unwrap(), Some(0));
    store.seal("demo", 0, NOW).unwrap();
    // Two segments of 700 bytes do not fit one object of 1,000; the second is not due yet.
    assert_eq!(store.state().unwrap().pending_objects, 1);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    assert_eq!(store.state().unwrap().pending_objects, 3);
    let text = |events: &[usize]| -> String {
        let lines = lines(events).into_iter();
        lines.map(|line| line + "\n").collect()
    };
    // The other hour's segment came between two of the first object's.
    assert_eq!(ndjson(&store, 1), text(&many) + &text(&[2]));
    assert_eq!(ndjson(&store, 2), text(&many));
    assert_eq!(ndjson(&store, 3), text(&[1]));
    let hours = sql.number("SELECT count(DISTINCT substr(key, 1, 30)) FROM objects");
    assert_eq!(hours, 2);
}

#[test]
fn a_segment_larger_than_an_object_is_one_by_itself() {
    let sql = TestSql::new();
    let store = open(&sql);
    let many: Vec<usize> = (100..300).collect();
    append(&store, &[1], NOW, NOW);
    append(&store, &many, NOW, NOW);
    append(&store, &[2], NOW, NOW);
    store.seal_open("demo", 0, NOW).unwrap();
    let sizes: Vec<usize> = (1..=3).map(|n| ndjson(&store, n).len()).collect();
    assert_eq!(sizes, [8, 2_000, 8]);
}

#[test]
fn a_put_that_failed_yet_landed_is_known_by_its_hash() {
    let sql = TestSql::new();
    let store = open(&sql);
    let mut bucket = Bucket::default();
    append(&store, &[1, 2], NOW, NOW);
    let now = NOW + RULE.age_ms;
    store.seal("demo", 0, now).unwrap();
    let first = due(&store, now).unwrap();
    bucket.put(&first.object, store.packed(first.object.sequence).unwrap());
    settle(&store, &first, lost().outcome(&first.object), now);
    assert_eq!(due(&store, now), None);
    let later = store.next_due().unwrap().unwrap();
    assert_eq!(later, now + 2_000);
    // Started anew meanwhile, with other random bytes: epoch, key and content stay.
    let again = LakeStore::open(&sql, &settings(&[SinkKind::R2]), later, [9; 4]).unwrap();
    let second = due(&again, later).unwrap();
    assert_eq!(second.object, first.object);
    let landing = bucket.put(
        &second.object,
        again.packed(second.object.sequence).unwrap(),
    );
    let outcome = landing.outcome(&second.object);
    assert_eq!(outcome, Outcome::Done);
    settle(&again, &second, outcome, later);
    assert_eq!(bucket.events().len(), 2);
    assert_eq!(sql.number("SELECT count(*) FROM objects"), 0);
}

#[test]
fn another_content_under_our_key_is_a_conflict_that_loses_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, &[1], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let delivery = due(&store, i64::MAX).unwrap();
    for there in [None, Some("other".to_owned())] {
        let metadata = there
            .into_iter()
            .map(|hash| ("sha256".to_owned(), hash))
            .collect();
        let outcome = Landing::Taken(metadata).outcome(&delivery.object);
        assert_eq!(outcome, Outcome::Conflict);
    }
    settle(&store, &delivery, Outcome::Conflict, NOW);
    let state = store.state().unwrap();
    assert_eq!((state.conflicts, state.pending_events), (1, 1));
    assert_eq!(state.sinks[0].conflicts, 1);
    assert_eq!(store.next_due().unwrap(), None);
    // It does not stand in the way of the next object.
    append(&store, &[2], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    assert_eq!(due(&store, i64::MAX).unwrap().object.sequence, 2);
}

#[test]
fn segments_are_sealed_by_age_and_stay_when_they_have_landed() {
    let sql = TestSql::new();
    let store = open(&sql);
    assert_eq!(store.next_due().unwrap(), None);
    append(&store, &[1, 2], NOW, NOW);
    assert_eq!(store.state().unwrap().pending_events, 2);
    assert_eq!(store.next_due().unwrap(), Some(NOW + RULE.age_ms));
    store.seal("demo", 0, NOW + RULE.age_ms - 1).unwrap();
    assert_eq!(due(&store, i64::MAX), None);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let delivery = due(&store, NOW + RULE.age_ms).unwrap();
    let object = &delivery.object;
    assert_eq!(
        object.key,
        "events/date=2024-01-15/hour=16/demo-0-018d0dda143901020304-0000000001.ndjson.gz"
    );
    let packed = store.packed(1).unwrap();
    assert_eq!(unpack(&packed), "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(object.hash, sha256_hex(&packed));
    settle(&store, &delivery, Outcome::Done, NOW);
    assert_eq!(store.state().unwrap().pending_events, 0);
    assert_eq!(store.state().unwrap().landed_events, 2);
    assert_eq!(store.next_due().unwrap(), None);
    assert_eq!(sql.number("SELECT count(*) FROM segments"), 1);
}

#[test]
fn an_append_that_fails_leaves_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    for nth in 1..=3 {
        sql.fail_in(nth);
        assert!(append_lines(&store, 1, &lines(&[1]), false, NOW).is_err());
        assert_eq!(sql.number("SELECT count(*) FROM segments"), 0);
        assert_eq!(sql.number("SELECT count(*) FROM open_hours"), 0);
        assert_eq!(store.state().unwrap().pending_events, 0);
    }
    append(&store, &[1], NOW, NOW);
    assert_eq!(store.state().unwrap().pending_events, 1);
}

#[test]
fn a_full_backlog_takes_nothing_new_and_forgets_nothing() {
    let sql = TestSql::new();
    let small = LakeSettings {
        backlog_bytes: 20,
        ..settings(&[SinkKind::R2])
    };
    let store = LakeStore::open(&sql, &small, NOW, [0; 4]).unwrap();
    append(&store, &[1, 2], NOW, NOW);
    assert!(store.fits(4).unwrap());
    assert!(!store.fits(5).unwrap());
    let more = || append_lines(&store, hour_of(NOW), &lines(&[3]), false, NOW);
    let refused = more().unwrap_err();
    assert!(refused.0.contains("full"), "{refused}");
    // What comes from the lake does not wait for it.
    append_lines(&store, hour_of(NOW), &lines(&[4, 5, 6]), true, NOW).unwrap();
    let state = store.state().unwrap();
    assert_eq!((state.pending_events, state.pending_bytes), (2, 16));
    assert_eq!(state.backlog_limit_bytes, 20);
    let now = NOW + RULE.age_ms;
    store.seal("demo", 0, now).unwrap();
    assert!(!store.fits(5).unwrap(), "sealed, it still waits");
    settle(&store, &due(&store, now).unwrap(), Outcome::Done, now);
    // There is room again.
    more().unwrap();
    assert_eq!(store.state().unwrap().pending_events, 1);
}

mod held;
mod refused;
mod sinks;
