//! An instance may end at any moment: the next one has the same counts, and sends what is not confirmed.

use super::*;
use crate::protocol::hours::Entry;

#[derive(Debug, Clone)]
enum Step {
    /// A batch of two events, new or seen before, of another user each.
    Send(usize),
    /// A batch of an event that an earlier one had, too.
    Overlap(usize),
    /// A row is confirmed, its first event being a duplicate or not.
    Confirm(i64, bool),
    /// Counts without events.
    Refused(u8),
    /// Time passes, in minutes.
    Wait(i64),
    /// The alarm runs.
    Prune,
    /// A statement fails.
    Fail(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..20).prop_map(Step::Send),
        1 => (0_usize..20).prop_map(Step::Overlap),
        4 => (1_i64..20, prop::bool::ANY).prop_map(|(seq, again)| Step::Confirm(seq, again)),
        1 => any::<u8>().prop_map(Step::Refused),
        2 => (0_i64..30).prop_map(Step::Wait),
        1 => Just(Step::Prune),
        1 => (1_u32..4).prop_map(Step::Fail),
    ]
}

/// All that a shard answers.
fn answers(log: &Log<&TestSql>, now: i64) -> (Snapshot, Vec<Entry>, String, OutboxState) {
    let mut outbox = log.outbox_state().unwrap();
    // What is under way is forgotten on purpose.
    outbox.unconfirmed_messages = 0;
    let hours = serde_json::to_string(&log.hours(0)).unwrap();
    (log.snapshot(now), log.outcomes(0), hours, outbox)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn an_instance_that_begins_anew_has_the_same_counts(steps in prop::collection::vec(any_step(), 1..60)) {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Send(n) => {
                    let (one, two) = (format!("u{n}"), format!("v{n}"));
                    let events = [("page_view", one.as_str(), 100 + 2 * n), ("feature_use", &two, 101 + 2 * n)];
                    let _ = commit_at(&log, &publication(Some(n), &events, now), now);
                }
                Step::Overlap(n) => {
                    let events = [("page_view", "w", 100 + 2 * n)];
                    let _ = commit_at(&log, &publication(None, &events, now), now);
                }
                Step::Confirm(seq, duplicate) => {
                    let ids: Vec<String> = if duplicate { (100..140).map(uuid).collect() } else { Vec::new() };
                    let _ = log.confirm(&Confirmation::of(EPOCH, [(seq, ids)]), now);
                }
                Step::Refused(n) => {
                    let mut counters = Counters::default();
                    counters.add_outcome(floor_to(now, HOUR_MS), "bot", n.into());
                    let head = Head { at: now, counters, ..Head::default() };
                    let _ = commit_at(&log, &commit::write(head, &Default::default()), now);
                }
                Step::Wait(minutes) => now += minutes * MINUTE_MS,
                Step::Prune => {
                    let _ = log.prune_if_due(now);
                }
                Step::Fail(n) => sql.fail_in(n),
            }
        }
        sql.never_fail();
        prop_assert_eq!(answers(&open(&sql, now), now), answers(&log, now));
    }
}

#[test]
fn no_number_of_a_row_is_used_twice() {
    let sql = TestSql::new();
    let mut now = NOW;
    for n in 0..4 {
        let log = open(&sql, now);
        commit_at(&log, &view(n, n, now), now).unwrap();
        let row = i64::try_from(n).unwrap() + 1;
        assert_eq!(send_all(&log, now), [[row]]);
        confirm(&log, row, &[], now);
        // What was saved of it may be merged, and so may what was merged.
        now += 2 * HOUR_MS;
        open(&sql, now).prune_if_due(now).unwrap();
    }
}

#[test]
fn what_is_not_confirmed_is_sent_again_by_a_new_instance() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    for n in 0..3 {
        commit(&log, &view(n, n, NOW)).unwrap();
    }
    assert_eq!(send_all(&log, NOW), [[1, 2, 3]]);
    confirm(&log, 2, &[], NOW);
    let log = open(&sql, NOW);
    assert_eq!(send_all(&log, NOW), [[1, 3]]);
    confirm(&log, 1, &[], NOW);
    confirm(&log, 3, &[], NOW);
    assert_eq!(open(&sql, NOW).drain_due(NOW), None);
}

#[test]
fn rows_that_a_log_before_sent_do_not_keep_the_alarm_ringing() {
    let sql = TestSql::new();
    commit(&open(&sql, NOW), &view(1, 1, NOW)).unwrap();
    commit(&open(&sql, NOW), &view(2, 2, NOW)).unwrap();
    let log = open(&sql, NOW);
    // The confirmation of a message of an instance before comes before this one sends it.
    confirm(&log, 2, &[], NOW);
    confirm(&log, 1, &[], NOW);
    assert_eq!(log.drain_due(NOW), None);
    assert_eq!(log.next_message("demo", 0, NOW).unwrap(), None);
}

#[test]
fn a_confirmation_is_done_whole_or_not_at_all() {
    for nth in 1.. {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let both = [("page_view", "u", 10), ("page_view", "u", 11)];
        commit(&log, &publication(Some(2), &both, NOW)).unwrap();
        let before = answers(&log, NOW);
        let confirmation = Confirmation::of(EPOCH, [(1, vec![uuid(10)])]);
        sql.fail_in(nth);
        if log.confirm(&confirmation, NOW).is_ok() {
            assert!(nth > 4, "{nth}");
            break;
        }
        assert_eq!(answers(&log, NOW), before, "{nth}");
        assert_eq!(answers(&open(&sql, NOW), NOW), before, "{nth}");
        assert!(log.confirm(&confirmation, NOW).unwrap());
        assert_eq!(live_total(&log, NOW), 1);
        assert_eq!(answers(&open(&sql, NOW), NOW), answers(&log, NOW));
    }
}

#[test]
fn counts_alone_are_there_after_the_instance() {
    let sql = TestSql::new();
    let mut counters = Counters::default();
    counters.add_outcome(floor_to(NOW, HOUR_MS), "unknown_key", 3);
    let head = Head {
        at: NOW,
        counters,
        ..Head::default()
    };
    let body = commit::write(head, &Default::default());
    commit(&open(&sql, NOW), &body).unwrap();
    commit(&open(&sql, NOW), &body).unwrap();
    assert_eq!(outcome(&open(&sql, NOW), "unknown_key"), 6);
}

#[test]
fn an_instance_that_lives_for_a_moment_merges_all_the_same_and_then_rests() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    confirm(&log, 1, &[], NOW);
    // As on the platform: each alarm, and each minute's cron, wakes another instance.
    let mut rings_at = open(&sql, NOW + 1).next_due(NOW + 1);
    let mut rings = 0;
    while let Some(now) = rings_at {
        let before = open(&sql, now - 30_000).next_due(now - 30_000);
        assert_eq!(before, Some(now), "not put off");
        open(&sql, now).prune_if_due(now).unwrap();
        let next = open(&sql, now).next_due(now);
        assert!(next.is_none_or(|next| next > now), "not at once again");
        rings_at = next;
        rings += 1;
    }
    // What was saved is merged, dropped, and the batch's id forgotten after a day or two.
    assert!((3..=5).contains(&rings), "{rings}");
    assert_eq!(sql.number("SELECT count(*) FROM saved"), 0);
    assert_eq!(outcome(&open(&sql, NOW), "accepted"), 1);
    assert_eq!(live_total(&open(&sql, NOW), NOW), 0);
}

/// docs/PRIVACY.md tells how long hashes of active users are kept.
#[test]
fn a_visitor_is_forgotten_while_others_come_and_after_the_last() {
    let sql = TestSql::new();
    let kept = || sql.number("SELECT coalesce(sum(body GLOB '*\"v\":{\"*'), 0) FROM saved");
    let visit = |n: usize, now: i64| {
        let log = open(&sql, now);
        let user = format!("u{n}");
        let body = publication(Some(n), &[("page_view", user.as_str(), n)], now);
        commit_at(&log, &body, now).unwrap();
        log
    };
    let log = visit(0, NOW);
    confirm(&log, 1, &[], NOW);
    assert_eq!(kept(), 1);
    // The same slot is written by an instance that lives on: what it held of the first is gone.
    let later = NOW + 6 * MINUTE_MS;
    let body = publication(Some(1), &[("page_view", "u1", 1)], later);
    commit_at(&log, &body, later).unwrap();
    confirm(&log, 2, &[], later);
    let visitors = "SELECT count(*) FROM saved, json_each(body, '$.v')";
    assert_eq!(sql.number(visitors), 1);
    let end = later + 15 * MINUTE_MS;
    assert!(open(&sql, end).next_due(end).unwrap() <= end);
    open(&sql, end).prune_if_due(end).unwrap();
    assert_eq!((kept(), sql.number(visitors)), (0, 0));
}

#[test]
fn a_day_of_traffic_is_saved_in_few_rows() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let mut now = NOW;
    let start = sql.number("SELECT total_changes()");
    let batches = 1_000;
    for n in 0..batches {
        let seq = i64::try_from(n).unwrap() + 1;
        commit_at(&log, &view(n, n, now), now).unwrap();
        confirm(&log, seq, &[], now);
        now += 1_000;
        log.prune_if_due(now).unwrap();
    }
    let rows = sql.number("SELECT total_changes()") - start;
    // A batch alone in its message: its id, its row, its deletion, and what is saved of it.
    assert!(rows <= 4 * batches as i64 + 40, "{rows}");
    assert!(sql.number("SELECT count(*) FROM saved") < 10);
}
