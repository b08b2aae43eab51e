//! Whoever looks only when told has the newest counts.

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A batch of two events, new or seen before.
    Send(usize),
    /// Its row is confirmed, its first event being a duplicate.
    Confirm(usize),
    /// A look that was not asked for, as time brings one.
    Look,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..5).prop_map(Step::Send),
        (0_usize..5).prop_map(Step::Confirm),
        Just(Step::Look),
    ]
}

proptest! {
    #[test]
    fn who_looks_when_told_misses_nothing(steps in prop::collection::vec(any_step(), 1..20)) {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let watch = Watch::default();
        let mut events: Vec<String> = Vec::new();
        watch.look(&log, NOW).unwrap();
        let mut seen = log.snapshot(NOW);
        for step in steps {
            let changed = match &step {
                Step::Send(n) => {
                    let batch = [("page_view", "u", 10 + n), ("feature_use", "v", 20 + n)];
                    let body = publication(Some(*n), &batch, NOW);
                    let receipt = log.commit(&Commit::parse(&body).unwrap(), NOW).unwrap();
                    if receipt.is_taken() {
                        events.push(uuid(10 + n));
                    }
                    receipt.is_taken()
                }
                Step::Confirm(n) => match events.get(*n) {
                    None => false,
                    Some(event) => {
                        let row = (*n as i64 + 1, vec![event.clone()]);
                        log.confirm(&Confirmation::of(EPOCH, [row]), NOW).unwrap()
                    }
                },
                Step::Look => false,
            };
            let told = changed && watch.must_tell(&log, NOW).unwrap();
            if told || matches!(step, Step::Look) {
                watch.look(&log, NOW).unwrap();
                seen = log.snapshot(NOW);
            }
            prop_assert_eq!(&seen, &log.snapshot(NOW));
        }
    }
}

#[test]
fn what_changes_no_live_count_is_not_told() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let body = view(1, 10, NOW);
    for taken in [true, false] {
        let receipt = log.commit(&Commit::parse(&body).unwrap(), NOW).unwrap();
        assert_eq!(receipt.is_taken(), taken);
    }
    assert!(
        !log.confirm(&Confirmation::of(EPOCH, [(1, vec![])]), NOW)
            .unwrap()
    );
}

#[test]
fn a_look_reads_no_table_but_its_lease() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    assert!(!commit(&log, &view(1, 1, NOW)).unwrap());
    let watch = Watch::default();
    watch.look(&log, NOW).unwrap();
    // Whatever is asked of the database from here on fails: a look a second for a minute asks nothing.
    sql.fail_in(1);
    for second in 1..=60 {
        let now = NOW + second * 1_000;
        watch.look(&log, now).unwrap();
        assert_eq!(log.snapshot(now).minutes.len(), 1);
        assert!(watch.must_tell(&log, now).unwrap());
    }
    // Then the lease is written anew.
    assert!(watch.look(&log, NOW + 61_000).is_err());
}
