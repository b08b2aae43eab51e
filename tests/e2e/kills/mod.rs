//! `SIGKILL` of workerd at random moments under load, with a scan, a fold, a seal and an import under way.

mod work;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::archives::archived_ids;
use crate::d1::database;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::lake;
use shoreline_tests::site::Site;
use shoreline_tests::system::{StateDir, System};
use shoreline_tests::{eventually, eventually_is};
use tokio::task::LocalSet;

use work::{Hit, Work};

/// How often workerd is killed, where `KILLS` does not say (`npm run kills`: 50).
const KILLS: u32 = 20;

/// Pages that send at once.
const SENDERS: usize = 6;

/// So many kills are of every workerd at once, the others of the one that runs the worker: Wrangler
/// has to be started anew then, which takes some seconds.
const ALL_ONE_IN: u64 = 20;

/// A kill comes within so many milliseconds after the restarted workerd took a batch: long enough for
/// messages to be with the consumer, and objects with the lake (sealed after a second here), at some of them.
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

/// What was taken, and what the kills met.
struct Survived {
    /// The ids of what was sent and of what was imported.
    sent: Vec<String>,
    imported: Vec<String>,
    hit: Hit,
}

/// Kills workerd again and again while pages send, and an import, scans and folds go on.
async fn kill_under_load(system: &System, random: &mut Random, kills: u32) -> Survived {
    let load = Rc::new(Load::default());
    let background = Rc::new(Work::default());
    let senders: Vec<_> = (0..SENDERS)
        .map(|name| tokio::task::spawn_local(send(system.demo(), name, load.clone())))
        .collect();
    let workers = [
        tokio::task::spawn_local(work::import(system.demo(), background.clone())),
        tokio::task::spawn_local(work::scan(system.demo(), background.clone())),
        tokio::task::spawn_local(work::fold(system.demo(), background.clone())),
    ];
    let mut hit = Hit::default();
    for kill in 0..kills {
        eventually("workerd takes batches", async || {
            (load.taken.get() > 0 && load.survived.get() == kill).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(random.below(WITHIN_MS))).await;
        hit.note(&background);
        // What is in the queue by now is forgotten; workerd is started again on the same state.
        if random.below(ALL_ONE_IN) == 0 {
            assert!(system.kill_all_workerds(), "no workerd runs");
        } else {
            assert!(system.kill_workerd(), "no workerd runs the worker");
        }
        load.kills.set(kill + 1);
    }
    load.stop.set(true);
    background.stop.set(true);
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    for worker in workers {
        worker.await.unwrap();
    }
    println!(
        "{} imports, {} scans, {} folds asked for; kills amid them: {hit:?}",
        background.imports.get(),
        background.scans.get(),
        background.folds.get()
    );
    sent.sort();
    Survived {
        sent,
        imported: background.imported.take(),
        hit,
    }
}

/// A path of the dashboard API, where the system answers.
async fn ask(site: &Site, path: &str) -> Option<Value> {
    let request = shoreline_tests::client()
        .get(format!("{}{path}", site.url))
        .bearer_auth(&site.read_token);
    request.send().await.ok()?.json().await.ok()
}

#[tokio::test]
async fn a_workerd_killed_at_random_moments_under_load_loses_and_doubles_nothing() {
    let seed = seed();
    let kills = std::env::var("KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    println!("SHORELINE_SEED={seed}");
    let mut random = Random(seed);
    // What was lost three times waits eight times as long; 32 seconds at most from one second on.
    let settings = "OUTBOX_RESEND_SECONDS:1 LAKE_SEAL_SECONDS:1";
    let system = System::start_with(&StateDir::new(), settings);
    let site = system.demo();
    let begun = Instant::now();
    let survived = LocalSet::new()
        .run_until(kill_under_load(&system, &mut random, kills))
        .await;
    let (sent, imported) = (survived.sent.len(), survived.imported.len());
    println!(
        "{kills} kills in {:?}, {sent} events taken and {imported} imported",
        begun.elapsed()
    );
    let hit = &survived.hit;
    assert!(hit.import > 0 && hit.scan > 0 && hit.fold > 0, "{hit:?}");
    let mut want = [survived.sent, survived.imported].concat();
    want.sort();
    let events = want.len();
    let begun = Instant::now();

    eventually_is("everything has landed", json!([events, 0, 0]), async || {
        let health = ask(&site, "/health").await.unwrap_or_default();
        let (lake, outbox) = (&health["backlog"]["lake"], &health["backlog"]["outbox"]);
        json!([lake["landedEvents"], lake["pendingEvents"], outbox["parts"]])
    })
    .await;
    println!("all landed {:?} later", begun.elapsed());
    let views = i64::try_from(sent / 3 * 2).unwrap();
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
    let folds = "SELECT SUM(fold) FROM archives WHERE site_id = 'demo'";
    let folds = database(system.state()).query_row(folds, [], |row| row.get::<_, i64>(0));
    let state = system.stop();
    let lake = lake::pull(state.path());
    let objects = lake.keys().filter(|key| key.contains("/demo-")).count();
    println!(
        "{} folds in D1, {objects} objects in the lake",
        folds.as_ref().unwrap()
    );
    assert!(folds.unwrap() > 1 && objects > 1);
    let landed = lake::ids_of(&lake, "demo");
    let archived = archived_ids(&state, &want[0]);
    for (place, found) in [("the lake", &landed), ("the archive", &archived)] {
        let set: BTreeSet<&String> = found.iter().collect();
        let lost = want.iter().filter(|id| !set.contains(id)).count();
        println!(
            "{place}: {lost} ids lost, {} doubled",
            found.len() - set.len()
        );
    }
    assert_eq!(landed, want);
    assert_eq!(archived, want);
}
