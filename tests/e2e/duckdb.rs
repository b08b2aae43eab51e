//! What a data engineer counts in the lake with DuckDB, and what the API says, are the same.

use serde_json::{Value, json};
use shoreline_tests::lake;
use shoreline_tests::system::shared;

use crate::docs;
use crate::filled::{fill, range};
use crate::python;

#[tokio::test]
async fn duckdb_counts_in_the_lake_what_the_api_counts() {
    let site = shared().new_site().await;
    let sent = fill(&site).await;
    let folder = tempfile::tempdir().unwrap();
    for (key, bytes) in lake::pull_raw(site.state.path()) {
        let path = folder.path().join("lake").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let of_site = format!("FROM events WHERE siteId = '{}'", site.id);
    // By the day they happened, as the metrics count.
    let by_day = format!(
        "WITH e AS (SELECT *, epoch_ms(\"timestamp\")::DATE AS day {of_site} AND \"timestamp\" < \
         epoch_ms(current_date::TIMESTAMP)), \
         s AS (SELECT sessionId, min(day) AS day FROM e WHERE sessionId NOT LIKE 'anon-%' GROUP BY 1) \
         SELECT day, count(*), count(DISTINCT userId), \
         count(DISTINCT userId) FILTER (userId NOT LIKE 'anon-%'), \
         (SELECT count(*) FROM s WHERE s.day = e.day), \
         count(*) FILTER (eventType = 'feature_use') FROM e GROUP BY day ORDER BY day"
    );
    let answers = python::run(
        "queries.py",
        folder.path(),
        &json!({
            "open": docs::queries("duckdb")["open"], "dialect": "duckdb", "views": [],
            "queries": {
                "once": format!("SELECT count(*), count(DISTINCT eventId) {of_site}"),
                "types": format!("SELECT eventType, count(*) {of_site} GROUP BY 1 ORDER BY 1"),
                "days": by_day,
            },
        }),
    );

    assert_eq!(answers["once"]["rows"], json!([[sent, sent]]));
    let summary = site
        .get("/v1/analytics/metrics/summary?windowMinutes=1440")
        .await;
    assert_eq!(summary["total"], sent);
    let health = site.get("/health").await;
    assert_eq!(health["metrics"]["totalEvents"], sent);
    let of_types = answers["types"]["rows"].as_array().unwrap().iter();
    let types: Value = of_types
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(health["metrics"]["eventsByType"], types);
    assert_eq!(summary["byType"], types);
    let reconciliation = site.get("/v1/analytics/reconciliation").await;
    let hours = reconciliation["hours"].as_array().unwrap().iter();
    assert_eq!(
        hours
            .map(|hour| hour["landed"].as_i64().unwrap())
            .sum::<i64>(),
        sent
    );

    let platform = site
        .get(&format!("/v1/analytics/metrics/platform?{}", range()))
        .await;
    let engagement = site
        .get(&format!("/v1/analytics/metrics/engagement?{}", range()))
        .await;
    let sources = site
        .get(&format!(
            "/v1/analytics/metrics/breakdown?by=source&{}",
            range()
        ))
        .await;
    let days = answers["days"]["rows"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    let mut events = 0;
    for (n, row) in days.iter().enumerate() {
        let (platform, engagement) = (&platform["days"][n], &engagement["days"][n]);
        assert_eq!((&platform["date"], &engagement["date"]), (&row[0], &row[0]));
        assert_eq!(engagement["dau"], row[2]);
        assert_eq!(platform["dailyActiveUsers"], row[2]);
        let known = row[3].as_i64().unwrap();
        assert_eq!(engagement["anonymous"], row[2].as_i64().unwrap() - known);
        assert_eq!(platform["sessions"], row[4]);
        let uses = platform["featureUsage"].as_object().unwrap().values();
        assert_eq!(
            json!(uses.map(|n| n.as_i64().unwrap()).sum::<i64>()),
            row[5]
        );
        events += row[1].as_i64().unwrap();
    }
    assert_eq!(sources["total"], events);
}
