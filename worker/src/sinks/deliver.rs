//! The recipes: request, send, judge.

use super::http::Transport;
use super::records::{Progress, Record, RecordSink, Sent, Tally, cut_batches};
use super::s3::{S3, judge_head, judge_put};
use super::verdict::{Entry, Failure};
use crate::base::together::join_all;
use crate::sinks::{Landing, SealedObject};

/// Requests to a sink at once. The platform opens six connections at a time for one invocation,
/// which all sinks share.
const AT_ONCE: usize = 3;

/// Puts an object, and where its key is taken asks by what.
pub async fn put_object(
    s3: &S3,
    transport: &impl Transport,
    object: &SealedObject,
    body: Vec<u8>,
) -> Landing {
    let put = s3.put(object, body, transport.now_ms());
    let landing = match transport.send(put).await {
        Ok(answer) => judge_put(&answer),
        Err(none) => Some(Landing::Failed(none.into())),
    };
    if let Some(landing) = landing {
        return landing;
    }
    match transport.send(s3.head(object, transport.now_ms())).await {
        Ok(answer) => judge_head(&answer),
        Err(none) => Landing::Failed(none.into()),
    }
}

/// Sends the events of a window, `lines` being theirs in the same order. After a failure no further
/// request is begun: what was not sent is left for the next attempt.
pub async fn send_records(
    sink: &dyn RecordSink,
    transport: &impl Transport,
    progress: &Progress,
    window: &[u32],
    lines: &[&str],
) -> Sent {
    let mut tally = Tally::new(window);
    if lines.len() != window.len() {
        // Never seen; but an attempt that neither sends nor fails would be repeated at once.
        tally.fail(Failure::passing("lines_missing"));
    }
    let mut records: Vec<(u32, Record)> = Vec::with_capacity(window.len());
    for (index, line) in window.iter().zip(lines) {
        match sink.record(line) {
            Ok(record) => records.push((*index, record)),
            Err(code) => tally.note(*index, Entry::Refused(code.to_owned())),
        }
    }
    let sizes: Vec<usize> = records.iter().map(|(_, record)| record.size).collect();
    for some in cut_batches(&sizes, sink.limits()).chunks(AT_ONCE) {
        let batches = some
            .iter()
            .map(|range| records.get(range.clone()).unwrap_or_default());
        let results = join_all(batches.map(|batch| send_batch(sink, transport, batch))).await;
        for (range, result) in some.iter().zip(results) {
            let batch = records.get(range.clone()).unwrap_or_default();
            match result {
                Ok(entries) => {
                    for ((index, _), entry) in batch.iter().zip(entries) {
                        tally.note(*index, entry);
                    }
                }
                Err(failure) => tally.fail(failure),
            }
        }
        if tally.failed() {
            break;
        }
    }
    tally.finish(progress)
}

async fn send_batch(
    sink: &dyn RecordSink,
    transport: &impl Transport,
    batch: &[(u32, Record)],
) -> Result<Vec<Entry>, Failure> {
    let records: Vec<&Record> = batch.iter().map(|(_, record)| record).collect();
    let request = sink.request(&records, transport.now_ms());
    let answer = transport.send(request).await?;
    sink.judge(&answer, records.len())
}

#[cfg(test)]
mod tests;
