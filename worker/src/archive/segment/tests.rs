use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::encode::Columns;
use super::*;
use crate::archive::counted::Stored;
use crate::archive::{Column, Event, Hasher, Who};

mod broken;
mod golden;
mod properties;

/// An event that is equal to another one exactly where all their bits are: `f64` compares otherwise.
fn bits<'a>(event: &Event<'a>) -> (Event<'a>, Option<u64>) {
    let value = event.value.map(f64::to_bits);
    let event = Event {
        value: None,
        ..event.clone()
    };
    (event, value)
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        3 => Just(None),
        3 => "[abc]".prop_map(Some),
        1 => ".{0,12}".prop_map(Some),
        1 => Just(Some(String::new())),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        Just(Who::Nobody),
        Just(Who::Known),
        Just(Who::Anonymous),
        Just(Who::Erased)
    ]
}

prop_compose! {
    fn event()(
        id in any::<u128>(),
        (at, received) in (any::<i64>(), prop_oneof![any::<i64>(), Just(7)]),
        who in who(),
        user in prop_oneof![0_u64..4, any::<u64>()],
        session in prop_oneof![Just(None), (0_u64..4).prop_map(Some), any::<Option<u64>>()],
        texts in prop::collection::vec(some_text(), Column::COUNT),
        (a, b) in (prop_oneof![Just(0), any::<i64>()], prop_oneof![Just(0), any::<i64>()]),
        value in any::<Option<u64>>(),
    ) -> Event<'static> {
        let mut all = [const { None }; Column::COUNT];
        for (place, text) in all.iter_mut().zip(texts) {
            *place = text.map(Cow::Owned);
        }
        let value = value.map(f64::from_bits);
        Event { id, at, received, who, user, session, texts: all, a, b, value }
    }
}

fn entries<'a>(events: &'a [(Event<'static>, String)]) -> Vec<(Event<'a>, &'a str)> {
    let entries = events.iter();
    entries
        .map(|(event, line)| (event.clone(), line.as_str()))
        .collect()
}

/// A line with this `eventData`, made up to the `n`-th event of a site.
fn line(n: usize, event_type: &str, data: &Json) -> String {
    let begin = 1_754_600_000_000_u64;
    let (at, received) = (begin + n as u64 * 700, begin + n as u64 / 5 * 4_000);
    let (high, low) = (at >> 16, at & 0xffff);
    let line = json!({
        "eventId": format!("{high:08x}-{low:04x}-7000-8000-{n:012x}"), "eventType": event_type,
        "siteId": "demo", "source": "tracker", "userId": format!("user-{}", n % 3),
        "sessionId": format!("session-{}", n % 4), "timestamp": at, "receivedAt": received,
        "schemaVersion": 1, "country": if n.is_multiple_of(2) { "DE" } else { "FR" },
        "eventData": data, "metadata": {"platform": "web"},
    });
    line.to_string()
}

/// The columns of lines as they are stored.
fn encoded(lines: &[String]) -> Vec<u8> {
    let mut hasher = Hasher::new("demo", b"key");
    let stored: Vec<Stored<'_>> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events = stored.iter().map(|stored| Event::of(stored, &mut hasher));
    let entries: Vec<(Event<'_>, &str)> = events.zip(lines.iter().map(String::as_str)).collect();
    encode(&entries)
}

proptest! {
    #[test]
    fn events_come_back(events in prop::collection::vec((event(), ".{0,20}"), 0..40)) {
        let bytes = encode(&entries(&events));
        let segment = Segment::parse(&bytes).unwrap();
        prop_assert_eq!(segment.len(), events.len());
        prop_assert_eq!(segment.is_empty(), events.is_empty());
        let read: Vec<_> = segment.events().unwrap().iter().map(bits).collect();
        let sent: Vec<_> = events.iter().map(|(event, _)| bits(event)).collect();
        prop_assert_eq!(read, sent);
        let all: String = events.iter().map(|(_, line)| format!("{line}\n")).collect();
        let lines = segment.lines().unwrap().into_iter().map(|line| &all[line]);
        prop_assert!(lines.eq(events.iter().map(|(_, line)| line.as_str())));
        let (first, _) = bytes.split_at(first_part(&bytes) as usize);
        let first = Segment::parse(first).unwrap();
        prop_assert_eq!(first.is_whole(), events.is_empty());
        prop_assert_eq!(first.at(), segment.at());
        prop_assert_eq!(first.users(), segment.users());
        let second = [first.ids().is_err(), first.received().is_err(), first.sessions().is_err(), first.lines().is_err()];
        prop_assert_eq!(second, [!events.is_empty(); 4]);
        for column in Column::ALL {
            let coded = segment.column(column).unwrap();
            prop_assert_eq!(&segment.column_dict(column).unwrap(), &coded.dict);
            for (text, code) in coded.dict.iter().zip(1..) {
                prop_assert_eq!(segment.column_code(column, text), Ok(Some(code)));
            }
            prop_assert_eq!(segment.column_code(column, "no text of any"), Ok(None));
        }
    }
}

#[test]
fn users_and_sessions_are_numbered_in_the_order_of_their_first_event() {
    let lines: Vec<String> = (0..5).map(|n| line(n, "page_view", &json!({}))).collect();
    let bytes = encoded(&lines);
    let segment = Segment::parse(&bytes).unwrap();
    assert_eq!(segment.users().unwrap().codes, [1, 2, 3, 1, 2]);
    assert_eq!(segment.sessions().unwrap().codes, [1, 2, 3, 4, 1]);
    assert!(
        segment
            .users()
            .unwrap()
            .dict
            .iter()
            .all(|(_, who)| *who == Who::Known)
    );
}

#[test]
fn usual_events_take_few_bytes() {
    let lines: Vec<String> = (0..1_000)
        .map(|n| {
            line(
                n,
                "page_view",
                &json!({"path": format!("/p/{}", n % 50), "title": "A page"}),
            )
        })
        .collect();
    let bytes = encoded(&lines);
    // Ten of an id, two each of the time and the line's length, one of path, user, session and all else.
    assert!(bytes.len() < 17 * 1_000, "{}", bytes.len());
}
