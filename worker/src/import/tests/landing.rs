//! From the log on: archive and lake take an imported event for one of its own time.

use super::*;
use crate::archive::consume::confirmation;
use crate::archive::testing::{self, RULE};
use crate::lake::hour_of;
use crate::lake::testing::ndjson;
use crate::protocol::Message;
use crate::sinks::{Outcome, SinkKind};

#[test]
fn imported_events_are_stored_and_landed_by_their_own_hours() {
    let world = TestWorld::new();
    let sql = TestSql::new();
    let store = create(&sql, ID, Some(1));
    let hour = crate::base::time::HOUR_MS / 1_000;
    let numbers = [0, hour - 1, hour, 30 * hour];
    let text: Vec<String> = numbers
        .iter()
        .map(|n| command(usize::try_from(*n).unwrap()))
        .collect();
    upload(&store, &world, ID, 1, text.join("\n").as_bytes());
    run(&store, &world, ID);

    let d1 = TestSql::new();
    d1.migrate();
    let archive_sql = TestSql::new();
    let archive = testing::open(&archive_sql, "demo");
    let lake = archive.lake();
    let by_hour = |entries: Vec<crate::protocol::hours::Entry>| -> BTreeMap<i64, i64> {
        let some = entries.into_iter().filter(|entry| entry.n != 0);
        some.map(|entry| (entry.bucket, entry.n)).collect()
    };
    let before = world.site().hours(0);
    assert_eq!(by_hour(before.done.clone()), by_hour(before.waiting));
    while let Some(sent) = world.site().next_message("demo", 0, NOW).unwrap() {
        let appended = testing::append(&archive, &sent.body, false).unwrap();
        let message = Message::parse(&sent.body).unwrap();
        let told = confirmation(&message, &appended);
        world.site().confirm(&told, NOW).unwrap();
    }
    testing::fold(&archive, &d1);
    // Counted on the days they are of.
    assert_eq!(
        d1.number("SELECT n FROM daily_counts WHERE date = '1970-01-01'"),
        3
    );
    let last: i64 = archive_sql.number("SELECT max(hour) FROM segments");
    assert_eq!(last, 30);
    lake.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    let mut keys = Vec::new();
    while let Some(due) = lake.due_delivery(SinkKind::R2, NOW + RULE.age_ms).unwrap() {
        let object = &due.object;
        for line in ndjson(lake, object.sequence).lines() {
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
