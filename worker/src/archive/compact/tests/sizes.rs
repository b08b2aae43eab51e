//! How large segments become, and how often one is written anew.

use super::*;

#[test]
fn no_segment_that_is_made_is_too_large_and_large_ones_are_left_alone() {
    let world = World::new();
    let archive = world.archive();
    let long = |n: usize, bytes: usize| {
        let mut event = event(n, 0);
        event["metadata"]["note"] = "x".repeat(bytes).into();
        event
    };
    for n in 0..60 {
        append(&archive, &body(n, &[long(n, 30_000)]), true).unwrap();
    }
    append(&archive, &body(60, &[long(60, 300_000)]), true).unwrap();
    world.settle();
    let before = stored(&world.sql);
    assert_eq!(compact(&archive, LATER), 4);
    assert_eq!(world.seqs(), [17, 34, 51, 60, 61]);
    assert!(world.number("SELECT max(bytes) FROM segments") <= MOST_BYTES);
    assert_eq!(stored(&world.sql), before);
}

#[test]
fn events_are_bounded_too() {
    let world = World::new();
    let archive = world.archive();
    for n in 0..9 {
        let some: Vec<Value> = (n * 600..n * 600 + 600)
            .map(|n| {
                let mut tiny = event(n, 0);
                tiny["metadata"] = serde_json::json!({});
                tiny["eventData"] = serde_json::json!({});
                tiny
            })
            .collect();
        append(&archive, &body(n, &some), true).unwrap();
    }
    // Their lines are taken for short ones.
    world.sql.execute_batch("UPDATE segments SET bytes = 10");
    world.settle();
    let archive = world.archive();
    let run = archive.find_small(LATER).unwrap().unwrap();
    assert_eq!(run.parts.len(), 6);
    let list: Vec<Small> = [4_000, 96, 1].map(|n| small(n, 1, false)).to_vec();
    assert_eq!(fitting(&list), 2);
}

fn small(n: i64, bytes: i64, is_merged: bool) -> Small {
    Small {
        seq: n,
        n,
        bytes,
        is_merged,
    }
}

#[test]
fn what_was_made_is_made_larger_only_where_it_grows_much() {
    let of = |list: &[(i64, bool)]| {
        let list: Vec<Small> = list
            .iter()
            .map(|(bytes, is)| small(1, *bytes, *is))
            .collect();
        let bytes: Vec<i64> = worthwhile(&list).iter().map(|small| small.bytes).collect();
        bytes
    };
    let none: Vec<i64> = Vec::new();
    assert_eq!(of(&[]), none);
    assert_eq!(of(&[(9, false), (900, false)]), [9, 900]);
    assert_eq!(of(&[(100, true), (299, false)]), [299]);
    assert_eq!(of(&[(100, true), (300, false)]), [100, 300]);
    assert_eq!(
        of(&[(100, true), (10, true), (9, false), (21, false)]),
        [10, 9, 21]
    );
    assert_eq!(of(&[(100, true), (100, true), (100, true)]), none);
    assert_eq!(of(&[(100, true); 4]), [100; 4]);
}

/// A segment an hour comes late for a year: what is written in all is a few times what there is.
#[test]
fn what_trickles_in_is_not_written_again_and_again() {
    let (mut list, mut written, mut all) = (Vec::new(), 0, 0);
    for hour in 0..8_760 {
        let seq = 2 * hour;
        list.push(Small {
            seq,
            ..small(1, 700, false)
        });
        all += 700;
        let candidates: Vec<Small> = list
            .iter()
            .copied()
            .filter(|s| s.bytes < MOST_BYTES / 2)
            .collect();
        let mut rest = candidates.as_slice();
        while !rest.is_empty() {
            let (run, others) = rest.split_at(fitting(rest));
            let run = worthwhile(run);
            if run.len() > 1 {
                let bytes = run.iter().map(|small| small.bytes).sum();
                written += bytes;
                list.retain(|small| !run.contains(small));
                list.push(Small {
                    seq: seq + 1,
                    ..small(1, bytes, true)
                });
                break;
            }
            rest = others;
        }
    }
    assert!(list.len() < 60, "{}", list.len());
    assert!(written < 6 * all, "{written} {all}");
}
