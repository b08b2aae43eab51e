//! Looking up: what is asked, in which order, and what a request waits for.

use std::cell::RefCell;

use super::world::{State, World, by_hand};
use crate::access::auth::{KeyKind, lookup_hash};
use crate::access::grants::cache::{Cache, MAX_BAD, MAX_GOOD};
use crate::access::grants::entry::{key_name, site_name};
use crate::access::grants::{
    Asked, Behind, D1_MS, FRESH_MS, KV_AGE_MS, KV_READ_MS, PAUSE_MS, REFRESH_MS, STALE_MS,
};
use crate::http::error::Fault;

/// A world with a key.
fn with_key() -> (World, String) {
    let world = World::new();
    let key = world.make_key(1);
    world.pass(3_600_000);
    world.asked();
    (world, key)
}

fn name_of(key: &str) -> String {
    key_name(&lookup_hash(key).unwrap())
}

fn unavailable<T>(found: Result<T, Fault>) -> bool {
    matches!(found, Err(Fault::Unavailable(_)))
}

#[test]
fn a_fresh_isolate_needs_no_d1() {
    for broken in [State::Fails, State::Hangs] {
        let (world, key) = with_key();
        world.d1.set(broken);
        let (begun, cache) = (world.now.get(), RefCell::<Cache>::default());
        for asked in [Asked::Key(&key), Asked::Domain("demo.example")] {
            let (found, behind) = world.look_up(&cache, asked);
            let grant = found.unwrap();
            assert_eq!((&*grant.site, grant.kind), ("demo", KeyKind::Browser));
            assert_eq!(grant.origins, ["https://a.example"]);
            assert_eq!(behind, Behind::Verify);
            assert_eq!(world.asked(), ["kv", "kv"]);
        }
        assert_eq!(world.now.get(), begun, "nothing was waited for");
    }
}

#[test]
fn while_d1_is_away_kv_is_asked_again_and_d1_seldom() {
    let (world, key) = with_key();
    let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
    world.d1.set(State::Fails);
    assert!(world.ask(&cache, asked).is_ok());
    assert_eq!(world.asked(), ["kv", "kv", "d1"]);
    for _ in 0..100 {
        assert!(world.ask(&cache, asked).is_ok());
    }
    assert_eq!(world.asked(), [""; 0], "D1 is left alone for a while");
    // What KV says is served half as long as what D1 says.
    world.pass(FRESH_MS - KV_AGE_MS);
    assert!(world.ask(&cache, asked).is_ok());
    assert_eq!(world.asked(), ["kv", "kv", "d1"]);
}

#[test]
fn what_d1_says_is_good_for_a_minute_and_asked_again_behind_an_answer() {
    let (world, key) = with_key();
    let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
    world.ask(&cache, asked).unwrap();
    world.asked();
    world.pass(REFRESH_MS - 1);
    world.ask(&cache, asked).unwrap();
    assert_eq!(world.asked(), [""; 0]);
    world.pass(1);
    // Many at once: one of them asks.
    let behind: Vec<Behind> = (0..9).map(|_| world.look_up(&cache, asked).1).collect();
    assert_eq!(behind.iter().filter(|b| **b == Behind::Verify).count(), 1);
    assert_eq!(world.asked(), [""; 0], "nobody waited");
    // The isolate forgot to, as the platform ended the request: the next one does.
    world.pass(PAUSE_MS);
    world.ask(&cache, asked).unwrap();
    assert_eq!(world.asked(), ["d1"]);
    world.pass(REFRESH_MS - 1);
    world.ask(&cache, asked).unwrap();
    assert_eq!(world.asked(), [""; 0], "it is as good as new");
    world.pass(FRESH_MS);
    world.ask(&cache, asked).unwrap();
    assert_eq!(world.asked(), ["kv", "kv", "d1"]);
}

#[test]
fn a_kv_that_fails_or_hangs_is_passed_by() {
    for (broken, waited) in [(State::Fails, 0), (State::Hangs, i64::from(KV_READ_MS))] {
        for domain in [false, true] {
            let (world, key) = with_key();
            let asked = if domain {
                Asked::Domain("demo.example")
            } else {
                Asked::Key(&key)
            };
            world.kv_reads.set(broken);
            let begun = world.now.get();
            assert!(world.ask_anew(asked).is_ok());
            assert_eq!(world.now.get() - begun, waited);
            assert!(
                !world.asked().contains(&"put"),
                "who cannot read does not write"
            );
        }
    }
}

#[test]
fn without_both_a_known_key_is_served_for_an_hour_and_an_unknown_one_is_told_to_wait() {
    for broken in [State::Fails, State::Hangs] {
        let (world, key) = with_key();
        let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
        world.ask(&cache, asked).unwrap();
        let known_at = world.now.get();
        world.kv_reads.set(broken);
        world.d1.set(broken);
        world.pass(FRESH_MS);
        let begun = world.now.get();
        assert!(world.ask(&cache, asked).is_ok());
        let waited = if broken == State::Hangs {
            KV_READ_MS + D1_MS
        } else {
            0
        };
        assert_eq!(world.now.get() - begun, i64::from(waited));
        world.asked();
        assert!(world.ask(&cache, asked).is_ok());
        assert_eq!(world.asked(), [""; 0], "both are left alone for a while");
        world.now.set(known_at + STALE_MS - 1);
        assert!(world.ask(&cache, asked).is_ok());
        world.now.set(known_at + STALE_MS);
        assert!(unavailable(world.ask(&cache, asked)));
        assert!(unavailable(world.ask_anew(asked)));
        // It may be a good one: nothing is remembered against it.
        world.d1.set(State::Works);
        assert!(world.ask(&cache, asked).is_ok());
    }
}

#[test]
fn a_key_that_only_d1_knows_is_served_while_d1_is_away() {
    let (world, key) = with_key();
    let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
    world.ask(&cache, asked).unwrap();
    world.lose_kv();
    world.d1.set(State::Hangs);
    world.pass(FRESH_MS);
    assert!(world.ask(&cache, asked).is_ok());
    let begun = world.now.get();
    assert!(world.ask(&cache, asked).is_ok());
    assert_eq!(world.now.get(), begun, "D1 is waited for once in a while");
}

#[test]
fn what_kv_misses_is_written_by_who_found_it() {
    for lost in ["all", "key", "site"] {
        let (world, key) = with_key();
        let before = world.all_in_kv();
        match lost {
            "all" => world.lose_kv(),
            "key" => world.put(&name_of(&key), ""),
            _ => world.put(&site_name("demo"), "{\"origins\":7}"),
        }
        assert!(world.ask_anew(Asked::Key(&key)).is_ok());
        let puts = world.asked().into_iter().filter(|asked| *asked == "put");
        assert_eq!(puts.count(), if lost == "all" { 2 } else { 1 }, "{lost}");
        world.ask_anew(Asked::Domain("demo.example")).unwrap();
        assert_eq!(world.all_in_kv(), before, "{lost}");
        world.d1.set(State::Hangs);
        assert!(world.ask_anew(Asked::Key(&key)).is_ok());
        assert!(world.ask_anew(Asked::Domain("demo.example")).is_ok());
    }
}

#[test]
fn an_entry_of_another_site_is_none() {
    let (world, key) = with_key();
    world.make_site(r#"{"siteId":"other"}"#).unwrap();
    world.put(&name_of(&key), r#"{"site":"other","kind":"browser"}"#);
    assert_eq!(world.ask_anew(Asked::Key(&key)).unwrap().site, "demo");
    world.put(&name_of(&key), r#"{"site":"demo","kind":"admin"}"#);
    assert_eq!(
        world.ask_anew(Asked::Key(&key)).unwrap().kind,
        KeyKind::Browser
    );
}

#[test]
fn made_up_keys_are_remembered_and_push_out_no_good_one() {
    let (world, key) = with_key();
    let cache = RefCell::<Cache>::default();
    world.ask(&cache, Asked::Key(&key)).unwrap();
    world.asked();
    let made_up = |n: usize| format!("slb_demo_{n:026}");
    assert_eq!(
        world.ask(&cache, Asked::Key(&made_up(0))),
        Err(Fault::UnknownKey)
    );
    assert_eq!(world.asked(), ["kv", "kv", "d1"], "and nothing is written");
    assert_eq!(
        world.ask(&cache, Asked::Key(&made_up(0))),
        Err(Fault::UnknownKey)
    );
    assert_eq!(world.asked(), [""; 0]);
    for n in 1..2 * MAX_BAD {
        assert!(world.ask(&cache, Asked::Key(&made_up(n))).is_err());
    }
    assert!(cache.borrow().bad() <= MAX_BAD);
    world.asked();
    assert!(world.ask(&cache, Asked::Key(&key)).is_ok());
    assert_eq!(world.asked(), [""; 0]);
    assert_eq!(Asked::key("slb_demo_short"), Err(Fault::UnknownKey));
    // A minute later it may have been made.
    world.pass(FRESH_MS);
    assert!(world.ask(&cache, Asked::Key(&made_up(0))).is_err());
    assert_eq!(world.asked(), ["kv", "kv", "d1"]);
}

#[test]
fn good_keys_are_bounded() {
    let world = World::new();
    let grant = std::rc::Rc::new(crate::testing::a_grant(KeyKind::Read));
    let mut cache = Cache::default();
    for n in 0..2 * MAX_GOOD + 1 {
        let key = format!("slb_demo_{n:026}");
        cache.learn(Asked::Key(&key), Some(&grant), world.now.get());
    }
    assert!(cache.good() <= MAX_GOOD);
}

#[test]
fn a_page_cannot_say_a_key_as_its_domain() {
    let (world, key) = with_key();
    let cache = RefCell::<Cache>::default();
    world.ask(&cache, Asked::Key(&key)).unwrap();
    assert_eq!(
        world.ask(&cache, Asked::Domain(&key)),
        Err(Fault::UnknownKey)
    );
    assert!(world.ask(&cache, Asked::Key(&key)).is_ok());
}

#[test]
fn a_domain_that_has_moved_is_its_new_sites() {
    let (world, _) = with_key();
    let domain = Asked::Domain("demo.example");
    world.replace_site(r#"{"siteId":"demo"}"#).unwrap();
    assert_eq!(world.ask_anew(domain), Err(Fault::UnknownKey));
    world
        .make_site(r#"{"siteId":"new","domain":"demo.example"}"#)
        .unwrap();
    assert_eq!(world.ask_anew(domain).unwrap().site, "new");
    // Its entry says the old site still: what that site has to say decides.
    world.put("domain:demo.example", r#"{"site":"demo"}"#);
    assert_eq!(world.ask_anew(domain).unwrap().site, "new");
    world.d1.set(State::Hangs);
    assert_eq!(world.ask_anew(domain).unwrap().site, "new", "it was mended");
}

#[test]
fn a_key_ends_at_its_moment() {
    let (world, key) = with_key();
    let asked = Asked::Key(&key);
    world.end_key(&key, 90_000).unwrap();
    for broken in [None, Some(&world.d1), Some(&world.kv_reads)] {
        let cache = RefCell::<Cache>::default();
        broken.inspect(|store| store.set(State::Fails));
        let begun = world.now.get();
        for _ in 0..9 {
            assert!(world.ask(&cache, asked).is_ok());
            world.pass(9_999);
        }
        world.now.set(begun + 90_000);
        assert_eq!(world.ask(&cache, asked), Err(Fault::UnknownKey));
        assert_eq!(world.ask_anew(asked), Err(Fault::UnknownKey));
        world.now.set(begun);
        broken.inspect(|store| store.set(State::Works));
    }
    // KV knows for a day that it has ended, and then no more than D1 does.
    world.pass(90_000);
    world.asked();
    assert_eq!(world.ask_anew(asked), Err(Fault::UnknownKey));
    assert_eq!(world.asked(), ["kv", "kv"]);
    world.pass(2 * 24 * 3_600_000);
    assert_eq!(world.in_kv(&name_of(&key)), None);
    assert_eq!(world.ask_anew(asked), Err(Fault::UnknownKey));
}

#[test]
fn answers_that_overtake_each_other_change_nothing() {
    let (world, key) = with_key();
    let (now, asked) = (world.now.get(), Asked::Key(&key));
    let grant = std::rc::Rc::new(crate::testing::a_grant(KeyKind::Read));
    let mut cache = Cache::default();
    cache.learn(asked, None, now);
    cache.learn(asked, Some(&grant), now - 1);
    let cache = RefCell::new(cache);
    assert_eq!(world.ask(&cache, asked), Err(Fault::UnknownKey));
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn a_key_that_was_changed_by_hand_is_corrected_behind_the_first_answer() {
    let (world, key) = with_key();
    let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
    by_hand(&world, "DELETE FROM keys");
    assert!(world.ask(&cache, asked).is_ok(), "KV does not know");
    assert_eq!(world.ask(&cache, asked), Err(Fault::UnknownKey));
}
