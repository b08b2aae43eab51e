use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use shoreline_shared::privacy::user_hash;

use super::*;
use crate::archive::erase::Forget;
use crate::archive::testing::{self, KEY};
use crate::lake::testing::unpack;
use crate::testing::{NOW, TestSql, message, uuid};

/// Who is one person, in the plainest way: of each anonymous id the earliest that names it holds, and what is connected
/// by what holds is one.
fn people(all: &[Identified]) -> BTreeMap<u64, u64> {
    let mut holds: BTreeMap<u64, Identified> = BTreeMap::new();
    for one in all {
        let known = holds.entry(one.anonymous).or_insert(*one);
        *known = (*known).min(*one);
    }
    let ids = holds.values().flat_map(|one| [one.anonymous, one.user]);
    let mut people: BTreeMap<u64, u64> = ids.map(|id| (id, id)).collect();
    for _ in 0..people.len() {
        for one in holds.values() {
            let least = people[&one.anonymous].min(people[&one.user]);
            people.insert(one.anonymous, least);
            people.insert(one.user, least);
        }
    }
    people
}

fn one() -> impl Strategy<Value = Identified> {
    (0_u64..9, 0_u64..9, 0_i64..5, 0_u128..40).prop_map(|(anonymous, more, at, id)| Identified {
        anonymous,
        at,
        id,
        user: (anonymous + 1 + more % 8) % 9,
    })
}

fn opened() -> TestSql {
    let sql = TestSql::new();
    for statement in SCHEMA {
        sql.execute_batch(statement);
    }
    sql
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_the_same_people(
        all in prop::collection::vec(one(), 0..25),
        cuts in prop::collection::vec(1_usize..6, 1..6),
        users in prop::collection::vec(0_u64..9, 0..4),
    ) {
        let sql = opened();
        let (mut rest, mut cuts, mut upto) = (all.as_slice(), cuts.iter().cycle(), 0);
        while !rest.is_empty() {
            let some;
            (some, rest) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            for (seq, one) in (upto + 1..).zip(some) {
                note(&&sql, seq, &[*one]).unwrap();
                note(&&sql, seq, &[*one]).unwrap();
            }
            let now = known(&&sql).unwrap();
            let taken = &all[..all.len() - rest.len()];
            let want = people(taken);
            for id in 0..9 {
                prop_assert_eq!(now.person(id), want.get(&id).copied().unwrap_or(id));
                let theirs = (0..9).filter(|other| now.person(*other) == now.person(id));
                prop_assert_eq!(now.ids_of(id), theirs.collect::<Vec<_>>());
                prop_assert_eq!(now.has(id), want.contains_key(&id));
            }
            // What a fold of them sees: all who are touched, with all of their ids, before and after.
            let before = folded(&&sql).unwrap();
            let new: Vec<Identified> = noted(&&sql, upto, 1_000).unwrap().into_iter().map(|(_, one)| one).collect();
            let joining = Joining::of(&&sql, users.iter().copied(), &new).unwrap();
            let touched = users.iter().copied().chain(new.iter().flat_map(|one| [one.anonymous, one.user]));
            for id in touched {
                prop_assert_eq!(joining.before.ids_of(id), before.ids_of(id));
                prop_assert_eq!(joining.after.ids_of(id), now.ids_of(id));
                for other in before.ids_of(id).into_iter().chain(now.ids_of(id)) {
                    prop_assert_eq!(joining.before.ids_of(other), before.ids_of(other));
                    prop_assert_eq!(joining.after.ids_of(other), now.ids_of(other));
                }
            }
            joining.save(&&sql).unwrap();
            upto += i64::try_from(some.len()).unwrap();
            forget_noted(&&sql, upto).unwrap();
            prop_assert_eq!(folded(&&sql).unwrap(), now);
        }
    }
}

#[test]
fn the_earliest_holds_and_chains_and_cycles_are_one_person() {
    let [a, b, c, d] = [1, 2, 3, 4];
    let told = |anonymous: u64, user: u64, at: i64| Identified {
        anonymous,
        at,
        id: 0,
        user,
    };
    let joined = |all: &[Identified]| Joined::of_holding(&holding(all.to_vec()));
    // Two users on one device: the anonymous id is of the first.
    let two = joined(&[told(a, c, 9), told(a, b, 5)]);
    assert_eq!((two.ids_of(a), two.ids_of(c)), (vec![a, b], vec![c]));
    let chain = joined(&[told(a, b, 1), told(b, c, 2), told(c, d, 3)]);
    assert_eq!(chain.ids_of(d), [a, b, c, d]);
    let cycle = joined(&[told(a, b, 1), told(b, c, 2), told(c, a, 3)]);
    assert_eq!((cycle.ids_of(b), cycle.ids_of(d)), (vec![a, b, c], vec![d]));
    assert_eq!(joined(&[]).ids_of(7), [7]);
}

#[test]
fn a_person_of_very_many_ids_is_found() {
    let all: Vec<(u64, u64)> = (0..50_000).map(|id| (id + 1, id)).collect();
    let joined = Joined::of(&all);
    assert_eq!(joined.ids_of(777).len(), 50_001);
    assert_eq!(joined.person(50_000), 0);
}

/// An event of a user, received at [`NOW`]; an `identify` where it names an id that came before.
fn event(n: usize, user: &str, before: Option<&str>) -> Value {
    let (event_type, data) = match before {
        Some(id) => ("identify", json!({"anonymousId": id})),
        None => ("page_view", json!({"path": "/a"})),
    };
    json!({
        "eventId": uuid(n), "eventType": event_type, "siteId": "demo", "source": "tracker",
        "userId": user, "sessionId": "s", "timestamp": NOW, "receivedAt": NOW,
        "eventData": data, "metadata": {"platform": "web"},
    })
}

/// The users of all stored events, in their order.
fn stored(sql: &TestSql) -> Vec<String> {
    let rows: Vec<[Cell; 1]> = (&sql)
        .cells("SELECT lines FROM segments ORDER BY seq", &[])
        .unwrap();
    let lines: String = rows.iter().map(|[lines]| unpack(lines.bytes())).collect();
    let user = |line: &str| -> String {
        let line: Value = serde_json::from_str(line).unwrap();
        line["userId"].as_str().unwrap().to_owned()
    };
    lines.lines().map(user).collect()
}

#[test]
fn one_erasure_takes_all_ids_and_the_next_one_what_was_joined_since() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = testing::open(&sql, "demo");
    let append = |row: usize, events: &[Value]| {
        testing::append(&archive, &message("demo", 0, &[(row, NOW, events)]), false).unwrap();
        testing::fold(&archive, &d1);
        testing::land(&archive);
    };
    append(
        1,
        &[
            event(1, "v-1", None),
            event(2, "u2", None),
            event(3, "v-2", None),
        ],
    );
    append(2, &[event(4, "u1", Some("v-1")), event(5, "u1", None)]);
    let users = || d1.number("SELECT sum(first_seen) FROM user_days");
    assert_eq!(users(), 3);
    let forget = Forget {
        user: user_hash(KEY, "demo", "v-1"),
        alias_key: "00112233445566778899aabbccddeeff".into(),
        erased_at: NOW,
    };
    testing::erase(&archive, &forget);
    let left = stored(&sql);
    assert_eq!((left[1].as_str(), left[2].as_str()), ("u2", "v-2"));
    assert!(left[0].starts_with("erased-"));
    assert_eq!([&left[0], &left[0]], [&left[3], &left[4]]);
    // It was received before, and comes later.
    append(3, &[event(6, "u1", Some("v-2")), event(7, "v-1", None)]);
    assert_eq!(stored(&sql)[5..], [left[0].as_str(), left[0].as_str()]);
    assert_eq!(archive.ids_of(&forget.user).unwrap().len(), 3);
    assert_eq!(users(), 2);
    testing::erase(&archive, &forget);
    let left = stored(&sql);
    assert_eq!(left[2], left[0]);
    assert_eq!(left.iter().filter(|user| **user != left[0]).count(), 1);
    assert_eq!(users(), 2);
}

#[test]
fn several_archives_join_nobody() {
    let sql = TestSql::new();
    let archive = testing::open_shard(&sql, "demo", (0, 2));
    let body = message("demo", 0, &[(1, NOW, &[event(1, "u1", Some("v-1"))])]);
    testing::append(&archive, &body, false).unwrap();
    assert_eq!(
        archive.ids_of(&user_hash(KEY, "demo", "u1")).unwrap().len(),
        1
    );
    assert!(!archive.joins().unwrap());
}
