//! A lake in a folder, made by the code that makes the real one: the stages of an event, the store
//! of a lake shard on a real SQLite, gzip members of segments.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::Connection;
use rusqlite::types::Value as Sqlite;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use shoreline_shared::event::RawEvent;
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};
use shoreline_worker::lake::{LakeSettings, LakeStore, Outcome, SealRule, hour_of};
use shoreline_worker::sinks::SinkKind;
use shoreline_worker::sql::{Cell, Param, Sql, SqlError};

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
        let sql = TestSql(Connection::open_in_memory().unwrap());
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
fn append(sql: &TestSql, store: &LakeStore<&TestSql>, events: &[&Value], at: i64) {
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

/// The SQLite of a Durable Object.
struct TestSql(Connection);

fn failed(error: impl std::fmt::Display) -> SqlError {
    SqlError(error.to_string())
}

fn bound(params: &[Param]) -> impl rusqlite::Params {
    rusqlite::params_from_iter(params.iter().map(|param| match param {
        Param::Int(int) => Sqlite::Integer(*int),
        Param::Text(text) => Sqlite::Text(text.clone()),
        Param::Blob(bytes) => Sqlite::Blob(bytes.clone()),
        Param::Null => Sqlite::Null,
    }))
}

impl Sql for &TestSql {
    fn rows<T: DeserializeOwned>(&self, sql: &str, params: &[Param]) -> Result<Vec<T>, SqlError> {
        let mut statement = self.0.prepare(sql).map_err(failed)?;
        let names: Vec<String> = statement
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let mut fields = Map::new();
            for (index, name) in names.iter().enumerate() {
                let value = match row.get(index).map_err(failed)? {
                    Sqlite::Integer(int) => int.into(),
                    Sqlite::Text(text) => text.into(),
                    Sqlite::Null => Value::Null,
                    other => panic!("not used by the store: {other:?}"),
                };
                fields.insert(name.clone(), value);
            }
            answer.push(serde_json::from_value(fields.into()).map_err(failed)?);
        }
        Ok(answer)
    }

    fn cells<const N: usize>(
        &self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<[Cell; N]>, SqlError> {
        let mut statement = self.0.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(bound(params)).map_err(failed)?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            answer.push(std::array::from_fn(|index| match row.get(index).unwrap() {
                Sqlite::Integer(int) => Cell::Int(int),
                Sqlite::Text(text) => Cell::Text(text),
                Sqlite::Blob(bytes) => Cell::Blob(bytes),
                _ => Cell::Null,
            }));
        }
        Ok(answer)
    }

    fn transaction<T>(&self, work: &mut dyn FnMut() -> Result<T, SqlError>) -> Result<T, SqlError> {
        self.0.execute_batch("SAVEPOINT t").map_err(failed)?;
        let result = work();
        let end = if result.is_ok() {
            "RELEASE t"
        } else {
            "ROLLBACK TO t; RELEASE t"
        };
        self.0.execute_batch(end).map_err(failed)?;
        result
    }
}
