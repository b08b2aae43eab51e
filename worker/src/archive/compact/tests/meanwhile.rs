//! What comes between two steps of compaction, and between whose steps it comes.

use super::*;
use crate::archive::compact::{Merged, Run};
use crate::archive::erase::Forget;
use crate::archive::recount::{Day, Part};
use crate::archive::scan::{Ask, Asked, PageSpec};
use crate::archive::testing::{erase, told};
use crate::base::time::DAY_MS;
use crate::http::params::Params;
use crate::lake::testing::pack;
use crate::read::recent::Recent;

fn made(archive: &Archive<&TestSql>) -> (Run, Merged, Vec<u8>) {
    let run = archive.find_small(LATER).unwrap().unwrap();
    let texts: Vec<_> = run
        .parts
        .iter()
        .map(|part| Some(unpack(&part.lines)))
        .collect();
    let merged = archive.merge(&run, &texts);
    let packed = pack(merged.made.as_ref().unwrap().lines.as_bytes());
    (run, merged, packed)
}

fn forget(user: &str) -> Forget {
    Forget {
        user: shoreline_shared::privacy::user_hash(KEY, "demo", user),
        alias_key: "00112233445566778899aabbccddeeff".into(),
        erased_at: LATER,
    }
}

#[test]
fn what_was_erased_pruned_or_is_to_be_folded_again_meanwhile_is_not_undone() {
    let changes: [fn(&World, &Archive<&TestSql>); 3] = [
        |_, archive| erase(archive, &forget("u1")),
        |_, archive| {
            let kept_from = (DAY + 3) * DAY_MS;
            assert!(archive.prune(kept_from, NOW).unwrap().segments > 0);
        },
        |_, archive| archive.forget_folds(NOW).unwrap(),
    ];
    for change in changes {
        let world = World::filled(0..30, 0);
        let archive = world.archive();
        let (_, merged, packed) = made(&archive);
        change(&world, &archive);
        let after = world.number("SELECT sum(length(columns) * seq) FROM segments");
        let seqs = world.seqs();
        assert!(!archive.put_merged(&merged, &packed).unwrap());
        assert_eq!(
            world.number("SELECT sum(length(columns) * seq) FROM segments"),
            after
        );
        assert_eq!(world.seqs(), seqs);
        // The next step reads what there is now.
        world.settle();
        assert!(compact(&archive, LATER + 9 * HOUR_MS) > 0);
        assert_eq!(world.seqs().len(), 1);
    }
}

/// By the database alone, where nobody remembers what was rewritten.
#[test]
fn what_is_not_there_any_more_is_not_put() {
    let world = World::filled(0..5, 0);
    let (_, merged, packed) = made(&world.archive());
    world
        .sql
        .execute_batch("DELETE FROM segments WHERE seq = 2");
    assert!(!put(&world.sql, &merged, &packed).unwrap());
    assert_eq!(world.seqs(), [1, 3, 4, 5]);
}

#[test]
fn an_erasure_under_way_goes_on_with_what_was_made() {
    let world = World::filled(0..150, 0);
    let archive = world.archive();
    let forget = forget("u1");
    // A step has found segments, and another was done; now all of them become one.
    let first = archive.find_erased(&forget).unwrap();
    let rewritten: Vec<_> = first
        .hits
        .iter()
        .map(|hit| {
            archive
                .rewrite(&forget, hit, &unpack(&hit.lines))
                .unwrap()
                .unwrap()
        })
        .map(|new| {
            let packed = pack(new.lines.as_bytes());
            (new, packed)
        })
        .collect();
    assert!(
        archive
            .put_rewritten(&forget, &first, &rewritten)
            .unwrap()
            .more
    );
    let second = archive.find_erased(&forget).unwrap();
    let rewritten: Vec<_> = second
        .hits
        .iter()
        .map(|hit| {
            archive
                .rewrite(&forget, hit, &unpack(&hit.lines))
                .unwrap()
                .unwrap()
        })
        .map(|new| {
            let packed = pack(new.lines.as_bytes());
            (new, packed)
        })
        .collect();
    assert_eq!(compact(&archive, LATER), 1);
    let step = archive.put_rewritten(&forget, &second, &rewritten).unwrap();
    assert_eq!((step.events, step.more, step.complete), (0, true, false));
    erase(&archive, &forget);
    let text = unpack(
        world
            .sql
            .cells::<1>("SELECT lines FROM segments", &[])
            .unwrap()[0][0]
            .bytes(),
    );
    assert!(!text.contains("\"u1\"") && text.contains("\"u2\""));
    assert_eq!(text.lines().count(), 150);
}

#[test]
fn a_retention_that_had_to_wait_meets_what_was_made() {
    let world = World::new();
    let archive = world.archive();
    for n in 0..20 {
        append(&archive, &body(n, &[event(n, 0)]), n < 10).unwrap();
    }
    fold(&archive, &world.d1);
    let kept_from = (DAY + 30) * DAY_MS;
    assert_eq!(archive.prune(kept_from, NOW).unwrap().segments, 10);
    land(&archive);
    assert_eq!(compact(&archive, LATER), 1);
    assert_eq!(archive.prune(kept_from, NOW).unwrap().segments, 1);
    assert!(world.seqs().is_empty());
    append(&archive, &body(20, &[event(20, 0)]), false).unwrap();
    assert_eq!(world.seqs(), [21]);
}

#[test]
fn a_recount_between_whose_slices_segments_become_one_begins_anew() {
    for (part, day) in [(Part::Keys, DAY + 2), (Part::Received, DAY + 9)] {
        let world = World::filled(0..150, 0);
        let archive = world.archive();
        let count = |is_compacted: bool| {
            let mut recount = archive.recount(Day { part, day }).unwrap();
            assert!(recount.slice(archive.sql(), archive.rewrites()).unwrap());
            assert!(!is_compacted || compact_step(&archive, LATER).unwrap());
            while recount.slice(archive.sql(), archive.rewrites()).unwrap() {}
            recount.end(archive.sql()).unwrap().unwrap()
        };
        let want = count(false);
        assert!(want.rows.len() > 2);
        assert_eq!(count(true), want);
        assert_eq!(world.seqs().len(), 1);
    }
}

fn page(archive: &Archive<&TestSql>, query: &str) -> Value {
    let recent = Recent::parse(&Params::parse(query), NOW).unwrap();
    let found = crate::archive::testing::ask(archive, recent.asked()).found;
    serde_json::from_str(&recent.answer(vec![found])).unwrap()
}

#[test]
fn pages_that_were_asked_before_go_on_after() {
    let world = World::new();
    let archive = world.archive();
    for n in 0..90 {
        let hour = i64::try_from(n).unwrap() / 30;
        append(&archive, &body(n, &[event(n, hour)]), false).unwrap();
    }
    world.settle();
    let (mut all, mut cursor, mut steps) = (Vec::new(), String::new(), 0);
    loop {
        let page = page(&archive, &format!("limit=8{cursor}"));
        all.extend(page["events"].as_array().unwrap().iter().cloned());
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
        steps += usize::from(compact_step(&archive, LATER).unwrap());
    }
    let want: Vec<Value> = (0..90)
        .rev()
        .map(|n| event(n, i64::try_from(n).unwrap() / 30))
        .collect();
    assert_eq!((all, steps), (want, 3));
}

/// Between any two slices of a page, and between its slices and its lines.
#[test]
fn a_page_that_is_being_found_is_found_anew() {
    let spec = |user: Option<&str>| PageSpec {
        limit: 60,
        user: user.map(str::to_owned),
        ..PageSpec::default()
    };
    for slices in 0..6 {
        for user in [None, Some("u1")] {
            let world = World::filled(0..100, 0);
            let archive = world.archive();
            let ask = || Ask {
                asked: Asked::Page(spec(user)),
                alone: true,
            };
            let begin = || ask().begin(0, &mut archive.hasher(), None);
            let want = told::<Value>(&archive, begin());
            let mut asking = begin();
            for _ in 0..slices {
                asking.slice(archive.sql(), archive.rewrites()).unwrap();
            }
            assert_eq!(compact(&archive, LATER), 1);
            assert_eq!(told::<Value>(&archive, asking), want);
        }
    }
}

/// Lines are read in pieces; the archive may change between two of them.
#[test]
fn lines_of_a_page_are_read_in_pieces() {
    let world = World::new();
    let archive = world.archive();
    let long = |n: usize| {
        let mut event = event(n, 0);
        event["metadata"]["note"] = "x".repeat(100_000).into();
        event
    };
    for n in 0..90 {
        append(&archive, &body(n, &[long(n)]), true).unwrap();
    }
    world.settle();
    let spec = PageSpec {
        limit: 80,
        ..PageSpec::default()
    };
    let ask = Ask {
        asked: Asked::Page(spec),
        alone: true,
    };
    let begin = || ask.clone().begin(0, &mut archive.hasher(), None);
    let want = told::<Value>(&archive, begin());
    assert_eq!(want.unreadable, 0);
    let mut asking = begin();
    while asking.slice(archive.sql(), archive.rewrites()).unwrap() {}
    let some = asking.packed(archive.sql()).unwrap();
    assert!(some.len() > 30 && some.len() < 45, "{}", some.len());
    for lines in &some {
        asking.cut(lines, &unpack(&lines.packed));
    }
    assert!(compact(&archive, LATER) > 10);
    assert_eq!(told::<Value>(&archive, asking), want);
}
