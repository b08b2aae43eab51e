//! What of a shard is folded, and when.

use super::Archive;
use crate::archive::fold::Cursor;
use crate::archive::folded::folded;
use crate::archive::folding::{self, Folding, Unfolded};
use crate::base::sql::{Sql, SqlError, Statement};

/// How long D1 is left alone after it did not take a fold, in milliseconds: twice as long each time.
const RETRY_MS: i64 = 10_000;

/// How often that is doubled at most: some five minutes.
const MAX_DOUBLINGS: u32 = 5;

impl<S: Sql> Archive<S> {
    /// How many segments and events are not folded; of many, the first thousand segments.
    pub(in crate::archive) fn waiting(&self) -> Result<(i64, i64), SqlError> {
        if let Some(waiting) = self.waiting.get() {
            return Ok(waiting);
        }
        let waiting = folding::waiting(&self.sql, folded(&self.sql)?.seq)?;
        self.waiting.set(Some(waiting));
        Ok(waiting)
    }

    /// Notes that so many segments and events more are not folded.
    pub(super) fn more_wait(&self, segments: usize, events: i64, now_ms: i64) {
        let segments = i64::try_from(segments).unwrap_or(i64::MAX);
        let more =
            |(some, of): (i64, i64)| (some.saturating_add(segments), of.saturating_add(events));
        self.waiting.set(self.waiting.get().map(more));
        self.forget_look(now_ms);
    }

    /// Some segments that are not folded yet, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn unfolded(&self) -> Result<Vec<Unfolded>, SqlError> {
        let folded = folded(&self.sql)?;
        folding::unfolded(&self.sql, &self.site, folded.seq)
    }

    /// When the oldest segment that is not folded is to be, or what D1 has not taken is to be tried again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn fold_due(&self) -> Result<Option<i64>, SqlError> {
        let (_, until) = self.not_taken.get();
        let (_, events) = self.waiting()?;
        let later = folding::spread(&self.site, self.shard);
        let due = folding::due(&self.sql, events, later)?;
        Ok(due.map(|due| due.max(until)))
    }

    /// Notes that D1 did not take a fold.
    pub fn was_not_taken(&self, now_ms: i64) {
        let (times, _) = self.not_taken.get();
        let wait = RETRY_MS.saturating_mul(1_i64 << times.min(MAX_DOUBLINGS));
        self.not_taken
            .set((times.saturating_add(1), now_ms.saturating_add(wait)));
    }

    /// Begins a fold, for which segments are gathered.
    pub fn begin_fold(&self) -> Folding {
        Folding::begin(self.rewrites())
    }

    /// Folds segments that are gathered, and tells which of them cannot be read: these count nowhere. Where
    /// others were folded or some were rewritten since they were read, nothing is done.
    ///
    /// # Errors
    /// Whatever the database says; nothing is folded then.
    pub fn end_fold(
        &self,
        some: &[Unfolded],
        folding: &Folding,
        now_ms: i64,
    ) -> Result<Vec<i64>, SqlError> {
        if folding.rewrites != self.rewrites() {
            return Ok(Vec::new());
        }
        let sql = &self.sql;
        self.waiting.set(None);
        sql.transaction(&mut || folding::fold(sql, some, folding, now_ms))
    }

    /// Gathers segments, with their lines where the site is Shoreline's own, and folds them, as
    /// [`Archive::end_fold`] does.
    ///
    /// # Errors
    /// As there.
    pub fn fold(
        &self,
        some: &[Unfolded],
        lines: &[String],
        now_ms: i64,
    ) -> Result<Vec<i64>, SqlError> {
        let mut folding = self.begin_fold();
        folding.gather(some, lines);
        self.end_fold(some, &folding, now_ms)
    }

    /// The oldest fold that D1 has not taken, as the transaction that has it do so and answers where D1
    /// stands then, a [`Cursor`].
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn pending(&self) -> Result<Option<(Cursor, Vec<Statement>)>, SqlError> {
        folding::pending(&self.sql, &self.site, self.shard)
    }

    /// Forgets a fold that D1 has taken, now that it stands at `at`.
    ///
    /// # Errors
    /// Whatever the database says, and where D1 has not taken it.
    pub fn settle(&self, fold: Cursor, at: Option<Cursor>) -> Result<(), SqlError> {
        folding::settle(&self.sql, fold, at)?;
        self.not_taken.set((0, 0));
        Ok(())
    }

    /// Forgets what was folded, so that all of it is folded again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn forget_folds(&self, now_ms: i64) -> Result<(), SqlError> {
        self.needs_open()?;
        let sql = &self.sql;
        self.waiting.set(None);
        sql.transaction(&mut || folding::clear(sql, now_ms))
    }
}
