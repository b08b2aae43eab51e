//! A small site's day on the free plan, computed from operations that the bindings count.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::live::Stream;
use shoreline_tests::system::{QUIET, StateDir, System};

use super::used;
use crate::folds::{cron, fold};

/// Events of a day, and of a batch: some pages of a visit with their clicks, vitals and leaves.
const EVENTS: i64 = 20_000;
const A_BATCH: i64 = 8;

/// Batches that are counted, each alone in its message, as on a quiet site.
const BATCHES: i64 = 6;

/// Hours for which somebody has the dashboard open, in the view of now.
const OPEN_HOURS: i64 = 10;

/// Frames of that view that are counted; while something is in the window, one comes every five seconds.
const FRAMES: i64 = 3;

/// What the free plan has for a day (Cloudflare's documentation, November 2026).
const PLAN: [(&str, i64); 7] = [
    ("requests of the worker", 100_000),
    ("rows read in D1", 5_000_000),
    ("rows written in D1", 100_000),
    ("requests of objects", 100_000),
    ("rows read in objects", 5_000_000),
    ("rows written in objects", 100_000),
    ("operations of queues", 10_000),
];

/// The same of what was counted.
fn operations(counted: &Value) -> [i64; 7] {
    let kinds = counted["kinds"].as_object().unwrap();
    let sum = |which: fn(&str) -> bool, what: &str| -> i64 {
        let of = kinds.keys().filter(|kind| which(kind));
        of.map(|kind| used(counted, kind, what)).sum()
    };
    let is_object = |kind: &str| kind.contains("_do.");
    let any = |_: &str| true;
    [
        sum(|kind| !kind.contains("_do."), "invocations"),
        sum(any, "d1RowsRead"),
        sum(any, "d1RowsWritten"),
        sum(is_object, "invocations"),
        sum(any, "rowsRead"),
        sum(any, "rowsWritten"),
        // Written, read, deleted.
        3 * sum(any, "queueSends"),
    ]
}

#[tokio::test]
async fn a_day_of_a_small_site_and_an_open_dashboard_fits_the_free_plan() {
    // As docs/COST.md says for it.
    let settings = format!("{QUIET} LAKE_SEAL_SECONDS:3600");
    let system = System::start_strict(&StateDir::new(), &settings);
    let site = system.demo();
    let some = |n: i64| -> Value {
        let events: Vec<Value> = (0..A_BATCH)
            .map(|k| view(&format!("/{k}"), &format!("u{n}")))
            .collect();
        batch(&events)
    };
    let confirmed = async || {
        shoreline_tests::eventually("the batch is confirmed", async || {
            let health = site.get("/health").await;
            (health["backlog"]["outbox"]["parts"] == 0).then_some(())
        })
        .await;
    };
    site.send_ok(&some(0)).await;
    confirmed().await;
    fold(&site).await;

    // A batch; what asks whether it is confirmed is the test's own, and left out.
    let mut batches = [0; 7];
    for n in 1..=BATCHES {
        system.forget_counts().await;
        site.send_ok(&some(n)).await;
        shoreline_tests::eventually("the batch is confirmed", async || {
            let kinds = system.counted().await["kinds"].clone();
            let consumed = kinds["queue shoreline-events"]["invocations"].as_i64() >= Some(1);
            consumed.then_some(())
        })
        .await;
        for (sum, n) in batches.iter_mut().zip(operations(&system.counted().await)) {
            *sum += n;
        }
        confirmed().await;
    }
    system.forget_counts().await;
    cron(&site).await;
    let minute = operations(&system.counted().await);
    // What D1 gets of a fold.
    system.forget_counts().await;
    fold(&site).await;
    let fold = shoreline_tests::eventually("D1 has taken the fold", async || {
        let counted = operations(&system.counted().await);
        (counted[2] > 10).then_some(counted)
    })
    .await;
    system.forget_counts().await;
    let mut stream = Stream::of(&site).await;
    for _ in 0..FRAMES {
        site.send_ok(&some(99)).await;
        stream.frame().await;
    }
    let frames = operations(&system.counted().await);
    println!(
        "{BATCHES} batches {batches:?}, a minute {minute:?}, a fold {fold:?}, {FRAMES} frames {frames:?}"
    );
    println!("| a day | batches | cron | folds | dashboard | in all | the plan has |");
    for (at, (what, most)) in PLAN.iter().enumerate() {
        let of_batches = batches[at] * (EVENTS / A_BATCH) / BATCHES;
        let of_cron = minute[at] * 24 * 60;
        // Each frame that was counted came with a batch, which is counted above.
        let a_frame = (frames[at] * BATCHES - batches[at] * FRAMES).max(0) / (FRAMES * BATCHES);
        let of_frames = a_frame * OPEN_HOURS * 3_600 / 5;
        // Taken for one an hour, which is more often than they are.
        let of_folds = fold[at] * 24;
        let all = of_batches + of_cron + of_folds + of_frames;
        println!(
            "| {what} | {of_batches} | {of_cron} | {of_folds} | {of_frames} | {all} | {most} |"
        );
        assert!(all <= *most, "{what}: {all} of {most}");
    }
    assert_eq!(system.counted().await["refused"], json!({}));
}
