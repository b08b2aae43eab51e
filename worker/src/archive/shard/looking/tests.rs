use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::archive::fold::Table;
use crate::archive::standing;
use crate::archive::testing::{append, fold, fold_here, look, look_at_all, open, take};
use crate::read::brute::{DAY, count, distinct, event, read};
use crate::testing::{NOW, TestSql, message};

fn all() -> Vec<Want> {
    let all = |table| Want::new(table, &[], (i64::MIN, i64::MAX));
    Table::ALL.map(all).to_vec()
}

fn ask(at: Option<Cursor>) -> Look {
    let at = at.map(|Cursor { epoch, fold }| Stand {
        shard: 0,
        epoch,
        fold,
    });
    Look {
        at: at.into_iter().collect(),
        archives: 1,
        wants: all(),
    }
}

/// A message of these events, as a row of its own.
fn body(row: usize, events: &[Value]) -> Vec<u8> {
    message("demo", 0, &[(row, NOW, events)])
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Append(usize),
    Fold,
    Take,
    /// D1 takes a fold, and the archive does not hear of it.
    Lose,
    Look,
    /// The object is made anew.
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..40).prop_map(Step::Append),
        2 => Just(Step::Fold),
        1 => Just(Step::Take),
        1 => Just(Step::Lose),
        3 => Just(Step::Look),
        1 => Just(Step::Open),
    ]
}

/// What D1 would have with what it lacks is what a plain count of all events has.
fn check(archive: &Archive<&TestSql>, sql: &TestSql, d1: &TestSql, events: &[Value]) {
    let changes = || sql.number("SELECT total_changes()");
    let before = changes();
    let stands = Cursor::of(&d1.batch(&[standing("demo")]).unwrap(), 0);
    let mut looked = look(archive, &ask(None)).unwrap();
    if !looked.at.is_last(stands) {
        looked = look(archive, &ask(stands)).unwrap();
    }
    assert!(looked.at.is_last(stands), "{looked:?}, {stands:?}");
    assert_eq!(changes(), before, "a look wrote");
    let (epoch, fold) = (looked.at.epoch, looked.at.fold + 1);
    d1.execute_batch("SAVEPOINT look");
    let statements = looked.sums.statements("demo", 0, Cursor { epoch, fold });
    d1.batch::<Value>(&statements).unwrap();
    let want = count("demo", events);
    let days = DAY..=DAY + 6;
    for (dim, key) in [
        ("user", ""),
        ("anon", ""),
        ("page", "/1"),
        ("country", "DE"),
    ] {
        let found = distinct(d1, "demo", dim, key, days.clone());
        assert_eq!(found, want.distinct(dim, key, days.clone()), "{dim} {key}");
    }
    for table in ["minute_counts", "hour_counts", "daily_counts"] {
        let n = d1.number(&format!("SELECT coalesce(sum(n), 0) FROM {table}"));
        assert_eq!(n, i64::try_from(events.len()).unwrap(), "{table}");
    }
    assert_eq!(read(d1, "demo"), want.sums());
    d1.execute_batch("ROLLBACK TO look; RELEASE look");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_d1_has_and_what_it_lacks_is_what_there_is(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let (sql, d1) = (TestSql::new(), TestSql::new());
        d1.migrate();
        let mut archive = open(&sql, "demo");
        let mut events: Vec<Value> = Vec::new();
        for (row, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append(n) => {
                    let new: Vec<Value> = (events.len()..events.len() + n)
                        .map(|n| event("demo", n))
                        .collect();
                    append(&archive, &body(row, &new), false).unwrap();
                    events.extend(new);
                }
                Step::Fold => fold_here(&archive),
                Step::Take => take(&archive, &d1, true),
                Step::Lose => take(&archive, &d1, false),
                Step::Look => check(&archive, &sql, &d1, &events),
                Step::Open => archive = open(&sql, "demo"),
            }
        }
        check(&archive, &sql, &d1, &events);
    }
}

#[test]
fn a_look_is_remembered_until_something_is_appended_or_folded() {
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    let events: Vec<Value> = (0..30).map(|n| event("demo", n)).collect();
    let upto = || {
        archive
            .looking
            .borrow()
            .as_ref()
            .map(|looking| looking.upto)
    };
    append(&archive, &body(1, &events[..10]), false).unwrap();
    look(&archive, &ask(None)).unwrap();
    // Columns are not read again: without them the answer is the same.
    sql.execute_batch("SAVEPOINT s; UPDATE segments SET columns = x'00'");
    let again = look(&archive, &ask(None)).unwrap();
    assert_eq!(again.sums.minutes().map(|(.., n)| n).sum::<i64>(), 10);
    sql.execute_batch("ROLLBACK TO s; RELEASE s");
    append(&archive, &body(2, &events[10..20]), false).unwrap();
    assert_eq!(upto(), Some(1));
    look_at_all(&archive);
    assert_eq!(upto(), Some(2));
    // Segments that were read before others were looked at are passed by.
    append(&archive, &body(3, &events[20..]), false).unwrap();
    let Unlooked::Some(late) = archive.unlooked().unwrap() else {
        panic!("there is one more");
    };
    look_at_all(&archive);
    archive.look_at(&late, &[], NOW).unwrap();
    let all = look(&archive, &ask(None)).unwrap();
    assert_eq!(all.sums.minutes().map(|(.., n)| n).sum::<i64>(), 30);
    // What was looked at long ago goes with the next append.
    let row = message("demo", 0, &[(4, NOW, &[event("demo", 31)])]);
    let row = crate::protocol::Message::parse(&row).unwrap();
    let draft = archive.read(&row).unwrap();
    let packed = [(draft.segments[0].lines.clone(), b"packed".to_vec())];
    archive
        .append(draft, &packed, false, NOW + KEPT_MS + 1)
        .unwrap();
    assert_eq!(upto(), None);
}

#[test]
fn what_is_too_much_to_look_at_or_to_tell_is_folded() {
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    // Many keys over many days.
    let page = |n: usize| {
        let mut event = event("demo", n);
        event["eventType"] = "page_view".into();
        event["timestamp"] =
            ((DAY + i64::try_from(n / 400).unwrap()) * crate::base::time::DAY_MS).into();
        event["eventData"] = serde_json::json!({"path": format!("/{n}/{}", "x".repeat(300))});
        event
    };
    for row in 0..6 {
        let events: Vec<Value> = (row * 1_000..(row + 1) * 1_000).map(page).collect();
        append(&archive, &body(row, &events), false).unwrap();
    }
    assert!(look(&archive, &ask(None)).is_none());
    let days = vec![Want::new(Table::UserDays, &[], (DAY, DAY + 6))];
    let days = Look {
        wants: days,
        ..ask(None)
    };
    assert!(look(&archive, &days).is_some());
    // Segments of one event each.
    let sql = TestSql::new();
    drop(open(&sql, "demo"));
    let few: Vec<Value> = (0..3).map(|n| event("demo", n)).collect();
    crate::archive::filled::add(&sql, "demo", &few, 1);
    let archive = open(&sql, "demo");
    assert!(matches!(archive.unlooked().unwrap(), Unlooked::Some(_)));
    let copy = "INSERT INTO segments SELECT seq + 3, hour, at, n, bytes, first_at, last_at, landed, \
        columns, more, lines FROM segments ORDER BY seq DESC LIMIT 3";
    (0..333).for_each(|_| sql.execute_batch(copy));
    let archive = open(&sql, "demo");
    assert_eq!(archive.unlooked().unwrap(), Unlooked::TooMuch);
    fold_here(&archive);
    assert_eq!(archive.unlooked().unwrap(), Unlooked::None);
}

#[test]
fn an_archive_that_does_not_follow_where_d1_stands_tells_so() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = open(&sql, "demo");
    for row in 0..3 {
        append(&archive, &body(row, &[event("demo", row)]), false).unwrap();
        fold_here(&archive);
    }
    let at = |fold| Cursor { epoch: NOW, fold };
    let told = |asked| look(&archive, &ask(asked)).unwrap().at;
    assert_eq!(told(None), at(0));
    for fold in 0..=3 {
        assert_eq!(told(Some(at(fold))), at(fold));
    }
    assert_eq!(told(Some(at(4))), at(0));
    take(&archive, &d1, true);
    // It has forgotten the first fold: a D1 that was lost lacks that too.
    assert_eq!(told(Some(at(0))), at(1));
    let other = |epoch| Some(Cursor { epoch, fold: 2 });
    for epoch in [NOW - 1, NOW + 1] {
        assert_eq!(told(other(epoch)), at(1));
    }
    // A new archive counts on top of what an older one brought, and never of a later one's.
    assert!(at(0).is_last(None) && at(0).is_last(other(NOW - 1)));
    assert!(!at(2).is_last(other(NOW + 1)) && !at(0).is_last(other(NOW + 1)));
    assert!(!at(1).is_last(None) && !at(1).is_last(Some(at(2))));
}

#[test]
fn many_events_are_folded_before_the_day_is_over() {
    let is_due =
        |archive: &Archive<&TestSql>| archive.fold_due().unwrap().is_some_and(|due| due <= NOW);
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    for row in 0..20 {
        assert!(!is_due(&archive), "{row}");
        let events: Vec<Value> = (row * 1_000..(row + 1) * 1_000)
            .map(|n| event("demo", n))
            .collect();
        append(&archive, &body(row, &events), false).unwrap();
    }
    assert!(is_due(&archive));
    // The same as a new instance counts it.
    assert!(is_due(&open(&sql, "demo")));
    fold_here(&archive);
    assert_eq!(archive.waiting().unwrap(), (0, 0));
}

#[test]
fn people_are_told_with_what_is_not_folded() {
    let sql = TestSql::new();
    let archive = open(&sql, "demo");
    let events: Vec<Value> = (0..60).map(|n| event("demo", n)).collect();
    append(&archive, &body(1, &events[..30]), false).unwrap();
    fold_here(&archive);
    append(&archive, &body(2, &events[30..]), false).unwrap();
    let before = sql.number("SELECT total_changes()");
    look_at_all(&archive);
    let user = shoreline_shared::privacy::user_hash(crate::archive::testing::KEY, "demo", "u1");
    let looked = archive.profile(&user).unwrap();
    assert_eq!(sql.number("SELECT total_changes()"), before, "a look wrote");
    fold_here(&archive);
    assert_eq!(looked, archive.profile(&user).unwrap());
    let mut days: Vec<i64> = events
        .iter()
        .filter(|event| event["userId"] == "u1")
        .map(|event| day_of(event["timestamp"].as_i64().unwrap()))
        .collect();
    days.sort_unstable();
    days.dedup();
    assert_eq!(looked.unwrap().days, days);
}

#[test]
fn a_text_with_a_nul_is_told_as_d1_has_it() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = open(&sql, "demo");
    let mut used = event("demo", 1);
    used["eventType"] = "feature_use".into();
    used["eventData"] = serde_json::json!({"feature": "a\u{0}b"});
    append(&archive, &body(1, &[used]), false).unwrap();
    let wants = vec![Want::new(Table::Keys, &["feature"], (i64::MIN, i64::MAX))];
    let looked = look(&archive, &Look { wants, ..ask(None) }).unwrap();
    crate::archive::testing::fold(&archive, &d1);
    let key = "SELECT key FROM breakdowns WHERE dim = 'feature'";
    let key: Vec<[crate::base::sql::Cell; 1]> = d1.cells(key, &[]).unwrap();
    assert_eq!(looked.sums.keys().next().unwrap().key, key[0][0].text());
}

/// Folds wait in the archive, whose alarm goes on trying; every answer has what D1 lacks.
#[test]
fn a_d1_that_is_away_for_a_day_is_missed_by_no_answer_and_has_all_of_it_then() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let mut archive = open(&sql, "demo");
    let mut events: Vec<Value> = Vec::new();
    for hour in 0..24 {
        for row in 0..3 {
            let from = events.len();
            let new: Vec<Value> = (from..from + 40).map(|n| event("demo", n)).collect();
            append(&archive, &body(hour * 3 + row, &new), false).unwrap();
            events.extend(new);
        }
        fold_here(&archive);
        archive.was_not_taken(NOW);
        if hour % 6 == 5 {
            check(&archive, &sql, &d1, &events);
            archive = open(&sql, "demo");
        }
    }
    assert_eq!(d1.number("SELECT count(*) FROM archives"), 0);
    assert_eq!(sql.number("SELECT count(DISTINCT number) FROM pending"), 24);
    fold(&archive, &d1);
    assert_eq!(sql.number("SELECT count(*) FROM pending"), 0);
    assert_eq!(read(&d1, "demo"), count("demo", &events).sums());
}
