//! From the outbox on: D1 and the lake take an imported event for one of its own time.

use super::*;
use crate::lake::{LakeSettings, LakeStore, Outcome, SealRule, hour_of};
use crate::sinks::SinkKind;
use crate::testing::consume;

#[test]
fn imported_events_are_stored_and_landed_by_their_own_hours() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(1));
    let hour = crate::live::HOUR_MS / 1_000;
    let numbers = [0, hour - 1, hour, 30 * hour];
    let text: Vec<String> = numbers
        .iter()
        .map(|n| command(usize::try_from(*n).unwrap()))
        .collect();
    upload(&store, &world, ID, 1, text.join("\n").as_bytes());
    run(&store, &world, ID);

    let d1 = TestSql::new();
    d1.migrate();
    let lake_sql = TestSql::new();
    let rule = SealRule {
        bytes: 1_000_000,
        age_ms: 60_000,
    };
    let settings = LakeSettings {
        seal: rule,
        backlog_bytes: 10_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, "1".to_owned())],
    };
    let lake = LakeStore::open(&lake_sql, &settings, NOW, [1, 2, 3, 4]).unwrap();
    let by_hour = |entries: Vec<crate::log::Entry>| -> BTreeMap<i64, i64> {
        let some = entries.into_iter().filter(|entry| entry.n != 0);
        some.map(|entry| (entry.bucket, entry.n)).collect()
    };
    let before = world.site().hours(0);
    assert_eq!(by_hour(before.done.clone()), by_hour(before.waiting));
    while let Some(sent) = world.site().next_message("demo", 0, NOW).unwrap() {
        let handover = consume(&d1, &[&sent.body], b"a key of the test").unwrap();
        let append = serde_json::from_str(&handover.append).unwrap();
        lake.append(&append, NOW).unwrap();
        world
            .site()
            .confirm(&handover.confirmations[0], NOW)
            .unwrap();
    }
    // Counted on the days they are of; their ids are new as of now, and not forgotten before long.
    assert_eq!(
        d1.number("SELECT n FROM daily_counts WHERE date = '1970-01-01'"),
        3
    );
    assert_eq!(
        d1.number("SELECT max(received_at) FROM events"),
        30 * hour * 1_000
    );
    assert_eq!(d1.number("SELECT min(received_at) FROM event_ids"), NOW);
    lake.seal("demo", 0, NOW + rule.age_ms).unwrap();
    let mut keys = Vec::new();
    while let Some(due) = lake.due_delivery(SinkKind::R2, NOW + rule.age_ms).unwrap() {
        let object = &due.object;
        for line in lake.ndjson(object.sequence).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let of = hour_of(event["receivedAt"].as_i64().unwrap());
            let folder = format!("date=1970-01-{:02}/hour={:02}/", 1 + of / 24, of % 24);
            assert!(object.key.contains(&folder), "{} {folder}", object.key);
        }
        lake.settle(&due, &Outcome::Done, NOW, 0).unwrap();
        keys.push(due.object.key);
    }
    // What the site says was taken of an hour is what has landed of it.
    let landed = by_hour(lake.hours(0).unwrap().done);
    assert_eq!(landed.len(), 3);
    assert_eq!(by_hour(before.done), landed);
    assert_eq!(by_hour(world.site().hours(0).done), landed);
    assert_eq!(keys.len(), 3);
    assert_eq!(lake.state().unwrap().landed_events, 4);
    assert_eq!(run(&store, &world, ID), Turn::At(NOW + KEEP_MS));
}
