//! Whoever looks only when told has the newest counts.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// A batch of two events, new or seen before.
    Send(usize),
    /// Its part is confirmed, its first event being a duplicate.
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
        let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
        let watch = Watch::default();
        let mut parts: Vec<(String, String)> = Vec::new();
        watch.look(&store, NOW).unwrap();
        let mut seen = store.snapshot(NOW).unwrap();
        for step in steps {
            let changed = match &step {
                Step::Send(n) => {
                    let events = [("page_view", "u", 10 + n), ("feature_use", "v", 20 + n)];
                    let json = publication(Some(*n), &events, NOW);
                    let commit: Commit<'_> = serde_json::from_str(&json).unwrap();
                    let receipt = store.commit(&commit).unwrap();
                    parts.push((commit.parts[0].id.clone(), uuid(10 + n)));
                    commit.changed_live(&receipt)
                }
                Step::Confirm(n) => match parts.get(*n) {
                    None => false,
                    Some((id, event)) => {
                        let part = ConfirmedPart { id: id.clone(), duplicates: vec![event.clone()] };
                        let confirmation = Confirmation { parts: vec![part] };
                        store.confirm(&confirmation).unwrap();
                        confirmation.changes_live()
                    }
                },
                Step::Look => false,
            };
            let told = changed && watch.must_tell(&store, NOW).unwrap();
            if told || matches!(step, Step::Look) {
                watch.look(&store, NOW).unwrap();
                seen = store.snapshot(NOW).unwrap();
            }
            prop_assert_eq!(&seen, &store.snapshot(NOW).unwrap());
        }
    }
}

#[test]
fn what_changes_no_live_count_is_not_told() {
    let sql = TestSql::new();
    let store = SiteStore::open(&sql, RESEND, NOW).unwrap();
    let sent = publication(Some(1), &[("page_view", "u", 10)], NOW);
    let commit: Commit<'_> = serde_json::from_str(&sent).unwrap();
    for changed in [true, false] {
        let receipt = store.commit(&commit).unwrap();
        assert_eq!(commit.changed_live(&receipt), changed);
    }
    let import = Commit {
        import: Some("i".into()),
        ..commit
    };
    let taken = Receipt {
        duplicate: false,
        retry_after_s: None,
    };
    assert!(!import.changed_live(&taken));
    let id = store.due_messages("demo", 0, NOW).unwrap()[0].part_ids[0].clone();
    let part = ConfirmedPart {
        id,
        duplicates: Vec::new(),
    };
    assert!(!Confirmation { parts: vec![part] }.changes_live());
}
