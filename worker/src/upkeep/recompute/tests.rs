use serde_json::{Value, json};

use super::*;
use crate::archive::Archive;
use crate::archive::spread::split;
use crate::archive::testing::{KEY, append, fold, open, open_shard};
use crate::base::sql::Sql;
use crate::base::time::DAY_MS;
use crate::protocol::Message;
use crate::read::brute::{DAY, ask, count, distinct, event, read};
use crate::testing::{TestSql, message};

mod mended;
mod void;

const NOW: i64 = (DAY + 5) * DAY_MS + 3 * HOUR_MS;

/// Archives and D1, which has taken all of their folds.
struct System {
    /// The first archive.
    sql: TestSql,
    others: Vec<TestSql>,
    d1: TestSql,
}

impl System {
    fn new() -> Self {
        Self::of(1)
    }

    fn of(archives: usize) -> Self {
        let d1 = TestSql::new();
        d1.migrate();
        Self {
            sql: TestSql::new(),
            others: (1..archives).map(|_| TestSql::new()).collect(),
            d1,
        }
    }

    fn archives(&self) -> Vec<Archive<&TestSql>> {
        let all: Vec<&TestSql> = std::iter::once(&self.sql).chain(&self.others).collect();
        let number = u32::try_from(all.len()).unwrap();
        let open = |(shard, sql)| open_shard(sql, "demo", (shard, number));
        (0..).zip(all).map(open).collect()
    }

    /// Appends a message of these events, and folds it.
    fn take(&self, row: usize, events: &[Value]) {
        let (archives, body) = (self.archives(), message("demo", 0, &[(row, 0, events)]));
        let parts = match archives.len() {
            1 => vec![body],
            _ => split(&Message::parse(&body).unwrap(), archives[0].archives(), KEY),
        };
        for (archive, part) in archives.iter().zip(&parts) {
            append(archive, part, false).unwrap();
            fold(archive, &self.d1);
        }
    }

    /// What the archives answer, as it is told.
    fn counted(&self, day: Day) -> Option<Counted> {
        let count = |archive: &Archive<&TestSql>| -> Option<Counted> {
            let mut recount = archive.recount(day).unwrap();
            while recount.slice(archive.sql(), 0).unwrap() {}
            let text = serde_json::to_string(&recount.end(archive.sql()).unwrap()).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        Counted::united(self.archives().iter().map(count).collect())
    }

    /// What a step would write: nothing where there is nothing to do.
    fn mending(&self, step: &Step, now: i64) -> Option<Vec<Statement>> {
        let Some(day) = step.asks() else {
            let found: Vec<Differs> = ask(&self.d1, &step.check_receipt());
            let would: Vec<Repair> = self.d1.would(&step.mend_receipt(now));
            let n: i64 = would.iter().map(|repair| repair.n).sum();
            assert_eq!(found[0].n, n, "{step:?}: {would:?}");
            return (n > 0).then(|| step.mend_receipt(now));
        };
        let counted = self.counted(day)?;
        let stored: Vec<Stored> = ask(&self.d1, &step.stored(day.part, &counted));
        let found = step.differences(&counted, stored);
        (!found.is_empty()).then(|| step.mend(&counted, &found, now))
    }

    /// A whole recount, as the cron does it.
    fn recount(&self, now: i64) -> Vec<Repair> {
        let sites: Vec<SiteDay> = ask(&self.d1, &sites(now));
        let mut repairs = Vec::new();
        for step in steps(&sites, "") {
            if let Some(statements) = self.mending(&step, now) {
                let some: Vec<Repair> = self.d1.batch(&statements).unwrap();
                assert!(!some.is_empty());
                repairs.extend(some);
            }
        }
        repairs
    }

    /// All sums, but those that are nothing.
    fn dump(&self) -> Vec<String> {
        let tables = [
            "breakdowns WHERE events <> 0 OR a <> 0 OR b <> 0",
            "member_gaps WHERE n <> 0",
            "domain_hours",
            "minute_counts",
            "hour_counts",
            "daily_counts",
            "user_days WHERE first_seen <> 0 OR signups <> 0",
            "session_days WHERE sessions <> 0 OR duration_ms <> 0",
        ];
        let mut all = Vec::new();
        for table in tables {
            let rows: Vec<Value> = self
                .d1
                .rows(&format!("SELECT * FROM {table}"), &[])
                .unwrap();
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{table} {row}")).collect();
            rows.sort();
            all.append(&mut rows);
        }
        all
    }

    fn damage(&self, sql: &str) {
        self.d1.execute_batch(sql);
    }
}

fn events(n: usize) -> Vec<Value> {
    (0..n).map(|n| event("demo", n)).collect()
}

fn filled(events: &[Value]) -> System {
    let system = System::new();
    for (n, some) in events.chunks(50).enumerate() {
        system.take(1_000 + n, some);
    }
    system
}

fn database() -> (System, Vec<Value>) {
    let events = events(250);
    (filled(&events), events)
}

/// The steps of a day, by what they ask.
fn step(day: i64, part: Option<Part>) -> Step {
    Step {
        site: "demo".into(),
        day,
        check: CHECKS.iter().position(|check| *check == part).unwrap(),
    }
}

#[test]
fn what_is_right_is_left_alone() {
    let (system, events) = database();
    let changes = || system.d1.number("SELECT total_changes()");
    let before = changes();
    for day in 1..=10 {
        assert_eq!(system.recount(NOW + (day - 5) * DAY_MS), []);
    }
    assert_eq!(changes(), before);
    assert_eq!(read(&system.d1, "demo"), count("demo", &events).sums());
}

/// Also on a day on which nothing happened, or of which a user was erased.
#[test]
fn a_run_goes_on_where_the_last_one_ended() {
    let (system, _) = database();
    let sites: Vec<SiteDay> = ask(&system.d1, &sites(NOW));
    assert_eq!(
        sites.iter().map(|s| s.day).collect::<Vec<_>>(),
        [DAY + 3, DAY + 4, DAY + 5]
    );
    assert!(sites.iter().all(|s| s.site_id == "demo"));
    let all = steps(&sites, "");
    assert_eq!(all.len(), 3 * CHECKS.len());
    for n in 0..all.len() {
        assert_eq!(steps(&sites, &all[n].cursor()), all[n + 1..]);
    }
    assert_eq!(steps(&sites, "nonsense").len(), all.len());
    assert_eq!(hour_of(NOW + 59 * 60_000), NOW);
}

/// A day on which the archive was not there yet, or not from its begin on, may hold what one before it has
/// counted, which was lost.
#[test]
fn keys_for_which_a_day_had_no_room_stay_among_the_others() {
    let system = System::new();
    let view = |n: usize| {
        let mut one = event("demo", 0);
        one["eventId"] = crate::testing::uuid(n).into();
        one["eventType"] = "page_view".into();
        one["eventData"] = json!({"path": format!("/{}", n % 600)});
        one["timestamp"] = ((DAY + 5) * DAY_MS).into();
        one["userId"] = format!("u{}", n % 7).into();
        one
    };
    let all: Vec<Value> = (0..700).map(view).collect();
    for (n, some) in all.chunks(100).enumerate() {
        system.take(n, some);
    }
    let others = "SELECT events FROM breakdowns WHERE dim = 'page' AND key = '(other)'";
    assert_eq!(system.d1.number(others), 100);
    let right = system.dump();
    assert_eq!(system.recount(NOW), []);
    system.damage("UPDATE breakdowns SET events = 1 WHERE key = '(other)'");
    system.damage("DELETE FROM member_gaps WHERE key = '(other)'");
    assert_eq!(system.recount(NOW).len(), 2);
    assert_eq!(system.dump(), right);
}

#[test]
fn statements_find_their_rows_by_key() {
    let (system, _) = database();
    system.damage(
        "UPDATE breakdowns SET events = 99; UPDATE member_gaps SET n = 99; \
         UPDATE domain_hours SET n = 99; UPDATE minute_counts SET n = 99; DELETE FROM user_days",
    );
    let mut statements = vec![sites(NOW)];
    for step in steps(&ask::<SiteDay>(&system.d1, &sites(NOW)), "") {
        if let Some(day) = step.asks() {
            let counted = system.counted(day).unwrap();
            statements.push(step.stored(day.part, &counted));
        }
        statements.extend(system.mending(&step, NOW).unwrap_or_default());
        statements.push(step.check_receipt());
    }
    for site in
        ask::<crate::upkeep::prune::Site>(&system.d1, &crate::upkeep::prune::archives("", 30))
    {
        statements.extend(crate::upkeep::prune::turn(&site, NOW));
    }
    statements.push(crate::upkeep::prune::sites("", 30, NOW));
    assert!(statements.len() > 30);
    let tables = [
        "breakdowns",
        "member_gaps",
        "domain_hours",
        "minute_counts",
        "hour_counts",
        "daily_counts",
        "user_days",
        "session_days",
        "b",
        "m",
        "h",
        "u",
        "c",
    ];
    for analyze in ["SELECT 1", "ANALYZE"] {
        system.damage(analyze);
        for statement in &statements {
            let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            for step in system.d1.rows::<Value>(&plan, &statement.params).unwrap() {
                let step = step["detail"].as_str().unwrap();
                let mut words = step.split(' ');
                let (how, table) = (words.next(), words.next().unwrap_or_default());
                if tables.contains(&table) {
                    let fine = how == Some("SEARCH") && !step.ends_with("(site_id=?)");
                    assert!(fine, "{step}\n{}", statement.sql);
                }
            }
        }
    }
}
