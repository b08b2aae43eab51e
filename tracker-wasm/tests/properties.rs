//! Whatever happens to a page, and whatever the collector answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod page;

use std::collections::{BTreeMap, BTreeSet};

use page::{Page, Post, Text};
use proptest::prelude::*;
use shoreline_shared::limits::{TRACKER_BATCH_BYTES, TRACKER_BATCH_EVENTS};
use shoreline_tracker::answer::{HANDED_OVER, NO_ANSWER, Settled};
use shoreline_tracker::line::QUEUE_EVENTS;
use shoreline_tracker::queue::{LEAVING_BYTES, QUEUE_BYTES};

#[derive(Clone, Debug)]
enum Step {
    Make {
        times: u32,
        bytes: u32,
    },
    Pass {
        ms: i32,
    },
    Flush,
    Leave {
        the_end: bool,
    },
    Reload,
    Answer {
        which: usize,
        status: u16,
        retry_after_ms: Option<u64>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let statuses = vec![
        202,
        202,
        200,
        NO_ANSWER,
        HANDED_OVER,
        503,
        429,
        413,
        400,
        422,
        500,
    ];
    let status = prop::sample::select(statuses);
    let retry_after = prop::option::of(0_u64..100_000);
    let size = prop_oneof![8 => 0_u32..400, 1 => 0_u32..34_000];
    prop_oneof![
        8 => (1_u32..40, size).prop_map(|(times, bytes)| Step::Make { times, bytes }),
        2 => (-90_000_i32..20_000).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Flush),
        1 => any::<bool>().prop_map(|the_end| Step::Leave { the_end }),
        1 => Just(Step::Reload),
        4 => (any::<usize>(), status, retry_after)
            .prop_map(|(which, status, retry_after_ms)| Step::Answer { which, status, retry_after_ms }),
    ]
}

/// A page, and what an observer in between has seen.
struct World {
    page: Page,
    /// Every batch ever posted, as it was the first time.
    seen: BTreeMap<u64, Text>,
    in_flight: Vec<Post>,
    delivered: Vec<u64>,
    refused: Vec<u64>,
    /// What batches said that were taken.
    told: u32,
    reloads: u32,
}

impl World {
    fn new() -> Self {
        Self {
            page: Page::new(),
            seen: BTreeMap::new(),
            in_flight: vec![],
            delivered: vec![],
            refused: vec![],
            told: 0,
            reloads: 0,
        }
    }

    fn act(&mut self, step: &Step) {
        match *step {
            Step::Make { times, bytes } => (0..times).for_each(|_| self.page.make(bytes)),
            Step::Pass { ms } if ms < 0 => self.page.now += f64::from(ms),
            Step::Pass { ms } => self.page.pass(f64::from(ms)),
            Step::Flush => self.page.flush(),
            Step::Leave { the_end } => self.page.leave(the_end),
            Step::Reload => {
                // Requests of a page that is no more are never answered.
                self.in_flight.clear();
                self.page = std::mem::replace(&mut self.page, Page::new()).reload();
                self.reloads += 1;
            }
            Step::Answer {
                which,
                status,
                retry_after_ms,
            } => {
                if !self.in_flight.is_empty() {
                    let post = self.in_flight.remove(which % self.in_flight.len());
                    self.answer(&post, status, retry_after_ms);
                }
            }
        }
        self.observe();
    }

    fn answer(&mut self, post: &Post, status: u16, retry_after_ms: Option<u64>) {
        match self.page.settle(post.handle, status, retry_after_ms) {
            Settled::Sent => {
                self.delivered.extend(post.text.numbers());
                self.told += post.text.dropped;
            }
            Settled::Rejected => self.refused.extend(post.text.numbers()),
            Settled::Waiting | Settled::Split => {}
            Settled::Nothing => panic!("an answer was not known"),
        }
    }

    /// What must hold at any time, and for every request.
    fn observe(&mut self) {
        let queue = &self.page.tracker.queue;
        assert!(queue.pending() <= QUEUE_EVENTS && queue.bytes() <= QUEUE_BYTES);
        let texts: usize = self.page.texts.values().map(|text| text.events.len()).sum();
        assert_eq!(queue.pending() as usize, texts);
        for post in self.page.take_posts() {
            let Post { text, leaving, .. } = &post;
            assert!(text.events.len() <= TRACKER_BATCH_EVENTS && !text.events.is_empty());
            assert!(
                text.bytes() as usize <= TRACKER_BATCH_BYTES,
                "{} bytes",
                text.bytes()
            );
            let twice = self.in_flight.iter().any(|other| other.text.id == text.id);
            assert!(!twice, "sent twice at a time");
            assert!(*leaving || self.in_flight.is_empty(), "two at a time");
            let first = self.seen.entry(text.id).or_insert_with(|| text.clone());
            assert_eq!(first, text, "a batch changed");
            self.in_flight.push(post);
            if self.in_flight.iter().all(|post| post.leaving) {
                let bytes: u32 = self.in_flight.iter().map(|post| post.text.bytes()).sum();
                assert!(bytes <= LEAVING_BYTES);
            }
        }
    }

    /// The collector is well again, and takes everything.
    fn settle_all(&mut self) {
        self.act(&Step::Flush);
        for _ in 0..10_000 {
            self.act(&Step::Pass { ms: 3_600_000 });
            let Some(post) = self.in_flight.pop() else {
                break;
            };
            self.answer(&post, 202, None);
            self.observe();
        }
        assert_eq!(self.page.pending(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_event_ends_once(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        for step in &steps {
            world.act(step);
        }
        world.settle_all();
        let ended = [world.delivered.clone(), world.refused.clone()].concat();
        let each: BTreeSet<u64> = ended.iter().copied().collect();
        // A page that ended never saw the answer: the next one sends the batch again, by its id.
        prop_assert_eq!(each.len(), ended.len(), "ended twice");
        prop_assert_eq!(each.len() as u64 + u64::from(world.page.dropped), world.page.next, "lost");
    }

    #[test]
    fn a_page_that_is_not_left_keeps_the_order(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        for step in steps.iter().filter(|step| !matches!(step, Step::Leave { .. } | Step::Reload)) {
            world.act(step);
        }
        world.settle_all();
        prop_assert!(world.delivered.is_sorted(), "{:?}", world.delivered);
        prop_assert!(world.refused.is_sorted(), "{:?}", world.refused);
    }

    #[test]
    fn a_stored_batch_comes_back_as_it_was(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in &steps {
            world.act(step);
        }
        world.page.tracker.queue.seal();
        let before: BTreeMap<u64, Text> = world.page.texts.values().map(|text| (text.id, text.clone())).collect();
        world.act(&Step::Reload);
        for text in world.page.texts.values() {
            prop_assert_eq!(&text.events, &before[&text.id].events);
        }
    }

    #[test]
    fn what_was_given_up_is_told_by_what_comes(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        let calm = |step: &&Step| !matches!(step, Step::Reload | Step::Answer { status: 400..=499, .. });
        for step in steps.iter().filter(calm) {
            world.act(step);
        }
        world.settle_all();
        world.page.make(1);
        world.settle_all();
        prop_assert_eq!(world.told, world.page.dropped);
    }
}
