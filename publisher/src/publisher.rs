//! The publisher: what a service holds and calls.

mod builder;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use builder::Builder;

use crate::batcher::{BatchLimits, Batcher};
use crate::closing::Closing;
use crate::config::ConfigError;
use crate::courier::Courier;
use crate::event::Event;
use crate::intake::Intake;
use crate::outcome::{Closed, Counts, Outcome, PublishError, QueueError, Report};
use crate::sealed::{Entry, Sealed};
use crate::task::{Task, Totals, lock};

/// Sends a service's events to a Shoreline collector.
///
/// Share one publisher of a process behind an [`Arc`](std::sync::Arc); all calls take `&self`. [Close](Self::close) it
/// before the process ends.
pub struct Publisher {
    intake: Intake,
    courier: Courier,
    limits: BatchLimits,
    call_timeout: Duration,
    totals: Totals,
    closing: watch::Sender<Option<Instant>>,
    task: Mutex<Option<JoinHandle<Vec<Event>>>>,
}

impl fmt::Debug for Publisher {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("pending", &self.pending())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// How a publisher was closed.
#[derive(Debug, Default)]
#[must_use = "what was not delivered is in here"]
pub struct Closure {
    /// The queued events that were not delivered in time. Each may have been taken or not; published
    /// again, by whom and whenever, it counts once.
    pub undelivered: Vec<Event>,
    /// How all queued events have ended, those included.
    pub counts: Counts,
}

impl Publisher {
    /// A publisher with the usual settings: batches of 25 events or 5 seconds.
    ///
    /// `endpoint` is the collector's base URL (`https://collect.example`), `source_key` the secret key of
    /// the site (`sls_…`).
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(endpoint: &str, source_key: &str) -> Result<Self, ConfigError> {
        Self::builder(endpoint, source_key).build()
    }

    /// Begins a publisher with settings of its own.
    pub fn builder(endpoint: &str, source_key: &str) -> Builder {
        Builder::new(endpoint, source_key)
    }

    pub(crate) fn start(builder: Builder, courier: Courier, runtime: &Handle) -> Self {
        let (closing, closed) = Closing::new();
        let (intake, inbox) = Intake::new(builder.queue_events, builder.queue_bytes);
        let totals = Totals::default();
        let task = Task {
            inbox,
            wanted: intake.wanted(),
            batcher: Batcher::new(builder.limits),
            work: VecDeque::new(),
            courier: courier.clone(),
            closing: closed,
            handler: builder.handler,
            totals: totals.clone(),
            flushes: Vec::new(),
        };
        Self {
            intake,
            courier,
            limits: builder.limits,
            call_timeout: builder.call_timeout,
            totals,
            closing,
            task: Mutex::new(Some(runtime.spawn(task.run()))),
        }
    }

    /// Sends one event now, and waits until it has its outcome; for up to the
    /// [call timeout](Builder::call_timeout) it is tried again where nobody answers.
    ///
    /// # Errors
    /// Why it was not taken. After [`PublishError::Undelivered`] the same event can be sent again, and
    /// counts once.
    pub async fn track_event(&self, event: &Event) -> Outcome {
        let mut report = self.track_event_batch(std::slice::from_ref(event)).await;
        // One event has one outcome.
        report.outcomes.pop().unwrap_or(Err(PublishError::NOT_SENT))
    }

    /// Sends events now, in batches and in their order, and waits until each has its outcome; all of it
    /// for up to the [call timeout](Builder::call_timeout). One that is not valid spoils none of the
    /// others. Any number of events goes.
    pub async fn track_event_batch(&self, events: &[Event]) -> Report {
        let now = Instant::now();
        let until = now.checked_add(self.call_timeout);
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(events.len());
        let mut batcher = Batcher::new(self.limits);
        for (place, event) in events.iter().enumerate() {
            match event.checked_json() {
                Err(rejection) => outcomes.push(Err(PublishError::Rejected(rejection.into()))),
                Ok(json) => {
                    outcomes.push(Err(PublishError::NOT_SENT));
                    let entry = Entry {
                        event: event.clone(),
                        bytes: json.len(),
                        place,
                        _room: None,
                    };
                    batcher.push(entry, now);
                }
            }
        }
        batcher.hurry();
        let mut work = VecDeque::new();
        while let Some(entries) = batcher.take_due(now) {
            work.push_back(Sealed::new(entries));
        }
        let mut ended = |entry: Entry, outcome| {
            if let Some(slot) = outcomes.get_mut(entry.place) {
                *slot = outcome;
            }
        };
        self.courier
            .deliver(&mut work, until, None, &mut ended)
            .await;
        Report { outcomes }
    }

    /// Puts an event into the queue, and returns at once. It is sent with others, as soon as there are
    /// 25 of them or the first of them has waited for 5 seconds, and again until the collector has
    /// answered for it.
    ///
    /// # Errors
    /// [`QueueError::Full`] gives the event back where there is no room, [`QueueError::Closed`] after
    /// [`close`](Self::close); [`QueueError::Invalid`] says what is wrong with it.
    pub fn queue_event(&self, event: Event) -> Result<(), QueueError> {
        let bytes = checked(&event)?;
        self.intake.offer(event, bytes)
    }

    /// Puts an event into the queue, and waits for room where there is none. Waiting services are
    /// served in their order. Dropping the future before it is ready queues nothing.
    ///
    /// # Errors
    /// As [`queue_event`](Self::queue_event), but for `Full`.
    pub async fn queue_event_wait(&self, event: Event) -> Result<(), QueueError> {
        let bytes = checked(&event)?;
        self.intake.put(event, bytes).await
    }

    /// Sends what is queued without waiting for more, and waits until all that was queued before this
    /// call has ended, however long that takes: while the collector is away, this waits for it. Put a
    /// `tokio::time::timeout` around it if that is too long; what is queued stays queued.
    ///
    /// Returns how all queued events of this publisher have ended so far.
    ///
    /// # Errors
    /// [`Closed`], after which there is nothing to flush.
    pub async fn flush(&self) -> Result<Counts, Closed> {
        self.intake.flush().await?;
        Ok(self.counts())
    }

    /// Sends what is queued and ends. What the collector has not answered for within the
    /// [call timeout](Builder::call_timeout) is given back. From now on nothing is queued any more; a
    /// second call has nothing to do and returns no events.
    pub async fn close(&self) -> Closure {
        let task = lock(&self.task).take();
        let now = Instant::now();
        let until = now.checked_add(self.call_timeout).unwrap_or(now);
        self.intake.shut();
        self.closing.send_replace(Some(until));
        let undelivered = match task {
            Some(task) => task.await.unwrap_or_else(|error| {
                log::error!("the publisher's background task ended early: {error}");
                Vec::new()
            }),
            None => Vec::new(),
        };
        Closure {
            undelivered,
            counts: self.counts(),
        }
    }

    /// How the queued events have ended so far.
    pub fn counts(&self) -> Counts {
        self.totals.get()
    }

    /// Events that are queued or on their way.
    pub fn pending(&self) -> usize {
        self.intake.pending()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let pending = self.pending();
        if lock(&self.task).is_some() && pending > 0 {
            log::warn!(
                "a publisher was dropped, not closed: {pending} events are sent only while the runtime runs"
            );
        }
    }
}

/// The bytes of an event that is valid.
fn checked(event: &Event) -> Result<usize, QueueError> {
    let json = event.checked_json();
    json.map(|json| json.len())
        .map_err(|rejection| QueueError::Invalid(rejection.into()))
}

#[cfg(test)]
mod tests;
