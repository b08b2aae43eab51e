//! What the core asks of the page it runs in.

use alloc::string::String;

use shoreline_shared::id::uuid_v7;

use crate::batch::SealedBatch;

/// The page, as the core sees it. The shell implements it over the browser, tests over a clock of
/// their own and a collector that fails on demand.
///
/// No method may call back into the tracker before it returns: a page's own code (a listener, a
/// patched `fetch`) runs later, when the tracker is no longer in the middle of something.
pub trait Port {
    /// The clock, Unix milliseconds: a float, as the browser has it, so that nothing overflows.
    fn now(&self) -> f64;
    /// Random bytes for one id.
    fn random(&self) -> [u8; 10];
    /// Keeps a text in this browser under the key, if the page may.
    fn save(&self, key: &str, text: &str);
    /// Posts a batch; its answer comes to [`crate::tracker::Tracker::settle`].
    fn post(&self, batch: &SealedBatch, body: &str, leaving: bool);
    /// Calls [`crate::tracker::Tracker::wake`] in so many milliseconds, instead of what was asked
    /// for before.
    fn wake(&self, after_ms: f64);
    /// Says that an event was made.
    fn made(&self, event: &str);
    /// Says that events will never be sent, and why.
    fn dropped(&self, events: usize, reason: &str);
}

/// Makes ids. (A trait, not a closure: one type wherever ids are made is one copy of the code.)
pub trait Ids {
    /// A fresh id, which sorts by the time it was made.
    fn new_id(&self) -> String;
}

impl<P: Port> Ids for P {
    fn new_id(&self) -> String {
        uuid_v7(self.now() as i64, self.random())
    }
}
