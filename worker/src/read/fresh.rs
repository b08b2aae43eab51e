//! A read of D1's sums that is fresh to the second, and writes nothing: what D1 has, and what the site's archives say
//! that D1 lacks. What it lacks hangs on which fold it took last of each, and D1 may take one between the two
//! questions. So D1 is asked for that in the same transaction, and where it is another fold than an archive told, all
//! are asked again.

use crate::archive::fold::{Sums, Want};
use crate::archive::{Cursor, Look, Looked, Stand};

/// How often an archive is asked at most. D1 takes a fold in some milliseconds, once a day or 20,000 events.
const TRIES: u32 = 4;

/// A read under way.
#[derive(Debug, Default)]
pub struct Fresh {
    asked: u32,
    at: Vec<Stand>,
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
    /// What each of so many archives is asked.
    pub fn look(&self, wants: Vec<Want>, archives: u32) -> Look {
        Look {
            at: self.at.clone(),
            archives: usize::try_from(archives).unwrap_or(usize::MAX),
            wants,
        }
    }

    /// D1 stood at `at` when it was asked, and lacks what archives told only if that is where each believes it to be:
    /// `told`, in their order.
    pub fn next(&mut self, told: &[Cursor], at: Vec<Stand>) -> Next {
        self.asked = self.asked.saturating_add(1);
        let mut all = (0..).zip(told);
        let is_last = all.all(|(shard, told)| told.is_last(Cursor::of(&at, shard)));
        self.at = at;
        if is_last {
            Next::Answer
        } else if self.asked < TRIES {
            Next::Again
        } else {
            Next::Alone
        }
    }
}

/// What D1 lacks of all archives, and where each believes it to be.
pub fn united(looked: &[Looked], wants: &[Want]) -> (Vec<Cursor>, Sums) {
    let mut sums = Sums::default();
    for one in looked {
        sums.take(&one.sums, wants);
    }
    (looked.iter().map(|one| one.at).collect(), sums)
}

#[cfg(test)]
pub(crate) mod tests;
