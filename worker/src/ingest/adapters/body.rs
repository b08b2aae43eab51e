//! A body split into its items, none of them built yet: each stays text.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shoreline_shared::event::{Code, Rejection};
use shoreline_shared::validate::instant_ms;

use super::items::{delivery, one, same, split, utf8};
use super::{MAX_ITEMS, kafka, recognize};
use crate::http::error::Fault;
use crate::ingest::batch;
use crate::ingest::draft::{Delivery, Draft};

/// What an object may be besides an item: one of three envelopes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    events: Option<&'a RawValue>,
    #[serde(borrow)]
    batch_id: Option<&'a RawValue>,
    #[serde(borrow)]
    sent_at: Option<&'a RawValue>,
    #[serde(borrow)]
    dropped: Option<&'a RawValue>,
    #[serde(borrow)]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "Entries")]
    entries: Option<&'a RawValue>,
    event_type: Option<IgnoredAny>,
    specversion: Option<IgnoredAny>,
}

/// JSON: one item, an array of items, an envelope of them; or JSON lines, which is how some
/// connectors write a batch whatever they call it.
pub(super) fn json(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    let text = utf8(body)?;
    match one(text) {
        Ok(text) if text.starts_with('[') => delivery(split(text)?, same, recognize::item),
        Ok(text) if text.starts_with('{') => object(text),
        Ok(_) => Err(Fault::malformed("The body must be a JSON object or array.")),
        Err(_) if begins_with_a_line(text) => lines(body),
        Err(fault) => Err(fault),
    }
}

/// JSON lines; blank ones count as none.
pub(super) fn lines(body: &[u8]) -> Result<Delivery<'_>, Fault> {
    let lines = body
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(MAX_ITEMS.saturating_add(1))
        .collect();
    let text = |line| std::str::from_utf8(line).unwrap_or_default();
    delivery(lines, text, line)
}

/// The draft of one line.
pub(super) fn line(line: &[u8]) -> Draft<'_> {
    match std::str::from_utf8(line) {
        Ok(line) => recognize::item(line),
        Err(_) => Draft::Refused(Rejection {
            code: Code::WrongType,
            field: "".into(),
            message: "A line must be UTF-8.".to_owned(),
        }),
    }
}

fn object(text: &str) -> Result<Delivery<'_>, Fault> {
    // Not so where a key is there twice or is no text: it is an item then, and judged as one.
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return delivery(vec![text], same, recognize::item);
    };
    let is_item = envelope.event_type.is_some() || envelope.specversion.is_some();
    let array = |raw: Option<&'_ RawValue>| raw.is_some_and(|raw| raw.get().starts_with('['));
    match envelope {
        _ if is_item => delivery(vec![text], same, recognize::item),
        Envelope {
            events: Some(events),
            batch_id,
            sent_at,
            dropped,
            ..
        } if array(Some(events)) => {
            let mut delivery = delivery(split(events.get())?, same, recognize::item)?;
            delivery.batch_id = batch::batch_id(batch_id)?;
            delivery.sent_at = sent_at.and_then(millis);
            let dropped = dropped.and_then(|raw| serde_json::from_str(raw.get()).ok());
            delivery.dropped = dropped.unwrap_or_default();
            Ok(delivery)
        }
        Envelope {
            records: Some(records),
            ..
        } if array(Some(records)) => delivery(split(records.get())?, kafka::value, kafka::record),
        Envelope {
            entries: Some(entries),
            ..
        } if array(Some(entries)) => delivery(split(entries.get())?, same, recognize::entry),
        _ => delivery(vec![text], same, recognize::item),
    }
}

/// A moment in an envelope, Unix milliseconds; what is none is no reason to lose the events.
pub(super) fn millis(raw: &RawValue) -> Option<i64> {
    instant_ms(&serde_json::from_str(raw.get()).ok()?)
}

/// Whether the first line is JSON by itself, as no line of an object over several lines is.
fn begins_with_a_line(text: &str) -> bool {
    let line = text.trim_ascii_start().lines().next().unwrap_or_default();
    line.starts_with('{') && one(line).is_ok()
}

#[cfg(test)]
mod tests;
