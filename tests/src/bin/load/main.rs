//! The load of `npm run bench`: batches over kept connections, and what they took.
//!
//! - `load URL KEY ORIGIN PID SECONDS`: a table of runs, where PID is workerd's, whose memory is told too.
//! - `load URL KEY ORIGIN lake SECONDS`: one run of full batches; answers how many events were taken, in how many
//!   seconds.
//! - `load URL KEY ORIGIN once PATH CONNECTIONS SECONDS EVENTS [BATCHES RATE]`: one run as a line of JSON, where
//!   PATH is `empty`, `validate` or `full`; no more than BATCHES, no more than RATE a second.
//!
//! A client of our own, on one thread, because it shares two cores with what it measures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use std::time::{Duration, Instant};

use client::{Pace, Run, Target};
use request::Path;

mod client;
mod request;

/// Events in a batch: what the tracker seals.
const EVENTS: usize = 25;

/// Connections at once, one run each.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Connections of the run for the lake: as many as take the most.
const LAKE_CONNECTIONS: usize = 64;

/// Load before each run, not counted.
const WARM_UP: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [url, key, origin, what, rest @ ..] = arguments.as_slice() else {
        panic!(
            "usage: load URL KEY ORIGIN PID|lake SECONDS, or once PATH CONNECTIONS SECONDS EVENTS [BATCHES RATE]"
        );
    };
    let target = |path, events| Target::new(url, key, origin, path, events);
    let seconds = |text: &str| Duration::from_secs_f64(text.parse().unwrap());
    match (*what, rest) {
        ("once", [path, connections, time, events, pace @ ..]) => {
            let pace = match pace {
                [batches, rate] => Pace {
                    batches: batches.parse().unwrap(),
                    rate: rate.parse().unwrap(),
                },
                _ => Pace::default(),
            };
            let target = target(Path::parse(path), events.parse().unwrap());
            let run = target
                .load_with(connections.parse().unwrap(), seconds(time), pace)
                .await;
            println!("{}", run.json());
        }
        ("lake", [time]) => {
            let start = Instant::now();
            let run = target(Path::Full, EVENTS)
                .load(LAKE_CONNECTIONS, seconds(time))
                .await;
            println!(
                "{} {}",
                run.batches() * EVENTS,
                start.elapsed().as_secs_f64()
            );
        }
        (pid, [time]) => table(target, pid, seconds(time)).await,
        _ => panic!("not a load: {what} {rest:?}"),
    }
}

async fn table(target: impl Fn(Path, usize) -> Target, pid: &str, time: Duration) {
    println!("{EVENTS} events a batch");
    println!("| path | connections | batches/s | p50 ms | p99 ms | workerd MB |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, path) in [
        ("validate + sanitize", Path::Validate),
        ("full (202)", Path::Full),
    ] {
        for connections in CONNECTIONS {
            let target = target(path, EVENTS);
            target.load(connections, WARM_UP).await;
            let run = target.load(connections, time).await;
            let Run { rate, p50, p99, .. } = run;
            let memory = memory_mb(pid);
            println!("| {name} | {connections} | {rate:.0} | {p50:.2} | {p99:.2} | {memory} |");
        }
    }
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
