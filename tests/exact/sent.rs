//! The events on their ways into the system: as files, by services, and by pages.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::within;

use crate::made::{DAY_MS, Dice, Plan, is_of_services};

/// Parts of an import.
const PARTS: usize = 5;

/// How long all of it may take on a machine that does other work, too.
pub(crate) const PATIENCE: Duration = Duration::from_mins(20);

/// Sends what a plan makes, and waits until all of it is stored and has landed.
pub(crate) async fn send(site: &Site, plan: &Plan, dice: &mut Dice, more: Vec<String>) {
    let mut lines = more;
    lines.extend(plan.lines(dice));
    let whole = begin(site, &lines, PARTS).await;
    // The beginning of the same file once more, and what a service and pages send meanwhile.
    let again = begin(site, &lines[..lines.len().min(1_500)], 1).await;
    live(site, plan, dice, &lines).await;
    for import in [whole, again] {
        finished(site, &import).await;
    }
    settled(site).await;
}

pub(crate) async fn settled(site: &Site) {
    within(PATIENCE, "all is stored and has landed", async || {
        site.settled().await.then_some(())
    })
    .await;
}

/// Uploads an import, its later parts first.
async fn begin(site: &Site, lines: &[String], parts: usize) -> String {
    let imports = format!("{}/v1/imports", site.url);
    let call = |request: RequestBuilder| async {
        let told = reply(request.bearer_auth(&site.source_key)).await;
        assert_eq!(told.status, 202, "{}", told.body);
        told.body["importId"].as_str().unwrap().to_owned()
    };
    let made = shoreline_tests::client().post(&imports);
    let import = call(made.body(json!({"parts": parts}).to_string())).await;
    let chunks = lines.chunks(lines.len().div_ceil(parts));
    for (n, some) in chunks.enumerate().collect::<Vec<_>>().into_iter().rev() {
        let url = format!("{imports}/{import}/parts/{}", n + 1);
        call(shoreline_tests::client().put(url).body(some.join("\n"))).await;
    }
    import
}

async fn finished(site: &Site, import: &str) {
    let told = within(PATIENCE, "the import is finished", async || {
        let url = format!("{}/v1/imports/{import}", site.url);
        let told = reply(
            shoreline_tests::client()
                .get(url)
                .bearer_auth(&site.source_key),
        )
        .await;
        (told.body["finishedAt"].is_number()).then_some(told.body)
    })
    .await;
    assert_eq!(told["status"], "finished", "{told}");
    assert_eq!(told["failed"], 0, "{told}");
    assert_eq!(told["rejectedLines"], json!([]), "{told}");
}

/// What services and pages send today: of the last two days and late by up to three weeks, some of it
/// twice, in the same batch or another, and some of what was imported.
async fn live(site: &Site, plan: &Plan, dice: &mut Dice, lines: &[String]) {
    let mut before: Vec<Value> = Vec::new();
    let mut left = plan.live;
    while left > 0 {
        let mut events: Vec<Value> = Vec::new();
        for _ in 0..left.min(400) {
            let late = if dice.one_in(20) { 5 } else { 2 };
            let at = plan.end - dice.below(late * DAY_MS);
            events.push(plan.event(dice, at));
        }
        left -= 400;
        for _ in 0..60 {
            let known = [&before, &events][usize::try_from(dice.below(2)).unwrap()];
            if !known.is_empty() {
                events.push(dice.pick(known));
            }
        }
        let recent = &lines[lines.len() - lines.len() / 40..];
        for _ in 0..40 {
            let line: Value = serde_json::from_str(&dice.pick(recent)).unwrap();
            let is_new = line["timestamp"].as_i64().unwrap() > plan.end - 6 * DAY_MS;
            if is_new && line["eventId"].is_string() {
                events.push(line);
            }
        }
        let body = Value::from(events.clone()).to_string();
        let key = dice.uuid();
        for _ in 0..=dice.below(2) {
            ingest(site, &body, &key).await;
        }
        before = events;
    }
    for n in 0..12_i64 {
        private(site, plan, dice, n).await;
    }
}

/// A service's batch, all of which must be good.
async fn ingest(site: &Site, body: &str, key: &str) {
    let request = site.ingest().header("idempotency-key", key);
    let told = reply(request.body(body.to_owned())).await;
    assert_eq!(told.status, 202, "{}", told.body);
    assert_eq!(
        (&told.body["rejected"], &told.body["skipped"]),
        (&json!(0), &json!(0)),
        "{:?}",
        told.body["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|result| result["status"] != "duplicate")
            .collect::<Vec<_>>()
    );
}

/// A page's batch, of a visitor who asked not to be followed, of one of three browsers.
async fn private(site: &Site, plan: &Plan, dice: &mut Dice, n: i64) {
    let mut events = Vec::new();
    while events.len() < 20 {
        let at = plan.end - dice.below(DAY_MS);
        let event = plan.event(dice, at);
        let kind = event["eventType"].as_str().unwrap();
        if !is_of_services(kind) && event["userId"].is_string() {
            events.push(event);
        }
    }
    let agent = format!(
        "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/1.0",
        n % 3
    );
    let batch = json!({"batchId": dice.uuid(), "events": events});
    let request = site
        .post()
        .header("sec-gpc", "1")
        .header("user-agent", agent);
    let told = reply(request.body(batch.to_string())).await;
    assert_eq!(told.body["accepted"], 20, "{}", told.body);
}

/// Sends some more of a user's events.
pub(crate) async fn come_back(site: &Site, plan: &Plan, dice: &mut Dice, user: &str) {
    let mut events = Vec::new();
    while events.len() < 10 {
        let mut event = plan.event(dice, plan.end);
        if event["userId"].is_string() {
            event["userId"] = user.into();
            events.push(event);
        }
    }
    ingest(site, &Value::from(events).to_string(), &dice.uuid()).await;
}
