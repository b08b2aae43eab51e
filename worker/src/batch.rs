//! The envelope: a body split into its events, none of them looked at yet.

use serde::Deserialize;
use serde_json::value::RawValue;
use shoreline_shared::id::parse_uuid;
use shoreline_shared::limits::MAX_EVENTS_PER_BATCH;

use crate::error::Fault;

/// `{ "batchId"?, "sentAt"?, "events": [1..100] }` with each event still as text, so that one bad
/// event cannot spoil its neighbours.
#[derive(Debug)]
pub struct RawBatch<'a> {
    batch_id: Option<String>,
    events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    batch_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    events: Option<&'a RawValue>,
}

impl<'a> RawBatch<'a> {
    /// Splits a body.
    ///
    /// # Errors
    /// 400 for what is not JSON, not an object, or has no `events` array or a `batchId` that is no
    /// UUID; 413 for more than 100 events, which the sender splits like any batch too large; 422
    /// for none.
    pub fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        // A derived struct would take an array of its fields too.
        if body.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
            return Err(Fault::malformed("The body must be a JSON object."));
        }
        let envelope: Envelope<'a> = serde_json::from_slice(body)
            .map_err(|_| Fault::malformed("The body is not well-formed JSON."))?;
        let events = envelope
            .events
            .and_then(|raw| serde_json::from_str::<Vec<&'a RawValue>>(raw.get()).ok())
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
        Ok(Self {
            batch_id: batch_id(envelope.batch_id)?,
            events,
        })
    }

    /// The sender's id of the batch, lowercase.
    pub fn batch_id(&self) -> Option<&str> {
        self.batch_id.as_deref()
    }

    /// The events' texts, in the sender's order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.events.iter().map(|raw| raw.get())
    }
}

fn batch_id(raw: Option<&RawValue>) -> Result<Option<String>, Fault> {
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
        RawBatch::parse(body).map_or_else(|fault| fault.code(), |_| "ok")
    }

    #[test]
    fn an_envelope_is_split_into_its_events() {
        let body = br#" {"batchId":"0198C1D2-0000-7000-8000-000000000001","sentAt":null,"events":[{"a":1},[2],"x"],"more":{}}"#;
        let batch = RawBatch::parse(body).unwrap();
        assert_eq!(
            batch.batch_id(),
            Some("0198c1d2-0000-7000-8000-000000000001")
        );
        assert_eq!(
            batch.events().collect::<Vec<_>>(),
            [r#"{"a":1}"#, "[2]", r#""x""#]
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
        assert_eq!(RawBatch::parse(body.as_bytes()).unwrap().events().len(), 2);
    }
}
