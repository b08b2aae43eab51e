//! D1 that cannot answer at all, and isolates that have never seen a key: KV knows what it may do.

use std::path::{Path, PathBuf};

use crate::d1::database;
use serde_json::json;
use shoreline_tests::events::{batch, ids, view};
use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{StateDir, System};

/// D1's file out of the way, with garbage in its place.
struct Broken {
    file: PathBuf,
    away: PathBuf,
}

impl Broken {
    /// What runs keeps the file that it has open; what is started from now on finds the garbage.
    fn new(state: &StateDir) -> Self {
        let file = PathBuf::from(database(state).path().unwrap());
        let away = state.path().join("d1-away");
        std::fs::create_dir(&away).unwrap();
        for part in parts(&file) {
            std::fs::rename(&part, away.join(part.file_name().unwrap())).unwrap();
        }
        std::fs::write(&file, "no database ".repeat(1_000)).unwrap();
        Self { file, away }
    }

    fn heal(self) {
        parts(&self.file)
            .iter()
            .for_each(|part| std::fs::remove_file(part).unwrap());
        let kept = parts(&self.away.join(self.file.file_name().unwrap()));
        for part in kept {
            std::fs::rename(&part, self.file.with_file_name(part.file_name().unwrap())).unwrap();
        }
    }
}

/// The files of a SQLite database that are there: its own, its log and the log's index.
fn parts(file: &Path) -> Vec<PathBuf> {
    let part = |end: &str| PathBuf::from(format!("{}{end}", file.display()));
    let parts = ["", "-wal", "-shm"].map(part).into_iter();
    parts.filter(|part| part.exists()).collect()
}

/// Has the worker begin anew, with isolates that know nothing; waits until it answers.
async fn begin_anew(system: &System) {
    assert!(system.kill_workerd());
    eventually("the worker answers", async || {
        let health = shoreline_tests::client()
            .get(system.at("/health"))
            .send()
            .await
            .ok()?;
        health
            .text()
            .await
            .is_ok_and(|text| text.contains("\"status\""))
            .then_some(())
    })
    .await;
}

/// What a service, Plausible's script and a reader of the site are answered.
async fn statuses(site: &Site) -> [u16; 3] {
    let command = json!({"eventType": "a.b", "source": "s", "payload": {}});
    let hit = json!({"n": "pageview", "u": format!("https://{}/", site.domain), "d": site.domain});
    let plausible = shoreline_tests::client()
        .post(format!("{}/api/event", site.url))
        .header("origin", &site.origin)
        .header("user-agent", "Mozilla/5.0 (test)")
        .body(hit.to_string());
    [
        reply(site.ingest().body(command.to_string())).await.status,
        plausible.send().await.unwrap().status().as_u16(),
        site.read("/v1/analytics/live").await.status,
    ]
}

#[tokio::test]
async fn pages_get_their_202_from_a_fresh_isolate_while_d1_cannot_answer_at_all() {
    let system = System::start(&StateDir::new());
    // One site is the admin API's; the other was written to D1 alone, and the cron has brought it to KV.
    let (made, seeded) = (system.new_site().await, system.demo());
    let lists = || {
        let sites = shoreline_tests::client().get(system.at("/v1/sites"));
        reply(sites.bearer_auth(&system.keys().admin_token))
    };
    assert_eq!(lists().await.status, 200);

    made.send_ok(&batch(&[view("/", "before")])).await;
    made.settle().await;
    let asks = || {
        let query = shoreline_tests::client().post(system.at("/v1/analytics/query"));
        let body = json!({"metrics": ["users", "views"], "range": "30d"});
        reply(query.bearer_auth(&made.read_token).json(&body))
    };
    assert_eq!(asks().await.body["meta"]["source"], "read_models");

    let broken = Broken::new(system.state());
    begin_anew(&system).await;
    assert_eq!(lists().await.status, 503, "D1 answers all the same");
    // What the read models would say, a scan says.
    let answer = asks().await.body;
    assert_eq!(answer["meta"]["source"], "scan", "{answer}");
    assert_eq!(answer["totals"], json!([1, 1]));
    let mut sent = Vec::new();
    for site in [&made, &seeded] {
        let batch = batch(&[view("/", "u"), view("/b", "v")]);
        assert_eq!(site.send_ok(&batch).await["accepted"], 2);
        assert_eq!(statuses(site).await, [202, 202, 200]);
        assert!(site.live_count("page_view").await >= 2, "it is committed");
        sent.push(ids(&batch));
    }
    // What neither memory nor KV knows may be a good key all the same.
    let unknown = Site {
        browser_key: format!("slb_{}_{}", made.id, "a".repeat(26)),
        ..made.clone()
    };
    assert_eq!(unknown.send(&batch(&[view("/", "u")])).await.status, 503);

    broken.heal();
    begin_anew(&system).await;
    for (site, sent) in [&made, &seeded].into_iter().zip(sent) {
        site.settle().await;
        let stored = site.stored_ids().await;
        assert!(sent.iter().all(|id| stored.contains(id)), "{stored:?}");
    }
    assert_eq!(unknown.send(&batch(&[view("/", "u")])).await.status, 401);
}
