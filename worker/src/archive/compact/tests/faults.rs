//! What cannot be read, or fails.

use super::*;

#[test]
fn what_cannot_be_read_is_left_alone_and_keeps_no_other() {
    let world = World::filled(0..12, 0);
    for broken in [
        "UPDATE segments SET columns = x'00112233' WHERE seq = 3",
        "UPDATE segments SET lines = x'' WHERE seq = 5",
        "UPDATE segments SET lines = (SELECT lines FROM segments WHERE seq = 1) WHERE seq = 7",
        "UPDATE segments SET n = 2 WHERE seq = 9",
    ] {
        world.sql.execute_batch(broken);
    }
    let archive = world.archive();
    let run = archive.find_small(LATER).unwrap().unwrap();
    let texts: Vec<Option<String>> = run
        .parts
        .iter()
        .map(|part| (!part.lines.is_empty()).then(|| unpack(&part.lines)))
        .collect();
    let merged = archive.merge(&run, &texts);
    let broken: Vec<i64> = merged.broken.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(broken, [3, 5, 7, 9]);
    assert!(merged.broken.iter().all(|(_, why)| why.contains("broken")));
    let packed = crate::lake::testing::pack(merged.made.as_ref().unwrap().lines.as_bytes());
    assert!(archive.put_merged(&merged, &packed).unwrap());
    assert_eq!(world.seqs(), [3, 5, 7, 9, 12]);
    // Nothing more is tried with them, or told.
    assert_eq!(archive.find_small(LATER).unwrap(), None);
    assert_eq!(archive.compact_due().unwrap(), None);
    for seq in broken {
        world
            .sql
            .execute_batch(&format!("DELETE FROM segments WHERE seq = {seq}"));
    }
    let want: Vec<Value> = [0, 1, 3, 5, 7, 9, 10, 11].map(|n| event(n, 0)).to_vec();
    assert_eq!(stored(&world.sql), want);
}

#[test]
fn an_hour_of_nothing_but_broken_ones_is_done_with() {
    let world = World::filled(0..3, 0);
    world
        .sql
        .execute_batch("UPDATE segments SET columns = x'00' WHERE seq < 3");
    let archive = world.archive();
    assert_eq!(compact(&archive, LATER), 1);
    assert_eq!(
        (world.seqs().len(), archive.compact_due().unwrap()),
        (3, None)
    );
    assert_eq!(archive.rewrites(), 0);
}

#[test]
fn what_would_be_too_large_for_a_row_is_left_alone() {
    let world = World::filled(0..4, 0);
    let archive = world.archive();
    let run = archive.find_small(LATER).unwrap().unwrap();
    let texts: Vec<_> = run
        .parts
        .iter()
        .map(|part| Some(unpack(&part.lines)))
        .collect();
    let merged = archive.merge(&run, &texts);
    assert!(
        !archive
            .put_merged(&merged, &vec![0; MOST_ROW_BYTES])
            .unwrap()
    );
    assert_eq!(archive.find_small(LATER).unwrap(), None);
    assert_eq!(stored(&world.sql), events(0..4, 0));
}

#[test]
fn a_failure_at_any_statement_leaves_all_as_it_was() {
    for fault in 1.. {
        let world = World::filled(0..9, 0);
        world.fill(9..10, 1);
        let archive = world.archive();
        let before = dump(&world.sql);
        world.sql.fail_in(fault);
        let failed = compact_step(&archive, LATER).is_err();
        world.sql.never_fail();
        if !failed {
            assert!(fault > 8, "{fault}");
            return;
        }
        assert_eq!(dump(&world.sql), before, "{fault}");
        assert_eq!(compact(&archive, LATER), 1);
        assert_eq!(
            stored(&world.sql),
            [events(0..9, 0), events(9..10, 1)].concat()
        );
    }
}

/// A fold and what it notes are one: where either fails, neither is there.
#[test]
fn an_hour_is_noted_with_its_fold_or_not_at_all() {
    let world = World::new();
    let archive = world.archive();
    append(&archive, &body(1, &[event(1, 0)]), false).unwrap();
    let some = archive.unfolded().unwrap();
    for fault in 1.. {
        world.sql.fail_in(fault);
        let failed = archive.fold(&some, &[], NOW).is_err();
        world.sql.never_fail();
        let noted = world.number("SELECT count(*) FROM compacting");
        let folded = world.number("SELECT seq FROM folded");
        assert_eq!((noted, folded), if failed { (0, 0) } else { (1, 1) });
        if !failed {
            return;
        }
    }
}

fn dump(sql: &TestSql) -> Vec<String> {
    let queries = [
        "SELECT seq, hour, at, n, hex(columns || more), hex(lines) FROM segments ORDER BY seq",
        "SELECT hour, due_at, 0, 0, 0, 0 FROM compacting ORDER BY hour",
    ];
    let rows = queries.map(|query| sql.cells::<6>(query, &[]).unwrap());
    rows.concat().iter().map(|row| format!("{row:?}")).collect()
}
