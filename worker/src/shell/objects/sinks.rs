//! The sinks on the platform: fetch, the bucket binding, and one attempt of a delivery.

use std::cell::Cell;
use std::time::Duration;

use worker::{Conditional, Data, Env, HttpMetadata, Result};

use crate::lake::{Delivery, LakeStore};
use crate::shell::platform::bindings::LAKE;
use crate::shell::platform::clock::{new_trace, now_ms};
use crate::shell::platform::deadline::within;
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::fetch;
use crate::shell::platform::gzip::inflate;
use crate::shell::platform::log;
use crate::sinks::{
    self, Answer, Failure, Landing, NoAnswer, Outcome, SealedObject, Sink, SinkRequest, Transport,
};

/// How long a sink may take to answer, body included. S3 takes a second for the largest object; a
/// sink that hangs keeps nobody waiting but itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Of an answer, the same, and as many bytes as results of 500 records are ten times over.
const LIMITS: fetch::Limits = fetch::Limits {
    within_ms: 20_000,
    most_bytes: 1_000_000,
    follow: false,
};

/// Sends requests by `fetch`, and counts them: the platform allows 10,000 an invocation.
#[derive(Debug)]
pub(crate) struct Fetcher {
    requests: Cell<u32>,
    traceparent: String,
}

impl Fetcher {
    /// One whose requests are of one new trace.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            requests: Cell::default(),
            traceparent: new_trace()?.traceparent(),
        })
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.get()
    }
}

impl Transport for Fetcher {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn send(&self, request: SinkRequest) -> std::result::Result<Answer, NoAnswer> {
        self.requests.set(self.requests.get().saturating_add(1));
        // No part of what is signed: what is on the way may go on with it.
        let request = request.header("traceparent", &self.traceparent);
        // The platform's words may hold the URL, and tell little else.
        fetch::send(&request, LIMITS).await.map_err(|why| {
            NoAnswer(match why.as_str() {
                fetch::TIMEOUT => fetch::TIMEOUT,
                _ => "no_answer",
            })
        })
    }
}

/// One attempt of a delivery.
pub(crate) async fn attempt(
    env: &Env,
    fetcher: &Fetcher,
    store: &LakeStore<DoSql>,
    sink: &Sink,
    delivery: &Delivery,
) -> Result<Outcome> {
    let object = &delivery.object;
    if let Some(records) = sink.records() {
        let window = delivery
            .progress
            .window(delivery.total(), records.limits().window);
        let lines = lines(store, object.sequence, &window).await?;
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let progress = &delivery.progress;
        let sent = sinks::send_records(records, fetcher, progress, &window, &lines).await;
        return Ok(Outcome::Sent(sent));
    }
    let packed = store.packed(object.sequence)?;
    let landing = match sink {
        Sink::S3(s3) => sinks::put_object(s3, fetcher, object, packed).await,
        _ => put_r2(env, object, packed).await,
    };
    Ok(landing.outcome(object))
}

/// The lines of some of an object's events. Segments are unpacked one at a time: what lies in memory is one
/// of them and the lines of a window, however large the object.
async fn lines(store: &LakeStore<DoSql>, sequence: i64, window: &[u32]) -> Result<Vec<String>> {
    let mut lines = Vec::with_capacity(window.len());
    for member in store.members(sequence, window)? {
        let text = inflate(&store.member(member.seq)?).await?;
        lines.extend(member.pick(&text).map(str::to_owned));
    }
    Ok(lines)
}

/// Puts a sealed object into the bucket, unless its key is taken.
async fn put_r2(env: &Env, object: &SealedObject, packed: Vec<u8>) -> Landing {
    match within(ANSWER_WITHIN, put_into_bucket(env, object, packed)).await {
        Some(Ok(landing)) => landing,
        Some(Err(error)) => {
            log::error("r2", error);
            Landing::Failed(Failure::passing("r2_error"))
        }
        None => Landing::Failed(Failure::passing("timeout")),
    }
}

async fn put_into_bucket(env: &Env, object: &SealedObject, packed: Vec<u8>) -> Result<Landing> {
    let bucket = env.bucket(LAKE)?;
    let put = bucket
        .put(&object.key, Data::Bytes(packed))
        .only_if(Conditional {
            // `If-None-Match: *`
            etag_does_not_match: Some("*".to_owned()),
            ..Conditional::default()
        })
        .http_metadata(HttpMetadata {
            // A gzip file, not a gzip-encoded text: engines read it by its name.
            content_type: Some("application/gzip".to_owned()),
            ..HttpMetadata::default()
        })
        .custom_metadata(object.metadata())
        .execute()
        .await?;
    if put.is_some() {
        return Ok(Landing::Put);
    }
    match bucket.head(&object.key).await? {
        Some(there) => Ok(Landing::Taken(there.custom_metadata()?)),
        None => Ok(Landing::Failed(Failure::passing("taken_and_gone"))),
    }
}
