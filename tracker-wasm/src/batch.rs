//! What the core knows of a batch.

/// What a body holds beside the events, bytes:
/// `{"batchId":"…","sentAt":…,"dropped":…,"events":[…]}` with an id of 36 digits, a time of at most
/// 16 and a count of at most 10 is 111.
pub const ENVELOPE_BYTES: u32 = 112;

/// Bytes between two events of a body: a comma.
pub const SEPARATOR_BYTES: u32 = 1;

/// Where a batch is on its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It takes events.
    Open,
    /// Sealed: it never changes any more, and waits to be sent.
    Waiting,
    /// It was posted and is not answered for yet.
    InFlight,
}

/// Events that travel together under one id.
///
/// The collector knows a batch by its id and counts it once, however often it comes. That holds
/// only if the same id always means the same events: a batch that was sealed takes no more.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// By what `js/` knows it; 0 is none.
    pub handle: u32,
    /// How many events are in it.
    pub events: u32,
    /// Bytes of its events, and of what stands between them.
    pub bytes: u32,
    /// How many events were given up before it, which its envelope says.
    pub dropped: u32,
    /// When its first event came, Unix milliseconds.
    pub made_at: f64,
    /// Where it is on its way.
    pub state: State,
}

impl Batch {
    /// No batch. All zeros, so that a line full of them is no part of the download.
    pub const NONE: Self = Self {
        handle: 0,
        events: 0,
        bytes: 0,
        dropped: 0,
        made_at: 0.0,
        state: State::Open,
    };

    /// How long its body is at most, bytes; wrapping, as it is bounded.
    pub fn body_bytes(&self) -> u32 {
        self.bytes.wrapping_add(ENVELOPE_BYTES)
    }
}
