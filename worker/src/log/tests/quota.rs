//! A site's quota: exact, by the counts of the log.

use super::*;

/// A batch of this many views with this quota of its shard.
fn batch(id: usize, n: usize, max: u32, at: i64) -> Vec<u8> {
    let events: Vec<(&str, &str, usize)> = (0..n)
        .map(|i| ("page_view", "u", 1_000 * (id + 1) + i))
        .collect();
    let body = publication(Some(id), &events, at);
    let commit = Commit::parse(&body).unwrap();
    let mut head = commit.head().clone();
    head.quota = Some(max);
    let n = i64::try_from(n).unwrap();
    head.counters.add(Kind::Quota, floor_to(at, HOUR_MS), "", n);
    let row = commit.rows().next().unwrap();
    let mut body = serde_json::to_vec(&head).unwrap();
    body.push(b'\n');
    body.extend_from_slice(row.lines);
    body
}

fn receipt(log: &Log<&TestSql>, body: &[u8], now: i64) -> Receipt {
    log.commit(&Commit::parse(body).unwrap(), now).unwrap()
}

#[test]
fn a_full_hour_refuses_all_of_a_batch_and_the_next_takes_it() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    assert!(receipt(&log, &batch(1, 3, 5, NOW), NOW).is_taken());
    let before = log.snapshot(NOW);
    let refused = receipt(&log, &batch(2, 3, 5, NOW), NOW);
    // NOW is 12.345 s into its hour.
    assert_eq!(refused.retry_after_s, Some(3_588));
    assert_eq!(sql.number("SELECT count(*) FROM log"), 1);
    assert_eq!(log.snapshot(NOW), before);
    // What was taken before needs no room: its sender only never heard of it.
    let again = receipt(&log, &batch(1, 3, 5, NOW), NOW);
    assert_eq!((again.duplicate, again.retry_after_s), (true, None));
    // A smaller one still fits, also in a new instance, and the refused one once the hour is over.
    assert!(receipt(&open(&sql, NOW), &batch(3, 2, 5, NOW), NOW).is_taken());
    let next = NOW + HOUR_MS;
    assert!(receipt(&open(&sql, next), &batch(2, 3, 5, next), next).is_taken());
}

#[test]
fn a_quota_is_counted_on_when_its_rows_are_gone() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    receipt(&log, &batch(1, 3, 5, NOW), NOW);
    confirm(&log, 1, &[], NOW);
    let late = NOW + 20 * MINUTE_MS;
    log.prune_if_due(late).unwrap();
    for log in [&log, &open(&sql, late)] {
        assert!(
            receipt(log, &batch(2, 3, 5, late), late)
                .retry_after_s
                .is_some()
        );
    }
}

#[test]
fn what_a_tracker_dropped_is_counted_once_however_often_it_is_told() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let mut platform = TestPlatform::new(format!(
        r#"{{"batchId":"{}","dropped":7,"events":[{{"eventType":"page_view","userId":"u","sessionId":"s","metadata":{{"platform":"web"}}}}]}}"#,
        uuid(1)
    ));
    block_on(take_batch(crate::ingest::tests::facts(), &mut platform)).unwrap();
    for _ in 0..3 {
        commit(&log, platform.published.borrow()[0].body()).unwrap();
    }
    assert_eq!(outcome(&log, "tracker_dropped"), 7);
    assert_eq!(outcome(&log, "duplicate"), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_hour_takes_more_than_its_quota(
        max in 0_u32..40,
        batches in prop::collection::vec((1_usize..6, 1_usize..8, 0_i64..3), 1..40),
    ) {
        let sql = TestSql::new();
        let log = open(&sql, NOW);
        let mut taken = std::collections::HashMap::new();
        for (id, n, hour) in batches {
            let at = NOW + hour * HOUR_MS;
            let receipt = receipt(&log, &batch(id, n, max, at), at);
            prop_assert!(!(receipt.duplicate && receipt.retry_after_s.is_some()));
            if receipt.is_taken() {
                *taken.entry(hour).or_insert(0) += n;
            }
        }
        prop_assert!(taken.values().all(|n| *n <= max as usize));
        let all = log.outbox_state().unwrap().events;
        prop_assert_eq!(taken.values().sum::<usize>() as i64, all);
    }
}
