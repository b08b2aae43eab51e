//! How long events are kept, site by site.

use crate::folds::fold;
use reqwest::Method;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually;
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;

const DAY_MS: i64 = 86_400_000;

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}

/// A view so many days ago.
fn ago(days: i64) -> Value {
    let mut view = view("/a", "ann");
    view["timestamp"] = (now() - days * DAY_MS).into();
    view
}

async fn admin(site: &Site, method: Method, path: &str, body: &Value) -> Reply {
    let request = shoreline_tests::client()
        .request(method, format!("{}{path}", site.url))
        .bearer_auth(&site.admin_token);
    reply(request.json(body)).await
}

/// Sets a site's retention, as it is in `days`.
async fn set(site: &Site, days: Value) -> Reply {
    let body = json!({"siteId": site.id, "origins": [site.origin], "retentionDays": days});
    admin(site, Method::PUT, &format!("/v1/sites/{}", site.id), &body).await
}

#[tokio::test]
async fn a_site_takes_and_keeps_events_for_its_own_days() {
    let system = shared();
    let settings = json!({"retentionDays": 3});
    let (short, usual) = (
        system.new_site_with(&settings).await,
        system.new_site().await,
    );
    let sites = admin(&short, Method::GET, "/v1/sites", &Value::Null).await;
    let listed = |site: &Site| {
        let all = sites.body["sites"].as_array().unwrap().iter();
        let mut own = all.filter(|listed| listed["siteId"] == site.id);
        own.next().unwrap()["retentionDays"].clone()
    };
    assert_eq!((listed(&short), listed(&usual)), (json!(3), Value::Null));
    for bad in [json!(0), json!(91), json!(-1), json!(1.5), json!("3")] {
        let told = set(&short, bad.clone()).await;
        assert_eq!(
            (told.status, &told.body["field"]),
            (400, &json!("retentionDays")),
            "{bad}: {}",
            told.body
        );
    }

    // What is older is not taken.
    let old = batch(&[ago(5)]);
    let refused = short.send(&old).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(refused.body["results"][0]["code"], "timestamp_out_of_range");
    usual.send_ok(&old).await;
    for site in [&short, &usual] {
        site.send_ok(&batch(&[ago(2), ago(0)])).await;
        site.settle().await;
    }
    assert_eq!(
        (short.stored().await.len(), usual.stored().await.len()),
        (2, 3)
    );

    // What has become older goes with the cron once it is folded, and its counts stay.
    fold(&short).await;
    assert_eq!(set(&short, json!(1)).await.status, 200);
    let cron = system.at("/cdn-cgi/local/scheduled?cron=*+*+*+*+*");
    // A run has so many turns, and other tests' sites may have them.
    eventually("the older event is gone", async || {
        assert_eq!(
            shoreline_tests::client()
                .get(&cron)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        (short.stored().await.len() == 1).then_some(())
    })
    .await;
    let date = shoreline_worker::base::time::date(now() / DAY_MS - 2);
    let path = format!("/v1/analytics/metrics/platform?startDate={date}&endDate={date}");
    for site in [&short, &usual] {
        assert_eq!(site.get(&path).await["dailyActiveUsers"], 1);
        assert_eq!(
            site.get("/health").await["metrics"]["eventsByType"]["page_view"],
            { if site.id == short.id { 2 } else { 3 } }
        );
    }
    assert_eq!(usual.stored().await.len(), 3);
}
