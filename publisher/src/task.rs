//! The background task: makes batches of what is queued, and sends one after another.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::batcher::Batcher;
use crate::closing::Closing;
use crate::config::Handler;
use crate::courier::{Courier, give_up};
use crate::event::Event;
use crate::intake::Message;
use crate::outcome::{Counts, Outcome, PublishError};
use crate::sealed::{Entry, Sealed};

/// How the queued events have ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals(Arc<Mutex<Counts>>);

impl Totals {
    pub(crate) fn get(&self) -> Counts {
        *lock(&self.0)
    }
}

/// Locks what no code can leave half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that the task owns. An event is in the inbox, in the batcher, or in the work, until it ends.
pub(crate) struct Task {
    pub(crate) inbox: mpsc::UnboundedReceiver<Message>,
    /// Somebody waits for room.
    pub(crate) wanted: Arc<Notify>,
    pub(crate) batcher: Batcher<Entry>,
    pub(crate) work: VecDeque<Sealed>,
    pub(crate) courier: Courier,
    pub(crate) closing: Closing,
    pub(crate) handler: Option<Handler>,
    pub(crate) totals: Totals,
    /// Who waits, and for how many events to have left.
    pub(crate) flushes: Vec<(u64, oneshot::Sender<()>)>,
}

impl Task {
    /// Runs until the publisher is closed, or dropped and the queue empty. The events that were not
    /// delivered.
    pub(crate) async fn run(mut self) -> Vec<Event> {
        let mut undelivered = Vec::new();
        while self.collect().await {
            if self.deliver(&mut undelivered).await.is_err() {
                break;
            }
            let left = self.batcher.left();
            for (_, done) in self.flushes.extract_if(.., |(mark, _)| *mark <= left) {
                // Who asked may have stopped waiting.
                let _ = done.send(());
            }
        }
        self.abandon(&mut undelivered);
        undelivered
    }

    /// Waits until there is a batch to send, and seals it; false when there will be none any more.
    async fn collect(&mut self) -> bool {
        loop {
            // All that is there first: old events that come together leave together.
            self.take_all_in();
            let now = Instant::now();
            if self.inbox.is_closed() {
                self.batcher.hurry();
            }
            if let Some(entries) = self.batcher.take_due(now) {
                self.work.push_back(Sealed::new(entries));
                return true;
            }
            if !self.flushes.is_empty() {
                // Nothing is left that they could wait for.
                return true;
            }
            let due = self.batcher.due_at(now);
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.take_in(message),
                    None if due.is_none() => return false,
                    None => {}
                },
                () = due_or_never(due) => {}
                () = self.wanted.notified() => {
                    // What fills the room may still be in the inbox.
                    self.take_all_in();
                    self.batcher.hurry();
                }
                // What was queued before this is still received.
                () = self.closing.begins() => self.inbox.close(),
            }
        }
    }

    fn take_all_in(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.take_in(message);
        }
    }

    fn take_in(&mut self, message: Message) {
        match message {
            Message::Event(entry, queued_at) => self.batcher.push(*entry, queued_at),
            Message::Flush(done) => self.flushes.push((self.batcher.hurry(), done)),
        }
    }

    /// Sends the work; an error if the time to close is over.
    async fn deliver(&mut self, undelivered: &mut Vec<Event>) -> Result<(), ()> {
        let (handler, totals) = (self.handler.as_ref(), &self.totals);
        let mut ended = |entry, outcome| end(handler, totals, entry, outcome, undelivered);
        let closing = Some(self.closing.clone());
        let delivery = self
            .courier
            .deliver(&mut self.work, None, closing, &mut ended);
        tokio::select! {
            () = delivery => Ok(()),
            () = self.closing.is_over() => Err(()),
        }
    }

    /// Ends whatever has not ended.
    fn abandon(&mut self, undelivered: &mut Vec<Event>) {
        self.inbox.close();
        self.take_all_in();
        let rest = self.batcher.take_rest();
        let (handler, totals) = (self.handler.as_ref(), &self.totals);
        let mut ended = |entry, outcome| end(handler, totals, entry, outcome, undelivered);
        give_up(&mut self.work, &mut ended);
        for entry in rest {
            ended(entry, Err(PublishError::NOT_SENT));
        }
    }
}

impl Drop for Task {
    /// The runtime can be shut down under the task; then nobody is left to give the events back to.
    fn drop(&mut self) {
        let sealed = self.work.iter().map(Sealed::len);
        let left = sealed.fold(self.batcher.len(), usize::saturating_add);
        let left = left.saturating_add(self.inbox.len());
        if left > 0 {
            log::error!(
                "the runtime ended before {left} queued events were delivered; close first"
            );
        }
    }
}

async fn due_or_never(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Counts, tells and, where it was not delivered, keeps an event.
fn end(
    handler: Option<&Handler>,
    totals: &Totals,
    entry: Entry,
    outcome: Outcome,
    undelivered: &mut Vec<Event>,
) {
    lock(&totals.0).count(&outcome);
    match (handler, &outcome) {
        (Some(handler), _) => {
            let told = catch_unwind(AssertUnwindSafe(|| handler(&entry.event, &outcome)));
            if told.is_err() {
                log::error!(
                    "the outcome handler panicked at event {}",
                    entry.event.event_id()
                );
            }
        }
        (None, Err(error)) => log::warn!("event {}: {error}", entry.event.event_id()),
        (None, Ok(_)) => {}
    }
    if matches!(outcome, Err(PublishError::Undelivered { .. })) {
        undelivered.push(entry.event);
    }
}
