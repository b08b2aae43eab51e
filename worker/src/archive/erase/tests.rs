use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::archive::filled::{add, lines, opened};
use crate::archive::{Column, Hasher, Who};
use crate::base::time::{DAY_MS, day_of};
use crate::read::brute::{DAY, KEY, event};
use crate::testing::TestSql;

mod faults;

const NOW: i64 = (DAY + 20) * DAY_MS;
const SECRET: &str = "00112233445566778899aabbccddeeff";
const ALL: Settled<'static> = Settled {
    folded: i64::MAX,
    is_free: &|_| Ok(true),
};

fn alias(erased_at: i64) -> Alias {
    Alias {
        alias_key: SECRET.into(),
        erased_at,
    }
}

fn hash_of(user: &str) -> u64 {
    Hasher::new("demo", KEY).user(user)
}

/// A step, as the object does it.
fn step(sql: &TestSql, user: &str, alias: &Alias, settled: &Settled<'_>) -> Result<Step, SqlError> {
    let user = hash_of(user);
    let found = find(sql, user, &[user], alias, settled)?;
    let mut hasher = Hasher::new("demo", KEY);
    let mut rewritten = Vec::new();
    for hit in &found.hits {
        let text = std::str::from_utf8(&hit.lines).unwrap();
        if let Some(one) = rewrite(hit, text, "demo", &[user], alias, &mut hasher)? {
            let packed = one.lines.clone().into_bytes();
            rewritten.push((one, packed));
        }
    }
    write(sql, user, &found, &rewritten)
}

/// Erases as much as can be now: events, whether all is done, and steps.
fn erase(sql: &TestSql, user: &str, alias: &Alias, settled: &Settled<'_>) -> (i64, bool, usize) {
    suppress(sql, hash_of(user), &[hash_of(user)], alias).unwrap();
    let (mut events, mut steps) = (0, 0);
    loop {
        let done = step(sql, user, alias, settled).unwrap();
        events += done.events;
        steps += 1;
        assert!(!(done.more && done.complete));
        if !done.more {
            return (events, done.complete, steps);
        }
    }
}

fn archive(events: &[Value], size: usize) -> TestSql {
    let sql = opened();
    add(&sql, "demo", events, size);
    sql
}

fn events(n: usize) -> Vec<Value> {
    (0..n).map(|n| event("demo", n)).collect()
}

fn count(sql: &TestSql, table: &str) -> i64 {
    sql.number(&format!("SELECT count(*) FROM {table}"))
}

#[test]
fn an_erased_user_is_nowhere_and_nobody_else_is_touched() {
    let events = events(600);
    let sql = archive(&events, 7);
    let bounds = "SELECT sum(first_at * seq) + sum(last_at * seq) + sum(hour * seq) FROM segments";
    let before = sql.number(bounds);
    let mine: Vec<&Value> = events.iter().filter(|e| e["userId"] == "u1").collect();
    let n = i64::try_from(mine.len()).unwrap();
    let (erased, complete, steps) = erase(&sql, "u1", &alias(NOW), &ALL);
    assert_eq!((erased, complete), (n, true));
    // Each of these segments has the user, and a step takes a few.
    assert!(steps > 4, "{steps}");
    assert_eq!(sql.number(bounds), before);
    let after = lines(&sql, "demo");
    let (mut users, mut sessions) = (BTreeSet::new(), BTreeMap::new());
    for (was, is) in events.iter().zip(&after) {
        if was["userId"] != "u1" {
            assert_eq!(was, is);
            continue;
        }
        assert_eq!(
            (&is["eventData"], &is["metadata"]),
            (&json!({}), &json!({}))
        );
        for kept in [
            "eventId",
            "eventType",
            "timestamp",
            "receivedAt",
            "country",
            "source",
        ] {
            assert_eq!(was[kept], is[kept], "{kept}");
        }
        users.insert(is["userId"].as_str().unwrap().to_owned());
        // Sessions stay as many as they were.
        let session = sessions
            .entry(was["sessionId"].to_string())
            .or_insert(&is["sessionId"]);
        assert_eq!(*session, &is["sessionId"]);
    }
    assert_eq!(users.len(), 1);
    assert!(users.first().unwrap().starts_with("erased-"));
    let days: BTreeSet<i64> = mine
        .iter()
        .map(|e| day_of(e["timestamp"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        count(&sql, "erased_days"),
        i64::try_from(days.len()).unwrap()
    );
    let rows = sql.number("SELECT sum(day) FROM erased_days");
    assert_eq!(rows, days.iter().sum::<i64>());
}

#[test]
fn columns_tell_a_funnel_the_same_users_and_how_fast_a_page_was_but_not_which() {
    let vital = |n: usize, user: &str| {
        let mut one = event("demo", n);
        one["userId"] = user.into();
        one["eventType"] = "web_vital".into();
        one["eventData"] = json!({"name": "LCP", "value": 812.5, "path": "/me"});
        one
    };
    let sql = archive(&[vital(1, "u1"), vital(2, "u2"), vital(3, "u1")], 9);
    assert_eq!(erase(&sql, "u1", &alias(NOW), &ALL), (2, true, 1));
    let rows: Vec<[Cell; 1]> = sql
        .cells("SELECT CAST(columns || more AS BLOB) FROM segments", &[])
        .unwrap();
    let events = Segment::parse(rows[0][0].bytes())
        .unwrap()
        .events()
        .unwrap();
    assert!(events.iter().all(|e| e.value == Some(812.5)));
    assert!(events.iter().all(|e| e.text(Column::Vital) == Some("LCP")));
    let pages: Vec<_> = events.iter().map(|e| e.text(Column::VitalPage)).collect();
    assert_eq!(pages, [None, Some("/me"), None]);
    assert_eq!([events[0].who, events[1].who], [Who::Erased, Who::Known]);
    assert_eq!(events[0].user, events[2].user);
    assert_ne!(events[0].user, hash_of("u1"));
    assert!(!lines(&sql, "demo")[0].to_string().contains("/me"));
}

#[test]
fn what_came_after_the_erasure_stays_until_a_second_one() {
    let hours = [5, 1, 9, 3, 7];
    let events: Vec<Value> = hours
        .iter()
        .enumerate()
        .map(|(n, hour)| {
            let mut one = event("demo", n);
            one["userId"] = "u1".into();
            one["receivedAt"] = (NOW + hour * 3_600_000).into();
            one
        })
        .collect();
    let sql = archive(&events, 1);
    let at = |hour: i64| alias(NOW + hour * 3_600_000);
    let left = |sql: &TestSql| {
        let named = lines(sql, "demo")
            .into_iter()
            .filter(|e| e["userId"] == "u1");
        named
            .map(|e| (e["receivedAt"].as_i64().unwrap() - NOW) / 3_600_000)
            .collect::<Vec<_>>()
    };
    // Up to the moment, to the millisecond.
    let just_before = alias(NOW + 5 * 3_600_000 - 1);
    assert_eq!(erase(&sql, "u1", &just_before, &ALL).0, 2);
    assert_eq!(left(&sql), [5, 9, 7]);
    assert_eq!(erase(&sql, "u1", &at(5), &ALL).0, 1);
    assert_eq!(left(&sql), [9, 7]);
    // An earlier moment takes nothing back.
    assert_eq!(erase(&sql, "u1", &at(1), &ALL), (0, true, 1));
    assert_eq!(
        sql.number("SELECT erased_at FROM erased"),
        NOW + 5 * 3_600_000
    );
    assert_eq!(erase(&sql, "u1", &at(8), &ALL).0, 1);
    assert_eq!(left(&sql), [9]);
    assert_eq!(erase(&sql, "u1", &at(9), &ALL), (1, true, 1));
    assert_eq!((count(&sql, "erased"), count(&sql, "erasing")), (1, 1));
}

#[test]
fn segments_that_are_not_folded_or_that_the_lake_needs_wait_and_the_next_call_takes_them() {
    let events = events(400);
    let sql = archive(&events, 10);
    let mine = i64::try_from(events.iter().filter(|e| e["userId"] == "u1").count()).unwrap();
    let held = |free: fn(i64) -> bool, folded: i64| {
        let is_free = move |seq: i64| Ok(free(seq));
        let settled = Settled {
            folded,
            is_free: &is_free,
        };
        erase(&sql, "u1", &alias(NOW), &settled)
    };
    let mut all = 0;
    for (free, folded, is_complete) in [
        ((|seq| seq > 20) as fn(i64) -> bool, 30, false),
        (|seq| seq > 20, 30, false),
        (|_| true, 30, false),
        (|_| false, 40, false),
        (|_| true, 40, true),
        (|_| true, 40, true),
    ] {
        let (n, complete, _) = held(free, folded);
        all += n;
        assert_eq!(complete, is_complete);
    }
    assert_eq!(all, mine);
    assert!(lines(&sql, "demo").iter().all(|e| e["userId"] != "u1"));
    // A third time nothing is looked at again.
    let found = find(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW), &ALL).unwrap();
    assert_eq!(
        (found.hits.len(), found.through, found.is_last),
        (0, 40, true)
    );
}

/// Two erasures of users who share segments, each of which read them before the other one wrote.
/// As they are after the same erasure of what came in time.
#[test]
fn what_comes_late_is_nameless_as_what_came_in_time() {
    use crate::archive::append;
    use crate::protocol::Message;
    let late = |n: usize, user: &str, received: i64| {
        let mut one = event("demo", n);
        one["userId"] = user.into();
        one["receivedAt"] = received.into();
        one["eventType"] = "web_vital".into();
        one["eventData"] = json!({"name": "INP", "value": 40, "path": "/me"});
        one
    };
    let all = [
        late(1, "u1", NOW),
        late(2, "u2", NOW),
        late(4, "u1", NOW - 9),
        late(3, "u1", NOW + 1),
    ];
    let sql = opened();
    let tables = crate::archive::ids::SCHEMA.into_iter();
    for statement in tables.chain(crate::archive::logs::SCHEMA) {
        sql.execute_batch(statement);
    }
    suppress(&sql, hash_of("u1"), &[hash_of("u1")], &alias(NOW)).unwrap();
    let text = crate::testing::message("demo", 0, &[(99, 0, &all)]);
    let message = Message::parse(&text).unwrap();
    let draft = append::read(&sql, &message, Hasher::new("demo", KEY)).unwrap();
    assert_eq!(draft.segments.len(), 2);

    let in_time = archive(&all, 9);
    assert_eq!(erase(&in_time, "u1", &alias(NOW), &ALL).0, 2);
    let rows: Vec<[Cell; 3]> = in_time
        .cells(
            "SELECT hour, CAST(columns || more AS BLOB), lines FROM segments",
            &[],
        )
        .unwrap();
    let same = |hour: i64| -> (Vec<Value>, Vec<Value>) {
        let late = draft.segments.iter().filter(|segment| segment.hour == hour);
        let late = late.flat_map(|segment| segment.lines.lines());
        let rows = rows.iter().filter(|row| row[0].int() == hour);
        let rows = rows.flat_map(|row| std::str::from_utf8(row[2].bytes()).unwrap().lines());
        let json = |line: &str| serde_json::from_str(line).unwrap();
        (late.map(json).collect(), rows.map(json).collect())
    };
    for segment in &draft.segments {
        let (late, in_time) = same(segment.hour);
        assert_eq!(late, in_time);
        let is_nameless = |e: &Value| e["userId"].as_str().unwrap().starts_with("erased-");
        assert_eq!(late.iter().filter(|e| is_nameless(e)).count(), 1);
        let events = Segment::parse(&segment.columns).unwrap().events().unwrap();
        for (event, line) in events.iter().zip(&late) {
            assert_eq!((event.who == Who::Erased), is_nameless(line));
            assert_eq!(event.value, Some(40.0));
            assert_eq!(event.text(Column::VitalPage).is_none(), is_nameless(line));
        }
    }
    // What came after the erasure is a user's who came back.
    assert!(draft.segments.iter().any(|s| s.lines.contains("\"u1\"")));
}
