//! Small segments become large ones when their hour is over.

use rusqlite::Connection;
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually;
use shoreline_tests::system::{QUIET, StateDir, System};

use crate::archives;
use crate::folds::{cron, fold};

/// Segments, and events in them.
fn segments(archive: &Connection) -> (i64, i64) {
    let sql = "SELECT count(*), coalesce(sum(n), 0) FROM segments";
    let counted = archive.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    counted.unwrap()
}

#[tokio::test]
async fn an_hours_small_segments_become_one_and_no_answer_changes() {
    let system = System::start_with(&StateDir::new(), QUIET);
    let site = system.new_site().await;
    for n in 0..4 {
        let user = format!("u{}", n % 2);
        site.send_ok(&batch(&[
            view(&format!("/{n}"), &user),
            view("/all", &user),
        ]))
        .await;
        // A message, and so a segment, of its own.
        site.settle().await;
    }
    fold(&site).await;
    let questions = [
        "/v1/analytics/events/recent?limit=500",
        "/v1/analytics/users/u1/events?limit=500",
        "/v1/analytics/metrics/breakdown?by=page",
    ];
    let answers = async || {
        let mut all = Vec::new();
        for question in questions {
            all.push(site.get(question).await);
        }
        all
    };
    let before = answers().await;
    let all = archives::open(&site.state);
    let mut own = all.iter().filter(|archive| segments(archive).1 == 8);
    let archive = own.next().expect("an archive has the site's events");
    assert!(segments(archive).0 >= 4, "{:?}", segments(archive));

    // As if hours had passed.
    let due = archive.execute("UPDATE compacting SET due_at = 0", []);
    assert!(due.unwrap() > 0);
    eventually("the segments are one an hour", async || {
        cron(&site).await;
        let left = archive.query_row("SELECT count(*) FROM compacting", [], |row| row.get(0));
        (left == Ok(0_i64)).then_some(())
    })
    .await;
    let (some, events) = segments(archive);
    // Two where the hour ended meanwhile.
    assert!((1..=2).contains(&some) && events == 8, "{some} of {events}");
    assert_eq!(answers().await, before);
}
