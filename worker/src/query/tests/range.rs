//! Presets, dates, and what they are compared with.

use super::zones::berlin;
use super::*;
use crate::base::time::HOUR_MS;
use crate::query::{Compare, Range, Span, Zone};

fn ms(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

fn span(from: &str, to: &str) -> Span {
    Span {
        from: ms(from),
        to: ms(to),
    }
}

#[test]
fn presets_are_of_local_days() {
    let zone = Zone::new(berlin());
    // A quarter past midnight in Berlin, the evening before in UTC.
    let now = ms("2024-10-29T23:15:00Z");
    for (preset, from, to) in [
        (
            "today",
            "2024-10-30T00:00:00+01:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "yesterday",
            "2024-10-29T00:00:00+01:00",
            "2024-10-30T00:00:00+01:00",
        ),
        ("1h", "2024-10-29T22:15:00Z", "2024-10-29T23:15:00Z"),
        ("24h", "2024-10-28T23:15:00Z", "2024-10-29T23:15:00Z"),
        (
            "7d",
            "2024-10-24T00:00:00+02:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "28d",
            "2024-10-03T00:00:00+02:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "30d",
            "2024-10-01T00:00:00+02:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "90d",
            "2024-08-02T00:00:00+02:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "month",
            "2024-10-01T00:00:00+02:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "last_month",
            "2024-09-01T00:00:00+02:00",
            "2024-10-01T00:00:00+02:00",
        ),
        (
            "year",
            "2024-01-01T00:00:00+01:00",
            "2024-10-31T00:00:00+01:00",
        ),
        (
            "12mo",
            "2023-11-01T00:00:00+01:00",
            "2024-10-31T00:00:00+01:00",
        ),
    ] {
        let range = Range::parse(Some(&json!(preset))).unwrap();
        assert_eq!(range.span(&zone, now), span(from, to), "{preset}");
        let window = range.window(now, false);
        assert!(window.from < ms(from) && window.to > ms(to), "{preset}");
    }
    let dates = Range::parse(Some(&json!(["2024-03-31", "2024-03-31"]))).unwrap();
    let day = dates.span(&zone, now);
    assert_eq!(day.to - day.from, 23 * HOUR_MS);
    assert_eq!(Range::parse(None), Range::parse(Some(&json!("30d"))));
}

#[test]
fn a_range_is_compared_with_as_much_of_another() {
    let zone = Zone::new(berlin());
    let now = ms("2024-10-30T12:00:00+01:00");
    for (range, compare, from, to) in [
        // Not over: up to the same time of day.
        (
            json!("today"),
            "previous_period",
            "2024-10-29T00:00:00+01:00",
            "2024-10-29T12:00:00+01:00",
        ),
        (
            json!("today"),
            "matching_weekdays",
            "2024-10-23T00:00:00+02:00",
            "2024-10-23T12:00:00+02:00",
        ),
        (
            json!("yesterday"),
            "previous_period",
            "2024-10-28T00:00:00+01:00",
            "2024-10-29T00:00:00+01:00",
        ),
        (
            json!("7d"),
            "previous_period",
            "2024-10-17T00:00:00+02:00",
            "2024-10-23T12:00:00+02:00",
        ),
        (
            json!("30d"),
            "matching_weekdays",
            "2024-08-27T00:00:00+02:00",
            "2024-09-25T12:00:00+02:00",
        ),
        (
            json!("24h"),
            "previous_period",
            "2024-10-28T12:00:00+01:00",
            "2024-10-29T12:00:00+01:00",
        ),
        // A day of 25 hours with one of 24.
        (
            json!(["2024-10-27", "2024-10-27"]),
            "previous_period",
            "2024-10-26T00:00:00+02:00",
            "2024-10-27T00:00:00+02:00",
        ),
        (
            json!(["2024-02-29", "2024-02-29"]),
            "previous_year",
            "2023-02-28T00:00:00+01:00",
            "2023-03-01T00:00:00+01:00",
        ),
        (
            json!(["2021-02-28", "2021-02-28"]),
            "previous_year",
            "2020-02-28T00:00:00+01:00",
            "2020-02-29T00:00:00+01:00",
        ),
        (
            json!("last_month"),
            "previous_year",
            "2023-09-01T00:00:00+01:00",
            "2023-10-01T00:00:00+01:00",
        ),
    ] {
        let span_of = Range::parse(Some(&range)).unwrap().span(&zone, now);
        let compared = Compare::parse(Some(&json!(compare))).unwrap().unwrap();
        assert_eq!(
            compared.span(span_of, &zone, now),
            span(from, to),
            "{range} {compare}"
        );
    }
}

/// Clocks go forward at midnight: the first moment of September 8th is 01:00.
#[test]
fn days_whose_midnight_is_skipped_are_compared_by_their_dates() {
    const CHANGE: &str = "2024-09-08T01:00:00-03:00";
    let change = span(CHANGE, CHANGE).from;
    let zone = Zone::new(vec![(0, -4 * HOUR_MS), (change, -3 * HOUR_MS)]);
    let now = change + 30 * DAY_MS;
    for (range, compare, from, to) in [
        (
            json!(["2024-09-08", "2024-09-08"]),
            Compare::PreviousPeriod,
            "2024-09-07T00:00:00-04:00",
            CHANGE,
        ),
        (
            json!(["2024-09-01", "2024-09-07"]),
            Compare::PreviousPeriod,
            "2024-08-25T00:00:00-04:00",
            "2024-09-01T00:00:00-04:00",
        ),
        (
            json!(["2024-09-01", "2024-09-07"]),
            Compare::MatchingWeekdays,
            "2024-08-25T00:00:00-04:00",
            "2024-09-01T00:00:00-04:00",
        ),
        (
            json!(["2024-09-09", "2024-09-09"]),
            Compare::PreviousPeriod,
            CHANGE,
            "2024-09-09T00:00:00-03:00",
        ),
    ] {
        let span_of = Range::parse(Some(&range)).unwrap().span(&zone, now);
        assert_eq!(
            compare.span(span_of, &zone, now),
            span(from, to),
            "{range} {compare:?}"
        );
    }
}

#[test]
fn compared_rows_stand_beside_those_of_the_same_place() {
    let events: Vec<Value> = (0..4)
        .flat_map(|day| {
            let event = move |n| {
                let mut event = some_event((day * 10 + n + 3) as usize);
                event["timestamp"] = json!((DAY + day) * DAY_MS + n * HOUR_MS);
                event["eventType"] = json!("page_view");
                event["eventData"] = json!({"path": format!("/{}", n % 2)});
                event
            };
            (0..=day).map(event)
        })
        .collect();
    let sql = archived(&events, 3);
    let of = |body: Value| ask(&sql, &body);
    let range = json!(["2024-01-17", "2024-01-18"]);
    let answer = of(
        json!({"metrics": ["views"], "dimensions": ["time:day"], "range": range,
        "compare": "previous_period"}),
    );
    assert_eq!(
        answer["rows"],
        json!([{"dimensions": ["2024-01-17"], "metrics": [3], "compared": [1]},
            {"dimensions": ["2024-01-18"], "metrics": [4], "compared": [2]}])
    );
    assert_eq!(
        answer["meta"]["compared"],
        json!([DAY * DAY_MS, (DAY + 2) * DAY_MS])
    );
    let answer = of(
        json!({"metrics": ["views"], "dimensions": ["page"], "range": range,
        "compare": "previous_period"}),
    );
    assert_eq!(
        answer["rows"],
        json!([{"dimensions": ["/0"], "metrics": [4], "compared": [2]},
            {"dimensions": ["/1"], "metrics": [3], "compared": [1]}])
    );
    // Nothing was there a year before.
    let answer = of(
        json!({"metrics": ["views", "avg(data.x)"], "range": range, "compare": "previous_year"}),
    );
    assert_eq!(
        answer["rows"],
        json!([{"dimensions": [], "metrics": [7, null], "compared": [0, null]}])
    );
    assert_eq!(answer["comparedTotals"], json!([0, null]));
    assert_eq!(
        answer["meta"]["comparedCoveredFrom"],
        answer["meta"]["compared"][0]
    );
    // Events of the first two days are not kept any more.
    let kept_from = (DAY + 2) * DAY_MS;
    let body = json!({"metrics": ["views"], "range": range, "compare": "previous_period"});
    let answer = ask_in(std::slice::from_ref(&sql), &body, Vec::new(), kept_from).unwrap();
    assert_eq!(answer["meta"]["coveredFrom"], json!(kept_from));
    assert_eq!(answer["meta"]["comparedCoveredFrom"], json!(kept_from));
    assert_eq!(answer["comparedTotals"], json!([0]));
}
