use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::logs::{Logs, Part};
use super::empty::{EMPTIED, KEPT};
use super::job::{Phase, State};
use super::testing::World;
use super::{Gate, Spread};
use crate::archive::erase::Forget;
use crate::archive::ranges::Ranges;
use crate::archive::testing::{self, append, compact, erase, fold, land};
use crate::base::sql::{Cell, Sql};
use crate::lake::testing::pack;
use crate::read::brute::event;
use crate::testing::{NOW, TestSql, message, uuid};

/// A message of one row of events.
fn row(seq: usize, events: std::ops::Range<usize>) -> Vec<u8> {
    let events: Vec<_> = events.map(|n| event("demo", n)).collect();
    message("demo", 0, &[(seq, NOW, &events)])
}

fn numbers(world: &World, query: &str) -> Vec<i64> {
    let archives = world.archives();
    archives
        .iter()
        .map(|archive| archive.sql().number(query))
        .collect()
}

fn sum(world: &World, query: &str) -> i64 {
    numbers(world, query).iter().sum()
}

#[test]
fn every_table_is_given_or_emptied_or_kept() {
    let world = World::new(1);
    let first = world.first();
    let rows: Vec<[Cell; 1]> = first
        .sql()
        .cells("SELECT name FROM sqlite_master WHERE type = 'table'", &[])
        .unwrap();
    let names: BTreeSet<&str> = rows.iter().map(|[name]| name.text()).collect();
    let known = EMPTIED.iter().chain(&KEPT).copied().chain(["segments"]);
    assert_eq!(names, known.collect());
}

#[test]
fn while_it_is_paused_an_archive_answers_and_changes_nothing() {
    let mut world = World::new(1);
    world.append(&row(1, 0..20), &|_| true).unwrap();
    world.begin(2);
    assert!(world.step().unwrap());
    assert_eq!(world.first().gate(), Gate::Paused);
    let refused = world.append(&row(2, 20..30), &|_| true).unwrap_err();
    assert_eq!(refused.0, super::PAUSED);
    // A row that it knows is refused, too: it is told again later.
    assert!(world.append(&row(1, 0..20), &|_| true).is_err());
    let first = world.first();
    let forget = Forget {
        user: "0".repeat(64),
        alias_key: "k".into(),
        erased_at: NOW,
    };
    assert!(first.find_erased(&forget).is_err());
    assert!(first.forget_folds(NOW).is_err());
    assert_eq!(first.prune(NOW * 2, NOW).unwrap().segments, 0);
    assert_eq!(first.compact_due().unwrap(), None);
    assert_eq!(
        first
            .sql()
            .number("SELECT coalesce(sum(n), 0) FROM segments"),
        20
    );
}

#[test]
fn it_can_be_cancelled_until_the_new_archives_are_the_sites() {
    for steps in 0..40 {
        let mut world = World::new(2);
        world.append(&row(1, 0..60), &|_| true).unwrap();
        world.begin(3);
        for _ in 0..steps {
            world.step().unwrap();
        }
        let mut state = world.state();
        let before = state.job.as_ref().map(|job| job.phase);
        let is_cancelled = state.cancel();
        state.save(world.first().sql()).unwrap();
        while world.step().unwrap() {}
        let state = world.state();
        let is_late = before.is_none_or(|phase| phase >= Phase::Registering);
        assert_eq!(
            (is_cancelled || before.is_some(), state.now.archives == 3),
            (true, is_late)
        );
        assert_eq!(
            sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"),
            60,
            "{before:?}"
        );
        world.append(&row(2, 60..80), &|_| true).unwrap();
        assert_eq!(sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"), 80);
        // What was half filled is empty, refuses every call, and its name is never given again.
        if !is_late {
            let of = Spread {
                archives: 3,
                generation: state.last,
            };
            for shard in 0..3 {
                let other = world.open(of, shard);
                assert_eq!(other.sql().number("SELECT count(*) FROM segments"), 0);
                assert!(before == Some(Phase::Pausing) || other.gate() == Gate::Moved);
            }
            world.reshard(4, &[]);
            assert!(world.state().now.generation > of.generation);
            assert_eq!(sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"), 80);
        }
        if is_late && before.is_none() {
            break;
        }
    }
}

#[test]
fn a_late_order_is_not_obeyed() {
    let mut world = World::new(1);
    world.begin(2);
    let pause = world.state().job.unwrap().round();
    world.step().unwrap();
    let mut state = world.state();
    assert!(state.cancel());
    state.save(world.first().sql()).unwrap();
    while world.step().unwrap() {}
    assert_eq!(world.first().gate(), Gate::Open);
    assert!(world.first().obey(&pause.order).is_err());
    assert_eq!(world.first().gate(), Gate::Open);
}

#[test]
fn what_was_given_to_others_does_not_count() {
    let mut world = World::new(1);
    world.append(&row(1, 0..30), &|_| true).unwrap();
    world.begin(2);
    while world.state().job.unwrap().phase < Phase::Copying {
        world.step().unwrap();
    }
    // Its call goes on when the reshard is cancelled, and when another one begins.
    let late = world.first().slice(2).unwrap().unwrap();
    let mut state = world.state();
    assert!(state.cancel());
    state.save(world.first().sql()).unwrap();
    while world.step().unwrap() {}
    assert!(world.first().given(&late).is_err());
    world.append(&row(2, 30..60), &|_| true).unwrap();
    world.begin(3);
    while world.state().job.unwrap().phase < Phase::Copying {
        world.step().unwrap();
    }
    assert!(world.first().given(&late).is_err());
    while world.step().unwrap() {}
    assert_eq!(sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"), 60);
}

#[test]
fn a_first_archive_that_was_lost_learns_how_many_there_are() {
    let sql = TestSql::new();
    let archive = testing::open(&sql, "demo");
    assert!(archive.is_new().unwrap());
    let now = Spread {
        archives: 3,
        generation: 0,
    };
    archive.learn(now).unwrap();
    assert!(!archive.is_new().unwrap());
    assert_eq!(
        (archive.state().unwrap().now, archive.gate()),
        (now, Gate::Open)
    );
    // Of a later generation: it keeps the number, and is none of them.
    let sql = TestSql::new();
    let archive = testing::open(&sql, "demo");
    let now = Spread {
        archives: 2,
        generation: NOW,
    };
    archive.learn(now).unwrap();
    for archive in [archive, testing::open(&sql, "demo")] {
        assert_eq!(
            (archive.state().unwrap().now, archive.gate()),
            (now, Gate::Moved)
        );
    }
}

#[test]
fn it_waits_for_a_sink_and_says_so() {
    let world = World::new(1);
    world.append(&row(1, 0..9), &|_| true).unwrap();
    let first = world.first();
    assert_eq!(
        first.settled().unwrap(),
        Err("events are on their way to D1")
    );
    fold(&first, &world.d1);
    assert_eq!(
        first.settled().unwrap(),
        Err("events are on their way to the sinks")
    );
    first.lake().seal_open("demo", 0, NOW).unwrap();
    first
        .sql()
        .execute_batch("UPDATE deliveries SET conflict = 2");
    assert!(
        first
            .settled()
            .unwrap()
            .unwrap_err()
            .starts_with("a sink refused")
    );
    first
        .sql()
        .execute_batch("UPDATE deliveries SET conflict = 0");
    land(&first);
    assert_eq!(first.settled().unwrap(), Ok(()));
}

#[test]
fn fewer_events_than_there_were_are_never_the_sites() {
    let mut world = World::new(1);
    world.append(&row(1, 0..30), &|_| true).unwrap();
    world.begin(2);
    while world.state().job.unwrap().phase < Phase::Counting {
        world.step().unwrap();
    }
    let to = world.state().job.unwrap().to;
    world
        .open(to, 1)
        .sql()
        .execute_batch("DELETE FROM segments");
    for _ in 0..5 {
        world.step().unwrap();
    }
    let job = world.state().job.unwrap();
    assert_eq!(job.phase, Phase::Checking);
    assert!(job.why.unwrap().starts_with("of 30 events "));
}

#[test]
fn a_segment_that_cannot_be_read_is_given_as_it_is() {
    let mut world = World::new(2);
    world.append(&row(1, 0..40), &|_| true).unwrap();
    world.append(&row(2, 40..80), &|_| true).unwrap();
    for archive in world.archives() {
        fold(&archive, &world.d1);
        land(&archive);
    }
    let first = world.first();
    first
        .sql()
        .execute_batch("UPDATE segments SET columns = x'00', more = x'' WHERE seq = 1");
    world.reshard(3, &[]);
    assert_eq!(sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"), 80);
    assert_eq!(
        sum(
            &world,
            "SELECT count(*) FROM segments WHERE columns = x'00'"
        ),
        1
    );
}

#[test]
fn what_is_known_beside_events_is_there_after_it() {
    let mut world = World::new(2);
    world.append(&row(1, 0..60), &|_| true).unwrap();
    // The same events in another row: duplicates.
    let twice = world.append(&row(2, 0..60), &|_| true).unwrap();
    assert_eq!(
        twice
            .duplicates
            .iter()
            .map(|(_, ids)| ids.len())
            .sum::<usize>(),
        60
    );
    for archive in world.archives() {
        fold(&archive, &world.d1);
        land(&archive);
    }
    let forget = Forget {
        user: shoreline_shared::privacy::user_hash(testing::KEY, "demo", "u1"),
        alias_key: "k".into(),
        erased_at: NOW * 2,
    };
    for archive in world.archives() {
        if archive.sql().number("SELECT count(*) FROM segments") > 0 {
            erase(&archive, &forget);
        }
    }
    world.first().prune(1, NOW).unwrap();
    let landed = sum(&world, "SELECT coalesce(sum(n), 0) FROM landed");
    let before = |world: &World| {
        [
            "SELECT coalesce(sum(n), 0) FROM segments",
            "SELECT landed_events FROM shard",
            "SELECT landed_events FROM sinks",
            "SELECT coalesce(sum(json_array_length(ids)), 0) FROM duplicates",
        ]
        .map(|query| sum(world, query))
    };
    let was = before(&world);
    let days = numbers(&world, "SELECT count(*) FROM erased_days");
    world.reshard(3, &[]);
    assert_eq!(before(&world), was);
    assert_eq!(
        sum(&world, "SELECT coalesce(sum(n), 0) FROM landed"),
        landed
    );
    // Who is to be forgotten is known in one archive, and their erasure looks at all of it again.
    assert_eq!(
        sum(&world, "SELECT count(*) FROM erased WHERE user IS NOT NULL"),
        1
    );
    assert_eq!(
        sum(&world, "SELECT count(*) FROM erasing WHERE after = 0"),
        1
    );
    assert!(
        numbers(&world, "SELECT count(*) FROM erased_days")
            .iter()
            .all(|n| days.contains(n) || *n > 0)
    );
    assert_eq!(numbers(&world, "SELECT kept_from FROM pruned"), [1; 3]);
    // Both rows are told again as they were told.
    let again = world.append(&row(2, 0..60), &|_| true).unwrap();
    let ids = |told: &crate::archive::Appended| {
        let ids = told.duplicates.iter().flat_map(|(_, ids)| ids.clone());
        ids.collect::<BTreeSet<String>>()
    };
    assert_eq!(ids(&again), ids(&twice));
    assert_eq!(
        again
            .duplicates
            .iter()
            .map(|(_, ids)| ids.len())
            .sum::<usize>(),
        60
    );
    // All ids are known to all.
    let known = numbers(&world, "SELECT count(*) FROM ids_0");
    assert_eq!(known, [60; 3]);
    // What is small is one again when it is due.
    let parts = sum(&world, "SELECT count(*) FROM segments");
    world.append(&row(3, 60..70), &|_| true).unwrap();
    for archive in world.archives() {
        fold(&archive, &world.d1);
        land(&archive);
        compact(&archive, NOW * 2);
    }
    assert!(sum(&world, "SELECT count(*) FROM segments") <= parts + 3);
    assert_eq!(sum(&world, "SELECT coalesce(sum(n), 0) FROM segments"), 70);
    // The old ones hold nothing.
    for shard in 0..2 {
        let old = &world.objects[&(0, shard)];
        assert_eq!(old.number("SELECT count(*) FROM segments"), 0);
        assert_eq!(old.number("SELECT count(*) FROM people"), 0);
    }
}

#[test]
fn ids_are_known_for_45_days_after_it() {
    const DAY: i64 = crate::base::time::DAY_MS;
    let mut world = World::new(2);
    let part = |n: usize| row(n, n..n + 1);
    let archives = world.archives();
    // Generations of the two archives begin at different days.
    testing::append_at(&archives[0], &part(1), false, NOW - 40 * DAY).unwrap();
    testing::append_at(&archives[1], &part(2), false, NOW - 5 * DAY).unwrap();
    testing::append_at(&archives[0], &part(3), false, NOW).unwrap();
    drop(archives);
    world.reshard(1, &[]);
    let archive = &world.archives()[0];
    let known = |n: usize| {
        let id = u128::from_str_radix(&uuid(n).replace('-', ""), 16).unwrap();
        !crate::archive::ids::known(archive.sql(), &[id])
            .unwrap()
            .is_empty()
    };
    let id = event("demo", 3)["eventId"].as_str().unwrap().to_owned();
    assert_eq!(id, uuid(3));
    for (n, days) in [(4, 39), (5, 44)] {
        testing::append_at(archive, &part(n), false, NOW + days * DAY).unwrap();
        assert!(known(2) && known(3), "{days} days after");
    }
}

#[test]
fn keys_keep_their_users_though_their_numbers_change() {
    let sql = TestSql::new();
    let archive = testing::open(&sql, "demo");
    append(&archive, &row(1, 0..200), false).unwrap();
    fold(&archive, &{
        let d1 = TestSql::new();
        d1.migrate();
        d1
    });
    let keys = |sql: &TestSql| -> BTreeMap<i64, (i64, String)> {
        let rows: Vec<[Cell; 3]> = sql
            .cells("SELECT id, dim, key FROM keys WHERE dim >= 0", &[])
            .unwrap();
        rows.iter()
            .map(|[id, dim, key]| (id.int(), (dim.int(), key.text().into())))
            .collect()
    };
    let other = TestSql::new();
    let _archive = testing::open(&other, "demo");
    let given: Vec<(i64, String)> = keys(&sql).into_values().rev().collect();
    let numbers = crate::archive::fold::number_keys(&other, &given).unwrap();
    let known = keys(&other);
    for (key, number) in given.iter().zip(&numbers) {
        assert_eq!(&known[&i64::from(*number)], key);
    }
    // They have the same numbers the next time.
    assert_eq!(
        crate::archive::fold::number_keys(&other, &given).unwrap(),
        numbers
    );
    assert!(!pack(b"").is_empty());
}

fn ranges(rows: &BTreeSet<i64>) -> Ranges {
    let mut ranges = Ranges::default();
    rows.iter().for_each(|row| ranges.insert(*row));
    ranges
}

proptest! {
    #[test]
    fn a_row_is_whole_where_all_had_it_and_else_known_by_who_had_it(
        known in prop::collection::vec(prop::collection::btree_set(0_i64..30, 0..20), 1..5),
        before in prop::collection::vec((0_i64..30, 0_i64..4), 0..2),
    ) {
        let before: Vec<Part> = before.iter().scan(-1, |end, (first, n)| {
            let first = (*first).max(*end + 1);
            *end = first + n;
            Some(Part("0/e".into(), first, *end, vec![(9, vec![7])]))
        }).collect();
        let all: Vec<Logs> = known.iter().map(|rows| Logs {
            whole: vec![("0/e".to_owned(), ranges(rows))],
            parts: before.clone(),
        }).collect();
        let united = Logs::united(&all);
        for row in -1..40 {
            let had: Vec<u32> = (0..).zip(&known).filter(|(_, rows)| rows.contains(&row)).map(|(n, _)| n).collect();
            let is_whole = united.whole[0].1.contains(row);
            prop_assert_eq!(is_whole, had.len() == known.len());
            let is_in = |part: &&Part| part.1 <= row && row <= part.2;
            let parts: Vec<&Part> = united.parts.iter().filter(is_in).collect();
            let mut want = Vec::new();
            if !is_whole {
                want.extend(before.iter().find(is_in).map(|_| (9, vec![7])));
                if !had.is_empty() {
                    want.push((u32::try_from(known.len()).unwrap(), had));
                }
            }
            prop_assert_eq!(parts.len(), usize::from(!want.is_empty()));
            prop_assert_eq!(parts.first().map_or(Vec::new(), |part| part.3.clone()), want);
        }
    }
}

#[test]
fn a_state_of_a_site_that_never_had_another_number_is_of_the_first_generation() {
    let sql = TestSql::new();
    let _archive = testing::open(&sql, "demo");
    let state = State::load(&sql, 3).unwrap();
    assert_eq!(
        (state.now.archives, state.now.generation, state.job),
        (3, 0, None)
    );
}
