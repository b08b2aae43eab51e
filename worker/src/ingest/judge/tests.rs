//! Both ways, the pass and the tree, end every event alike: the same line, the same facts beside it,
//! the same result.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use shoreline_shared::limits::DEFAULT_RETENTION_DAYS;

use super::*;
use crate::ingest::batch::{split, split_slowly};

mod events;
use events::{EVENTS, PIECES, REAL};

const NOW: i64 = 1_705_334_400_000;
const BATCH_ID: &str = "0198c1d2-0000-7000-8000-00000000000b";
const FRESH_ID: &str = "0198c1d2-0000-7000-8000-00000000000f";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

const PAGE: Sender<'static> = Sender::Browser {
    user_agent: Some(AGENT),
    ip: Some("203.0.113.77"),
    adapted: false,
};

fn context(sender: Sender<'static>) -> Context<'static> {
    Context {
        site: "demo",
        sender,
        source: "tracker",
        privacy: Privacy::default(),
        rules: Rules {
            now_ms: NOW,
            retention_days: DEFAULT_RETENTION_DAYS,
            any_past: false,
        },
        batch_id: Some(BATCH_ID),
        stored_batch_id: BATCH_ID,
        sent_at: Some(NOW - 3_600_000),
        clock_offset: 3_600_000,
        hash_ids: None,
        country: Some("DE"),
        region: None,
        is_bot: false,
        agent: match sender {
            Sender::Browser { user_agent, .. } => Some(crate::ingest::enrich::agent::read_agent(
                user_agent.unwrap_or_default(),
            )),
            Sender::Source { .. } => None,
        },
    }
}

/// Who may send, and how: each takes other turns on the way.
fn contexts() -> Vec<Context<'static>> {
    let page = context(PAGE);
    let service = |name| Context {
        country: None,
        ..context(Sender::Source { name })
    };
    let nobody = |user_agent, ip| {
        context(Sender::Browser {
            user_agent,
            ip,
            adapted: false,
        })
    };
    let private = Privacy {
        hash_routing: false,
        anonymous: Some("anon-6f5282f465a44b1a29b3561f6137c768".to_owned()),
    };
    vec![
        Context {
            privacy: private.clone(),
            ..page.clone()
        },
        Context {
            privacy: Privacy {
                hash_routing: true,
                anonymous: None,
            },
            ..page.clone()
        },
        Context {
            batch_id: None,
            sent_at: None,
            clock_offset: 0,
            site: "a\"b\\c",
            region: Some("Île-de-France"),
            ..page.clone()
        },
        Context {
            is_bot: true,
            ..page.clone()
        },
        Context {
            sender: Sender::Browser {
                user_agent: Some(AGENT),
                ip: None,
                adapted: true,
            },
            ..page.clone()
        },
        nobody(None, None),
        nobody(Some(" \u{0} "), Some("")),
        nobody(
            Some("bob@x.example \"quoted\" agent"),
            Some("[2001:db8:1:2::3]:80"),
        ),
        service(None),
        service(Some("billing \"x\"")),
        Context {
            rules: Rules {
                now_ms: NOW,
                retention_days: 0,
                any_past: true,
            },
            ..service(Some(" "))
        },
        Context {
            privacy: private,
            ..service(None)
        },
        page,
    ]
}

/// How a request's events ended, in words.
fn told(judged: &Judged) -> String {
    let lines: Vec<_> = judged.lines.iter().zip(&judged.places).collect();
    assert_eq!(judged.lines.len(), judged.places.len());
    format!("{lines:#?} {:#?}", judged.results)
}

/// How the events of a body end, both ways; gives how many took the pass.
fn check(body: &str, context: &Context<'_>) -> usize {
    let fresh = || FRESH_ID.to_owned();
    let Ok(slow) = split_slowly(body.as_bytes()) else {
        assert!(split(body.as_bytes()).is_err(), "{body}");
        return 0;
    };
    let fast = split(body.as_bytes()).unwrap_or_else(|fault| panic!("{fault:?} {body}"));
    let by_tree = judge(slow.drafts, &slow.body, context, fresh);
    let by_pass = judge(fast.drafts, &fast.body, context, fresh);
    assert_eq!(told(&by_pass), told(&by_tree), "{body}");
    assert_eq!(by_pass.lines.text(), by_tree.lines.text(), "{body}");
    by_pass.passed
}

fn check_all(events: &[String]) {
    let body = format!("{{\"events\":[{}]}}", events.join(","));
    for context in contexts() {
        check(&body, &context);
    }
}

#[test]
fn what_trackers_send_takes_the_pass() {
    let page = context(PAGE);
    for event in REAL {
        let body = format!("{{\"events\":[{event}]}}");
        assert_eq!(check(&body, &page), 1, "{event}");
    }
}

#[test]
fn every_kept_event_ends_alike_both_ways() {
    for event in REAL.iter().chain(EVENTS) {
        check_all(&[(*event).to_owned()]);
    }
    for events in [REAL, EVENTS] {
        let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        check_all(&events);
    }
}

#[test]
fn what_an_event_left_behind_does_not_touch_the_next() {
    for broken in EVENTS {
        for event in [REAL[0], REAL[1]] {
            check_all(&[
                event.to_owned(),
                (*broken).to_owned(),
                event.replace("0001", "0077"),
            ]);
        }
    }
}

/// A change of an event's text.
#[derive(Debug, Clone)]
enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// A piece is put in.
    Piece(Index, &'static str),
    /// A piece is put into a string, if there is one behind this place.
    Text(Index, &'static str),
    /// A stretch is cut out.
    Cut(Index, usize),
    /// A stretch stands there twice.
    Twice(Index, usize),
    /// One stretch stands where another stood.
    Over(Index, Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let signs = &b"\"\\{}[],:0123456789-+.eE tfn@%?#bB\x00\x1f\x7f/u"[..];
    prop_oneof![
        2 => (at(), select(signs)).prop_map(|(at, byte)| Change::Byte(at, byte)),
        2 => (at(), select(PIECES)).prop_map(|(at, piece)| Change::Piece(at, piece)),
        4 => (at(), select(PIECES)).prop_map(|(at, piece)| Change::Text(at, piece)),
        1 => (at(), 1_usize..30).prop_map(|(at, len)| Change::Cut(at, len)),
        1 => (at(), 1_usize..60).prop_map(|(at, len)| Change::Twice(at, len)),
        1 => (at(), at(), 1_usize..30).prop_map(|(from, to, len)| Change::Over(from, to, len)),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return String::new();
    }
    let stretch = |chars: &[char], from: usize, len: usize| -> Vec<char> {
        chars[from..(from + len).min(chars.len())].to_vec()
    };
    match change {
        Change::Byte(at, byte) => {
            let at = at.index(chars.len());
            chars[at] = char::from(*byte);
        }
        Change::Piece(at, piece) => {
            let at = at.index(chars.len());
            chars.splice(at..at, piece.chars());
        }
        Change::Text(at, piece) => {
            let at = at.index(chars.len());
            if let Some(quote) = chars[at..].iter().position(|c| *c == '"') {
                let quoted = piece.replace('\\', "\\\\").replace('"', "\\\"");
                chars.splice(at + quote..at + quote, quoted.chars());
            }
        }
        Change::Cut(at, len) => {
            let at = at.index(chars.len());
            chars.drain(at..(at + len).min(chars.len()));
        }
        Change::Twice(at, len) => {
            let at = at.index(chars.len());
            let again = stretch(&chars, at, *len);
            chars.splice(at..at, again);
        }
        Change::Over(from, to, len) => {
            let piece = stretch(&chars, from.index(chars.len()), *len);
            let to = to.index(chars.len());
            chars.splice(to..(to + len).min(chars.len()), piece);
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn changed_events_end_alike_both_ways(
        seed in any::<Index>(),
        changes in vec(change(), 1..5),
        context in any::<Index>(),
    ) {
        let all: Vec<&str> = REAL.iter().chain(EVENTS).copied().collect();
        let event = changes.iter().fold(seed.get(&all).to_string(), |text, one| changed(&text, one));
        let body = format!("{{\"events\":[{event},{}]}}", REAL[0]);
        check(&body, context.get(&contexts()));
    }
}
