//! Archives of tests, and answers whatever the segments.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::archive::counted::Stored;
use crate::archive::fold::{self, Gathered};
use crate::archive::people::Mode;
use crate::archive::{Event, Hasher, segment};
use crate::base::time::{DAY_MS, HOUR_MS};
use crate::lake::hour_of;
use crate::read::brute::{DAY, KEY, event};
use crate::testing::{TestSql, uuid};

/// The table of segments.
const SEGMENTS: &str = "CREATE TABLE segments (seq INTEGER PRIMARY KEY, hour INTEGER NOT NULL, \
    at INTEGER NOT NULL, n INTEGER NOT NULL, bytes INTEGER NOT NULL, first_at INTEGER NOT NULL, \
    last_at INTEGER NOT NULL, landed INTEGER NOT NULL DEFAULT 0, columns BLOB NOT NULL, \
    more BLOB NOT NULL DEFAULT x'', lines BLOB NOT NULL); CREATE INDEX segments_hour ON segments (hour, seq);";

/// An empty archive.
pub(crate) fn empty() -> TestSql {
    let sql = TestSql::new();
    sql.execute_batch(SEGMENTS);
    fold::create(&sql).unwrap();
    sql
}

/// Adds a segment of events of one hour; its lines are not packed.
pub(crate) fn add_segment(sql: &TestSql, hour: i64, entries: &[(Event<'_>, &str)]) {
    let at = entries.iter().map(|(event, _)| event.at);
    let received = entries
        .iter()
        .map(|(event, _)| event.received)
        .max()
        .unwrap();
    let lines: String = entries
        .iter()
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let columns = segment::encode(entries);
    sql.run(
        "INSERT INTO segments (hour, at, n, bytes, first_at, last_at, columns, more, lines) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, substr(?7, 1, ?9), substr(?7, ?9 + 1), ?8)",
        &[
            hour.into(),
            (received + 5).into(),
            (entries.len() as i64).into(),
            (lines.len() as i64).into(),
            at.clone().min().unwrap().into(),
            at.max().unwrap().into(),
            columns.as_slice().into(),
            lines.as_bytes().into(),
            segment::first_part(&columns).into(),
        ],
    )
    .unwrap();
}

/// Appends stored events, which come once, in segments of `size` at most, and folds them.
pub(crate) fn append(sql: &TestSql, events: &[Value], size: usize) {
    let mut hasher = Hasher::new("demo", KEY);
    let mut gathered = Gathered::default();
    for some in events.chunks(size) {
        let texts: Vec<String> = some.iter().map(Value::to_string).collect();
        let stored: Vec<Stored<'_>> = texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        let mut hours: BTreeMap<i64, Vec<(Event<'_>, &str)>> = BTreeMap::new();
        for (stored, text) in stored.iter().zip(&texts) {
            let event = Event::of(stored, &mut hasher);
            gathered.add(&event);
            let hour = hours.entry(hour_of(event.received)).or_default();
            hour.push((event, text));
        }
        for (hour, entries) in &hours {
            add_segment(sql, *hour, entries);
        }
    }
    gathered.fold(sql, DAY + 9, Mode::Write).unwrap();
}

/// An archive that took these events, in segments of `size` at most.
pub(crate) fn archived(events: &[Value], size: usize) -> TestSql {
    let sql = empty();
    append(&sql, events, size);
    sql
}

/// What the only shard answers.
pub(crate) fn ask<T: DeserializeOwned>(sql: &TestSql, asked: Asked, kept_from: i64) -> Part<T> {
    ask_with(sql, asked, kept_from, true)
}

/// What a shard answers.
pub(crate) fn ask_with<T: DeserializeOwned>(
    sql: &TestSql,
    asked: Asked,
    kept_from: i64,
    alone: bool,
) -> Part<T> {
    let mut asking = begin(asked, kept_from, alone);
    while asking.slice(sql, 0).unwrap() {}
    told(sql, asking)
}

fn begin(asked: Asked, kept_from: i64, alone: bool) -> Asking {
    let body = serde_json::to_vec(&Ask { asked, alone }).unwrap();
    let ask = Ask::parse(&body).unwrap();
    ask.begin(kept_from, &mut Hasher::new("demo", KEY), None)
}

fn told<T: DeserializeOwned>(sql: &TestSql, mut asking: Asking) -> Part<T> {
    loop {
        let some = asking.packed(sql).unwrap();
        if some.is_empty() {
            break;
        }
        for lines in some {
            let text = String::from_utf8(lines.packed.clone()).unwrap();
            asking.cut(&lines, &text);
        }
    }
    serde_json::from_str(&asking.part().unwrap()).unwrap()
}

const RANGE: (i64, i64) = (DAY * DAY_MS, (DAY + 6) * DAY_MS);

pub(crate) fn funnel() -> Asked {
    let step = |kind: &str, page: Option<&str>| Step(kind.into(), page.map(str::to_owned), None);
    Asked::Funnel(FunnelSpec {
        at: RANGE,
        window_ms: 40 * HOUR_MS,
        steps: vec![
            step("page_view", Some("/1")),
            step("page_view", None),
            step("error", None),
        ],
    })
}

pub(crate) fn journeys(limit: usize) -> Asked {
    Asked::Journeys(JourneysSpec {
        at: RANGE,
        depth: 3,
        limit,
        end: None,
    })
}

pub(crate) fn vitals() -> Asked {
    Asked::Vitals(VitalsSpec {
        at: RANGE,
        page: None,
    })
}

/// Event `n`, of which some measure; received within some hours.
fn some_event(n: usize) -> Value {
    let mut event = event("demo", n);
    if n.is_multiple_of(5) {
        event["eventType"] = json!("web_vital");
        event["eventData"] =
            json!({"name": "LCP", "value": 100 * (n % 70), "url": "https://a.example/"});
    }
    let received = (DAY + 9) * DAY_MS + (n as i64 * 7_919) % 40 * HOUR_MS / 10;
    event["receivedAt"] = json!(received);
    event
}

fn some_events(count: usize) -> Vec<Value> {
    (0..count).map(some_event).collect()
}

/// All answers, as texts.
fn answers(sql: &TestSql) -> Vec<String> {
    let all = [funnel(), journeys(100), vitals()];
    let all = all.map(|asked| ask::<Value>(sql, asked, 0).found);
    all.iter().map(resolved).collect()
}

/// What was found as a text; steps of paths are placed in the order in which they were met.
pub(crate) fn resolved(found: &Value) -> String {
    let Ok(part) = serde_json::from_value::<JourneysPart>(found.clone()) else {
        return found.to_string();
    };
    let path = |path: &Vec<u32>| {
        let steps = path.iter().map(|n| part.steps[*n as usize].clone());
        steps.collect()
    };
    let paths = part.paths.iter().map(|(n, steps)| (*n, path(steps)));
    let paths: Vec<(i64, Vec<String>)> = paths.collect();
    format!("{} {paths:?}", part.sessions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn segments_and_order_make_no_difference(
        order in Just(some_events(200)).prop_shuffle(), size in 1_usize..80,
    ) {
        let answered = answers(&archived(&order, size));
        prop_assert_eq!(&answered, &answers(&archived(&some_events(200), 1_000)));
        prop_assert!(!answered[0].contains("[0,0,0]") && answered[2].contains("runs\":[["));
    }

    #[test]
    fn little_memory_makes_no_difference(
        order in Just(some_events(150)).prop_shuffle(), most in 1_usize..60,
    ) {
        let sql = archived(&order, 20);
        for asked in [funnel(), journeys(9)] {
            let scan: Box<dyn Scan> = match &asked {
                Asked::Funnel(spec) => Box::new(funnel::Scan::new(spec.clone(), 0, most)),
                Asked::Journeys(spec) => Box::new(journeys::Scan::new(spec.clone(), 0, most)),
                _ => unreachable!(),
            };
            let mut scanning = Scanning::begin(scan, true);
            while scanning.slice(&sql, 0).unwrap() {}
            let (unreadable, found) = scanning.part();
            let found: Value = serde_json::from_str(&found.unwrap()).unwrap();
            let want = ask::<Value>(&sql, asked, 0);
            prop_assert_eq!(unreadable, 0);
            prop_assert_eq!(resolved(&found), resolved(&want.found));
        }
    }

    /// Segments come, and are rewritten, between any two slices.
    #[test]
    fn what_is_appended_later_is_left_out_and_what_is_rewritten_met_once(
        slices in 1_usize..6, first in 1_usize..10,
    ) {
        let events = some_events(120);
        let sql = archived(&events[..100], 1);
        let want = answers(&sql);
        let mut asking = begin(funnel(), 0, true);
        for _ in 0..slices {
            asking.slice(&sql, 0).unwrap();
        }
        append(&sql, &events[100..], 3);
        while asking.slice(&sql, 0).unwrap() {}
        prop_assert_eq!(told::<Value>(&sql, asking).found.to_string(), want[0].clone());
        // The first ones become one, at the end.
        let whole = answers(&sql);
        let mut asking = begin(funnel(), 0, true);
        for _ in 0..slices {
            asking.slice(&sql, 3).unwrap();
        }
        sql.run("DELETE FROM segments WHERE seq <= ?1", &[(first as i64).into()]).unwrap();
        append(&sql, &events[..first], first);
        while asking.slice(&sql, 4).unwrap() {}
        prop_assert_eq!(told::<Value>(&sql, asking).found.to_string(), whole[0].clone());
    }
}

#[test]
fn a_segment_that_is_broken_is_told_and_the_others_answer() {
    let events = some_events(60);
    let sql = archived(&events[..50], 10);
    let want = answers(&sql);
    append(&sql, &events[50..], 100);
    let last = sql.number("SELECT max(seq) FROM segments");
    let broken =
        "UPDATE segments SET columns = CAST(substr(columns, 1, length(columns) - 9) AS BLOB)";
    sql.run(&format!("{broken} WHERE seq >= ?1"), &[(last).into()])
        .unwrap();
    let count = sql.number("SELECT count(*) FROM segments WHERE length(columns) > 0");
    assert!(count > 1);
    // Only what the broken one had is missing.
    sql.run(
        "DELETE FROM segments WHERE seq < ?1 AND seq > ?2",
        &[last.into(), 0.into()],
    )
    .unwrap();
    for asked in [funnel(), journeys(5), vitals()] {
        assert_eq!(ask::<Value>(&sql, asked, 0).unreadable, 1);
    }
    append(&sql, &events[..50], 10);
    assert_eq!(answers(&sql), want);
    assert_eq!(ask::<Value>(&sql, funnel(), 0).unreadable, 1);
}

#[test]
fn what_is_no_longer_kept_is_not_looked_at() {
    let events = some_events(150);
    let kept_from = (DAY + 3) * DAY_MS;
    let kept: Vec<Value> = events
        .iter()
        .filter(|event| event["timestamp"].as_i64().unwrap() >= kept_from)
        .cloned()
        .collect();
    let (all, kept) = (archived(&events, 11), archived(&kept, 11));
    for asked in [funnel(), vitals()] {
        let found = ask::<Value>(&all, asked.clone(), kept_from).found;
        assert_eq!(found, ask::<Value>(&kept, asked.clone(), 0).found);
        assert_ne!(found, ask::<Value>(&all, asked, 0).found);
    }
}

#[test]
fn a_user_who_was_erased_is_one_still_and_nobody_else_is() {
    let users = [
        json!("u"),
        json!("erased-0123456789abcdef"),
        json!(null),
        json!(format!("anon-{}", "a".repeat(32))),
    ];
    let events: Vec<Value> = users
        .iter()
        .enumerate()
        .map(|(n, user)| {
            let mut event = event("demo", n);
            event["eventId"] = json!(uuid(n));
            event["eventType"] = json!("error");
            event["userId"] = user.clone();
            event
        })
        .collect();
    let asked = Asked::Funnel(FunnelSpec {
        at: RANGE,
        window_ms: 1,
        steps: vec![Step("error".into(), None, None)],
    });
    let found = ask::<FunnelPart>(&archived(&events, 4), asked, 0).found;
    assert_eq!(found.groups[0].users, [2]);
}

#[test]
fn an_error_of_the_database_is_told_and_the_slice_can_be_tried_again() {
    let sql = archived(&some_events(100), 1);
    let want = answers(&sql);
    for fault in 1..6 {
        let mut asking = begin(funnel(), 0, true);
        sql.fail_in(fault);
        let mut failures = 0;
        loop {
            match asking.slice(&sql, 0) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => failures += 1,
            }
        }
        sql.never_fail();
        assert!(failures <= 1);
        assert_eq!(told::<Value>(&sql, asking).found.to_string(), want[0]);
    }
}

#[test]
fn the_most_travelled_paths_are_found_in_whatever_order_they_come() {
    use crate::read::journeys::Journeys;
    use crate::read::question::{Question, Told};
    let mut events = Vec::new();
    // Sessions of one page each, as many as stand beside it.
    for (page, sessions) in [
        ("/a", 1),
        ("/b", 9),
        ("/c", 5),
        ("/d", 7),
        ("/e", 2),
        ("/f", 6),
    ] {
        for _ in 0..sessions {
            let n = events.len();
            events.push(json!({
                "eventId": crate::testing::uuid(n), "eventType": "page_view", "siteId": "demo",
                "source": "tracker", "userId": "u", "sessionId": format!("s{n}"),
                "timestamp": DAY * DAY_MS, "receivedAt": DAY * DAY_MS, "eventData": {"path": page},
            }));
        }
    }
    let sql = archived(&events, 4);
    let date = crate::base::time::date(DAY);
    for limit in 1..7 {
        let body = json!({"startDate": date, "endDate": date, "limit": limit});
        let asked = Journeys::parse(body.to_string().as_bytes(), (DAY + 1) * DAY_MS).unwrap();
        let question = asked.asked().of_archive();
        let found = Told::plain(ask::<JourneysPart>(&sql, question, 0).found);
        let answer = serde_json::to_value(asked.answer(vec![found], None)).unwrap();
        let paths = answer["paths"].as_array().unwrap().iter();
        let paths: Vec<&str> = paths
            .map(|path| path["steps"][0][1].as_str().unwrap())
            .collect();
        assert_eq!(paths, ["/b", "/d", "/f", "/c", "/e", "/a"][..limit]);
    }
}
