//! Fills a local archive and D1 for the benches of reads and questions, by the archive's own code: what they
//! hold is what so many events make, without their way through collector and queue.
//!
//! `fill D1 ARCHIVES SITE KEY EVENTS USERS DAYS`: events of the last DAYS days, in order of time, today included.
//! The first two are folders, KEY is the worker's HASH_KEY; the site's archive must have been asked already.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use shoreline_worker::archive::{Archive, Cursor};
use shoreline_worker::lake::{LakeSettings, LakeStore, SealRule};
use shoreline_worker::protocol::Message;
use shoreline_worker::protocol::message::MessageRow;
use shoreline_worker::sinks::SinkKind;

use self::made::event;
use self::sqlite::{Database, gzip};

mod made;
mod sqlite;

const DAY_MS: i64 = 86_400_000;

/// Events of a segment: what a busy site's message has.
const SEGMENT_EVENTS: i64 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [d1, archives, site, key, events, users, days] = arguments.as_slice() else {
        panic!("usage: fill D1 ARCHIVES SITE KEY EVENTS USERS DAYS");
    };
    let number = |text: &String| text.parse::<i64>().unwrap();
    let (events, users, days) = (number(events), number(users), number(days));
    let now = now_ms();
    let start = (now / DAY_MS - days + 1) * DAY_MS;
    let d1 = Database(open(d1, "SELECT 1 FROM archives"));
    let sql = Database(open(archives, "SELECT 1 FROM segments"));
    let archive = archive(&sql, site, key, now);
    for first in (0..events).step_by(usize::try_from(SEGMENT_EVENTS).unwrap()) {
        let numbers = first..(first + SEGMENT_EVENTS).min(events);
        let lines: String = numbers
            .map(|n| format!("{}\n", event(n, users, start + (now - start) * n / events)))
            .collect();
        let row = MessageRow {
            seq: first,
            at: now,
            n: lines.lines().count(),
            lines: lines.as_bytes(),
        };
        let message = Message {
            site: site.clone(),
            shard: 0,
            epoch: "bench".to_owned(),
            replay: None,
            rows: vec![row],
        };
        let draft = archive.read(&message).unwrap();
        let packed: Vec<(String, Vec<u8>)> = draft
            .segments
            .iter()
            .map(|segment| (segment.lines.clone(), gzip(&segment.lines)))
            .collect();
        archive.append(draft, &packed, true, now).unwrap();
        fold(&archive, &d1, now);
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn archive<'a>(sql: &'a Database, site: &str, key: &str, now: i64) -> Archive<&'a Database> {
    let settings = LakeSettings {
        seal: SealRule {
            bytes: 8_000_000,
            age_ms: 60_000,
        },
        backlog_bytes: 2_000_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, String::new())],
    };
    let lake = LakeStore::open(sql, &settings, now, [0; 4]).unwrap();
    Archive::open(sql, lake, site, (0, 1), key.as_bytes(), now).unwrap()
}

fn fold(archive: &Archive<&Database>, d1: &Database, now: i64) {
    let some = archive.unfolded().unwrap();
    archive.fold(&some, &[], now).unwrap();
    while let Some((fold, statements)) = archive.pending().unwrap() {
        let at: Vec<Cursor> = d1.batch(&statements);
        archive.settle(fold, at.first().copied()).unwrap();
    }
}

/// The database among those in a folder that answers a query.
fn open(folder: &str, query: &str) -> Connection {
    let files = std::fs::read_dir(folder).unwrap();
    let paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let mut databases = paths
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sqlite")
        })
        .map(|path| Connection::open(path).unwrap());
    let database = databases
        .find(|database| database.prepare(query).is_ok())
        .expect("the folder has the database");
    database
        .busy_timeout(std::time::Duration::from_secs(30))
        .unwrap();
    database.set_prepared_statement_cache_capacity(64);
    database.execute_batch("PRAGMA synchronous = OFF").unwrap();
    database
}
