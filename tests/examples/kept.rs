//! How many bytes the archive keeps of an event, and how long its answers take, without compaction and with it.
//!
//! `kept`: lines for an import on the standard input, in order of time. They are judged as an import does it, appended in
//! messages of 25, folded, and landed, as if the clock were theirs. Everything is on a SQLite of its own in a folder
//! for temporary files; bytes are its pages, free ones included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::io::BufRead;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};
use shoreline_worker::archive::Archive;
use shoreline_worker::archive::scan::Ask;
use shoreline_worker::ingest::adapters;
use shoreline_worker::ingest::draft::{Body, Draft};
use shoreline_worker::ingest::history::History;
use shoreline_worker::ingest::judge::{Context, judge};
use shoreline_worker::lake::{LakeSettings, LakeStore, SealRule};
use shoreline_worker::protocol::Message;
use shoreline_worker::protocol::message::MessageRow;
use shoreline_worker::sinks::{Outcome, SinkKind};

use self::sqlite::{Database, gunzip, gzip};

mod sqlite;

/// Events of a message.
const MESSAGE: usize = 25;

/// How long after the last event what waits is folded, landed and compacted.
const AFTER_MS: i64 = 4 * 3_600_000;

/// How often each question is asked.
const TIMES: usize = 7;

const KEY: &[u8] = b"a key of the bench";

fn main() {
    let lines: Vec<String> = std::io::stdin()
        .lock()
        .lines()
        .map(Result::unwrap)
        .collect();
    let folder = tempfile::tempdir().unwrap();
    for is_compacted in [false, true] {
        let path = folder.path().join(format!("{is_compacted}.sqlite"));
        let connection = Connection::open(path).unwrap();
        connection.set_prepared_statement_cache_capacity(128);
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
            .unwrap();
        measure(&Database(connection), &lines, is_compacted);
    }
}

/// What is done as time goes by.
struct Clock<'a> {
    archive: &'a Archive<&'a Database>,
    is_compacted: bool,
    steps: usize,
    longest: Duration,
    spent: Duration,
    written: i64,
}

impl Clock<'_> {
    /// What the alarm does.
    fn ring(&mut self, now: i64) {
        let archive = self.archive;
        let is_due = |due: Option<i64>| due.is_some_and(|due| due <= now);
        while is_due(archive.fold_due().unwrap()) {
            let some = archive.unfolded().unwrap();
            archive.fold(&some, &[], now).unwrap();
            while let Some((fold, _)) = archive.pending().unwrap() {
                archive.settle(fold, Some(fold)).unwrap();
            }
        }
        let lake = archive.lake();
        if is_due(lake.next_due().unwrap()) {
            lake.seal("demo", 0, now).unwrap();
            while let Some(due) = lake.due_delivery(SinkKind::R2, now).unwrap() {
                lake.settle(&due, &Outcome::Done, now, 0).unwrap();
            }
        }
        if self.is_compacted && is_due(archive.compact_due().unwrap()) {
            while self.compact(now) {}
        }
    }

    fn compact(&mut self, now: i64) -> bool {
        let changes = || self.archive.sql().number("SELECT total_changes()");
        let (begun, before) = (Instant::now(), changes());
        let Some(run) = self.archive.find_small(now).unwrap() else {
            return false;
        };
        let texts: Vec<_> = run.parts.iter().map(|part| gunzip(&part.lines)).collect();
        let merged = self.archive.merge(&run, &texts);
        let packed = gzip(&merged.made.as_ref().unwrap().lines);
        assert!(self.archive.put_merged(&merged, &packed).unwrap());
        let took = begun.elapsed();
        self.steps += 1;
        self.spent += took;
        self.longest = self.longest.max(took);
        self.written += changes() - before;
        true
    }
}

fn measure(sql: &Database, lines: &[String], is_compacted: bool) {
    let start = received(&lines[0]);
    let settings = LakeSettings {
        seal: SealRule {
            bytes: 8_000_000,
            age_ms: 60_000,
        },
        backlog_bytes: 2_000_000_000,
        sink_tries: 5,
        sinks: vec![(SinkKind::R2, String::new())],
    };
    let lake = LakeStore::open(sql, &settings, start, [0; 4]).unwrap();
    let archive = Archive::open(sql, lake, "demo", (0, 1), KEY, start).unwrap();
    let mut clock = Clock {
        archive: &archive,
        is_compacted,
        steps: 0,
        longest: Duration::ZERO,
        spent: Duration::ZERO,
        written: 0,
    };
    let mut now = start;
    for (row, some) in lines.chunks(MESSAGE).enumerate() {
        now = received(some.last().unwrap()) + 100;
        let (n, text) = stored(some, now);
        let row = MessageRow {
            seq: i64::try_from(row).unwrap(),
            at: now,
            n,
            lines: text.as_bytes(),
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
        archive.append(draft, &packed, false, now).unwrap();
        clock.ring(now);
    }
    for _ in 0..3 {
        now += AFTER_MS;
        clock.ring(now);
    }
    println!(
        "\n{}\n",
        if is_compacted {
            "with compaction"
        } else {
            "without compaction"
        }
    );
    tell(sql);
    if is_compacted {
        println!(
            "compaction: {} steps, {:.1} ms each, {:.1} at most; {} rows written",
            clock.steps,
            clock.spent.as_secs_f64() * 1e3 / clock.steps as f64,
            clock.longest.as_secs_f64() * 1e3,
            clock.written,
        );
    }
    let day = now / 86_400_000;
    let at = ((day - 60) * 86_400_000, (day + 1) * 86_400_000);
    let user = serde_json::from_str::<Value>(&lines[lines.len() / 2]).unwrap()["userId"].clone();
    let page = |user: &Value| json!({"page": {"limit": 50, "before": null, "eventType": null, "user": user}});
    for (name, asked) in [
        (
            "funnel of two steps",
            json!({"funnel": {"at": at, "windowMs": 3_600_000,
            "steps": [["page_view", null, null], ["feature_use", null, null]]}}),
        ),
        (
            "journeys",
            json!({"journeys": {"at": at, "depth": 3, "limit": 20}}),
        ),
        ("web vitals", json!({"vitals": {"at": at, "page": null}})),
        ("first page", page(&Value::Null)),
        ("first page of a user", page(&user)),
    ] {
        let body = json!({"asked": asked, "alone": true}).to_string();
        let mut took: Vec<Duration> = (0..TIMES).map(|_| ask(&archive, &body)).collect();
        took.sort();
        println!("{name}: {:.1} ms", took[TIMES / 2].as_secs_f64() * 1e3);
    }
}

fn ask(archive: &Archive<&Database>, body: &str) -> Duration {
    let begun = Instant::now();
    let ask = Ask::parse(body.as_bytes()).unwrap();
    let mut asking = ask.begin(0, &mut archive.hasher(), None);
    loop {
        while asking.slice(archive.sql(), archive.rewrites()).unwrap() {}
        let some = asking.packed(archive.sql()).unwrap();
        if some.is_empty() {
            break;
        }
        for lines in some {
            asking.cut(&lines, &gunzip(&lines.packed).unwrap());
        }
    }
    assert!(asking.part().unwrap().starts_with("{\"unreadable\":0,"));
    begun.elapsed()
}

/// Bytes of everything, and of each table that has one, an event.
fn tell(sql: &Database) {
    let events = sql.number("SELECT sum(n) FROM segments") as f64;
    let each = |query: &str| sql.number(query) as f64 / events;
    println!(
        "{events} events in {} segments",
        sql.number("SELECT count(*) FROM segments")
    );
    println!(
        "bytes an event: lines before they are packed {:.1}",
        each("SELECT sum(bytes) FROM segments")
    );
    println!(
        "  lines {:.1}",
        each("SELECT sum(length(lines)) FROM segments")
    );
    println!(
        "  columns {:.1}",
        each("SELECT sum(length(columns) + length(more)) FROM segments")
    );
    let mut statement = sql
        .0
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
        .unwrap();
    let tables = statement
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })
        .unwrap();
    for (name, bytes) in tables.map(Result::unwrap) {
        if bytes as f64 >= events {
            println!("  pages of {name} {:.1}", bytes as f64 / events);
        }
    }
    let free = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
    println!("  free pages {:.1}", each(free));
    let all = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    println!("  all in {:.1}", each(all));
}

fn received(line: &str) -> i64 {
    let event: Value = serde_json::from_str(line).unwrap();
    event["receivedAt"].as_i64().unwrap()
}

/// Import lines as they are stored; each gets an id as pages make them.
fn stored(lines: &[String], now: i64) -> (usize, String) {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let random = event["eventId"].as_str().unwrap().replace('-', "");
            let at = event["timestamp"].as_i64().unwrap();
            let time = format!("{at:012x}");
            event["eventId"] = format!(
                "{}-{}-7{}-b{}-{}",
                &time[..8],
                &time[8..],
                &random[..3],
                &random[3..6],
                &random[20..]
            )
            .into();
            event.to_string()
        })
        .collect();
    let drafts = lines.iter().map(|line| {
        let mut draft = adapters::line(line.as_bytes());
        if let Draft::Made(made) = &mut draft {
            made.history = Some(History::of(&made.fields));
        }
        draft
    });
    let context = Context {
        site: "demo",
        sender: Sender::Source { name: None },
        source: "tracker",
        privacy: Privacy {
            hash_routing: false,
            anonymous: None,
        },
        rules: Rules {
            now_ms: now,
            retention_days: 0,
            any_past: true,
        },
        batch_id: None,
        stored_batch_id: "0198c1d2-0000-7000-8000-00000000000a",
        sent_at: None,
        clock_offset: 0,
        hash_ids: None,
        country: None,
        region: None,
        is_bot: false,
        agent: None,
    };
    let judged = judge(drafts.collect(), &Body::default(), &context, &|| {
        panic!("each line has an id")
    });
    assert!(judged.results.is_empty(), "{:?}", judged.results);
    (judged.lines.len(), judged.lines.text().to_owned())
}
