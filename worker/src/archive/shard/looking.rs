//! A look: what D1's sums lack, told to who asks and written nowhere.
//!
//! D1 lacks the folds that it has not taken, and what is not folded. The latter is gathered into memory, from where
//! the look before ended, and folded without a write; what that comes to is kept until something is appended or
//! folded, so that a dashboard's calls cost one look.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::Archive;
use crate::archive::event::first_bits;
use crate::archive::fold::{Cursor, Gathered, Stand, Sums, Want};
use crate::archive::folded::{Folded, folded};
use crate::archive::folding::{self, Unfolded};
use crate::archive::joined::{self, Joined};
use crate::archive::people::{self, Mode, Profile};
use crate::archive::scan::{Ask, Asking};
use crate::base::sql::{Sql, SqlError};
use crate::base::time::day_of;

/// Events that a look has in memory at most, some 300 bytes each. More than [`folding::FOLD_EVENTS`] are there only
/// while folds are under way.
const LOOK_EVENTS: i64 = 60_000;

/// Bytes of the answers of a site's archives at most: they are a parameter of D1 where a question needs them there.
const LOOK_BYTES: usize = 900_000;

/// How long what was looked at is kept, in milliseconds, while appends come and nobody looks.
const KEPT_MS: i64 = 60_000;

/// The body of the command `LOOK`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Where D1 stood, if somebody knows.
    pub at: Vec<Stand>,
    /// How many archives are asked.
    pub archives: usize,
    /// What is asked for.
    pub wants: Vec<Want>,
}

/// What D1's sums lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The last fold that D1 must have taken: with another one it lacks less or more.
    pub at: Cursor,
    /// What it lacks of what was asked for. A key may come several times.
    pub sums: Sums,
}

/// What is to be looked at next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlooked {
    /// These segments.
    Some(Vec<Unfolded>),
    /// All of it was looked at.
    None,
    /// It is too much, and must be folded.
    TooMuch,
}

/// What was looked at.
#[derive(Debug)]
pub(in crate::archive) struct Looking {
    /// What was folded then.
    epoch: i64,
    number: i64,
    /// The last segment that was looked at.
    upto: i64,
    gathered: Gathered,
    /// What a fold of it adds, once that was asked for.
    sums: Option<Sums>,
    /// When somebody looked last, Unix milliseconds.
    at: i64,
}

impl Looking {
    fn after(folded: &Folded) -> Self {
        Self {
            epoch: folded.epoch,
            number: folded.number,
            upto: folded.seq,
            gathered: Gathered::default(),
            sums: None,
            at: 0,
        }
    }

    fn is_after(&self, folded: &Folded) -> bool {
        (self.epoch, self.number) == (folded.epoch, folded.number)
    }
}

impl<S: Sql> Archive<S> {
    /// Some segments that are not folded and were not looked at, the oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn unlooked(&self) -> Result<Unlooked, SqlError> {
        let (segments, events) = self.waiting()?;
        if segments >= folding::MANY_SEGMENTS || events > LOOK_EVENTS {
            return Ok(Unlooked::TooMuch);
        }
        let folded = folded(&self.sql)?;
        let looking = self.looking.borrow();
        let looking = looking.as_ref().filter(|looking| looking.is_after(&folded));
        let from = looking.map_or(folded.seq, |looking| looking.upto);
        let some = folding::unfolded(&self.sql, &self.site, from)?;
        Ok(if some.is_empty() {
            Unlooked::None
        } else {
            Unlooked::Some(some)
        })
    }

    /// Looks at segments, with their lines where the site is Shoreline's own. What cannot be read counts nowhere; the
    /// fold tells it. Where others were looked at or folded since they were read, nothing is done.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn look_at(
        &self,
        some: &[Unfolded],
        lines: &[String],
        now_ms: i64,
    ) -> Result<(), SqlError> {
        let folded = folded(&self.sql)?;
        let mut looking = self.looking.borrow_mut();
        let kept = looking.take().filter(|looking| looking.is_after(&folded));
        let looking = looking.insert(kept.unwrap_or_else(|| Looking::after(&folded)));
        if !folding::follow(&self.sql, some, looking.upto)? {
            return Ok(());
        }
        folding::gather(&mut looking.gathered, some, lines);
        looking.upto = some.last().map_or(looking.upto, |last| last.seq);
        (looking.sums, looking.at) = (None, now_ms);
        Ok(())
    }

    /// What D1 lacks, as a [`Looked`] in JSON, when all was looked at; `null` where that is too much to tell.
    ///
    /// # Errors
    /// Whatever the database says, and where a page of people or a fold cannot be read.
    pub fn look(&self, look: &Look, now_ms: i64) -> Result<String, SqlError> {
        let folded = folded(&self.sql)?;
        let at = self.stands(&folded, Cursor::of(&look.at, self.shard))?;
        let mut sums = Sums::default();
        for fold in folding::pending_after(&self.sql, at.fold)? {
            sums.take(&folding::pending_sums(&self.sql, fold)?, &look.wants);
        }
        let mut looking = self.looking.borrow_mut();
        if let Some(looking) = looking.as_mut().filter(|looking| looking.is_after(&folded)) {
            let unfolded = match looking.sums.take() {
                Some(unfolded) => unfolded,
                None => looking
                    .gathered
                    .fold(&self.sql, day_of(now_ms), Mode::Look)?,
            };
            sums.take(&unfolded, &look.wants);
            looking.sums = Some(unfolded);
            looking.at = now_ms;
        }
        // Numbers and texts always serialize.
        let told = serde_json::to_string(&Looked { at, sums }).unwrap_or_default();
        Ok(if told.len().saturating_mul(look.archives) > LOOK_BYTES {
            "null".to_owned()
        } else {
            told
        })
    }

    /// The fold at which D1 stands, as far as this archive can tell what follows it; else the one before the oldest
    /// that it may not have taken.
    fn stands(&self, folded: &Folded, at: Option<Cursor>) -> Result<Cursor, SqlError> {
        let oldest = folding::pending_after(&self.sql, 0)?.first().copied();
        let oldest = oldest.unwrap_or(folded.number.saturating_add(1));
        let first = oldest.saturating_sub(1);
        let known = at.filter(|at| at.epoch == folded.epoch).map(|at| at.fold);
        let fold = known.filter(|fold| (first..=folded.number).contains(fold));
        Ok(Cursor {
            epoch: folded.epoch,
            fold: fold.unwrap_or(first),
        })
    }

    /// Who is one person, of all that was appended.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn joined(&self) -> Result<Rc<Joined>, SqlError> {
        let mut known = self.joined.borrow_mut();
        match known.as_ref() {
            Some(joined) => Ok(Rc::clone(joined)),
            None => {
                let joined = Rc::new(joined::known(&self.sql)?);
                Ok(Rc::clone(known.insert(joined)))
            }
        }
    }

    /// Whether anybody is joined.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn joins(&self) -> Result<bool, SqlError> {
        joined::is_any(&self.sql)
    }

    /// The ids of the person of a user, as hashes in hex.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn ids_of(&self, user: &str) -> Result<Vec<String>, SqlError> {
        let ids = self.joined()?.ids_of(first_bits(user));
        Ok(ids.iter().map(|id| format!("{id:016x}")).collect())
    }

    /// What is known of a user, by their hash in hex, when all was looked at.
    ///
    /// # Errors
    /// Whatever the database says, and where their page cannot be read.
    pub fn profile(&self, user: &str) -> Result<Option<Profile>, SqlError> {
        let ids = self.joined()?.ids_of(first_bits(user));
        self.with_unfolded(|unfolded| {
            people::profile(
                &self.sql,
                &ids,
                unfolded.map(Gathered::seen).unwrap_or_default(),
            )
        })?
    }

    /// Begins to answer a question; one of people, when all was looked at.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn begin(&self, ask: Ask) -> Result<Asking, SqlError> {
        let kept_from = self.kept_from()?;
        let asking =
            self.with_unfolded(|unfolded| ask.begin(kept_from, &mut self.hasher(), unfolded))?;
        Ok(asking.with(self.joined()?))
    }

    fn with_unfolded<T>(&self, work: impl FnOnce(Option<&Gathered>) -> T) -> Result<T, SqlError> {
        let folded = folded(&self.sql)?;
        let looking = self.looking.borrow();
        let looking = looking.as_ref().filter(|looking| looking.is_after(&folded));
        Ok(work(looking.map(|looking| &looking.gathered)))
    }

    /// Forgets what was looked at if that is long ago: something was appended.
    pub(in crate::archive) fn forget_look(&self, now_ms: i64) {
        let mut looking = self.looking.borrow_mut();
        let is_old = |looking: &Looking| now_ms.saturating_sub(looking.at) > KEPT_MS;
        if looking.as_ref().is_some_and(is_old) {
            *looking = None;
        }
    }
}

#[cfg(test)]
mod tests;
