//! One page's tracker: the queue, and the visitor's word on whether there may be one.

use crate::queue::Queue;

/// One page's tracker.
#[derive(Debug, Default)]
pub struct Tracker {
    /// The pending events.
    pub queue: Queue,
    denied: bool,
}

impl Tracker {
    /// Begins, with the visitor's consent.
    pub const fn new() -> Self {
        Self {
            queue: Queue::new(),
            denied: false,
        }
    }

    /// The visitor agrees to be counted, or does not: then what is pending is forgotten, and nothing
    /// is taken until that changes.
    pub fn consent(&mut self, granted: bool) {
        self.denied = !granted;
        if self.denied {
            self.queue.clear();
        }
    }

    /// An event of so many bytes happened at `now`; the batch it belongs to. None: it is not to be
    /// kept.
    pub fn record(&mut self, bytes: u32, now: f64) -> Option<u32> {
        if self.denied {
            return None;
        }
        self.queue.push(bytes, now)
    }
}
