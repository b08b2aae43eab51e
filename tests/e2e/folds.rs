//! Folds that a test needs D1 to have: who asks only looks.

use shoreline_tests::eventually;
use shoreline_tests::site::{Site, reply};

use crate::d1::database;

/// Has D1 take the first fold of a site: who asks only looks. Where a user is to be forgotten, an archive folds first;
/// the cron wakes it, and D1 hears of it.
pub(crate) async fn fold(site: &Site) {
    let nobody = format!("{}/v1/analytics/users/nobody?siteId={}", site.url, site.id);
    let forget = shoreline_tests::client().delete(nobody);
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
    assert_eq!(
        shoreline_tests::client()
            .get(cron)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}
