//! A read of D1's sums that is fresh to the second, and writes nothing: what D1 has, and what its archive says that D1
//! lacks. What it lacks hangs on which fold it took last, and D1 may take one between the two questions. So D1 is
//! asked for that in the same transaction, and where it is another fold than the archive told, both are asked again.

use crate::archive::fold::Want;
use crate::archive::{Cursor, Look};

/// How often an archive is asked at most. D1 takes a fold in some milliseconds, once an hour or 20,000 events.
const TRIES: u32 = 4;

/// A read under way.
#[derive(Debug, Default)]
pub struct Fresh {
    asked: u32,
    at: Option<Cursor>,
}

/// What becomes of an answer of D1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// With what it lacks it is the answer.
    Answer,
    /// Both are asked again.
    Again,
    /// D1 is asked again, and what it says is the answer, as of the last fold that it took: it never comes to
    /// where the archive believes it to be, as it was lost, or the archive was.
    Alone,
}

impl Fresh {
    /// What the archive is asked.
    pub fn look(&self, wants: Vec<Want>) -> Look {
        Look { at: self.at, wants }
    }

    /// D1 had taken `at` last when it was asked, and lacks what was told only if that is `told`.
    pub fn next(&mut self, told: Cursor, at: Option<Cursor>) -> Next {
        self.asked = self.asked.saturating_add(1);
        self.at = at;
        if told.is_last(at) {
            Next::Answer
        } else if self.asked < TRIES {
            Next::Again
        } else {
            Next::Alone
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
