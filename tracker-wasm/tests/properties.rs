//! Whatever happens to a page, and whatever the collector answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub
)]

mod page;

use std::collections::{BTreeMap, BTreeSet};

use page::TestPage;
use proptest::prelude::*;
use shoreline_shared::limits::{TRACKER_BATCH_BYTES, TRACKER_BATCH_EVENTS};
use shoreline_tracker::{
    queue::{HANDED_OVER, LEAVING_BYTES, NO_ANSWER, Settled},
    tracker::Tracker,
};

#[derive(Clone, Debug)]
enum Step {
    Make {
        bytes: usize,
    },
    Pass {
        ms: u32,
    },
    Flush,
    Leave {
        the_end: bool,
    },
    Answer {
        which: usize,
        status: u16,
        retry_after_ms: Option<u64>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(vec![
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
    ]);
    let retry_after = prop::option::of(0_u64..100_000);
    let size = prop_oneof![8 => 0_usize..200, 1 => 0_usize..32_000];
    prop_oneof![
        8 => size.prop_map(|bytes| Step::Make { bytes }),
        2 => (0_u32..20_000).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Flush),
        1 => any::<bool>().prop_map(|the_end| Step::Leave { the_end }),
        4 => (any::<usize>(), status, retry_after)
            .prop_map(|(which, status, retry_after_ms)| Step::Answer { which, status, retry_after_ms }),
    ]
}

/// A page, its tracker, and what an observer in between has seen.
struct World<'a> {
    page: &'a TestPage,
    tracker: Tracker<&'a TestPage>,
    /// Events by batch, as text and as numbers, of every batch ever seen.
    batches: BTreeMap<String, (String, Vec<u64>)>,
    in_flight: Vec<(String, usize)>,
    /// Batches that ended, by being taken, refused or split.
    ended: BTreeSet<String>,
    delivered: Vec<u64>,
    refused: Vec<u64>,
    next: u64,
}

impl<'a> World<'a> {
    fn new(page: &'a TestPage) -> Self {
        let mut tracker = Tracker::new(page);
        tracker.identify("");
        Self {
            page,
            tracker,
            batches: BTreeMap::new(),
            in_flight: vec![],
            ended: BTreeSet::new(),
            delivered: vec![],
            refused: vec![],
            next: 0,
        }
    }

    fn act(&mut self, step: &Step) {
        match *step {
            Step::Make { bytes } => {
                let data = format!("{{\"n\":{},\"x\":\"{}\"}}", self.next, "x".repeat(bytes));
                self.next += 1;
                self.tracker.record("\"feature_use\"", &data, "");
            }
            Step::Pass { ms } => {
                self.page.now.set(self.page.now.get() + f64::from(ms));
                self.tracker.wake();
            }
            Step::Flush => self.tracker.flush(),
            Step::Leave { the_end } => self.tracker.leave(the_end),
            Step::Answer {
                which,
                status,
                retry_after_ms,
            } => {
                if !self.in_flight.is_empty() {
                    let (batch_id, _) = self.in_flight.remove(which % self.in_flight.len());
                    self.answer(&batch_id, status, retry_after_ms);
                }
            }
        }
        self.observe();
    }

    fn answer(&mut self, batch_id: &str, status: u16, retry_after_ms: Option<u64>) {
        let numbers = self.batches[batch_id].1.clone();
        let settled = self.tracker.settle(batch_id, status, retry_after_ms);
        match settled {
            Settled::Sent => self.delivered.extend(numbers),
            Settled::Rejected => self.refused.extend(numbers),
            Settled::Waiting => return,
            Settled::Nothing => assert_eq!(status, 413, "an answer was not known"),
        }
        self.ended.insert(batch_id.into());
    }

    /// What must hold for every request.
    fn observe(&mut self) {
        for post in self.page.take_posts() {
            assert!(post.events.len() <= TRACKER_BATCH_EVENTS && !post.events.is_empty());
            assert!(post.bytes <= TRACKER_BATCH_BYTES, "{} bytes", post.bytes);
            assert!(!self.ended.contains(&post.batch_id), "sent after its end");
            assert!(
                self.in_flight.iter().all(|(id, _)| *id != post.batch_id),
                "sent twice at a time"
            );
            assert!(post.leaving || self.in_flight.is_empty(), "two at a time");
            let numbers = post
                .events
                .iter()
                .map(|event| event["eventData"]["n"].as_u64().unwrap())
                .collect();
            let seen = (post.events_text, numbers);
            match self.batches.get(&post.batch_id) {
                Some(first) => assert_eq!(*first, seen, "a batch changed"),
                None => assert!(self.is_new(&seen.1), "an event is in two live batches"),
            }
            self.batches.insert(post.batch_id.clone(), seen);
            self.in_flight.push((post.batch_id, post.bytes));
            if post.leaving {
                let bytes: usize = self.in_flight.iter().map(|(_, bytes)| bytes).sum();
                assert!(bytes <= LEAVING_BYTES + TRACKER_BATCH_BYTES);
            }
        }
    }

    fn is_new(&self, numbers: &[u64]) -> bool {
        let mut live = self
            .batches
            .iter()
            .filter(|(id, _)| !self.ended.contains(*id));
        live.all(|(_, (_, theirs))| numbers.iter().all(|n| !theirs.contains(n)))
    }

    /// The collector is well again, and takes everything.
    fn settle_all(&mut self) {
        for _ in 0..10_000 {
            self.act(&Step::Pass { ms: 3_600_000 });
            let Some((batch_id, _)) = self.in_flight.pop() else {
                break;
            };
            self.answer(&batch_id, 202, None);
            self.observe();
        }
        assert_eq!(self.tracker.pending(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_event_ends_once(steps in prop::collection::vec(step(), 0..250)) {
        let page = TestPage::new();
        let mut world = World::new(&page);
        for step in &steps {
            world.act(step);
        }
        world.settle_all();
        let mut ended = [world.delivered.clone(), world.refused.clone()].concat();
        ended.sort_unstable();
        ended.dedup();
        prop_assert_eq!(ended.len(), world.delivered.len() + world.refused.len(), "ended twice");
        prop_assert_eq!(ended.len() + page.dropped_events(), world.next as usize, "lost");
    }

    #[test]
    fn a_page_that_is_not_left_keeps_the_order(steps in prop::collection::vec(step(), 0..250)) {
        let page = TestPage::new();
        let mut world = World::new(&page);
        for step in steps.iter().filter(|step| !matches!(step, Step::Leave { .. })) {
            world.act(step);
        }
        world.settle_all();
        prop_assert!(world.delivered.is_sorted(), "{:?}", world.delivered);
        prop_assert!(world.refused.is_sorted(), "{:?}", world.refused);
    }

    #[test]
    fn batches_hold_what_was_made_together(steps in prop::collection::vec(step(), 0..250)) {
        let page = TestPage::new();
        let mut world = World::new(&page);
        for step in &steps {
            world.act(step);
        }
        for (_, numbers) in world.batches.values() {
            prop_assert!(numbers.windows(2).all(|two| two[0] < two[1]), "{:?}", numbers);
        }
    }
}
