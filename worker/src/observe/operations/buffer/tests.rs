use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::event::tests::operation;
use super::super::histogram::Histogram;
use super::super::site_name::SiteName;
use super::*;
use crate::observe::trace::Trace;
use crate::testing::NOW;

const PATH: &str = "/v1/events";

fn asked_for(mut call: Operation) -> Operation {
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    call.trace = Trace::begin(Some(header), &[1; 24]);
    call
}

/// What waits, whether or not it is time.
fn rest(buffer: &mut Buffer) -> Taken {
    buffer.take()
}

fn calls(events: &[Operation]) -> i64 {
    events.iter().map(Operation::calls).sum()
}

#[test]
fn a_call_alone_has_an_event_that_is_told_in_time() {
    let mut buffer = Buffer::default();
    let call = operation(PATH, Some("a"), 202, 7);
    assert_eq!(buffer.add(call.clone(), NOW), Added::First);
    assert_eq!(buffer.take_if_due(NOW + FLUSH_EVERY_MS - 1), None);
    let taken = buffer.take_if_due(NOW + FLUSH_EVERY_MS).unwrap();
    assert_eq!((taken.events, taken.lost), (vec![call], 0));
    assert_eq!(buffer.take_if_due(NOW + 9 * FLUSH_EVERY_MS), None);
}

#[test]
fn who_cannot_wait_takes_all_at_once() {
    let mut buffer = Buffer::default();
    assert_eq!(buffer.take_now(NOW), None);
    let call = operation(PATH, Some("a"), 202, 7);
    assert_eq!(buffer.add(call.clone(), NOW), Added::First);
    let taken = buffer.take_now(NOW).unwrap();
    assert_eq!((taken.events, taken.lost), (vec![call.clone()], 0));
    assert_eq!(buffer.take_now(NOW), None);
    // The next one is the first again: somebody comes back for it.
    assert_eq!(buffer.add(call, NOW + 1), Added::First);
}

#[test]
fn a_hundred_thousand_calls_are_one_event_that_names_the_first() {
    let mut buffer = Buffer::default();
    for n in 0..100_000 {
        let mut call = operation(PATH, Some("a"), 202, n % 4);
        call.outcomes.add("accepted", 25);
        let added = buffer.add(call, NOW);
        assert_eq!(added == Added::First, n == 0);
    }
    let taken = rest(&mut buffer);
    let [event] = taken.events.as_slice() else {
        panic!("{} events", taken.events.len());
    };
    assert_eq!(
        (event.calls(), event.duration_ms, taken.lost),
        (100_000, 0, 0)
    );
    assert_eq!(event.durations.sum_ms, 150_000);
    let outcomes: Vec<_> = event.outcomes.iter().collect();
    assert_eq!(outcomes, [("accepted", 2_500_000)]);
}

#[test]
fn failures_and_what_a_caller_asks_for_have_events_of_their_own_but_not_without_end() {
    let mut buffer = Buffer::default();
    for _ in 0..1_000 {
        buffer.add(operation(PATH, Some("a"), 202, 1), NOW);
        buffer.add(operation(PATH, None, 401, 1), NOW);
        buffer.add(asked_for(operation(PATH, Some("a"), 202, 1)), NOW);
    }
    let taken = rest(&mut buffer);
    let alone = |status: u16, asked: bool| {
        let of = |call: &&Operation| {
            call.status == status && call.trace.is_sampled() == asked && call.calls() == 1
        };
        taken.events.iter().filter(of).count()
    };
    let most = ALONE_PER_FLUSH as usize;
    assert_eq!((alone(401, false), alone(202, true)), (most, most));
    assert_eq!(taken.events.len(), 2 * most + 2);
    assert_eq!((calls(&taken.events), taken.lost), (3_000, 0));
    // Of the next ones there are as many again.
    buffer.add(operation(PATH, None, 401, 1), NOW);
    buffer.add(operation(PATH, None, 401, 1), NOW);
    assert_eq!(rest(&mut buffer).events.len(), 2);
}

#[test]
fn a_failure_that_is_asked_for_is_told_though_many_failed_before() {
    let mut buffer = Buffer::default();
    for _ in 0..100 {
        buffer.add(operation(PATH, None, 401, 1), NOW);
    }
    buffer.add(asked_for(operation(PATH, None, 503, 1)), NOW);
    let events = rest(&mut buffer).events;
    let told = events.iter().filter(|call| call.status == 503);
    assert_eq!(told.map(Operation::calls).collect::<Vec<_>>(), [1]);
}

#[test]
fn many_sites_are_committed_before_their_time_and_once_a_second() {
    let mut buffer = Buffer::default();
    let (mut flushes, mut events) = (Vec::new(), Vec::new());
    for n in 0..3_000 {
        let at = NOW + n;
        let call = operation(PATH, Some(&format!("s{n}")), 202, 1);
        if let Added::Due(taken) = buffer.add(call, at) {
            flushes.push(at - NOW);
            assert_eq!(taken.lost, 0);
            events.extend(taken.events);
        }
    }
    assert_eq!(flushes, [399, 1_399, 2_399]);
    events.extend(rest(&mut buffer).events);
    assert_eq!(calls(&events), 3_000);
    // In each second those above 500 are counted without their site.
    let nameless = events.iter().filter(|event| event.site.is_none());
    assert_eq!(nameless.map(Operation::calls).sum::<i64>(), 2 * 500 + 100);
}

#[test]
fn a_call_for_which_there_is_no_room_is_told_as_lost() {
    let mut buffer = Buffer::default();
    let mut found = 0;
    // All of them differ in what no folding may take from them.
    for n in 0..2_000_u16 {
        let call = operation(PATH, Some("a"), n % 400, 1);
        let mut call = Operation {
            code: (n >= 1_000).then_some("unavailable"),
            ..call
        };
        call.method = if n % 1_000 >= 400 { "PUT" } else { "GET" };
        if let Added::Due(taken) = buffer.add(call, NOW) {
            found += calls(&taken.events) + taken.lost;
        }
    }
    let taken = rest(&mut buffer);
    assert_eq!(taken.events.len(), MAX_EVENTS);
    assert!(taken.lost > 0);
    assert_eq!(found + calls(&taken.events) + taken.lost, 2_000);
    assert_eq!(rest(&mut buffer), Taken::default());
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_waiting() {
    let mut buffer = Buffer::default();
    buffer.add(operation(PATH, Some("a"), 202, 1), NOW);
    assert!(buffer.take_if_due(NOW - 3_600_000).is_some());
}

/// All that `/v1/analytics/operations` and `/metrics` count by.
type Place = (i64, Option<SiteName>, &'static str, u16);

proptest! {
    #[test]
    fn every_call_is_in_exactly_one_event_whatever_is_mixed(
        calls in prop::collection::vec(
            (0_usize..3, 0_i64..12_000, 0_usize..3, any::<bool>(), 0_i64..3_000, 0_u64..4), 0..600,
        ),
    ) {
        let mut buffer = Buffer::default();
        let (mut want, mut found) = (BTreeMap::new(), BTreeMap::new());
        let (mut want_outcomes, mut found_outcomes) = (BTreeMap::new(), BTreeMap::new());
        let mut events = Vec::new();
        let mut now = NOW;
        for (site, ms, failure, asked, later, brought) in &calls {
            now += later;
            let mut call = operation(PATH, Some(&format!("s{site}")), [202, 422, 503][*failure], *ms);
            call.at = now;
            call.outcomes.add("accepted", *brought);
            call.outcomes.add("bot", brought / 2);
            if *asked {
                call = asked_for(call);
            }
            add(&mut want, &mut want_outcomes, &call);
            if let Added::Due(taken) = buffer.add(call, now) {
                prop_assert_eq!(taken.lost, 0);
                events.extend(taken.events);
            }
        }
        events.extend(rest(&mut buffer).events);
        for event in &events {
            add(&mut found, &mut found_outcomes, event);
        }
        prop_assert_eq!(found, want);
        prop_assert_eq!(found_outcomes, want_outcomes);
    }
}

fn add(
    sums: &mut BTreeMap<String, Histogram>,
    outcomes: &mut BTreeMap<&'static str, u64>,
    event: &Operation,
) {
    let place: Place = (
        event.at.div_euclid(60_000),
        event.site,
        event.route.action,
        event.status,
    );
    let sum = sums.entry(format!("{place:?}")).or_default();
    sum.add(&event.durations);
    for (code, n) in event.outcomes.iter() {
        *outcomes.entry(code).or_default() += n;
    }
}
