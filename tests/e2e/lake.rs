//! The conditional put, on the real bucket: what lies under a key is never written over.

use rusqlite::{Connection, params};
use shoreline_tests::events::{batch, ids, view};
use shoreline_tests::eventually;
use shoreline_tests::lake;
use shoreline_tests::system::{QUIET, StateDir, System};

/// The database of the site's archive, while nothing runs.
fn lake_database(state: &StateDir) -> Connection {
    let files = state.databases("do/shoreline-ArchiveDo");
    let mut databases = files.iter().map(|path| Connection::open(path).unwrap());
    let landed = |database: &Connection| {
        database
            .query_row("SELECT landed_objects FROM shard", [], |row| {
                row.get::<_, i64>(0)
            })
            .is_ok_and(|landed| landed > 0)
    };
    databases.find(landed).expect("an object has landed")
}

/// Lands a batch, stops, and puts the object's row back as it was between its put and the note
/// that it is done, with `hash` for its content hash.
async fn unsettle(hash: impl Fn(&[u8]) -> String) -> (StateDir, Vec<String>) {
    let system = System::start_with(&StateDir::new(), QUIET);
    let sent = batch(&[view("/a", "u"), view("/b", "u")]);
    system.demo().send_ok(&sent).await;
    system.demo().settle().await;
    let state = system.stop();
    let objects = lake::pull_raw(state.path());
    let (key, packed) = objects.iter().next().unwrap();
    let database = lake_database(&state);
    database
        .execute(
            "INSERT INTO objects (sequence, key, hash, hour, first_seq, last_seq, n, bytes, due_at) \
             SELECT 1, ?1, ?2, hour, min(seq), max(seq), sum(n), sum(bytes), 0 FROM segments \
             GROUP BY hour",
            params![key, hash(packed)],
        )
        .unwrap();
    // Counted anew at the start.
    database.execute("DELETE FROM backlog", []).unwrap();
    (state, ids(&sent))
}

fn sha256(bytes: &[u8]) -> String {
    shoreline_worker::base::hash::sha256_hex(bytes)
}

#[tokio::test]
async fn a_put_that_landed_before_the_power_cut_is_known_again_and_not_doubled() {
    let (state, sent) = unsettle(sha256).await;
    let system = System::start_with(&state, QUIET);
    let site = system.demo();
    eventually("the put is known to be done", async || {
        let lake = site.get("/health").await["backlog"]["lake"].clone();
        assert_eq!(lake["conflicts"], 0, "{lake}");
        (lake["landedObjects"] == 2 && lake["pendingObjects"] == 0).then_some(())
    })
    .await;
    assert_eq!(lake::ids_of(&lake::pull(state.path()), "demo"), sent);
    assert_eq!(lake::pull(state.path()).len(), 1);
}

#[tokio::test]
async fn what_somebody_else_put_under_our_key_is_not_written_over_and_nothing_is_lost() {
    let (state, sent) = unsettle(|_| sha256(b"something else")).await;
    let before = lake::pull_raw(state.path());
    let system = System::start_with(&state, QUIET);
    let site = system.demo();
    eventually("the conflict is seen", async || {
        let health = site.get("/health").await;
        let conflict = health["backlog"]["lake"]["conflicts"] == 1;
        (conflict && health["services"]["archive_do"]["status"] == "degraded").then_some(())
    })
    .await;
    assert_eq!(
        site.get("/health").await["backlog"]["lake"]["pendingEvents"],
        2
    );
    // It stands in nobody's way.
    let next = batch(&[view("/next", "u")]);
    site.send_ok(&next).await;
    eventually("the next object lands", async || {
        let health = site.get("/health").await;
        (health["backlog"]["lake"]["landedEvents"] == 3).then_some(())
    })
    .await;
    let after = lake::pull_raw(state.path());
    assert_eq!(after.len(), 2);
    for (key, bytes) in &before {
        assert_eq!(after.get(key), Some(bytes));
    }
    assert_eq!(
        lake::ids_of(&lake::pull(state.path()), "demo").len(),
        sent.len() + 1
    );
}
