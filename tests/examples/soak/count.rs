//! Every answer beside a plain count of the lake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use shoreline_tests::lake::{events_of, pull};
use shoreline_tests::site::{Site, reply};

/// Events and users by a key.
type Groups = BTreeMap<String, (i64, i64)>;

/// The same, as the API tells it and as the lake has it.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted {
    events: i64,
    by_type: Groups,
    by_page: Groups,
    by_feature: Groups,
    duration: f64,
}

/// What the API says.
pub(crate) struct Answers {
    counted: Counted,
    summary: Value,
    reconciliation: Value,
}

async fn groups(site: &Site, dimension: &str) -> Groups {
    let if_page = match dimension {
        "page" => json!(["is", "eventType", "page_view"]),
        _ => json!(["exists", dimension]),
    };
    let question = json!({"metrics": ["events", "users"], "dimensions": [dimension], "range": "24h", "limit": 1000,
        "filters": ["and", ["exists", dimension], if_page]});
    let rows = ask(site, &question).await["rows"].take();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        let key = row["dimensions"][0].as_str().unwrap().to_owned();
        let n = |at: usize| row["metrics"][at].as_i64().unwrap();
        (key, (n(0), n(1)))
    })
    .collect()
}

async fn ask(site: &Site, question: &Value) -> Value {
    let url = format!("{}/v1/analytics/query", site.url);
    let request = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token);
    let answer = reply(request.json(question)).await;
    assert_eq!(answer.status, 200, "{question}: {}", answer.body);
    answer.body
}

pub(crate) async fn answers(site: &Site) -> Answers {
    let totals = json!({"metrics": ["events", "sum(data.duration)"], "range": "24h"});
    let totals = ask(site, &totals).await["totals"].take();
    Answers {
        counted: Counted {
            events: totals[0].as_i64().unwrap(),
            by_type: groups(site, "eventType").await,
            by_page: groups(site, "page").await,
            by_feature: groups(site, "feature").await,
            duration: totals[1].as_f64().unwrap(),
        },
        summary: site
            .get("/v1/analytics/metrics/summary?windowMinutes=1440")
            .await,
        reconciliation: site.get("/v1/analytics/reconciliation").await,
    }
}

/// The lake, counted line by line, and the ids in it, each as often as it is there.
pub(crate) fn lake(state: &Path, site: &str) -> (Counted, Vec<String>) {
    let events = events_of(&pull(state), site);
    let by = |key: &dyn Fn(&Value) -> Option<String>| -> Groups {
        let mut sets: BTreeMap<String, (i64, BTreeSet<&str>)> = BTreeMap::new();
        for event in &events {
            if let Some(key) = key(event) {
                let (n, users) = sets.entry(key).or_default();
                *n += 1;
                users.extend(event["userId"].as_str().filter(|user| !user.is_empty()));
            }
        }
        let counted = sets.into_iter();
        counted
            .map(|(key, (n, users))| (key, (n, users.len() as i64)))
            .collect()
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let counted = Counted {
        events: events.len() as i64,
        by_type: by(&|event| text(&event["eventType"])),
        by_page: by(&page_of),
        by_feature: by(&|event| text(&event["eventData"]["feature"])),
        duration: events
            .iter()
            .filter_map(|event| event["eventData"]["duration"].as_f64())
            .sum(),
    };
    let ids = events.iter().map(|event| text(&event["eventId"]).unwrap());
    (counted, ids.collect())
}

/// What a view of a page is of: the path of its URL, else what it says.
fn page_of(event: &Value) -> Option<String> {
    let data = &event["eventData"];
    if event["eventType"] != "page_view" {
        return None;
    }
    let Some(url) = data["url"].as_str() else {
        return data["page"].as_str().map(str::to_owned);
    };
    let rest = url.split_once("://")?.1;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next()?;
    Some(format!("/{path}"))
}

/// Holds the answers to the lake, and both to what senders know.
pub(crate) fn compare(answers: &Answers, lake: &(Counted, Vec<String>), taken: &[String]) {
    let (lake, ids) = lake;
    let mut ids = ids.clone();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    let set: BTreeSet<&String> = ids.iter().collect();
    let lost = taken.iter().filter(|id| !set.contains(id)).count();
    println!(
        "{all} events in the lake; of {} known to their senders {lost} lost; {} doubled",
        taken.len(),
        all - ids.len()
    );
    let closed = &answers.reconciliation["closed"];
    println!(
        "reconciliation closed: {closed}; summary {}",
        answers.summary["total"]
    );
    println!(
        "counts by question and by lake: {:?}",
        answers.counted == *lake
    );
    assert_eq!((lost, all - ids.len()), (0, 0));
    assert_eq!(closed, true, "{}", answers.reconciliation);
    for place in ["received", "stored", "landed"] {
        let hours = answers.reconciliation["hours"].as_array().unwrap();
        let sum: i64 = hours.iter().map(|hour| hour[place].as_i64().unwrap()).sum();
        assert_eq!(sum, lake.events, "{place}: {}", answers.reconciliation);
    }
    assert_eq!(answers.summary["total"], lake.events);
    if answers.counted != *lake {
        println!("by question {:?}\nby lake {lake:?}", answers.counted);
    }
    assert_eq!(answers.counted, *lake);
}
