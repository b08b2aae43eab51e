//! Segments of every version there has been: what was written once can be read for good.

use super::*;

/// What a segment was written of (`<name>.ndjson`), its bytes (`<name>.seg`), and all that they say (`<name>.txt`).
/// None of these files is ever changed: a new version adds its own.
const ALL: [(&str, &[u8], &str); 2] = [
    (
        include_str!("../golden/v1.ndjson"),
        include_bytes!("../golden/v1.seg"),
        include_str!("../golden/v1.txt"),
    ),
    // The same events, in two parts.
    (
        include_str!("../golden/v1.ndjson"),
        include_bytes!("../golden/v1-parts.seg"),
        include_str!("../golden/v1.txt"),
    ),
];

/// All that a segment says, in words that do not change with the code: what is none is left out.
fn dump(segment: &Segment<'_>) -> String {
    let events = segment.events().unwrap();
    let lines = segment.lines().unwrap();
    let mut text = String::new();
    for (event, line) in events.iter().zip(lines) {
        let Event {
            id,
            at,
            received,
            user,
            session,
            a,
            b,
            value,
            ..
        } = event;
        let who = event.who as u8;
        text += &format!(
            "{id:032x} at={at} received={received} who={who} user={user:016x} a={a} b={b} line={line:?}"
        );
        text += &session.map_or(String::new(), |session| format!(" session={session:016x}"));
        text += &value.map_or(String::new(), |value| format!(" value={value}"));
        for column in Column::ALL {
            let number = column as u8;
            text += &event
                .text(column)
                .map_or(String::new(), |has| format!(" {number}={has:?}"));
        }
        text.push('\n');
    }
    for name in segment.property_names().unwrap() {
        text += &match segment.property(name).unwrap() {
            Found::Stored(Property { dict, codes }) => format!("{name} {dict:?} {codes:?}\n"),
            left => format!("{name} {left:?}\n"),
        };
    }
    text
}

#[test]
fn segments_of_every_version_are_read() {
    for (lines, bytes, text) in ALL {
        let segment = Segment::parse(bytes).unwrap();
        assert_eq!(dump(&segment), text);
        let ranges = segment.lines().unwrap().into_iter();
        assert!(ranges.map(|range| &lines[range]).eq(lines.lines()));
    }
}

#[test]
fn what_is_written_now_is_what_was_written_of_the_same_events() {
    let [.., (lines, bytes, _)] = ALL;
    let events = Segment::parse(bytes).unwrap().events().unwrap();
    let entries: Vec<(Event<'_>, &str)> = events.into_iter().zip(lines.lines()).collect();
    assert!(
        encode(&entries) == bytes,
        "the form has changed: a new version, or a golden file more"
    );
}
