//! The envelope: a body split into its events, none of them looked at yet.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shoreline_shared::id::parse_uuid;
use shoreline_shared::limits::MAX_EVENTS_PER_BATCH;
use shoreline_shared::validate::instant_ms;

use crate::draft::{Delivery, Draft};
use crate::error::Fault;

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
/// UUID; 413 for more than 100 events, which the sender splits like any batch too large; 422
/// for none.
pub fn split(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    // A derived struct would take an array of its fields too.
    if body.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Fault::malformed("The body must be a JSON object."));
    }
    let envelope: Envelope<'_> = serde_json::from_slice(body)
        .map_err(|_| Fault::malformed("The body is not well-formed JSON."))?;
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
    let read = |raw: Option<&RawValue>| serde_json::from_str::<Value>(raw?.get()).ok();
    Ok(Delivery {
        batch_id: batch_id(envelope.batch_id)?,
        sent_at: read(envelope.sent_at).as_ref().and_then(instant_ms),
        dropped: read(envelope.dropped)
            .and_then(|n| u32::try_from(n.as_u64()?).ok())
            .unwrap_or(0),
        drafts: events
            .into_iter()
            .map(|raw| Draft::Text(raw.get()))
            .collect(),
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
    use super::*;

    fn code(body: &[u8]) -> &'static str {
        split(body).map_or_else(|fault| fault.code(), |_| "ok")
    }

    #[test]
    fn an_envelope_is_split_into_its_events() {
        let body = br#" {"batchId":"0198C1D2-0000-7000-8000-000000000001","sentAt":null,"events":[{"a":1},[2],"x"],"more":{}}"#;
        let batch = split(body).unwrap();
        assert_eq!(
            batch.batch_id.as_deref(),
            Some("0198c1d2-0000-7000-8000-000000000001")
        );
        assert_eq!((batch.sent_at, batch.dropped), (None, 0));
        assert_eq!(
            batch.drafts,
            [
                Draft::Text(r#"{"a":1}"#),
                Draft::Text("[2]"),
                Draft::Text(r#""x""#)
            ]
        );
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
