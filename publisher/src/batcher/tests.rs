#![allow(
    clippy::arithmetic_side_effects,
    reason = "tests stop at what goes wrong"
)]

use proptest::prelude::*;

use super::*;

impl Weighed for (u32, usize) {
    fn bytes(&self) -> usize {
        self.1
    }
}

const WAIT: Duration = Duration::from_secs(5);

#[allow(clippy::disallowed_methods, reason = "any moment serves as the first")]
fn start() -> Instant {
    Instant::now()
}

fn limits(events: usize, bytes: usize) -> BatchLimits {
    BatchLimits {
        events,
        bytes,
        wait: WAIT,
    }
}

#[test]
fn a_batch_is_due_by_number_or_by_the_oldests_age() {
    let t = start();
    let mut batcher = Batcher::new(limits(3, 1_000));
    assert_eq!(batcher.due_at(t), None);
    assert_eq!(batcher.take_due(t), None);
    batcher.push((0, 10), t);
    batcher.push((1, 10), t + WAIT / 2);
    assert_eq!(batcher.due_at(t), Some(t + WAIT));
    assert_eq!(batcher.take_due(t + WAIT - Duration::from_millis(1)), None);
    assert_eq!(batcher.take_due(t + WAIT), Some(vec![(0, 10), (1, 10)]));
    for n in 2..6 {
        batcher.push((n, 10), t + WAIT);
    }
    assert_eq!(batcher.due_at(t + WAIT), Some(t + WAIT));
    assert_eq!(
        batcher.take_due(t + WAIT),
        Some(vec![(2, 10), (3, 10), (4, 10)])
    );
    assert_eq!(batcher.due_at(t + WAIT), Some(t + WAIT * 2));
    assert_eq!((batcher.len(), batcher.left()), (1, 5));
}

#[test]
fn a_batch_is_due_when_the_next_event_does_not_fit_its_bytes() {
    let t = start();
    // Two events of 10: [, 10, comma, 10, ] are 23 bytes.
    let mut exact = Batcher::new(limits(25, 23));
    exact.push((0, 10), t);
    exact.push((1, 10), t);
    assert_eq!(exact.take_due(t), None);
    exact.push((2, 10), t);
    assert_eq!(exact.take_due(t).map(|batch| batch.len()), Some(2));
    let mut short = Batcher::new(limits(25, 22));
    short.push((0, 10), t);
    short.push((1, 10), t);
    assert_eq!(short.take_due(t).map(|batch| batch.len()), Some(1));
    // What fits no batch goes alone and is the collector's to judge.
    let mut large = Batcher::new(limits(25, 22));
    large.push((0, 100), t);
    large.push((1, 1), t);
    assert_eq!(large.take_due(t), Some(vec![(0, 100)]));
}

#[test]
fn what_is_hurried_leaves_at_once_and_what_comes_after_does_not() {
    let t = start();
    let mut batcher = Batcher::new(limits(25, 1_000));
    batcher.push((0, 1), t);
    assert_eq!(batcher.hurry(), 1);
    assert_eq!(batcher.take_due(t), Some(vec![(0, 1)]));
    assert_eq!(batcher.left(), 1);
    batcher.push((1, 1), t);
    assert_eq!(batcher.take_due(t), None);
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Pass(u64),
    Take,
    Hurry,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_usize..400).prop_map(Step::Push),
        2 => (0_u64..4_000).prop_map(Step::Pass),
        3 => Just(Step::Take),
        1 => Just(Step::Hurry),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn order_is_kept_limits_hold_and_nothing_is_lost(
        steps in steps(), events in 1_usize..30, bytes in 402_usize..2_000,
    ) {
        let limits = limits(events, bytes);
        let mut batcher = Batcher::new(limits);
        let mut now = start();
        let (mut pushed, mut taken) = (Vec::new(), Vec::new());
        let mut queued_at = Vec::new();
        let mut check = |batch: Vec<(u32, usize)>| {
            prop_assert!(!batch.is_empty() && batch.len() <= events);
            let body = 2 + batch.iter().map(|item| item.1).sum::<usize>() + batch.len() - 1;
            prop_assert!(body <= bytes, "{body} > {bytes}");
            taken.extend(batch);
            Ok(())
        };
        for step in steps {
            match step {
                Step::Push(size) => {
                    let item = (u32::try_from(pushed.len()).unwrap(), size);
                    pushed.push(item);
                    queued_at.push(now);
                    batcher.push(item, now);
                }
                Step::Pass(ms) => now += Duration::from_millis(ms),
                Step::Hurry => {
                    prop_assert_eq!(batcher.hurry(), u64::try_from(pushed.len()).unwrap());
                }
                Step::Take => {
                    while let Some(batch) = batcher.take_due(now) {
                        check(batch)?;
                    }
                    // Nobody who stays has waited his time.
                    let left = usize::try_from(batcher.left()).unwrap();
                    prop_assert!(queued_at[left..].iter().all(|at| *at + WAIT > now));
                    prop_assert!(pushed.len() - left < events);
                }
            }
        }
        batcher.hurry();
        while let Some(batch) = batcher.take_due(now) {
            check(batch)?;
        }
        prop_assert_eq!(taken, pushed);
        prop_assert_eq!(batcher.due_at(now), None);
    }
}
