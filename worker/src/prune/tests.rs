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
        "INSERT INTO sites VALUES ('demo', 'Demo', '[]', 0, 0), ('idle', '', '[]', 0, 0)",
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
    for (sweep, table, column, id) in [
        (Sweep::Ids, "event_ids", "received_at", "event_id"),
        (Sweep::Sessions, "sessions", "seen_at", "session_hash"),
    ] {
        let sql = TestSql::new();
        sql.migrate();
        let rest = if sweep == Sweep::Ids {
            "part_id, attempt"
        } else {
            "first_at, last_at, events"
        };
        let values = if sweep == Sweep::Ids {
            "'p', 'a'"
        } else {
            "0, 0, 1"
        };
        sql.execute_batch(&format!(
            "WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 4999)
             INSERT INTO {table} (site_id, {id}, {column}, {rest})
             SELECT 'site-' || (n % 3), printf('%05d', n), n % 10, {values} FROM n"
        ));
        let (mut cursor, mut runs) = (String::new(), 0);
        loop {
            let end: Option<End> = ask(&sql, &sweep.end(&cursor)).pop();
            sql.batch::<Deleted>(&[sweep.delete(&cursor, end.as_ref(), 4)])
                .unwrap();
            runs += 1;
            cursor = End::cursor(end.as_ref());
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(runs, 3);
        assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), 3_000);
        assert_eq!(sql.number(&format!("SELECT min({column}) FROM {table}")), 4);
    }
    assert_ne!(Sweep::Ids.job(), Sweep::Sessions.job());
}
