//! What cannot be stored is kept, told and replayed; what may pass never ends among it.

use rusqlite::{Connection, TransactionBehavior};
use serde_json::{Value, json};
use shoreline_tests::aws::S3Server;
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::lake;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::webhook::Webhook;
use shoreline_tests::{PATIENCE, eventually, within};

use crate::archives;
use crate::sinks;

async fn dead_letters(site: &Site, query: &str) -> Vec<Value> {
    let url = format!("{}/v1/dead-letters{query}", site.url);
    let answer = reply(
        shoreline_tests::client()
            .get(url)
            .bearer_auth(&site.admin_token),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["deadLetters"].as_array().unwrap().clone()
}

async fn replay(site: &Site, selection: &Value) -> Value {
    let url = format!("{}/v1/dead-letters/replay", site.url);
    let call = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.admin_token);
    let answer = reply(call.json(selection)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

async fn listed(site: &Site, n: usize) -> Vec<Value> {
    eventually("the dead letters are listed", async || {
        let found = dead_letters(site, "").await;
        (found.len() == n).then_some(found)
    })
    .await
}

#[tokio::test]
async fn a_row_that_the_archive_refuses_is_kept_told_and_replayed() {
    let webhook = Webhook::start().await;
    let settings = format!("ALERT_WEBHOOK_URL:{}", webhook.url);
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    let poison = batch(&[view("/poison", "u"), feature("f", "u")]);
    let id = poison["events"][0]["eventId"].as_str().unwrap();
    let good = batch(&[view("/good", "u")]);
    site.send_ok(&good).await;
    site.settle().await;
    archives::poison(&site.state, id, Some("constraint: poison"));
    site.send_ok(&poison).await;
    let found = listed(&site, 1).await;
    assert_eq!(found[0]["siteId"], "demo");
    assert_eq!(found[0]["code"], "not_stored");
    assert_eq!(found[0]["events"], 2);
    assert!(found[0]["detail"].as_str().unwrap().contains("poison"));
    // Nothing waits for it, and what came with it in one message is not held up by it.
    site.settle().await;
    assert_eq!(site.stored_ids().await, ids(&good));
    let told = eventually("the webhook is told", async || webhook.posts().pop()).await;
    assert_eq!(told["kind"], "dead_letters");
    assert_eq!(told["code"], "not_stored");
    let traces = webhook.traces();
    assert!(
        matches!(traces.as_slice(), [Some(trace)] if trace.len() == 55),
        "{traces:?}"
    );

    // A replay that fails again stays listed, and tells nobody again so soon.
    let part = found[0]["partId"].clone();
    assert_eq!(
        replay(&site, &json!({"partIds": [part]})).await["replayed"],
        1
    );
    eventually("it has failed again", async || {
        (dead_letters(&site, "?code=not_stored").await[0]["tries"] == 2).then_some(())
    })
    .await;
    assert_eq!(webhook.posts().len(), 1);

    archives::poison(&site.state, id, None);
    // Twice: the second changes nothing.
    replay(&site, &json!({"all": true})).await;
    replay(&site, &json!({"all": true})).await;
    listed(&site, 0).await;
    assert_eq!(replay(&site, &json!({"all": true})).await["replayed"], 0);
    site.settle().await;
    let mut want = [ids(&poison), ids(&good)].concat();
    want.sort();
    let mut stored = site.stored_ids().await;
    stored.sort();
    assert_eq!(stored, want);
    assert_eq!(site.get("/v1/analytics/metrics/summary").await["total"], 3);
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), "demo"), want);
}

#[tokio::test]
async fn a_part_that_nobody_can_read_holds_up_no_other() {
    let system = System::start(&StateDir::new());
    let broken = batch(&[view("/broken", "u")]);
    system.demo().send_ok(&broken).await;
    let state = system.power_cut();
    let logs = state.databases("do/shoreline-SiteDo");
    let changed: usize = logs
        .iter()
        .filter_map(|path| {
            let log = Connection::open(path).unwrap();
            // Shoreline's own events have a log, too.
            let break_lines = "UPDATE log SET lines = zeroblob(length(lines)) \
                 WHERE instr(lines, CAST('/broken' AS BLOB))";
            log.execute(break_lines, []).ok()
        })
        .sum();
    assert_eq!(changed, 1, "the cut came after the confirmation");
    let system = System::start(&state);
    let site = system.demo();
    let good = batch(&[view("/good", "u")]);
    site.send_ok(&good).await;
    let found = listed(&site, 1).await;
    assert_eq!(found[0]["code"], "unreadable");
    site.settle().await;
    assert_eq!(site.stored_ids().await, ids(&good));
    // Who may not see it: a read token, and nobody.
    for token in [site.read_token.as_str(), "x"] {
        let url = format!("{}/v1/dead-letters", site.url);
        let answer = reply(shoreline_tests::client().get(url).bearer_auth(token)).await;
        assert_eq!(answer.status, 401);
    }
}

#[tokio::test]
async fn an_archive_that_is_down_for_long_makes_no_dead_letters() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let before = batch(&[view("/before", "u")]);
    site.send_ok(&before).await;
    site.settle().await;
    let mut files = archives::open(&site.state);
    let locks: Vec<_> = files
        .iter_mut()
        .map(|archive| archive.transaction_with_behavior(TransactionBehavior::Immediate))
        .map(Result::unwrap)
        .collect();
    let during = batch(&[view("/during", "u")]);
    site.send_ok(&during).await;
    // Longer than the queue tries: the message has been to the dead letters' queue. Each try waits for the lock, and five
    // seconds after it: half a minute in all, and more on a busy machine.
    within(3 * PATIENCE, "the last try has failed", async || {
        let log = std::fs::read_to_string(site.state.path().join("shoreline/wrangler.log"));
        let failed = log.unwrap().contains("\"at\":\"dead_letter_queue\"");
        failed.then_some(())
    })
    .await;
    for lock in locks {
        lock.rollback().unwrap();
    }
    site.settle().await;
    assert_eq!(site.stored().await.len(), 2);
    assert!(dead_letters(&site, "").await.is_empty());
}

#[tokio::test]
async fn what_a_sink_refuses_is_told_kept_and_lands_once_when_it_is_replayed() {
    let server = S3Server::start().await;
    let webhook = Webhook::start().await;
    let with = |secret| {
        let sinks = sinks::settings("r2,s3", &server.url, secret);
        format!("{sinks} SINK_TRIES:1 ALERT_WEBHOOK_URL:{}", webhook.url)
    };
    let system = System::start_with(&StateDir::new(), &with("wrong"));
    let site = system.demo();
    let refused = batch(&[view("/a", "u"), view("/b", "u")]);
    site.send_ok(&refused).await;
    let found = listed(&site, 1).await;
    assert_eq!(found[0]["code"], "sink_refused");
    assert_eq!(found[0]["detail"], "SignatureDoesNotMatch");
    assert_eq!(found[0]["events"], 2);
    let key = found[0]["objectKey"].as_str().unwrap();
    assert_eq!(found[0]["partId"], format!("s3:{key}"));
    sinks::landed(&site, "r2", 2).await;
    let state = sinks::sink(&site, "s3").await;
    assert_eq!(
        (&state["deadObjects"], &state["failures"]),
        (&json!(1), &json!(1))
    );
    let health = site.get("/health").await;
    assert_eq!(health["services"]["archive_do"]["status"], "degraded");
    let sums = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(sums["closed"], true, "{sums}");
    eventually("somebody is told", async || {
        let told = webhook.posts();
        told.iter()
            .any(|alert| alert["kind"] == "dead_letters" && alert["code"] == "sink_refused")
            .then_some(())
    })
    .await;
    let state = system.stop();

    // Mended, the sink gets what is new; what is a dead letter waits for somebody.
    let system = System::start_with(&state, &with(S3Server::SECRET));
    let site = system.demo();
    let new = batch(&[view("/c", "u")]);
    site.send_ok(&new).await;
    sinks::landed(&site, "s3", 1).await;
    assert_eq!(sinks::ids_in(&server), ids(&new));
    assert_eq!(dead_letters(&site, "?code=sink_refused").await.len(), 1);
    let answer = replay(&site, &json!({"code": "sink_refused"})).await;
    assert_eq!(
        (&answer["replayed"], &answer["missing"]),
        (&json!(1), &json!(0))
    );
    site.settle().await;
    let mut all = [ids(&refused), ids(&new)].concat();
    all.sort();
    assert_eq!(sinks::ids_in(&server), all);
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), "demo"), all);
    assert!(dead_letters(&site, "").await.is_empty());
    assert_eq!(replay(&site, &json!({"all": true})).await["replayed"], 0);
    let state = sinks::sink(&site, "s3").await;
    assert_eq!(
        (&state["deadObjects"], &state["landedEvents"]),
        (&json!(0), &json!(3))
    );
}

/// Batches that come at once, and so are rows of one message.
const AT_ONCE: usize = 6;

#[tokio::test]
async fn the_dead_letters_consumer_stops_while_d1_is_away() {
    let settings = format!("{QUIET} OUTBOX_RESEND_SECONDS:1");
    let system = System::start_strict(&StateDir::new(), &settings);
    let site = system.demo();
    site.send_ok(&batch(&[view("/before", "u")])).await;
    site.settle().await;
    for archive in archives::open(&site.state) {
        for table in ["ids_0", "ids_1"] {
            let poison = format!(
                "CREATE TRIGGER poison_{table} BEFORE INSERT ON {table} \
                 BEGIN SELECT RAISE(ABORT, 'constraint: poison'); END"
            );
            archive.execute_batch(&poison).unwrap();
        }
    }
    system.forget_counts().await;
    system.faults(&json!({"DB": {"mode": "fail"}})).await;
    let mut sent = tokio::task::JoinSet::new();
    for n in 0..AT_ONCE {
        let (site, path) = (site.clone(), format!("/{n}"));
        sent.spawn(async move { site.send(&batch(&[view(&path, "u")])).await.status });
    }
    assert_eq!(sent.join_all().await, [202; AT_ONCE]);
    let of = async |what: &str| {
        let kinds = system.counted().await["kinds"].clone();
        kinds["queue shoreline-dead-letters"][what]
            .as_i64()
            .unwrap_or(0)
    };
    within(
        3 * PATIENCE,
        "a message of several rows is looked at",
        async || (of("most_r2Writes").await > 1).then_some(()),
    )
    .await;
    // Each row that is looked at is put into the bucket, and then D1 cannot list it: after the second no more are.
    assert_eq!(of("most_r2Writes").await, 2);
    assert_eq!(of("most_d1Queries").await, 2);

    // All of them are still in the log, and are dead letters once D1 is back.
    system.faults(&json!({})).await;
    let found = within(3 * PATIENCE, "all are listed", async || {
        let found = dead_letters(&site, "").await;
        (found.len() == AT_ONCE).then_some(found)
    })
    .await;
    assert!(found.iter().all(|letter| letter["code"] == "not_stored"));
}
