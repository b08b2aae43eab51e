use std::collections::BTreeMap;

use proptest::prelude::*;

use super::brute::{DAY, SITE, count, d1, event, members, read};
use super::*;
use crate::archive::fold::MAX_KEYS_PER_DAY;
use crate::archive::people::PAGE_BYTES;
use crate::testing::TestSql;

mod d1;

const TODAY: i64 = DAY + 1_000;

fn archive() -> TestSql {
    let sql = TestSql::new();
    create(&sql).unwrap();
    sql
}

fn gathered(events: &[Event<'_>]) -> Gathered {
    let mut gathered = Gathered::default();
    events.iter().for_each(|event| gathered.add(event));
    gathered
}

fn take(d1: &TestSql, shard: u32, fold: i64, sums: &Sums) -> Option<Cursor> {
    let cursor = Cursor { epoch: 1, fold };
    d1.batch(&sums.statements(SITE, shard, cursor))
        .unwrap()
        .pop()
}

/// All rows of the tables of an archive.
fn dump(sql: &TestSql) -> Vec<String> {
    let queries = [
        "SELECT dim, hex(key), id FROM keys ORDER BY dim, key",
        "SELECT day, hex(body), 0 FROM day_keys ORDER BY day",
        "SELECT hex(first), hex(body), 0 FROM people ORDER BY first",
        "SELECT hex(first), hex(body), 1 FROM sessions ORDER BY first",
        "SELECT hex(first), hex(body), 2 FROM visitors ORDER BY first",
    ];
    let rows = queries.map(|query| sql.cells::<3>(query, &[]).unwrap());
    rows.concat().iter().map(|row| format!("{row:?}")).collect()
}

proptest! {
    // Each case is many folds.
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn folds_in_any_order_and_splitting_add_up_to_a_plain_count(
        order in Just((0..260_usize).collect::<Vec<_>>()).prop_shuffle(),
        n in 1_usize..260,
        cuts in prop::collection::vec(1_usize..60, 1..8),
        shards in 1_u64..4,
        limit in prop::sample::select(vec![1_usize, 60, 200, 1_000, PAGE_BYTES]),
        range in (0_i64..910, 0_i64..400),
    ) {
        let events: Vec<Event<'_>> = order[..n].iter().map(|n| event(*n)).collect();
        let (d1, people) = (d1(), People::with_limit(limit));
        let archives: Vec<TestSql> = (0..shards).map(|_| archive()).collect();
        let (mut rest, mut fold) = (events.as_slice(), 0);
        for cut in cuts.iter().cycle() {
            let some;
            (some, rest) = rest.split_at((*cut).min(rest.len()));
            fold += 1;
            for (shard, sql) in archives.iter().enumerate() {
                // By user, and what is nobody's by its session, else by its id.
                let owner = |event: &Event<'_>| match event.user {
                    0 => event.session.unwrap_or(event.id as u64),
                    user => user,
                };
                let own: Vec<Event<'_>> = some
                    .iter()
                    .filter(|event| owner(event) % shards == shard as u64)
                    .cloned()
                    .collect();
                let gathered = gathered(&own);
                let before = dump(sql);
                let look = gathered.fold_in(&people, &sql, TODAY, Mode::Look).unwrap();
                prop_assert_eq!(dump(sql), before);
                let sums = gathered.fold_in(&people, &sql, TODAY, Mode::Write).unwrap();
                prop_assert_eq!(&look, &sums);
                prop_assert_eq!(Sums::unpack(&sums.pack().concat()), Some(sums.clone()));
                take(&d1, u32::try_from(shard).unwrap(), fold, &sums);
            }
            if rest.is_empty() {
                break;
            }
        }
        let found = read(&d1);
        prop_assert_eq!(&found, &count(&events));
        // Distinct users of any range, as activity and breakdowns count them.
        let (first, last) = (DAY + range.0, DAY + range.0 + range.1.min(365));
        let mut distinct: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (((dim, day, key), gap), n) in &found.gaps {
            if (first..=last).contains(day) && (*gap == 0 || *gap > day - first) {
                *distinct.entry((dim, key)).or_default() += n;
            }
        }
        let mut users: BTreeMap<(&str, &str), std::collections::BTreeSet<u64>> = BTreeMap::new();
        let members = members(&events);
        for (dim, key, user, day) in &members {
            if (first..=last).contains(day) {
                users.entry((dim, key)).or_default().insert(*user);
            }
        }
        let users: BTreeMap<_, _> = users.into_iter().map(|(key, users)| (key, users.len() as i64)).collect();
        prop_assert_eq!(distinct, users);
    }
}

/// A fold that fails at any statement leaves nothing, and the next try makes of it what the first would have.
#[test]
fn a_fold_that_fails_at_any_statement_is_folded_whole_next() {
    let events: Vec<Event<'_>> = (0..200).map(event).collect();
    let people = People::with_limit(300);
    let (one, two) = events.split_at(120);
    let fine = archive();
    gathered(one)
        .fold_in(&people, &fine, TODAY, Mode::Write)
        .unwrap();
    let before = dump(&fine);
    let want = gathered(two)
        .fold_in(&people, &fine, TODAY, Mode::Write)
        .unwrap();
    let after = dump(&fine);
    let sql = archive();
    gathered(one)
        .fold_in(&people, &sql, TODAY, Mode::Write)
        .unwrap();
    let second = gathered(two);
    for n in 1.. {
        sql.fail_in(n);
        let fold = || sql.transaction(&mut || second.fold_in(&people, &sql, TODAY, Mode::Write));
        match fold() {
            Ok(sums) => {
                assert!(n > 20, "{n} statements");
                assert_eq!(sums, want);
                break;
            }
            Err(_) => assert_eq!(dump(&sql), before, "{n}"),
        }
    }
    sql.never_fail();
    assert_eq!(dump(&sql), after);
}

fn page_view(n: usize, page: &str, day: i64) -> Event<'static> {
    let mut event = event(n);
    event.who = Who::Known;
    event.user = brute::hash(n % 50);
    event.at = day * crate::base::time::DAY_MS;
    event.texts = [const { None }; Column::COUNT];
    event.texts[Column::Type as usize] = Some("page_view".into());
    event.texts[Column::Page as usize] = Some(page.to_owned().into());
    event
}

#[test]
fn a_day_has_room_for_so_many_keys_and_later_folds_decide_alike() {
    let (sql, d1) = (archive(), d1());
    let pages = usize::try_from(MAX_KEYS_PER_DAY).unwrap() + 100;
    let all: Vec<Event<'_>> = (0..pages)
        .map(|n| page_view(n, &format!("/{n:04}"), DAY))
        .collect();
    // In the first fold the last ones; then all that come later by name are others.
    let (early, late) = all.split_at(pages - 400);
    for (fold_n, some) in [(1, late), (2, early), (3, &all), (4, &all)] {
        let gathered = gathered(some);
        let look = gathered.fold(&sql, TODAY, Mode::Look).unwrap();
        let sums = gathered.fold(&sql, TODAY, Mode::Write).unwrap();
        assert_eq!(look, sums);
        take(&d1, 0, fold_n, &sums);
    }
    let found = read(&d1);
    let of = |key: &str| {
        found
            .breakdowns
            .get(&("page".into(), DAY, key.into()))
            .map(|sums| sums.0)
    };
    let rows = found
        .breakdowns
        .keys()
        .filter(|(dim, ..)| dim == "page")
        .count();
    assert_eq!(rows, pages - 100 + 1);
    assert_eq!(of("/0000"), Some(3));
    assert_eq!(of("/0150"), None);
    assert_eq!(of("/0599"), Some(3));
    assert_eq!(of(OTHER), Some(300));
    // Users of what has no key of its own are counted once a day: there are 50.
    let others = found.gaps.get(&(("page".into(), DAY, OTHER.into()), 0));
    assert_eq!(others, Some(&50));
    // Another day has room again, and a page that is called so takes none.
    let next: Vec<Event<'_>> = ["/0150", OTHER]
        .map(|page| page_view(1, page, DAY + 1))
        .into();
    let sums = fold(&sql, &next, TODAY, Mode::Write).unwrap();
    let keys: Vec<(&str, i64)> = sums
        .keys()
        .filter(|row| row.dim == "page")
        .map(|row| (row.key, row.events))
        .collect();
    assert_eq!(keys, [(OTHER, 1), ("/0150", 1)]);
    let body = sql
        .cells::<1>(
            "SELECT hex(body) FROM day_keys ORDER BY day DESC LIMIT 1",
            &[],
        )
        .unwrap();
    // Dimensions type and page, one key each.
    assert_eq!(body[0][0].text().len() / 2, 3 + 4);
}

#[test]
fn what_sqlite_takes_for_one_key_fails_no_fold() {
    let sql = archive();
    let events: Vec<Event<'_>> = ["/a\0b", "/a", "/a\0c", "", "/\u{ffff}"]
        .iter()
        .enumerate()
        .map(|(n, page)| page_view(n, page, DAY))
        .collect();
    for _ in 0..2 {
        let sums = fold(&sql, &events, TODAY, Mode::Write).unwrap();
        let d1 = d1();
        take(&d1, 0, 1, &sums);
        let pages = "SELECT sum(events) FROM breakdowns WHERE dim = 'page'";
        assert_eq!(d1.number(pages), 5);
    }
}

#[test]
fn a_session_is_forgotten_when_it_was_not_seen_for_long() {
    let sql = archive();
    let mut one = event(1);
    (one.session, one.who) = (Some(7), Who::Anonymous);
    let mut other = one.clone();
    (other.session, other.user) = (Some(8), 99);
    let count = |what: &str| {
        let pages: Vec<[crate::base::sql::Cell; 1]> =
            sql.cells(&format!("SELECT body FROM {what}"), &[]).unwrap();
        pages
            .iter()
            .map(|[body]| body.bytes().to_vec())
            .collect::<Vec<_>>()
            .concat()
            .len()
    };
    fold(&sql, [&one], TODAY, Mode::Write).unwrap();
    let (session, visitor) = (count("sessions"), count("visitors"));
    let kept = TODAY + crate::archive::people::KEPT_DAYS;
    fold(&sql, [&other], kept, Mode::Write).unwrap();
    assert!(count("sessions") > session && count("visitors") > visitor);
    // The session goes on: one session, with its length.
    let mut again = one.clone();
    again.at += 5;
    let sums = fold(&sql, [&again], kept, Mode::Look).unwrap();
    assert_eq!(sums.session_days().collect::<Vec<_>>(), [(one.day(), 0, 5)]);
    assert_eq!(sums.gaps().count(), 0);
    fold(&sql, [&other], kept + 1, Mode::Write).unwrap();
    assert_eq!((count("sessions"), count("visitors")), (session, visitor));
    let sums = fold(&sql, [&again], kept + 1, Mode::Look).unwrap();
    assert_eq!(sums.session_days().collect::<Vec<_>>(), [(one.day(), 1, 0)]);
}
