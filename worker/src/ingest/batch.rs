//! The envelope: a body split into its events, none of them looked at yet.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shoreline_shared::id::{is_derived, parse_uuid};
use shoreline_shared::limits::{MAX_DEPTH, MAX_EVENTS_PER_BATCH, TRACKER_BATCH_EVENTS};
use shoreline_shared::pass::{Kind, Tape};
use shoreline_shared::validate::instant_ms;

use crate::base::json;
use crate::http::error::Fault;
use crate::ingest::draft::{Body, Delivery, Draft};

/// Levels of nesting above an event: the body, and its `events`.
const ENVELOPE_LEVELS: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    batch_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    events: Option<&'a RawValue>,
    #[serde(borrow, default)]
    sent_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    dropped: Option<&'a RawValue>,
}

/// Splits `{ "batchId"?, "sentAt"?, "dropped"?, "events": [1..100] }` with each event still as text,
/// so that one bad event cannot spoil its neighbours. A `sentAt` or `dropped` that is none counts as
/// left out: neither is worth an event.
///
/// # Errors
/// 400 for what is not JSON, not an object, or has no `events` array or a `batchId` that is no
/// UUID or one that the collector makes of a service's `Idempotency-Key`; 413 for more than 100 events, which the sender splits like any batch too large; 422
/// for none.
pub fn split(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    match scanned(body) {
        Some(delivery) => Ok(delivery),
        None => split_slowly(body),
    }
}

/// Splits a body by scanning it once; `None` of one that is unusual or wrong.
fn scanned(body: &[u8]) -> Option<Delivery<'_>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut tape = Tape::default();
    tape.scan(text, ENVELOPE_LEVELS.saturating_add(MAX_DEPTH))?;
    let root = tape.root(text);
    let (mut events, mut batch_id, mut sent_at, mut dropped) = (None, None, None, None);
    for field in (root.kind() == Kind::Object).then(|| root.children())? {
        let place = match field.key()? {
            "events" => &mut events,
            "batchId" => &mut batch_id,
            "sentAt" => &mut sent_at,
            "dropped" => &mut dropped,
            _ => continue,
        };
        if place.replace(field).is_some() {
            return None;
        }
    }
    let events = events.filter(|events| events.kind() == Kind::Array)?;
    let mut drafts = Vec::with_capacity(TRACKER_BATCH_EVENTS);
    let events = events.children();
    drafts.extend(
        events
            .take(MAX_EVENTS_PER_BATCH.saturating_add(1))
            .map(|event| Draft::Scanned {
                text: event.raw(),
                place: event.place(),
            }),
    );
    if drafts.is_empty() || drafts.len() > MAX_EVENTS_PER_BATCH {
        return None;
    }
    let batch_id = match batch_id {
        Some(id) if id.kind() != Kind::Null => Some(
            id.plain()
                .and_then(parse_uuid)
                .filter(|id| !is_derived(id))?,
        ),
        _ => None,
    };
    Some(Delivery {
        batch_id,
        sent_at: sent_at.and_then(|at| sent_at_of(at.raw())),
        dropped: dropped.map_or(0, |count| dropped_of(count.raw())),
        drafts,
        texts: Vec::new(),
        body: Body { text, tape },
    })
}

/// `sentAt`; one that is none counts as left out.
fn sent_at_of(json: &str) -> Option<i64> {
    instant_ms(&serde_json::from_str(json).ok()?)
}

fn dropped_of(json: &str) -> u32 {
    let value: Option<Value> = serde_json::from_str(json).ok();
    let count = value.and_then(|value| u32::try_from(value.as_u64()?).ok());
    count.unwrap_or(0)
}

/// Splits a body into the texts of its events, or says what is wrong with it.
pub(crate) fn split_slowly(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    // A derived struct would take an array of its fields too.
    if body.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Fault::malformed("The body must be a JSON object."));
    }
    let envelope: Envelope<'_> =
        json::read(body).map_err(|_| Fault::malformed("The body is not well-formed JSON."))?;
    let events = envelope
        .events
        .and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok())
        .ok_or(Fault::Malformed {
            field: Some("events"),
            detail: "events must be an array.",
        })?;
    if events.len() > MAX_EVENTS_PER_BATCH {
        return Err(Fault::PayloadTooLarge(
            "A batch holds at most 100 events; split it.",
        ));
    }
    if events.is_empty() {
        return Err(Fault::NoValidEvent(Vec::new()));
    }
    let batch_id = batch_id(envelope.batch_id)?;
    if batch_id.as_deref().is_some_and(is_derived) {
        return Err(Fault::Malformed {
            field: Some("batchId"),
            detail: "batchId must not be of version 8, which the collector makes itself.",
        });
    }
    Ok(Delivery {
        batch_id,
        sent_at: envelope.sent_at.and_then(|at| sent_at_of(at.get())),
        dropped: envelope.dropped.map_or(0, |count| dropped_of(count.get())),
        drafts: events
            .into_iter()
            .map(|raw| Draft::Text(raw.get()))
            .collect(),
        texts: Vec::new(),
        body: Body::default(),
    })
}

/// The envelope's `batchId`, lowercase; null counts as none.
pub(crate) fn batch_id(raw: Option<&RawValue>) -> Result<Option<String>, Fault> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else {
        return Ok(None);
    };
    serde_json::from_str::<String>(raw.get())
        .ok()
        .and_then(|id| parse_uuid(&id))
        .map(Some)
        .ok_or(Fault::Malformed {
            field: Some("batchId"),
            detail: "batchId must be a UUID.",
        })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn code(body: &[u8]) -> &'static str {
        split(body).map_or_else(|fault| fault.code(), |_| "ok")
    }

    fn texts<'a>(batch: &Delivery<'a>) -> Vec<&'a str> {
        let text = |draft: &Draft<'a>| match draft {
            Draft::Text(text) | Draft::Scanned { text, .. } => *text,
            other => panic!("{other:?}"),
        };
        batch.drafts.iter().map(text).collect()
    }

    /// What a body is split into, or its fault's code.
    fn told(split: Result<Delivery<'_>, Fault>) -> Result<String, &'static str> {
        let told = |batch: Delivery<'_>| {
            let texts = texts(&batch);
            format!(
                "{:?} {:?} {} {texts:?}",
                batch.batch_id, batch.sent_at, batch.dropped
            )
        };
        split.map(told).map_err(|fault| fault.code())
    }

    proptest! {
        /// Whatever stands in an envelope, both ways split it into the same events.
        #[test]
        fn both_ways_split_alike(
            fields in vec((select(&KEYS[..]), select(&VALUES[..])), 0..6),
            at in any::<prop::sample::Index>(),
            byte in prop::option::of(select(&b"\"\\{}[],:0-.eE \n\x00\x7f\xff"[..])),
        ) {
            let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            let mut body = format!("{{{}}}", fields.join(", ")).into_bytes();
            if let Some(byte) = byte {
                let at = at.index(body.len());
                body[at] = byte;
            }
            prop_assert_eq!(told(split(&body)), told(split_slowly(&body)));
        }
    }

    const KEYS: [&str; 8] = [
        "\"events\"",
        "\"events\"",
        "\"events\"",
        "\"batchId\"",
        "\"sentAt\"",
        "\"dropped\"",
        "\"more\"",
        "\"event\\u0073\"",
    ];

    const VALUES: [&str; 20] = [
        "null",
        "true",
        "-1",
        "01",
        "1.5e3",
        "1e999",
        "4294967296",
        "\"0198C1D2-0000-7000-8000-000000000001\"",
        "\"0198c1d2-0000-8000-8000-000000000001\"",
        "\"1970-01-01T00:00:01Z\"",
        "\"\\ud83d\"",
        "\"\\x\"",
        "[]",
        "[{}]",
        "[ {\"a\" : [1,{}]} , 2,\"x\" ]",
        "[1,]",
        "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
        "{}",
        "{\"a\":1,\"a\":2}",
        "{\"a\"}",
    ];

    #[test]
    fn an_envelope_is_split_into_its_events() {
        let body = br#" {"batchId":"0198C1D2-0000-7000-8000-000000000001","sentAt":null,"events":[{"a":1},[2],"x"],"more":{}}"#;
        let batch = split(body).unwrap();
        assert_eq!(
            batch.batch_id.as_deref(),
            Some("0198c1d2-0000-7000-8000-000000000001")
        );
        assert_eq!((batch.sent_at, batch.dropped), (None, 0));
        assert_eq!(texts(&batch), [r#"{"a":1}"#, "[2]", r#""x""#]);
    }

    #[test]
    fn bad_bodies_are_refused_whole() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let deep_object = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        for body in [
            "",
            "null",
            "[]",
            "[[],[]]",
            "42",
            "\"x\"",
            "{",
            "{}",
            "{\"events\":null}",
            "{\"events\":{}}",
            "{\"events\":[}",
            "{\"events\":[{}]} x",
            "{\"batchId\":1,\"events\":[{}]}",
            "{\"batchId\":\"x\",\"events\":[{}]}",
            r#"{"batchId":"0198c1d2-0000-8000-8000-000000000001","events":[{}]}"#,
            &deep,
            &deep_object,
        ] {
            assert_eq!(code(body.as_bytes()), "malformed_json", "{body:.60}");
        }
        assert_eq!(code(b"{\"events\":[\"\xff\"]}"), "malformed_json");
        assert_eq!(code(b"{\"events\":[]}"), "no_valid_event");
        let many = format!("{{\"events\":[{}]}}", vec!["{}"; 101].join(","));
        assert_eq!(code(many.as_bytes()), "payload_too_large");
    }

    #[test]
    fn an_event_nested_without_end_is_its_own_affair() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let body = format!("{{\"events\":[{deep},{{}}]}}");
        assert_eq!(split(body.as_bytes()).unwrap().drafts.len(), 2);
    }

    #[test]
    fn what_is_told_beside_the_events_is_read_where_it_can_be() {
        let told = |body: &str| {
            let batch = split(body.as_bytes()).unwrap();
            (batch.sent_at, batch.dropped)
        };
        assert_eq!(
            told(r#"{"sentAt":5,"dropped":3,"events":[1]}"#),
            (Some(5), 3)
        );
        let written = r#"{"sentAt":"1970-01-01T00:00:01Z","dropped":"3","events":[1]}"#;
        assert_eq!(told(written), (Some(1_000), 0));
        let wrong = r#"{"sentAt":{},"dropped":-1,"events":[1]}"#;
        assert_eq!(told(wrong), (None, 0));
    }
}
