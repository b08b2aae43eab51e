//! An object that is full, and clocks that jump.

use serde_json::Value;

use super::*;
use crate::archive::scan::{Asked, Line, PageSpec};
use crate::archive::testing::{KEY, append, append_at, ask, compact, fold, land, open, told};
use crate::base::time::{DAY_MS, HOUR_MS};
use crate::read::brute::{self, DAY};
use crate::sinks::{Outcome, SinkKind};
use crate::testing::message;

fn d1() -> TestSql {
    let d1 = TestSql::new();
    d1.migrate();
    d1
}

/// A message of one event of a day, with so many bytes beside it.
fn large(n: usize, day: i64, bytes: usize) -> (Vec<u8>, Value) {
    let mut event = brute::event("demo", n);
    event["timestamp"] = (day * DAY_MS).into();
    event["metadata"]["note"] = "x".repeat(bytes).into();
    (
        message("demo", 0, &[(n, NOW, std::slice::from_ref(&event))]),
        event,
    )
}

fn ids(archive: &Archive<&TestSql>) -> Vec<String> {
    let spec = PageSpec {
        limit: 500,
        ..PageSpec::default()
    };
    let part = ask::<Vec<Line>>(archive, Asked::Page(spec));
    assert_eq!(part.unreadable, 0);
    let mut ids: Vec<String> = part.found.into_iter().map(|Line(_, id, _)| id).collect();
    ids.sort();
    ids
}

/// The platform's error at 10 GB: nothing of the message is there, so it comes again; retention makes room.
#[test]
fn a_full_object_takes_nothing_and_goes_on_when_there_is_room() {
    let (sql, d1) = (TestSql::new(), d1());
    let archive = open(&sql, "demo");
    for n in 0..20 {
        append(&archive, &large(n, DAY, 10_000).0, false).unwrap();
    }
    fold(&archive, &d1);
    land(&archive);
    let pages = sql.number("PRAGMA page_count");
    sql.execute_batch(&format!("PRAGMA max_page_count = {}", pages + 10));
    let kept: Vec<String> = (0..20).map(crate::testing::uuid).collect();
    let mut refused = Vec::new();
    for n in 20..30 {
        let (body, event) = large(n, DAY + 5, 100_000);
        let error = append(&archive, &body, false).unwrap_err();
        assert!(error.0.contains("full"), "{error}");
        assert_eq!(ids(&archive), kept);
        refused.push((body, event));
    }
    // Small ones may fit still, and nothing is half there: each comes once when there is room.
    assert_eq!(sql.number("SELECT count(*) FROM segments"), 20);
    assert_eq!(
        sql.number("SELECT count(*) FROM (SELECT * FROM ids_0 UNION ALL SELECT * FROM ids_1)"),
        20
    );
    assert_eq!(archive.lake().state().unwrap().pending_events, 0);
    // What is small is made one, which makes room, too; what is too old goes.
    assert!(compact(&archive, NOW + 30 * DAY_MS) > 0);
    assert_eq!(ids(&archive), kept);
    let kept_from = (DAY + 5) * DAY_MS;
    while archive.prune(kept_from, NOW).unwrap().more {}
    assert_eq!(sql.number("SELECT count(*) FROM segments"), 0);
    let room = sql.number("PRAGMA freelist_count");
    assert!(room > 40, "{room}");
    let (body, _) = &refused[0];
    append(&archive, body, false).unwrap();
    assert_eq!(append(&archive, body, false).unwrap(), Appended::default());
    assert_eq!(ids(&archive), [crate::testing::uuid(20)]);
    sql.execute_batch("PRAGMA max_page_count = 100000");
    for (body, _) in &refused {
        append(&archive, body, false).unwrap();
    }
    fold(&archive, &d1);
    assert_eq!(ids(&archive).len(), 10);
    assert_eq!(d1.number("SELECT sum(n) FROM daily_counts"), 30);
}

/// A fold that has no room is made later, and once.
#[test]
fn a_fold_of_a_full_object_is_made_when_there_is_room() {
    let (sql, d1) = (TestSql::new(), d1());
    let archive = open(&sql, "demo");
    for n in 0..60 {
        append(
            &archive,
            &message("demo", 0, &[(n, NOW, &[brute::event("demo", n)])]),
            true,
        )
        .unwrap();
    }
    let pages = sql.number("PRAGMA page_count");
    sql.execute_batch(&format!("PRAGMA max_page_count = {pages}"));
    let some = archive.unfolded().unwrap();
    let error = archive.fold(&some, &[], NOW).unwrap_err();
    assert!(error.0.contains("full"), "{error}");
    assert!(archive.pending().unwrap().is_none());
    sql.execute_batch("PRAGMA max_page_count = 100000");
    fold(&archive, &d1);
    let events: Vec<Value> = (0..60).map(|n| brute::event("demo", n)).collect();
    assert_eq!(
        brute::read(&d1, "demo"),
        brute::count("demo", &events).sums()
    );
}

fn received(n: usize, at: i64) -> Value {
    let mut event = brute::event("demo", n);
    event["receivedAt"] = at.into();
    event
}

/// Clocks of the object that go back an hour, or ahead a day, and come back; those of the edge do not.
#[test]
fn a_clock_that_jumps_loses_nothing_and_counts_nothing_twice() {
    for jump in [-HOUR_MS, DAY_MS, 50 * DAY_MS] {
        let (sql, d1) = (TestSql::new(), d1());
        let archive = open(&sql, "demo");
        let mut all = Vec::new();
        for n in 0..60 {
            let real = NOW + i64::try_from(n).unwrap() * 60_000;
            let jumped = (20..40).contains(&n);
            let now = real + if jumped { jump } else { 0 };
            let event = received(n, real);
            let body = message("demo", 0, &[(n, real, std::slice::from_ref(&event))]);
            append_at(&archive, &body, false, now).unwrap();
            // It comes again, by whatever clock, and as a row of its own.
            append_at(&archive, &body, false, real).unwrap();
            let twice = message(
                "demo",
                0,
                &[(1_000 + n, real, std::slice::from_ref(&event))],
            );
            assert_eq!(
                append_at(&archive, &twice, false, now)
                    .unwrap()
                    .duplicates
                    .len(),
                1
            );
            all.push(event);
            if n % 7 == 0 {
                let some = archive.unfolded().unwrap();
                archive.fold(&some, &[], now).unwrap();
                archive.lake().seal("demo", 0, now).unwrap();
            }
            if n % 9 == 0 {
                compact(&archive, now + 3 * HOUR_MS);
            }
        }
        // A day later all of it is done.
        let later = NOW + 52 * DAY_MS;
        assert!(archive.fold_due().unwrap().is_none_or(|due| due <= later));
        assert!(archive.lake().next_due().unwrap().unwrap() <= later);
        fold(&archive, &d1);
        archive.lake().seal("demo", 0, later).unwrap();
        while let Some(due) = archive.lake().due_delivery(SinkKind::R2, later).unwrap() {
            archive
                .lake()
                .settle(&due, &Outcome::Done, later, 0)
                .unwrap();
        }
        assert_eq!(archive.lake().state().unwrap().landed_events, 60, "{jump}");
        assert!(
            archive
                .compact_due()
                .unwrap()
                .is_none_or(|due| due <= later + DAY_MS)
        );
        compact(&archive, later + DAY_MS);
        assert_eq!(
            sql.number("SELECT count(DISTINCT hour) - count(*) FROM segments"),
            0
        );
        assert_eq!(brute::read(&d1, "demo"), brute::count("demo", &all).sums());
        let want: Vec<String> = (0..60).map(crate::testing::uuid).collect();
        assert_eq!(ids(&archive), want);
    }
}

/// What waits since a moment that has not come yet must not wait for it once the clock is right again.
#[test]
fn an_hour_that_was_opened_by_a_clock_ahead_is_sealed_with_what_comes_after() {
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    let some = |n: usize| message("demo", 0, &[(n, NOW, &[received(n, NOW)])]);
    append_at(&archive, &some(1), false, NOW + DAY_MS).unwrap();
    assert_eq!(
        archive.lake().next_due().unwrap(),
        Some(NOW + DAY_MS + 60_000)
    );
    append_at(&archive, &some(2), false, NOW).unwrap();
    assert_eq!(archive.lake().next_due().unwrap(), Some(NOW + 60_000));
    archive.lake().seal("demo", 0, NOW + 60_000).unwrap();
    let due = archive
        .lake()
        .due_delivery(SinkKind::R2, NOW + 60_000)
        .unwrap()
        .unwrap();
    assert_eq!(due.object.events, 2);
}

/// A page ends where all that is left was appended before: an object whose clock is behind must not hide what is new.
#[test]
fn a_clock_that_is_behind_hides_nothing_from_a_page() {
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    let hour = NOW / HOUR_MS * HOUR_MS;
    // The newest came while the clock was behind, older ones are appended after it.
    let at = |minute: i64| hour + minute * 60_000;
    let older: Vec<Value> = (2..6).map(|n| received(n, at(5))).collect();
    for (row, events, now) in [
        (1, &[received(1, at(50))][..], at(-10)),
        (2, &older, at(51)),
    ] {
        append_at(
            &archive,
            &message("demo", 0, &[(row, NOW, events)]),
            false,
            now,
        )
        .unwrap();
    }
    let spec = PageSpec {
        limit: 1,
        ..PageSpec::default()
    };
    let ask = crate::archive::scan::Ask {
        asked: Asked::Page(spec),
        alone: true,
    };
    let mut hasher = crate::archive::Hasher::new("demo", KEY);
    let part = told::<Vec<Line>>(&archive, ask.begin(0, &mut hasher, None));
    assert_eq!(part.found[0].1, crate::testing::uuid(1));
}
