use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::base::time::DAY_MS;

proptest! {
    #[test]
    fn what_joins_is_there_again_and_gaps_are_what_they_were_and_are(
        first_at in -3 * DAY_MS..900 * DAY_MS,
        registered in prop::option::of(-DAY_MS..DAY_MS),
        steps in prop::collection::vec(
            prop::collection::btree_set((0_u32..6, prop_oneof![0_i64..40, 0_i64..1_500]), 1..30), 1..6),
    ) {
        let mut person = Person::new(first_at);
        person.registered = registered;
        let mut all: BTreeMap<u32, BTreeSet<i64>> = BTreeMap::new();
        let mut gaps: BTreeMap<(u32, i64, i64), i64> = BTreeMap::new();
        for mut step in steps {
            // Whoever has a key on a day is there on it.
            step.extend(step.clone().into_iter().map(|(_, day)| (USER, day)));
            let step: Vec<(u32, i64)> = step.into_iter().collect();
            person.join(&step, &mut |id, day, gap, n| *gaps.entry((id, day, gap)).or_default() += n);
            for (id, day) in step {
                all.entry(id).or_default().insert(day);
            }
            let record = person.clone().record();
            prop_assert_eq!(&Person::read(&record).unwrap(), &person);
            let head = Person::read_head(&record).unwrap();
            prop_assert_eq!((head.first_at, head.registered, &head.days), (first_at, registered, &person.days));
            prop_assert_ne!(Person::read(&record[..record.len() - 1]), Ok(person.clone()));
        }
        let mut want = BTreeMap::new();
        for (id, days) in &all {
            let days: Vec<i64> = days.iter().copied().collect();
            let own = if *id == USER { &person.days } else {
                &person.keys.iter().find(|(other, _)| other == id).unwrap().1
            };
            prop_assert_eq!(own, &days);
            for (place, day) in days.iter().enumerate() {
                let before = place.checked_sub(1).map(|place| days[place]);
                *want.entry((*id, *day, before.map_or(0, |before| (day - before).min(367)))).or_default() += 1;
            }
        }
        gaps.retain(|_, n| *n != 0);
        prop_assert_eq!(gaps, want);
    }

    #[test]
    fn any_bytes_are_a_user_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let whole = Person::read(&bytes);
        prop_assert!(whole.is_err() || Person::read_head(&bytes).is_ok());
    }
}

#[test]
fn a_user_is_some_bytes_a_key() {
    let mut person = Person::new(19_737 * DAY_MS + 5);
    // Three days, twelve keys, ids below 500.
    let keys: Vec<(u32, i64)> = (0..13)
        .flat_map(|key| [19_737, 19_738, 19_744].map(|day| (key * 40, day)))
        .collect();
    person.join(&keys, &mut |_, _, _, _| ());
    assert_eq!(person.record().len(), 6 + 1 + 4 + 12 * 2);
}

#[test]
fn a_user_of_too_much_loses_what_was_longest_ago() {
    let mut person = Person::new(0);
    let mut days: Vec<(u32, i64)> = (0..2_000).map(|day| (USER, day)).collect();
    days.extend((1..200_000).map(|id| (id, i64::from(id) / 100)));
    person.join(&days, &mut |_, _, _, _| ());
    let record = person.clone().record();
    assert!(
        (MAX_BYTES / 3..=MAX_BYTES).contains(&record.len()),
        "{}",
        record.len()
    );
    let kept = Person::read(&record).unwrap();
    assert_eq!(kept.days, person.days);
    assert_eq!(kept.keys.last(), person.keys.last());
    assert!(kept.keys.is_sorted_by_key(|(id, _)| *id));
    assert_eq!(
        kept.keys,
        person.keys[person.keys.len() - kept.keys.len()..]
    );
    // Of days only, likewise.
    let mut person = Person::new(0);
    let days: Vec<(u32, i64)> = (0..600_000).map(|day| (USER, day)).collect();
    person.join(&days, &mut |_, _, _, _| ());
    let kept = Person::read(&person.record()).unwrap();
    assert_eq!(kept.days, (300_000..600_000).collect::<Vec<_>>());
}
