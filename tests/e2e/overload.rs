//! More than the system can take: it says so, loses nothing that it took, and is well again in seconds.

mod backlog;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::lake;
use shoreline_tests::site::Site;
use shoreline_tests::system::{QUIET, StateDir, System, shared};
use shoreline_tests::{eventually, eventually_is};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long the system is measured.
const MEASURED: Duration = Duration::from_secs(1);

/// Pages that send one batch after the other then.
const SENDERS: usize = 4;

/// So many times as much is sent then.
const TIMES: usize = 10;

/// How soon after the flood a page is taken again.
const WELL_WITHIN: Duration = Duration::from_secs(10);

fn some() -> Value {
    batch(&[view("/", "u1"), view("/b", "u2"), feature("f", "u1")])
}

/// Sends a batch; its ids if it was taken, and the status.
async fn send(site: Site) -> (u16, Vec<String>) {
    send_as(site, "Mozilla/5.0 (test)").await
}

async fn send_as(site: Site, visitor: &str) -> (u16, Vec<String>) {
    let sent = some();
    let url = format!("{}/v1/events?key={}", site.url, site.browser_key);
    let request = shoreline_tests::client().post(url);
    let request = request
        .header("origin", &site.origin)
        .header("user-agent", visitor);
    let answer = request.body(sent.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    assert!(matches!(status, 202 | 429 | 503), "{status}");
    let waits = answer.headers().get("retry-after");
    let seconds = waits.and_then(|text| text.to_str().ok()?.parse::<u32>().ok());
    assert!(status == 202 || seconds >= Some(1), "{status}: {waits:?}");
    answer.bytes().await.unwrap();
    let taken = if status == 202 {
        ids(&sent)
    } else {
        Vec::new()
    };
    (status, taken)
}

/// What was taken of a flood, and how often each status came.
#[derive(Default)]
struct Flood {
    taken: Vec<String>,
    statuses: BTreeMap<u16, usize>,
}

impl Flood {
    fn add(&mut self, (status, taken): (u16, Vec<String>)) {
        *self.statuses.entry(status).or_default() += 1;
        self.taken.extend(taken);
    }
}

/// As much as pages get rid of that wait for each answer.
async fn measured(site: &Site) -> Flood {
    let until = Instant::now() + MEASURED;
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let site = site.clone();
        senders.spawn(async move {
            let mut flood = Flood::default();
            while Instant::now() < until {
                flood.add(send(site.clone()).await);
            }
            flood
        });
    }
    let mut all = Flood::default();
    for one in senders.join_all().await {
        all.taken.extend(one.taken);
        for (status, n) in one.statuses {
            *all.statuses.entry(status).or_default() += n;
        }
    }
    all
}

/// Until a page of this visitor is taken.
async fn well_again(site: &Site, visitor: &str) -> (Duration, Vec<String>) {
    let begun = Instant::now();
    let taken = eventually("a page is taken again", async || {
        let (status, taken) = send_as(site.clone(), visitor).await;
        (status == 202).then_some(taken)
    })
    .await;
    (begun.elapsed(), taken)
}

#[tokio::test]
async fn ten_times_what_it_can_take_is_told_to_wait_and_nothing_that_was_taken_is_lost() {
    let settings = format!("{QUIET} OUTBOX_RESEND_SECONDS:1 LAKE_SEAL_SECONDS:1");
    let system = System::start_strict(&StateDir::new(), &settings);
    let site = system.demo();
    let mut all = measured(&site).await;
    let a_second = all.statuses[&202];
    assert_eq!(
        all.statuses.len(),
        1,
        "a measure, no flood: {:?}",
        all.statuses
    );

    // All at once. The platform refuses calls of an object that has too many, which is what the fault stands for: until
    // the first sender has heard of it.
    let overloaded = json!({"SITE_DO": {"mode": "fail", "only": "commit"}});
    system.faults(&overloaded).await;
    let begun = Instant::now();
    let mut flood = JoinSet::new();
    for _ in 0..TIMES * a_second {
        flood.spawn(send(site.clone()));
    }
    all.add(flood.join_next().await.unwrap().unwrap());
    system.faults(&json!({})).await;
    while let Some(answer) = flood.join_next().await {
        all.add(answer.unwrap());
    }
    let (well, taken) = well_again(&site, "Mozilla/5.0 (test)").await;
    println!(
        "{a_second} batches a second, then {} at once, answered in {:?}: {:?}; well {well:?} later",
        TIMES * a_second,
        begun.elapsed(),
        all.statuses
    );
    assert!(well < WELL_WITHIN, "{well:?}");
    assert!(all.statuses.contains_key(&503), "{:?}", all.statuses);
    all.taken.extend(taken);

    // A visitor with ten times its limit, and another one. (The first may have to wait for the end of the minute.)
    let limited = system.new_site_with(&json!({"visitorPerMinute": 60})).await;
    let mut of_visitor = JoinSet::new();
    for _ in 0..400 {
        of_visitor.spawn(send(limited.clone()));
    }
    let mut own = Flood::default();
    for answer in of_visitor.join_all().await {
        own.add(answer);
    }
    let (well, taken) = well_again(&limited, "Mozilla/5.0 (another)").await;
    println!(
        "a visitor of 60 a minute: {:?}; another is taken {well:?} later",
        own.statuses
    );
    assert!(
        well < WELL_WITHIN && own.statuses[&429] > 200,
        "{:?}",
        own.statuses
    );
    own.taken.extend(taken);

    for (site, flood) in [(&site, &mut all), (&limited, &mut own)] {
        flood.taken.sort();
        let events = flood.taken.len();
        eventually_is("all has landed", json!([events, 0]), async || {
            let lake = site.read("/health").await.body["backlog"]["lake"].clone();
            json!([lake["landedEvents"], lake["pendingEvents"]])
        })
        .await;
        let reconciliation = site.get("/v1/analytics/reconciliation").await;
        assert_eq!(reconciliation["closed"], true, "{reconciliation}");
    }
    assert_eq!(system.counted().await["refused"], json!({}));
    let state = system.stop();
    let objects = lake::pull(state.path());
    assert_eq!(lake::ids_of(&objects, &site.id), all.taken);
    assert_eq!(lake::ids_of(&objects, &limited.id), own.taken);
}

/// Connections that say nothing, or not all.
const IDLE: usize = 1_000;

#[tokio::test]
async fn a_thousand_idle_connections_hold_up_nobody() {
    let site = shared().new_site().await;
    let address = site.url.strip_prefix("http://").unwrap();
    let path = format!("/v1/events?key={}", site.browser_key);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\norigin: {}\r\n",
        site.origin
    );
    let begun = [
        String::new(),
        head.clone(),
        format!("{head}content-length: 1000\r\n\r\n{{\"events\":["),
    ];
    let mut idle = Vec::new();
    for text in begun.iter().cycle().take(IDLE) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(send(site.clone()).await.0, 202);
        slowest = slowest.max(begun.elapsed());
    }
    println!("{IDLE} idle connections, slowest answer {slowest:?}");
    drop(idle);
    assert_eq!(send(site.clone()).await.0, 202);
    site.settle().await;
    assert_eq!(site.stored().await.len(), 21 * 3, "only what came whole");
}
