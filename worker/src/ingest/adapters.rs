//! Foreign payloads made into drafts, one file for each protocol.
//!
//! An adapter only translates. It refuses what is of its shape and broken, so that the sender is
//! told in the sender's own words (`registeredAt`, `detail`), and leaves every other judgement to
//! validation. No adapter knows site, key or clock, and none depends on the order of keys.
//!
//! Whatever a body holds, each of its items becomes exactly one draft, in the sender's order. An item
//! is looked at within the limits of an event (32 KiB, 16 levels, 256 keys an object), so that what
//! is wrong with one never spoils the others.

use crate::http::cloud_event::CloudEventHeaders;
use crate::http::error::Fault;
use crate::ingest::draft::{Delivery, Draft};

mod analytics;
mod body;
mod cloudevents;
mod eventbridge;
mod fields;
mod items;
mod kafka;
mod moment;
mod plausible;
mod product;
mod recognize;
mod segment;
mod upstream;

pub use plausible::plausible;
pub use segment::{SegmentCall, SegmentKind, segment};

/// Items in one request of a service at most. Ten full batches of a tracker; what Kafka's HTTP
/// sink connectors send by default (500) fits twice.
pub const MAX_ITEMS: usize = 1_000;

/// Reads the body of a `POST /v1/ingest`, in any of the forms of `docs/EVENTS.md`.
///
/// The content type decides where it names a protocol; else a request with `ce-specversion` is a
/// CloudEvent in binary mode, whatever its body is; else the body is JSON (one item, an array, an
/// envelope) or JSON lines.
///
/// # Errors
/// 400 for what is not JSON, or a `batchId` that is no UUID; 413 for over [`MAX_ITEMS`] items; 415
/// for a content type of none of these; 422 for no item at all.
pub fn ingest_delivery<'a>(
    content_type: Option<&str>,
    headers: &CloudEventHeaders,
    body: &'a [u8],
) -> Result<Delivery<'a>, Fault> {
    let essence = essence(content_type);
    match essence.as_str() {
        "application/cloudevents+json" => cloudevents::structured(body),
        "application/cloudevents-batch+json" => cloudevents::batch(body),
        _ if headers.is_binary_mode() => Ok(cloudevents::binary(headers, content_type, body)),
        "application/vnd.kafka.json.v2+json" => kafka::records(body),
        lines if is_lines_type(lines) => body::lines(body),
        "" | "application/json" | "text/plain" | "text/json" => body::json(body),
        _ => Err(Fault::UnsupportedMediaType),
    }
}

/// The draft of one line of JSON lines.
pub fn line(line: &[u8]) -> Draft<'_> {
    body::line(line)
}

/// An item as a value; none where it is no JSON, or larger or deeper than an event is.
pub fn item_value(text: &str) -> Option<serde_json::Value> {
    fields::json_value(text)?.ok()
}

/// Whether a content type says JSON lines.
pub fn is_lines(content_type: Option<&str>) -> bool {
    is_lines_type(&essence(content_type))
}

fn is_lines_type(essence: &str) -> bool {
    matches!(
        essence,
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
    )
}

/// The media type alone, in lowercase; empty where there is none.
fn essence(content_type: Option<&str>) -> String {
    let full = content_type.unwrap_or_default();
    let (essence, _) = full.split_once(';').unwrap_or((full, ""));
    essence.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
