use serde_json::{Value, json};

use super::*;
use crate::archive::{Archive, testing};
use crate::base::time::day_of;
use crate::lake::{hour_of, object_key};
use crate::protocol::hours::Entry;
use crate::read::brute::{ask, event, filled, read};
use crate::testing::{NOW, TestSql};

const HOUR: i64 = 3_600_000;

fn key(at: i64) -> String {
    object_key("demo", 0, "018d0dd9e400010203ff", 7, hour_of(at))
}

fn parse(cursor: Value) -> Result<Rebuild, Fault> {
    let body = json!({"startDate": "2024-01-10", "endDate": "2024-01-14", "cursor": cursor});
    Rebuild::parse(body.to_string().as_bytes(), NOW)
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Tells an archive an object, step by step, and folds it into D1; how many steps it took.
fn tell(archive: &Archive<&TestSql>, d1: &TestSql, text: &str) -> usize {
    let key = key(NOW);
    let name = ObjectName::parse(&key).unwrap();
    let (mut done, mut steps) = (0, 0);
    loop {
        let (some, _, next) = messages(&name, text, done, NOW);
        for message in &some {
            testing::append(archive, message, true).unwrap();
        }
        steps += 1;
        match next {
            Some(next) => done = next,
            None => break,
        }
    }
    testing::fold(archive, d1);
    steps
}

/// A D1 with an archive beside it.
fn pair() -> (TestSql, TestSql) {
    let d1 = TestSql::new();
    d1.migrate();
    (d1, TestSql::new())
}

/// What D1 has of every kind of sum.
fn sums(d1: &TestSql) -> Vec<Value> {
    [
        ("minute_counts", "minute, event_type, source, n"),
        ("hour_counts", "hour, event_type, source, n"),
        ("daily_counts", "date, event_type, n"),
        ("member_gaps WHERE n <> 0", "dim, day, key, gap, n"),
    ]
    .into_iter()
    .flat_map(|(table, columns)| {
        let sql = format!(
            "SELECT json_group_array(json_array({columns})) AS rows FROM (SELECT * FROM {table} ORDER BY {columns})"
        );
        crate::base::sql::Sql::rows::<Value>(d1, &sql, &[]).unwrap()
    })
    .collect()
}

#[test]
fn a_lost_archive_and_d1_have_the_same_sums_afterwards_and_another_time_changes_nothing() {
    let events: Vec<Value> = (0..400).map(|n| event("demo", n)).collect();
    let was = filled("demo", &events);
    let (d1, sql) = pair();
    let archive = testing::open(&sql, "demo");
    for _ in 0..2 {
        assert_eq!(tell(&archive, &d1, &lines(&events)), 1);
        assert_eq!(read(&d1, "demo"), read(&was, "demo"));
        assert_eq!(sums(&d1), sums(&was));
    }
    // Nor does it on an archive that had taken the events by themselves.
    let (d1, sql) = pair();
    let archive = testing::open(&sql, "demo");
    for (row, some) in events.chunks(100).enumerate() {
        let body = crate::testing::message("demo", 0, &[(row, NOW, some)]);
        testing::append(&archive, &body, false).unwrap();
    }
    tell(&archive, &d1, &lines(&events));
    assert_eq!(sums(&d1), sums(&was));
    assert_eq!(sql.number("SELECT sum(n) FROM segments"), 400);
}

#[test]
fn a_d1_that_was_lost_is_folded_from_the_archive() {
    let events: Vec<Value> = (0..300).map(|n| event("demo", n)).collect();
    let (d1, sql) = pair();
    let archive = testing::open(&sql, "demo");
    for (row, some) in events.chunks(50).enumerate() {
        let body = crate::testing::message("demo", 0, &[(row, NOW, some)]);
        testing::append(&archive, &body, false).unwrap();
        testing::fold(&archive, &d1);
    }
    let (lost, _) = pair();
    // What comes until somebody rebuilds is no fold that it takes.
    let body = crate::testing::message("demo", 0, &[(90, NOW, &[event("demo", 300)])]);
    testing::append(&archive, &body, false).unwrap();
    let some = archive.unfolded().unwrap();
    archive.fold(&some, &[], NOW).unwrap();
    let (fold, statements) = archive.pending().unwrap().unwrap();
    let at: Vec<crate::archive::Cursor> = lost.batch(&statements).unwrap();
    assert!(archive.settle(fold, at.first().copied()).is_err());
    assert_eq!(lost.number("SELECT count(*) FROM minute_counts"), 0);
    archive.forget_folds(NOW).unwrap();
    testing::fold(&archive, &lost);
    testing::fold(&archive, &d1);
    let all: Vec<Value> = (0..301).map(|n| event("demo", n)).collect();
    assert_eq!(sums(&lost), sums(&filled("demo", &all)));
}

#[test]
fn a_large_object_takes_several_steps_of_bounded_messages() {
    let events: Vec<Value> = (0..300)
        .map(|n| {
            let mut event = event("demo", n);
            event["metadata"]["note"] = "x".repeat(9_000).into();
            event
        })
        .collect();
    let text = lines(&events);
    let name = key(NOW);
    let name = ObjectName::parse(&name).unwrap();
    let (first, events_of, next) = messages(&name, &text, 0, NOW);
    assert_eq!(events_of, next.unwrap());
    assert_eq!(first.len(), MESSAGES);
    let bytes: usize = text.lines().take(next.unwrap()).map(str::len).sum();
    assert!(bytes <= MESSAGES * MESSAGE_BYTES, "{bytes}");
    let (d1, sql) = pair();
    let archive = testing::open(&sql, "demo");
    assert_eq!(tell(&archive, &d1, &text), 3);
    assert_eq!(sql.number("SELECT sum(n) FROM segments"), 300);
    // The last line of an object ends it.
    let same = lines(&events[..1]).repeat(20);
    let (one, events, next) = messages(&name, &same, 19, NOW);
    assert_eq!((one.len(), events, next), (1, 1, None));
}

#[test]
fn what_is_no_event_is_told() {
    let (_, sql) = pair();
    let archive = testing::open(&sql, "demo");
    let name = key(NOW);
    let name = ObjectName::parse(&name).unwrap();
    for bad in ["x\n", "{}\n", "[1]\n", "\n"] {
        let (some, ..) = messages(&name, bad, 0, NOW);
        let told = testing::append(&archive, &some[0], true).unwrap();
        assert_eq!(told.unreadable.len(), 1, "{bad:?}");
    }
    assert!(messages(&name, "", 0, NOW).0.is_empty());
}

#[test]
fn it_walks_the_days_in_the_order_of_the_names() {
    let whole = parse(Value::Null).unwrap();
    assert_eq!(whole.begun(), None);
    let first = day_of(whole.from_ms());
    for day in first..=first + 4 {
        assert!(key(day * DAY_MS) > whole.after() && whole.has(day));
    }
    assert!(key(whole.from_ms() - 1) < whole.after());
    assert!(!whole.has(first + 5));
    // A cursor from before the days leads to the first of them.
    let before = key(whole.from_ms() - 1);
    assert_eq!(
        parse(json!({"key": before})).unwrap().after(),
        whole.after()
    );

    let at = key(whole.from_ms() + HOUR);
    let between = parse(json!({"key": at})).unwrap();
    assert_eq!((between.begun(), between.after()), (None, at.clone()));
    let within = parse(json!({"key": at, "lines": 9})).unwrap();
    assert_eq!(within.begun(), Some((at.as_str(), 9)));
}

#[test]
fn bad_calls_are_named() {
    // An object of somebody else's may be the last that was looked at.
    assert!(parse(json!({"key": "events/date=2024-01-10/_SUCCESS"})).is_ok());
    for cursor in [json!({"key": "imports/x"}), json!({"key": ""})] {
        let fault = parse(cursor).unwrap_err();
        assert!(matches!(
            fault,
            Fault::Malformed {
                field: Some("cursor"),
                ..
            }
        ));
    }
    for body in [
        "",
        "{}",
        r#"{"startDate":"2024-01-10"}"#,
        r#"{"startDate":1,"endDate":2}"#,
    ] {
        assert_eq!(
            Rebuild::parse(body.as_bytes(), NOW).unwrap_err().status(),
            400,
            "{body}"
        );
    }
    let body = br#"{"startDate":"2024-01-11","endDate":"2024-01-10"}"#;
    assert_eq!(
        Rebuild::parse(body, NOW).unwrap_err().code(),
        "invalid_parameter"
    );
}

#[test]
fn what_waits_of_the_days_is_waited_for() {
    let rebuild = parse(Value::Null).unwrap();
    let end = rebuild.from_ms() + 5 * DAY_MS;
    let entry = |bucket, n| Entry {
        bucket,
        key: String::new(),
        n,
    };
    let shard = ShardHours {
        done: vec![entry(end - HOUR, 100)],
        waiting: vec![
            entry(end - 2 * HOUR, 3),
            entry(end - HOUR, 4),
            entry(end, 50),
        ],
    };
    assert_eq!(rebuild.waiting(&shard), 7);
    assert_eq!(rebuild.waiting(&ShardHours::default()), 0);
}

#[test]
fn old_days_that_are_counted_are_refused_where_they_begin() {
    let old = NOW - 60 * DAY_MS;
    let sql = filled("demo", &[]);
    sql.execute_batch(&format!(
        "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('demo', '', '[]', 0); \
         INSERT INTO daily_counts VALUES ('demo', '{}', 'page_view', 1)",
        date(day_of(old))
    ));
    let whole = parse(Value::Null).unwrap();
    let counted = |rebuild: &Rebuild, at: i64| {
        let statement = rebuild.counted(day_of(at), NOW)?;
        Some(ask::<Value>(&sql, &statement).len())
    };
    assert_eq!(counted(&whole, old), Some(1));
    assert_eq!(counted(&whole, old - DAY_MS), Some(0));
    // A retention that was raised brings no id back that was forgotten before.
    sql.execute_batch("UPDATE sites SET retention_days = 90");
    assert_eq!(counted(&whole, old), Some(1));
    // Shoreline's own calls are counted, too.
    sql.execute_batch("UPDATE daily_counts SET site_id = '_shoreline'");
    assert_eq!(counted(&whole, old), Some(1));
    // 45 days of ids are kept, and the day that begins to be forgotten is not relied on.
    assert_eq!(counted(&whole, NOW - 45 * DAY_MS), Some(0));
    assert_eq!(counted(&whole, NOW - 44 * DAY_MS), Some(0));
    assert_eq!(counted(&whole, NOW - 43 * DAY_MS), None);
    // Within the day the counts are its own.
    let within = parse(json!({"key": key(old)})).unwrap();
    assert_eq!(counted(&within, old), None);
    let from_before = parse(json!({"key": key(old - DAY_MS)})).unwrap();
    assert_eq!(counted(&from_before, old), Some(1));
}

#[test]
fn it_is_known_to_run_until_it_ends_or_its_caller_gave_up() {
    let sql = filled("demo", &[]);
    let run = |told: Statement| crate::base::sql::Sql::run(&sql, told.sql, &told.params).unwrap();
    let runs_at = |now| runs(ask::<Job>(&sql, &noted()).pop().as_ref(), now);
    let this = parse(Value::Null).unwrap();
    let other = Rebuild {
        days: Days {
            last: this.days.last - 1,
            ..this.days
        },
        cursor: None,
    };
    assert!(!runs_at(NOW));
    run(this.note(NOW));
    assert!(runs_at(NOW) && runs_at(NOW + RUNS_MS - 1));
    assert!(!runs_at(NOW + RUNS_MS));
    run(other.note(NOW + 1));
    run(other.end());
    assert!(runs_at(NOW));
    run(this.end());
    assert!(!runs_at(NOW));
}
