//! Where nothing may be mended.

use super::*;

#[test]
fn a_failure_at_any_statement_leaves_the_day_as_it_was() {
    let (system, _) = database();
    let right = system.dump();
    system.damage(&format!(
        "DELETE FROM member_gaps WHERE dim = 'user' AND day = {0};
         UPDATE user_days SET signups = 9 WHERE day = {0}; DELETE FROM session_days WHERE day = {0}",
        DAY
    ));
    let damaged = system.dump();
    let statements = system.mending(&step(DAY, Some(Part::People)), NOW).unwrap();
    assert_eq!(statements.len(), 5);
    for nth in 1..=5 {
        system.d1.fail_in(nth);
        assert!(system.d1.batch::<Repair>(&statements).is_err());
        assert_eq!(system.dump(), damaged);
        assert_eq!(system.d1.number("SELECT count(*) FROM repairs"), 0);
    }
    system.d1.batch::<Repair>(&statements).unwrap();
    assert_eq!(system.dump(), right);
    // Once more, as if the answer had been lost: the rows are written again, and say the same.
    system.d1.batch::<Repair>(&statements).unwrap();
    assert_eq!(system.dump(), right);
}

#[test]
fn where_d1_stands_elsewhere_nothing_is_mended() {
    let all = events(280);
    let (early, late) = all.split_at(250);
    let system = filled(early);
    system.damage(&format!(
        "UPDATE breakdowns SET events = 99 WHERE day = {}",
        DAY + 5
    ));
    let step = step(DAY + 5, Some(Part::Keys));
    let counted = system.counted(step.asks().unwrap()).unwrap();
    let stored = || ask::<Stored>(&system.d1, &step.stored(Part::Keys, &counted));
    let found = step.differences(&counted, stored());
    assert!(!found.is_empty());
    // A fold comes between what was read and what is written.
    system.take(5_000, late);
    let taken = system.dump();
    let mended: Vec<Repair> = system.d1.batch(&step.mend(&counted, &found, NOW)).unwrap();
    assert_eq!(mended, []);
    assert_eq!(system.dump(), taken);
    assert_eq!(system.d1.number("SELECT count(*) FROM repairs"), 0);
    // Or before.
    assert_eq!(step.differences(&counted, stored()), []);
    assert_eq!(step.differences(&counted, Vec::new()), []);
    // In an hour it is.
    assert!(!system.recount(NOW).is_empty());
    assert_eq!(read(&system.d1, "demo"), count("demo", &all).sums());
    // What other archives of the site have counted is nobody's mistake.
    system.damage(&format!(
        "UPDATE breakdowns SET events = 99 WHERE day = {}",
        DAY + 5
    ));
    let of_page = system.mending(&step, NOW + 1);
    assert!(of_page.is_some());
    system.damage("INSERT INTO archives VALUES ('demo', 1, 7, 7)");
    assert_eq!(system.mending(&step, NOW), None);
    assert_eq!(system.d1.batch::<Repair>(&of_page.unwrap()).unwrap(), []);
}

#[test]
fn what_came_between_the_slices_makes_a_count_void() {
    let (system, _) = database();
    let day = Day {
        part: Part::People,
        day: DAY + 5,
    };
    let archive = open(&system.sql, "demo");
    let mut recount = archive.recount(day).unwrap();
    assert!(recount.slice(archive.sql(), 0).unwrap());
    system.take(5_000, &events(251)[250..]);
    assert!(!recount.slice(archive.sql(), 0).unwrap());
    assert_eq!(recount.end(archive.sql()).unwrap(), None);
    // Or a user was erased.
    let day = Day {
        part: Part::Keys,
        ..day
    };
    let mut recount = archive.recount(day).unwrap();
    while recount.slice(archive.sql(), 0).unwrap() {}
    system
        .sql
        .execute_batch(&format!("INSERT INTO erased_days VALUES ({})", day.day));
    assert_eq!(recount.end(archive.sql()).unwrap(), None);
}

#[test]
fn days_of_which_less_is_there_than_was_counted_are_left_alone() {
    let day = DAY + 5;
    let damage = format!(
        "UPDATE breakdowns SET events = 99 WHERE day = {day}; DELETE FROM member_gaps; \
         UPDATE minute_counts SET n = n + 1"
    );
    let parts = |system: &System| {
        let is_mended =
            |part: Part, day: i64| system.mending(&step(day, Some(part)), NOW).is_some();
        [
            is_mended(Part::Keys, day),
            is_mended(Part::People, day),
            is_mended(Part::Received, DAY + 9),
        ]
    };
    let (system, _) = database();
    system.damage(&damage);
    assert_eq!(parts(&system), [true; 3]);
    // A user of the day was erased.
    system
        .sql
        .execute_batch(&format!("INSERT INTO erased_days VALUES ({day})"));
    assert_eq!(parts(&system), [false, false, true]);
    // Segments are gone that were received on the day, or whose events happened on it.
    let (system, _) = database();
    system.damage(&damage);
    system.sql.execute_batch("UPDATE segments SET landed = 1");
    let archive = open(&system.sql, "demo");
    let kept_from = (DAY + 6) * DAY_MS;
    assert!(archive.prune(kept_from, NOW).unwrap().segments > 0);
    assert_eq!(parts(&system), [false, true, false]);
}

#[test]
fn what_a_lost_archive_has_counted_stays() {
    let all = events(250);
    let (lost, rest) = all.split_at(100);
    let old = filled(lost);
    let system = System {
        others: Vec::new(),
        sql: TestSql::new(),
        d1: old.d1,
    };
    // Made on the last of the days; D1 has sums of an earlier one by receipt.
    let archive = open(&system.sql, "demo");
    system.sql.execute_batch(&format!(
        "UPDATE folded SET epoch = {}",
        (DAY + 5) * DAY_MS + 1
    ));
    system.damage("UPDATE daily_counts SET date = '2020-01-01'");
    append(&archive, &message("demo", 0, &[(9, 0, rest)]), false).unwrap();
    fold(&archive, &system.d1);
    let right = system.dump();
    let step = step(DAY + 5, Some(Part::Keys));
    assert_eq!(system.mending(&step, NOW), None);
    // Less than it has counted itself cannot be.
    let page = format!("dim = 'page' AND day = {} AND key = '/1'", DAY + 5);
    system.damage(&format!("UPDATE breakdowns SET events = 0 WHERE {page}"));
    let statements = system.mending(&step, NOW).unwrap();
    let mended: Vec<Repair> = system.d1.batch(&statements).unwrap();
    assert_eq!(
        mended,
        [Repair {
            model: "page".into(),
            n: 1
        }]
    );
    assert!(
        system
            .d1
            .number(&format!("SELECT events FROM breakdowns WHERE {page}"))
            > 0
    );
    // Where it was there all day long, it knows.
    system
        .sql
        .execute_batch(&format!("UPDATE folded SET epoch = {}", (DAY + 4) * DAY_MS));
    system.damage(&format!(
        "UPDATE archives SET epoch = {}",
        (DAY + 4) * DAY_MS
    ));
    assert!(system.mending(&step, NOW).is_some());
    assert_ne!(system.dump(), right);
}
