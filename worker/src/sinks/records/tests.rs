use proptest::prelude::*;

use super::*;
use crate::sinks::verdict::FailureKind;

proptest! {
    #[test]
    fn batches_keep_order_and_limits_and_none_could_be_longer(
        sizes in prop::collection::vec(1_usize..100, 0..60),
        entries in 1_usize..10, bytes in 100_usize..300,
    ) {
        let limits = Limits { entries, entry_bytes: 100, bytes, window: 100 };
        let batches = cut_batches(&sizes, limits);
        let flat: Vec<usize> = batches.iter().flat_map(Clone::clone).collect();
        prop_assert_eq!(flat, (0..sizes.len()).collect::<Vec<_>>());
        let sum = |range: Range<usize>| sizes[range].iter().sum::<usize>();
        for batch in &batches {
            prop_assert!(!batch.is_empty() && batch.len() <= entries);
            prop_assert!(sum(batch.clone()) <= bytes);
        }
        for pair in batches.windows(2) {
            let longer = pair[0].start..pair[1].start + 1;
            prop_assert!(longer.len() > entries || sum(longer) > bytes);
        }
    }

    /// Whatever fails in whatever order, each event gets through, and what got through is not sent
    /// again.
    #[test]
    fn every_event_gets_through_once_where_failures_are_told(
        total in 0_u32..40, most in 1_usize..12,
        faults in prop::collection::vec(prop::collection::vec(0_u8..3, 12), 0..30),
    ) {
        let mut progress = Progress::default();
        let mut taken = Vec::new();
        let mut faults = faults.into_iter();
        while !progress.is_complete(total) {
            let window = progress.window(total, most);
            prop_assert!(!window.is_empty() && window.len() <= most);
            let fault = faults.next().unwrap_or_default();
            let mut tally = Tally::new(&window);
            for (at, index) in window.iter().enumerate() {
                match fault.get(at) {
                    Some(1) => tally.note(*index, Entry::Failed(Failure::passing("x"))),
                    // Not sent at all.
                    Some(2) => {}
                    _ => {
                        tally.note(*index, Entry::Taken);
                        taken.push(*index);
                    }
                }
            }
            progress = tally.finish(&progress).progress;
            let json = serde_json::to_string(&progress).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Progress>(&json).unwrap(), &progress);
        }
        taken.sort_unstable();
        prop_assert_eq!(taken, (0..total).collect::<Vec<_>>());
        prop_assert!(progress.window(total, most).is_empty());
    }
}

#[test]
fn what_is_left_is_sent_first_and_a_tail_is_not_kept_as_a_list() {
    let window = Progress::default().window(10, 6);
    assert_eq!(window, [0, 1, 2, 3, 4, 5]);
    let mut tally = Tally::new(&window);
    for index in [0, 2] {
        tally.note(index, Entry::Taken);
    }
    tally.note(1, Entry::Failed(Failure::passing("SlowDown")));
    assert!(tally.failed());
    let sent = tally.finish(&Progress::default());
    assert_eq!(
        serde_json::to_string(&sent.progress).unwrap(),
        r#"{"next":3,"left":[1]}"#
    );
    assert_eq!(sent.progress.window(10, 3), [1, 3, 4]);
    assert_eq!((sent.taken, sent.refused), (2, 0));
}

#[test]
fn a_refused_event_is_counted_and_not_sent_again() {
    let window = [0, 1];
    let mut tally = Tally::new(&window);
    tally.note(0, Entry::Refused("too_large".into()));
    tally.note(1, Entry::Taken);
    let sent = tally.finish(&Progress::default());
    assert!(sent.progress.is_complete(2));
    assert_eq!(
        (sent.refused, sent.refused_code.as_deref()),
        (1, Some("too_large"))
    );
    assert_eq!(sent.failure, None);
}

#[test]
fn a_sink_that_takes_some_is_not_taken_for_one_to_be_mended() {
    let kind = |some: bool| {
        let mut tally = Tally::new(&[0, 1]);
        if some {
            tally.note(0, Entry::Taken);
        }
        tally.note(1, Entry::Failed(Failure::lasting("NotAuthorized")));
        let failure = tally.finish(&Progress::default()).failure.unwrap();
        assert_eq!(failure.code, "NotAuthorized");
        failure.kind
    };
    assert_eq!(kind(true), FailureKind::Passing);
    assert_eq!(kind(false), FailureKind::Lasting);
}
