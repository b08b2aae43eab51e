//! JSON that is well-formed, or nearly, and meant to do harm.

use serde_json::{Value, json};
use shoreline_tests::system::shared;

use super::{Door, code, first_code, stored_data};

#[tokio::test]
async fn what_strict_parsers_differ_about_is_taken_as_the_documents_say() {
    let members: [(&str, Option<Value>); 6] = [
        (r#","k":1,"k":2"#, Some(json!(2))),
        (r#","k":"half \ud83d""#, Some(json!("half \u{fffd}"))),
        (r#","k":1e999"#, None),
        (r#","k":"a\u0000\r\nb""#, Some(json!("ab"))),
        (
            r#","__proto__":{"k":1},"constructor":{"k":1},"prototype":1"#,
            None,
        ),
        (
            r#","k":"<script>alert(1)</script>""#,
            Some(json!("<script>alert(1)</script>")),
        ),
    ];
    for door in Door::ALL {
        let site = shared().new_site().await;
        for (member, _) in &members {
            let body = door.body(&[door.event(&site, member)]);
            let answer = door.send(&site, body).await;
            assert_eq!(
                answer.status,
                door.taken(),
                "{door:?} {member}: {}",
                answer.body
            );
            door.still_works(&site).await;
        }
        let stored = stored_data(&site, members.len() * 2).await;
        for (member, want) in &members {
            let Some(want) = want else { continue };
            let found = stored.iter().filter(|data| data["k"] == *want).count();
            assert_eq!(found, 1, "{door:?} {member}: {stored:#?}");
        }
        let told = stored.iter().filter(|data| !data["k"].is_null()).count();
        assert_eq!(told, 4, "{door:?}: {stored:#?}");
        let all = Value::from(stored).to_string();
        for key in ["__proto__", "constructor", "prototype"] {
            assert!(!all.contains(key), "{door:?} {key}");
        }
    }
}

#[tokio::test]
async fn an_event_over_the_limits_is_refused_alone() {
    let keys = |n: usize| (0..n).map(|n| format!(r#","k{n}":1"#)).collect::<String>();
    let nested = |levels: usize| {
        format!(
            r#","k":{}1{}"#,
            r#"{"a":"#.repeat(levels),
            "}".repeat(levels)
        )
    };
    let lists = format!(r#","k":{}{}"#, "[".repeat(5_000), "]".repeat(5_000));
    let digits = format!(r#","k":{}"#, "9".repeat(33_000));
    let text = format!(r#","k":"{}""#, "x".repeat(33_000));
    for (what, member) in [
        ("too_deep", nested(15)),
        ("too_deep", nested(5_000)),
        ("too_deep", lists),
        ("too_many_keys", keys(300)),
        ("event_too_large", keys(10_000)),
        ("event_too_large", digits),
        ("event_too_large", text),
    ] {
        let site = shared().new_site().await;
        for door in Door::ALL {
            let bad = door.event(&site, &member);
            let answer = door
                .send(&site, door.body(std::slice::from_ref(&bad)))
                .await;
            let want = match door {
                // There the event is the body.
                Door::Plausible if what == "event_too_large" => (413, "payload_too_large"),
                Door::Plausible => (400, "malformed_json"),
                _ => (422, "no_valid_event"),
            };
            assert_eq!(code(&answer), want, "{door:?} {what}: {}", answer.body);
            if want.0 == 422 {
                assert_eq!(first_code(&answer), what, "{door:?}");
            }
            // Its neighbours are none the worse.
            if !matches!(door, Door::Plausible | Door::SegmentTrack) {
                let body = door.body(&[bad, door.event(&site, "")]);
                assert_eq!(
                    door.send(&site, body).await.status,
                    door.taken(),
                    "{door:?} {what}"
                );
            }
            door.still_works(&site).await;
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_keys_cost_a_refusal() {
    let keys: String = (0..100_000).map(|n| format!(r#","{n:x}":0"#)).collect();
    let site = shared().new_site().await;
    for door in Door::ALL {
        let answer = door
            .send(&site, door.body(&[door.event(&site, &keys)]))
            .await;
        let want = match door {
            // Under its limit of bytes, so that the event itself is judged.
            Door::Ingest => (422, "no_valid_event"),
            _ => (413, "payload_too_large"),
        };
        assert_eq!(code(&answer), want, "{door:?}: {}", answer.body);
        // And around the events, where the envelope is read.
        let around = format!("{{\"z\":0{keys}}}");
        let answer = door.send(&site, around).await;
        assert_eq!(code(&answer), want, "{door:?}: {}", answer.body);
        door.still_works(&site).await;
    }
}
