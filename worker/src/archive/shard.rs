//! The archive of one shard of a site: what its object calls.

mod compacts;
mod folds;
mod looking;
mod reshards;

use std::cell::{Cell, RefCell};

use looking::Looking;
pub use looking::{Look, Looked, Unlooked};

use super::append::{self, Appended, Draft};
use super::erase::{self, Forget, Found, Hit, Rewritten, Settled, Step};
use super::folded::folded;
use super::folding;
use super::prune::{self, Pruned};
use super::recount::{Day, Recount};
use super::reshard::{Gate, MOVED, PAUSED, Place};
use super::{Hasher, compact, ids, logs, reshard, spread};
use crate::base::sql::{Sql, SqlError};
use crate::lake::LakeStore;
use crate::protocol::Message;

/// The archive of one shard of a site.
#[derive(Debug)]
pub struct Archive<S> {
    pub(super) sql: S,
    lake: LakeStore<S>,
    pub(super) site: String,
    pub(super) shard: u32,
    /// How many archives there are, as far as it knows, and whether a session is of one user.
    pub(super) archives: Cell<u32>,
    pub(super) is_spread: Cell<bool>,
    pub(super) gate: Cell<Gate>,
    pub(super) key: Vec<u8>,
    /// How often segments were rewritten or deleted since this was opened.
    rewrites: Cell<u64>,
    /// How often something was appended, or a user was to be forgotten: what was read of a message before is
    /// to be read again.
    changes: Cell<u64>,
    /// How often in a row D1 did not take a fold, and until when (Unix milliseconds) it is left alone.
    not_taken: Cell<(u32, i64)>,
    /// How many segments and events are not folded, where they were counted.
    pub(super) waiting: Cell<Option<(i64, i64)>>,
    /// What of them was looked at.
    pub(super) looking: RefCell<Option<Looking>>,
    pub(super) compaction: compacts::Memory,
}

impl<S: Sql> Archive<S> {
    /// Opens it, on the same database as `lake`. Users are counted by their hashes with `key`. A site whose first
    /// archive this is, and new, has `archives` of them from now on.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(
        sql: S,
        lake: LakeStore<S>,
        site: &str,
        (shard, archives): (u32, u32),
        key: &[u8],
        now_ms: i64,
    ) -> Result<Self, SqlError> {
        let schemas = [
            &logs::SCHEMA[..],
            &append::SCHEMA,
            &ids::SCHEMA,
            &folding::SCHEMA,
            &erase::SCHEMA,
            &prune::SCHEMA,
            &compact::SCHEMA,
            &spread::SCHEMA,
            &reshard::SCHEMA,
        ];
        for statement in schemas.into_iter().flatten() {
            sql.run(statement, &[])?;
        }
        folding::open(&sql, now_ms)?;
        let place = match Place::load(&sql)? {
            Some(place) => place,
            None => Place::first(match shard {
                0 => spread::archives(&sql, archives)?,
                _ => archives.max(2),
            }),
        };
        Ok(Self {
            sql,
            archives: Cell::new(place.archives),
            is_spread: Cell::new(place.is_spread),
            gate: Cell::new(place.gate),
            lake,
            site: site.to_owned(),
            shard,
            key: key.to_owned(),
            rewrites: Cell::default(),
            changes: Cell::default(),
            not_taken: Cell::default(),
            waiting: Cell::default(),
            looking: RefCell::default(),
            compaction: compacts::Memory::default(),
        })
    }

    /// How many archives the site has, as its first one knows.
    pub fn archives(&self) -> u32 {
        self.archives.get()
    }

    /// What it does as long as the site gets another number of archives.
    pub fn gate(&self) -> Gate {
        self.gate.get()
    }

    /// Fails where nothing may be changed.
    fn needs_open(&self) -> Result<(), SqlError> {
        let why = match self.gate.get() {
            Gate::Open => return Ok(()),
            Gate::Paused => PAUSED,
            Gate::Filling | Gate::Moved => MOVED,
        };
        Err(SqlError(why.to_owned()))
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
        if self.gate.get() != Gate::Open {
            return Ok(Pruned::default());
        }
        let folded = folded(&self.sql)?.seq;
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
        self.needs_open()?;
        self.was_changed();
        erase::suppress(&self.sql, user, &alias)?;
        let settled = Settled {
            folded: folded(&self.sql)?.seq,
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
        self.needs_open()?;
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

    /// What makes the hashes of its users and sessions.
    pub fn hasher(&self) -> Hasher<'_> {
        Hasher::new(&self.site, &self.key).spread(self.is_spread.get())
    }

    /// How often what [`Archive::read`] answers may have changed since this was opened.
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    pub(super) fn was_changed(&self) {
        self.changes.set(self.changes.get().saturating_add(1));
    }

    /// Reads what of a message is new.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn read(&self, message: &Message<'_>) -> Result<Draft, SqlError> {
        append::read(&self.sql, message, self.hasher())
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
        self.needs_open()?;
        let member = |lines: &str| packed.iter().find(|(of, _)| of == lines);
        let members: Vec<&[u8]> = draft
            .segments
            .iter()
            .filter_map(|segment| member(&segment.lines))
            .map(|(_, member)| member.as_slice())
            .collect();
        self.was_changed();
        let events = draft.segments.iter().map(|segment| segment.n);
        let (segments, events) = (events.len(), events.fold(0, i64::saturating_add));
        let appended = draft.write(&self.sql, &self.lake, &members, landed, now_ms)?;
        self.more_wait(segments, events, now_ms);
        Ok(appended)
    }
}

#[cfg(test)]
mod tests;
