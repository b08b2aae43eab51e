//! What a shard does with the parts of imports, beside live traffic.

use super::*;
use crate::live::floor_to;
use crate::site::ImportState;

fn imported(import: &str, batch: usize, parts: &[(usize, &[usize])], at: i64) -> String {
    let n: usize = parts.iter().map(|(_, events)| events.len()).sum();
    let parts: Vec<String> = parts
        .iter()
        .map(|(id, events)| {
            let events: Vec<String> = events
                .iter()
                .map(|n| {
                    format!(
                        r#"{{"eventId":"{}","eventType":"error","source":"s","receivedAt":{at}}}"#,
                        uuid(*n)
                    )
                })
                .collect();
            format!(
                r#"{{"id":"{}","n":{},"events":[{}]}}"#,
                uuid(*id),
                events.len(),
                events.join(",")
            )
        })
        .collect();
    let hour = floor_to(at, HOUR_MS);
    format!(
        r#"{{"at":{at},"import":"{import}","batch":{{"id":"{}","digest":"{n}"}},"counters":[["o",{hour},"accepted",{n}]],"visitors":[],"parts":[{}]}}"#,
        uuid(batch),
        parts.join(",")
    )
}

fn outcomes(store: &SiteStore<&TestSql>) -> Vec<(String, i64)> {
    let entries = store.outcomes(0).unwrap();
    entries
        .into_iter()
        .map(|entry| (entry.key, entry.n))
        .collect()
}

#[test]
fn an_imports_duplicates_are_told_to_it_and_taken_out_of_no_live_count() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    // The same event live and imported, in the same minute.
    commit(&store, &publication(Some(1), &[("error", "u", 7)], NOW)).unwrap();
    let step = imported("i1", 2, &[(50, &[7, 8]), (51, &[9])], NOW);
    assert!(!commit(&store, &step).unwrap());
    assert!(commit(&store, &step).unwrap());
    commit(&store, &imported("i2", 3, &[(52, &[10])], NOW)).unwrap();
    let state = |import| store.import_state(import).unwrap();
    assert_eq!(
        state("i1"),
        ImportState {
            pending: 2,
            duplicate: 0
        }
    );
    assert_eq!(live_total(&store, NOW), 1);
    // A step that comes again is no duplicate: nobody sent it again.
    assert_eq!(outcomes(&store), [("accepted".to_owned(), 5)]);
    for _ in 0..2 {
        confirm(&store, &uuid(50), &[uuid(7)]);
    }
    assert_eq!(
        state("i1"),
        ImportState {
            pending: 1,
            duplicate: 1
        }
    );
    confirm(&store, &uuid(51), &[]);
    assert_eq!(
        state("i1"),
        ImportState {
            pending: 0,
            duplicate: 1
        }
    );
    assert_eq!(
        state("i2"),
        ImportState {
            pending: 1,
            duplicate: 0
        }
    );
    assert_eq!(state("i3"), ImportState::default());
    assert_eq!(live_total(&store, NOW), 1);
    assert_eq!(
        outcomes(&store),
        [("accepted".to_owned(), 4), ("duplicate".to_owned(), 1)]
    );
    // Forgotten in time, but not as long as anything is pending.
    store.prune_if_due(NOW + OUTCOME_MEMORY_MS + 1).unwrap();
    assert_eq!(state("i1"), ImportState::default());
    assert_eq!(sql.number("SELECT count(*) FROM imports"), 1);
}

#[test]
fn an_import_is_committed_whole_or_not_at_all() {
    for n in 1.. {
        let sql = TestSql::new();
        let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
        let step = imported("i1", 2, &[(50, &[7]), (51, &[9])], NOW);
        sql.fail_in(n);
        if commit(&store, &step).is_ok() {
            assert!(n > 6, "{n}");
            break;
        }
        let all = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM import_parts) + \
                   (SELECT count(*) FROM imports) + (SELECT count(*) FROM batches)";
        assert_eq!(sql.number(all), 0, "statement {n}");
    }
}
