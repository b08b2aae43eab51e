//! `SIGKILL` of workerd at random moments under load.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::archives::archived_ids;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::lake;
use shoreline_tests::site::Site;
use shoreline_tests::system::{StateDir, System};
use shoreline_tests::{eventually, eventually_is};
use tokio::task::LocalSet;

/// How often workerd is killed.
const KILLS: u32 = 20;

/// Pages that send at once.
const SENDERS: usize = 6;

/// So many kills are of every workerd at once, the others of the one that runs the worker: Wrangler
/// has to be started anew then, which takes some seconds.
const ALL_ONE_IN: u64 = 20;

/// A kill comes within so many milliseconds after the restarted workerd took a batch: long enough for
/// messages to be with the consumer, and objects with the lake (sealed after 5 s here), at some of them.
const WITHIN_MS: u64 = 1_500;

/// How long a sender waits between two batches: what is sent must also be worked off.
const PACE: Duration = Duration::from_millis(20);

/// SplitMix64: the same moments for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// The seed of `SHORELINE_SEED`, or a new one.
fn seed() -> u64 {
    std::env::var("SHORELINE_SEED").map_or_else(
        |_| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
        },
        |seed| seed.parse().unwrap(),
    )
}

/// What senders and the one who kills know of each other.
#[derive(Default)]
struct Load {
    taken: Cell<usize>,
    kills: Cell<u32>,
    /// The last kill after which a batch was sent and taken.
    survived: Cell<u32>,
    stop: Cell<bool>,
}

/// Posts batches until it is told to stop, each again and again until it is taken, as the tracker
/// does. The ids of what was taken.
async fn send(site: Site, name: usize, load: Rc<Load>) -> Vec<String> {
    let mut all = Vec::new();
    while !load.stop.get() {
        let user = format!("u{name}-{}", load.taken.get() % 7);
        let sent = batch(&[view("/", &user), view("/b", &user), feature("f", &user)]);
        eventually("the batch is taken", async || {
            let kills = load.kills.get();
            let answer = site.post().body(sent.to_string()).send().await.ok()?;
            let taken = answer.status() == 202;
            if taken {
                load.survived.set(kills.max(load.survived.get()));
            }
            taken.then_some(())
        })
        .await;
        all.extend(ids(&sent));
        load.taken.set(load.taken.get() + 1);
        tokio::time::sleep(PACE).await;
    }
    all
}

/// Kills workerd again and again while pages send; the ids of what was taken, sorted.
async fn kill_under_load(system: &System, random: &mut Random) -> Vec<String> {
    let load = Rc::new(Load::default());
    let senders: Vec<_> = (0..SENDERS)
        .map(|name| tokio::task::spawn_local(send(system.demo(), name, load.clone())))
        .collect();
    for kill in 0..KILLS {
        eventually("workerd takes batches", async || {
            (load.taken.get() > 0 && load.survived.get() == kill).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(random.below(WITHIN_MS))).await;
        // What is in the queue by now is forgotten; workerd is started again on the same state.
        if random.below(ALL_ONE_IN) == 0 {
            assert!(system.kill_all_workerds(), "no workerd runs");
        } else {
            assert!(system.kill_workerd(), "no workerd runs the worker");
        }
        load.kills.set(kill + 1);
    }
    load.stop.set(true);
    let mut taken = Vec::new();
    for sender in senders {
        taken.extend(sender.await.unwrap());
    }
    taken.sort();
    taken
}

/// A path of the dashboard API, where the system answers.
async fn ask(site: &Site, path: &str) -> Option<Value> {
    let request = shoreline_tests::client()
        .get(format!("{}{path}", site.url))
        .bearer_auth(&site.read_token);
    request.send().await.ok()?.json().await.ok()
}

#[tokio::test]
async fn a_workerd_killed_at_20_random_moments_under_load_loses_and_doubles_nothing() {
    let seed = seed();
    println!("SHORELINE_SEED={seed}");
    let mut random = Random(seed);
    // What was lost three times waits eight times as long; 32 seconds at most from one second on.
    let system = System::start_with(&StateDir::new(), "OUTBOX_RESEND_SECONDS:1");
    let site = system.demo();
    let begun = Instant::now();
    let want = LocalSet::new()
        .run_until(kill_under_load(&system, &mut random))
        .await;
    let events = want.len();
    println!(
        "{KILLS} kills in {:?}, {events} events taken",
        begun.elapsed()
    );
    let begun = Instant::now();

    eventually_is("everything has landed", json!([events, 0, 0]), async || {
        let health = ask(&site, "/health").await.unwrap_or_default();
        let (lake, outbox) = (&health["backlog"]["lake"], &health["backlog"]["outbox"]);
        json!([lake["landedEvents"], lake["pendingEvents"], outbox["parts"]])
    })
    .await;
    println!("all landed {:?} later", begun.elapsed());
    let views = i64::try_from(events / 3 * 2).unwrap();
    assert_eq!(site.live_count("page_view").await, views);
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["total"], events);
    let reconciliation = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(reconciliation["closed"], true, "{reconciliation}");
    for place in ["received", "stored", "landed"] {
        let hours = reconciliation["hours"].as_array().unwrap();
        let sum: u64 = hours.iter().map(|hour| hour[place].as_u64().unwrap()).sum();
        assert_eq!(sum, events as u64, "{place}: {reconciliation}");
    }
    let state = system.stop();
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), want);
    assert_eq!(archived_ids(&state, &want[0]), want);
}
