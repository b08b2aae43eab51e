use serde_json::Value;

use super::*;
use crate::rollup::brute::{DAY, ask, count, distinct, event, filled, read};
use crate::sql::Sql;
use crate::testing::TestSql;

const NOW: i64 = (DAY + 5) * DAY_MS + 3 * HOUR_MS;

fn recount(sql: &TestSql, now: i64) -> Vec<Repair> {
    let sites: Vec<SiteDay> = ask(sql, &sites(now));
    let mut repairs = Vec::new();
    for step in steps(&sites, "") {
        // As the cron does: only where a check finds something. And it finds all that is mended.
        if let Some(check) = step.check(now) {
            let found: Vec<Differs> = ask(sql, &check);
            let would: Vec<Repair> = sql.would(&step.statements(now));
            let n: i64 = would.iter().map(|repair| repair.n).sum();
            assert_eq!(found[0].n > 0, n > 0, "{step:?}: {would:?}");
            if found[0].n == 0 {
                continue;
            }
        }
        repairs = [repairs, sql.batch(&step.statements(now)).unwrap()].concat();
    }
    repairs
}

fn database() -> (TestSql, Vec<Value>) {
    let events: Vec<Value> = (0..250).map(|n| event("demo", n)).collect();
    let sql = filled("demo", &events);
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, hash_routing, created_at) VALUES ('demo', 'Demo', '[]', 0, 0), ('idle', '', '[]', 0, 0)",
    );
    (sql, events)
}

#[test]
fn what_is_right_is_left_alone() {
    let (sql, events) = database();
    let changes = || sql.number("SELECT total_changes()");
    let before = changes();
    assert_eq!(recount(&sql, NOW), []);
    assert_eq!(changes(), before);
    assert_eq!(read(&sql, "demo"), count("demo", &events));
}

#[test]
fn what_is_wrong_is_mended_and_reported() {
    for (damage, model) in [
        (
            "UPDATE breakdowns SET events = events + 3 WHERE dim = 'page' AND key = '/1'",
            "page",
        ),
        ("UPDATE breakdowns SET b = 0 WHERE dim = 'model'", "model"),
        (
            "DELETE FROM breakdowns WHERE dim = 'country' AND key = 'DE'",
            "country",
        ),
        (
            "INSERT INTO breakdowns SELECT site_id, dim, day, 'made up', 5, 0, 0 FROM breakdowns \
          WHERE dim = 'feature' GROUP BY 1, 2, 3",
            "feature",
        ),
        ("DELETE FROM member_gaps WHERE dim = 'user'", "user gaps"),
        (
            "UPDATE member_gaps SET n = n + 1 WHERE dim = 'page'",
            "page gaps",
        ),
        (
            "DELETE FROM domain_hours WHERE event_type = 'order.placed'",
            "domain_hours",
        ),
        ("UPDATE domain_hours SET n = n + 1", "domain_hours"),
    ] {
        let (sql, events) = database();
        // Only of the days that are counted again.
        let (tables, days) = if damage.contains("domain_hours") {
            (damage.to_owned(), format!("hour >= {}", (DAY + 4) * DAY_MS))
        } else {
            (damage.to_owned(), format!("day >= {}", DAY + 4))
        };
        let damage = match tables.find(" GROUP BY") {
            Some(at) => format!("{} AND {days}{}", &tables[..at], &tables[at..]),
            None if tables.contains("WHERE") => format!("{tables} AND {days}"),
            None => format!("{tables} WHERE {days}"),
        };
        sql.execute_batch(&damage);
        let repairs = recount(&sql, NOW);
        assert!(
            repairs.iter().any(|repair| repair.model == model),
            "{damage}: {repairs:?}"
        );
        let want = count("demo", &events);
        assert_eq!(read(&sql, "demo"), want, "{damage}");
        for (dim, key) in [("user", ""), ("page", "/1")] {
            for from in DAY..DAY + 6 {
                let days = from..=DAY + 5;
                assert_eq!(
                    distinct(&sql, "demo", dim, key, days.clone()),
                    want.distinct(dim, key, days),
                    "{damage}"
                );
            }
        }
        assert_eq!(recount(&sql, NOW + 1), []);
        assert_eq!(read(&sql, "demo"), want);
    }
}

/// Also on a day on which nothing happened, or of which a user was erased.
#[test]
fn hours_that_are_not_what_their_minutes_add_up_to_are_mended() {
    for (damage, n) in [
        ("UPDATE hour_counts SET n = n + 1", 7),
        ("DELETE FROM hour_counts WHERE event_type = 'error'", 1),
        (
            "INSERT INTO hour_counts SELECT site_id, hour + 3600000, event_type, source, n \
             FROM hour_counts",
            7,
        ),
    ] {
        let (sql, _) = database();
        let received = DAY + 9;
        sql.execute_batch(&format!(
            "INSERT INTO erased_days VALUES ('demo', {received})"
        ));
        let hours = || {
            let sql = &sql;
            let rows = "SELECT * FROM hour_counts ORDER BY site_id, hour, event_type, source";
            sql.rows::<Value>(rows, &[]).unwrap()
        };
        let want = hours();
        sql.execute_batch(damage);
        assert_ne!(hours(), want);
        let now = received * DAY_MS + HOUR_MS;
        let model = "hour_counts".to_owned();
        assert_eq!(recount(&sql, now), [Repair { model, n }], "{damage}");
        assert_eq!(hours(), want, "{damage}");
        assert_eq!(recount(&sql, now + 1), []);
        assert_eq!(hours(), want);
    }
}

#[test]
fn people_who_were_lost_are_found_again() {
    let (sql, events) = database();
    let want = count("demo", &events);
    // Users, sessions and members of yesterday and today, as if the transaction had never been.
    sql.execute_batch(&format!("DELETE FROM members WHERE day >= {}", DAY + 4));
    sql.execute_batch("UPDATE sessions SET last_at = first_at");
    sql.execute_batch("UPDATE session_days SET duration_ms = 0");
    let repairs = recount(&sql, NOW);
    for model in ["sessions", "user members", "page members"] {
        assert!(
            repairs.iter().any(|repair| repair.model == model),
            "{model}"
        );
    }
    let got = read(&sql, "demo");
    assert_eq!(got.members, want.members);
    let last = |models: &crate::rollup::brute::Models| -> Vec<i64> {
        let ends = models.sessions.values().map(|(_, last, _)| *last);
        ends.filter(|at| day_of(*at) >= DAY + 4).collect()
    };
    assert_eq!(last(&got), last(&want));
}

#[test]
fn a_run_goes_on_where_the_last_one_ended() {
    let (sql, _) = database();
    let sites: Vec<SiteDay> = ask(&sql, &sites(NOW));
    assert_eq!(
        sites.iter().map(|s| s.day).collect::<Vec<_>>(),
        [DAY + 4, DAY + 5]
    );
    assert!(sites.iter().all(|s| s.site_id == "demo"));
    let all = steps(&sites, "");
    assert_eq!(all.len(), 2 * CHECKS.len());
    for n in 0..all.len() {
        assert_eq!(steps(&sites, &all[n].cursor()), all[n + 1..]);
    }
    assert_eq!(steps(&sites, "nonsense").len(), all.len());
    assert_eq!(hour_of(NOW + 59 * 60_000), NOW);
}

#[test]
fn a_failure_at_any_statement_leaves_the_day_as_it_was() {
    let (sql, events) = database();
    sql.execute_batch(&format!(
        "DELETE FROM members WHERE dim = 'user' AND day = {}",
        DAY + 5
    ));
    let damaged = read(&sql, "demo");
    let step = Step {
        site: "demo".into(),
        day: DAY + 5,
        check: CHECKS.iter().position(|c| *c == "user").unwrap(),
    };
    let statements = step.statements(NOW);
    for nth in 1..=u32::try_from(statements.len()).unwrap() {
        sql.fail_in(nth);
        assert!(sql.batch::<Repair>(&statements).is_err());
        assert_eq!(read(&sql, "demo"), damaged);
        assert_eq!(sql.number("SELECT count(*) FROM repairs"), 0);
    }
    sql.batch::<Repair>(&statements).unwrap();
    assert_eq!(read(&sql, "demo"), count("demo", &events));
}

#[test]
fn every_dimension_is_counted_again() {
    let (sql, _) = database();
    #[derive(serde::Deserialize)]
    struct Dim {
        dim: String,
    }
    let dims: Vec<Dim> = sql
        .rows("SELECT DISTINCT dim FROM breakdowns", &[])
        .unwrap();
    assert!(dims.len() > 10);
    for Dim { dim } in dims {
        assert!(CHECKS.contains(&dim.as_str()), "{dim}");
    }
}
