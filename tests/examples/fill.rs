//! Fills a local D1 for `npm run bench -- reads`, by the consumer's own statements: what the read
//! models hold is what so many events make, without their way through collector and queue.
//!
//! `fill FOLDER SITE EVENTS USERS DAYS`: events of the last DAYS days, in order of time, today included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Value as Sqlite;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Value, json};
use shoreline_worker::consume::{Batch, Message};
use shoreline_worker::sql::Param;

const DAY_MS: i64 = 86_400_000;

/// Events of a message: about the 124,000 bytes that the log puts into one.
const MESSAGE_EVENTS: i64 = 200;

/// Any secret: what is measured does not hang on it.
const HASH_KEY: &[u8] = b"a secret of the bench, of no use elsewhere";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, site, events, users, days] = arguments.as_slice() else {
        panic!("usage: fill FOLDER SITE EVENTS USERS DAYS");
    };
    let number = |text: &String| text.parse::<i64>().unwrap();
    let (events, users, days) = (number(events), number(users), number(days));
    let now = i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    );
    let now = now.unwrap();
    let start = (now / DAY_MS - days + 1) * DAY_MS;
    let mut database = open(folder);
    for first in (0..events).step_by(usize::try_from(MESSAGE_EVENTS).unwrap()) {
        let numbers = first..(first + MESSAGE_EVENTS).min(events);
        let lines: Vec<String> = numbers
            .map(|n| event(n, users, start + (now - start) * n / events).to_string())
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let message = Message::of_lines(site, &format!("bench:{first}"), &lines).unwrap();
        let transaction = database.transaction().unwrap();
        let batch = Batch::of(site, &[&message], HASH_KEY);
        for statement in batch.statements(&[]) {
            let values = statement.params.iter().map(|param| match param {
                Param::Int(int) => Sqlite::Integer(*int),
                Param::Text(text) => Sqlite::Text(text.clone()),
                Param::Blob(bytes) => Sqlite::Blob(bytes.clone()),
                Param::Null => Sqlite::Null,
            });
            let mut statement = transaction.prepare_cached(statement.sql).unwrap();
            let mut rows = statement.query(params_from_iter(values)).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        transaction.commit().unwrap();
    }
}

/// The worker's database among those in a folder.
fn open(folder: &str) -> Connection {
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut databases = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sqlite")
        })
        .map(|path| Connection::open(path).unwrap());
    let database = databases
        .find(|database| database.prepare("SELECT 1 FROM event_ids").is_ok())
        .expect("the folder has D1");
    database
        .busy_timeout(std::time::Duration::from_secs(30))
        .unwrap();
    database.set_prepared_statement_cache_capacity(64);
    database.execute_batch("PRAGMA synchronous = OFF").unwrap();
    database
}

/// Event `n`: six in ten are views. Visitors come back in no order.
fn event(n: i64, users: i64, at: i64) -> Value {
    let user = n.wrapping_mul(2_654_435_761).rem_euclid(users);
    let (kind, data) = match n % 20 {
        0..12 => (
            "page_view",
            json!({"path": format!("/catalog/{}", n.wrapping_mul(48_271).rem_euclid(300)),
                "utm_source": (["news", "ads", "social"])[usize::try_from(n % 3).unwrap()],
                "referrerHost": format!("r{}.example", n % 40)}),
        ),
        12..16 => (
            "feature_use",
            json!({"feature": format!("feature-{}", n % 50), "duration": n % 5_000}),
        ),
        16 => (
            "content_create",
            json!({"contentType": format!("type-{}", n % 7)}),
        ),
        17 => (
            "ai_request",
            json!({"model": format!("model-{}", n % 5), "tokens": n % 900, "cost": 0.000_125}),
        ),
        18 => ("error", json!({"message": format!("error {}", n % 30)})),
        _ => (
            "order.placed",
            json!({"status": (["paid", "open"])[usize::try_from(n / 20 % 2).unwrap()]}),
        ),
    };
    json!({
        "eventId": format!("{n:08x}-0000-4000-8000-000000000000"), "eventType": kind, "siteId": "",
        "source": "tracker", "userId": format!("user-{user}"),
        "sessionId": format!("s{user}-{}", at / 3_600_000), "timestamp": at, "receivedAt": at,
        "schemaVersion": 1, "country": (["DE", "FR", "US", "JP"])[usize::try_from(user % 4).unwrap()],
        "browser": (["Chrome", "Firefox", "Safari"])[usize::try_from(user % 3).unwrap()],
        "os": (["Windows", "macOS", "Linux"])[usize::try_from(user % 3).unwrap()],
        "device": (["desktop", "mobile"])[usize::try_from(user % 2).unwrap()],
        "eventData": data, "metadata": {"platform": "web"},
    })
}
