use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::archive::segment::Segment;
use crate::archive::testing::{self, KEY};
use crate::archive::{Archive, Hasher};
use crate::base::time::HOUR_MS;
use crate::lake::hour_of;
use crate::lake::testing::unpack;
use crate::protocol::Message;
use crate::testing::{NOW, TestSql, message, uuid};

fn open(sql: &TestSql) -> Archive<&TestSql> {
    testing::open(sql, "demo")
}

fn event(n: usize) -> Value {
    received(n, NOW)
}

fn received(n: usize, at: i64) -> Value {
    json!({
        "eventId": uuid(n), "eventType": "page_view", "siteId": "demo", "source": "tracker",
        "userId": format!("u{}", n % 3), "sessionId": format!("s{}", n % 3), "timestamp": at, "receivedAt": at,
        "eventData": {"path": "/a"}, "metadata": {"platform": "web"},
    })
}

fn append(archive: &Archive<&TestSql>, body: &[u8]) -> Result<Appended, SqlError> {
    testing::append(archive, body, false)
}

/// The ids in the segments' lines, in their order; what the columns say must be the same.
fn stored(sql: &TestSql) -> Vec<String> {
    let rows: Vec<[Cell; 3]> = sql
        .cells(
            "SELECT n, CAST(columns || more AS BLOB), lines FROM segments ORDER BY seq",
            &[],
        )
        .unwrap();
    let mut all = Vec::new();
    for [n, columns, lines] in &rows {
        let text = unpack(lines.bytes());
        let segment = Segment::parse(columns.bytes()).unwrap();
        let ids: Vec<String> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["eventId"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let bits: Vec<u128> = ids.iter().map(|id| crate::archive::id_bits(id)).collect();
        assert_eq!(segment.ids().unwrap(), bits);
        assert_eq!(n.int(), i64::try_from(ids.len()).unwrap());
        all.extend(ids);
    }
    all
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(uuid).collect()
}

fn body(row: usize, events: &[Value]) -> Vec<u8> {
    message("demo", 0, &[(row, NOW, events)])
}

fn events(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(event).collect()
}

#[test]
fn a_row_is_appended_once_and_told_the_same_each_time() {
    let sql = TestSql::new();
    let archive = open(&sql);
    assert_eq!(
        append(&archive, &body(1, &events(0..10))).unwrap(),
        Appended::default()
    );
    let second = body(2, &events(7..15));
    let told = append(&archive, &second).unwrap();
    assert_eq!(told.duplicates, [(2, ids(7..10))]);
    // The consumer died before it told the log, twice.
    for _ in 0..2 {
        assert_eq!(append(&archive, &second).unwrap(), told);
        assert_eq!(
            append(&archive, &body(1, &events(0..10))).unwrap(),
            Appended::default()
        );
    }
    assert_eq!(stored(&sql), ids(0..15));
}

#[test]
fn an_event_that_comes_twice_in_a_message_is_its_first_rows() {
    let sql = TestSql::new();
    let archive = open(&sql);
    let (a, b) = (events(0..4), events(2..6));
    let twice = message("demo", 0, &[(1, NOW, &a), (2, NOW, &b), (1, NOW, &a)]);
    let told = append(&archive, &twice).unwrap();
    assert_eq!(told.duplicates, [(2, ids(2..4))]);
    assert_eq!(stored(&sql), ids(0..6));
}

#[test]
fn the_same_number_of_another_log_is_another_row() {
    let sql = TestSql::new();
    let archive = open(&sql);
    append(&archive, &body(1, &events(0..2))).unwrap();
    append(&archive, &message("demo", 1, &[(1, NOW, &events(2..4))])).unwrap();
    let text = String::from_utf8(body(1, &events(4..6))).unwrap();
    let later = text.replacen("\"epoch\":\"e\"", "\"epoch\":\"later\"", 1);
    append(&archive, later.as_bytes()).unwrap();
    assert_eq!(stored(&sql), ids(0..6));
}

#[test]
fn a_row_that_nobody_can_read_spoils_no_other() {
    let sql = TestSql::new();
    let archive = open(&sql);
    for (bad, n) in [
        (&b"{\"eventId\":1}\n"[..], 1),
        (b"nonsense\n", 1),
        (b"\xff\n", 1),
        (b"", 1),
        (
            b"{\"eventId\":\"x\",\"eventType\":\"a\",\"source\":\"b\",\"receivedAt\":1}\n",
            1,
        ),
    ] {
        let good = format!("{}\n", event(1));
        let mut message =
            Message::parse(b"{\"site\":\"demo\",\"shard\":0,\"epoch\":\"e\",\"rows\":[]}\n")
                .unwrap();
        let row = |seq, n, lines| crate::protocol::message::MessageRow {
            seq,
            at: NOW,
            n,
            lines,
        };
        message.rows = vec![row(1, n, bad), row(2, 1, good.as_bytes())];
        let told = append(&archive, &message.write()).unwrap();
        assert_eq!(told.unreadable.len(), 1, "{bad:?}");
        assert_eq!(told.unreadable[0].0, 1);
        assert_eq!(stored(&sql), ids(1..2));
    }
}

#[test]
fn events_of_several_hours_are_a_segment_an_hour() {
    let sql = TestSql::new();
    let archive = open(&sql);
    let some: Vec<Value> = (0..6)
        .map(|n| received(n, NOW - (n as i64 % 3) * HOUR_MS))
        .collect();
    append(&archive, &body(1, &some)).unwrap();
    let hours: Vec<[Cell; 2]> = sql
        .cells("SELECT hour, n FROM segments ORDER BY hour", &[])
        .unwrap();
    let hours: Vec<(i64, i64)> = hours
        .iter()
        .map(|[hour, n]| (hour.int(), n.int()))
        .collect();
    let hour = hour_of(NOW);
    assert_eq!(hours, [(hour - 2, 2), (hour - 1, 2), (hour, 2)]);
}

#[test]
fn what_comes_from_the_lake_does_not_go_there() {
    let sql = TestSql::new();
    let archive = open(&sql);
    testing::append(&archive, &body(1, &events(0..5)), true).unwrap();
    append(&archive, &body(2, &events(5..7))).unwrap();
    assert_eq!(stored(&sql), ids(0..7));
    let waiting = archive.lake().hours(0).unwrap().waiting;
    assert_eq!(waiting.iter().map(|entry| entry.n).sum::<i64>(), 2);
}

#[test]
fn what_comes_late_of_a_user_who_was_erased_is_nameless() {
    let sql = TestSql::new();
    let archive = open(&sql);
    let user = Hasher::new("demo", KEY).user("u1");
    sql.run(
        "INSERT INTO erased (user, alias_key, erased_at) VALUES (?1, 'secret', ?2)",
        &[user.to_be_bytes().as_slice().into(), NOW.into()],
    )
    .unwrap();
    append(
        &archive,
        &body(1, &[event(0), event(1), received(4, NOW + 1)]),
    )
    .unwrap();
    let rows: Vec<[Cell; 2]> = sql
        .cells(
            "SELECT CAST(columns || more AS BLOB), lines FROM segments",
            &[],
        )
        .unwrap();
    let (mut users, mut types) = (BTreeSet::new(), BTreeSet::new());
    for [columns, lines] in &rows {
        for line in unpack(lines.bytes()).lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            users.insert(
                line["userId"]
                    .as_str()
                    .unwrap()
                    .chars()
                    .take(3)
                    .collect::<String>(),
            );
        }
        for event in Segment::parse(columns.bytes()).unwrap().events().unwrap() {
            types.insert((
                event.who as u8,
                event.text(crate::archive::Column::Page).map(str::to_owned),
            ));
        }
    }
    // What they did later stays theirs.
    assert_eq!(users, ["era", "u0", "u1"].map(str::to_owned).into());
    assert_eq!(types, [(1, Some("/a".to_owned())), (3, None)].into());
}

#[test]
fn a_backlog_that_is_full_takes_nothing() {
    let sql = TestSql::new();
    let archive = open(&sql);
    sql.run("UPDATE backlog SET bytes = 10000000", &[]).unwrap();
    assert!(append(&archive, &body(1, &events(0..3))).is_err());
    assert_eq!(stored(&sql), ids(0..0));
    sql.run("UPDATE backlog SET bytes = 0", &[]).unwrap();
    append(&archive, &body(1, &events(0..3))).unwrap();
    assert_eq!(stored(&sql), ids(0..3));
}

#[test]
fn whatever_statement_fails_all_of_a_message_is_appended_or_nothing() {
    for fault in 1.. {
        let sql = TestSql::new();
        let archive = open(&sql);
        append(&archive, &body(1, &events(0..4))).unwrap();
        sql.fail_in(fault);
        let second = body(2, &events(2..8));
        let failed = append(&archive, &second).is_err();
        sql.never_fail();
        assert_eq!(stored(&sql), ids(0..if failed { 4 } else { 8 }), "{fault}");
        assert_eq!(
            append(&archive, &second).unwrap().duplicates,
            [(2, ids(2..4))],
            "{fault}"
        );
        assert_eq!(stored(&sql), ids(0..8), "{fault}");
        if !failed {
            assert!(fault > 5, "no statement failed");
            return;
        }
    }
}

proptest! {
    /// Rows of overlapping events, in messages of any of them, each brought any number of times.
    #[test]
    fn each_event_is_stored_once_and_its_other_rows_are_told(
        rows in prop::collection::vec((0_usize..30, 1_usize..8), 1..8),
        order in prop::collection::vec((0_usize..8, 0_usize..8), 1..16),
    ) {
        let sql = TestSql::new();
        let archive = open(&sql);
        let events: Vec<Vec<Value>> = rows.iter().map(|(from, n)| events(*from..from + n)).collect();
        let mut told: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let mut came: BTreeSet<usize> = BTreeSet::new();
        for (a, b) in order {
            let (a, b) = (a % rows.len(), b % rows.len());
            came.extend([a, b]);
            let body = message("demo", 0, &[(a, NOW, &events[a]), (b, NOW, &events[b])]);
            for (row, ids) in append(&archive, &body).unwrap().duplicates {
                let before = told.insert(row, ids.clone());
                prop_assert!(before.is_none_or(|before| before == ids));
            }
        }
        let all: Vec<String> = came.iter().flat_map(|row| ids(rows[*row].0..rows[*row].0 + rows[*row].1)).collect();
        let unique: BTreeSet<String> = all.iter().cloned().collect();
        let mut found = stored(&sql);
        found.sort();
        prop_assert_eq!(&found, &unique.iter().cloned().collect::<Vec<_>>());
        let duplicates: usize = told.values().map(Vec::len).sum();
        prop_assert_eq!(duplicates, all.len() - unique.len());
    }
}
