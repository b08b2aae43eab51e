use serde_json::json;

use super::*;
use crate::archive::fold::Gathered;
use crate::archive::people::Mode;
use crate::base::sql::Sql;
use crate::observe::operations::BOUNDS_MS;
use crate::testing::{NOW, TestSql};

const MINUTE: i64 = NOW - NOW % MINUTE_MS;
const HOUR: i64 = NOW - NOW % crate::base::time::HOUR_MS;

fn parse(query: &str) -> Result<Operations, Fault> {
    Operations::parse(&Params::parse(query))
}

/// A row of so many calls that all took `ms`.
fn insert(sql: &TestSql, site: &str, minute: i64, action: &str, status: i64, n: i64, ms: i64) {
    let within = BOUNDS_MS.map(|bound| if ms <= bound { n } else { 0 });
    let within = within.map(|n| n.to_string()).join(", ");
    sql.execute_batch(&format!(
        "INSERT INTO operation_minutes VALUES \
         ('{site}', {minute}, '{action}', {status}, {n}, {}, {within})",
        n * ms
    ));
}

fn ask(sql: &TestSql, site: &str, query: &str) -> Answer {
    let query = parse(query).unwrap();
    let statement = query.statement(site, NOW);
    let rows: Vec<Row> = sql.rows(statement.sql, &statement.params).unwrap();
    query.answer(rows, &Sums::default(), NOW)
}

#[test]
fn bad_parameters_are_named() {
    for (query, name) in [
        ("windowMinutes=0", "windowMinutes"),
        ("windowMinutes=-1", "windowMinutes"),
        ("windowMinutes=10081", "windowMinutes"),
        ("windowMinutes=1e3", "windowMinutes"),
        ("windowMinutes=%27%3B--", "windowMinutes"),
        ("format=xml", "format"),
    ] {
        let fault = parse(query).unwrap_err();
        assert!(matches!(fault, Fault::InvalidParameter { name: n, .. } if n == name));
    }
}

#[test]
fn a_sites_calls_are_told_by_action_and_hour() {
    let sql = TestSql::new();
    sql.migrate();
    insert(&sql, "a", MINUTE, "events", 202, 90, 3);
    insert(&sql, "a", MINUTE, "events", 503, 6, 3_000);
    insert(&sql, "a", MINUTE, "events", 401, 4, 1);
    insert(&sql, "a", MINUTE - 59 * MINUTE_MS, "live", 200, 2, 40_000);
    insert(&sql, "a", MINUTE - 60 * MINUTE_MS, "live", 200, 1_000, 1);
    insert(&sql, "b", MINUTE, "events", 202, 1_000, 1);
    insert(&sql, "", MINUTE, "events", 401, 1_000, 1);
    let answer = ask(&sql, "a", "");
    assert_eq!(answer.from, MINUTE - 59 * MINUTE_MS);
    assert_eq!(answer.total.calls, 102);
    assert_eq!(answer.total.calls_per_minute, 1.7);
    let events = &answer.actions["events"];
    assert_eq!((events.errors, events.server_errors), (10, 6));
    assert_eq!(events.error_rate, 0.1);
    assert!(events.p50.unwrap() > 2.0 && events.p50.unwrap() <= 5.0);
    assert!(events.p95.unwrap() > 2_000.0 && events.p95.unwrap() <= 5_000.0);
    assert_eq!(answer.actions["live"].p50, Some(10_000.0));
    let hours: Vec<i64> = answer.hours.iter().map(|hour| hour.hour).collect();
    assert_eq!(hours, [HOUR - crate::base::time::HOUR_MS, HOUR]);
    // It is 16:00:12: the running hour has had one minute.
    assert_eq!(answer.hours[1].actions["events"].calls_per_minute, 100.0);
    let csv = answer.csv();
    assert_eq!(csv.lines().count(), 3);
    assert!(
        csv.contains(&format!("{HOUR},events,100,100,10,6,0.1,")),
        "{csv}"
    );
    assert_eq!(ask(&sql, "a", "windowMinutes=10080").total.calls, 1_102);
    let one = ask(&sql, "a", "windowMinutes=1");
    assert_eq!((one.from, one.total.calls), (MINUTE, 100));
}

#[test]
fn a_site_without_calls_has_an_answer_too() {
    let sql = TestSql::new();
    sql.migrate();
    let answer = ask(&sql, "a", "");
    assert_eq!((answer.total.calls, answer.total.p50), (0, None));
    assert_eq!(answer.total.error_rate, 0.0);
    assert!(answer.hours.is_empty());
}

#[test]
fn the_window_is_found_by_key() {
    #[derive(Deserialize)]
    struct Step {
        detail: String,
    }
    let sql = TestSql::new();
    sql.migrate();
    let statement = parse("").unwrap().statement("a", NOW);
    let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let steps: Vec<Step> = sql.rows(&plan, &statement.params).unwrap();
    let found = "site_id=? AND minute>?";
    assert!(steps.iter().any(|step| step.detail.contains(found)));
}

#[test]
fn calls_that_d1_lacks_are_told_with_those_it_has() {
    let (sql, people) = (TestSql::new(), TestSql::new());
    sql.migrate();
    crate::archive::fold::create(&people).unwrap();
    let mut gathered = Gathered::default();
    for (site, minute, status) in [("a", MINUTE, 202), ("a", HOUR, 503), ("b", MINUTE, 202)] {
        gathered.add_operation(
            &json!({"timestamp": minute + 1, "metadata": {"duration": 30}, "eventData":
                {"action": "events", "httpStatus": status, "calls": 4, "totalDuration": 120, "site": site}})
            .to_string(),
        );
    }
    let sums = gathered.fold(&people, 0, Mode::Look).unwrap();
    insert(&sql, "a", MINUTE, "events", 202, 2, 30);
    let query = parse("windowMinutes=600").unwrap();
    let mut lacking = Sums::default();
    lacking.take(&sums, &query.wants("a", NOW));
    assert_eq!(lacking.calls().count(), 2);
    let statement = query.statement("a", NOW);
    let rows: Vec<Row> = sql.rows(statement.sql, &statement.params).unwrap();
    let answer = query.answer(rows, &lacking, NOW);
    insert(&sql, "a", HOUR, "events", 503, 4, 30);
    sql.execute_batch(
        "UPDATE operation_minutes SET n = 6, duration_ms = 180, le_50 = 6, le_100 = 6, le_200 = 6, \
         le_500 = 6, le_1000 = 6, le_2000 = 6, le_5000 = 6, le_10000 = 6 WHERE status = 202",
    );
    assert_eq!(answer, ask(&sql, "a", "windowMinutes=600"));
    assert_eq!((answer.total.calls, answer.total.server_errors), (10, 4));
}
