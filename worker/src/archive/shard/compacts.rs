//! The steps of compaction, as an archive's object calls them.

use std::cell::{Cell, RefCell};

use super::Archive;
use crate::archive::compact::{self, MOST_ROW_BYTES, Merged, Run};
use crate::archive::reshard::Gate;
use crate::base::sql::{Sql, SqlError};

/// What an archive remembers of it as long as it is open.
#[derive(Debug, Default)]
pub(in crate::archive) struct Memory {
    /// Segments that cannot be read, or cannot be one with others.
    left_alone: RefCell<Vec<i64>>,
    /// Until when (Unix milliseconds) it rests.
    until: Cell<i64>,
    /// How often segments had been rewritten when a run was read.
    rewrites: Cell<u64>,
}

impl<S: Sql> Archive<S> {
    /// When small segments are to become large ones, Unix milliseconds.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn compact_due(&self) -> Result<Option<i64>, SqlError> {
        // What is given to other archives stays as it is meanwhile.
        if self.gate() != Gate::Open {
            return Ok(None);
        }
        let due = compact::due(&self.sql)?;
        Ok(due.map(|due| due.max(self.compaction.until.get())))
    }

    /// Lets compaction rest until a moment, Unix milliseconds.
    pub fn rest_compaction(&self, until: i64) {
        self.compaction.until.set(until);
    }

    /// The next small segments that are to be one, if any are due: the lines of each are to be unpacked, and
    /// [`Archive::merge`]d. One run at a time.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn find_small(&self, now_ms: i64) -> Result<Option<Run>, SqlError> {
        self.compaction.rewrites.set(self.rewrites());
        if self.gate() != Gate::Open {
            return Ok(None);
        }
        compact::find(&self.sql, &self.compaction.left_alone.borrow(), now_ms)
    }

    /// Makes one segment of a run, whose lines are to be packed. `texts` are the lines of each, where they
    /// could be unpacked; what cannot be read is told once, and left alone from then on.
    pub fn merge(&self, run: &Run, texts: &[Option<String>]) -> Merged {
        let merged = compact::merge(run, texts);
        let broken = merged.broken.iter().map(|(seq, _)| *seq);
        self.compaction.left_alone.borrow_mut().extend(broken);
        merged
    }

    /// Puts what was made of the run that was read last in its place, with its packed lines; whether it did:
    /// not where segments were changed meanwhile, or where it is too large for a row.
    ///
    /// # Errors
    /// Whatever the database says; nothing was written then.
    pub fn put_merged(&self, merged: &Merged, packed: &[u8]) -> Result<bool, SqlError> {
        let columns = merged.made.as_ref().map_or(0, |made| made.columns.len());
        if columns.saturating_add(packed.len()) > MOST_ROW_BYTES {
            let mut left_alone = self.compaction.left_alone.borrow_mut();
            left_alone.extend(&merged.seqs);
            return Ok(false);
        }
        let is_same =
            self.compaction.rewrites.get() == self.rewrites() && self.gate() == Gate::Open;
        let is_put = is_same && compact::put(&self.sql, merged, packed)?;
        if is_put {
            self.was_rewritten();
        }
        Ok(is_put)
    }
}
