use proptest::prelude::*;

use super::*;
use crate::archive::{Look, testing};
use crate::base::time::HOUR_MS;
use crate::read::brute::event;
use crate::testing::{NOW, TestSql, message};

/// Of an hour in which nothing moves.
fn row(
    received: i64,
    in_outbox: i64,
    stored: i64,
    in_archive: i64,
    landed: i64,
    dead: i64,
) -> Hour {
    let counts = Counts {
        received_before: received,
        waited_before: in_outbox,
        stored,
        dead,
        dead_late: 0,
        in_archive,
        landed,
        received,
        waiting: 0,
    };
    counts.row(0)
}

#[test]
fn a_part_that_came_too_late_may_be_stored_and_dead() {
    let late = Counts {
        received_before: 5,
        received: 5,
        stored: 5,
        landed: 3,
        dead: 2,
        dead_late: 2,
        ..Counts::default()
    };
    assert_eq!((late.row(0).difference, late.row(0).pending), (0, 0));
    // Others are not, and hide nothing that is lost.
    let lost = Counts {
        dead_late: 0,
        received_before: 7,
        received: 7,
        ..late
    };
    assert_eq!(
        (lost.row(0).difference, lost.row(0).stage),
        (2, Some("landed"))
    );
    assert_eq!(row(1, 0, 1, 0, 1, 101).difference, -101);
}

#[test]
fn a_healthy_hour_closes_at_every_moment_of_an_events_way() {
    for (what, hour, pending) in [
        ("in the outbox", row(5, 5, 0, 0, 0, 0), 5),
        ("stored, not handed over", row(5, 5, 5, 0, 0, 0), 5),
        ("handed over, not confirmed", row(5, 5, 5, 5, 0, 0), 5),
        ("confirmed", row(5, 0, 5, 5, 0, 0), 5),
        ("landed, not confirmed", row(5, 5, 5, 0, 5, 0), 0),
        ("landed", row(5, 0, 5, 0, 5, 0), 0),
        ("some of each", row(9, 4, 7, 2, 3, 2), 4),
        ("a dead letter", row(5, 0, 3, 0, 3, 2), 0),
    ] {
        let found = (hour.difference, hour.stage, hour.pending);
        assert_eq!(found, (0, None, pending), "{what}");
    }
}

#[test]
fn a_difference_names_its_stage() {
    let stage = |hour: Hour| (hour.difference, hour.stage);
    assert_eq!(stage(row(5, 0, 3, 0, 3, 0)), (2, Some("stored")));
    assert_eq!(stage(row(5, 0, 5, 1, 2, 0)), (2, Some("landed")));
    assert_eq!(stage(row(5, 0, 6, 0, 6, 0)), (-1, Some("stored")));
    assert_eq!(stage(row(5, 0, 5, 0, 6, 0)), (-1, Some("landed")));
}

#[test]
fn hours_before_the_window_are_left_out_and_shards_are_summed() {
    let query = Reconciliation::parse(&Params::parse("hours=1")).unwrap();
    let hour = NOW - NOW % HOUR_MS;
    let entry = |bucket, n| Entry {
        bucket,
        key: String::new(),
        n,
    };
    let shard = |n| ShardHours {
        done: vec![entry(hour, n), entry(hour - HOUR_MS, 9)],
        waiting: Vec::new(),
    };
    let found = Findings {
        before: vec![shard(2), shard(3)],
        stored: vec![HourRow {
            hour,
            n: 3,
            stored: 0,
        }],
        lacking: received(2, NOW),
        dead: Vec::new(),
        lakes: vec![shard(5)],
        after: vec![shard(2), shard(3)],
    };
    let answer = query.answer(&found, NOW);
    assert!(answer.closed);
    assert_eq!(answer.hours.len(), 1);
    let Hour {
        received,
        stored,
        landed,
        ..
    } = answer.hours[0];
    assert_eq!((received, stored, landed), (5, 5, 5));
}

/// What a look tells of so many events that were received then.
fn received(n: usize, at: i64) -> Sums {
    let sql = TestSql::new();
    let archive = testing::open(&sql, "demo");
    let events: Vec<serde_json::Value> = (0..n)
        .map(|n| {
            let mut event = event("demo", n);
            event["receivedAt"] = at.into();
            event
        })
        .collect();
    let body = message("demo", 0, &[(1, at, &events)]);
    testing::append(&archive, &body, false).unwrap();
    let wants = Reconciliation::parse(&Params::parse("hours=1"))
        .unwrap()
        .wants(NOW);
    let look = Look {
        at: Vec::new(),
        archives: 1,
        wants,
    };
    testing::look(&archive, &look).unwrap().sums
}

/// What is seen of events at one moment, each by how far it is: 1 received, 2 stored, 3 handed to the
/// lake, 4 confirmed, 5 landed.
fn seen(events: &[u8]) -> Counts {
    let count = |test: fn(u8) -> bool| events.iter().filter(|at| test(**at)).count() as i64;
    Counts {
        received: count(|at| at >= 1),
        waiting: count(|at| (1..4).contains(&at)),
        stored: count(|at| at >= 2),
        in_archive: count(|at| (3..5).contains(&at)),
        landed: count(|at| at >= 5),
        ..Counts::default()
    }
}

proptest! {
    /// Events come and move on between the questions: nothing looks lost or doubled. (That one comes
    /// and is confirmed while the questions are asked is left out: the queue takes a second for it,
    /// the questions take milliseconds.)
    #[test]
    fn what_moves_on_meanwhile_is_no_difference(
        steps in prop::collection::vec((0_u8..=5, 0_u8..2, 0_u8..2, 0_u8..2), 0..30),
    ) {
        let at = |n: usize| -> Counts {
            let events: Vec<u8> = steps
                .iter()
                .map(|(start, a, b, c)| (start + [0, *a, a + b, a + b + c][n]).min(5))
                .collect();
            seen(&events)
        };
        let (before, stored, lake, after) = (at(0), at(1), at(2), at(3));
        let counts = Counts {
            received_before: before.received,
            waited_before: before.waiting,
            stored: stored.stored,
            dead: 0,
            dead_late: 0,
            in_archive: lake.in_archive,
            landed: lake.landed,
            received: after.received,
            waiting: after.waiting,
        };
        prop_assert_eq!(counts.row(0).difference, 0);
    }

    /// What is lost is told, where nothing waits that might be it.
    #[test]
    fn what_is_lost_is_told(
        kept in 0_i64..50, landed in 0_i64..50, dead in 0_i64..50,
        lost_before in 0_i64..50, lost_after in 0_i64..50,
    ) {
        let stored = kept + landed + lost_after;
        let hour = row(stored + dead + lost_before, 0, stored, kept, landed, dead);
        let want = if lost_before > 0 { lost_before } else { lost_after };
        prop_assert_eq!(hour.difference, want);
        prop_assert!(hour.pending >= 0);
    }
}
