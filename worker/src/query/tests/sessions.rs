//! Sessions as a whole: as many as there may be, and beside a plain count where their views are of one moment.

use std::borrow::Cow;

use proptest::prelude::*;

use super::model::{Model, rows_of};
use super::*;
use crate::archive::scan::Scan;
use crate::archive::segment::{Segment, encode};
use crate::archive::{Column, Event, Who};
use crate::query::spec::{Limits, Spec};

/// A part of a million events of 600,000 sessions, which fill the tables of sessions as those do.
const PART: usize = 16;
const SESSIONS: usize = 600_000 / PART;
const EVENTS: usize = 1_000_000 / PART;
/// Of 50,000.
const USERS: usize = 50_000 / PART;

/// Event `n`, of the first or the second visit of a page by a session.
fn visit(n: usize) -> Event<'static> {
    let session = n % SESSIONS;
    let mut texts = [const { None }; Column::COUNT];
    texts[Column::Type as usize] = Some(Cow::Borrowed("page_view"));
    texts[Column::Page as usize] = Some(Cow::Owned(format!("/{}", n % 40)));
    texts[Column::Country as usize] = Some(Cow::Owned(format!("C{}", session % 30)));
    Event {
        id: n as u128,
        at: DAY * DAY_MS + n as i64,
        received: DAY * DAY_MS,
        who: Who::Known,
        user: (session % USERS) as u64 + 1,
        // As a hash: any bits.
        session: Some((session as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95)),
        texts,
        a: 0,
        b: 0,
        value: None,
    }
}

#[test]
fn all_panels_of_600000_sessions_fit_into_memory() {
    let panels = [
        json!({"metrics": ["users", "views", "sessions", "viewsPerSession", "bounceRate", "sessionDuration"]}),
        json!({"metrics": ["sessions", "bounceRate", "sessionDuration"], "dimensions": ["time:hour"]}),
        json!({"metrics": ["sessions", "bounceRate", "sessionDuration"], "dimensions": ["entryPage"]}),
        json!({"metrics": ["sessions", "bounceRate"], "dimensions": ["exitPage"]}),
        json!({"metrics": ["sessions", "bounceRate"], "dimensions": ["channel"]}),
        json!({"metrics": ["sessions"], "dimensions": ["country"]}),
    ];
    let spec = Spec {
        panels: true,
        archives: 1,
        body: json!({"panels": panels, "range": all_days()}).to_string(),
        at: (DAY * DAY_MS, (DAY + 6) * DAY_MS),
        zone: Vec::new(),
        walk: None,
        until: 0,
    };
    let mut query = Query::begin(&serde_json::to_vec(&spec).unwrap(), 0).unwrap();
    query.limits.bytes = Limits::ALL.bytes / PART;
    query.limits.work = Limits::ALL.work / PART;
    loop {
        for first in (0..EVENTS).step_by(2_500) {
            let events = (first..first + 2_500).map(|n| (visit(n), "{}"));
            let bytes = encode(&events.collect::<Vec<_>>());
            query.take(&Segment::parse(&bytes).unwrap()).unwrap();
        }
        if !query.again() {
            break;
        }
    }
    let found: Found = serde_json::from_str(&query.part(true).unwrap()).unwrap();
    assert_eq!(found.too_much, 0);
    let told = |panel: usize| found.panels[panel].numbers.clone();
    let twice = (EVENTS - SESSIONS) as i64;
    let sessions = SESSIONS as i64;
    // Of all: events, views, users, sessions, bounces, milliseconds.
    assert_eq!(
        told(0)[..6],
        [
            EVENTS as i64,
            EVENTS as i64,
            USERS as i64,
            sessions,
            sessions - twice,
            twice * sessions
        ]
    );
    for panel in 1..panels.len() {
        assert_eq!(told(panel)[3], sessions, "{panel}");
        let by_row: i64 = told(panel).chunks(8).skip(1).map(|row| row[3]).sum();
        assert_eq!(by_row, sessions, "{panel}");
    }
}

/// Few moments, so that views of a session are of one more often than not.
fn crowded(picks: &[(usize, i64, usize)]) -> Vec<Value> {
    let event = |(n, (kind, minute, session)): (usize, &(usize, i64, usize))| {
        let mut event = some_event(n);
        event["sessionId"] = json!(format!("s{session}"));
        event["userId"] = json!(format!("u{session}"));
        event["timestamp"] = json!(DAY * DAY_MS + minute * 60_000);
        event["eventType"] = json!(["page_view", "page_view", "page_leave", "custom"][*kind]);
        event["eventData"] = match kind {
            0 | 1 => {
                let source = ["Google", "Reddit", "r1.example"][n % 3];
                json!({"path": format!("/{}", n % 3), "referrerSource": source})
            }
            2 => {
                json!({"url": format!("https://a.example/{}", n % 3), "engagedMs": n % 4 * 2_500})
            }
            _ => json!({"name": "n"}),
        };
        event
    };
    picks.iter().enumerate().map(event).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sessions_are_a_plain_count_in_any_order_and_any_segments(
        picks in prop::collection::vec((0_usize..4, 0_i64..3, 0_usize..6), 0..80), seed: u64, size in 1_usize..30,
        by in 0_usize..5, filter in 0_usize..4,
    ) {
        let events = crowded(&picks);
        let by = ["entryPage", "exitPage", "referrer_source", "page", "eventType"][by];
        let filter = [json!([]), json!(["is", "exitPage", "/1"]), json!(["is", "entryPage", ["/0", "/2"]]),
            json!(["is", "eventType", "custom"])][filter].clone();
        let body = json!({"metrics": ["sessions", "bounceRate", "sessionDuration", "viewsPerSession"],
            "dimensions": [by], "filters": filter, "range": all_days()});
        let mut shuffled: Vec<(u64, Value)> = events.iter().zip(1_u64..)
            .map(|(event, n)| ((n ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15), event.clone())).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled: Vec<Value> = shuffled.into_iter().map(|(_, event)| event).collect();
        let answer = ask(&archived(&shuffled, size), &body);
        let want = Model { events: &events, goal: Value::Null }.rows(&body);
        prop_assert_eq!(rows_of(&answer), want);
    }
}
