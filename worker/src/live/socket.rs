//! One socket of a stream: what it had, and when it is closed.
//!
//! The platform keeps what is sent to a socket in memory until its reader takes it, without a bound and
//! without a way to ask how much that is. So a socket is trusted with a little only between two signs
//! that somebody is there, and closed after an hour whatever it does.

use serde::{Deserialize, Serialize};

/// Streams of a site at once.
pub const MAX_SOCKETS: usize = 500;

/// Bytes of frames that all sockets together are sent without a ping in between: if nobody reads, they still
/// fit into an isolate of 128 MB. Of 500 sockets each has 200 kB.
const ALL_UNHEARD_BYTES: usize = 100_000_000;

/// The same of one socket, however few there are: a frame of 30 kB a second and a ping every 30.
const MAX_UNHEARD_BYTES: usize = 1_000_000;

/// How long a stream lasts: as long as a read token that was revoked meanwhile goes on reading.
const MAX_AGE_MS: i64 = 60 * 60 * 1_000;

/// Bytes of a message that is overlooked; a client has nothing to say but `ping`.
const MAX_MESSAGE_BYTES: usize = 1_024;

/// Messages that are overlooked. Pings are none of them: the platform answers those itself.
const MAX_MESSAGES: u32 = 16;

/// Bytes that each of so many sockets may be sent without a ping.
pub fn allowance(sockets: usize) -> usize {
    ALL_UNHEARD_BYTES
        .checked_div(sockets)
        .unwrap_or(MAX_UNHEARD_BYTES)
        .min(MAX_UNHEARD_BYTES)
}

/// What is kept of a socket while the object sleeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// The number of its last frame.
    pub seq: Option<u64>,
    /// When it was opened, Unix milliseconds.
    opened_at: i64,
    /// When its last ping was answered, Unix milliseconds.
    heard_at: i64,
    /// Bytes sent since.
    unheard: usize,
    /// Messages that were overlooked.
    messages: u32,
    /// It was told to close, and has not answered yet.
    closing: bool,
}

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It lasted as long as a stream does.
    Age,
    /// It was sent much and did not ping.
    Unheard,
    /// It sent too large a message.
    MessageSize,
    /// It sent too many messages.
    Messages,
}

impl Closing {
    /// The close frame's code.
    pub fn code(self) -> u16 {
        match self {
            Self::Age => 4000,
            Self::Unheard => 4001,
            Self::MessageSize => 1009,
            Self::Messages => 1008,
        }
    }

    /// The close frame's reason.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Age => "open a new stream every hour",
            Self::Unheard => "no ping for too long",
            Self::MessageSize => "message too large",
            Self::Messages => "too many messages",
        }
    }
}

impl Socket {
    /// A socket that opens at `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        Self {
            seq: None,
            opened_at: now_ms,
            heard_at: now_ms,
            unheard: 0,
            messages: 0,
            closing: false,
        }
    }

    /// It was told to close.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes note of a frame of so many `bytes`, of the [`allowance`] without a ping, the platform having
    /// answered one last at `heard_at`. It is not sent where the socket is to be closed.
    ///
    /// # Errors
    /// Why it is to be closed.
    pub fn send(
        &mut self,
        seq: u64,
        bytes: usize,
        allowance: usize,
        heard_at: Option<i64>,
        now_ms: i64,
    ) -> Result<(), Closing> {
        if let Some(heard_at) = heard_at.filter(|at| *at > self.heard_at) {
            self.heard_at = heard_at;
            self.unheard = 0;
        }
        // The first frame is sent whatever its size, or no stream could begin.
        let unheard = self.unheard.saturating_add(bytes);
        if now_ms.saturating_sub(self.opened_at) >= MAX_AGE_MS {
            return self.close(Closing::Age);
        }
        if self.unheard > 0 && unheard > allowance {
            return self.close(Closing::Unheard);
        }
        self.unheard = unheard;
        self.seq = Some(seq);
        Ok(())
    }

    /// Overlooks a message of so many `bytes`.
    ///
    /// # Errors
    /// Why the socket is to be closed.
    pub fn overlook(&mut self, bytes: usize) -> Result<(), Closing> {
        self.messages = self.messages.saturating_add(1);
        if bytes > MAX_MESSAGE_BYTES {
            return self.close(Closing::MessageSize);
        }
        if self.messages > MAX_MESSAGES {
            return self.close(Closing::Messages);
        }
        Ok(())
    }

    fn close(&mut self, why: Closing) -> Result<(), Closing> {
        self.closing = true;
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::NOW;

    #[test]
    fn who_pings_is_sent_on_for_an_hour() {
        let mut socket = Socket::new(NOW);
        let mut seq = 0;
        for second in 0..3_600 {
            let now = NOW + second * 1_000;
            let pinged = Some(now - second % 30 * 1_000);
            seq += 1;
            assert_eq!(
                socket.send(seq, 5_000, 200_000, pinged, now),
                Ok(()),
                "{second}"
            );
        }
        let over = socket.send(seq + 1, 5_000, 200_000, None, NOW + MAX_AGE_MS);
        assert_eq!(over, Err(Closing::Age));
        assert_eq!((socket.seq, socket.is_closing()), (Some(3_600), true));
    }

    #[test]
    fn the_first_frame_is_sent_whatever_its_size() {
        let mut socket = Socket::new(NOW);
        assert_eq!(socket.send(1, 900_000, 200_000, None, NOW), Ok(()));
        assert_eq!(socket.send(2, 1, 200_000, None, NOW), Err(Closing::Unheard));
    }

    #[test]
    fn messages_are_overlooked_while_they_are_few_and_small() {
        let mut socket = Socket::new(NOW);
        for _ in 0..MAX_MESSAGES {
            assert_eq!(socket.overlook(MAX_MESSAGE_BYTES), Ok(()));
        }
        assert_eq!(socket.overlook(0), Err(Closing::Messages));
        let large = Socket::new(NOW).overlook(MAX_MESSAGE_BYTES + 1);
        assert_eq!(large, Err(Closing::MessageSize));
    }

    proptest! {
        #[test]
        fn who_never_pings_is_sent_no_more_than_the_bound(
            sizes in prop::collection::vec(1_usize..60_000, 1..200),
            sockets in 0..=MAX_SOCKETS,
        ) {
            let (mut socket, bound) = (Socket::new(NOW), allowance(sockets));
            let sent: usize = sizes.iter().take_while(|size| socket.send(1, **size, bound, None, NOW).is_ok()).sum();
            prop_assert!(sent <= MAX_UNHEARD_BYTES && sent * sockets <= ALL_UNHEARD_BYTES);
        }

        #[test]
        fn what_is_kept_of_a_socket_is_small(seq in any::<Option<u64>>(), at in 0_i64..1 << 53, bytes in any::<usize>(), messages in any::<u32>()) {
            let socket = Socket { seq, opened_at: at, heard_at: at, unheard: bytes, messages, closing: true };
            let text = serde_json::to_string(&socket).unwrap();
            // The platform keeps 2,048 bytes for a socket.
            prop_assert!(text.len() < 300, "{text}");
            prop_assert_eq!(serde_json::from_str::<Socket>(&text).unwrap(), socket);
        }
    }
}
