//! `npm run demo:traffic`: what it says is what the API counts.

use std::process::Command;

use chrono::Utc;
use serde_json::{Value, json};
use shoreline_tests::eventually_is;
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;

/// What a line of the summary tells.
#[derive(Debug, PartialEq)]
struct Told {
    sent: i64,
    accepted: i64,
    duplicates: i64,
}

/// Makes up traffic for a site; what the command said.
pub(crate) fn make_up(site: &Site, folder: &std::path::Path, options: &[&str]) -> (String, String) {
    let keys = folder.join("keys.json");
    let text = json!({"url": site.url, "browserKey": site.browser_key, "sourceKey": site.source_key, "readToken": site.read_token});
    std::fs::write(&keys, text.to_string()).unwrap();
    let output = Command::new("node")
        .args(["deploy/demo/traffic.mjs", "--seed", "e2e", "--keys"])
        .arg(&keys)
        .args(options)
        .current_dir(shoreline_tests::root())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{failed}");
    (said, failed)
}

/// Three days and 120 live events, all of them decided by the seed and the day.
fn run(site: &Site, folder: &std::path::Path) -> (Told, Told) {
    let options = "--days 3 --per-day 80 --events 120 --rate 200";
    let options: Vec<&str> = options.split(' ').collect();
    let (said, failed) = make_up(site, folder, &options);
    assert!(failed.contains("100 %"), "a bar: {failed}");
    let told = |what: &str| {
        let line = said.lines().find(|line| line.trim().starts_with(what));
        let numbers: Vec<i64> = line
            .unwrap_or_else(|| panic!("{what} is in {said}"))
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        assert_eq!(numbers.len(), 3, "nothing is rejected or skipped: {said}");
        Told {
            sent: numbers[0],
            accepted: numbers[1],
            duplicates: numbers[2],
        }
    };
    (told("history"), told("live"))
}

/// Events of the week by receipt.
async fn stored(site: &Site) -> i64 {
    let summary = site
        .get("/v1/analytics/metrics/summary?windowMinutes=10080")
        .await;
    summary["total"].as_i64().unwrap()
}

async fn live(site: &Site) -> i64 {
    let live = site.get("/v1/analytics/live").await;
    let minutes = live["minutes"].as_array().unwrap();
    let all = |minute: &Value| {
        let counts = minute["counts"].as_object().unwrap();
        counts.values().filter_map(Value::as_i64).sum::<i64>()
    };
    minutes.iter().map(all).sum()
}

#[tokio::test]
async fn made_up_traffic_is_counted_as_it_says() {
    let site = shared().new_local_site().await;
    let folder = tempfile::tempdir().unwrap();
    let before = Utc::now().date_naive();
    let (history, now) = run(&site, folder.path());
    assert!(history.sent > 60, "{history:?}");
    assert_eq!((history.accepted, history.duplicates), (history.sent, 0));
    let all = Told {
        sent: 120,
        accepted: 120,
        duplicates: 0,
    };
    assert_eq!(now, all);
    site.settle().await;
    eventually_is("all of it is stored", history.sent + 120, async || {
        stored(&site).await
    })
    .await;
    assert_eq!(live(&site).await, 120, "history is not live");
    let countries = site.get("/v1/analytics/metrics/breakdown?by=country").await;
    assert!(countries["rows"].as_array().unwrap().len() > 2);

    let (again, same) = run(&site, folder.path());
    assert_eq!(again.duplicates, history.sent, "the seed makes the ids");
    assert_eq!(again.accepted + again.duplicates, again.sent);
    if Utc::now().date_naive() == before {
        assert_eq!((same.accepted, same.duplicates), (0, 120));
    }
    site.settle().await;
    let want = history.sent + again.accepted + 120 + same.accepted;
    eventually_is("only what is new was added", want, async || {
        stored(&site).await
    })
    .await;
}
