//! A lake in a folder, made by the code that makes the real one: the stages of an event, the store
//! of a lake shard on a real SQLite, gzip members of segments.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::Connection;
use serde_json::{Value, json};
use shoreline_shared::event::RawEvent;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};
use shoreline_worker::base::sql::{Cell, Param, Sql};
use shoreline_worker::lake::{LakeSettings, LakeStore, SealRule, hour_of};
use shoreline_worker::sinks::{Outcome, SinkKind};

use sqlite::Database;

#[path = "../examples/sqlite/mod.rs"]
mod sqlite;

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-03-01T00:00:00Z.
pub(crate) const START: i64 = 1_772_323_200_000;

pub(crate) const SITES: [&str; 2] = ["demo", "shop"];

/// The user of each site who is erased by the tests of erasure.
pub(crate) const LEAVER: &str = "user-3";

/// Three days of two sites, 18 events every six hours, as stored. Every twelfth is late by days, as
/// if a phone had been offline.
pub(crate) fn events() -> Vec<Value> {
    let mut events = Vec::new();
    for (s, site) in SITES.into_iter().enumerate() {
        for n in 0..216_usize {
            let n_i64 = i64::try_from(n).unwrap();
            let received_at = START + n_i64 / 18 * 6 * HOUR + n_i64 % 18 * 60_000;
            let late = if n % 12 == 5 { 2 * DAY + HOUR } else { 250 };
            let user = format!("user-{}", n * (s + 1) % 7);
            let session = format!("session-{}-{}", n * (s + 1) % 7, n / 30);
            let mut event = json!({
                "eventId": format!("0198c1d2-0000-7000-8000-{n:012x}"),
                "userId": user, "sessionId": session, "timestamp": received_at - late,
                "metadata": {"userAgent": "Mozilla/5.0", "ipAddress": "203.0.113.77", "platform": "web"},
            });
            let (event_type, data) = match n % 4 {
                0 | 1 => (
                    "page_view",
                    json!({"url": format!("https://shop.example/{n}"), "URL": 1}),
                ),
                2 if n % 8 == 2 => ("feature_use", json!({"feature": "search", "duration": n})),
                2 => (
                    "feature_use",
                    json!({"feature": "ex\"port'é", "duration": "long"}),
                ),
                _ => (
                    "com.example.order.v1",
                    json!({"lines": [{"sku": "a", "n": 1.5}]}),
                ),
            };
            event["eventType"] = event_type.into();
            event["eventData"] = data;
            if n % 4 == 3 {
                event["source"] = "orders".into();
                event.as_object_mut().unwrap().remove("userId");
                event.as_object_mut().unwrap().remove("sessionId");
            }
            events.push(stored(event, site, received_at));
        }
    }
    events
}

/// Through every stage.
fn stored(event: Value, site: &str, received_at: i64) -> Value {
    let rules = Rules {
        now_ms: received_at,
        retention_days: 30,
        any_past: false,
    };
    let raw = RawEvent::from_value(event.clone()).unwrap();
    let sender = Sender::Source { name: None };
    let valid = validate(raw, &sender, &rules).unwrap();
    let stamp_of = Stamp {
        site_id: site,
        source: "tracker",
        event_id: event["eventId"].as_str().unwrap(),
        received_at,
        country: Some("DE"),
        browser: Some("Firefox"),
        ..Stamp::default()
    };
    let stamped = stamp(sanitize(valid, &Privacy::default()), &stamp_of);
    serde_json::from_str(stamped.json()).unwrap()
}

/// Lands the events of every site below `folder`, two in a segment at most. Answers the objects' keys.
pub(crate) fn land(folder: &Path, events: &[Value]) -> Vec<String> {
    let mut keys = Vec::new();
    for site in SITES {
        let own: Vec<&Value> = events.iter().filter(|e| e["siteId"] == site).collect();
        let settings = LakeSettings {
            seal: SealRule {
                bytes: 3_000,
                age_ms: 60_000,
            },
            backlog_bytes: i64::MAX,
            sink_tries: 5,
            sinks: vec![(SinkKind::R2, String::new())],
        };
        let sql = Database(Connection::open_in_memory().unwrap());
        let store = LakeStore::open(&sql, &settings, START, [1, 2, 3, 4]).unwrap();
        let at = |event: &Value| event["receivedAt"].as_i64().unwrap();
        for some in own.chunk_by(|a, b| hour_of(at(a)) == hour_of(at(b))) {
            some.chunks(2)
                .for_each(|some| append(&sql, &store, some, at(some[0])));
        }
        let end = START + 4 * DAY;
        store.seal(site, 0, end).unwrap();
        while let Some(delivery) = store.due_delivery(SinkKind::R2, end).unwrap() {
            let object = &delivery.object;
            let path = folder.join(&object.key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, store.packed(object.sequence).unwrap()).unwrap();
            store.settle(&delivery, &Outcome::Done, end, 0).unwrap();
            keys.push(object.key.clone());
        }
        let state = store.state().unwrap();
        assert_eq!(state.landed_events, i64::try_from(own.len()).unwrap());
        assert_eq!(state.pending_events, 0);
    }
    keys
}

/// Appends events of one hour as a segment.
fn append(sql: &Database, store: &LakeStore<&Database>, events: &[&Value], at: i64) {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(lines.as_bytes()).unwrap();
    let (n, bytes) = (events.len().try_into().unwrap(), lines.len());
    let rows: Vec<[Cell; 1]> = sql
        .cells(
            "INSERT INTO segments (hour, at, n, bytes, first_at, last_at, columns, lines) \
             VALUES (?1, ?2, ?3, ?4, ?2, ?2, x'', ?5) RETURNING seq",
            &[
                hour_of(at).into(),
                at.into(),
                Param::Int(n),
                i64::try_from(bytes).unwrap().into(),
                Param::Blob(packed.finish().unwrap()),
            ],
        )
        .unwrap();
    let bytes = i64::try_from(bytes).unwrap();
    let seq = rows[0][0].int();
    store.appended(hour_of(at), seq, n, bytes, at).unwrap();
}
