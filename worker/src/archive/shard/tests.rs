use super::super::testing;
use super::*;
use crate::base::time::{DAY_MS, HOUR_MS};
use crate::read::brute::event;
use crate::testing::{NOW, TestSql, message};

mod faults;

#[test]
fn a_d1_that_takes_no_fold_is_left_alone_for_longer_each_time() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = testing::open(&sql, "demo");
    let body = message("demo", 0, &[(1, NOW, &[event("demo", 1)])]);
    testing::append(&archive, &body, false).unwrap();
    let some = archive.unfolded().unwrap();
    archive.fold(&some, &[], NOW).unwrap();
    assert_eq!(archive.fold_due().unwrap(), Some(NOW));
    let mut waits = Vec::new();
    for _ in 0..8 {
        archive.was_not_taken(NOW);
        waits.push((archive.fold_due().unwrap().unwrap() - NOW) / 1_000);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 320, 320]);
    testing::fold(&archive, &d1);
    assert_eq!(archive.fold_due().unwrap(), None);
    archive.was_not_taken(NOW);
    assert_eq!(archive.fold_due().unwrap(), None);
}

#[test]
fn a_day_is_folded_an_hour_after_it_is_over() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = testing::open(&sql, "demo");
    let midnight = NOW / DAY_MS * DAY_MS;
    assert_eq!(archive.fold_due().unwrap(), None);
    let later = folding::spread("demo", 0);
    let append = |row: usize, at: i64| {
        let mut event = event("demo", row);
        event["receivedAt"] = at.into();
        let body = message("demo", 0, &[(row, at, &[event])]);
        testing::append_at(&archive, &body, false, at).unwrap();
    };
    for (row, at) in [(1, midnight - 1), (2, midnight), (3, midnight + DAY_MS - 1)] {
        append(row, at);
        // The oldest segment says when.
        assert_eq!(
            archive.fold_due().unwrap(),
            Some(midnight + HOUR_MS + later)
        );
    }
    testing::fold(&archive, &d1);
    append(4, midnight + DAY_MS);
    // What comes late has its turn with the day it comes on.
    assert_eq!(
        archive.fold_due().unwrap(),
        Some(midnight + 2 * DAY_MS + HOUR_MS + later)
    );
}

#[test]
fn archives_fold_a_day_at_moments_of_an_hour() {
    let spread = |n: usize| folding::spread(&format!("site-{}", n / 4), (n % 4) as u32);
    let mut minutes = [0_usize; 60];
    for n in 0..6_000 {
        let later = spread(n);
        assert!((0..HOUR_MS).contains(&later), "{later}");
        minutes[usize::try_from(later).unwrap() / 60_000] += 1;
    }
    assert!(minutes.iter().all(|n| (50..200).contains(n)), "{minutes:?}");
}

#[test]
fn segments_that_were_read_before_all_was_forgotten_are_not_folded_past_others() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = testing::open(&sql, "demo");
    let append = |row: usize| {
        let body = message("demo", 0, &[(row, NOW, &[event("demo", row)])]);
        testing::append(&archive, &body, false).unwrap();
    };
    append(1);
    testing::fold(&archive, &d1);
    append(2);
    let late = archive.unfolded().unwrap();
    archive.forget_folds(NOW).unwrap();
    archive.fold(&late, &[], NOW).unwrap();
    assert_eq!(archive.unfolded().unwrap().len(), 2);
}

#[test]
fn a_fold_whose_segments_were_rewritten_meanwhile_is_made_anew() {
    let sql = TestSql::new();
    let archive = testing::open(&sql, "demo");
    let body = message("demo", 0, &[(1, NOW, &[event("demo", 1)])]);
    testing::append(&archive, &body, false).unwrap();
    let some = archive.unfolded().unwrap();
    let mut folding = archive.begin_fold();
    folding.gather(&some, &[]);
    archive.was_rewritten();
    archive.end_fold(&some, &folding, NOW).unwrap();
    assert_eq!(archive.unfolded().unwrap(), some);
    testing::fold_here(&archive);
    assert!(archive.unfolded().unwrap().is_empty());
}
