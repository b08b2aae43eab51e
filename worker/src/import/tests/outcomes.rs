//! What becomes of the lines of an import, and what its owner is told.

use super::*;
use crate::testing::lines_of;

#[test]
fn every_line_ends_in_one_outcome_and_bad_ones_are_listed_with_their_numbers() {
    let world = TestWorld::new();
    let text = [
        command(1),
        String::new(),
        "nonsense".into(),
        r#"{"eventType":"page_view","userId":"u"}"#.into(),
        r#"{"what":"ever"}"#.into(),
        "x".repeat(40_000),
        format!(
            r#"{{"eventId":"{0}","eventType":"a.b","source":"s"}}"#,
            uuid(7)
        ),
        format!(
            r#"{{"eventId":"{0}","eventType":"a.b","source":"s"}}"#,
            uuid(7)
        ),
        r#"{"eventType":"a.b","source":"s","timestamp":99999999999999}"#.into(),
    ]
    .join("\n");
    let (events, progress) = import(&world, ID, &[text.into_bytes()], &mut BTreeSet::new());
    assert_eq!(events.len(), 2);
    assert_eq!(progress.status, "finished");
    let told = [
        progress.received,
        progress.processed,
        progress.duplicate,
        progress.rejected,
        progress.skipped,
        progress.failed,
    ];
    assert_eq!(told, [8, 2, 1, 4, 1, 0]);
    let lines: Vec<(i64, &str, &str)> = progress
        .rejected_lines
        .iter()
        .map(|line| (line.line, line.code.as_str(), line.field.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (3, "wrong_type", ""),
            (4, "missing_field", "sessionId"),
            (5, "unknown_shape", ""),
            (6, "event_too_large", ""),
            (9, "timestamp_out_of_range", "timestamp")
        ]
    );
    // The same in the bucket, where nothing else is left.
    let bucket = world.bucket.borrow();
    let objects: Vec<(&String, &Vec<u8>)> = bucket.iter().collect();
    let [(key, text)] = objects.as_slice() else {
        panic!("{:?}", bucket.keys())
    };
    assert!(key.starts_with(&progress.rejected_objects), "{key}");
    let listed: Vec<RejectedLine> = std::str::from_utf8(text)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed, progress.rejected_lines);
    // The ledger has them all in the hour of the import.
    let outcomes = world.site().outcomes(0);
    let hour = NOW - NOW % crate::base::time::HOUR_MS;
    assert!(
        outcomes.iter().all(|entry| entry.bucket == hour),
        "{outcomes:?}"
    );
    assert_eq!(outcomes.iter().map(|entry| entry.n).sum::<i64>(), 8);
}

#[test]
fn a_thousand_bad_lines_are_all_in_the_bucket_and_the_first_hundred_in_the_answer() {
    let world = TestWorld::new();
    let (_, progress) = import(
        &world,
        ID,
        &["?\n".repeat(1_000).into_bytes()],
        &mut BTreeSet::new(),
    );
    assert_eq!(
        (progress.rejected, progress.rejected_lines.len()),
        (1_000, 100)
    );
    assert_eq!(progress.rejected_lines[99].line, 100);
    let bucket = world.bucket.borrow();
    let listed: usize = bucket
        .values()
        .map(|text| text.iter().filter(|b| **b == b'\n').count())
        .sum();
    assert_eq!(listed, 1_000);
}

#[test]
fn the_same_file_again_changes_nothing_and_says_so() {
    let world = TestWorld::new();
    let text = [command(1), command(2), command(1), command(1)]
        .join("\n")
        .into_bytes();
    let mut seen = BTreeSet::new();
    let (first, _) = import(&world, ID, std::slice::from_ref(&text), &mut seen);
    assert_eq!(
        numbers(&first),
        [1, 1, 1, 2],
        "equal lines are events of their own"
    );
    let before = world.site().outcomes(0);
    let (again, progress) = import(&world, &uuid(2), std::slice::from_ref(&text), &mut seen);
    assert_eq!(again, Vec::<Value>::new());
    assert_eq!((progress.processed, progress.duplicate), (0, 4));
    // However it is cut.
    let halves: Vec<Vec<u8>> = text
        .split(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .rev()
        .collect();
    let (again, progress) = import(&world, &uuid(3), &halves, &mut seen);
    assert_eq!((again.len(), progress.duplicate), (0, 4));
    // A line more is an event more.
    let more = [text, b"\n".to_vec(), command(1).into_bytes()].concat();
    let (again, progress) = import(&world, &uuid(4), &[more], &mut seen);
    assert_eq!((numbers(&again), progress.duplicate), (vec![1], 4));
    let after = world.site().outcomes(0);
    let accepted = |entries: &[crate::protocol::hours::Entry]| {
        entries
            .iter()
            .filter(|e| e.key == "accepted")
            .map(|e| e.n)
            .sum::<i64>()
    };
    assert_eq!((accepted(&before), accepted(&after)), (4, 5));
}

#[test]
fn an_old_event_is_of_its_own_time_and_no_live_traffic() {
    let world = TestWorld::new();
    let stored = format!(
        r#"{{"eventId":"{}","eventType":"page_view","siteId":"other","source":"tracker","userId":"u","sessionId":"s","timestamp":5000,"receivedAt":7000,"schemaVersion":1,"batchId":"{}","country":"DE","region":"Bavaria","browser":"Firefox","eventData":{{"url":"https://shop.example/"}},"metadata":{{"userAgent":"x","ipAddress":"203.0.113.0","platform":"web"}}}}"#,
        uuid(1),
        uuid(2)
    );
    let recent = command(usize::try_from(NOW / 1_000 - 60).unwrap());
    let text = format!("{stored}\n{}\n{recent}", command(3));
    let (events, _) = import(&world, ID, &[text.into_bytes()], &mut BTreeSet::new());
    let [line, plain, _] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (&line["receivedAt"], &line["timestamp"]),
        (&7_000.into(), &5_000.into())
    );
    assert_eq!(
        (&line["country"], &line["region"]),
        (&"DE".into(), &"Bavaria".into())
    );
    assert_eq!(
        (&line["siteId"], &line["source"]),
        (&"demo".into(), &"tracker".into())
    );
    assert_eq!(
        (&line["eventId"], &line["batchId"]),
        (&uuid(1).into(), &ID.into())
    );
    assert_eq!(
        (&plain["receivedAt"], &plain["timestamp"]),
        (&3_000.into(), &3_000.into())
    );
    let live = world.site().snapshot(NOW);
    assert_eq!(live, crate::log::Snapshot::default());
}

#[test]
fn an_import_waits_while_the_outbox_is_full() {
    let world = TestWorld::new();
    // Each event is a row of its own.
    let events: Vec<(usize, i64, usize)> = (0..300).map(|n| (n, NOW, 90_000)).collect();
    let full = crate::protocol::commit::write(Default::default(), &lines_of(&events));
    let full = Commit::parse(&full).unwrap();
    let taken = world.site().commit(&full, NOW).unwrap();
    assert!(taken.is_taken(), "live traffic never waits");
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(1));
    upload(&store, &world, ID, 1, command(1).as_bytes());
    let progress = || store.progress("demo", ImportState::default()).unwrap();
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + 1_000));
    assert_eq!(
        (
            progress().received,
            world.site().outbox_state().unwrap().parts
        ),
        (0, 300)
    );
    let mut seen = BTreeSet::new();
    assert_eq!(world.consume(&mut seen).len(), 300);
    run(&store, &world, ID);
    assert_eq!(numbers(&world.consume(&mut seen)), [1]);
    assert_eq!(progress().received, 1);
}

#[test]
fn no_more_than_a_piece_is_read_at_once() {
    let world = TestWorld::new();
    let length = usize::try_from(STEP_BYTES).unwrap();
    let part = [
        "\n".repeat(length - 10),
        command(1),
        "z".repeat(length),
        "\n".into(),
        command(2),
    ]
    .concat();
    let (events, progress) = import(&world, ID, &[part.into_bytes()], &mut BTreeSet::new());
    assert_eq!(world.longest_read.get(), STEP_BYTES);
    assert_eq!(numbers(&events), [2]);
    let line = i64::try_from(length).unwrap() - 9;
    assert_eq!(progress.rejected_lines[0].line, line);
}

#[test]
fn a_part_may_come_again_but_not_as_another() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, None);
    assert_eq!(upload(&store, &world, ID, 2, b"{}"), Added::New);
    assert_eq!(upload(&store, &world, ID, 2, b"{}"), Added::Known);
    assert_eq!(upload(&store, &world, ID, 2, b"[]"), Added::Different);
    store.close().unwrap();
    assert_eq!(upload(&store, &world, ID, 1, b"{}"), Added::Closed);
    assert_eq!(upload(&store, &world, ID, 2, b"{}"), Added::Known);
}

#[test]
fn parts_are_read_as_they_come_and_the_last_announced_one_closes() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(2));
    let progress = || store.progress("demo", ImportState::default()).unwrap();
    upload(&store, &world, ID, 2, command(2).as_bytes());
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + IDLE_MS));
    assert_eq!(
        (progress().status.as_str(), progress().received),
        ("open", 1)
    );
    upload(&store, &world, ID, 1, command(1).as_bytes());
    assert!(!store.is_open().unwrap());
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + SETTLE_MS));
    // Not finished before all is known to be stored.
    assert_eq!(
        (progress().status.as_str(), progress().finished_at),
        ("processing", None)
    );
    world.consume(&mut BTreeSet::new());
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + KEEP_MS));
    assert_eq!(
        (progress().status.as_str(), progress().finished_at),
        ("finished", Some(NOW))
    );
    assert_eq!(
        progress().parts,
        Parts {
            declared: Some(2),
            received: 2,
            processed: 2
        }
    );
}

#[test]
fn an_import_that_nobody_feeds_is_closed_and_at_last_forgotten() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, None);
    upload(&store, &world, ID, 1, b"?");
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + IDLE_MS));
    world.now_ms.set(NOW + IDLE_MS);
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + IDLE_MS + KEEP_MS));
    assert_eq!(
        world.bucket.borrow().len(),
        1,
        "the list of what was refused"
    );
    world.now_ms.set(NOW + IDLE_MS + KEEP_MS);
    assert_eq!(run(&store, &world, ID), Turn::Forgotten);
    assert!(world.bucket.borrow().is_empty());
    assert!(ImportStore::find(&sql).unwrap().is_none());
}

#[test]
fn asking_for_an_import_that_nobody_made_makes_nothing() {
    let sql = TestSql::new();
    assert!(ImportStore::find(&sql).unwrap().is_none());
    assert_eq!(sql.number("SELECT count(*) FROM sqlite_master"), 0);
}

#[test]
fn a_part_that_somebody_deleted_fails_the_import_and_nothing_else_of_it() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(2));
    upload(&store, &world, ID, 1, command(1).as_bytes());
    world.bucket.borrow_mut().clear();
    upload(&store, &world, ID, 2, command(2).as_bytes());
    run(&store, &world, ID);
    assert_eq!(numbers(&world.consume(&mut BTreeSet::new())), [2]);
    run(&store, &world, ID);
    let progress = store.progress("demo", ImportState::default()).unwrap();
    assert_eq!(
        (
            progress.status.as_str(),
            progress.failed,
            progress.processed
        ),
        ("failed", 1, 1)
    );
}
