//! What the lake holds, and what it does not: the rest may go, and what is from the lake never comes back.

use super::*;
use crate::lake::HELD;
use crate::sinks::SinkKind::{R2, S3};

#[test]
fn a_segment_is_held_while_it_is_open_or_a_sink_lacks_it() {
    let sql = TestSql::new();
    let store = open_with(&sql, &[R2, S3]);
    let first = append(&store, &[1], NOW, NOW);
    let other_hour = append(&store, &[2], NOW + HOUR_MS, NOW);
    let landed = append_lines(&store, hour_of(NOW), &lines(&[3]), true, NOW).unwrap();
    let second = append(&store, &[4], NOW, NOW);
    let held = || [first, second, other_hour, landed].map(|seq| store.holds(seq).unwrap());
    assert_eq!(held(), [true, true, true, false]);
    assert!(!store.holds(99).unwrap());
    store.seal_open("demo", 0, NOW).unwrap();
    assert_eq!(held(), [true, true, true, false]);
    assert_eq!(ndjson(&store, 1), "{\"n\":1}\n{\"n\":4}\n");
    let delivery = store.due_delivery(R2, NOW).unwrap().unwrap();
    settle(&store, &delivery, Outcome::Done, NOW);
    assert_eq!(held(), [true, true, true, false]);
    let third = append(&store, &[5], NOW, NOW);
    let delivery = store.due_delivery(S3, NOW).unwrap().unwrap();
    assert_eq!(delivery.object.sequence, 1);
    settle(&store, &delivery, Outcome::Done, NOW);
    assert_eq!(held(), [false, false, true, false]);
    assert!(store.holds(third).unwrap(), "it is open");
}

#[test]
fn an_object_that_lacks_a_segment_is_not_put_by_halves() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, &[1], NOW, NOW);
    let second = append(&store, &[2], NOW, NOW);
    store.seal_open("demo", 0, NOW).unwrap();
    sql.execute_batch(&format!("DELETE FROM segments WHERE seq = {second}"));
    assert!(store.packed(1).unwrap_err().0.contains("lacks"));
    assert!(store.members(1, &[0]).is_err());
    assert!(store.member(second).is_err());
}

#[test]
fn counts_that_were_lost_are_made_of_what_waits() {
    let sql = TestSql::new();
    let store = open(&sql);
    append(&store, &[1, 2], NOW, NOW);
    store.seal_open("demo", 0, NOW).unwrap();
    append(&store, &[3], NOW, NOW);
    append_lines(&store, hour_of(NOW), &lines(&[4]), true, NOW).unwrap();
    sql.execute_batch("DELETE FROM backlog");
    let state = open(&sql).state().unwrap();
    assert_eq!((state.pending_events, state.pending_bytes), (3, 24));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Segments of a few hours, some from the lake; what is not held is deleted after every step. Every
    /// event lands once in each bucket, in objects that never change, but for those from the lake.
    #[test]
    fn what_is_held_is_what_lands_and_what_is_from_the_lake_never_does(
        steps in prop::collection::vec(
            (0_i64..3, 1_usize..40, any::<bool>(), 0_i64..50_000, 0_usize..3, 1_u32..60), 1..40,
        ),
    ) {
        let sql = TestSql::new();
        let store = open_with(&sql, &[R2, S3]);
        let mut buckets = [Bucket::default(), Bucket::default()];
        let mut want = Vec::new();
        let mut now = NOW;
        let mut deliver = |now: i64, most: usize| -> Result<(), SqlError> {
            store.seal("demo", 0, now)?;
            for (bucket, kind) in buckets.iter_mut().zip([R2, S3]) {
                for _ in 0..most {
                    let Some(delivery) = store.due_delivery(kind, now)? else { break };
                    let packed = store.packed(delivery.object.sequence)?;
                    let outcome = bucket.put(&delivery.object, packed).outcome(&delivery.object);
                    store.settle(&delivery, &outcome, now, 0)?;
                }
            }
            Ok(())
        };
        for (number, (hour, n, landed, wait, most, fault)) in steps.into_iter().enumerate() {
            now += wait;
            let events: Vec<usize> = (number * 100..number * 100 + n).collect();
            sql.fail_in(fault);
            let appended = append_lines(&store, hour, &lines(&events), landed, now);
            if appended.is_ok() && !landed {
                want.extend(lines(&events));
            }
            let _ = deliver(now, most);
            sql.never_fail();
            sql.execute_batch(&format!("DELETE FROM segments WHERE NOT {HELD}"));
        }
        while let Some(due) = store.next_due().unwrap() {
            now = now.max(due);
            deliver(now, 9).unwrap();
        }
        want.sort();
        for bucket in &buckets {
            prop_assert_eq!(bucket.events(), want.clone());
        }
        let held = format!("SELECT count(*) FROM segments WHERE {HELD}");
        prop_assert_eq!(sql.number(&held), 0);
        prop_assert_eq!(store.state().unwrap().pending_bytes, 0);
        prop_assert_eq!(
            sql.number("SELECT coalesce(sum(n), 0) FROM landed"), i64::try_from(want.len()).unwrap()
        );
    }
}
