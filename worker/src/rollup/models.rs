//! The read models equal a plain count, however the events come.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::brute::{DAY, KEY, ask, count, distinct, event, read};
use super::*;
use crate::consume::{Batch, Message};
use crate::erase::Alias;
use crate::privacy::DAY_MS;
use crate::recompute::{SiteDay, sites, steps};
use crate::sql::Sql;
use crate::testing::{NOW, TestSql, consume, uuid};

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

fn message(site: &str, row: usize, events: &[Value]) -> Vec<u8> {
    crate::testing::message(site, 0, &[(row, NOW, events)])
}

fn take(sql: &TestSql, text: &[u8]) {
    consume(sql, &[text], KEY).unwrap();
}

fn assert_models(sql: &TestSql, site: &str, events: &[Value]) {
    let want = count(site, events);
    assert_eq!(read(sql, site), want);
    for (dim, key) in [
        ("user", ""),
        ("anon", ""),
        ("page", "/0"),
        ("country", "DE"),
        ("feature", "f1"),
    ] {
        for from in DAY - 1..DAY + 6 {
            for to in from..DAY + 7 {
                let (got, want) = (
                    distinct(sql, site, dim, key, from..=to),
                    want.distinct(dim, key, from..=to),
                );
                assert_eq!(got, want, "{dim} {key} {from} {to}");
            }
        }
    }
    assert_eq!(sql.number("SELECT count(*) FROM members WHERE gap = -1"), 0);
    assert_eq!(
        sql.number("SELECT count(*) FROM member_gaps WHERE n < 0"),
        0
    );
}

#[test]
fn a_failure_at_any_statement_leaves_nothing_and_the_next_try_counts_once() {
    let sql = database();
    let before: Vec<Value> = (0..40).map(|n| event("demo", n)).collect();
    take(&sql, &message("demo", 1, &before));
    let events: Vec<Value> = (30..90).map(|n| event("demo", n)).collect();
    let text = message("demo", 2, &events);
    // Ten of its events are known, so the first statement fails by itself; then it is asked which.
    for nth in 2.. {
        sql.fail_in(nth);
        let stored = consume(&sql, &[&text], KEY);
        sql.fail_in(u32::MAX);
        if stored.is_ok() {
            assert!(nth > 12);
            break;
        }
        assert_models(&sql, "demo", &before);
    }
    for _ in 0..2 {
        take(&sql, &text);
        let all: Vec<Value> = (0..90).map(|n| event("demo", n)).collect();
        assert_models(&sql, "demo", &all);
    }
}

#[test]
fn a_day_that_is_full_counts_the_rest_as_other() {
    let sql = database();
    let view = |n: usize| {
        let mut view = event("demo", n);
        view["eventType"] = "page_view".into();
        view["eventData"] = json!({"path": format!("/{n}")});
        view["timestamp"] = (DAY * DAY_MS).into();
        view["userId"] = format!("u{}", n % 7).into();
        view
    };
    let (first, second): (Vec<Value>, Vec<Value>) =
        ((0..400).map(view).collect(), (400..700).map(view).collect());
    take(&sql, &message("demo", 1, &first));
    take(&sql, &message("demo", 2, &second));
    let number =
        |what: &str| sql.number(&format!("SELECT {what} FROM breakdowns WHERE dim = 'page'"));
    assert_eq!(
        (number("sum(events)"), number("count(*)")),
        (700, MAX_KEYS_PER_DAY + 1)
    );
    assert_eq!(number("sum(events) FILTER (WHERE key = '(other)')"), 200);
    assert_eq!(distinct(&sql, "demo", "page", OTHER, DAY..=DAY), 7);
    // A key that has a row keeps it; one that has none does not get one later.
    let again: Vec<Value> = [(3, 1_000), (650, 1_001)]
        .map(|(page, n)| {
            let mut view = view(page);
            view["eventId"] = uuid(n).into();
            view
        })
        .to_vec();
    take(&sql, &message("demo", 3, &again));
    assert_eq!(number("sum(events) FILTER (WHERE key = '/3')"), 2);
    assert_eq!(number("sum(events) FILTER (WHERE key = '(other)')"), 201);
    assert_eq!(number("count(*)"), MAX_KEYS_PER_DAY + 1);
}

/// What an import brings was received long ago, and its sessions must not be forgotten for that while
/// more of them may come.
#[test]
fn an_old_session_is_one_though_the_sweep_comes_between_its_events() {
    let sql = database();
    for (n, at) in [(1, 0), (2, 60_000)] {
        let mut event = event("demo", n);
        event["sessionId"] = "s".into();
        for name in ["timestamp", "receivedAt"] {
            event[name] = ((DAY - 400) * DAY_MS + at).into();
        }
        take(&sql, &message("demo", n, &[event]));
        let sweep = crate::prune::Sweep::Sessions.delete("", None, 30, NOW + DAY_MS);
        sql.batch::<serde::de::IgnoredAny>(&[sweep]).unwrap();
    }
    let sum = |what: &str| sql.number(&format!("SELECT sum({what}) FROM session_days"));
    assert_eq!((sum("sessions"), sum("duration_ms")), (1, 60_000));
}

#[test]
fn sites_are_counted_apart() {
    let sql = database();
    let events = |site: &str| (0..30).map(|n| event(site, n)).collect::<Vec<Value>>();
    take(&sql, &message("one", 1, &events("one")));
    take(&sql, &message("two", 2, &events("two")));
    assert_models(&sql, "one", &events("one"));
    assert_models(&sql, "two", &events("two"));
}

#[test]
fn users_who_return_after_more_than_a_year_are_counted_in_every_range() {
    let sql = database();
    for (n, day) in [(1, DAY), (2, DAY + 366), (3, DAY + 800)] {
        let mut event = event("demo", n);
        event["userId"] = "u".into();
        event["timestamp"] = (day * DAY_MS).into();
        take(&sql, &message("demo", n, &[event]));
    }
    for (from, to, want) in [
        (0, 365, 1),
        (0, 366, 1),
        (1, 366, 1),
        (366, 731, 1),
        (435, 800, 1),
        (367, 732, 0),
    ] {
        assert_eq!(
            distinct(&sql, "demo", "user", "", DAY + from..=DAY + to),
            want,
            "{from} {to}"
        );
    }
}

/// No statement may walk a table, or all of a site's rows in one: each row is found by its key.
#[test]
fn statements_find_their_rows_by_key() {
    let sql = database();
    let events: Vec<Value> = (0..200).map(|n| event("demo", n)).collect();
    take(&sql, &message("demo", 1, &events));
    sql.execute_batch("INSERT INTO sites (site_id, name, origins, hash_routing, created_at) VALUES ('demo', '', '[]', 0, 0)");
    let now = (DAY + 5) * DAY_MS;
    let sites: Vec<SiteDay> = ask(&sql, &sites(now));
    let steps = steps(&sites, "");
    let recount = steps.iter().flat_map(|step| step.statements(now));
    let alias = Alias {
        alias_key: "a".into(),
        erased_at: now,
    };
    let find = crate::erase::find("demo", "u1", &alias);
    let found = ask(&sql, &find);
    let sites = crate::prune::sites("", 30, now);
    let prune = ask::<crate::prune::Site>(&sql, &sites)
        .iter()
        .flat_map(|site| crate::prune::turn(site, now))
        .chain([sites])
        .collect::<Vec<_>>();
    let text = message("demo", 2, &events);
    let message = Message::parse(&text).unwrap();
    let batch = Batch::of("demo", &[&message], KEY);
    let statements: Vec<Statement> = batch
        .statements(&[])
        .into_iter()
        .chain([batch.known()])
        .chain(recount)
        .chain(crate::erase::forget("demo", &found, &alias))
        .chain([find])
        .chain(prune)
        .collect();
    assert!(statements.len() > 100);
    for analyze in ["SELECT 1", "ANALYZE"] {
        sql.execute_batch(analyze);
        for statement in &statements {
            let plan = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            for step in sql.rows::<Value>(&plan, &statement.params).unwrap() {
                let step = step["detail"].as_str().unwrap();
                let tables = [
                    "events",
                    "event_ids",
                    "members",
                    "member_gaps",
                    "users",
                    "sessions",
                    "breakdowns",
                    "domain_hours",
                    "minute_counts",
                    "hour_counts",
                    "old",
                    "m",
                    "i",
                    "j",
                    "o",
                    "b",
                    "g",
                ];
                let mut words = step.split(' ');
                let (how, table) = (words.next(), words.next().unwrap_or_default());
                if tables.contains(&table) {
                    // By their receipt, those without a time would be looked for among all that are old.
                    let walks = statement.sql.contains("at IS NULL") && step.contains("by_time");
                    let fine = how == Some("SEARCH") && !step.ends_with("(site_id=?)") && !walks;
                    assert!(fine, "{step}\n{}", statement.sql);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_order_repetition_and_batching_gives_the_plain_count(
        parts in prop::collection::vec(prop::collection::btree_set(0_usize..120, 1..25), 1..7),
        order in prop::collection::vec(
            (prop::collection::vec(any::<prop::sample::Index>(), 1..4), 1_u32..40), 1..10),
    ) {
        let sql = database();
        let mut seen = BTreeSet::new();
        for (indexes, fault) in &order {
            let ids: Vec<usize> = indexes.iter().map(|index| index.index(parts.len())).collect();
            let texts: Vec<Vec<u8>> = ids.iter().map(|id| {
                let events: Vec<Value> = parts[*id].iter().map(|n| event("demo", *n)).collect();
                message("demo", 1_000 + id, &events)
            }).collect();
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            sql.fail_in(*fault);
            if consume(&sql, &texts, KEY).is_ok() {
                seen.extend(ids.iter().flat_map(|id| parts[*id].iter().copied()));
            }
            sql.fail_in(u32::MAX);
        }
        let events: Vec<Value> = seen.iter().map(|n| event("demo", *n)).collect();
        assert_models(&sql, "demo", &events);
    }
}

/// Rows that D1 charges for a message: those changed, and an entry of each index beside them.
fn rows_written(sql: &TestSql, text: &[u8]) -> i64 {
    let number = |query: &str| sql.number(query);
    let before = (
        number("SELECT total_changes()"),
        number("SELECT count(*) FROM events"),
        number("SELECT count(*) FROM users"),
    );
    take(sql, text);
    let events = number("SELECT count(*) FROM events") - before.1;
    let users = number("SELECT count(*) FROM users") - before.2;
    number("SELECT total_changes()") - before.0 + 4 * events + users
}

/// A visit as the tracker sends it: every dimension known, another page each time.
fn visit(n: usize, user: usize, page: usize) -> Value {
    json!({
        "eventId": uuid(n), "eventType": "page_view", "siteId": "demo", "source": "tracker",
        "userId": format!("u{user}"), "sessionId": format!("s{user}"),
        "timestamp": DAY * DAY_MS + i64::try_from(n).unwrap() * 10, "receivedAt": DAY * DAY_MS,
        "country": "DE", "browser": "Firefox", "os": "Linux", "device": "desktop",
        "eventData": {"path": format!("/{page}")}, "metadata": {"platform": "web"},
    })
}

/// What docs/METRICS.md says an event costs; D1's price is by rows written.
#[test]
fn an_event_costs_the_rows_that_are_documented() {
    let sql = database();
    // A user's first event of all, alone in its message, on a site with no event yet.
    let first = rows_written(&sql, &message("demo", 1, &[visit(1, 1, 1)]));
    // The same user's next view of the day, alone in its message: of a new page, of a known one.
    let new_page = rows_written(&sql, &message("demo", 2, &[visit(2, 1, 2)]));
    let known_page = rows_written(&sql, &message("demo", 3, &[visit(3, 1, 1)]));
    // A busy site: ten users, ten views each, twenty pages, in one message.
    let busy: Vec<Value> = (0..100)
        .map(|n| visit(100 + n, 10 + n / 10, n % 20))
        .collect();
    let busy = rows_written(&sql, &message("demo", 4, &busy));
    let again = rows_written(&sql, &message("demo", 5, &[visit(1, 1, 1)]));
    assert_eq!(
        (first, new_page, known_page, busy, again),
        (39, 22, 20, 860, 0)
    );
}
