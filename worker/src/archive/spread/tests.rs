use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{KEY, append, open, open_shard};
use super::*;
use crate::archive::consume::{confirmation, united};
use crate::protocol::message::MessageRow;
use crate::read::brute::event;
use crate::testing::{NOW, TestSql, message};

/// The lines of each row of a part.
fn rows(part: &[u8]) -> Vec<(i64, Vec<String>)> {
    let message = Message::parse(part).unwrap();
    let lines = |row: &MessageRow<'_>| -> Vec<String> {
        let text = std::str::from_utf8(row.lines).unwrap();
        assert_eq!(text.lines().count(), row.n);
        text.lines().map(str::to_owned).collect()
    };
    message
        .rows
        .iter()
        .map(|row| (row.seq, lines(row)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn each_event_is_in_one_archive_the_one_of_its_user_and_each_has_all_rows(
        sizes in prop::collection::vec(0_usize..9, 1..6),
        archives in 1_u32..7,
    ) {
        let mut n = 0;
        let rows_of: Vec<Vec<Value>> = sizes.iter().map(|size| {
            n += size;
            (n - size..n).map(|n| event("demo", n)).collect()
        }).collect();
        let of: Vec<(usize, i64, &[Value])> =
            rows_of.iter().enumerate().map(|(seq, row)| (seq, NOW, &row[..])).collect();
        let body = message("demo", 3, &of);
        let whole = Message::parse(&body).unwrap();
        let parts = split(&whole, archives, KEY);
        prop_assert_eq!(&parts, &split(&whole, archives, KEY));
        prop_assert_eq!(parts.len(), archives as usize);
        let mut homes: BTreeMap<String, u32> = BTreeMap::new();
        let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (archive, part) in (0..).zip(&parts) {
            let told = Message::parse(part).unwrap();
            prop_assert_eq!((&told.site, told.shard, &told.epoch), (&whole.site, 3, &whole.epoch));
            prop_assert!(is_home(&told, archive, archives, KEY));
            let rows = rows(part);
            prop_assert_eq!(rows.len(), sizes.len());
            for (seq, lines) in rows {
                for line in &lines {
                    let event: Value = serde_json::from_str(line).unwrap();
                    if let Some(user) = event["userId"].as_str() {
                        prop_assert_eq!(*homes.entry(user.into()).or_insert(archive), archive);
                    }
                }
                found.entry(seq).or_default().extend(lines);
            }
        }
        for (seq, mut lines) in found {
            let mut want: Vec<String> =
                rows_of[usize::try_from(seq).unwrap()].iter().map(Value::to_string).collect();
            lines.sort();
            want.sort();
            prop_assert_eq!(lines, want);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_fails_between_each_event_is_stored_once_and_each_repeat_is_told(
        messages in prop::collection::vec(prop::collection::vec(0_usize..40, 0..12), 1..8),
        faults in prop::collection::vec((0_usize..3, 1_u32..14), 0..12),
    ) {
        let databases: Vec<TestSql> = (0..3).map(|_| TestSql::new()).collect();
        let shards = (0..).zip(&databases);
        let archives: Vec<_> =
            shards.map(|(shard, sql)| open_shard(sql, "demo", (shard, 3))).collect();
        let mut faults = faults.into_iter();
        let stored = || -> usize {
            let count = "SELECT coalesce(sum(n), 0) FROM segments";
            databases.iter().map(|sql| usize::try_from(sql.number(count)).unwrap()).sum()
        };
        let mut sent: Vec<usize> = Vec::new();
        let mut told_of: Vec<usize> = Vec::new();
        // All of them once more, as a log does that did not hear of it.
        for again in [false, true] {
            for (row, numbers) in messages.iter().enumerate() {
                let events: Vec<Value> = numbers.iter().map(|n| event("demo", *n)).collect();
                let body = message("demo", 0, &[(row, NOW, &events)]);
                let whole = Message::parse(&body).unwrap();
                let told = loop {
                    if let Some((archive, statement)) = faults.next() {
                        databases[archive].fail_in(statement);
                    }
                    let parts = split(&whole, 3, KEY);
                    let told = archives.iter().zip(&parts).map(|(to, part)| append(to, part, false));
                    let told: Vec<_> = told.collect();
                    databases.iter().for_each(TestSql::never_fail);
                    if let Ok(told) = told.into_iter().collect::<Result<Vec<_>, _>>() {
                        break confirmation(&whole, &united(told));
                    }
                };
                let row = i64::try_from(row).unwrap();
                prop_assert_eq!(&told.ranges, &[(row, row)]);
                let repeats = told.duplicates.iter().map(|(_, ids)| ids.len()).sum();
                if again {
                    prop_assert_eq!(told_of[usize::try_from(row).unwrap()], repeats);
                } else {
                    let known = sent.len();
                    sent.extend(numbers);
                    sent.sort_unstable();
                    sent.dedup();
                    prop_assert_eq!(repeats, known + numbers.len() - sent.len());
                    told_of.push(repeats);
                }
                prop_assert_eq!(stored(), sent.len());
            }
        }
    }
}

#[test]
fn a_row_that_cannot_be_read_is_told_to_the_first_archive_alone() {
    let (odd, fine) = ([json!({"odd": 1})], [event("demo", 1)]);
    let body = message("demo", 0, &[(1, NOW, &odd), (2, NOW, &fine)]);
    let parts = split(&Message::parse(&body).unwrap(), 3, KEY);
    let seqs = parts
        .iter()
        .map(|part| rows(part).iter().map(|row| row.0).collect());
    assert_eq!(
        seqs.collect::<Vec<Vec<i64>>>(),
        [vec![1, 2], vec![2], vec![2]]
    );
    let sql = TestSql::new();
    let told = append(&open_shard(&sql, "demo", (0, 3)), &parts[0], false).unwrap();
    assert_eq!(
        told.unreadable.iter().map(|row| row.0).collect::<Vec<_>>(),
        [1]
    );
}

#[test]
fn lines_of_another_number_of_archives_are_not_at_home() {
    let events: Vec<Value> = (0..60).map(|n| event("demo", n)).collect();
    let body = message("demo", 0, &[(1, NOW, &events)]);
    let whole = Message::parse(&body).unwrap();
    for part in &split(&whole, 3, KEY) {
        let part = Message::parse(part).unwrap();
        for (shard, archives) in [(0, 1), (1, 1), (0, 2), (1, 5), (9, 3)] {
            assert_eq!(
                is_home(&part, shard, archives, KEY),
                archives == 1 && shard == 0,
                "{shard} of {archives}"
            );
        }
    }
    // Who was erased is where they were.
    let mut erased = event("demo", 0);
    erased["userId"] = json!(format!("erased-{}", "0".repeat(16)));
    let body = message("demo", 0, &[(1, NOW, &[erased])]);
    let message = Message::parse(&body).unwrap();
    assert!((0..3).all(|shard| is_home(&message, shard, 3, KEY)));
}

#[test]
fn the_number_is_that_of_the_first_time_and_one_of_an_archive_that_was_alone() {
    let sql = TestSql::new();
    for setting in [3, 5, 1] {
        assert_eq!(open_shard(&sql, "demo", (0, setting)).archives(), 3);
    }
    let sql = TestSql::new();
    let body = message("demo", 0, &[(1, NOW, &[event("demo", 1)])]);
    append(&open(&sql, "demo"), &body, false).unwrap();
    sql.execute_batch("DROP TABLE spread");
    assert_eq!(open_shard(&sql, "demo", (0, 4)).archives(), 1);
}
