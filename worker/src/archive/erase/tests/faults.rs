//! What comes in between, or cannot be done.

use proptest::prelude::*;

use super::*;

#[test]
fn a_failure_at_any_statement_leaves_a_step_whole() {
    let all = events(60);
    for fault in 1..60 {
        let sql = archive(&all, 10);
        let before = lines(&sql, "demo");
        suppress(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW)).unwrap();
        sql.fail_in(fault);
        let failed = step(&sql, "u1", &alias(NOW), &ALL).is_err();
        sql.never_fail();
        if !failed {
            // All statements had their turn.
            assert!(fault > 12, "{fault}");
            return;
        }
        assert_eq!(lines(&sql, "demo"), before, "{fault}");
        assert_eq!(count(&sql, "erased_days"), 0);
        let n = all.iter().filter(|e| e["userId"] == "u1").count();
        assert_eq!(
            erase(&sql, "u1", &alias(NOW), &ALL).0,
            i64::try_from(n).unwrap()
        );
        assert!(lines(&sql, "demo").iter().all(|e| e["userId"] != "u1"));
    }
    panic!("no step came to its end");
}

#[test]
fn a_suppression_is_whole_or_not_at_all() {
    for fault in 1..=4 {
        let sql = archive(&events(20), 10);
        sql.fail_in(fault);
        let failed = suppress(&sql, 7, &[7], &alias(NOW)).is_err();
        sql.never_fail();
        assert_eq!(failed, fault < 4);
        let rows = i64::from(!failed);
        assert_eq!(
            (count(&sql, "erased"), count(&sql, "erasing")),
            (rows, rows)
        );
    }
}

#[test]
fn a_segment_that_another_erasure_changed_is_looked_at_again() {
    let all = events(200);
    let sql = archive(&all, 100);
    let (one, other) = (hash_of("u1"), hash_of("u2"));
    for user in [one, other] {
        suppress(&sql, user, &[user], &alias(NOW)).unwrap();
    }
    let found = find(&sql, one, &[one], &alias(NOW), &ALL).unwrap();
    let mut hasher = Hasher::new("demo", KEY);
    let rewritten: Vec<_> = found
        .hits
        .iter()
        .map(|hit| {
            let text = std::str::from_utf8(&hit.lines).unwrap();
            let one = rewrite(hit, text, "demo", &[one], &alias(NOW), &mut hasher)
                .unwrap()
                .unwrap();
            let packed = one.lines.clone().into_bytes();
            (one, packed)
        })
        .collect();
    assert_eq!(rewritten.len(), 2);
    assert!(erase(&sql, "u2", &alias(NOW), &ALL).1);
    let done = write(&sql, one, &found, &rewritten).unwrap();
    assert_eq!(
        done,
        Step {
            events: 0,
            more: true,
            complete: false
        }
    );
    assert!(lines(&sql, "demo").iter().all(|e| e["userId"] != "u2"));
    let n = all.iter().filter(|e| e["userId"] == "u1").count();
    assert_eq!(
        erase(&sql, "u1", &alias(NOW), &ALL),
        (i64::try_from(n).unwrap(), true, 1)
    );
    assert!(
        lines(&sql, "demo")
            .iter()
            .all(|e| e["userId"] != "u1" && e["userId"] != "u2")
    );
}

#[test]
fn a_segment_that_cannot_be_read_is_told_and_keeps_no_other_from_its_turn() {
    let all = events(100);
    let sql = archive(&all, 10);
    sql.execute_batch("UPDATE segments SET columns = x'00112233' WHERE seq = 3");
    suppress(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW)).unwrap();
    let found = find(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW), &ALL).unwrap();
    assert_eq!(found.broken.len(), 1);
    assert_eq!(found.broken[0].0, 3);
    let (n, complete, _) = erase(&sql, "u1", &alias(NOW), &ALL);
    let theirs = all.iter().enumerate().filter(|(_, e)| e["userId"] == "u1");
    let readable = theirs.filter(|(n, _)| n / 10 != 2).count();
    assert_eq!((n, complete), (i64::try_from(readable).unwrap(), false));
    // Lines that are not the columns' are an error, not a loss.
    let hit = &found.hits[0];
    let mut hasher = Hasher::new("demo", KEY);
    let text = std::str::from_utf8(&hit.lines).unwrap();
    let short = text.split_inclusive('\n').skip(1).collect::<String>();
    let failed = rewrite(
        hit,
        &short,
        "demo",
        &[hash_of("u1")],
        &alias(NOW),
        &mut hasher,
    );
    assert!(failed.unwrap_err().0.contains("segment"));
}

#[test]
fn a_look_is_bounded() {
    let quiet = |n: usize| {
        let mut one = event("demo", n);
        one["userId"] = (if n == 1_200 { "u1" } else { "u2" }).into();
        one
    };
    let all: Vec<Value> = (0..1_300).map(quiet).collect();
    let sql = archive(&all, 1);
    suppress(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW)).unwrap();
    let first = step(&sql, "u1", &alias(NOW), &ALL).unwrap();
    assert_eq!(
        first,
        Step {
            events: 0,
            more: true,
            complete: false
        }
    );
    assert_eq!(sql.number("SELECT after FROM erasing"), 1_008);
    let second = step(&sql, "u1", &alias(NOW), &ALL).unwrap();
    assert_eq!(
        second,
        Step {
            events: 1,
            more: false,
            complete: true
        }
    );
}

proptest! {
    /// Whatever the sizes of segments, the moment, and which segments may be rewritten when: in the end
    /// every event of the user is nameless that was received up to the moment, and nothing else is.
    #[test]
    fn any_erasure_takes_what_it_must(
        size in 1_usize..40,
        hours in prop::collection::vec(0_i64..6, 60),
        erased_at in 0_i64..6 * 3_600_000,
        rounds in prop::collection::vec((0_i64..70, prop::collection::vec(any::<bool>(), 70)), 0..4),
    ) {
        let all: Vec<Value> = hours.iter().enumerate().map(|(n, hour)| {
            let mut one = event("demo", n);
            one["receivedAt"] = (NOW + hour * 3_600_000).into();
            one
        }).collect();
        let sql = archive(&all, size);
        let alias = alias(NOW + erased_at);
        let mut n = 0;
        for (folded, free) in rounds {
            let is_free = |seq: i64| Ok(free[usize::try_from(seq).unwrap() % 70]);
            n += erase(&sql, "u1", &alias, &Settled { folded, is_free: &is_free }).0;
        }
        let (rest, complete, _) = erase(&sql, "u1", &alias, &ALL);
        prop_assert!(complete);
        let is_theirs = |e: &Value| {
            e["userId"] == "u1" && e["receivedAt"].as_i64().unwrap() <= alias.erased_at
        };
        let mine = all.iter().filter(|e| is_theirs(e)).count();
        prop_assert_eq!(n + rest, i64::try_from(mine).unwrap());
        for (was, is) in all.iter().zip(lines(&sql, "demo")) {
            let want = if is_theirs(was) {
                serde_json::from_str(&crate::archive::nameless::nameless_text("demo", &was.to_string(), &alias)).unwrap()
            } else {
                was.clone()
            };
            prop_assert_eq!(is, want);
        }
    }
}

#[test]
fn erasing_again_changes_nothing() {
    let sql = archive(&events(300), 20);
    erase(&sql, "u1", &alias(NOW), &ALL);
    let erased = lines(&sql, "demo");
    let changes = || sql.number("SELECT total_changes()");
    let before = changes();
    assert_eq!(erase(&sql, "u1", &alias(NOW), &ALL), (0, true, 1));
    // How far it came, and nothing else.
    assert_eq!(changes() - before, 1);
    assert_eq!(lines(&sql, "demo"), erased);
    // A user who never was.
    assert_eq!(erase(&sql, "nobody", &alias(NOW), &ALL), (0, true, 1));
    assert_eq!(lines(&sql, "demo"), erased);
}
