use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::archive::filled::{add, lake_settings, opened};
use crate::lake::LakeStore;
use crate::read::brute::{DAY, event};
use crate::sinks::{Outcome, SinkKind};
use crate::testing::{NOW, TestSql};

/// An event that happened on a day, received in an hour after the first one.
fn happened(n: usize, day: i64, hour: i64) -> Value {
    let mut one = event("demo", n);
    one["timestamp"] = (day * DAY_MS + 5).into();
    one["receivedAt"] = ((DAY + 9) * DAY_MS + hour * 3_600_000).into();
    one
}

fn archive(days: &[i64]) -> TestSql {
    let sql = opened();
    for (n, day) in days.iter().enumerate() {
        add(&sql, "demo", &[happened(n, *day, 0)], 1);
    }
    sql
}

fn seqs(sql: &TestSql) -> Vec<i64> {
    let rows: Vec<[Cell; 1]> = sql
        .cells("SELECT seq FROM segments ORDER BY seq", &[])
        .unwrap();
    rows.iter().map(|[seq]| seq.int()).collect()
}

fn run(sql: &TestSql, kept_from: i64, folded: i64) -> Pruned {
    prune(sql, kept_from, folded, NOW).unwrap()
}

const DONE: Pruned = Pruned {
    segments: 0,
    more: false,
};

#[test]
fn segments_go_whose_events_are_all_too_old() {
    let sql = archive(&[DAY, DAY + 3, DAY + 1, DAY + 2]);
    // One that has an old event and a younger one, and one whose event is received before it happened.
    add(
        &sql,
        "demo",
        &[happened(7, DAY, 0), happened(8, DAY + 2, 0)],
        2,
    );
    add(&sql, "demo", &[happened(9, DAY + 30, 0)], 1);
    let kept_from = (DAY + 2) * DAY_MS;
    assert_eq!(
        run(&sql, kept_from, 9),
        Pruned {
            segments: 2,
            more: false
        }
    );
    assert_eq!(seqs(&sql), [2, 4, 5, 6]);
    assert_eq!(sql.number("SELECT day FROM pruned_days"), DAY + 9);
    // To the millisecond: it is of the event's own time.
    assert_eq!(run(&sql, kept_from + 5, 9), DONE);
    assert_eq!(
        run(&sql, kept_from + 6, 9),
        Pruned {
            segments: 2,
            more: false
        }
    );
    assert_eq!(seqs(&sql), [2, 6]);
}

#[test]
fn much_goes_in_bounded_steps() {
    let sql = archive(&[DAY; 450]);
    sql.execute_batch("UPDATE segments SET bytes = 60000000 WHERE seq <= 2");
    let kept_from = (DAY + 1) * DAY_MS;
    let steps: Vec<Pruned> = std::iter::repeat_with(|| run(&sql, kept_from, 1_000))
        .take(5)
        .collect();
    let sizes: Vec<i64> = steps.iter().map(|step| step.segments).collect();
    assert_eq!(sizes, [1, 200, 200, 49, 0]);
    let more: Vec<bool> = steps.iter().map(|step| step.more).collect();
    assert_eq!(more, [true, true, true, false, false]);
    assert!(seqs(&sql).is_empty());
}

#[test]
fn where_nothing_is_old_nothing_is_written_and_only_what_is_new_is_looked_at() {
    let sql = archive(&[DAY + 5; 10]);
    assert_eq!(run(&sql, DAY * DAY_MS, 10), DONE);
    let changes = || sql.number("SELECT total_changes()");
    let before = changes();
    assert_eq!(run(&sql, DAY * DAY_MS, 10), DONE);
    // A longer retention looks at nothing again.
    assert_eq!(changes(), before);
    assert_eq!(run(&sql, (DAY - 5) * DAY_MS, 10), DONE);
    assert_eq!(sql.number("SELECT after FROM pruned"), 10);
    // What came since, of an import of old events.
    add(&sql, "demo", &[happened(50, DAY - 9, 0)], 1);
    assert_eq!(run(&sql, (DAY - 5) * DAY_MS, 11).segments, 1);
    assert_eq!(seqs(&sql).len(), 10);
}

#[test]
fn the_number_of_a_segment_that_is_gone_is_not_given_again() {
    let sql = archive(&[DAY; 3]);
    assert_eq!(run(&sql, (DAY + 1) * DAY_MS, 3).segments, 3);
    let draft = crate::archive::Packable {
        hour: 7,
        n: 1,
        at: (0, 0),
        received: 0,
        columns: b"columns".to_vec(),
        lines: "{}\n".into(),
        identified: Vec::new(),
    };
    let store = LakeStore::open(&sql, &lake_settings(), NOW, [0; 4]).unwrap();
    for landed in [false, true] {
        draft.write(&&sql, &store, b"packed", landed, NOW).unwrap();
    }
    assert_eq!(seqs(&sql), [4, 5]);
    // What is not the latest leaves no trace in the numbers.
    assert_eq!(run(&sql, (DAY + 2) * DAY_MS, 5).segments, 1);
    assert_eq!(seqs(&sql), [4]);
    draft.write(&&sql, &store, b"packed", true, NOW).unwrap();
    assert_eq!(seqs(&sql), [4, 6]);
}

#[test]
fn what_is_not_folded_waits() {
    let sql = archive(&[DAY; 6]);
    let kept_from = (DAY + 1) * DAY_MS;
    assert_eq!(run(&sql, kept_from, 0), DONE);
    assert_eq!(
        run(&sql, kept_from, 4),
        Pruned {
            segments: 4,
            more: false
        }
    );
    assert_eq!(run(&sql, kept_from, 4), DONE);
    assert_eq!(seqs(&sql), [5, 6]);
    assert_eq!(run(&sql, kept_from, 6).segments, 2);
}

#[test]
fn what_a_sink_still_has_to_get_waits() {
    let sql = archive(&[DAY; 3]);
    let store = LakeStore::open(&sql, &lake_settings(), NOW, [0; 4]).unwrap();
    let hour = sql.number("SELECT hour FROM segments WHERE seq = 2");
    let kept_from = (DAY + 1) * DAY_MS;
    store.appended(hour, 3, 1, 9, NOW).unwrap();
    assert!(store.holds(3).unwrap() && !store.holds(2).unwrap());
    assert_eq!(
        run(&sql, kept_from, 9),
        Pruned {
            segments: 2,
            more: false
        }
    );
    store.seal_open("demo", 0, NOW).unwrap();
    assert_eq!(run(&sql, kept_from, 9), DONE);
    assert_eq!(seqs(&sql), [3]);
    let due = store.due_delivery(SinkKind::R2, NOW).unwrap().unwrap();
    store.settle(&due, &Outcome::Done, NOW, 0).unwrap();
    assert_eq!(run(&sql, kept_from, 9).segments, 1);
    assert!(seqs(&sql).is_empty());
}

#[test]
fn duplicates_are_told_for_thirty_days() {
    let sql = archive(&[]);
    let age = |days: i64| NOW - days * DAY_MS;
    for (row, at) in [(1, age(30) - 1), (2, age(30)), (3, age(1))] {
        sql.execute_batch(&format!(
            "INSERT INTO duplicates VALUES ('l', {row}, {at}, '[]')"
        ));
    }
    run(&sql, DAY * DAY_MS, 0);
    assert_eq!(sql.number("SELECT min(row) FROM duplicates"), 2);
    // Many go in steps, before the day is looked at.
    sql.execute_batch(&format!(
        "WITH RECURSIVE n(n) AS (VALUES (10) UNION ALL SELECT n + 1 FROM n WHERE n < 4509) \
         INSERT INTO duplicates SELECT 'l', n, {}, '[]' FROM n",
        age(40)
    ));
    let next = (DAY + 1) * DAY_MS;
    let steps: Vec<bool> = (0..4).map(|_| run(&sql, next, 0).more).collect();
    assert_eq!(steps, [true, true, false, false]);
    assert_eq!(sql.number("SELECT count(*) FROM duplicates"), 2);
}

#[test]
fn a_failure_at_any_statement_leaves_a_step_whole() {
    let kept_from = (DAY + 1) * DAY_MS;
    for fault in 1.. {
        let sql = archive(&[DAY, DAY + 2, DAY]);
        sql.execute_batch("INSERT INTO duplicates VALUES ('l', 1, 0, '[]')");
        sql.fail_in(fault);
        let failed = prune(&sql, kept_from, 9, NOW).is_err();
        sql.never_fail();
        if !failed {
            assert_eq!((fault, seqs(&sql).len()), (8, 1));
            return;
        }
        assert_eq!(seqs(&sql), [1, 2, 3]);
        for (table, n) in [("pruned", 0), ("pruned_days", 0), ("duplicates", 1)] {
            assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), n);
        }
        assert_eq!(run(&sql, kept_from, 9).segments, 2);
    }
}

proptest! {
    /// Whatever comes when, and whatever is folded when: in the end what is too old is gone, and nothing
    /// else.
    #[test]
    fn in_the_end_what_is_too_old_is_gone_and_nothing_else(
        rounds in prop::collection::vec(
            (prop::collection::vec(0_i64..20, 0..6), 0_i64..20, 0_i64..30, 1_u32..20), 1..12),
    ) {
        let sql = opened();
        let (mut last, mut all, mut most) = (0, Vec::new(), 0);
        for (days, kept, folded, fault) in rounds {
            for day in days {
                add(&sql, "demo", &[happened(all.len(), DAY + day, 0)], 1);
                all.push(day);
            }
            sql.fail_in(fault);
            let _ = prune(&sql, (DAY + kept) * DAY_MS, folded, NOW);
            sql.never_fail();
            last = kept;
            most = most.max(kept);
        }
        run(&sql, (DAY + last) * DAY_MS, 1_000);
        let left: i64 = sql.number("SELECT count(*) FROM segments");
        // At least what the shortest retention keeps, and nothing that the last one does not.
        let kept = |day: i64| all.iter().filter(|each| **each >= day).count() as i64;
        prop_assert!(left >= kept(most) && left <= kept(last), "{left}");
    }
}
