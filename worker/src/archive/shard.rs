//! The archive of one shard of a site: what its object calls.

use std::cell::Cell;

use super::append::{self, Appended, Draft};
use super::erase::{self, Forget, Found, Hit, Rewritten, Settled, Step};
use super::fold::Cursor;
use super::folding::{self, Unfolded};
use super::people::{self, Profile};
use super::prune::{self, Pruned};
use super::recount::{Day, Recount};
use super::{Hasher, compact, ids};
use crate::lake::LakeStore;
use crate::protocol::Message;
use crate::sql::{Sql, SqlError, Statement};

/// The archive of one shard of a site.
#[derive(Debug)]
pub struct Archive<S> {
    pub(super) sql: S,
    lake: LakeStore<S>,
    pub(super) site: String,
    pub(super) shard: u32,
    pub(super) key: Vec<u8>,
    /// How often segments were rewritten or deleted since this was opened.
    rewrites: Cell<u64>,
    /// How often something was appended, or a user was to be forgotten: what was read of a message before is
    /// to be read again.
    changes: Cell<u64>,
    /// How often in a row D1 did not take a fold, and until when (Unix milliseconds) it is left alone.
    not_taken: Cell<(u32, i64)>,
    pub(super) compaction: compact::Memory,
}

/// How long D1 is left alone after it did not take a fold, in milliseconds: twice as long each time.
const RETRY_MS: i64 = 10_000;

/// How often that is doubled at most: some five minutes.
const MAX_DOUBLINGS: u32 = 5;

impl<S: Sql> Archive<S> {
    /// Opens it, on the same database as `lake`. Users are counted by their hashes with `key`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(
        sql: S,
        lake: LakeStore<S>,
        site: &str,
        shard: u32,
        key: &[u8],
        now_ms: i64,
    ) -> Result<Self, SqlError> {
        let schemas = [
            &append::SCHEMA[..],
            &ids::SCHEMA,
            &folding::SCHEMA,
            &erase::SCHEMA,
            &prune::SCHEMA,
            &compact::SCHEMA,
        ];
        for statement in schemas.into_iter().flatten() {
            sql.run(statement, &[])?;
        }
        folding::open(&sql, now_ms)?;
        Ok(Self {
            sql,
            lake,
            site: site.to_owned(),
            shard,
            key: key.to_owned(),
            rewrites: Cell::default(),
            changes: Cell::default(),
            not_taken: Cell::default(),
            compaction: compact::Memory::default(),
        })
    }

    /// What lands its segments.
    pub fn lake(&self) -> &LakeStore<S> {
        &self.lake
    }

    /// Its database.
    pub fn sql(&self) -> &S {
        &self.sql
    }

    /// How often segments were rewritten or deleted since this was opened: who reads them in slices begins
    /// anew where that changed.
    pub fn rewrites(&self) -> u64 {
        self.rewrites.get()
    }

    /// Notes that segments were rewritten or deleted.
    pub fn was_rewritten(&self) {
        self.rewrites.set(self.rewrites.get().saturating_add(1));
    }

    /// The first moment whose events are shown, Unix milliseconds.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn kept_from(&self) -> Result<i64, SqlError> {
        prune::kept_from(&self.sql)
    }

    /// Deletes some of what happened before `kept_from`, Unix milliseconds.
    ///
    /// # Errors
    /// Whatever the database says; nothing is deleted then.
    pub fn prune(&self, kept_from: i64, now_ms: i64) -> Result<Pruned, SqlError> {
        let folded = folding::folded(&self.sql)?.seq;
        let pruned = prune::prune(&self.sql, kept_from, folded, now_ms)?;
        if pruned.segments > 0 {
            self.was_rewritten();
        }
        Ok(pruned)
    }

    /// Notes that a user is to be forgotten, and looks for some of their segments, whose lines are to be
    /// unpacked and [rewritten](Self::rewrite).
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn find_erased(&self, forget: &Forget) -> Result<Found, SqlError> {
        let (user, alias) = (forget.user(), forget.alias());
        self.was_changed();
        erase::suppress(&self.sql, user, &alias)?;
        let settled = Settled {
            folded: folding::folded(&self.sql)?.seq,
            is_free: &|seq| Ok(!self.lake.holds(seq)?),
        };
        erase::find(&self.sql, user, &alias, &settled)
    }

    /// A segment without the user, its lines to be packed; nothing where there is nothing to do.
    ///
    /// # Errors
    /// Where the lines are not those of the columns, or cannot be read.
    pub fn rewrite(
        &self,
        forget: &Forget,
        hit: &Hit,
        lines: &str,
    ) -> Result<Option<Rewritten>, SqlError> {
        let (user, alias) = (forget.user(), forget.alias());
        erase::rewrite(hit, lines, &self.site, user, &alias, &mut self.hasher())
    }

    /// Puts rewritten segments in the place of what they were, each with its packed lines.
    ///
    /// # Errors
    /// Whatever the database says; nothing was written then.
    pub fn put_rewritten(
        &self,
        forget: &Forget,
        found: &Found,
        rewritten: &[(Rewritten, Vec<u8>)],
    ) -> Result<Step, SqlError> {
        let step = erase::write(&self.sql, forget.user(), found, rewritten)?;
        if step.events > 0 {
            self.was_rewritten();
        }
        Ok(step)
    }

    /// Begins to count a day again, of what is folded.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn recount(&self, of: Day) -> Result<Recount, SqlError> {
        Recount::begin(&self.sql, of)
    }

    /// What is known of a user, by their hash in hex, of what is folded.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn profile(&self, user: &str) -> Result<Option<Profile>, SqlError> {
        people::profile(&self.sql, super::event::first_bits(user), None)
    }

    /// What makes the hashes of its users and sessions.
    pub fn hasher(&self) -> Hasher<'_> {
        Hasher::new(&self.site, &self.key)
    }

    /// How often what [`Archive::read`] answers may have changed since this was opened.
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    fn was_changed(&self) {
        self.changes.set(self.changes.get().saturating_add(1));
    }

    /// Reads what of a message is new.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn read(&self, message: &Message<'_>) -> Result<Draft, SqlError> {
        append::read(&self.sql, message, &self.key)
    }

    /// Appends what was read last, its lines packed: pairs of lines and their gzip member. With `landed`
    /// they come from the lake and never go there.
    ///
    /// # Errors
    /// Whatever the database says; nothing was appended then.
    pub fn append(
        &self,
        draft: Draft,
        packed: &[(String, Vec<u8>)],
        landed: bool,
        now_ms: i64,
    ) -> Result<Appended, SqlError> {
        let member = |lines: &str| packed.iter().find(|(of, _)| of == lines);
        let members: Vec<&[u8]> = draft
            .segments
            .iter()
            .filter_map(|segment| member(&segment.lines))
            .map(|(_, member)| member.as_slice())
            .collect();
        self.was_changed();
        draft.write(&self.sql, &self.lake, &members, landed, now_ms)
    }

    /// Some segments that are not folded yet, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn unfolded(&self) -> Result<Vec<Unfolded>, SqlError> {
        folding::unfolded(&self.sql, &self.site)
    }

    /// When the oldest segment that is not folded is to be, or what D1 has not taken is to be tried again.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn fold_due(&self) -> Result<Option<i64>, SqlError> {
        let (_, until) = self.not_taken.get();
        Ok(folding::due(&self.sql)?.map(|due| due.max(until)))
    }

    /// Notes that D1 did not take a fold.
    pub fn was_not_taken(&self, now_ms: i64) {
        let (times, _) = self.not_taken.get();
        let wait = RETRY_MS.saturating_mul(1_i64 << times.min(MAX_DOUBLINGS));
        self.not_taken
            .set((times.saturating_add(1), now_ms.saturating_add(wait)));
    }

    /// Folds segments, with their lines where the site is Shoreline's own, and tells which of them cannot
    /// be read: these count nowhere. Where others were folded since they were read, nothing is done.
    ///
    /// # Errors
    /// Whatever the database says; nothing is folded then.
    pub fn fold(
        &self,
        some: &[Unfolded],
        lines: &[String],
        now_ms: i64,
    ) -> Result<Vec<i64>, SqlError> {
        let sql = &self.sql;
        sql.transaction(&mut || folding::fold(sql, some, lines, now_ms))
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
        let sql = &self.sql;
        sql.transaction(&mut || folding::clear(sql, now_ms))
    }
}

#[cfg(test)]
mod tests;
