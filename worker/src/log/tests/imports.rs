//! What a shard does with the rows of imports, beside live traffic.

use super::*;

fn imported(import: &'static str, batch: usize, events: &[usize], at: i64) -> Vec<u8> {
    let mut counters = Counters::default();
    let n = i64::try_from(events.len()).unwrap();
    counters.add_outcome(floor_to(at, HOUR_MS), ACCEPTED, n);
    let head = Head {
        at,
        import: Some(import.into()),
        batch: Some(crate::protocol::BatchName(uuid(batch).into(), "00".into())),
        counters,
        ..Head::default()
    };
    // So large that each is a row of its own.
    let events: Vec<(usize, i64, usize)> = events.iter().map(|n| (*n, at, 60_000)).collect();
    commit::write(head, &lines_of(&events))
}

fn outcomes(log: &Log<&TestSql>) -> Vec<(String, i64)> {
    let entries = log.outcomes(0);
    entries
        .into_iter()
        .map(|entry| (entry.key, entry.n))
        .collect()
}

fn state(log: &Log<&TestSql>, import: &str) -> (i64, i64) {
    let state = log.import_state(import).unwrap();
    (state.pending, state.duplicate)
}

#[test]
fn an_imports_duplicates_are_told_to_it_and_taken_out_of_no_live_count() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    // The same event live and imported, in the same minute.
    commit(&log, &publication(Some(1), &[("feature_use", "u", 7)], NOW)).unwrap();
    let step = imported("i1", 2, &[7, 9], NOW);
    assert!(!commit(&log, &step).unwrap());
    assert!(commit(&log, &step).unwrap());
    commit(&log, &imported("i2", 3, &[10], NOW)).unwrap();
    assert_eq!(state(&log, "i1"), (2, 0));
    assert_eq!(live_total(&log, NOW), 1);
    // A step that comes again is no duplicate: nobody sent it again.
    assert_eq!(outcomes(&log), [("accepted".to_owned(), 4)]);
    for _ in 0..2 {
        confirm(&log, 2, &[uuid(7)], NOW);
    }
    assert_eq!(state(&log, "i1"), (1, 1));
    confirm(&log, 3, &[], NOW);
    for log in [&log, &open(&sql, NOW)] {
        assert_eq!(state(log, "i1"), (0, 1));
        assert_eq!(state(log, "i2"), (1, 0));
        assert_eq!(state(log, "i3"), (0, 0));
        assert_eq!(live_total(log, NOW), 1);
        let told = [("accepted".to_owned(), 3), ("duplicate".to_owned(), 1)];
        assert_eq!(outcomes(log), told);
    }
    // Forgotten in time, but not as long as anything is pending.
    log.prune_if_due(NOW + OUTCOME_MEMORY_MS + 1).unwrap();
    assert_eq!(state(&log, "i1"), (0, 0));
    assert_eq!(sql.number("SELECT count(*) FROM imports"), 1);
}

#[test]
fn an_import_is_committed_whole_or_not_at_all() {
    for n in 1.. {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let step = imported("i1", 2, &[7, 9], NOW);
        sql.fail_in(n);
        if commit(&log, &step).is_ok() {
            assert!(n > 4, "{n}");
            break;
        }
        let all = "SELECT (SELECT count(*) FROM log) + (SELECT count(*) FROM imports)";
        assert_eq!(sql.number(all), 0, "statement {n}");
        assert_eq!(state(&log, "i1"), (0, 0));
        assert!(!commit(&log, &step).unwrap());
    }
}

#[test]
fn an_import_waits_while_the_log_is_full_and_pages_do_not() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    for n in 0..=waiting::FULL_ROWS {
        let n = usize::try_from(n).unwrap();
        assert!(!commit(&log, &view(n, n, NOW)).unwrap());
    }
    let step = imported("i1", 5_000, &[7], NOW);
    let receipt = log.commit(&Commit::parse(&step).unwrap(), NOW).unwrap();
    assert_eq!(
        receipt,
        Receipt::retry_after(super::super::imports::RETRY_AFTER_S)
    );
    assert!(!commit(&log, &view(6_000, 6_000, NOW)).unwrap());
    for seq in 1..=2 {
        confirm(&log, seq, &[], NOW);
    }
    assert!(!commit(&log, &step).unwrap());
}

#[test]
fn a_step_whose_every_line_was_refused_is_counted_once() {
    let mut counters = Counters::default();
    counters.add_outcome(floor_to(NOW, HOUR_MS), "wrong_type", 2);
    let head = Head {
        at: NOW,
        import: Some("i1".into()),
        batch: Some(crate::protocol::BatchName(uuid(2).into(), "00".into())),
        counters,
        ..Head::default()
    };
    let step = commit::write(head, &Default::default());
    for nth in 1..=2 {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        sql.fail_in(nth);
        assert!(commit(&log, &step).is_err(), "{nth}");
        assert_eq!(outcome(&log, "wrong_type"), 0);
        assert!(!commit(&log, &step).unwrap());
        assert!(commit(&open(&sql, NOW), &step).unwrap());
        assert_eq!(outcome(&open(&sql, NOW), "wrong_type"), 2);
    }
}
