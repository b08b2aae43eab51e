//! Ids that were joined answer as one user: every answer is the one of a site whose events had said who it is from the
//! beginning.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::*;
use crate::archive::recount::{Day, Part};

/// Event n of a site that identifies: some say of a user, or of an id that nobody else has, who it is.
fn told<const SEED: usize>(n: usize) -> Value {
    let mut event = event("demo", n + 1_000 * SEED);
    let hash = crate::base::hash::sha256_hex(format!("{SEED} {n}").as_bytes());
    let pick = |at: usize, of: usize| usize::from_str_radix(&hash[at..at + 4], 16).unwrap() % of;
    if pick(0, 3) == 0 {
        event["userId"] = json!(format!("v{}", pick(4, 9)));
    }
    if pick(8, 9) == 0 {
        let ids = ["u", "v"].map(|kind| format!("{kind}{}", pick(12, 6)));
        event["eventType"] = json!("identify");
        event["eventData"] = json!({"anonymousId": ids[pick(16, 2)]});
    }
    event
}

/// The id of the user whom an event says that an anonymous id is of, and the anonymous id.
fn joins(event: &Value) -> Option<[&str; 2]> {
    let anonymous = event["eventData"]["anonymousId"].as_str()?;
    let user = event["userId"].as_str()?;
    (!user.starts_with("anon-") && user != anonymous).then_some([user, anonymous])
}

/// Who is one person: of each anonymous id the earliest `identify` holds, and who is connected by what holds is one.
fn people(events: &[Value]) -> BTreeMap<String, String> {
    let mut identifies: Vec<&Value> = events.iter().filter(|one| joins(one).is_some()).collect();
    identifies.sort_by_key(|one| (one["timestamp"].as_i64(), one["eventId"].as_str()));
    let mut holds: BTreeMap<&str, &str> = BTreeMap::new();
    for [user, anonymous] in identifies.iter().filter_map(|one| joins(one)) {
        holds.entry(anonymous).or_insert(user);
    }
    let ids = holds.iter().flat_map(|(one, other)| [*one, *other]);
    let mut people: BTreeMap<String, String> = ids.map(|id| (id.into(), id.into())).collect();
    for _ in 0..people.len() {
        for (one, other) in &holds {
            let least = people[*one].clone().min(people[*other].clone());
            people.insert((*one).into(), least.clone());
            people.insert((*other).into(), least);
        }
    }
    people
}

/// The same event as if it had said from the beginning whose it is.
fn known<const SEED: usize>(n: usize) -> Value {
    static ALL: [OnceLock<BTreeMap<String, String>>; 5] = [const { OnceLock::new() }; 5];
    let people =
        ALL[SEED].get_or_init(|| people(&(0..EVENTS).map(told::<SEED>).collect::<Vec<_>>()));
    let mut event = told::<SEED>(n);
    if let Some(person) = event["userId"].as_str().and_then(|id| people.get(id)) {
        event["userId"] = json!(person);
    }
    if event["eventType"] == "identify" {
        event["eventData"] = json!({});
    }
    event
}

/// The ids of a user's events, page by page.
fn theirs(both: &Both, user: &str) -> BTreeSet<String> {
    let recent = Recent::parse(&Params::parse(&format!("limit=500&userId={user}")), NOW).unwrap();
    let page = recent.answer(asked(&both.open(), &recent.asked()));
    let page: Value = serde_json::from_str(&page).unwrap();
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|event| event["eventId"].as_str().unwrap().to_owned())
        .collect()
}

/// Users of a day as they are counted again, when all is folded.
fn recounted(both: &Both, day: i64) -> String {
    let archives = both.open();
    testing::fold(&archives[0], &both.d1);
    let mut recount = archives[0]
        .recount(Day {
            part: Part::People,
            day,
        })
        .unwrap();
    while recount.slice(archives[0].sql(), 0).unwrap() {}
    let counted = recount.end(archives[0].sql()).unwrap().unwrap();
    serde_json::to_string(&counted.rows).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn joined_ids_are_one_user_in_every_answer(
        order in Just((0..EVENTS).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..EVENTS, 0..80),
        sizes in prop::collection::vec(1_usize..60, 1..8),
        (first, last) in (0_i64..6, 0_i64..6).prop_map(|(a, b)| (a.min(b), a.max(b))),
        (told, known) in prop::sample::select(vec![
            (told::<0> as Make, known::<0> as Make), (told::<1>, known::<1>), (told::<2>, known::<2>),
            (told::<3>, known::<3>), (told::<4>, known::<4>),
        ]),
    ) {
        let in_order: Vec<usize> = (0..EVENTS).collect();
        let numbers = [order, again].concat();
        let plain = taken(known, &in_order, &[50], false, 1);
        let events: Vec<Value> = in_order.iter().map(|n| told(*n)).collect();
        let people = people(&events);
        let person = |id: &str| people.get(id).map_or(id.to_owned(), Clone::clone);
        let want = counts(&plain, first, last);
        for late in [false, true] {
            let both = taken(told, &numbers, &sizes, late, 1);
            prop_assert_eq!(&counts(&both, first, last), &want);
            for user in ["u0", "u1", "v0", "v8"] {
                let is_theirs = |event: &&Value| {
                    event["userId"].as_str().is_some_and(|id| person(id) == person(user))
                };
                let ids = events.iter().filter(is_theirs).map(|event| event["eventId"].as_str().unwrap().to_owned());
                prop_assert_eq!(theirs(&both, user), ids.collect());
                let hash = shoreline_shared::privacy::user_hash(KEY, "demo", user);
                let of_person = shoreline_shared::privacy::user_hash(KEY, "demo", &person(user));
                let profile = |both: &Both, hash: &str| {
                    let archives = both.open();
                    testing::look_at_all(&archives[0]);
                    archives[0].profile(hash).unwrap()
                };
                prop_assert_eq!(profile(&both, &hash), profile(&plain, &of_person));
            }
            prop_assert_eq!(recounted(&both, DAY + first), recounted(&plain, DAY + first));
            // All of it folded again, with what is joined known from the beginning.
            let archives = both.open();
            archives[0].forget_folds(NOW).unwrap();
            let anew = TestSql::new();
            anew.migrate();
            testing::fold(&archives[0], &anew);
            let both = Both { archives: both.archives, d1: anew };
            prop_assert_eq!(&counts(&both, first, last), &want);
        }
    }
}
