//! How an event ends. Each ends once, in exactly one of these ways.

use std::borrow::Cow;
use std::fmt;

use crate::event::Event;

/// How an event ended: taken, or not, and why.
pub type Outcome = Result<Receipt, PublishError>;

/// The collector has answered for an event, and there is nothing more to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Durable; it will be counted, stored and landed.
    Accepted,
    /// Seen before, and counted then: the usual answer to a retry whose first answer was lost.
    Duplicate,
    /// Recognized and left out on purpose.
    Skipped {
        /// The stable code, such as `bot`.
        code: String,
    },
}

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The event is not valid. Sending it again changes nothing.
    #[error("rejected: {0}")]
    Rejected(Problem),
    /// The collector refused the request that it was in: a wrong key, a wrong path. Sending it
    /// again changes nothing until that is put right.
    #[error("refused with status {status}: {problem}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the collector says.
        problem: Problem,
    },
    /// Nobody answered for it in the time there was. It may have been taken or not: send the same
    /// event again, and it counts once.
    #[error("not delivered after {attempts} attempts: {cause}")]
    Undelivered {
        /// How often it was tried; 0 if its turn did not come.
        attempts: u32,
        /// The last failure.
        cause: Cow<'static, str>,
    },
}

impl PublishError {
    /// How an event ends whose turn did not come.
    pub(crate) const NOT_SENT: Self = Self::Undelivered {
        attempts: 0,
        cause: Cow::Borrowed("its turn did not come"),
    };
}

/// What is wrong, as the collector says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, such as `missing_field` or `unknown_key`.
    pub code: Cow<'static, str>,
    /// The field that is to blame, such as `eventData.feature`; empty if none is.
    pub field: Cow<'static, str>,
    /// One sentence.
    pub message: Cow<'static, str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl From<shoreline_shared::event::Rejection> for Problem {
    fn from(rejection: shoreline_shared::event::Rejection) -> Self {
        Self {
            code: rejection.code.as_str().into(),
            field: rejection.field,
            message: rejection.message.into(),
        }
    }
}

/// How many events ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`Receipt::Accepted`].
    pub accepted: u64,
    /// [`Receipt::Duplicate`].
    pub duplicate: u64,
    /// [`Receipt::Skipped`].
    pub skipped: u64,
    /// [`PublishError::Rejected`].
    pub rejected: u64,
    /// [`PublishError::Refused`].
    pub refused: u64,
    /// [`PublishError::Undelivered`].
    pub undelivered: u64,
}

impl Counts {
    /// Counts one more.
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        let field = match outcome {
            Ok(Receipt::Accepted) => &mut self.accepted,
            Ok(Receipt::Duplicate) => &mut self.duplicate,
            Ok(Receipt::Skipped { .. }) => &mut self.skipped,
            Err(PublishError::Rejected(_)) => &mut self.rejected,
            Err(PublishError::Refused { .. }) => &mut self.refused,
            Err(PublishError::Undelivered { .. }) => &mut self.undelivered,
        };
        *field = field.saturating_add(1);
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        let each = [
            self.accepted,
            self.duplicate,
            self.skipped,
            self.rejected,
            self.refused,
            self.undelivered,
        ];
        each.into_iter().fold(0, u64::saturating_add)
    }

    /// Those that the collector answered for: accepted, duplicate and skipped.
    pub fn taken(&self) -> u64 {
        self.accepted
            .saturating_add(self.duplicate)
            .saturating_add(self.skipped)
    }
}

/// What became of the events of one call, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each event.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// How many ended in which way.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.outcomes
            .iter()
            .for_each(|outcome| counts.count(outcome));
        counts
    }

    /// The events that were not taken, by their place in the call, and why.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &PublishError)> {
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.filter_map(|(at, outcome)| outcome.as_ref().err().map(|error| (at, error)))
    }

    /// Whether every event was taken.
    pub fn all_taken(&self) -> bool {
        self.outcomes.iter().all(Result::is_ok)
    }
}

/// Why an event was not queued. It is given back, where it could be sent later.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueueError {
    /// The queue is full: the collector does not keep up, or is away. Nothing was dropped to make
    /// room. Wait with [`queue_event_wait`](crate::Publisher::queue_event_wait), keep the event, or
    /// drop it: that is the service's own choice.
    #[error("the queue is full")]
    Full(Box<Event>),
    /// The publisher is closed.
    #[error("the publisher is closed")]
    Closed(Box<Event>),
    /// The event is not valid; no collector would take it.
    #[error("not a valid event: {0}")]
    Invalid(Problem),
}

/// The background task is gone (its runtime was shut down), so nobody flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the publisher is closed")]
pub struct Closed;
