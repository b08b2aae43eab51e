use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::auth::sha256_hex;
use crate::lake::{Append, Delivery, Landing, Outcome, SealedObject};
use crate::sinks::Failure;
use crate::testing::{NOW, TestSql, uuid};

const RULE: SealRule = SealRule {
    bytes: 1_000,
    age_ms: 60_000,
};

fn append(store: &LakeStore<&TestSql>, part: usize, events: &[usize], at: i64, now: i64) {
    let events: Vec<String> = events.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
    let json = format!(
        r#"{{"parts":[{{"id":"{}","at":{at},"events":[{}]}}]}}"#,
        uuid(part),
        events.join(",")
    );
    store
        .append(&serde_json::from_str(&json).unwrap(), now)
        .unwrap();
}

#[test]
fn what_is_open_is_sealed_at_once_when_asked_for_and_once() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, 1, &[1, 2], NOW, NOW);
    append(&store, 2, &[3], NOW + HOUR_MS, NOW);
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
    assert_eq!(
        store.ndjson(object.sequence).unwrap(),
        "{\"n\":1}\n{\"n\":2}\n"
    );
}

/// A bucket that keeps what is put under a free key.
#[derive(Default)]
struct Bucket(BTreeMap<String, (String, String)>);

impl Bucket {
    fn put(&mut self, object: &SealedObject, lines: String) -> Landing {
        if let Some((hash, _)) = self.0.get(&object.key) {
            return Landing::Taken([("sha256".to_owned(), hash.clone())].into_iter().collect());
        }
        self.0
            .insert(object.key.clone(), (object.hash.clone(), lines));
        Landing::Put
    }

    fn events(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .0
            .values()
            .flat_map(|(_, lines)| lines.lines().map(str::to_owned))
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
fn a_part_is_appended_once_and_sealed_by_age() {
    let sql = TestSql::new();
    let store = open(&sql);
    assert_eq!(store.next_due().unwrap(), None);
    for _ in 0..3 {
        append(&store, 1, &[1, 2], NOW, NOW);
    }
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
    assert_eq!(store.ndjson(1).unwrap(), "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(object.hash, sha256_hex(b"{\"n\":1}\n{\"n\":2}\n"));
    settle(&store, &delivery, Outcome::Done, NOW);
    // Known for 15 days, however late it comes again; later it is refused.
    store.prune_if_due(NOW + PART_MEMORY_MS).unwrap();
    append(&store, 1, &[1, 2], NOW, NOW + PART_MEMORY_MS);
    store.prune_if_due(NOW + PART_MEMORY_MS + HOUR_MS).unwrap();
    assert_eq!(sql.number("SELECT count(*) FROM parts"), 0);
    let json = format!(
        r#"{{"parts":[{{"id":"{}","at":{NOW},"events":[{{}}]}}]}}"#,
        uuid(1)
    );
    let late = serde_json::from_str(&json).unwrap();
    assert!(store.append(&late, NOW + PART_MEMORY_MS + HOUR_MS).is_err());
    assert_eq!(store.state().unwrap().pending_events, 0);
    assert_eq!(store.state().unwrap().landed_events, 2);
    assert_eq!(store.next_due().unwrap(), None);
}

#[test]
fn what_waits_and_what_has_landed_is_known_by_hour() {
    let sql = TestSql::new();
    let store = open(&sql);
    let before = NOW - HOUR_MS;
    append(&store, 1, &[1, 2], before, NOW);
    append(&store, 2, &[3], NOW, NOW);
    let hours = |from: i64| {
        let hours = store.hours(from).unwrap();
        let of = |entries: Vec<crate::log::Entry>| -> Vec<(i64, i64)> {
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
fn what_is_landed_by_force_is_remembered_from_then_on() {
    let sql = TestSql::new();
    let store = open(&sql);
    let late = NOW + PART_MEMORY_MS + HOUR_MS;
    let part = format!(r#"{{"id":"{}","at":{NOW},"events":[{{"n":1}}]}}"#, uuid(1));
    let forced = format!(r#"{{"forced":true,"parts":[{part}]}}"#);
    // The confirmation is lost, what is old is forgotten, and the replay is asked for again.
    for hour in 0..3 {
        let now = late + hour * HOUR_MS;
        store
            .append(&serde_json::from_str(&forced).unwrap(), now)
            .unwrap();
        store.prune_if_due(now).unwrap();
    }
    assert_eq!(sql.number("SELECT sum(n) FROM rows"), 1);
}

#[test]
fn an_object_holds_one_hour_and_is_sealed_by_size() {
    let sql = TestSql::new();
    let store = open(&sql);
    let many: Vec<usize> = (100..170).collect();
    append(&store, 1, &many, NOW, NOW);
    append(&store, 2, &[1], NOW + HOUR_MS, NOW);
    append(&store, 3, &many, NOW, NOW);
    assert_eq!(store.next_due().unwrap(), Some(0));
    store.seal("demo", 0, NOW).unwrap();
    // Two parts of 700 bytes do not fit one object of 1,000; the second is not due yet.
    assert_eq!(store.state().unwrap().pending_objects, 1);
    assert!(store.ndjson(1).unwrap().len() <= 1_000);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    assert_eq!(store.state().unwrap().pending_objects, 3);
    let hours = sql.number("SELECT count(DISTINCT substr(key, 1, 30)) FROM objects");
    assert_eq!(hours, 2);
    assert_eq!(
        sql.number(
            "SELECT max(h) FROM (SELECT count(DISTINCT hour) AS h FROM rows GROUP BY sequence)"
        ),
        1
    );
}

#[test]
fn a_put_that_failed_yet_landed_is_known_by_its_hash() {
    let sql = TestSql::new();
    let store = open(&sql);
    let mut bucket = Bucket::default();
    append(&store, 1, &[1, 2], NOW, NOW);
    let now = NOW + RULE.age_ms;
    store.seal("demo", 0, now).unwrap();
    let first = due(&store, now).unwrap();
    bucket.put(&first.object, store.ndjson(first.object.sequence).unwrap());
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
        again.ndjson(second.object.sequence).unwrap(),
    );
    let outcome = landing.outcome(&second.object);
    assert_eq!(outcome, Outcome::Done);
    settle(&again, &second, outcome, later);
    assert_eq!(bucket.events().len(), 2);
    assert_eq!(sql.number("SELECT count(*) FROM rows"), 0);
}

#[test]
fn another_content_under_our_key_is_a_conflict_that_loses_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, 1, &[1], NOW, NOW);
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
    append(&store, 2, &[2], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    assert_eq!(due(&store, i64::MAX).unwrap().object.sequence, 2);
}

#[test]
fn parts_that_come_together_share_rows_no_larger_than_an_object() {
    let sql = TestSql::new();
    let store = open(&sql);
    // A part brings about 100 bytes in two hours; the first comes twice.
    let part = |id: usize| {
        let events: Vec<String> = (0..10)
            .map(|n| format!("{{\"n\":{}}}", id * 10 + n))
            .collect();
        let hours: Vec<i64> = (0..10).map(|n| n % 2).collect();
        let id = uuid(id);
        format!(
            r#"{{"id":"{id}","at":{NOW},"hours":{hours:?},"events":[{}]}}"#,
            events.join(",")
        )
    };
    let parts: Vec<String> = [1, 1].into_iter().chain(2..=40).map(part).collect();
    let json = format!(r#"{{"parts":[{}]}}"#, parts.join(","));
    for _ in 0..2 {
        store
            .append(&serde_json::from_str(&json).unwrap(), NOW)
            .unwrap();
        let rows = sql.number("SELECT count(*) FROM rows");
        assert!((2..80).contains(&rows), "{rows}");
        assert_eq!(sql.number("SELECT sum(n) FROM rows"), 400);
        let most = sql.number("SELECT max(bytes) FROM rows");
        assert!((50..=RULE.bytes).contains(&most), "{most}");
        assert_eq!(
            sql.number("SELECT sum(bytes) - sum(length(lines)) FROM rows"),
            0
        );
    }
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let mut landed = String::new();
    for sequence in 1..=sql.number("SELECT count(*) FROM objects") {
        landed.push_str(&store.ndjson(sequence).unwrap());
    }
    // Of each hour, in the order they came.
    let of = |hour: usize| (10..410).filter(move |n| n % 2 == hour);
    let want: String = of(0)
        .chain(of(1))
        .map(|n| format!("{{\"n\":{n}}}\n"))
        .collect();
    assert_eq!(landed, want);
}

#[test]
fn an_append_that_fails_leaves_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    for nth in 1..=3 {
        sql.fail_in(nth);
        let json = format!(
            r#"{{"parts":[{{"id":"{}","at":{NOW},"events":[{{"n":1}}]}}]}}"#,
            uuid(1)
        );
        let parts: Append<'_> = serde_json::from_str(&json).unwrap();
        assert!(store.append(&parts, NOW).is_err());
        assert_eq!(sql.number("SELECT count(*) FROM parts"), 0);
    }
    append(&store, 1, &[1], NOW, NOW);
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
    append(&store, 1, &[1, 2], NOW, NOW);
    let json = format!(
        r#"{{"parts":[{{"id":"{}","at":{NOW},"events":[{{"n":3}}]}}]}}"#,
        uuid(2)
    );
    let more: Append<'_> = serde_json::from_str(&json).unwrap();
    let refused = store.append(&more, NOW).unwrap_err();
    assert!(refused.0.contains("full"), "{refused}");
    // A part that is there already is confirmed all the same.
    append(&store, 1, &[1, 2], NOW, NOW);
    let state = store.state().unwrap();
    assert_eq!((state.pending_events, state.pending_bytes), (2, 16));
    assert_eq!(state.backlog_limit_bytes, 20);
    let now = NOW + RULE.age_ms;
    store.seal("demo", 0, now).unwrap();
    settle(&store, &due(&store, now).unwrap(), Outcome::Done, now);
    // There is room again, and what was refused was not remembered as appended.
    store.append(&more, now).unwrap();
    assert_eq!(store.state().unwrap().pending_events, 1);
}

mod refused;
mod sinks;
