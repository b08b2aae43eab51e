use super::*;
use crate::read::brute::{DAY, ask};
use crate::testing::TestSql;

const NOW: i64 = (DAY + 6) * DAY_MS + 5;

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate_from("migrations");
    sql
}

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
fn a_site_keeps_its_events_for_its_own_days() {
    let sql = database();
    let own = [("a", "NULL"), ("b", "7"), ("c", "90"), ("none", "5")];
    for (site, retention) in own {
        sql.execute_batch(&format!(
            "INSERT INTO sites (site_id, name, origins, created_at, retention_days) \
             VALUES ('{site}', '', '[]', 0, {retention})"
        ));
    }
    // Two shards of a site are one call; a site without an archive is none.
    sql.execute_batch(&format!(
        "INSERT INTO archives VALUES ('a', 0, 1, 1), ('b', 0, 1, 1), ('b', 1, 1, 1), \
         ('c', 0, 1, 1), ('{OWN_SITE}', 0, 1, 1)"
    ));
    let listed = |after: &str| ask::<Site>(&sql, &archives(after, 30));
    let days: Vec<(String, u32)> = listed("")
        .into_iter()
        .map(|site| (site.site_id, site.days))
        .collect();
    let want = [(OWN_SITE, 30), ("a", 30), ("b", 7), ("c", 90)];
    assert_eq!(days, want.map(|(site, days)| (site.to_owned(), days)));
    assert!(listed("").iter().all(|site| site.due == 1));
    assert_eq!(listed("a").len(), 2);
    // Today and the days before it.
    assert_eq!(events_from(7, NOW), (day_of(NOW) - 7) * DAY_MS);
}

#[test]
fn counts_by_minute_and_hour_are_kept_for_the_longest_window_that_is_asked() {
    let from = minutes_from(NOW);
    let first_hour = crate::read::reconciliation::Reconciliation::parse(
        &crate::http::params::Params::parse("hours=744"),
    )
    .unwrap()
    .first_hour(NOW);
    assert!(from <= first_hour);
    for table in ["minute_counts", "hour_counts"] {
        let sql = database();
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

#[test]
fn turns_are_done_when_no_site_has_more() {
    let mut turns = Turns::new(page(2, |_| true));
    assert!(!turns.is_done());
    let first = turns.next_site().unwrap();
    turns.again(first);
    assert!(turns.next_site().is_some() && turns.next_site().is_some());
    assert!(turns.is_done() && turns.next_site().is_none());
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
fn old_calls_go_in_bounded_steps() {
    let sql = database();
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
