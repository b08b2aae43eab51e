//! Strange content: what generators make it of.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use shoreline_shared::sanitize::Privacy;

use super::common::{event, with};

/// Pieces that look like something private, halves of them, and what surrounds them.
const PIECES: [&str; 64] = [
    "@",
    "bob@x.com",
    "a.co",
    "bob",
    "%40",
    "%2540",
    "%",
    "%25",
    "40",
    "%20",
    "+",
    "=",
    "&",
    "?",
    "#",
    "/",
    "//",
    ":",
    ";",
    "\\",
    ".",
    "-",
    " ",
    "  ",
    "\u{0}",
    "\n",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "[redacted]",
    "[",
    "]",
    "redacted",
    "Bearer ",
    "bearer",
    "BEARER%20",
    "abc123",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-",
    "1111",
    "11",
    "378282246310005",
    "5",
    "0198c1d2-0000-7000-8000-000000000001",
    "http://",
    "HTTPS://",
    "https://x.com/a",
    "u:p@x.com",
    "utm_source=",
    "utm_term",
    "ref=",
    "gclid=",
    "token=",
    "#/",
    "#!/",
    "192.168.1.77",
    "2001:db8::1",
    ",",
    "é",
    "😀",
    "\u{fffd}",
    "<b>",
    "\"",
];

/// What a long text may begin with.
const BEGINNINGS: [&str; 6] = [
    "",
    "é ",
    "https://x.com/",
    "https://x.com/?utm_source=",
    "/?ref=a&utm_source=",
    "/a#/",
];

const KEYS: [&str; 24] = [
    "a",
    "b",
    " a",
    "a\u{0}",
    "url",
    "path",
    "page",
    "href",
    "ip",
    "client_ip",
    "x-forwarded-for",
    "ipAddress",
    "token",
    "tokens",
    "pass_word",
    "API-KEY",
    "__proto__",
    " constructor",
    "prototype",
    "feature",
    "bob@x.com",
    "",
    "4111111111111111",
    "https://x.com/?a",
];

pub(crate) fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        12 => select(&PIECES[..]).prop_map(str::to_owned),
        2 => "[0-9]{1,20}",
        1 => "\\PC{0,6}",
        1 => any::<String>(),
    ];
    let run = (select(&PIECES[..]), 0_usize..600).prop_map(|(piece, times)| piece.repeat(times));
    // The cut at 1000 characters falls into the pieces.
    let at_the_edge = (
        select(&BEGINNINGS[..]),
        0_usize..30,
        vec(edge_piece(), 1..6),
    )
        .prop_map(|(beginning, left, pieces)| {
            let fill = 1000 - beginning.chars().count() - left;
            format!("{beginning}{}{}", "x".repeat(fill), pieces.concat())
        });
    prop_oneof![
        8 => vec(pieces, 0..12).prop_map(|pieces| pieces.concat()),
        3 => at_the_edge,
        1 => (run, select(&PIECES[..])).prop_map(|(run, piece)| run + piece),
    ]
}

fn edge_piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => "4[0-9]{13,30}",
        1 => select(&[" ", "-", "/", "?", "&gclid=", "&utm_term=", "#", "%40", "@"][..]).prop_map(str::to_owned),
    ]
}

pub(crate) fn hostile_key() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&KEYS[..]).prop_map(str::to_owned), 1 => hostile_text()]
}

pub(crate) fn hostile_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        6 => hostile_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(hostile_key(), inner, 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

pub(crate) fn big_value() -> impl Strategy<Value = Value> {
    let wide = (0_usize..300, select(&["k", "k\u{0}"][..])).prop_map(|(keys, name)| {
        (0..keys)
            .map(|n| (format!("{name}{n}"), json!(n)))
            .collect()
    });
    let long = (0_usize..130).prop_map(|items| json!(vec![json!(" x "); items]));
    let deep = (0_usize..40, any::<bool>()).prop_map(|(levels, object)| {
        (0..levels).fold(json!("x"), |inner, _| {
            if object {
                json!({"a": inner})
            } else {
                json!([inner])
            }
        })
    });
    prop_oneof![wide, long, deep]
}

pub(crate) fn privacy() -> impl Strategy<Value = Privacy> {
    any::<bool>().prop_map(|hash_routing| Privacy {
        hash_routing,
        anonymous: None,
    })
}

/// An event that is complete but for what replaces some of its fields.
pub(crate) fn event_like() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 11] = [
        "eventId",
        "eventType",
        "source",
        "userId",
        "sessionId",
        "timestamp",
        "occurredAt",
        "tenantId",
        "eventData",
        "metadata",
        "more",
    ];
    let types = select(&["page_view", "feature_use", "error", "iam.user-registered"][..]);
    (
        types,
        btree_map(select(&NAMES[..]), hostile_value(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(event_type, changes, whole)| {
            let base = with(event(), "eventType", Some(json!(event_type)));
            let base = with(base, "source", Some(json!("svc")));
            if whole {
                let data = changes.into_values().next().unwrap_or_default();
                return with(base, "eventData.more", Some(data));
            }
            changes
                .into_iter()
                .fold(base, |event, (name, value)| with(event, name, Some(value)))
        })
}
