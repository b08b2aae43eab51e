//! A site of several archives: under kills, when the setting changes, and when it gets another number.

use rusqlite::TransactionBehavior;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, ids, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::{eventually, eventually_is, lake};

use crate::archives;
use crate::d1::database;
use crate::filled::date;
use crate::folds::cron;

/// Users of the tests: of so many, each of five archives has some, but for one run in 130,000 (5 × 0.8⁶⁰).
const USERS: usize = 60;

/// Users of a batch: fifteen batches have all.
const A_BATCH: usize = 4;

/// Batches, each user of which views a page and uses a feature; the ids that were taken.
async fn send(site: &Site, batches: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for n in 0..batches {
        let mut events = Vec::new();
        for of in 0..A_BATCH {
            let user = format!("u{}", (n * A_BATCH + of) % USERS);
            events.extend([view("/a", &user), feature("f", &user)]);
        }
        for event in &mut events {
            event["sessionId"] = format!("s-{}", event["userId"]).into();
        }
        let sent = batch(&events);
        eventually("the batch is taken", async || {
            let answer = site.post().body(sent.to_string()).send().await.ok()?;
            (answer.status() == 202).then_some(())
        })
        .await;
        taken.extend(ids(&sent));
    }
    taken
}

/// How many archives sites have, as their first ones say; of each whose first one has events.
fn spread(state: &StateDir) -> Vec<i64> {
    let number = |archive: &rusqlite::Connection| {
        let number = "SELECT archives FROM spread WHERE EXISTS (SELECT 1 FROM segments)";
        archive.query_row(number, [], |row| row.get(0)).ok()
    };
    let mut all: Vec<i64> = archives::open(state).iter().filter_map(number).collect();
    all.sort_unstable();
    all
}

fn archives_with_events(state: &StateDir) -> usize {
    let all = archives::open(state);
    let full = all.iter().filter(|archive| {
        let any = archive.query_row("SELECT count(*) FROM segments", [], |row| row.get(0));
        any.unwrap_or(0_i64) > 0
    });
    full.count()
}

async fn ask(site: &Site, name: &str, mut question: Value) -> Value {
    question["startDate"] = date(1).into();
    question["endDate"] = date(-1).into();
    let request = shoreline_tests::client()
        .post(format!("{}/v1/analytics/query/{name}", site.url))
        .bearer_auth(&site.read_token);
    let answer = reply(request.body(question.to_string())).await;
    assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    answer.body
}

/// Every answer counts these events, each once, and each user as one.
async fn check(site: &Site, taken: &[String]) {
    let events = taken.len();
    eventually_is("all has landed", json!([events, 0, 0]), async || {
        let health = site.get("/health").await;
        let (lake, outbox) = (&health["backlog"]["lake"], &health["backlog"]["outbox"]);
        json!([lake["landedEvents"], lake["pendingEvents"], outbox["parts"]])
    })
    .await;
    let days = format!("startDate={}&endDate={}", date(1), date(-1));
    let platform = site
        .get(&format!("/v1/analytics/metrics/platform?{days}"))
        .await;
    assert_eq!(platform["activeUsers"], USERS, "{platform}");
    assert_eq!(platform["sessions"], USERS, "{platform}");
    assert_eq!(platform["featureUsage"]["f"], events / 2, "{platform}");
    let summary = site.get("/v1/analytics/metrics/summary").await;
    assert_eq!(summary["total"], events);
    let steps = json!([{"eventType": "page_view", "page": "/a"}, {"eventType": "feature_use"}]);
    let funnel = ask(site, "funnel", json!({"steps": steps})).await;
    assert_eq!(funnel["steps"][0]["users"], USERS, "{funnel}");
    assert_eq!(funnel["steps"][1]["users"], USERS, "{funnel}");
    let journeys = ask(site, "journeys", json!({})).await;
    assert_eq!(journeys["sessions"], USERS, "{journeys}");
    let retention = ask(site, "retention", json!({"periods": 2})).await;
    let cohorts = retention["cohorts"].as_array().unwrap();
    let users: i64 = cohorts.iter().filter_map(|one| one["users"].as_i64()).sum();
    assert_eq!(usize::try_from(users).unwrap(), USERS, "{retention}");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/analytics/events/recent?limit=50{cursor}");
        let page = site.get(&path).await;
        for event in page["events"].as_array().unwrap() {
            found.push(event["eventId"].as_str().unwrap().to_owned());
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut want = taken.to_vec();
    found.sort();
    want.sort();
    assert_eq!(found, want);
    let reconciliation = site.get("/v1/analytics/reconciliation").await;
    assert_eq!(reconciliation["closed"], true, "{reconciliation}");
    assert_eq!(lake::ids_of(&lake::pull(site.state.path()), &site.id), want);
}

/// Has D1 take a fold of every archive: each folds where one of its users is to be forgotten.
async fn fold(site: &Site, archives: i64) {
    for n in 0..40 {
        let nobody = format!("{}/v1/analytics/users/n{n}?siteId={}", site.url, site.id);
        let forget = shoreline_tests::client().delete(nobody);
        let forgotten = reply(forget.bearer_auth(&site.admin_token)).await;
        assert_eq!(forgotten.status, 200, "{}", forgotten.body);
    }
    let database = database(&site.state);
    eventually_is("D1 has taken a fold of each", archives, async || {
        cron(site).await;
        let taken = "SELECT count(*) FROM archives WHERE site_id = ?1";
        let taken = database.query_row(taken, [&site.id], |row| row.get(0));
        taken.unwrap_or(0)
    })
    .await;
}

#[tokio::test]
async fn several_archives_lose_and_double_nothing_and_the_setting_is_for_new_sites() {
    let settings =
        |archives: u32| format!("ARCHIVE_SHARDS:{archives} OUTBOX_RESEND_SECONDS:1 {QUIET}");
    let system = System::start_with(&StateDir::new(), &settings(3));
    let site = system.demo();
    let mut taken = send(&site, 15).await;
    for _ in 0..3 {
        assert!(system.kill_workerd(), "no workerd runs the worker");
        taken.extend(send(&site, 15).await);
    }
    check(&site, &taken).await;
    assert_eq!(archives_with_events(system.state()), 3);
    // What comes again, in another batch, is known in its archive, and taken back from the live counts.
    let live = site.live_count("page_view").await;
    let twice = view("/twice", "u1");
    for _ in 0..2 {
        site.send_ok(&batch(std::slice::from_ref(&twice))).await;
    }
    taken.push(twice["eventId"].as_str().unwrap().to_owned());
    site.settle().await;
    eventually_is("the second is taken back", live + 1, async || {
        site.live_count("page_view").await
    })
    .await;
    fold(&site, 3).await;

    // Another setting changes nothing of a site that is there, and counts for one that is new.
    let state = system.stop();
    let system = System::start_with(&state, &settings(5));
    let site = system.demo();
    let more = send(&site, 16).await;
    site.settle().await;
    let platform = format!(
        "/v1/analytics/metrics/platform?startDate={}&endDate={}",
        date(1),
        date(-1)
    );
    assert_eq!(site.get(&platform).await["activeUsers"], USERS);
    assert_eq!(
        site.get("/v1/analytics/metrics/summary").await["total"],
        taken.len() + more.len()
    );
    assert_eq!(archives_with_events(system.state()), 3);
    let new = system.new_site().await;
    let taken = send(&new, 20).await;
    check(&new, &taken).await;
    assert_eq!(archives_with_events(system.state()), 3 + 5);
    assert_eq!(spread(system.state()), [3, 5]);
    erase(&new, taken.len()).await;
}

async fn archives_call(site: &Site, method: reqwest::Method, body: &Value) -> (u16, Value) {
    let url = format!("{}/v1/sites/{}/archives", site.url, site.id);
    let mut request = shoreline_tests::client()
        .request(method, url)
        .bearer_auth(&site.admin_token);
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let answer = reply(request).await;
    (answer.status, answer.body)
}

/// Gives the site another number of archives while batches come and workerd is killed; the ids that were taken.
async fn change(system: &System, site: &Site, archives: usize, kills: usize) -> Vec<String> {
    // With events on their way it takes a while.
    let mut taken = send(site, 3).await;
    let wish = json!({"archives": archives});
    let (status, begun) = archives_call(site, reqwest::Method::POST, &wish).await;
    assert_eq!(
        (status, &begun["change"]["archives"]),
        (202, &wish["archives"]),
        "{begun}"
    );
    for turn in 0.. {
        taken.extend(send(site, 3).await);
        if turn < kills {
            assert!(system.kill_workerd(), "no workerd runs the worker");
        }
        let state = eventually("the number is told", async || {
            let url = format!("{}/v1/sites/{}/archives", site.url, site.id);
            let request = shoreline_tests::client()
                .get(url)
                .bearer_auth(&site.admin_token);
            let answer = request.send().await.ok()?;
            let is_told = answer.status() == 200;
            answer.json::<Value>().await.ok().filter(|_| is_told)
        })
        .await;
        if state["change"].is_null() && turn >= kills {
            assert_eq!(state["archives"], archives, "{state}");
            break;
        }
        assert!(turn < 600, "it never ends: {state}");
    }
    taken
}

#[tokio::test]
async fn another_number_of_archives_under_load_and_kills_loses_and_doubles_nothing() {
    let settings = format!("ARCHIVE_SHARDS:3 OUTBOX_RESEND_SECONDS:1 {QUIET}");
    let system = System::start_with(&StateDir::new(), &settings);
    let site = system.demo();
    let mut taken = send(&site, 20).await;
    for (archives, kills) in [(5, 4), (2, 4)] {
        taken.extend(change(&system, &site, archives, kills).await);
        taken.extend(send(&site, 5).await);
        check(&site, &taken).await;
        // What the others held is deleted.
        assert_eq!(archives_with_events(system.state()), archives);
    }
    // What comes again is known in its archive.
    let live = site.live_count("page_view").await;
    let twice = view("/twice", "u1");
    for _ in 0..2 {
        site.send_ok(&batch(std::slice::from_ref(&twice))).await;
    }
    taken.push(twice["eventId"].as_str().unwrap().to_owned());
    site.settle().await;
    eventually_is("the second is taken back", live + 1, async || {
        site.live_count("page_view").await
    })
    .await;
    erase(&site, taken.len()).await;
}

#[tokio::test]
async fn while_a_change_is_under_way_nobody_is_erased_and_nothing_else_begins() {
    let system = System::start_with(&StateDir::new(), QUIET);
    let site = system.demo();
    send(&site, 1).await;
    site.settle().await;
    // What is not folded must be before the change goes on, and D1 takes no write.
    let mut connection = database(&site.state);
    let lock = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    let wish = |archives: usize| json!({"archives": archives});
    let (status, begun) = archives_call(&site, reqwest::Method::POST, &wish(3)).await;
    assert_eq!((status, &begun["change"]["archives"]), (202, &json!(3)));
    let (status, refused) = archives_call(&site, reqwest::Method::POST, &wish(4)).await;
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")));
    let url = format!("{}/v1/analytics/users/u3?siteId={}", site.url, site.id);
    let erasure = shoreline_tests::client().delete(url);
    let refused = reply(erasure.bearer_auth(&site.admin_token)).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (409, &json!("conflict"))
    );
    drop(lock);
    eventually_is("the change is done", json!([3, null]), async || {
        let (_, told) = archives_call(&site, reqwest::Method::GET, &Value::Null).await;
        json!([told["archives"], told["change"]])
    })
    .await;
}

/// A user is exported, and forgotten, by their archive; the others go on as they were.
async fn erase(site: &Site, events: usize) {
    let call = |method, path: &str| {
        let url = format!(
            "{}/v1/analytics/users/u3{path}?siteId={}",
            site.url, site.id
        );
        let request = shoreline_tests::client().request(method, url);
        reply(request.bearer_auth(&site.admin_token))
    };
    let export = call(reqwest::Method::GET, "/export").await.body;
    let days = export["profile"]["activeDays"].as_array().map(Vec::len);
    assert_eq!(days, Some(1), "{export}");
    let of_user = export["events"].as_array().unwrap().len();
    assert!(of_user > 0, "{export}");
    let erased = call(reqwest::Method::DELETE, "").await.body;
    assert_eq!(erased, json!({"events": of_user, "complete": true}));
    let left = site.get("/v1/analytics/users/u3/events").await;
    assert_eq!(left["events"], json!([]));
    let total = site.get("/v1/analytics/metrics/summary").await["total"].clone();
    assert_eq!(total, events);
}
