use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::TestSql;

/// Sets records; those of more than `keep` bytes go when a page is written.
struct Set {
    records: Vec<Vec<u8>>,
    keep: usize,
    seen: Vec<Vec<u8>>,
}

impl Change for Set {
    fn change(&mut self, place: usize, old: &[u8]) -> Result<Vec<u8>, SqlError> {
        assert_eq!(place, self.seen.len());
        self.seen.push(old.to_vec());
        Ok(self.records[place].clone())
    }

    fn keeps(&self, record: &[u8]) -> bool {
        record.len() <= self.keep
    }
}

fn pages(limit: usize) -> (TestSql, Pages) {
    let (sql, pages) = (
        TestSql::new(),
        Pages {
            table: "people",
            limit,
        },
    );
    pages.create(&sql).unwrap();
    (sql, pages)
}

fn set(sql: &TestSql, pages: Pages, records: &BTreeMap<u64, Vec<u8>>, keep: usize) -> Vec<Vec<u8>> {
    let hashes: Vec<u64> = records.keys().copied().collect();
    let records = records.values().cloned().collect();
    let mut set = Set {
        records,
        keep,
        seen: Vec::new(),
    };
    pages.update(sql, &hashes, Mode::Write, &mut set).unwrap();
    assert_eq!(set.seen.len(), hashes.len());
    set.seen
}

/// Of each page, its bytes and how many records it has.
type Sizes = Vec<(usize, usize)>;

/// All records by a walk, and the sizes of the pages with the number of records of each.
fn all(sql: &TestSql, pages: Pages, step: i64) -> (BTreeMap<u64, Vec<u8>>, Sizes) {
    let (mut found, mut from) = (BTreeMap::new(), Some(0));
    while let Some(start) = from {
        from = pages
            .walk(sql, start, step, &mut |hash, record| {
                assert!(found.keys().next_back().is_none_or(|last| *last < hash));
                found.insert(hash, record.to_vec());
                Ok(())
            })
            .unwrap();
    }
    let rows: Vec<[Cell; 2]> = sql
        .cells("SELECT first, body FROM people ORDER BY first", &[])
        .unwrap();
    let sizes = rows.iter().map(|[first, body]| {
        let mut n = 0;
        let mut entries = Entries::of(body.bytes());
        while let Some(entry) = entries.next().unwrap() {
            assert!(entry.hash >= hash_of(first).unwrap());
            n += 1;
        }
        (body.bytes().len(), n)
    });
    let sizes = sizes.collect();
    (found, sizes)
}

/// Hashes: few, so that they come again, and at both ends of what there is.
fn a_hash() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(u64::MAX),
        (0_u64..60).prop_map(|n| n << 58),
        (0_u64..60).prop_map(|n| n * 3 + 1),
    ]
}

proptest! {
    #[test]
    fn pages_hold_what_a_map_does(
        limit in 1_usize..300,
        step in 1_i64..5,
        updates in prop::collection::vec(
            (prop::collection::btree_map(a_hash(), 0_usize..40, 0..40), 20_usize..60), 1..8),
    ) {
        let (sql, pages) = pages(limit);
        let mut map: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (n, (update, keep)) in updates.into_iter().enumerate() {
            let update: BTreeMap<u64, Vec<u8>> = update
                .into_iter()
                .map(|(hash, len)| (hash, vec![u8::try_from(n).unwrap(); len]))
                .collect();
            let olds = set(&sql, pages, &update, keep);
            for ((hash, record), old) in update.into_iter().zip(olds) {
                prop_assert_eq!(&map.remove(&hash).unwrap_or_default(), &old);
                if !record.is_empty() {
                    map.insert(hash, record);
                }
            }
            // What is too long may have gone, if it was on a page that was written.
            let (found, sizes) = all(&sql, pages, step);
            let is_right = |(hash, record): (&u64, &Vec<u8>)| {
                found.get(hash).map_or(record.len() > keep, |there| there == record)
            };
            prop_assert!(map.iter().all(is_right));
            prop_assert!(found.keys().all(|hash| map.contains_key(hash)));
            prop_assert!(sizes.iter().all(|(bytes, n)| *n > 0 && (*bytes <= limit || *n == 1)), "{sizes:?}");
            map = found;
            for hash in map.keys().copied().chain([5, u64::MAX - 5]) {
                let want = map.get(&hash).cloned().unwrap_or_default();
                prop_assert_eq!(pages.get(&sql, hash).unwrap(), want);
            }
        }
    }
}

#[test]
fn pages_split_and_take_each_other_in_again() {
    let (sql, pages) = pages(1_000);
    let hash = |n: u64| n << 54;
    let records = |len: usize| (0..1_000).map(|n| (hash(n), vec![1; len])).collect();
    set(&sql, pages, &records(11), usize::MAX);
    // 20 bytes each, 20,000 in all, two thirds of a page.
    let (found, sizes) = all(&sql, pages, 3);
    assert_eq!(found.len(), 1_000);
    assert!((28..=32).contains(&sizes.len()), "{sizes:?}");
    assert!(sizes.iter().all(|(bytes, _)| *bytes >= 500));
    // All but one in fifty go.
    let some = (0..1_000)
        .filter(|n| n % 50 != 0)
        .map(|n| (hash(n), Vec::new()))
        .collect();
    set(&sql, pages, &some, usize::MAX);
    let (found, sizes) = all(&sql, pages, 3);
    assert_eq!(found.len(), 20);
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    set(&sql, pages, &records(0), usize::MAX);
    assert_eq!(all(&sql, pages, 3), (BTreeMap::new(), vec![]));
}

#[test]
fn each_page_is_read_and_written_once() {
    let (sql, pages) = pages(1_000);
    let records = |len: usize| (0..1_000_u64).map(|n| (n << 54, vec![1; len])).collect();
    set(&sql, pages, &records(11), usize::MAX);
    let n = u32::try_from(all(&sql, pages, 3).1.len()).unwrap();
    let update: BTreeMap<u64, Vec<u8>> = records(12);
    let hashes: Vec<u64> = update.keys().copied().collect();
    let run = |mode, statements| {
        let mut change = Set {
            records: update.values().cloned().collect(),
            keep: 99,
            seen: Vec::new(),
        };
        sql.fail_in(statements);
        pages.update(&sql, &hashes, mode, &mut change)
    };
    // A look reads them only, and so does not meet the failure that stands behind that.
    assert!(run(Mode::Look, n + 1).is_ok());
    assert!(run(Mode::Write, 2 * n).is_err());
    sql.never_fail();
    assert!(run(Mode::Write, 2 * n + 1).is_ok());
    // What stays as it is is not written.
    assert!(run(Mode::Write, n + 1).is_ok());
}

#[test]
fn what_cannot_be_read_fails_and_is_not_written_over() {
    let (sql, pages) = pages(1_000);
    let mut body = 7_u64.to_be_bytes().to_vec();
    body.extend([200, 1, 2, 3]);
    sql.run(
        "INSERT INTO people VALUES (?1, ?2)",
        &[blob(0), body.as_slice().into()],
    )
    .unwrap();
    let mut change = Set {
        records: vec![vec![1]],
        keep: 9,
        seen: Vec::new(),
    };
    assert_eq!(
        pages.update(&sql, &[9], Mode::Write, &mut change),
        Err(unreadable())
    );
    assert_eq!(pages.get(&sql, 9), Err(unreadable()));
    assert_eq!(
        pages.walk(&sql, 0, 9, &mut |_, _| Ok(())),
        Err(unreadable())
    );
    let now: Vec<[Cell; 1]> = sql.cells("SELECT body FROM people", &[]).unwrap();
    assert_eq!(now[0][0].bytes(), body);
}
