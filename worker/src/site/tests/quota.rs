//! A site's quota: exact, in the transaction that is paid anyway.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{RESEND, publication};
use crate::site::{Commit, Receipt, SiteStore};
use crate::testing::{NOW, TestSql};

/// A batch of this many views with this quota of its shard.
fn batch(id: usize, n: usize, max: i64, at: i64) -> String {
    let events: Vec<(&str, &str, usize)> = (0..n)
        .map(|i| ("page_view", "u", 1_000 * (id + 1) + i))
        .collect();
    let mut json: Value = serde_json::from_str(&publication(Some(id), &events, at)).unwrap();
    let hour = at - at % 3_600_000;
    json["quota"] = json!({"max": max, "n": n});
    let counters = json["counters"].as_array_mut().unwrap();
    counters.push(json!(["q", hour, "", n]));
    json.to_string()
}

fn commit(store: &SiteStore<&TestSql>, json: &str) -> Receipt {
    let commit: Commit<'_> = serde_json::from_str(json).unwrap();
    store.commit(&commit).unwrap()
}

#[test]
fn a_full_hour_refuses_all_of_a_batch_and_the_next_takes_it() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    assert_eq!(commit(&store, &batch(1, 3, 5, NOW)).retry_after_s, None);
    let before = sql.number("SELECT sum(n) FROM counters");
    let refused = commit(&store, &batch(2, 3, 5, NOW));
    // NOW is 12.345 s into its hour.
    assert_eq!(refused.retry_after_s, Some(3_588));
    assert_eq!(sql.number("SELECT count(*) FROM outbox"), 1);
    assert_eq!(sql.number("SELECT sum(n) FROM counters"), before);
    // What was taken before needs no room: its sender only never heard of it.
    let again = commit(&store, &batch(1, 3, 5, NOW));
    assert_eq!((again.duplicate, again.retry_after_s), (true, None));
    // A smaller one still fits, and the refused one once the hour is over.
    assert_eq!(commit(&store, &batch(3, 2, 5, NOW)).retry_after_s, None);
    let next = commit(&store, &batch(2, 3, 5, NOW + 3_600_000));
    assert_eq!((next.duplicate, next.retry_after_s), (false, None));
}

#[test]
fn a_quota_that_is_over_is_forgotten() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    commit(&store, &batch(1, 3, 5, NOW));
    store.prune_if_due(NOW + 2 * 3_600_000).unwrap();
    assert_eq!(
        sql.number("SELECT count(*) FROM counters WHERE kind = 'q'"),
        0
    );
}

#[test]
fn what_a_tracker_dropped_is_counted_once_however_often_it_is_told() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    let mut json: Value =
        serde_json::from_str(&publication(Some(1), &[("page_view", "u", 1)], NOW)).unwrap();
    let hour = NOW - NOW % 3_600_000;
    json["counters"]
        .as_array_mut()
        .unwrap()
        .push(json!(["o", hour, "tracker_dropped", 7]));
    for _ in 0..3 {
        commit(&store, &json.to_string());
    }
    assert_eq!(
        sql.number("SELECT n FROM counters WHERE key = 'tracker_dropped'"),
        7
    );
    assert_eq!(
        sql.number("SELECT n FROM counters WHERE key = 'duplicate'"),
        2
    );
}

proptest! {
    #[test]
    fn no_hour_takes_more_than_its_quota(
        max in 0_i64..40,
        batches in prop::collection::vec((1_usize..6, 1_usize..8, 0_i64..3), 1..40),
    ) {
        let sql = TestSql::new();
        let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
        for (id, n, hour) in batches {
            let receipt = commit(&store, &batch(id, n, max, NOW + hour * 3_600_000));
            prop_assert!(!(receipt.duplicate && receipt.retry_after_s.is_some()));
        }
        let over = format!("SELECT count(*) FROM counters WHERE kind = 'q' AND n > {max}");
        prop_assert_eq!(sql.number(&over), 0);
        let taken = sql.number("SELECT coalesce(sum(n), 0) FROM counters WHERE kind = 'q'");
        prop_assert_eq!(taken, sql.number("SELECT coalesce(sum(n), 0) FROM outbox"));
    }
}
