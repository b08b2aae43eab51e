use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::auth::sha256_hex;
use crate::lake::Landing;
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

fn open(sql: &TestSql) -> LakeStore<&TestSql> {
    LakeStore::open(sql, RULE, NOW, [1, 2, 3, 4]).unwrap()
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
    assert_eq!(store.due_object(i64::MAX).unwrap(), None);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let object = store.due_object(NOW + RULE.age_ms).unwrap().unwrap();
    assert_eq!(
        object.key,
        "events/date=2024-01-15/hour=16/demo-0-018d0dda143901020304-0000000001.ndjson.gz"
    );
    assert_eq!(store.ndjson(1).unwrap(), "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(object.hash, sha256_hex(b"{\"n\":1}\n{\"n\":2}\n"));
    store.settle(&object, Fate::Done, NOW).unwrap();
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
    let object = store.due_object(now).unwrap().unwrap();
    bucket.put(&object, store.ndjson(object.sequence).unwrap());
    let lost = Landing::Unknown("the connection broke".into());
    store.settle(&object, lost.fate(&object), now).unwrap();
    assert_eq!(store.due_object(now).unwrap(), None);
    let due = store.next_due().unwrap().unwrap();
    assert_eq!(due, now + FIRST_RETRY_MS);
    // Started anew meanwhile, with other random bytes: epoch, key and content stay.
    let store = LakeStore::open(&sql, RULE, due, [9, 9, 9, 9]).unwrap();
    let again = store.due_object(due).unwrap().unwrap();
    assert_eq!((&again.key, &again.hash), (&object.key, &object.hash));
    let landing = bucket.put(&again, store.ndjson(again.sequence).unwrap());
    assert_eq!(landing.fate(&again), Fate::Done);
    store.settle(&again, Fate::Done, due).unwrap();
    assert_eq!(bucket.events().len(), 2);
    assert_eq!(sql.number("SELECT count(*) FROM rows"), 0);
}

#[test]
fn another_content_under_our_key_is_a_conflict_that_loses_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, 1, &[1], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let object = store.due_object(i64::MAX).unwrap().unwrap();
    for there in [None, Some("other".to_owned())] {
        let metadata = there
            .into_iter()
            .map(|hash| ("sha256".to_owned(), hash))
            .collect();
        assert_eq!(Landing::Taken(metadata).fate(&object), Fate::Conflict);
    }
    store.settle(&object, Fate::Conflict, NOW).unwrap();
    let state = store.state().unwrap();
    assert_eq!((state.conflicts, state.pending_events), (1, 1));
    // It does not stand in the way of the next object.
    append(&store, 2, &[2], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    assert_eq!(store.due_object(i64::MAX).unwrap().unwrap().sequence, 2);
}

#[test]
fn an_append_that_fails_leaves_nothing() {
    let sql = TestSql::new();
    let store = open(&sql);
    for nth in 1..=2 {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_event_lands_once_whatever_fails(
        steps in prop::collection::vec((0_usize..10, 0_i64..40_000, 0_u8..4), 1..60),
    ) {
        let sql = TestSql::new();
        let store = open(&sql);
        let mut bucket = Bucket::default();
        let mut appended = std::collections::BTreeSet::new();
        let mut now = NOW;
        let run = |store: &LakeStore<&TestSql>, bucket: &mut Bucket, now: i64, fault: u8| {
            store.seal("demo", 0, now).unwrap();
            while let Some(object) = store.due_object(now).unwrap() {
                let lines = store.ndjson(object.sequence).unwrap();
                let landing = match fault {
                    // Failed and did not land; failed yet landed; landed.
                    1 => Landing::Unknown("lost".into()),
                    2 => {
                        bucket.put(&object, lines);
                        Landing::Unknown("lost".into())
                    }
                    _ => bucket.put(&object, lines),
                };
                store.settle(&object, landing.fate(&object), now).unwrap();
            }
        };
        for (part, wait, fault) in steps {
            now += wait;
            let events: Vec<usize> = (part * 10..part * 10 + 10).collect();
            append(&store, part, &events, NOW + part as i64 * HOUR_MS / 2, now);
            appended.extend(events);
            run(&store, &mut bucket, now, fault);
        }
        run(&store, &mut bucket, now + 10 * HOUR_MS, 0);
        let mut want: Vec<String> = appended.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
        want.sort();
        prop_assert_eq!(bucket.events(), want);
        let state = store.state().unwrap();
        prop_assert_eq!(state.pending_events, 0);
        prop_assert_eq!(state.landed_events, appended.len() as i64);
    }
}
