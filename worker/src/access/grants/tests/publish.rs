//! Writing to KV: what was made and changed is there in the end, whatever fails and whoever is late.

use super::world::{State, World, by_hand};
use crate::access::auth::lookup_hash;
use crate::access::grants::entry::{key_name, site_name};
use crate::access::grants::rows::MAX_DUE;
use crate::access::grants::{Asked, SETTLE_MS, Unreachable};
use crate::http::error::Fault;

fn name_of(key: &str) -> String {
    key_name(&lookup_hash(key).unwrap())
}

fn due(world: &World) -> i64 {
    world
        .sql
        .number("SELECT (SELECT count(grant_due) FROM sites) + (SELECT count(grant_due) FROM keys)")
}

/// KV says what D1 says, and nothing is left to do.
fn assert_settled(world: &World) {
    world.pass(SETTLE_MS);
    assert_eq!(world.cron(), Ok(0));
    let settled = world.all_in_kv();
    assert_eq!(due(world), 0);
    // As it would be written from nothing, but for keys that ended a while ago.
    by_hand(world, "UPDATE sites SET grant_due = 0");
    by_hand(world, "UPDATE keys SET grant_due = 0");
    assert_eq!(world.cron(), Ok(0));
    assert_eq!(world.all_in_kv(), settled);
}

#[test]
fn each_change_is_in_kv_at_once() {
    let world = World::new();
    let key = world.make_key(1);
    world.d1.set(State::Fails);
    assert_eq!(
        world.ask_anew(Asked::Key(&key)).unwrap().origins,
        ["https://a.example"]
    );
    world.d1.set(State::Works);
    let site =
        r#"{"siteId":"demo","origins":["https://b.example"],"hourlyQuota":9,"hashRouting":true}"#;
    world.replace_site(site).unwrap();
    world.d1.set(State::Fails);
    let grant = world.ask_anew(Asked::Key(&key)).unwrap();
    assert_eq!(grant.origins, ["https://b.example"]);
    assert_eq!(
        (grant.policy.hourly_quota, grant.hash_routing),
        (Some(9), true)
    );
    world.d1.set(State::Works);
    assert_eq!(world.end_key(&key, 0), Ok(0));
    world.d1.set(State::Fails);
    assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
    world.d1.set(State::Works);
    assert_settled(&world);
}

#[test]
fn a_write_that_fails_once_is_tried_again() {
    let world = World::new();
    let key = world.make_key(1);
    world.kv_writes.set(State::FailsOnce);
    let begun = world.now.get();
    assert_eq!(world.end_key(&key, 0), Ok(0));
    assert!(
        world.now.get() - begun > 1_000,
        "KV takes one write a second"
    );
}

#[test]
fn a_write_that_fails_is_told_and_made_good_by_the_cron() {
    for broken in [State::Fails, State::FailsAfter, State::Hangs] {
        let world = World::new();
        let key = world.make_key(1);
        world.kv_writes.set(broken);
        assert_eq!(world.end_key(&key, 0), Ok(1), "{broken:?}");
        let site = r#"{"siteId":"demo","origins":["https://b.example"]}"#;
        assert_eq!(world.replace_site(site), Ok(1), "{broken:?}");
        let late = world.make_key(2);
        world.pass(SETTLE_MS);
        assert_eq!(world.cron(), Ok(3), "{broken:?}");
        assert_eq!(due(&world), 3);
        world.kv_writes.set(State::Works);
        assert_eq!(world.cron(), Ok(0));
        world.d1.set(State::Fails);
        assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
        assert_eq!(
            world.ask_anew(Asked::Key(&late)).unwrap().origins,
            ["https://b.example"]
        );
        world.d1.set(State::Works);
        assert_settled(&world);
    }
}

#[test]
fn rows_that_were_written_by_hand_get_their_entries() {
    let world = World::new();
    world.lose_kv();
    let key = "slb_seed_abcdefghijklmnopqrstuvwxyz";
    by_hand(
        &world,
        "INSERT INTO sites (site_id, name, origins, domain, created_at) VALUES ('seed', '', '[]', 'seed.example', 0)",
    );
    let hash = lookup_hash(key).unwrap();
    world.sql.execute_batch(&format!(
        "INSERT INTO keys (key_hash, site_id, kind, created_at) VALUES ('{hash}', 'seed', 'browser', 0)"
    ));
    assert_eq!(world.cron(), Ok(0));
    world.d1.set(State::Fails);
    assert_eq!(world.ask_anew(Asked::Key(key)).unwrap().site, "seed");
    assert_eq!(
        world.ask_anew(Asked::Domain("seed.example")).unwrap().site,
        "seed"
    );
    assert_eq!(world.cron(), Err(Unreachable));
    world.d1.set(State::Works);
    world.asked();
    assert_eq!(world.cron(), Ok(0));
    assert_eq!(world.asked(), ["d1", "d1"], "nothing is due");
}

#[test]
fn many_that_are_due_have_their_turns() {
    let world = World::new();
    world.pass(SETTLE_MS);
    assert_eq!(world.cron(), Ok(0));
    let n = MAX_DUE + 1;
    let hash = "printf('%064d', value)";
    world.sql.execute_batch(&format!(
        "INSERT INTO keys (key_hash, site_id, kind, created_at) \
         WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {n}) \
         SELECT {hash}, 'demo', 'read', 0 FROM n"
    ));
    assert_eq!(world.cron(), Ok(0));
    assert_eq!(due(&world), 1);
    // A kind that this version does not know has no entry, and keeps none from its turn.
    assert_eq!(world.cron(), Ok(0));
    assert_eq!(due(&world), 0);
}

#[test]
fn a_slow_kv_is_not_written_to_from_rows_that_were_read_long_ago() {
    let world = World::new();
    for secret in 1..=9 {
        world.make_key(secret);
    }
    world.pass(SETTLE_MS);
    by_hand(&world, "UPDATE sites SET grant_due = NULL");
    *world.before_write.borrow_mut() = Some(Box::new(|world| world.pass(21_000)));
    assert_eq!(world.cron(), Ok(3));
    assert_eq!(due(&world), 3);
    assert_eq!(world.cron(), Ok(0));
    assert_eq!(due(&world), 0);
}

/// Somebody looks a key up; before the entry lands, the key is deleted everywhere.
#[test]
fn a_deleted_key_does_not_come_back_by_a_reader_that_is_late() {
    let world = World::new();
    let key = world.make_key(1);
    world.lose_kv();
    let ended = key.clone();
    *world.before_write.borrow_mut() = Some(Box::new(move |world| {
        assert_eq!(world.end_key(&ended, 0), Ok(0));
    }));
    assert!(
        world.ask_anew(Asked::Key(&key)).is_ok(),
        "so far it was good"
    );
    world.d1.set(State::Fails);
    assert!(world.ask_anew(Asked::Key(&key)).is_err());
    world.d1.set(State::Works);
    assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
    assert_settled(&world);
}

#[test]
fn a_reader_that_cannot_see_whether_it_was_late_leaves_nothing() {
    for writes in [State::Works, State::FailsAfter] {
        let world = World::new();
        let key = world.make_key(1);
        world.lose_kv();
        world.kv_writes.set(writes);
        let ended = key.clone();
        *world.before_write.borrow_mut() = Some(Box::new(move |world| {
            let _kv_may_fail = world.end_key(&ended, 0);
            world.d1.set(State::Fails);
        }));
        assert!(world.ask_anew(Asked::Key(&key)).is_ok());
        assert_eq!(world.in_kv(&name_of(&key)).as_deref(), Some(""));
        world.d1.set(State::Works);
        assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
    }
}

#[test]
fn a_reader_whose_isolate_is_ended_is_written_over_by_the_cron() {
    let world = World::new();
    let key = world.make_key(1);
    let stale = world.in_kv(&name_of(&key)).unwrap();
    assert_eq!(world.end_key(&key, 0), Ok(0));
    world.pass(30_000);
    world.put(&name_of(&key), &stale);
    // Whoever reads it meanwhile is corrected behind the first answer.
    let cache = std::cell::RefCell::default();
    assert!(world.ask(&cache, Asked::Key(&key)).is_ok());
    assert_eq!(world.ask(&cache, Asked::Key(&key)), Err(Fault::UnknownKey));
    world.pass(SETTLE_MS - 30_000);
    assert_eq!(world.cron(), Ok(0));
    world.d1.set(State::Fails);
    assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
}

#[test]
fn two_that_change_a_site_at_once_leave_what_d1_says() {
    let site = |n: u32| format!(r#"{{"siteId":"demo","origins":["https://{n}.example"]}}"#);
    let world = World::new();
    let second = site(2);
    *world.before_write.borrow_mut() = Some(Box::new(move |world| {
        world.pass(1);
        assert_eq!(world.replace_site(&second), Ok(0));
    }));
    assert_eq!(world.replace_site(&site(1)), Ok(0));
    assert!(
        world
            .in_kv(&site_name("demo"))
            .unwrap()
            .contains("2.example")
    );
    assert_settled(&world);
}

#[test]
fn a_change_while_the_cron_writes_stays_due() {
    let world = World::new();
    let key = world.make_key(1);
    world.pass(SETTLE_MS);
    let ended = key.clone();
    // Between the cron's read of the keys and its write.
    *world.after_d1.borrow_mut() = Some(Box::new(move |world| {
        *world.before_write.borrow_mut() = Some(Box::new(move |world| {
            assert_eq!(world.end_key(&ended, 0), Ok(0));
        }));
    }));
    assert_eq!(world.cron(), Ok(0));
    world.d1.set(State::Fails);
    assert_eq!(world.ask_anew(Asked::Key(&key)), Err(Fault::UnknownKey));
    world.d1.set(State::Works);
    assert_eq!(due(&world), 1, "it is written once more when all is quiet");
    assert_settled(&world);
}
