//! Amazon SQS: `SendMessageBatch`, an event a message.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::aws::{JSON_1_0, Service};
use super::encode::xml_safe;
use super::http::{Answer, SinkRequest};
use super::records::{Limits, Record, RecordSink};
use super::verdict::{Entry, Failure, judge, judge_entry};
use crate::base::json;

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sqs {
    /// Where it is.
    pub(super) service: Service,
    /// Its URL.
    pub(super) queue_url: String,
}

/// SQS: 10 messages, and 1 MiB for one and for all of them.
const LIMITS: Limits = Limits {
    entries: 10,
    entry_bytes: 1_048_576,
    bytes: 1_048_576,
    window: 200,
};

/// The end of the URL of a queue that keeps the order of a group.
const FIFO: &str = ".fifo";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    site_id: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    message_body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_deduplication_id: Option<&'a str>,
}

impl RecordSink for Sqs {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn record(&self, line: &str) -> Result<Record, &'static str> {
        let head: Head<'_> = serde_json::from_str(line).map_err(|_| "unreadable")?;
        let body = xml_safe(line);
        let size = body.len();
        if size > LIMITS.entry_bytes {
            return Err("too_large");
        }
        let fifo = self.queue_url.ends_with(FIFO);
        let json = serde_json::to_string(&Message {
            message_body: &body,
            message_group_id: fifo.then_some(&head.site_id),
            message_deduplication_id: fifo.then_some(&head.event_id),
        });
        let json = json.map_err(|_| "unreadable")?;
        Ok(Record { json, size })
    }

    fn request(&self, batch: &[&Record], at_ms: i64) -> SinkRequest {
        let entries: Vec<String> = batch
            .iter()
            .enumerate()
            .map(|(id, record)| {
                let rest = record.json.strip_prefix('{').unwrap_or_default();
                format!("{{\"Id\":\"{id}\",{rest}")
            })
            .collect();
        // A queue's URL needs no escapes (settings).
        let body = format!(
            "{{\"QueueUrl\":\"{}\",\"Entries\":[{}]}}",
            self.queue_url,
            entries.join(",")
        );
        let target = "AmazonSQS.SendMessageBatch";
        self.service.call(target, JSON_1_0, body, at_ms)
    }

    fn judge(&self, answer: &Answer, count: usize) -> Result<Vec<Entry>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            #[serde(default)]
            successful: Vec<Taken>,
            #[serde(default)]
            failed: Vec<Failed>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Taken {
            id: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Failed {
            id: String,
            code: String,
            #[serde(default)]
            sender_fault: bool,
        }
        if answer.status != 200 {
            return Err(judge(answer));
        }
        let body: Body =
            json::told(&answer.body).map_err(|_| Failure::passing("unreadable_answer"))?;
        let taken = body
            .successful
            .into_iter()
            .map(|one| (one.id, Entry::Taken));
        let failed = body
            .failed
            .into_iter()
            .map(|one| (one.id, judge_entry(&one.code, one.sender_fault)));
        let mut results: HashMap<String, Entry> = taken.chain(failed).collect();
        let entries = (0..count).map(|id| {
            results
                .remove(&id.to_string())
                // Nothing was said of it: it is sent again.
                .unwrap_or_else(|| Entry::Failed(Failure::passing("no_result")))
        });
        Ok(entries.collect())
    }
}
