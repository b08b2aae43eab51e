use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::TestSql;

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
