//! Local time where clocks change, and where offsets are no whole hours. The offsets are those of the platform's
//! `Intl`, which `tests/e2e/query.rs` compares.

use proptest::prelude::*;

use super::*;
use crate::base::time::HOUR_MS;
use crate::query::{Unit, Zone};

const MINUTE_MS: i64 = 60_000;

/// 2024 in Berlin: summer from 2024-03-31T01:00Z to 2024-10-27T01:00Z.
pub(super) fn berlin() -> Vec<(i64, i64)> {
    vec![
        (1_704_067_200_000, HOUR_MS),
        (1_711_846_800_000, 2 * HOUR_MS),
        (1_729_990_800_000, HOUR_MS),
    ]
}

/// 2024 in St. John's: summer from 2024-03-10T05:30Z to 2024-11-03T04:30Z.
fn st_johns() -> Vec<(i64, i64)> {
    vec![
        (1_704_067_200_000, -210 * MINUTE_MS),
        (1_710_048_600_000, -150 * MINUTE_MS),
        (1_730_608_200_000, -210 * MINUTE_MS),
    ]
}

fn kathmandu() -> Vec<(i64, i64)> {
    vec![(1_704_067_200_000, 345 * MINUTE_MS)]
}

fn ms(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

#[test]
fn days_have_23_24_or_25_hours() {
    for (zone, day, start, hours) in [
        (
            berlin(),
            "2024-03-31T12:00:00Z",
            "2024-03-31T00:00:00+01:00",
            23,
        ),
        (
            berlin(),
            "2024-10-27T12:00:00Z",
            "2024-10-27T00:00:00+02:00",
            25,
        ),
        (
            berlin(),
            "2024-10-28T12:00:00Z",
            "2024-10-28T00:00:00+01:00",
            24,
        ),
        (
            st_johns(),
            "2024-03-10T15:00:00Z",
            "2024-03-10T00:00:00-03:30",
            23,
        ),
        (
            st_johns(),
            "2024-11-03T15:00:00Z",
            "2024-11-03T00:00:00-02:30",
            25,
        ),
        (
            kathmandu(),
            "2024-05-05T18:14:59Z",
            "2024-05-05T00:00:00+05:45",
            24,
        ),
        (
            kathmandu(),
            "2024-05-05T18:15:00Z",
            "2024-05-06T00:00:00+05:45",
            24,
        ),
    ] {
        let zone = Zone::new(zone);
        let (from, to) = zone.bounds(Unit::Day, ms(day));
        assert_eq!(from, ms(start), "{day}");
        assert_eq!(to - from, hours * HOUR_MS, "{day}");
        assert_eq!(zone.label(Unit::Day, from), start[..10], "{day}");
    }
}

#[test]
fn hours_that_come_twice_have_two_names_and_those_that_are_left_out_none() {
    let zone = Zone::new(berlin());
    let hours = |from: &str, count: i64| -> Vec<String> {
        let each = (0..count).map(|n| zone.bounds(Unit::Hour, ms(from) + n * HOUR_MS).0);
        each.map(|start| zone.label(Unit::Hour, start)).collect()
    };
    assert_eq!(
        hours("2024-10-26T23:30:00Z", 4),
        [
            "2024-10-27T01:00:00+02:00",
            "2024-10-27T02:00:00+02:00",
            "2024-10-27T02:00:00+01:00",
            "2024-10-27T03:00:00+01:00"
        ]
    );
    assert_eq!(
        hours("2024-03-31T00:30:00Z", 2),
        ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"]
    );
    let zone = Zone::new(st_johns());
    let (start, _) = zone.bounds(Unit::Hour, ms("2024-06-01T12:00:00Z"));
    assert_eq!(zone.label(Unit::Hour, start), "2024-06-01T09:00:00-02:30");
    let (start, _) = zone.bounds(Unit::Minute, ms("2024-06-01T12:00:59Z"));
    assert_eq!(zone.label(Unit::Minute, start), "2024-06-01T09:30:00-02:30");
}

#[test]
fn weeks_begin_on_mondays_and_months_on_their_first() {
    let zone = Zone::new(berlin());
    for (unit, at, label, days) in [
        (Unit::Week, "2024-03-31T12:00:00Z", "2024-03-25", 7),
        (Unit::Week, "2024-03-31T22:30:00Z", "2024-04-01", 7),
        (Unit::Month, "2024-02-29T22:59:59Z", "2024-02", 29),
        (Unit::Month, "2024-02-29T23:00:00Z", "2024-03", 31),
    ] {
        let (from, to) = zone.bounds(unit, ms(at));
        assert_eq!(zone.label(unit, from), label, "{at}");
        assert_eq!((zone.local(to) - zone.local(from)) / DAY_MS, days, "{at}");
    }
}

#[test]
fn a_local_time_that_no_clock_showed_is_when_clocks_changed() {
    let zone = Zone::new(berlin());
    let local = |text: &str| ms(text);
    assert_eq!(
        zone.moment(local("2024-03-31T02:30:00Z")),
        ms("2024-03-31T01:00:00Z")
    );
    // The first of two.
    assert_eq!(
        zone.moment(local("2024-10-27T02:30:00Z")),
        ms("2024-10-27T00:30:00Z")
    );
    assert_eq!(Zone::utc().moment(7), 7);
}

proptest! {
    #[test]
    fn units_lie_side_by_side_whatever_the_offsets(
        changes in prop::collection::vec((1_i64..5_000, -840_i64..840), 0..6),
        at in -200_000_i64..200_000,
        unit in prop::sample::select(vec![Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month]),
    ) {
        // Offsets change at least every hour and at most by so much that a day stays one.
        let mut from = -60_000 * MINUTE_MS;
        let mut offsets = vec![(from, HOUR_MS)];
        for (minutes, offset) in changes {
            from += (minutes + 1_800) * MINUTE_MS;
            let before = offsets.last().unwrap().1;
            let change = (offset % 90) * MINUTE_MS;
            offsets.push((from, (before + change).clamp(-840 * MINUTE_MS, 840 * MINUTE_MS)));
        }
        let zone = Zone::new(offsets);
        let at = at * MINUTE_MS + 7;
        let (start, end) = zone.bounds(unit, at);
        prop_assert!(start < end, "{start} {end}");
        if matches!(unit, Unit::Minute | Unit::Hour) {
            prop_assert!((start..end).contains(&at));
            prop_assert_eq!(zone.bounds(unit, start), (start, end));
            prop_assert_eq!(zone.bounds(unit, end - 1), (start, end));
        }
        prop_assert_eq!(zone.bounds(unit, start).0, start);
        prop_assert!(zone.label(unit, start).len() >= 7);
    }
}
