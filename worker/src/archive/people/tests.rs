use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::archive::fold::brute::{DAY, event, users};
use crate::archive::fold::{Gathered, create, fold};
use crate::archive::{Event, Who};
use crate::base::time::{DAY_MS, day_of};
use crate::testing::TestSql;

fn gathered(events: &[Event<'_>]) -> Gathered {
    let mut gathered = Gathered::default();
    events.iter().for_each(|event| gathered.add(event));
    gathered
}

fn rows(sql: &TestSql, mut retention: Retention) -> Vec<CohortRow> {
    let mut from = Some(0);
    while let Some(start) = from {
        from = retention.step(&sql, start).unwrap();
    }
    retention.rows()
}

proptest! {
    #[test]
    fn retention_and_profiles_are_of_what_is_folded_and_what_is_not(
        n in 1_usize..300,
        folded in 0_usize..300,
        (first, days) in (-2_i64..910, 1_i64..400),
        periods in 1_i64..91,
        weekly in any::<bool>(),
        today in 0_i64..1_000,
    ) {
        let events: Vec<Event<'_>> = (0..n).map(event).collect();
        let (old, new) = events.split_at(folded.min(n));
        let sql = TestSql::new();
        create(&sql).unwrap();
        fold(&sql, old, DAY, Mode::Write).unwrap();
        let new = gathered(new);
        let range = (DAY + first) * DAY_MS..(DAY + first + days) * DAY_MS;
        let found = rows(&sql, Retention::new(range.clone(), periods, weekly, DAY + today, new.seen()));
        let period = |day: i64| if weekly { (day + 719_603) / 7 } else { day };
        let mut want: BTreeMap<(i64, i64), std::collections::BTreeSet<u64>> = BTreeMap::new();
        let users = users(&events);
        for (user, (first_at, _, days)) in &users {
            for day in days.iter().filter(|day| range.contains(first_at) && **day <= DAY + today) {
                let cohort = period(day_of(*first_at));
                let age = period(*day) - cohort;
                if (0..=periods).contains(&age) {
                    want.entry((cohort, age)).or_default().insert(*user);
                }
            }
        }
        let want: Vec<CohortRow> = want
            .into_iter()
            .map(|((cohort, age), users)| CohortRow { cohort, age, users: users.len() as i64 })
            .collect();
        prop_assert_eq!(found, want);
        for (user, (first_at, registered_at, days)) in users {
            let days = days.into_iter().collect();
            let want = Profile { first_at, registered_at, days };
            prop_assert_eq!(profile(&sql, &[user], new.seen()).unwrap(), Some(want));
        }
        for event in events.iter().filter(|event| event.who != Who::Known) {
            prop_assert_eq!(profile(&sql, &[event.user], new.seen()).unwrap(), None);
        }
    }
}

#[test]
fn a_walk_of_many_pages_goes_in_steps() {
    let sql = TestSql::new();
    create(&sql).unwrap();
    let mut events: Vec<Event<'_>> = (0..40_000).map(|_| event(1)).collect();
    for (n, event) in events.iter_mut().enumerate() {
        event.who = Who::Known;
        event.user = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fold(&sql, &events, DAY, Mode::Write).unwrap();
    let at = events[0].at;
    let mut retention = Retention::new(at..at + 1, 1, false, DAY + 1_000, Vec::new());
    let (mut from, mut steps) = (Some(0), 0);
    while let Some(start) = from {
        from = retention.step(&sql, start).unwrap();
        steps += 1;
    }
    assert!(steps > 2, "{steps}");
    let row = CohortRow {
        cohort: day_of(at),
        age: 0,
        users: 40_000,
    };
    assert_eq!(retention.rows(), [row]);
}
