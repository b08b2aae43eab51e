//! How long a shard takes to answer questions: `asks EVENTS USERS DAYS`.
//!
//! Events of so many days, in order of time, are appended to an archive in memory as segments of 4,096 at most, which
//! is what compaction makes of them. Each question is asked seven times, from its body to the text of its answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};
use shoreline_worker::archive::Archive;
use shoreline_worker::archive::scan::{Asking, Part};
use shoreline_worker::http::error::Fault;
use shoreline_worker::lake::{LakeSettings, LakeStore, SealRule};
use shoreline_worker::protocol::Message;
use shoreline_worker::protocol::message::MessageRow;
use shoreline_worker::query::{Asked, Found, Question, Source, begin};
use shoreline_worker::sinks::SinkKind;

use self::made::event;
use self::sqlite::{Database, gunzip, gzip};

mod made;
mod sqlite;

const DAY_MS: i64 = 86_400_000;

/// 2024-01-01.
const START: i64 = 1_704_067_200_000;

/// Events of a segment.
const SEGMENT_EVENTS: usize = 4_096;

/// How often each question is asked.
const TIMES: usize = 7;

fn main() {
    let arguments: Vec<i64> = std::env::args()
        .skip(1)
        .map(|text| text.parse().unwrap())
        .collect();
    let [events, users, days] = arguments.as_slice() else {
        panic!("usage: asks EVENTS USERS DAYS");
    };
    let sql = Database(Connection::open_in_memory().unwrap());
    let end = START + days * DAY_MS;
    let archive = fill(&sql, *events, *users, *days);
    println!(
        "{events} events of {users} users in {days} days; {} segments",
        sql.number("SELECT count(*) FROM segments")
    );
    for (name, question) in questions(*days) {
        let mut times = Vec::new();
        let mut answer = Value::Null;
        let mut longest = 0.0_f64;
        for _ in 0..TIMES {
            let begun = Instant::now();
            let Ok((text, slice)) = ask(&archive, &question, end) else {
                println!("refused: {name}");
                break;
            };
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            longest = longest.max(slice);
            answer = serde_json::from_str(&text).unwrap();
        }
        times.sort_by(f64::total_cmp);
        let Some(rows) = answer["rows"].as_array().map(Vec::len) else {
            continue;
        };
        println!(
            "{:6.1} ms p50, {:6.1} ms at most, slice {longest:4.1} ms, {rows:6} rows: {name}; totals {}",
            times[TIMES / 2],
            times[TIMES - 1],
            answer["totals"]
        );
    }
}

fn fill(sql: &Database, events: i64, users: i64, days: i64) -> Archive<&Database> {
    let settings = LakeSettings {
        seal: SealRule {
            bytes: 8_000_000,
            age_ms: 60_000,
        },
        backlog_bytes: 8_000_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, String::new())],
    };
    let lake = LakeStore::open(sql, &settings, START, [0; 4]).unwrap();
    let archive = Archive::open(sql, lake, "demo", (0, 1), b"a key of the bench", START).unwrap();
    let at = |n: i64| START + days * DAY_MS * n / events;
    let mut numbers = 0..events;
    let mut seq = 0;
    loop {
        // Segments are of one hour.
        let first = numbers.start;
        let hour = |n: i64| at(n) / 3_600_000;
        let some: Vec<i64> = numbers
            .clone()
            .take(SEGMENT_EVENTS)
            .take_while(|n| hour(*n) == hour(first))
            .collect();
        if some.is_empty() {
            return archive;
        }
        numbers.start += some.len() as i64;
        let line = |n: &i64| {
            let mut event = event(*n, users, at(*n));
            // A session a day: of one an hour there would be nearly as many as events.
            let user = event["userId"].as_str().unwrap();
            event["sessionId"] = json!(format!("{user}-{}", at(*n) / DAY_MS));
            format!("{event}\n")
        };
        let lines: String = some.iter().map(line).collect();
        seq += 1;
        let row = MessageRow {
            seq,
            at: at(first),
            n: some.len(),
            lines: lines.as_bytes(),
        };
        let message = Message {
            site: "demo".to_owned(),
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
        archive.append(draft, &packed, true, at(first)).unwrap();
    }
}

fn questions(days: i64) -> Vec<(&'static str, Value)> {
    let last = chrono::DateTime::from_timestamp_millis(START + (days - 1) * DAY_MS).unwrap();
    let range = json!(["2024-01-01", last.format("%Y-%m-%d").to_string()]);
    let with = |mut body: Value| {
        body["range"] = range.clone();
        body
    };
    vec![
        (
            "breakdown by page with two filters, with users",
            with(json!({"metrics": ["users", "events"],
            "dimensions": ["page"], "filters": ["and", ["is", "country", ["DE", "FR"]],
            ["is_not", "browser", ["Safari"]]]})),
        ),
        (
            "views by hour with one filter",
            with(json!({"metrics": ["views"], "dimensions": ["time:hour"],
            "filters": ["is", "country", ["DE"]]})),
        ),
        (
            "users by hour with one filter",
            with(
                json!({"metrics": ["users", "views"], "dimensions": ["time:hour"],
            "filters": ["is", "country", ["DE"]]}),
            ),
        ),
        (
            "sum and p95 of a property by another property",
            with(json!({
            "metrics": ["sum(data.duration)", "p95(data.duration)"], "dimensions": ["data.feature"]})),
        ),
        (
            "users, views, sessions of all",
            with(json!({"metrics": ["users", "views", "sessions"]})),
        ),
        (
            "users by page, all",
            with(json!({"metrics": ["users", "views"], "dimensions": ["page"]})),
        ),
        (
            "bounce rate and duration by entry page",
            with(json!({"metrics": ["sessions", "bounceRate",
            "sessionDuration"], "dimensions": ["entryPage"]})),
        ),
        (
            "pages of users who did something",
            with(json!({"metrics": ["users"], "dimensions": ["page"],
            "filters": ["did", ["is", "eventType", ["feature_use"]]]})),
        ),
        (
            "two properties and a page, text contained",
            with(json!({"metrics": ["events", "users"],
            "dimensions": ["page", "country", "device"], "filters": ["contains", "page", ["/1"]]})),
        ),
    ]
}

/// The text of the answer, and how long the longest slice took, in milliseconds.
fn ask(archive: &Archive<&Database>, question: &Value, now: i64) -> Result<(String, f64), Fault> {
    let body = question.to_string();
    let asked = Asked::new(
        Question::parse(body.as_bytes()).unwrap(),
        Some(Vec::new()),
        now,
    )
    .unwrap();
    let mut parts = Vec::new();
    let mut longest = 0.0_f64;
    for spec in asked.specs(&body, 1) {
        let query = begin(&serde_json::to_vec(&spec).unwrap(), 0).unwrap();
        let mut asking = Asking::of_scan(query, true);
        let found = loop {
            loop {
                let begun = Instant::now();
                let more = asking.slice(archive.sql(), 0).unwrap();
                longest = longest.max(begun.elapsed().as_secs_f64() * 1e3);
                if !more {
                    break;
                }
            }
            let some = asking.packed(archive.sql()).unwrap();
            if some.is_empty() {
                break asking.part().unwrap();
            }
            for lines in some {
                asking.cut(&lines, &gunzip(&lines.packed).unwrap());
            }
        };
        let part: Part<Found> = serde_json::from_str(&found).unwrap();
        parts.push(vec![part.found]);
    }
    let answer = asked.answers(parts, Source::Scan)?.remove(0);
    Ok((serde_json::to_string(&answer).unwrap(), longest))
}
