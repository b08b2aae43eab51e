//! Amazon EventBridge: `PutEvents`, an event an entry.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;

use super::aws::{JSON_1_1, Service};
use super::encode::cut;
use super::http::{Answer, SinkRequest};
use super::records::{Limits, Record, RecordSink};
use super::verdict::{Entry, Failure, judge, judge_entry};
use crate::base::json;

use crate::base::sorted::Map;

/// An event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBridge {
    /// Where it is.
    pub(super) service: Service,
    /// Its name or ARN.
    pub(super) bus: String,
    /// What the `Source` of every entry begins with.
    pub(super) source_prefix: String,
}

/// EventBridge: 10 entries, 256 KB an entry and a request; the smaller of its two readings.
const LIMITS: Limits = Limits {
    entries: 10,
    entry_bytes: 256_000,
    bytes: 256_000,
    window: 200,
};

/// What EventBridge counts for `Time`.
const TIME_BYTES: usize = 14;

/// Bytes of `Source` at most.
const MAX_SOURCE: usize = 256;

/// A stored event's fields: those that an entry's head needs, and all of them.
type Fields<'a> = Map<Cow<'a, str>, &'a RawValue>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    timestamp: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntryJson<'a> {
    source: &'a str,
    detail_type: &'a str,
    detail: &'a str,
    event_bus_name: &'a str,
    /// Unix seconds.
    time: i64,
}

/// The event, with its `timestamp` also in `metadata`, where readers of the bus look for it.
fn detail(line: &str, timestamp: i64) -> Option<String> {
    let mut fields: Fields<'_> = serde_json::from_str(line).ok()?;
    let mut metadata: Fields<'_> = match fields.get("metadata") {
        Some(metadata) => serde_json::from_str(metadata.get()).ok()?,
        None => Fields::new(),
    };
    let timestamp = to_raw_value(&timestamp).ok()?;
    metadata.insert("timestamp".into(), &timestamp);
    let metadata = to_raw_value(&metadata).ok()?;
    fields.insert("metadata".into(), &metadata);
    serde_json::to_string(&fields).ok()
}

impl RecordSink for EventBridge {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn record(&self, line: &str) -> Result<Record, &'static str> {
        let head: Head<'_> = serde_json::from_str(line).map_err(|_| "unreadable")?;
        let detail = detail(line, head.timestamp).ok_or("unreadable")?;
        let source = format!("{}.{}", self.source_prefix, head.source);
        let source = cut(&source, MAX_SOURCE);
        let size = [source, &head.event_type, &detail]
            .iter()
            .fold(TIME_BYTES, |sum, text| sum.saturating_add(text.len()));
        if size > LIMITS.entry_bytes {
            return Err("too_large");
        }
        let json = serde_json::to_string(&EntryJson {
            source,
            detail_type: &head.event_type,
            detail: &detail,
            event_bus_name: &self.bus,
            time: head.timestamp.checked_div_euclid(1_000).unwrap_or(0),
        });
        let json = json.map_err(|_| "unreadable")?;
        Ok(Record { json, size })
    }

    fn request(&self, batch: &[&Record], at_ms: i64) -> SinkRequest {
        let entries: Vec<&str> = batch.iter().map(|record| record.json.as_str()).collect();
        let body = format!("{{\"Entries\":[{}]}}", entries.join(","));
        self.service
            .call("AWSEvents.PutEvents", JSON_1_1, body, at_ms)
    }

    fn judge(&self, answer: &Answer, count: usize) -> Result<Vec<Entry>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            failed_entry_count: usize,
            entries: Vec<Response>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Response {
            error_code: Option<String>,
        }
        if answer.status != 200 {
            return Err(judge(answer));
        }
        let unreadable = || Failure::passing("unreadable_answer");
        let body: Body = json::told(&answer.body).map_err(|_| unreadable())?;
        let entries: Vec<Entry> = body
            .entries
            .iter()
            .map(|response| match &response.error_code {
                None => Entry::Taken,
                // Codes that name no passing trouble are about rules and permissions.
                Some(code) => judge_entry(code, true),
            })
            .collect();
        let failed = entries.iter().filter(|e| **e != Entry::Taken).count();
        if entries.len() == count && failed == body.failed_entry_count {
            Ok(entries)
        } else {
            Err(unreadable())
        }
    }
}
