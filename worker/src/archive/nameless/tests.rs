use serde_json::json;

use super::*;
use crate::read::brute::{DAY, KEY, ask, event};
use crate::testing::TestSql;

const NOW: i64 = (DAY + 20) * crate::access::privacy::DAY_MS;
const SECRET: &str = "00112233445566778899aabbccddeeff";

fn alias(sql: &TestSql, random: &str, now: i64) -> Alias {
    let hash = user_hash(KEY, "demo", "u1");
    ask(sql, &suppress("demo", &hash, now, random))
        .pop()
        .unwrap()
}

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

#[test]
fn a_second_erasure_keeps_the_ids_of_the_first_and_takes_what_came_since() {
    let sql = database();
    let first = alias(&sql, SECRET, NOW);
    assert_eq!((first.alias_key.as_str(), first.erased_at), (SECRET, NOW));
    // With other random bytes, by a clock that went back, and later.
    assert_eq!(alias(&sql, "ffff", NOW - 5), first);
    let later = alias(&sql, "ffff", NOW + 5);
    assert_eq!(
        (later.alias_key.as_str(), later.erased_at),
        (SECRET, NOW + 5)
    );
    assert_eq!(sql.number("SELECT count(*) FROM erasures"), 1);
}

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

#[test]
fn a_profile_tells_what_is_kept() {
    let sql = database();
    let hash = user_hash(KEY, "demo", "u1");
    let asked = |hash: &str| -> Option<i64> {
        let rows: Vec<ErasedAt> = ask(&sql, &erased_at("demo", hash));
        rows.first().map(|row| row.erased_at)
    };
    assert_eq!(Profile::of(None, asked(&hash)), Profile::default());
    alias(&sql, SECRET, NOW);
    let known = people::Profile {
        first_at: DAY * crate::access::privacy::DAY_MS + 7,
        registered_at: Some(NOW - 1),
        days: vec![DAY, DAY + 3],
    };
    let profile = Profile::of(Some(&known), asked(&hash));
    assert_eq!(profile.first_seen_at, Some(known.first_at));
    assert_eq!(profile.registered_at, Some(NOW - 1));
    assert_eq!(profile.erased_at, Some(NOW));
    assert_eq!(profile.active_days, [date(DAY), date(DAY + 3)]);
    assert_eq!(asked("somebody else"), None);
}
