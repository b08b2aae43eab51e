//! Judges one kind of traffic some number of times, to be counted by valgrind:
//! `instructions <kind> <way> <batches>`, the way being `pass` or `tree`. What two numbers of batches
//! cost apart, divided by the events between them, is what an event costs
//! (`npm run bench -- instructions`). `instructions share <file>` reads bodies, one a line, and says how
//! many of their events took the pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a tool for developers: what goes wrong here must stop it"
)]

use shoreline_shared::id::uuid_v7;
use shoreline_shared::limits::{DEFAULT_RETENTION_DAYS, TRACKER_BATCH_EVENTS};
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};
use shoreline_worker::ingest::batch::split;
use shoreline_worker::ingest::judge::{Context, judge};

/// Also the moment of the bodies that `share` reads.
const NOW: i64 = 1_705_334_400_000;
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/// An escape in a key of the envelope is enough to send the whole batch the slow way.
const SLOW: &str = r#""mor\u0065":0,"#;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, file] = args.as_slice()
        && kind == "share"
    {
        return share(&std::fs::read_to_string(file).expect("the file is there"));
    }
    let [kind, way, batches] = args.as_slice() else {
        panic!("instructions <kind> <pass|tree> <batches>");
    };
    let batches: usize = batches.parse().expect("batches is a number");
    let is_slow = way == "tree";
    // `cards:1000` is one event with a thousand bytes of near-matches for cards.
    let events: Vec<String> = match kind.split_once(':') {
        Some((kind, bytes)) => vec![hostile(kind, bytes.parse().expect("a number of bytes"))],
        None => (0..TRACKER_BATCH_EVENTS).map(|n| event(kind, n)).collect(),
    };
    let body = format!(
        r#"{{"batchId":"{}",{}"sentAt":{NOW},"dropped":0,"events":[{}]}}"#,
        id(0),
        if is_slow { SLOW } else { "" },
        events.join(",")
    );
    let (mut lines, mut passed) = (0, 0);
    for _ in 0..batches {
        let (taken, fast) = take(&body);
        lines += taken;
        passed += fast;
    }
    if !kind.contains(':') {
        assert_eq!(lines, batches * events.len(), "events were refused");
        assert_eq!(
            passed,
            if is_slow { 0 } else { lines },
            "events went the other way"
        );
    }
}

/// Says how many of the events of some bodies, one a line, take the pass.
fn share(bodies: &str) {
    let taken = bodies.lines().map(take);
    let (lines, passed) = taken.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{passed} of {lines}");
}

fn take(body: &str) -> (usize, usize) {
    let delivery = split(body.as_bytes()).expect("the body is whole");
    let context = Context {
        site: "demo",
        sender: Sender::Browser {
            user_agent: Some(AGENT),
            ip: Some("203.0.113.77"),
            adapted: false,
        },
        source: "tracker",
        privacy: Privacy::default(),
        rules: Rules {
            now_ms: NOW,
            retention_days: DEFAULT_RETENTION_DAYS,
            any_past: false,
        },
        batch_id: delivery.batch_id.as_deref(),
        stored_batch_id: delivery.batch_id.as_deref().unwrap_or_default(),
        sent_at: delivery.sent_at,
        clock_offset: 0,
        hash_ids: None,
        country: Some("DE"),
        region: Some("Bavaria"),
        is_bot: false,
        // Remembered by the isolate, so it is no event's cost.
        agent: None,
    };
    let judged = judge(delivery.drafts, &delivery.body, &context, &String::new);
    (judged.lines.len(), judged.passed)
}

/// An event as a tracker sends it.
fn event(kind: &str, n: usize) -> String {
    let (event_type, data) = match kind {
        "plain view" => (
            "page_view",
            format!(r#"{{"url":"https://shop.example/catalog/{n}","title":"Catalog of the shop"}}"#),
        ),
        "campaign view" => (
            "page_view",
            format!(
                r#"{{"url":"https://shop.example/catalog/{n}?utm_source=newsletter&utm_medium=email&utm_campaign=weekly&q=secret","title":"Caf\u00e9 \"Stra\u00dfe\" – größer","referrer":"https://www.google.com/search?q=shop"}}"#
            ),
        ),
        "feature" => (
            "feature_use",
            format!(r#"{{"feature":"export-{n}","duration":12.5}}"#),
        ),
        "vital" => ("web_vital", r#"{"name":"CLS","value":0.061}"#.to_owned()),
        "error" => (
            "error",
            r#"{"message":"TypeError: Cannot read properties of undefined (reading 'blocks')","source":"https://shop.example/app.js","stack":"TypeError: Cannot read properties of undefined (reading 'blocks')\n    at render (https://shop.example/app.js:10:20)\n    at flush (https://shop.example/app.js:33:7)\n    at https://shop.example/app.js:40:1"}"#.to_owned(),
        ),
        "mixed" => {
            let kinds = ["plain view", "campaign view", "feature", "vital", "error", "plain view", "feature"];
            return event(kinds[n % kinds.len()], n);
        }
        other => panic!("no such traffic: {other}"),
    };
    whole(event_type, &data, n)
}

/// An event that tries to be slow, of about so many bytes.
fn hostile(kind: &str, bytes: usize) -> String {
    let text = |piece: &str| format!(r#"{{"text":"{}"}}"#, piece.repeat(bytes / piece.len()));
    let texts = |piece: &str| {
        let fields =
            (0..bytes / 1_000).map(|n| format!(r#""t{n}":"{}""#, piece.repeat(990 / piece.len())));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    };
    let data = match kind {
        "deep" => {
            let levels = bytes / 6;
            format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
        }
        "keys" => {
            // In falling order, all alike in the beginning.
            let fields = (0..bytes / 60)
                .rev()
                .map(|n| format!(r#""{}{n:05}":1"#, "k".repeat(50)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        "items" => format!(r#"{{"a":[{}1]}}"#, "[],".repeat(bytes / 3)),
        "cards" => text("4111-1111-1111-1112 "),
        "short cards" => texts("4111 1111 1111 1112 "),
        "addresses" => text("a@b."),
        "addresses behind one another" => texts("a@b.cc@"),
        "tokens" => text("bearer "),
        "encoded" => text("%2540%40"),
        "escapes" => text(r"\u00e9\ud83d\ude00\n"),
        "slashes" => format!(r#"{{"url":"https://a.example{}"}}"#, "/".repeat(bytes)),
        "parameters" => format!(
            r#"{{"url":"/?{}"}}"#,
            "ref=&utm_term=%20&".repeat(bytes / 18)
        ),
        other => panic!("no such event: {other}"),
    };
    whole(
        if kind == "parameters" {
            "page_view"
        } else {
            "error"
        },
        &data,
        0,
    )
}

fn whole(event_type: &str, data: &str, n: usize) -> String {
    format!(
        r#"{{"eventId":"{}","eventType":"{event_type}","userId":"{}","sessionId":"{}","timestamp":{},"eventData":{data},"metadata":{{"platform":"web"}}}}"#,
        id(n),
        id(1_000),
        id(2_000),
        NOW - i64::try_from(n).expect("a small number") * 1_000
    )
}

fn id(n: usize) -> String {
    let mut random = [0x5a; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    uuid_v7(NOW, random)
}
