//! What is answered hangs on the events alone, also after the site got other numbers of archives.

use super::*;
use crate::archive::reshard::testing::World;

/// Numbers of events as messages of these sizes in turn, each of two rows.
fn messages(event: Make, numbers: &[usize], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (mut rest, mut all) = (numbers, Vec::new());
    for size in sizes.iter().cycle() {
        let (some, left) = rest.split_at(rest.len().min(*size));
        if some.is_empty() {
            break;
        }
        rest = left;
        let [one, two] = [&some[..some.len() / 2], &some[some.len() / 2..]].map(|some| {
            let once: BTreeSet<&usize> = some.iter().collect();
            once.into_iter().map(|n| event(*n)).collect::<Vec<Value>>()
        });
        let row = 1_000 + 2 * all.len();
        all.push(message("demo", 0, &[(row, 0, &one), (row + 1, 0, &two)]));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn other_numbers_of_archives_change_no_answer(
        order in Just((0..EVENTS).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..EVENTS, 0..40),
        sizes in prop::collection::vec(1_usize..40, 1..8),
        // When which number comes, and which archives had appended the message before and the one then.
        turns in prop::collection::vec((0_usize..12, any::<u8>(), any::<u8>()), 1..3),
        faults in prop::collection::vec((0_usize..12, 1_u32..30), 0..120),
        (make, plain, numbers) in prop::sample::select(vec![
            (apart as Make, 1, [1, 3, 2]), (apart, 1, [3, 1, 4]), (apart, 1, [2, 5, 3]),
            (shared, 2, [3, 5, 2]), (shared, 2, [2, 4, 1]), (shared, 2, [5, 2, 7]),
        ]),
        late in any::<bool>(),
    ) {
        let in_order: Vec<usize> = (0..EVENTS).collect();
        let want = answers(&taken(make, &in_order, &[50], false, plain), 0, 6);
        let all = messages(make, &[order, again].concat(), &sizes);
        let mut world = World::new(numbers[0]);
        let mut turn = 0;
        for (place, body) in all.iter().enumerate() {
            if let Some((_, some, most)) = turns.get(turn).filter(|(at, ..)| *at <= place) {
                // Messages under way: some archives have appended them, and they come again.
                world.append(body, &|shard| some >> shard & 1 > 0).unwrap();
                if let Some(next) = all.get(place + 1) {
                    world.append(next, &|shard| most >> shard & 1 > 0).unwrap();
                }
                turn += 1;
                world.reshard(numbers[turn], &faults);
            }
            world.append(body, &|_| true).unwrap();
            for archive in world.archives() {
                match place % 4 {
                    0 if late => testing::fold_here(&archive),
                    2 => testing::fold(&archive, &world.d1),
                    _ => {}
                }
            }
        }
        while turn < turns.len() {
            turn += 1;
            world.reshard(numbers[turn], &faults);
        }
        // Every row is known, and told as it was told.
        for body in &all {
            world.append(body, &|_| true).unwrap();
        }
        let (archives, d1) = world.into_parts();
        let both = Both { archives, d1 };
        prop_assert_eq!(answers(&both, 0, 6), want);
    }
}
