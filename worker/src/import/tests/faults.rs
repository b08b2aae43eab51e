//! Whatever fails or dies, and wherever the file is cut: the same events, each once.

use super::*;

/// Lines with and without ids, equal and distinct, good and bad.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let own = |n: usize| {
        format!(
            r#"{{"eventId":"{}","eventType":"a.b","source":"s","eventData":{{"n":{n}}}}}"#,
            uuid(n)
        )
    };
    let line = prop_oneof![
        6 => (0_usize..6).prop_map(command),
        2 => (0_usize..6).prop_map(own),
        1 => Just("bad".to_owned()),
        1 => Just(String::new()),
        1 => (0_usize..2).prop_map(|n| "z".repeat(MAX_LINE_BYTES + n)),
    ];
    prop::collection::vec(line, 0..40)
}

/// Cuts lines into parts of these numbers of lines.
fn cut_into(lines: &[String], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), lines);
    for size in sizes {
        let (part, more) = rest.split_at((*size).min(rest.len()));
        parts.push(part.join("\n").into_bytes());
        rest = more;
    }
    parts.push(rest.join("\n").into_bytes());
    parts
}

fn ids(events: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = events
        .iter()
        .map(|e| e["eventId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_parts_and_any_faults_make_the_same_events_each_once(
        lines in lines(),
        sizes in prop::collection::vec(0_usize..15, 0..5),
        world_faults in prop::collection::vec((1_u32..8, any::<bool>()), 0..12),
        sql_faults in prop::collection::vec(1_u32..30, 0..12),
        reverse in any::<bool>(),
    ) {
        let whole = TestWorld::new();
        let (want, told) = import(&whole, ID, &cut_into(&lines, &[]), &mut BTreeSet::new());

        let world = TestWorld::new();
        let sql = TestSql::new();
        let mut parts: Vec<(usize, Vec<u8>)> = cut_into(&lines, &sizes).into_iter().enumerate().collect();
        if reverse {
            parts.reverse();
        }
        let store = create(&sql, ID, Some(i64::try_from(parts.len()).unwrap()));
        let (mut seen, mut events) = (BTreeSet::new(), Vec::new());
        let (mut world_faults, mut sql_faults) = (world_faults.into_iter(), sql_faults.into_iter());
        for (n, part) in &parts {
            upload(&store, &world, ID, i64::try_from(*n).unwrap() + 1, part);
            // A turn dies at some call or statement; the next begins anew, in another instance.
            for _ in 0..3 {
                if let Some(fault) = world_faults.next() {
                    world.fail_in.set(Some(fault));
                }
                if let Some(n) = sql_faults.next() {
                    sql.fail_in(n);
                }
                let _ = block_on(turn(&store, place(ID), &world));
                sql.fail_in(u32::MAX);
            }
            events.extend(world.consume(&mut seen));
        }
        loop {
            run(&store, &world, ID);
            events.extend(world.consume(&mut seen));
            if store.progress("demo", ImportState::default()).unwrap().finished_at.is_some() {
                break;
            }
        }
        prop_assert_eq!(ids(&events), ids(&want));
        let progress = store.progress("demo", ImportState::default()).unwrap();
        prop_assert_eq!(
            (progress.received, progress.processed, progress.duplicate, progress.rejected),
            (told.received, told.processed, told.duplicate, told.rejected)
        );
        let mut outcomes: BTreeMap<String, i64> = BTreeMap::new();
        for entry in world.site().outcomes(0) {
            *outcomes.entry(entry.key).or_default() += entry.n;
        }
        prop_assert_eq!(outcomes.values().sum::<i64>(), progress.received);
        prop_assert_eq!(outcomes.get("accepted").copied().unwrap_or(0), progress.processed);
        prop_assert!(world.bucket.borrow().keys().all(|key| key.contains("/rejected-")));
    }
}

#[test]
fn a_fault_at_any_statement_leaves_the_step_to_be_done_again() {
    let text = format!("{}\nbad\n{}\n{}", command(1), command(1), command(2)).into_bytes();
    let mut statements = 0;
    for n in 1.. {
        let world = TestWorld::new();
        let sql = TestSql::new();
        let store = create(&sql, ID, Some(1));
        upload(&store, &world, ID, 1, &text);
        sql.fail_in(n);
        let failed = block_on(turn(&store, place(ID), &world)).is_err();
        if !failed {
            break;
        }
        statements = n;
        run(&store, &world, ID);
        let events = world.consume(&mut BTreeSet::new());
        assert_eq!(numbers(&events), [1, 1, 2], "statement {n}");
        run(&store, &world, ID);
        let progress = store.progress("demo", ImportState::default()).unwrap();
        assert_eq!(
            (progress.processed, progress.rejected),
            (3, 1),
            "statement {n}"
        );
        let total: i64 = world.site().outcomes(0).iter().map(|e| e.n).sum();
        assert_eq!(total, 4, "statement {n}");
    }
    assert!(statements >= 6, "{statements}");
}

#[test]
fn a_commit_that_failed_but_landed_is_not_counted_twice() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(1));
    upload(&store, &world, ID, 1, command(1).as_bytes());
    world.fail_in.set(Some((2, true)));
    assert!(block_on(turn(&store, place(ID), &world)).is_err());
    assert_eq!(world.site().outbox_state().unwrap().events, 1);
    run(&store, &world, ID);
    assert_eq!(world.site().outbox_state().unwrap().events, 1);
    let outcomes = world.site().outcomes(0);
    assert_eq!(
        outcomes
            .iter()
            .map(|e| (e.key.as_str(), e.n))
            .collect::<Vec<_>>(),
        [("accepted", 1)]
    );
}
