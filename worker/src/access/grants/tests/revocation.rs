//! A revoked key works for 60 seconds at most, and so does an origin that was taken away: held for made-up
//! sequences of requests, changes, faults, lags and late writers.

use std::cell::RefCell;

use proptest::prelude::*;

use super::world::{State, World};
use crate::access::auth::lookup_hash;
use crate::access::grants::cache::Cache;
use crate::access::grants::entry::{domain_name, key_name, site_name};
use crate::access::grants::{Asked, Behind, FRESH_MS, KV_AGE_MS, follow};
use crate::testing::block_on;

/// How late somebody may be with what is left to do behind an answer, milliseconds.
const LATE_MS: i64 = 30_000;

const ISOLATES: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A request to an isolate: by key or domain, with KV this old, the rest of it so much later.
    Ask(usize, bool, i64, i64),
    /// An isolate begins anew.
    Begin(usize),
    Revoke,
    /// The site has another origin.
    Move,
    Cron,
    /// How D1, KV's reads and its writes do.
    D1(State),
    Reads(State),
    Writes(State),
    /// KV loses all.
    Lose,
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        2 => Just(State::Works),
        1 => Just(State::Fails),
        1 => Just(State::Hangs),
        1 => Just(State::FailsAfter),
    ]
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let ask = (0..ISOLATES, any::<bool>(), 0..=KV_AGE_MS, 0..=LATE_MS)
        .prop_map(|(n, domain, lag, late)| Step::Ask(n, domain, lag, late));
    let step = prop_oneof![
        12 => ask,
        2 => (0..ISOLATES).prop_map(Step::Begin),
        1 => Just(Step::Revoke),
        1 => Just(Step::Move),
        2 => Just(Step::Cron),
        1 => state().prop_map(Step::D1),
        1 => state().prop_map(Step::Reads),
        1 => state().prop_map(Step::Writes),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec((0..20_000_i64, step), 1..80)
}

struct Run {
    world: World,
    key: String,
    caches: Vec<RefCell<Cache>>,
    /// What is left behind answers: when it is done, by whom, for the domain or the key.
    behind: Vec<(i64, usize, bool, Behind)>,
    revoked_at: Option<i64>,
    /// When the site had its n-th origin everywhere, as the admin call said.
    moved_at: Vec<i64>,
    moves: usize,
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let key = world.make_key(1);
        let moved_at = vec![world.now.get()];
        let caches = (0..ISOLATES).map(|_| RefCell::default()).collect();
        Self {
            world,
            key,
            caches,
            behind: Vec::new(),
            revoked_at: None,
            moved_at,
            moves: 0,
        }
    }

    fn asked(key: &str, domain: bool) -> Asked<'_> {
        if domain {
            Asked::Domain("demo.example")
        } else {
            Asked::Key(key)
        }
    }

    /// Lets time pass, with what is done meanwhile.
    fn pass(&mut self, ms: i64) {
        let until = self.world.now.get() + ms;
        loop {
            self.behind.sort_by_key(|(at, ..)| *at);
            if self.behind.first().is_none_or(|(at, ..)| *at > until) {
                break;
            }
            let (at, isolate, domain, behind) = self.behind.remove(0);
            self.world.now.set(self.world.now.get().max(at));
            let asked = Self::asked(&self.key, domain);
            block_on(follow(behind, asked, &self.caches[isolate], &self.world));
        }
        self.world.now.set(self.world.now.get().max(until));
    }

    /// Whether a store can say how things are: only then can more be asked than an hour.
    fn somebody_knows(&self, domain: bool) -> bool {
        let answers = |state| matches!(state, State::Works | State::FailsAfter);
        let at = self.world.now.get() - self.world.lag_ms.get();
        let has = |name: String| {
            self.world
                .in_kv_at(&name, at)
                .is_some_and(|text| !text.is_empty())
        };
        let who = if domain {
            domain_name("demo.example")
        } else {
            key_name(&lookup_hash(&self.key).unwrap())
        };
        let kv = has(who) && has(site_name("demo"));
        self.world.d1.get() == State::Works || answers(self.world.kv_reads.get()) && kv
    }

    fn ask(&mut self, isolate: usize, domain: bool, lag_ms: i64, late_ms: i64) {
        self.world.lag_ms.set(lag_ms);
        let (now, knows) = (self.world.now.get(), self.somebody_knows(domain));
        let asked = Self::asked(&self.key, domain);
        let (found, behind) = self.world.look_up(&self.caches[isolate], asked);
        self.behind.push((now + late_ms, isolate, domain, behind));
        let Ok(grant) = found else { return };
        if !knows {
            return;
        }
        if let Some(revoked_at) = self.revoked_at.filter(|_| !domain) {
            assert!(now < revoked_at + FRESH_MS, "{} ms after", now - revoked_at);
        }
        let origin: usize = grant.origins[0]
            .trim_start_matches("https://")
            .trim_end_matches(".example")
            .parse()
            .unwrap_or(0);
        let newest = self
            .moved_at
            .iter()
            .rposition(|at| at.saturating_add(FRESH_MS) <= now);
        assert!(Some(origin) >= newest, "{origin} for {newest:?}");
    }

    fn step(&mut self, step: Step) {
        let d1_works = self.world.d1.get() == State::Works;
        match step {
            Step::Ask(isolate, domain, lag_ms, late_ms) => {
                self.ask(isolate, domain, lag_ms, late_ms)
            }
            Step::Begin(isolate) => self.caches[isolate] = RefCell::default(),
            Step::Revoke if d1_works => {
                if self.world.end_key(&self.key, 0) == Ok(0) {
                    self.revoked_at.get_or_insert(self.world.now.get());
                }
            }
            Step::Move if d1_works => {
                self.moves += 1;
                let n = self.moves;
                let site = format!(
                    r#"{{"siteId":"demo","origins":["https://{n}.example"],"domain":"demo.example"}}"#
                );
                if self.world.replace_site(&site) == Ok(0) {
                    self.moved_at.resize(n, i64::MAX);
                    self.moved_at.push(self.world.now.get());
                }
            }
            Step::Revoke | Step::Move => {}
            Step::Cron => drop(self.world.cron()),
            Step::D1(state) => self.world.d1.set(state),
            Step::Reads(state) => self.world.kv_reads.set(state),
            Step::Writes(state) => self.world.kv_writes.set(state),
            Step::Lose => self.world.lose_kv(),
        }
    }
}

/// D1 takes the end and is gone; an isolate begins when KV is about to show it, and asks all the time.
#[test]
fn the_ages_of_memory_and_kv_are_not_added_up() {
    let world = World::new();
    let key = world.make_key(1);
    world.pass(KV_AGE_MS);
    assert_eq!(world.end_key(&key, 0), Ok(0));
    let ended_at = world.now.get();
    world.d1.set(State::Hangs);
    world.lag_ms.set(KV_AGE_MS);
    world.pass(KV_AGE_MS - 1);
    let (cache, asked) = (RefCell::<Cache>::default(), Asked::Key(&key));
    assert!(world.ask(&cache, asked).is_ok(), "KV shows it as it was");
    while world.look_up(&cache, asked).0.is_ok() {
        world.pass(100);
    }
    let worked = world.now.get() - ended_at;
    assert!(worked <= FRESH_MS, "{worked}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_was_taken_away_works_for_a_minute_at_most(steps in steps()) {
        let mut run = Run::new();
        for (ms, step) in steps {
            run.pass(ms);
            run.step(step);
        }
    }
}
