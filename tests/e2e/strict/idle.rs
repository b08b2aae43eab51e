//! What a deployment costs on which nothing happens: counted by the bindings, and held to the free plan.

use serde_json::Value;
use shoreline_tests::events::{batch, view};
use shoreline_tests::system::{QUIET, StateDir, System};

use super::used;
use crate::d1::database;
use crate::folds::{cron, fold};

/// Rows that D1 may read for a day of cron on an idle deployment.
const READ_A_DAY: i64 = 200_000;

/// Minutes that are counted.
const MINUTES: i64 = 5;

/// What the cron used, and the objects that it woke.
async fn minutes(system: &System, n: i64) -> Value {
    system.forget_counts().await;
    for _ in 0..n {
        cron(&system.demo()).await;
    }
    system.counted().await
}

#[tokio::test]
async fn a_day_of_cron_on_an_idle_deployment_reads_few_rows() {
    let system = System::start_strict(&StateDir::new(), QUIET);
    let mut sites = vec![system.demo()];
    for _ in 0..4 {
        sites.push(system.new_site().await);
    }
    for site in &sites {
        let events: Vec<Value> = (0..25)
            .map(|n| view(&format!("/{n}"), &format!("u{n}")))
            .collect();
        site.send_ok(&batch(&events)).await;
        site.settle().await;
        fold(site).await;
    }
    let hour = "UPDATE jobs SET done_for = 0, cursor = '' WHERE job = 'recount'";
    // The first may have something left to do.
    minutes(&system, 1).await;
    let idle = minutes(&system, MINUTES).await;
    database(system.state()).execute_batch(hour).unwrap();
    let with_recount = minutes(&system, 1).await;

    let minute = used(&idle, "scheduled", "d1RowsRead") / MINUTES;
    let recount = used(&with_recount, "scheduled", "d1RowsRead") - minute;
    let day = minute * 24 * 60 + recount * 24;
    println!("idle: {minute} rows read a minute, {recount} more an hour: {day} a day\n{idle:#}");
    assert!(day <= READ_A_DAY, "{minute} a minute, {recount} an hour");
    assert_eq!(used(&idle, "scheduled", "d1RowsWritten"), 0, "{idle}");
    let queries = used(&with_recount, "scheduled", "most_d1Queries");
    println!("the hour's minute: {queries} queries of D1\n{with_recount:#}");
    assert_eq!(with_recount["refused"], serde_json::json!({}));
}
