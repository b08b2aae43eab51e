//! The load of `npm run bench`: batches of 25 events over kept connections, and what they took.
//!
//! `load URL KEY ORIGIN PID SECONDS`, where PID is workerd's, whose memory is told too. A client of
//! our own, because it shares two cores with what it measures. With `lake` in the place of PID: one run
//! of full batches of many visitors; its answer is how many were taken and in how many seconds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shoreline_shared::id::uuid_v7;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Events in a batch: what the tracker seals.
const EVENTS: usize = 25;

/// Connections at once, one run each.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Connections of the run for the lake: as many as take the most.
const LAKE_CONNECTIONS: usize = 64;

/// Visitors, each with a batch now and then.
const VISITORS: u64 = 2_000;

/// Load before each run, not counted.
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Target {
    address: String,
    path: String,
    origin: String,
    ok: &'static str,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, origin, pid, seconds] = arguments.as_slice() else {
        panic!("usage: load URL KEY ORIGIN PID SECONDS");
    };
    let target = |query: &str, ok| Target {
        address: url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned(),
        path: format!("/v1/events?key={key}{query}"),
        origin: origin.clone(),
        ok,
    };
    let seconds = Duration::from_secs(seconds.parse().unwrap());
    if pid == "lake" {
        let start = Instant::now();
        let taken = run(&target("", "202"), LAKE_CONNECTIONS, seconds)
            .await
            .len()
            * EVENTS;
        println!("{taken} {}", start.elapsed().as_secs_f64());
        return;
    }
    println!("{EVENTS} events a batch, {} bytes", body().len());
    println!("| path | connections | batches/s | p50 ms | p99 ms | workerd MB |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, target) in [
        ("validate + sanitize", target("&dryRun=1", "200")),
        ("full (202)", target("", "202")),
    ] {
        for connections in CONNECTIONS {
            run(&target, connections, WARM_UP).await;
            let start = Instant::now();
            let mut times = run(&target, connections, seconds).await;
            let rate = times.len() as f64 / start.elapsed().as_secs_f64();
            times.sort();
            let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
            println!(
                "| {name} | {connections} | {rate:.0} | {:.2} | {:.2} | {} |",
                at(0.5),
                at(0.99),
                memory_mb(pid)
            );
        }
    }
}

/// What each batch took, over all connections.
async fn run(target: &Target, connections: usize, time: Duration) -> Vec<Duration> {
    let end = Instant::now() + time;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let target = target.clone();
        tasks.spawn(async move {
            let mut stream = BufReader::new(TcpStream::connect(&target.address).await.unwrap());
            let mut times = Vec::new();
            while Instant::now() < end {
                let request = request(&target);
                let start = Instant::now();
                stream.write_all(request.as_bytes()).await.unwrap();
                let status = read_answer(&mut stream).await;
                times.push(start.elapsed());
                assert_eq!(status, target.ok, "the load was refused");
            }
            times
        });
    }
    tasks.join_all().await.concat()
}

fn body() -> String {
    let visitor = random() % VISITORS;
    let events = (0..EVENTS).map(|n| event(n, visitor));
    let batch = json!({"batchId": uuid(), "events": events.collect::<Vec<_>>()});
    batch.to_string()
}

/// A random number of the operating system's seed: ids that are alike would pack better than real ones.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// An id as the tracker makes it.
fn uuid() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let random = [random().to_be_bytes(), random().to_be_bytes()].concat();
    let now = i64::try_from(now.as_millis()).unwrap();
    uuid_v7(now, random[..10].try_into().unwrap())
}

/// An id of a visitor or session, always the same one.
fn id_of(kind: &str, visitor: u64) -> String {
    let digits = format!("{kind}{visitor}");
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(digits);
    let random = [hash.to_be_bytes(), hash.rotate_left(17).to_be_bytes()].concat();
    uuid_v7(1_767_225_600_000, random[..10].try_into().unwrap())
}

fn event(n: usize, visitor: u64) -> Value {
    json!({
        "eventId": uuid(),
        "eventType": if n.is_multiple_of(3) { "feature_use" } else { "page_view" },
        "userId": id_of("user", visitor),
        "sessionId": id_of("session", visitor),
        "eventData": {
            "feature": "export",
            "url": format!("https://shop.example/catalog/{}?utm_source=news", n % 7),
            "title": "Catalog of the shop",
            "referrer": "https://search.example/",
        },
        "metadata": {"platform": "web"},
    })
}

fn request(target: &Target) -> String {
    let body = body();
    format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\norigin: {}\r\nuser-agent: Mozilla/5.0 (load)\r\n\
         cf-connecting-ip: 192.0.2.7\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        target.path,
        target.origin,
        body.len()
    )
}

/// Reads an answer to its end; its status.
async fn read_answer(stream: &mut BufReader<TcpStream>) -> String {
    let mut status = String::new();
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let lower = line.trim_end().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(rest) = lower.strip_prefix("http/1.1 ") {
            rest.chars().take(3).for_each(|c| status.push(c));
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    status
}

fn memory_mb(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}
