//! A scripted collector in memory.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "tests stop at what goes wrong"
)]

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::task::lock;
use crate::transport::{Answer, Posting, Request, Transport};

/// What the collector does with a request.
#[derive(Debug, Clone)]
pub(super) enum Does {
    /// Answers with a status and perhaps `Retry-After`, and takes nothing.
    Refuse(u16, Option<&'static str>),
    /// Takes it, and the answer is lost.
    TakeAndCut,
    /// Never answers.
    Hang,
    /// Takes batches of at most so many events, and this for good.
    Most(usize),
}

/// A collector in memory. What is not scripted it takes.
#[derive(Default)]
pub(super) struct Collector {
    script: Mutex<VecDeque<Does>>,
    stored: Mutex<Vec<String>>,
    seen: Mutex<Vec<(Instant, Request)>>,
}

impl Collector {
    pub(super) fn new(script: impl IntoIterator<Item = Does>) -> Arc<Self> {
        let collector = Self::default();
        lock(&collector.script).extend(script);
        Arc::new(collector)
    }

    /// From now on it takes everything.
    pub(super) fn recover(&self) {
        lock(&self.script).clear();
    }

    pub(super) fn stored(&self) -> Vec<String> {
        lock(&self.stored).clone()
    }

    pub(super) fn seen(&self) -> Vec<(Instant, Request)> {
        lock(&self.seen).clone()
    }

    /// How many events each request held.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.seen()
            .iter()
            .map(|(_, request)| ids_of(request).len())
            .collect()
    }

    /// Milliseconds between the requests.
    pub(super) fn gaps(&self) -> Vec<u128> {
        let seen = self.seen();
        seen.windows(2)
            .map(|two| (two[1].0 - two[0].0).as_millis())
            .collect()
    }

    fn take(&self, request: &Request) -> Answer {
        let mut stored = lock(&self.stored);
        let ids = ids_of(request);
        let known: HashSet<String> = stored.iter().cloned().collect();
        let results: Vec<Value> = ids
            .iter()
            .enumerate()
            .filter(|(_, id)| known.contains(*id))
            .map(|(index, id)| json!({"index": index, "eventId": id, "status": "duplicate", "code": "duplicate"}))
            .collect();
        stored.extend(ids.iter().filter(|id| !known.contains(*id)).cloned());
        let accepted = ids.len() - results.len();
        answer(
            202,
            None,
            &json!({"accepted": accepted, "duplicate": results.len(), "results": results}),
        )
    }
}

impl Transport for Collector {
    fn post(&self, request: Request) -> Posting<'_> {
        lock(&self.seen).push((Instant::now(), request.clone()));
        let does = {
            let mut script = lock(&self.script);
            match script.front() {
                Some(Does::Most(_)) => script.front().cloned(),
                _ => script.pop_front(),
            }
        };
        Box::pin(async move {
            match does {
                Some(Does::Refuse(status, wait)) => Ok(answer(status, wait, &json!({"code": "c"}))),
                Some(Does::TakeAndCut) => {
                    self.take(&request);
                    Err("the connection failed".into())
                }
                Some(Does::Hang) => {
                    sleep(crate::REQUEST_TIMEOUT).await;
                    Err("no answer in time".into())
                }
                Some(Does::Most(most)) if ids_of(&request).len() > most => {
                    Ok(answer(413, None, &json!({"code": "payload_too_large"})))
                }
                Some(Does::Most(_)) | None => Ok(self.take(&request)),
            }
        })
    }
}

fn answer(status: u16, retry_after: Option<&str>, body: &Value) -> Answer {
    Answer {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: body.to_string().into(),
    }
}

fn ids_of(request: &Request) -> Vec<String> {
    let events: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    events
        .iter()
        .map(|event| event["eventId"].as_str().unwrap().to_owned())
        .collect()
}
