//! Amazon Data Firehose: `PutRecordBatch`, an event a record.
//!
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::aws::{JSON_1_1, Service};
use super::http::{Answer, SinkRequest};
use super::records::{Limits, Record, RecordSink};
use super::verdict::{Entry, Failure, judge, judge_entry};
use crate::base::json;

/// A delivery stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firehose {
    /// Where it is.
    pub(super) service: Service,
    /// Its name.
    pub(super) stream: String,
}

/// Firehose: 500 records and 4 MB a request, 1,000 KB a record before base64. The reference does not
/// say whether the 4 MB are counted before base64; counted after it, they hold either way.
const LIMITS: Limits = Limits {
    entries: 500,
    entry_bytes: 1_000_000,
    bytes: 4_000_000 - ENVELOPE_BYTES,
    window: 2_000,
};

/// Around the records, and around each (`{"Data":""},`).
const ENVELOPE_BYTES: usize = 200;
const RECORD_ENVELOPE_BYTES: usize = 12;

impl RecordSink for Firehose {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn record(&self, line: &str) -> Result<Record, &'static str> {
        let bytes = line.len().saturating_add(1);
        if bytes > LIMITS.entry_bytes {
            return Err("too_large");
        }
        // Firehose puts nothing between records: the line's end is ours.
        let json = BASE64.encode(format!("{line}\n"));
        let size = json.len().saturating_add(RECORD_ENVELOPE_BYTES);
        Ok(Record { json, size })
    }

    fn request(&self, batch: &[&Record], at_ms: i64) -> SinkRequest {
        let records: Vec<String> = batch
            .iter()
            .map(|record| format!("{{\"Data\":\"{}\"}}", record.json))
            .collect();
        // The name of a stream needs no escapes (settings).
        let body = format!(
            "{{\"DeliveryStreamName\":\"{}\",\"Records\":[{}]}}",
            self.stream,
            records.join(",")
        );
        let target = "Firehose_20150804.PutRecordBatch";
        self.service.call(target, JSON_1_1, body, at_ms)
    }

    fn judge(&self, answer: &Answer, count: usize) -> Result<Vec<Entry>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            failed_put_count: usize,
            request_responses: Vec<Response>,
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
            .request_responses
            .iter()
            .map(|response| match &response.error_code {
                None => Entry::Taken,
                Some(code) => judge_entry(code, false),
            })
            .collect();
        let failed = entries.iter().filter(|e| **e != Entry::Taken).count();
        // What does not add up says nothing: the batch is sent again, and `eventId` tells.
        if entries.len() == count && failed == body.failed_put_count {
            Ok(entries)
        } else {
            Err(unreadable())
        }
    }
}
