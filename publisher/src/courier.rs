//! Sending sealed batches until each of their events has ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use shoreline_shared::limits::RETRY_MAX_MS;
use shoreline_shared::retry::RetryPolicy;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::ambient;
use crate::answer::{self, Verdict};
use crate::closing::Closing;
use crate::outcome::Outcome;
use crate::sealed::{Entry, Sealed};
use crate::transport::{Request, Transport};

/// Is told each event's outcome.
pub(crate) type Ended<'a> = &'a mut (dyn FnMut(Entry, Outcome) + Send);

/// How a batch ends that is tried.
enum Tried {
    /// It is no longer among the work.
    Gone,
    /// It stays, and is tried again after this wait; whether the collector asked for that.
    Wait(Duration, bool),
}

/// Takes batches to the collector.
#[derive(Clone)]
pub(crate) struct Courier {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) retry: RetryPolicy,
}

impl Courier {
    /// Sends batches in their order, each as often as it takes, up to the moment `until`, after which
    /// what is left ends undelivered. A batch stays in `work` until its events have ended, so
    /// dropping this future loses nothing.
    pub(crate) async fn deliver(
        &self,
        work: &mut VecDeque<Sealed>,
        until: Option<Instant>,
        mut closing: Option<Closing>,
        ended: Ended<'_>,
    ) {
        while let Some(batch) = work.front_mut() {
            let attempt = batch.begin_attempt();
            let request = Request {
                key: batch.key().to_owned(),
                body: batch.body(),
            };
            let posting = self.transport.post(request);
            let answer = match until {
                None => posting.await,
                Some(until) => match timeout_at(until, posting).await {
                    Ok(answer) => answer,
                    Err(_) => return give_up(work, ended),
                },
            };
            let verdict = answer::read(answer, batch.len(), ambient::now_ms());
            let Tried::Wait(wait, asked) = self.settle(verdict, attempt, work, ended) else {
                continue;
            };
            let again = Instant::now()
                .checked_add(wait)
                .unwrap_or_else(Instant::now);
            if until.is_some_and(|until| until <= again) {
                return give_up(work, ended);
            }
            match closing.as_mut().filter(|_| !asked) {
                // Who closes does not want to wait for a backoff that may outlast the closing.
                Some(closing) => tokio::select! {
                    () = sleep_until(again) => {}
                    () = closing.begins() => {}
                },
                None => sleep_until(again).await,
            }
        }
    }

    /// Does what the verdict on the first batch asks for.
    fn settle(
        &self,
        verdict: Verdict,
        attempt: u32,
        work: &mut VecDeque<Sealed>,
        ended: Ended<'_>,
    ) -> Tried {
        let (cause, retry_after_ms) = match verdict {
            Verdict::Retry {
                cause,
                retry_after_ms,
            } => (cause, retry_after_ms),
            Verdict::Ended(outcomes) => {
                if let Some(batch) = work.pop_front() {
                    batch
                        .end(outcomes)
                        .for_each(|(entry, outcome)| ended(entry, outcome));
                }
                return Tried::Gone;
            }
            Verdict::Split(outcomes) => {
                match work.pop_front().map(Sealed::split) {
                    Some(Ok((first, second))) => {
                        work.push_front(second);
                        work.push_front(first);
                    }
                    Some(Err(single)) => {
                        single
                            .end(outcomes)
                            .for_each(|(entry, outcome)| ended(entry, outcome));
                    }
                    None => {}
                }
                return Tried::Gone;
            }
        };
        let wait = self.wait(attempt, retry_after_ms);
        log::warn!("a batch was not delivered ({cause}); attempt {attempt}, again in {wait:?}");
        if let Some(batch) = work.front_mut() {
            batch.note(cause);
        }
        Tried::Wait(wait, retry_after_ms.is_some())
    }

    /// The wait before the next try. What the collector asks for is waited for in full, also where
    /// it is longer than this sender's own longest wait.
    fn wait(&self, attempt: u32, retry_after_ms: Option<u64>) -> Duration {
        let random = ambient::random_u32();
        let own = self.retry.delay_ms(attempt, random, None);
        let asked = retry_after_ms.map_or(0, |_| {
            let patient = RetryPolicy {
                max_ms: RETRY_MAX_MS,
                ..self.retry
            };
            patient.delay_ms(1, random, retry_after_ms)
        });
        Duration::from_millis(own.max(asked))
    }
}

/// Ends all that is left as undelivered.
pub(crate) fn give_up(work: &mut VecDeque<Sealed>, ended: Ended<'_>) {
    for batch in work.drain(..) {
        batch
            .give_up()
            .for_each(|(entry, outcome)| ended(entry, outcome));
    }
}
