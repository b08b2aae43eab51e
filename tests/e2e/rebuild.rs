//! D1 is lost: everything it knew comes back from the lake.

use std::process::Command;

use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::{lake, root};

use crate::d1::database;
use crate::filled::{date, fill, range};
use crate::folds::fold;

/// What the dashboard says of finished days, and of what is stored.
async fn answers(site: &Site) -> Vec<(String, Value)> {
    let mut paths: Vec<String> = ["platform", "engagement", "features", "products"]
        .map(|name| format!("/v1/analytics/metrics/{name}?{}", range()))
        .to_vec();
    // Orders and sign-ups are of today.
    let today = format!("startDate={}&endDate={}", date(1), date(-1));
    for name in ["platform", "products"] {
        paths.push(format!("/v1/analytics/metrics/{name}?{today}"));
    }
    for by in ["page", "utm_source", "platform", "source", "feature", "os"] {
        paths.push(format!(
            "/v1/analytics/metrics/breakdown?by={by}&{}",
            range()
        ));
    }
    paths.push("/v1/analytics/events/recent?limit=500".into());
    paths.push("/v1/analytics/users/u1/events?limit=500".into());
    paths.push("/v1/analytics/reconciliation".into());
    let mut answers = Vec::new();
    for path in paths {
        let answer = site.get(&path).await;
        answers.push((path, answer));
    }
    let summary = site
        .get("/v1/analytics/metrics/summary?windowMinutes=1440")
        .await;
    answers.push((
        "summary".into(),
        json!([summary["total"], summary["byType"]]),
    ));
    let health = site.get("/health").await;
    let (total, types) = (
        &health["metrics"]["totalEvents"],
        &health["metrics"]["eventsByType"],
    );
    answers.push(("health".into(), json!([total, types])));
    for (name, mut question) in [
        (
            "funnel",
            json!({"steps": [{"eventType": "page_view"}, {"eventType": "feature_use"}]}),
        ),
        ("retention", json!({"period": "day", "periods": 3})),
        ("journeys", json!({})),
    ] {
        question["startDate"] = date(3).into();
        question["endDate"] = date(1).into();
        let request = shoreline_tests::client()
            .post(format!("{}/v1/analytics/query/{name}", site.url))
            .bearer_auth(&site.read_token);
        let answer = reply(request.body(question.to_string())).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        answers.push((name.into(), answer.body));
    }
    answers
}

/// Runs the command; what it said.
fn rebuild(system: &System, from: &str, to: &str) -> String {
    let output = Command::new("node")
        .args([
            "deploy/dev/lake/lake.mjs",
            "rebuild",
            "--from",
            from,
            "--to",
            to,
        ])
        .args(["--url", &system.keys().url])
        .current_dir(root())
        .env("SHORELINE_ADMIN_TOKEN", &system.keys().admin_token)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{error}");
    said
}

#[tokio::test]
async fn a_lost_d1_is_rebuilt_from_the_lake_and_answers_as_before() {
    // Each archive folds what it has, and gets the lines of its own objects.
    let settings = format!("{QUIET} ARCHIVE_SHARDS:3");
    let system = System::start_with(&StateDir::new(), &settings);
    let events = fill(&system.demo()).await;
    fold(&system.demo()).await;
    let before = answers(&system.demo()).await;
    assert!(before.iter().all(|(_, answer)| !answer.is_null()));
    let landed = lake::pull_raw(system.state().path());
    let state = system.stop();
    std::fs::remove_dir_all(state.path().join("v3/d1")).unwrap();

    let system = System::start_with(&state, &settings);
    let site = system.demo();
    assert_eq!(site.get("/health").await["metrics"]["totalEvents"], 0);
    // Once more changes nothing.
    for _ in 0..2 {
        let said = rebuild(&system, &date(1), &date(-1));
        assert!(said.contains(&format!("{events} events of")), "{said}");
        // It is over, so that what is old is forgotten again.
        let running = "SELECT count(*) FROM jobs WHERE job LIKE 'rebuild%'";
        let running = database(&site.state).query_row(running, [], |row| row.get(0));
        assert_eq!(running, Ok(0));
        for ((path, before), (_, after)) in before.iter().zip(answers(&site).await) {
            assert_eq!(*before, after, "{path}");
        }
    }
    // It put nothing into the lake, and what comes again is known again.
    assert_eq!(lake::pull_raw(system.state().path()), landed);
    assert!(rebuild(&system, &date(40), &date(2)).contains("0 events of 0 objects"));
}

#[tokio::test]
async fn what_is_open_is_sealed_and_what_came_first_keeps_its_part() {
    let system = System::start_with(&StateDir::new(), &format!("{QUIET} LAKE_SEAL_SECONDS:3600"));
    let site = system.demo();
    let sent = batch(&[view("/", "u1"), view("/a", "u2")]);
    site.send_ok(&sent).await;
    // It waits in the lake's shard, for an hour.
    shoreline_tests::eventually("the batch is stored", async || {
        let health = site.get("/health").await;
        (health["backlog"]["outbox"]["parts"] == 0).then_some(())
    })
    .await;
    assert_eq!(
        site.get("/health").await["backlog"]["lake"]["pendingEvents"],
        2
    );
    let said = rebuild(&system, &date(1), &date(-1));
    assert!(said.contains("2 events of 1 objects"), "{said}");
    assert_eq!(
        site.get("/health").await["backlog"]["lake"]["landedEvents"],
        2
    );
    assert_eq!(site.get("/v1/analytics/metrics/summary").await["total"], 2);
    assert_eq!(site.stored_ids().await.len(), 2);
    assert_eq!(
        site.get("/v1/analytics/reconciliation").await["closed"],
        true
    );
}

#[tokio::test]
async fn only_the_admin_rebuilds_and_bad_calls_are_told() {
    let system = shoreline_tests::system::shared();
    let call = async |token: &str, body: &str| {
        let request = shoreline_tests::client()
            .post(system.at("/v1/rebuild"))
            .bearer_auth(token);
        let answer = reply(request.body(body.to_owned())).await;
        (answer.status, answer.body["code"].clone())
    };
    // (Nobody's events are of that day, so that it ends at once: while a rebuild runs, nothing old goes.)
    let good = json!({"startDate": "2001-01-01", "endDate": "2001-01-01"}).to_string();
    let (admin, reader) = (&system.keys().admin_token, &system.keys().read_token);
    assert_eq!(call(reader, &good).await, (401, json!("unknown_key")));
    assert_eq!(call(admin, "{}").await, (400, json!("malformed_json")));
    let wrong = json!({"startDate": date(1), "endDate": date(2)}).to_string();
    assert_eq!(call(admin, &wrong).await, (400, json!("invalid_parameter")));
    assert_eq!(call(admin, &good).await, (200, Value::Null));
}
