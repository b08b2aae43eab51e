//! Which events go together, and when. Pure: the moment is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What makes a batch complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchLimits {
    /// Events at most.
    pub(crate) events: usize,
    /// Bytes of its body at most.
    pub(crate) bytes: usize,
    /// How long an event waits for others.
    pub(crate) wait: Duration,
}

/// Something that takes room in a batch.
pub(crate) trait Weighed {
    /// Bytes of its JSON text.
    fn bytes(&self) -> usize;
}

/// Events that wait, in their order.
#[derive(Debug)]
pub(crate) struct Batcher<T> {
    limits: BatchLimits,
    waiting: VecDeque<(T, Instant)>,
    /// Events that ever came.
    came: u64,
    /// Events that ever left.
    left: u64,
    /// All that came up to this one leave without waiting for others.
    hurried: u64,
}

impl<T: Weighed> Batcher<T> {
    pub(crate) fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            came: 0,
            left: 0,
            hurried: 0,
        }
    }

    /// Takes an event that was queued at `queued_at`.
    pub(crate) fn push(&mut self, item: T, queued_at: Instant) {
        self.came = self.came.saturating_add(1);
        self.waiting.push_back((item, queued_at));
    }

    /// What is here leaves without waiting for others. The number of events that have left when all
    /// of them have.
    pub(crate) fn hurry(&mut self) -> u64 {
        self.hurried = self.came;
        self.came
    }

    /// Events that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Events that have left so far.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// When the next batch is due; now for one that is complete; never without events.
    pub(crate) fn due_at(&self, now: Instant) -> Option<Instant> {
        let (_, oldest) = self.waiting.front()?;
        if self.left < self.hurried || self.first() < self.waiting.len() || self.is_full() {
            return Some(now);
        }
        Some(oldest.checked_add(self.limits.wait).unwrap_or(now))
    }

    /// The next batch, if one is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Vec<T>> {
        if self.due_at(now)? > now {
            return None;
        }
        let taken: Vec<T> = self
            .waiting
            .drain(..self.first())
            .map(|(item, _)| item)
            .collect();
        self.left = self
            .left
            .saturating_add(u64::try_from(taken.len()).unwrap_or(u64::MAX));
        Some(taken)
    }

    /// Everything that still waits.
    pub(crate) fn take_rest(&mut self) -> Vec<T> {
        self.waiting.drain(..).map(|(item, _)| item).collect()
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= self.limits.events
    }

    /// How many of the waiting events fit the next batch: at least one, or nothing would ever leave.
    fn first(&self) -> usize {
        let sizes = self.waiting.iter().map(|(item, _)| item.bytes());
        fitting(sizes, self.limits).max(1).min(self.waiting.len())
    }
}

/// How many items from the front, of these sizes, fit one body: `[`, and after each a comma or `]`.
fn fitting(sizes: impl Iterator<Item = usize>, limits: BatchLimits) -> usize {
    let mut bytes = 1_usize;
    sizes
        .take(limits.events)
        .take_while(|size| {
            bytes = bytes.saturating_add(*size).saturating_add(1);
            bytes <= limits.bytes
        })
        .count()
}

#[cfg(test)]
mod tests;
