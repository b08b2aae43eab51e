//! What becomes of an event's content.

use super::common::*;
use serde_json::{Value, json};
use shoreline_shared::sanitize::{Privacy, sanitize_value};
use shoreline_shared::validate::Sender;

fn clean(value: Value) -> Option<Value> {
    sanitize_value(value, &Privacy::default())
}

#[track_caller]
fn becomes(value: Value, expected: Value) {
    let once = clean(value).unwrap();
    assert_eq!(once, expected);
    assert_eq!(clean(once.clone()), Some(once), "again");
}

#[test]
fn strings_are_trimmed_and_cut() {
    becomes(json!("  a b\t\n"), json!("a b"));
    becomes(json!("a\u{0}b\u{7f}c\u{85}d\ne"), json!("abcde"));
    becomes(json!("\u{0} a \u{0}"), json!("a"));
    becomes(json!("\u{a0}a\u{2028}"), json!("a"));
    becomes(json!(""), json!(""));
    becomes(json!("x".repeat(1000)), json!("x".repeat(1000)));
    becomes(json!("x".repeat(1001)), json!("x".repeat(1000)));
    becomes(json!("😀".repeat(1001)), json!("😀".repeat(1000)));
    becomes(
        json!(format!("{} é", "x".repeat(999))),
        json!("x".repeat(999)),
    );
    becomes(json!("<b>\"é\" & 😀</b>"), json!("<b>\"é\" & 😀</b>"));
}

#[test]
fn what_is_cut_off_is_looked_at_first_and_what_is_left_again() {
    // An address that straddles the cut is hidden, not halved.
    becomes(
        json!(format!("{} bob@example.com", "x".repeat(995))),
        json!(format!("{} [red", "x".repeat(995))),
    );
    // Cutting a number of 30 digits leaves one of 16 that looks like a card's.
    let text = format!("{} {}", "x".repeat(983), "411111111111111199999999999999");
    becomes(
        json!(text),
        json!(format!("{} [redacted]", "x".repeat(983))),
    );
}

#[test]
fn arrays_are_cut_and_their_items_cleaned() {
    becomes(
        json!([" a ", null, 1, [null], {"b": null}]),
        json!(["a", 1, [], {}]),
    );
    let long: Vec<usize> = (0..150).collect();
    becomes(json!(long), json!(long[..100]));
    becomes(json!({"a": [[" x "]]}), json!({"a": [["x"]]}));
}

#[test]
fn numbers_and_booleans_stay() {
    let same = json!({"a": 1, "b": -1.5, "c": true, "d": 0, "e": u64::MAX, "f": 1e300, "g": 1_705_334_400_000_i64});
    becomes(same.clone(), same);
}

#[test]
fn nulls_go() {
    becomes(
        json!({"a": null, "b": {"c": null}, "d": 1}),
        json!({"b": {}, "d": 1}),
    );
    assert_eq!(clean(json!(null)), None);
}

#[test]
fn keys_are_cleaned_like_strings() {
    becomes(json!({" a\u{0} ": 1}), json!({"a": 1}));
    becomes(json!({"x".repeat(1001): 1}), json!({"x".repeat(1000): 1}));
    becomes(json!({"bob@example.com": 1}), json!({"[redacted]": 1}));
    becomes(
        json!({"https://x.com/?token=1": 1}),
        json!({"https://x.com/": 1}),
    );
    // Of keys that become the same, the one that was clean stays.
    becomes(json!({" a": 1, "a": 2, "a ": 3}), json!({"a": 2}));
    becomes(json!({" a": 1, "a ": 3}), json!({"a": 1}));
    becomes(json!({" a": null, "a ": 3}), json!({"a": 3}));
}

#[test]
fn names_with_a_meaning_in_javascript_go() {
    becomes(
        json!({"__proto__": {"admin": true}, " constructor\u{0}": 1, "a": {"prototype": 1, "b": 2}}),
        json!({"a": {"b": 2}}),
    );
}

#[test]
fn objects_have_at_most_256_keys() {
    let wide: Value = (0..300).map(|n| (format!("k{n:03}"), json!(n))).collect();
    let narrow: Value = (0..256).map(|n| (format!("k{n:03}"), json!(n))).collect();
    becomes(wide, narrow.clone());
    let mut with_dirty = narrow.clone();
    with_dirty[" dirty "] = json!(1);
    becomes(with_dirty, narrow);
}

#[test]
fn nothing_is_deeper_than_16_levels() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!({"a": [inner]}));
    // eventData is level 2: objects at 2, 4, … 16, arrays at 3, 5, … 15.
    let deepest = json!({"a": 1});
    let expected = (0..7).fold(json!({}), |inner, _| json!({"a": [inner]}));
    becomes(nested(20), expected);
    let fits = (0..7).fold(deepest, |inner, _| json!({"a": [inner]}));
    becomes(fits.clone(), fits.clone());
    // What is valid is never cut for its depth.
    let event = with(
        event(),
        "eventData",
        Some(with(fits.clone(), "feature", Some(json!("x")))),
    );
    let data = stored(&event, &PAGE, &Privacy::default())["eventData"].clone();
    assert_eq!(data["a"], fits["a"]);
}

#[test]
fn sensitive_keys_hide_whatever_they_hold() {
    for key in [
        "password",
        "passwd",
        "secret",
        "token",
        "access_token",
        "refreshToken",
        "API-KEY",
        "authorization",
        "Cookie",
        "ssn",
        "cvv",
    ] {
        for value in [
            json!("x"),
            json!(1),
            json!(true),
            json!([1, {"a": 2}]),
            json!({"a": 1}),
            json!(""),
        ] {
            becomes(
                json!({"a": [{key: value}]}),
                json!({"a": [{key: "[redacted]"}]}),
            );
        }
    }
    becomes(
        json!({"tokens": 1234, "token": null, "tokenType": "x"}),
        json!({"tokens": 1234, "tokenType": "x"}),
    );
}

#[test]
fn private_things_are_hidden_anywhere() {
    becomes(
        json!({"a": "mail bob@example.com now", "b": ["Bearer abc.def"], "c": {"d": "4111 1111 1111 1111"}}),
        json!({"a": "mail [redacted] now", "b": ["[redacted]"], "c": {"d": "[redacted]"}}),
    );
    // A card number is one as a number, too.
    becomes(
        json!({"n": 4_111_111_111_111_111_u64}),
        json!({"n": "[redacted]"}),
    );
    becomes(
        json!({"n": 4_111_111_111_111_111.0}),
        json!({"n": "[redacted]"}),
    );
    becomes(
        json!({"n": 4_111_111_111_111_112_u64}),
        json!({"n": 4_111_111_111_111_112_u64}),
    );
    // Split by what is taken out.
    becomes(json!("bob\u{0}@example.com"), json!("[redacted]"));
    becomes(json!("4111\u{0}111111111111"), json!("[redacted]"));
    becomes(json!("Bea\u{0}rer abc"), json!("[redacted]"));
}

#[test]
fn ordinary_ids_survive() {
    let same = json!({
        "at": "1705334400000", "id": "018d0de9-1c00-7fff-bfff-ffffffffffff", "order": "ORD-2024-0012345678",
        "agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "trace": "4bf92f3577b34da6a3ce929d0e0e4736"
    });
    becomes(same.clone(), same);
}

#[test]
fn addresses_are_truncated_under_their_keys() {
    becomes(
        json!({
            "ip": "192.168.1.77", "client_ip": ["10.1.2.3:80", "2001:db8:1:2::3"], "remoteAddr": "unknown",
            "X-Forwarded-For": "1.2.3.4, 5.6.7.8", "remote-ip": 3_232_235_777_u32, "ipAddress": "",
            "version": "1.2.3.4", "nested": {"remoteIp": "[2001:db8:1:2::3]:443"}
        }),
        json!({
            "ip": "192.168.1.0", "client_ip": ["10.1.2.0", "2001:db8:1::"], "remoteAddr": "[redacted]",
            "X-Forwarded-For": "1.2.3.0, 5.6.7.0", "remote-ip": "[redacted]", "ipAddress": "",
            "version": "1.2.3.4", "nested": {"remoteIp": "2001:db8:1::"}
        }),
    );
}

#[test]
fn urls_are_cleaned_wherever_they_stand() {
    becomes(
        json!({
            "url": "https://bob:pw@x.com/u/bob%40y.com?utm_source=n&gclid=abc&token=t#f",
            "path": "/a?email=bob", "page": " /b#c", "referrer": "//x.com/?q=1", "href": ["mailto:bob@y.com?cc=x"],
            "note": "https://x.com/?q=1", "other": "/a?q=1#f", "text": "see https://x.com/?q=1"
        }),
        json!({
            "url": "https://x.com/u/[redacted]?utm_source=n&gclid=true",
            "path": "/a", "page": "/b", "referrer": "//x.com/", "href": ["mailto:[redacted]"],
            "note": "https://x.com/", "other": "/a?q=1#f", "text": "see https://x.com/?q=1"
        }),
    );
    let routed = Privacy {
        hash_routing: true,
        anonymous: None,
    };
    let url = json!({"url": "https://x.com/?a=1#/cart?token=t&ref=n"});
    let cleaned = json!({"url": "https://x.com/#/cart?ref=n"});
    assert_eq!(sanitize_value(url, &routed), Some(cleaned.clone()));
    assert_eq!(sanitize_value(cleaned.clone(), &routed), Some(cleaned));
}

#[test]
fn the_example_of_the_first_system_is_stored_whole() {
    let stored = stored(&event(), &SERVICE, &Privacy::default());
    let expected = json!({
        "eventId": EVENT_ID, "eventType": "feature_use", "siteId": "demo", "source": "tracker",
        "userId": "user-123", "sessionId": "session-456", "timestamp": NOW, "receivedAt": NOW, "schemaVersion": 1,
        "eventData": {"feature": "blog-post-generator", "duration": 5000},
        "metadata": {"userAgent": "curl/8", "ipAddress": "192.168.1.0", "platform": "web"}
    });
    assert_eq!(stored, expected);
}

#[test]
fn identifiers_are_trimmed_and_cut_but_not_redacted() {
    let event = with(event(), "userId", Some(json!(" bob@example.com\u{0}")));
    let event = with(event, "sessionId", Some(json!("é".repeat(1001))));
    let event = with(event, "tenantId", Some(json!(" 4111111111111111 ")));
    let stored = stored(&event, &PAGE, &Privacy::default());
    assert_eq!(stored["userId"], "bob@example.com");
    assert_eq!(stored["sessionId"], "é".repeat(1000));
    assert_eq!(stored["tenantId"], "4111111111111111");
}

#[test]
fn a_visitor_who_opted_out_gets_another_id() {
    let privacy = Privacy {
        hash_routing: false,
        anonymous: Some("anon-1".into()),
    };
    let stored_event = stored(&event(), &PAGE, &privacy);
    assert_eq!(stored_event["userId"], "anon-1");
    assert_eq!(stored_event["sessionId"], "anon-1");
    let domain = stored(&domain_event(), &Sender::Source { name: None }, &privacy);
    assert_eq!(domain.get("userId"), None);
    assert_eq!(domain.get("sessionId"), None);
}
