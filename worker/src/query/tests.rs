//! Questions asked of archives whose events are known.

mod ask;
mod breakdown;
mod discovered;
mod goals;
mod joined;
mod model;
mod panels;
mod properties;
mod questions;
mod range;
mod scan;
mod sessions;
mod sums;
mod walks;
mod zones;

use serde_json::{Value, json};

use super::{Answer, Asked, Found, Query, Question, Source};
use crate::archive::scan::{Asking, Part, tests::archived};
use crate::base::time::DAY_MS;
use crate::http::error::Fault;
use crate::read::brute::{DAY, event};
use crate::testing::TestSql;

/// After all events of these tests.
pub(super) const NOW: i64 = (DAY + 9) * DAY_MS;

/// The range of all events.
pub(super) fn all_days() -> Value {
    json!(["2024-01-15", "2024-01-20"])
}

/// Event `n`: sessions are of one user, views are left, and there are properties of every kind.
pub(super) fn some_event(n: usize) -> Value {
    let mut event = event("demo", n);
    event["sessionId"] = match event["userId"].as_str() {
        Some(user) if !user.starts_with("anon-") => json!(format!("{user}-{}", n % 3)),
        _ => Value::Null,
    };
    match n % 9 {
        0 => {
            event["eventType"] = json!("page_leave");
            event["eventData"] = json!({"url": format!("https://a.example/{}", n % 4),
                "engagedMs": n % 7 * 2_000, "scrollDepth": n % 101});
        }
        1 | 2 => {
            event["eventType"] = json!("custom");
            event["eventData"] = json!({"name": format!("n{}", n % 3), "plan": {"size": n % 5}, "on": n.is_multiple_of(2),
                "amount": amount(n), "note": note(n), "revenue": revenue(n)});
        }
        _ if event["eventType"] == "page_view" => came(&mut event["eventData"], n),
        _ => {}
    }
    event
}

/// Numbers, and now and then something else.
fn amount(n: usize) -> Value {
    match n % 11 {
        0 => json!("seven"),
        1 => json!(true),
        2 => json!(-0.1),
        3 => json!(1e30),
        _ => json!(((n * 37) % 50) as f64 / 10.0),
    }
}

/// Where a view comes from: by every way.
fn came(data: &mut Value, n: usize) {
    let (source, more) = match n % 8 {
        0 => (
            Value::Null,
            json!({"utm_source": null, "referrerHost": null}),
        ),
        1 => (json!("Google"), json!({"utm_source": null})),
        2 => (
            json!("Google"),
            json!({"utm_source": null, "url": "https://a.example/?x=1&gclid=true"}),
        ),
        3 => (json!("n"), json!({"utm_medium": "email"})),
        4 => (json!("ChatGPT"), json!({"utm_source": null})),
        5 => (json!("Reddit"), json!({"utm_source": null})),
        6 => (json!("r1.example"), json!({"utm_source": null})),
        _ => (json!("n"), json!({})),
    };
    data["referrerSource"] = source;
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
}

/// Money, and what is none.
fn revenue(n: usize) -> Value {
    match n % 7 {
        0 => Value::Null,
        1 => json!({"amount": 12.5, "currency": "USD"}),
        2 => json!({"amount": "0.1", "currency": "eur"}),
        3 => json!({"amount": 7, "currency": "euro"}),
        4 => json!({"amount": "much", "currency": "EUR"}),
        5 => json!({"amount": 3}),
        _ => json!({"amount": (n % 40) as f64 / 8.0 - 1.0, "currency": "EUR"}),
    }
}

/// Some are too long for columns.
fn note(n: usize) -> Value {
    match n % 13 {
        0 => json!("x".repeat(300 + n % 2)),
        1 => Value::Null,
        _ => json!(format!("note {}", n % 3)),
    }
}

pub(super) fn some_events(count: usize) -> Vec<Value> {
    (0..count).map(some_event).collect()
}

/// In which of so many shards an event is: that of its user, or else by its id.
pub(super) fn shard_of(event: &Value, shards: usize) -> usize {
    let whose = event["userId"].as_str().or(event["eventId"].as_str());
    whose.unwrap().bytes().map(usize::from).sum::<usize>() % shards
}

/// What a shard finds.
pub(super) fn find(sql: &TestSql, spec: &[u8], kept_from: i64) -> Part<Found> {
    found_by(sql, Query::begin(spec, kept_from).unwrap())
}

pub(super) fn found_by(sql: &TestSql, query: Query) -> Part<Found> {
    found_of(sql, query)
}

pub(super) fn found_of<T: serde::de::DeserializeOwned>(sql: &TestSql, query: Query) -> Part<T> {
    scanned(sql, Box::new(query))
}

pub(super) fn scanned<T: serde::de::DeserializeOwned>(
    sql: &TestSql,
    scan: Box<dyn crate::archive::scan::Scan>,
) -> Part<T> {
    let mut asking = Asking::of_scan(scan, false);
    loop {
        while asking.slice(sql, 0).unwrap() {}
        let some = asking.packed(sql).unwrap();
        if some.is_empty() {
            return serde_json::from_str(&asking.part().unwrap()).unwrap();
        }
        for lines in some {
            let text = String::from_utf8(lines.packed.clone()).unwrap();
            asking.cut(&lines, &text);
        }
    }
}

/// Archives of shards, with segments of `size` events.
pub(super) fn shards(events: &[Value], shards: usize, size: usize) -> Vec<TestSql> {
    let of = |shard| {
        let mine = events
            .iter()
            .filter(|event| shard_of(event, shards) == shard);
        archived(&mine.cloned().collect::<Vec<_>>(), size)
    };
    (0..shards).map(of).collect()
}

/// The answer of some shards, in a zone of these offsets.
pub(super) fn ask_in(
    archives: &[TestSql],
    body: &Value,
    offsets: Vec<(i64, i64)>,
    kept_from: i64,
) -> Result<Value, Fault> {
    let (asked, answer) = answer_in(archives, body, offsets, kept_from)?;
    let _ = asked.csv(&answer);
    Ok(serde_json::to_value(&answer).unwrap())
}

pub(super) fn answer_in(
    archives: &[TestSql],
    body: &Value,
    offsets: Vec<(i64, i64)>,
    kept_from: i64,
) -> Result<(Asked, Answer), Fault> {
    let (asked, mut answers) = answers_in(archives, body, offsets, kept_from)?;
    Ok((asked, answers.remove(0)))
}

/// The answers to one question, or to several.
pub(super) fn answers_in(
    archives: &[TestSql],
    body: &Value,
    offsets: Vec<(i64, i64)>,
    kept_from: i64,
) -> Result<(Asked, Vec<Answer>), Fault> {
    answers_at(archives, body, offsets, kept_from, NOW)
}

/// The same, asked at a moment.
pub(super) fn answers_at(
    archives: &[TestSql],
    body: &Value,
    offsets: Vec<(i64, i64)>,
    kept_from: i64,
    now_ms: i64,
) -> Result<(Asked, Vec<Answer>), Fault> {
    let text = body.to_string();
    let asked = if body["panels"].is_null() {
        Asked::new(Question::parse(text.as_bytes())?, Some(offsets), now_ms)?
    } else {
        Asked::new(
            Question::parse_panels(text.as_bytes())?,
            Some(offsets),
            now_ms,
        )?
        .of_panels()
    };
    let found = asked.specs(&text, 1).into_iter().map(|spec| {
        let spec = serde_json::to_vec(&spec).unwrap();
        let parts = archives.iter().map(|sql| find(sql, &spec, kept_from));
        let parts = parts.inspect(|part| assert_eq!(part.unreadable, 0));
        parts.map(|part| part.found).collect()
    });
    let answers = asked.answers(found.collect(), Source::Scan)?;
    Ok((asked, answers))
}

/// The answer of one archive, in UTC.
pub(super) fn ask(sql: &TestSql, body: &Value) -> Value {
    ask_in(std::slice::from_ref(sql), body, Vec::new(), 0).unwrap()
}
