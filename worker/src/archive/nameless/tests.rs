use serde_json::json;

use super::*;
use crate::read::brute::event;

const NOW: i64 = 1_705_334_400_000;
const SECRET: &str = "00112233445566778899aabbccddeeff";

#[test]
fn a_line_without_its_user_tells_that_something_happened() {
    let alias = Alias {
        alias_key: SECRET.into(),
        erased_at: NOW,
    };
    for n in 0..200 {
        let was = event("demo", n);
        let text = nameless_text("demo", &was.to_string(), &alias);
        let is: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(text, nameless_text("demo", &was.to_string(), &alias));
        for (name, was) in was.as_object().unwrap() {
            match name.as_str() {
                "eventData" | "metadata" => assert_eq!(is[name], json!({})),
                "userId" | "sessionId" if was.is_string() => {
                    assert_ne!(is[name], *was);
                    assert!(is_erased_id(is[name].as_str().unwrap()), "{is}");
                }
                _ => assert_eq!(is[name], *was, "{name}"),
            }
        }
    }
    // Of another site the ids are others.
    let text = event("demo", 1).to_string();
    let other = nameless_text("other", &text, &alias);
    assert_ne!(nameless_text("demo", &text, &alias), other);
}

#[test]
fn what_cannot_be_read_is_not_kept() {
    let alias = Alias {
        alias_key: SECRET.into(),
        erased_at: NOW,
    };
    let text = nameless_text("demo", "u1 was here", &alias);
    assert_eq!(text, r#"{"eventData":{},"metadata":{}}"#);
}
