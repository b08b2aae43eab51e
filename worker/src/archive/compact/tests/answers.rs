//! Two archives that take the same, one of which is compacted all the time, answer the same.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::archive::erase::Forget;
use crate::archive::recount::{Counted, Day, Part};
use crate::archive::scan::tests::{funnel, journeys, resolved, vitals};
use crate::archive::testing::{ask, erase};
use crate::base::time::DAY_MS;
use crate::http::params::Params;
use crate::read::recent::Recent;

/// What is done to both.
#[derive(Debug, Clone)]
enum Step {
    /// A message of so many events, received in an hour; from the lake or not.
    Append(usize, i64, bool),
    Fold,
    Land,
    Erase(usize),
    Prune(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1_usize..9, 0_i64..3, prop::bool::weighted(0.2)).prop_map(|(n, hour, landed)| Step::Append(n, hour, landed)),
        4 => Just(Step::Fold),
        4 => Just(Step::Land),
        1 => (0_usize..6).prop_map(Step::Erase),
        1 => (0_i64..6).prop_map(Step::Prune),
    ]
}

fn some_event(n: usize, hour: i64) -> Value {
    let mut event = event(n, hour);
    if n.is_multiple_of(5) {
        event["eventType"] = json!("web_vital");
        event["eventData"] =
            json!({"name": "LCP", "value": 100 * (n % 70), "url": "https://a.example/"});
    }
    event
}

/// Prunes only ever more: a longer retention brings nothing back, wherever it is.
struct Both {
    worlds: [World; 2],
    events: usize,
    messages: usize,
    kept: i64,
}

impl Both {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(n, hour, landed) => {
                let some: Vec<Value> = (self.events..self.events + n)
                    .map(|n| some_event(n, *hour))
                    .collect();
                self.events += n;
                self.messages += 1;
                for world in &self.worlds {
                    append(&world.archive(), &body(self.messages, &some), *landed).unwrap();
                }
            }
            Step::Fold => self
                .worlds
                .iter()
                .for_each(|world| fold(&world.archive(), &world.d1)),
            Step::Land => self.worlds.iter().for_each(|world| land(&world.archive())),
            Step::Erase(user) => {
                let user = format!("u{user}");
                let forget = Forget {
                    user: shoreline_shared::privacy::user_hash(KEY, "demo", &user),
                    alias_key: "00112233445566778899aabbccddeeff".into(),
                    erased_at: LATER,
                };
                self.worlds
                    .iter()
                    .for_each(|world| erase(&world.archive(), &forget));
            }
            Step::Prune(day) => {
                self.kept = self.kept.max(*day);
                for world in &self.worlds {
                    let kept_from = (DAY + self.kept) * DAY_MS;
                    while world.archive().prune(kept_from, NOW).unwrap().more {}
                }
            }
        }
    }
}

/// All pages, of everything, of a user, and of a type.
fn pages(world: &World) -> Vec<Value> {
    let archive = world.archive();
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for query in ["", "&userId=u1", "&userId=u2", "&eventType=page_view"] {
        loop {
            let recent =
                Recent::parse(&Params::parse(&format!("limit=7{query}{cursor}")), NOW).unwrap();
            let found = ask(&archive, recent.asked());
            assert_eq!(found.unreadable, 0);
            let page: Value = serde_json::from_str(&recent.answer(vec![found.found])).unwrap();
            all.push(page["events"].clone());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        cursor.clear();
    }
    all
}

fn scans(world: &World) -> Vec<String> {
    let archive = world.archive();
    let all = [funnel(), journeys(100), vitals()];
    all.map(|asked| resolved(&ask::<Value>(&archive, asked).found))
        .to_vec()
}

fn recounts(world: &World) -> Vec<Option<Counted>> {
    let archive = world.archive();
    let of = [Part::Keys, Part::People, Part::Received];
    let days = of
        .into_iter()
        .flat_map(|part| (DAY..DAY + 10).map(move |day| Day { part, day }));
    let count = |of: Day| {
        let mut recount = archive.recount(of).unwrap();
        while recount.slice(archive.sql(), 0).unwrap() {}
        recount.end(archive.sql()).unwrap()
    };
    days.map(count).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_comes_in_whatever_order_compaction_changes_no_answer(
        steps in prop::collection::vec((step(), 0_usize..3, 0_u32..40), 1..40),
    ) {
        let mut both = Both { worlds: [World::new(), World::new()], events: 0, messages: 0, kept: 0 };
        let last = [Step::Fold, Step::Land].map(|step| (step, 9, 0));
        let mut now = LATER;
        let mut merged = 0;
        for (number, (step, times, fault)) in steps.iter().chain(&last).enumerate() {
            both.take(step);
            let archive = both.worlds[1].archive();
            for _ in 0..*times {
                // What waits is looked at again after hours.
                now += 3 * HOUR_MS;
                if *fault > 0 {
                    both.worlds[1].sql.fail_in(*fault);
                }
                let _ = compact_step(&archive, now);
                both.worlds[1].sql.never_fail();
            }
            merged += archive.rewrites();
            if number % 8 == 0 {
                prop_assert_eq!(scans(&both.worlds[0]), scans(&both.worlds[1]));
            }
        }
        let [plain, small] = &both.worlds;
        prop_assert!(small.seqs().len() <= plain.seqs().len());
        prop_assert!(merged == 0 || small.seqs().len() < both.messages);
        prop_assert_eq!(scans(plain), scans(small));
        prop_assert_eq!(pages(plain), pages(small));
        for (a, b) in recounts(plain).into_iter().zip(recounts(small)) {
            // An archive in which less was deleted may tell more.
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert_eq!(a.rows, b.rows);
            }
        }
        prop_assert_eq!(brute::read(&plain.d1, "demo"), brute::read(&small.d1, "demo"));
        // Erased afterwards, and folded again into a D1 that was lost.
        both.take(&Step::Erase(1));
        both.take(&Step::Erase(3));
        let [plain, small] = &both.worlds;
        prop_assert_eq!(scans(plain), scans(small));
        prop_assert_eq!(pages(plain), pages(small));
        if both.kept == 0 {
            for world in &mut both.worlds {
                world.d1 = World::new().d1;
                world.archive().forget_folds(NOW).unwrap();
                fold(&world.archive(), &world.d1);
            }
            let [plain, small] = &both.worlds;
            prop_assert_eq!(brute::read(&plain.d1, "demo"), brute::read(&small.d1, "demo"));
        }
    }
}
