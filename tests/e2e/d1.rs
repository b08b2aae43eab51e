//! The file of local D1, for faults that only a database can have.

use rusqlite::Connection;
use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::StateDir;

/// D1's file. Wrangler keeps another database beside ours.
pub(crate) fn database(state: &StateDir) -> Connection {
    let files = state.databases("d1/miniflare-D1DatabaseObject");
    let mut databases = files.iter().map(|path| Connection::open(path).unwrap());
    databases
        .find(|database| database.prepare("SELECT 1 FROM archives").is_ok())
        .expect("D1 has a file")
}

/// Has D1 take the first fold of a site: who asks only looks. Where a user is to be forgotten, an archive folds first;
/// the cron wakes it, and D1 hears of it.
pub(crate) async fn fold(site: &Site) {
    let nobody = format!("{}/v1/analytics/users/nobody?siteId={}", site.url, site.id);
    let forget = reqwest::Client::new().delete(nobody);
    let forgotten = reply(forget.bearer_auth(&site.admin_token)).await;
    assert_eq!(forgotten.status, 200, "{}", forgotten.body);
    let database = database(&site.state);
    eventually("D1 has taken a fold", async || {
        cron(site).await;
        let taken = "SELECT fold FROM archives WHERE site_id = ?1";
        let taken = database.query_row(taken, [&site.id], |row| row.get::<_, i64>(0));
        taken.is_ok_and(|fold| fold > 0).then_some(())
    })
    .await;
}

/// The cron's minute.
pub(crate) async fn cron(site: &Site) {
    let cron = format!("{}/cdn-cgi/local/scheduled?cron=*+*+*+*+*", site.url);
    assert_eq!(reqwest::get(cron).await.unwrap().status(), 200);
}
