//! A sink that refuses: not for ever, and nothing is lost by it.

use super::sinks::{fail, sealed, state};
use super::*;
use crate::lake::{RefusedObject, Retry};
use crate::sinks::SinkKind::{R2, S3};

/// The next attempt, which the sink refuses; when it was.
fn refuse(store: &LakeStore<&TestSql>) -> i64 {
    let now = store.next_due().unwrap().unwrap();
    fail(store, S3, Failure::lasting("AccessDenied"), now);
    now
}

fn retry(object: &RefusedObject) -> Retry {
    Retry {
        sink: object.sink,
        key: object.key.clone(),
    }
}

#[test]
fn what_is_refused_as_often_as_is_tried_is_set_aside_and_told_until_it_is_listed() {
    let sql = TestSql::new();
    let (store, _) = sealed(&sql, &[S3]);
    refuse(&store);
    refuse(&store);
    assert_eq!(store.to_list(i64::MAX).unwrap(), []);
    assert_eq!(state(&store, S3).dead_objects, 0);
    let now = refuse(&store);
    assert_eq!(state(&store, S3).dead_objects, 1);
    assert_eq!(store.due_delivery(S3, i64::MAX).unwrap(), None);
    // The object wakes to tell it, and once more where that failed.
    assert_eq!(store.next_due().unwrap(), Some(now));
    let told = store.to_list(now).unwrap();
    assert_eq!((told.len(), told[0].sink, told[0].events), (1, S3, 5));
    assert_eq!(
        (&*told[0].code, told[0].hour_ms),
        ("AccessDenied", NOW - NOW % 3_600_000)
    );
    assert_eq!(store.to_list(now).unwrap(), []);
    let again = store.next_due().unwrap().unwrap();
    assert_eq!(again, now + 60_000);
    assert_eq!(store.to_list(again).unwrap(), told);
    store.listed(&told, now).unwrap();
    // A day later it is listed again: the list may have been lost.
    assert_eq!(store.to_list(now + 23 * 3_600_000).unwrap(), []);
    assert_eq!(store.next_due().unwrap(), Some(now + 24 * 3_600_000));
    let daily = store.to_list(now + 24 * 3_600_000).unwrap();
    assert_eq!(daily, told);
    store.listed(&daily, i64::MAX).unwrap();
    // It is here whole.
    let there = state(&store, S3);
    assert_eq!((there.dead_objects, there.pending_events), (1, 5));
    assert_eq!(ndjson(&store, 1).lines().count(), 5);

    // What comes later is tried once, not until it was refused as often.
    append(&store, &[6], NOW, now);
    store.seal("demo", 0, now + RULE.age_ms).unwrap();
    refuse(&store);
    assert_eq!(state(&store, S3).dead_objects, 2);
    assert_eq!(store.to_list(i64::MAX - 60_000).unwrap().len(), 1);
}

#[test]
fn a_replay_takes_it_up_again_and_it_lands_once() {
    let sql = TestSql::new();
    let (store, _) = sealed(&sql, &[R2, S3]);
    let to_r2 = due(&store, i64::MAX).unwrap();
    settle(&store, &to_r2, Outcome::Done, NOW);
    refuse(&store);
    refuse(&store);
    let now = refuse(&store);
    let told = store.to_list(now).unwrap();
    store.listed(&told, now).unwrap();
    let elsewhere = Retry {
        sink: R2,
        ..retry(&told[0])
    };
    assert!(!store.retry(&elsewhere).unwrap(), "R2 has it");
    assert!(store.retry(&retry(&told[0])).unwrap());
    assert!(
        !store.retry(&retry(&told[0])).unwrap(),
        "it is tried already"
    );
    // At once, and with as many tries as at first.
    let delivery = store.due_delivery(S3, now).unwrap().unwrap();
    assert_eq!((delivery.tries, &delivery.object.key), (0, &told[0].key));
    fail(&store, S3, Failure::lasting("AccessDenied"), now);
    assert_eq!(state(&store, S3).dead_objects, 0);
    let delivery = store.due_delivery(S3, i64::MAX).unwrap().unwrap();
    settle(&store, &delivery, Outcome::Done, now);
    let full = store.state().unwrap();
    assert_eq!((full.pending_objects, full.landed_events), (0, 5));
    assert!(!store.retry(&retry(&told[0])).unwrap(), "it is gone");
}

#[test]
fn failures_that_pass_are_never_dead_letters_and_begin_the_count_anew() {
    let sql = TestSql::new();
    let (store, mut now) = sealed(&sql, &[S3]);
    for round in 0..30 {
        let failure = match round % 3 {
            2 => Failure::passing("InternalError"),
            _ => Failure::lasting("AccessDenied"),
        };
        fail(&store, S3, failure, now);
        now = store.next_due().unwrap().unwrap();
    }
    assert_eq!(state(&store, S3).dead_objects, 0);
    assert!(store.due_delivery(S3, now).unwrap().is_some());
}

#[test]
fn a_secret_that_was_mended_counts_anew_and_leaves_what_is_set_aside() {
    let sql = TestSql::new();
    let (store, _) = sealed(&sql, &[S3]);
    for _ in 0..3 {
        refuse(&store);
    }
    let mended = LakeSettings {
        sinks: vec![(S3, "2".into())],
        ..settings(&[])
    };
    let store = LakeStore::open(&sql, &mended, NOW, [0; 4]).unwrap();
    assert_eq!(store.due_delivery(S3, i64::MAX).unwrap(), None);
    append(&store, &[6], NOW, NOW);
    store.seal("demo", 0, i64::MAX).unwrap();
    assert_eq!(store.to_list(i64::MAX - 60_000).unwrap().len(), 1);
    let delivery = store.due_delivery(S3, i64::MAX).unwrap().unwrap();
    store
        .settle(
            &delivery,
            &Outcome::Failed(Failure::lasting("AccessDenied")),
            NOW,
            0,
        )
        .unwrap();
    assert_eq!(
        state(&store, S3).dead_objects,
        1,
        "the new one has two tries left"
    );
}

#[test]
fn an_object_that_is_refused_for_itself_is_set_aside_alone() {
    let sql = TestSql::new();
    let (store, mut now) = sealed(&sql, &[S3]);
    for round in 1..=3 {
        fail(&store, S3, Failure::lasting("EntityTooLarge"), now);
        assert_eq!(state(&store, S3).dead_objects, i64::from(round == 3));
        // Another one lands after each refusal, and the next attempt is the first one's.
        append(&store, &[100 + round], NOW, now);
        store.seal("demo", 0, now + RULE.age_ms).unwrap();
        let other = store.due_delivery(S3, i64::MAX).unwrap().unwrap();
        assert_ne!(other.object.sequence, 1);
        settle(&store, &other, Outcome::Done, now);
        now = store.next_due().unwrap().unwrap();
    }
    assert_eq!(store.due_delivery(S3, i64::MAX).unwrap(), None);
    let told = store.to_list(i64::MAX - 60_000).unwrap();
    assert_eq!((told.len(), told[0].sequence), (1, 1));
}

#[test]
fn the_version_before_passes_by_what_is_set_aside() {
    let sql = TestSql::new();
    let (store, _) = sealed(&sql, &[S3]);
    for _ in 0..3 {
        refuse(&store);
    }
    // What a rollback asks; a column of another name would stop all of the lake.
    let due = "SELECT count(*) FROM deliveries WHERE done = 0 AND conflict = 0";
    assert_eq!(sql.number(due), 0);
    assert_eq!(store.state().unwrap().most_tries, 0);
}
