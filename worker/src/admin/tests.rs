use super::*;
use crate::base::sql::Sql;
use crate::testing::TestSql;

#[test]
fn a_site_is_checked_field_by_field() {
    let good = br#"{"siteId":"shop","origins":["https://*.shop.example","http://localhost:*"]}"#;
    assert_eq!(NewSite::parse(good).unwrap().name, "shop");
    let written = br#"{"siteId":"a","origins":["HTTPS://Shop.Example:443","http://a:80"]}"#;
    let origins = NewSite::parse(written).unwrap().origins;
    assert_eq!(origins, ["https://shop.example", "http://a"]);
    let field = |body: &str| match NewSite::parse(body.as_bytes()) {
        Err(Fault::Malformed { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field("[]"), None);
    assert_eq!(field(r#"{"siteId":"a","domain":"a b"}"#), Some("domain"));
    assert_eq!(
        field(r#"{"siteId":"a","visitorPerMinute":0}"#),
        Some("visitorPerMinute")
    );
    assert_eq!(
        field(r#"{"siteId":"a","hourlyQuota":0}"#),
        Some("hourlyQuota")
    );
    for name in ["visitorPerMinute", "hourlyQuota", "retentionDays"] {
        for bad in ["-1", "1.5", "\"x\"", "[]", "4294967296", "true"] {
            let body = format!(r#"{{"siteId":"a","{name}":{bad}}}"#);
            assert_eq!(field(&body), Some(name), "{bad}");
        }
    }
    for (days, good) in [(0, false), (1, true), (90, true), (91, false)] {
        let body = format!(r#"{{"siteId":"a","retentionDays":{days}}}"#);
        if good {
            let site = NewSite::parse(body.as_bytes()).unwrap();
            assert_eq!(site.policy.retention_days, Some(days));
        } else {
            assert_eq!(field(&body), Some("retentionDays"), "{days}");
        }
    }
    assert_eq!(field(r#"{"siteId":"My Shop"}"#), Some("siteId"));
    assert_eq!(field(r#"{"siteId":"_shoreline"}"#), Some("siteId"));
    for origin in [
        "*",
        "shop.example",
        "https://",
        "https://a/b",
        "https://*",
        "ftp://a",
    ] {
        let body = format!(r#"{{"siteId":"a","origins":["{origin}"]}}"#);
        assert_eq!(field(&body), Some("origins"), "{origin}");
    }
}

#[test]
fn a_zone_is_kept_and_listed_and_taken_away() {
    let sql = TestSql::new();
    sql.migrate();
    let put = |statement: Statement| {
        let _: Vec<serde_json::Value> = sql.rows(statement.sql, &statement.params).unwrap();
    };
    put(site(r#"{"siteId":"shop","timeZone":"Europe/Berlin"}"#).statement(1));
    assert_eq!(listed(&sql)[0].time_zone.as_deref(), Some("Europe/Berlin"));
    put(site(r#"{"siteId":"shop"}"#).replace(2));
    assert_eq!(listed(&sql)[0].time_zone, None);
    for bad in [String::new(), "x".repeat(65)] {
        let body = serde_json::json!({"siteId": "shop", "timeZone": bad}).to_string();
        let fault = NewSite::parse(body.as_bytes()).unwrap_err();
        assert!(matches!(
            fault,
            Fault::Malformed {
                field: Some("timeZone"),
                ..
            }
        ));
    }
}

fn site(json: &str) -> NewSite {
    NewSite::parse(json.as_bytes()).unwrap()
}

fn listed(sql: &TestSql) -> Vec<NewSite> {
    let list = list_sites();
    let rows: Vec<SiteRow> = sql.rows(list.sql, &list.params).unwrap();
    rows.into_iter().map(NewSite::from).collect()
}

#[test]
fn a_site_is_made_once_listed_and_replaced() {
    let sql = TestSql::new();
    sql.migrate();
    let run = |statement: Statement| {
        sql.rows::<serde::de::IgnoredAny>(statement.sql, &statement.params)
            .unwrap()
            .len()
    };
    let shop = site(
        r#"{"siteId":"shop","domain":"www.Shop.Example","hourlyQuota":9,"retentionDays":7,"keepBots":true}"#,
    );
    assert_eq!(run(shop.statement(1)), 1);
    assert_eq!(run(shop.statement(2)), 0);
    assert_eq!(
        run(site(r#"{"siteId":"other","domain":"shop.example"}"#).statement(3)),
        0
    );
    assert_eq!(run(site(r#"{"siteId":"other"}"#).statement(3)), 1);
    assert_eq!(listed(&sql)[1], shop);
    let changed = site(r#"{"siteId":"shop","origins":["https://a.example"]}"#);
    assert_eq!(run(changed.replace(4)), 1);
    assert_eq!(listed(&sql)[1], changed);
    assert_eq!(run(site(r#"{"siteId":"none"}"#).replace(4)), 0);
}
