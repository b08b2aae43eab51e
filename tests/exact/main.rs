//! 200,000 events of 45 days through the real pipeline, and every answer of the API beside a plain
//! count of the lake's files by DuckDB: equal, not close. So are 200 questions that a seed makes up, and funnels,
//! retention, journeys and properties of events that pass filters, on a site where ids are one person.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests stop at what goes wrong"
)]
#![cfg(test)]

mod any;
mod asked;
mod compared;
#[path = "../e2e/d1.rs"]
mod d1;
mod made;
mod names;
#[path = "../tables/python.rs"]
mod python;
mod sent;
mod walks;

use std::path::Path;
use std::time::Instant;

use asked::{Asked, metrics, now, of_user, questions, retentions, summaries, today, totals};
use compared::differences;
use d1::database;
use made::{DAY_MS, DAYS, Dice, Plan};
use serde_json::{Map, Value, json};
use shoreline_tests::lake;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::within;

/// The seed, unless `EXACT_SEED` names another.
const SEED: u64 = 6;

/// Events at least, each once.
const EVENTS: i64 = 200_000;

/// The day, before today, on which one site has more pages than a day takes keys.
const FULL_DAY: i64 = 20;

/// The dice of the seed, which is printed.
fn dice() -> Dice {
    let told = std::env::var("EXACT_SEED").ok();
    let seed = told.map_or(SEED, |seed| seed.parse().unwrap());
    println!("EXACT_SEED={seed}");
    Dice::new(seed)
}

/// Funnels, retentions and journeys, each, of a site.
const WALKS: i64 = 30;

/// Events of the site that questions are asked about. Each question counts all of them, in both places.
const QUESTIONED: i64 = 12_000;

#[tokio::test]
async fn made_up_questions_are_answered_as_a_plain_count_answers_them() {
    let begun = Instant::now();
    let mut dice = dice();
    let system = System::start_with(&StateDir::new(), QUIET);
    let mut all = Vec::new();
    for (n, keep) in [(0, 90), (2, 60)] {
        let plan = Plan {
            site: n,
            imported: QUESTIONED / (n + 1),
            live: 1_200,
            users: 400,
            keep,
            start: (today() - DAYS + 1) * DAY_MS,
            end: now(),
        };
        let settings = json!({"hashRouting": n == 2, "retentionDays": keep});
        let site = system.new_site_with(&settings).await;
        // Of the first site some ids are one person.
        let joining = if n == 0 {
            walks::joining(&plan, &mut dice)
        } else {
            Vec::new()
        };
        sent::send(&site, &plan, &mut dice, joining).await;
        println!("sent, stored and landed after {:?}", begun.elapsed());
        all.extend(any::questions(&site, &mut dice, any::QUESTIONS / 2).await);
        all.extend(walks::questions(&site, &mut dice, WALKS).await);
    }
    println!("asked after {:?}", begun.elapsed());
    let folder = tempfile::tempdir().unwrap();
    pull(&system, folder.path());
    compare(&all, folder.path(), &json!({"named": {}, "erased": {}}));
}

#[tokio::test]
async fn every_answer_equals_a_plain_count_of_the_lake() {
    let begun = Instant::now();
    let mut dice = dice();
    // What is compared is what the sites were sent, to the event.
    let system = System::start_with(&StateDir::new(), QUIET);
    let mut sites = Vec::new();
    let last = today();
    for (site, imported, live, users, keep) in [
        (0, 140_000, 9_000, 2_500, 90),
        (1, 38_000, 4_000, 700, 30),
        (2, 9_000, 1_600, 90, 7),
    ] {
        let plan = Plan {
            site,
            imported,
            live,
            users,
            keep,
            start: (last - DAYS + 1) * DAY_MS,
            end: now(),
        };
        // The second one keeps what the deployment does.
        let mut settings = json!({"hashRouting": site == 2});
        if site != 1 {
            settings["retentionDays"] = keep.into();
        }
        sites.push((system.new_site_with(&settings).await, plan));
    }
    for (site, plan) in &sites {
        let more = if plan.site == 1 {
            unusual(plan, &mut dice)
        } else {
            Vec::new()
        };
        sent::send(site, plan, &mut dice, more).await;
    }
    println!("sent, stored and landed after {:?}", begun.elapsed());

    let folder = tempfile::tempdir().unwrap();
    pull(&system, folder.path());
    let counted = check(&sites, folder.path(), &Map::new()).await;
    assert!(counted >= EVENTS, "{counted} events");
    println!("compared after {:?}", begun.elapsed());

    // Some users are erased, one comes back, and the cron counts again.
    let (site, plan) = &sites[0];
    let mut erased = Map::new();
    for user in ["user-700", "user-1200", "' OR 1=1 --", "用户"] {
        erased.insert(user.to_owned(), erase(site, user).await.into());
    }
    sent::come_back(site, plan, &mut dice, "user-700").await;
    sent::settled(site).await;
    count_again(&system).await;
    pull(&system, folder.path());
    let erased = Map::from_iter([(site.id.clone(), Value::Object(erased))]);
    assert_eq!(check(&sites, folder.path(), &erased).await, counted + 10);
    println!("compared again after {:?}", begun.elapsed());
}

/// What few send: a day of more pages than it takes keys, and events from long ago.
fn unusual(plan: &Plan, dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, at) in [-2 * DAY_MS - 1, -DAY_MS, 0, DAY_MS / 2, 17_900 * DAY_MS]
        .into_iter()
        .enumerate()
    {
        for step in 0..4 {
            let mut event = plan.event(dice, at + step * 3_600_000);
            event["userId"] = format!("old-{n}").into();
            event["sessionId"] = format!("old-{n}").into();
            lines.push(event.to_string());
        }
    }
    let day = plan.end.div_euclid(DAY_MS) - FULL_DAY;
    for n in 0..1_100 {
        let mut view = plan.event(dice, day * DAY_MS + n * 1_000);
        view["eventType"] = "page_view".into();
        view["userId"] = format!("user-{}", dice.below(50)).into();
        view["sessionId"] = view["userId"].clone();
        view["eventData"] = json!({"path": format!("/full/{}", dice.below(900))});
        view["metadata"] = json!({"platform": "web", "userAgent": "x", "ipAddress": "::1"});
        lines.push(view.to_string());
    }
    lines
}

fn pull(system: &System, folder: &Path) {
    for (key, bytes) in lake::pull_raw(system.state().path()) {
        let path = folder.join("lake").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Compares everything; how many events the lake has.
async fn check(sites: &[(Site, Plan)], folder: &Path, erased: &Map<String, Value>) -> i64 {
    let mut named = Map::new();
    let mut all: Vec<Asked> = Vec::new();
    // A day that ends meanwhile would be another one to the count.
    loop {
        let day = today();
        for (site, plan) in sites {
            all.extend(ask(site, plan, day, erased.contains_key(&site.id)).await);
            if plan.site == 1 {
                named.insert(site.id.clone(), full_day(site, day).await);
            }
        }
        if today() == day {
            break;
        }
        all.clear();
    }
    compare(&all, folder, &json!({"named": named, "erased": erased}))
}

/// Compares answers with a count of the lake in a folder, which is told more; how many events it has.
fn compare(all: &[Asked], folder: &Path, more: &Value) -> i64 {
    let asks: Vec<&Value> = all.iter().map(|asked| &asked.ask).collect();
    let begun = Instant::now();
    let mut task = more.clone();
    task["asks"] = json!(asks);
    let counted = python::run("../exact/count.py", folder, &task);
    println!("{} answers counted in {:?}", all.len(), begun.elapsed());
    assert_eq!(
        counted["events"], counted["ids"],
        "each event is in the lake once"
    );
    let mut wrong = Vec::new();
    for (asked, want) in all.iter().zip(counted["answers"].as_array().unwrap()) {
        let mut found = differences(&want["json"], &asked.json);
        if let Some(csv) = &asked.csv {
            found.extend(differences(&want["csv"], &json!(csv)));
        }
        if !found.is_empty() {
            wrong.push(format!("{}\n  {}", asked.ask, found.join("\n  ")));
        }
    }
    let many = wrong.len();
    wrong.truncate(20);
    assert!(
        wrong.is_empty(),
        "{many} of {} answers differ:\n{}",
        all.len(),
        wrong.join("\n")
    );
    counted["events"].as_i64().unwrap()
}

/// Everything that is asked of a site.
async fn ask(site: &Site, plan: &Plan, day: i64, has_erased: bool) -> Vec<Asked> {
    let mut ranges = vec![
        (day - DAYS + 1, day),
        (day - 30, day),
        (day - 9, day - 3),
        (day - 1, day - 1),
        (day, day + 1),
    ];
    if plan.site == 1 {
        ranges.push((day - FULL_DAY, day - FULL_DAY));
        ranges.push((day - FULL_DAY - 1, day - FULL_DAY + 1));
        ranges.push((-10, 10));
    }
    let mut all = vec![totals(site).await];
    for (first, last) in ranges {
        all.extend(metrics(site, first, last).await);
    }
    all.extend(summaries(site).await);
    for (first, last) in [(day - DAYS + 1, day), (day - 20, day - 5)] {
        all.extend(retentions(site, first, last).await);
    }
    // Of a busy site few days are all that a question may look at.
    let kept = day - (plan.keep - 1).min(DAYS - 1);
    let begin = if plan.site == 0 { day - 12 } else { kept };
    for (first, last) in [(begin, day), (day - 3, day - 1), (kept, kept + 2)] {
        all.extend(questions(site, first, last).await);
    }
    if !has_erased {
        all.push(of_user(site, "' OR 1=1 --", kept).await);
        all.push(of_user(site, "user-40", kept).await);
    }
    all
}

/// The pages that have a row of their own on the day that is full.
async fn full_day(site: &Site, day: i64) -> Value {
    let day = day - FULL_DAY;
    let all = metrics(site, day, day).await;
    let pages = all.iter().find(|asked| asked.ask["by"] == "page").unwrap();
    let rows = pages.json["rows"].as_array().unwrap().iter();
    let keys: Vec<&Value> = rows
        .map(|row| &row["key"])
        .filter(|key| *key != "(other)")
        .collect();
    assert_eq!(keys.len(), 500, "keys that a day takes");
    json!({"page": {day.to_string(): keys}})
}

/// Erases a user; when.
async fn erase(site: &Site, user: &str) -> i64 {
    let name: String = user.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let url = format!("{}/v1/analytics/users/{name}?siteId={}", site.url, site.id);
    let request = shoreline_tests::client()
        .delete(url)
        .bearer_auth(&site.admin_token);
    let told = reply(request).await;
    assert_eq!(
        (told.status, &told.body["complete"]),
        (200, &json!(true)),
        "{}",
        told.body
    );
    assert!(told.body["events"].as_i64().unwrap() > 0, "{}", told.body);
    now()
}

/// The hourly recount finds nothing to mend.
async fn count_again(system: &System) {
    let database = database(system.state());
    let number = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    database
        .execute_batch("UPDATE jobs SET done_for = 0, cursor = '' WHERE job = 'recount'")
        .unwrap();
    let cron = system.at("/cdn-cgi/local/scheduled?cron=*+*+*+*+*");
    within(sent::PATIENCE, "the recount is done", async || {
        assert_eq!(
            shoreline_tests::client()
                .get(&cron)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        (number("SELECT done_for FROM jobs WHERE job = 'recount'") > 0).then_some(())
    })
    .await;
    assert_eq!(number("SELECT count(*) FROM repairs"), 0, "rows mended");
}
