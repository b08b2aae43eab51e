//! What a call is named.

use shoreline_shared::id::uuid_v7;

/// The name of a call in logs and answers: a UUIDv7, written only where it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId {
    pub(super) began_ms: i64,
    pub(super) random: [u8; 10],
}

impl CallId {
    /// The name of a call that began then, Unix milliseconds.
    pub fn new(began_ms: i64, random: [u8; 10]) -> Self {
        Self { began_ms, random }
    }

    /// When the call began, Unix milliseconds.
    pub fn began_ms(self) -> i64 {
        self.began_ms
    }

    /// The name.
    pub fn text(self) -> String {
        uuid_v7(self.began_ms, self.random)
    }
}
