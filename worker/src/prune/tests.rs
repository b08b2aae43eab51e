use super::*;
use crate::rollup::brute::{DAY, ask, count, event, filled, read};
use crate::testing::{TestSql, consume};

const NOW: i64 = (DAY + 6) * DAY_MS + 5;

fn demo(days: u32) -> Site {
    Site {
        site_id: "demo".into(),
        days,
        due: 1,
    }
}

fn run(sql: &TestSql, days: u32) -> i64 {
    turn(&demo(days), NOW)
        .iter()
        .map(|statement| i64::try_from(ask::<Deleted>(sql, statement).len()).unwrap())
        .sum()
}

/// The sites after one, without Shoreline's own, which is among them.
fn listed(sql: &TestSql, after: &str) -> Vec<Site> {
    let (own, others): (Vec<Site>, Vec<Site>) = ask::<Site>(sql, &sites(after, 30, NOW))
        .into_iter()
        .partition(|site| site.site_id == OWN_SITE);
    assert_eq!(own.len(), usize::from(after < OWN_SITE));
    others
}

#[test]
fn old_events_go_in_bounded_steps_and_rollups_stay() {
    let all: Vec<_> = (0..1_200).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &all);
    let want = count("demo", &all);
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, hash_routing, created_at) VALUES ('demo', 'Demo', '[]', 0, 0), ('idle', '', '[]', 0, 0)",
    );
    let due = |days: u32| {
        ask::<Site>(&sql, &sites("", days, NOW))
            .into_iter()
            .filter(|site| site.due != 0)
            .map(|site| site.site_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(30), Vec::<String>::new());
    assert_eq!(due(2), ["demo"]);
    assert_eq!(run(&sql, 30), 0);
    let from = events_from(2, NOW);
    assert_eq!(from, (DAY + 4) * DAY_MS);
    let old = sql.number(&format!("SELECT count(*) FROM events WHERE at < {from}"));
    let mut steps = Vec::new();
    loop {
        match run(&sql, 2) {
            0 => break,
            n => steps.push(n),
        }
    }
    assert_eq!((steps[0], steps.iter().sum::<i64>()), (MAX_DELETED, old));
    assert_eq!(sql.number("SELECT count(*) FROM events"), 1_200 - old);
    assert_eq!(read(&sql, "demo"), want);
    assert_eq!(due(2), Vec::<String>::new());
    // An event whose stored form is gone is a duplicate all the same.
    let again = filled_again(&sql, &all);
    assert_eq!(again, 0);
    assert_eq!(read(&sql, "demo"), want);
}

fn filled_again(sql: &TestSql, events: &[serde_json::Value]) -> i64 {
    let before = sql.number("SELECT count(*) FROM events");
    let text = crate::testing::message("demo", 0, &[(1, 0, events)]);
    consume(sql, &[&text], crate::rollup::brute::KEY).unwrap();
    sql.number("SELECT count(*) FROM events") - before
}

#[test]
fn a_site_keeps_its_events_for_its_own_days() {
    let sql = TestSql::new();
    sql.migrate();
    let day = day_of(NOW);
    let own = [("a", "NULL"), ("b", "7"), ("c", "90")];
    for (site, retention) in own {
        sql.execute_batch(&format!(
            "INSERT INTO sites (site_id, name, origins, created_at, retention_days) \
             VALUES ('{site}', '', '[]', 0, {retention});
             WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 119)
             INSERT INTO events (site_id, event_id, event_type, received_at, at, body) \
             SELECT '{site}', n, 't', ({day} - n) * 86400000, ({day} - n) * 86400000, '' FROM n"
        ));
    }
    let page = listed(&sql, "");
    let days: Vec<u32> = page.iter().map(|site| site.days).collect();
    assert_eq!(days, [30, 7, 90]);
    assert!(page.iter().all(|site| site.due == 1));
    for site in &page {
        for statement in turn(site, NOW) {
            ask::<Deleted>(&sql, &statement);
        }
        let kept = sql.number(&format!(
            "SELECT count(*) FROM events WHERE site_id = '{}'",
            site.site_id
        ));
        // Today and the days before it.
        assert_eq!(kept, i64::from(site.days) + 1);
    }
    let after = listed(&sql, "a");
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|site| site.due == 0));
}

#[test]
fn an_event_is_kept_by_when_it_happened_not_by_when_it_was_received() {
    let sql = TestSql::new();
    sql.migrate();
    let day = day_of(NOW) * DAY_MS;
    let (old, kept) = (day - 60 * DAY_MS, day - 5 * DAY_MS);
    // An old line of another lake, one that claims to be received before it happened, and two rows
    // of the first version, which have no time of their own.
    for (id, at, received) in [
        ("gone", old.to_string(), kept),
        ("stays", kept.to_string(), old),
        ("gone", "NULL".into(), old),
        ("stays", "NULL".into(), kept),
    ] {
        sql.execute_batch(&format!(
            "INSERT INTO events (site_id, event_id, event_type, received_at, at, body) \
             VALUES ('demo', '{id}', 't', {received}, {at}, '')"
        ));
    }
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('demo', '', '[]', 0)",
    );
    let due = || listed(&sql, "")[0].due;
    assert_eq!((due(), run(&sql, 30), due()), (1, 2, 0));
    let stay = sql.number("SELECT count(*) FROM events WHERE event_id = 'stays'");
    assert_eq!((stay, sql.number("SELECT count(*) FROM events")), (2, 2));
}

#[test]
fn counts_by_minute_and_hour_are_kept_for_the_longest_window_that_is_asked() {
    let from = minutes_from(NOW);
    let first_hour = crate::read::reconciliation::Reconciliation::parse(
        &crate::read::Params::parse("hours=744"),
    )
    .unwrap()
    .first_hour(NOW);
    assert!(from <= first_hour);
    for table in ["minute_counts", "hour_counts"] {
        let sql = TestSql::new();
        sql.migrate();
        sql.execute_batch(&format!(
            "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('demo', '', '[]', 0);
             WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 700)
             INSERT INTO {table} SELECT 'demo', {from} - n, 't', '', 1 FROM n
             UNION ALL SELECT 'demo', {from} + n, 't', '', 1 FROM n
             UNION ALL SELECT 'other', {from} - n, 't', '', 1 FROM n"
        ));
        let due = || listed(&sql, "")[0].due;
        assert_eq!(due(), 1);
        assert_eq!([run(&sql, 30), run(&sql, 30), run(&sql, 30)], [500, 200, 0]);
        assert_eq!(due(), 0);
        assert_eq!(sql.number(&format!("SELECT count(*) FROM {table}")), 1_400);
    }
}

fn page(sites: usize, due: impl Fn(usize) -> bool) -> Vec<Site> {
    let site = |n: usize| Site {
        site_id: format!("s{n:03}"),
        days: 30,
        due: due(n).into(),
    };
    (0..sites).map(site).collect()
}

/// The sites that have a turn in a run of this page, and the cursor; `busy` ones never end.
fn taken(page: Vec<Site>, busy: &str) -> (Vec<String>, String) {
    let (mut turns, mut taken) = (Turns::new(page), Vec::new());
    while let Some(site) = turns.next_site() {
        taken.push(site.site_id.clone());
        if site.site_id == busy {
            turns.again(site);
        }
    }
    (taken, turns.cursor())
}

#[test]
fn a_site_with_much_to_forget_keeps_no_other_from_its_turn() {
    let (all, cursor) = taken(page(10, |n| n < 3), "s000");
    assert_eq!(all[..3], ["s000", "s001", "s002"]);
    // What is left of the run is the busy one's.
    assert_eq!(
        (all.len(), all[19].as_str(), cursor.as_str()),
        (20, "s000", "")
    );
    // More sites than turns: the next run goes on behind the last one.
    let (all, cursor) = taken(page(100, |n| n % 2 == 1), "s001");
    assert_eq!((all.len(), cursor.as_str()), (20, "s039"));
    // A whole page of which little is due: the next run takes the next page.
    assert_eq!(taken(page(500, |n| n == 7), "").1, "s499");
    assert_eq!(taken(page(500, |_| false), "").1, "s499");
    assert_eq!(taken(Vec::new(), ""), (Vec::new(), String::new()));
}

#[test]
fn ids_and_sessions_are_kept_fifteen_days_longer_and_45_at_least() {
    for (retention, days) in [("NULL", 46), ("1", 45), ("30", 45), ("31", 46), ("90", 105)] {
        let sql = TestSql::new();
        sql.migrate();
        let (old, new) = (NOW - days * DAY_MS - 1, NOW - days * DAY_MS);
        sql.execute_batch(&format!(
            "INSERT INTO sites (site_id, name, origins, created_at, retention_days) \
             VALUES ('demo', '', '[]', 0, {retention});
             INSERT INTO event_ids VALUES ('demo', 'old', '', '', {old}), ('demo', 'new', '', '', {new});
             INSERT INTO sessions VALUES ('demo', 'old', 0, 0, 1, {old}), ('demo', 'new', 0, 0, 1, {new})"
        ));
        for sweep in [Sweep::Ids, Sweep::Sessions] {
            let delete = sweep.delete("", None, 31, NOW);
            sql.batch::<Deleted>(&[delete]).unwrap();
        }
        let left = |table: &str, id: &str| {
            sql.number(&format!("SELECT count(*) FROM {table} WHERE {id} = 'new'"))
                + 10 * sql.number(&format!("SELECT count(*) FROM {table}"))
        };
        assert_eq!(left("event_ids", "event_id"), 11, "{retention}");
        assert_eq!(left("sessions", "session_hash"), 11, "{retention}");
    }
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
fn old_calls_go_in_bounded_steps() {
    let sql = TestSql::new();
    sql.migrate();
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
