use super::*;
use crate::rollup::brute::{DAY, ask, count, event, filled, read};
use crate::testing::TestSql;

const NOW: i64 = (DAY + 6) * DAY_MS + 5;

fn run(sql: &TestSql, from: i64) -> i64 {
    events("demo", from)
        .iter()
        .map(|statement| i64::try_from(ask::<Deleted>(sql, statement).len()).unwrap())
        .sum()
}

#[test]
fn old_events_go_in_bounded_steps_and_rollups_stay() {
    let all: Vec<_> = (0..1_200).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &all);
    let want = count("demo", &all);
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, hash_routing, created_at) VALUES ('demo', 'Demo', '[]', 0, 0), ('idle', '', '[]', 0, 0)",
    );
    let due = |from: i64| {
        ask::<Site>(&sql, &sites(from))
            .into_iter()
            .map(|s| s.site_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(events_from(30, NOW)), Vec::<String>::new());
    assert_eq!(due(events_from(2, NOW)), ["demo"]);
    assert_eq!(run(&sql, events_from(30, NOW)), 0);
    let from = events_from(2, NOW);
    assert_eq!(from, (DAY + 4) * DAY_MS);
    let old = sql.number(&format!("SELECT count(*) FROM events WHERE at < {from}"));
    let mut steps = Vec::new();
    loop {
        match run(&sql, from) {
            0 => break,
            n => steps.push(n),
        }
    }
    assert_eq!((steps[0], steps.iter().sum::<i64>()), (MAX_EVENTS, old));
    assert_eq!(sql.number("SELECT count(*) FROM events"), 1_200 - old);
    assert_eq!(read(&sql, "demo"), want);
    assert_eq!(due(from), Vec::<String>::new());
    // An event whose stored form is gone is a duplicate all the same.
    let again = filled_again(&sql, &all);
    assert_eq!(again, 0);
    assert_eq!(read(&sql, "demo"), want);
}

fn filled_again(sql: &TestSql, events: &[serde_json::Value]) -> i64 {
    let before = sql.number("SELECT count(*) FROM events");
    let part = serde_json::json!({"id": "p", "at": 0, "n": 1, "events": events});
    let text = serde_json::json!({"site": "demo", "shard": 0, "parts": [part]}).to_string();
    let message = crate::consume::Message::parse(&text).unwrap();
    let statements = message.statements("again", crate::rollup::brute::KEY);
    sql.batch::<crate::rollup::Finding>(&statements).unwrap();
    sql.number("SELECT count(*) FROM events") - before
}

#[test]
fn ids_are_kept_fifteen_days_longer_and_45_at_least() {
    let days = |retention| (NOW - ids_from(retention, NOW)) / DAY_MS;
    assert_eq!([1, 30, 31, 90].map(days), [45, 45, 46, 105]);
}

#[test]
fn a_sweep_looks_at_every_row_once_a_round_and_takes_the_old_ones() {
    let day = day_of(NOW);
    let old = [
        (Sweep::Ids, NOW - 45 * DAY_MS - 1),
        (Sweep::Sessions, NOW - 45 * DAY_MS - 1),
        (Sweep::Members, day - 401),
    ];
    for (sweep, old) in old {
        let new = old + 1;
        let sql = TestSql::new();
        sql.migrate();
        let (table, row) = match sweep {
            Sweep::Ids => ("event_ids", "id, 'p', 'a', t"),
            Sweep::Sessions => ("sessions", "id, 0, 0, 1, t"),
            Sweep::Members => ("members", "'page', '/', id, t, 0"),
        };
        sql.execute_batch(&format!(
            "WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 4999),
             r AS (SELECT printf('%05d', n) AS id, n % 3 AS site,
             CASE n % 5 WHEN 0 THEN {old} ELSE {new} END AS t FROM n)
             INSERT INTO {table} SELECT 'site-' || site, {row} FROM r"
        ));
        let (mut cursor, mut runs) = (String::new(), 0);
        loop {
            let end: Option<End> = ask(&sql, &sweep.end(&cursor)).pop();
            let delete = sweep.delete(&cursor, end.as_ref(), 30, NOW);
            sql.batch::<Deleted>(std::slice::from_ref(&delete)).unwrap();
            let plan = crate::sql::Statement::new(delete.sql, delete.params);
            let steps: Vec<serde_json::Value> = crate::sql::Sql::rows(
                &sql,
                &format!("EXPLAIN QUERY PLAN {}", plan.sql),
                &plan.params,
            )
            .unwrap();
            assert!(
                steps[0]["detail"]
                    .as_str()
                    .unwrap()
                    .contains("PRIMARY KEY ("),
                "{steps:?}"
            );
            runs += 1;
            match end {
                Some(end) => cursor = end.cursor,
                None => break,
            }
        }
        assert_eq!(
            (runs, sql.number(&format!("SELECT count(*) FROM {table}"))),
            (3, 4_000),
            "{table}"
        );
    }
    let jobs: std::collections::BTreeSet<_> = Sweep::ALL.map(Sweep::job).into();
    assert_eq!(jobs.len(), 3);
}

#[test]
fn shorelines_own_events_and_calls_go_too() {
    let own = crate::tally::OWN_SITE;
    let sql = filled(own, &[event(own, 0)]);
    let due: Vec<Site> = ask(&sql, &sites(NOW + 40 * DAY_MS));
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].site_id, own);
    let ages = [0, CALLS_KEPT_MS, CALLS_KEPT_MS + 1, 30 * DAY_MS].map(|age| NOW - age);
    let kept = ages[1];
    for at in ages {
        for n in 0..MAX_CALLS {
            sql.execute_batch(&format!(
                "INSERT INTO operation_minutes VALUES \
                 ('s{n}', {at}, 'events', 202, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)"
            ));
        }
    }
    let steps: Vec<usize> = (0..3)
        .map(|_| ask::<Deleted>(&sql, &calls(NOW)).len())
        .collect();
    let whole = usize::try_from(MAX_CALLS).unwrap();
    assert_eq!(steps, [whole, whole, 0]);
    assert_eq!(
        sql.number("SELECT min(minute) FROM operation_minutes"),
        kept
    );
    assert_eq!(
        sql.number("SELECT count(*) FROM operation_minutes"),
        2 * MAX_CALLS
    );
}
