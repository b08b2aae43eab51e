//! What a shard is asked, from the body of the command to the text of its answer.

use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::page::{Lines, Page, PageSpec};
use super::timeline::MAX_ENTRIES;
use super::{FunnelSpec, JourneysSpec, Scan, Scanning, VitalsSpec, funnel, journeys, vitals};
use crate::archive::fold::Gathered;
use crate::archive::people::Retention;
use crate::archive::{Hasher, Joined};
use crate::base::json;
use crate::base::sql::{Sql, SqlError};

/// A question to an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Asked {
    /// Answered by a [`super::FunnelPart`].
    Funnel(FunnelSpec),
    /// By a [`super::JourneysPart`].
    Journeys(JourneysSpec),
    /// By [`super::VitalPart`]s.
    Vitals(VitalsSpec),
    /// By [`crate::archive::people::CohortRow`]s.
    Retention(RetentionSpec),
    /// By [`super::Line`]s.
    Page(PageSpec),
}

/// Whose return is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionSpec {
    /// Users whose first event ever was from here on (Unix milliseconds) and before there.
    pub first_at: (i64, i64),
    /// Periods at most.
    pub periods: i64,
    /// Weeks, not days.
    pub weekly: bool,
    /// The last day that counts, since 1970.
    pub today: i64,
}

/// The body of the command `ASK`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The question.
    pub asked: Asked,
    /// Whether no other shard is asked: what the answer leaves out need not be told then.
    pub alone: bool,
}

/// The answer of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// Segments, or lines of a page, that could not be read and are not in it.
    pub unreadable: i64,
    /// What was found in the others.
    pub found: T,
}

/// A question that is being answered: in slices, then, for a page, with the lines of segments.
pub struct Asking(Kind);

enum Kind {
    Scan(Scanning),
    /// With the user to go on at.
    Retention(Box<Retention>, u64),
    Page(Box<Page>),
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Scan(_) => "Asking(scan)",
            Kind::Retention(..) => "Asking(retention)",
            Kind::Page(_) => "Asking(page)",
        })
    }
}

impl Ask {
    /// Reads the body of the command.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(body: &[u8]) -> serde_json::Result<Self> {
        json::told(body)
    }

    /// Whether people are asked about: [`Ask::begin`] is to be told what is not folded yet.
    pub fn is_of_people(&self) -> bool {
        matches!(self.asked, Asked::Retention(_))
    }

    /// Begins to answer it, from events that happened at `kept_from` (Unix milliseconds) or later.
    pub fn begin(
        self,
        kept_from: i64,
        hasher: &mut Hasher<'_>,
        unfolded: Option<&Gathered>,
    ) -> Asking {
        let most = MAX_ENTRIES;
        let scan: Box<dyn Scan> = match self.asked {
            Asked::Funnel(spec) => Box::new(funnel::Scan::new(spec, kept_from, most)),
            Asked::Journeys(spec) => Box::new(journeys::Scan::new(spec, kept_from, most)),
            Asked::Vitals(spec) => Box::new(vitals::Scan::new(spec, kept_from)),
            Asked::Retention(spec) => {
                let first_at = spec.first_at.0..spec.first_at.1;
                let unfolded = unfolded.map(Gathered::seen).unwrap_or_default();
                let count =
                    Retention::new(first_at, spec.periods, spec.weekly, spec.today, unfolded);
                return Asking(Kind::Retention(Box::new(count), 0));
            }
            Asked::Page(spec) => {
                return Asking(Kind::Page(Box::new(Page::begin(spec, kept_from, hasher))));
            }
        };
        Asking(Kind::Scan(Scanning::begin(scan, self.alone)))
    }
}

impl Asking {
    /// Begins with a scan of a room above.
    pub fn of_scan(scan: Box<dyn Scan>, alone: bool) -> Self {
        Self(Kind::Scan(Scanning::begin(scan, alone)))
    }

    /// Tells who is one person, before the first slice, so that it need not be read.
    #[must_use]
    pub fn with(mut self, joined: Rc<Joined>) -> Self {
        match &mut self.0 {
            Kind::Scan(scan) => scan.joined = Some(joined),
            Kind::Page(page) => page.joined = Some(joined),
            Kind::Retention(count, _) => count.joined = joined,
        }
        self
    }

    /// Does the next slice, some milliseconds of work; whether there are more. `rewrites` is how often segments
    /// were rewritten (compacted, pruned, erased) since the object was made: where that changed the work
    /// begins anew, for an event could be met twice or never.
    ///
    /// # Errors
    /// Whatever the database says, and where a page of people cannot be read.
    pub fn slice(&mut self, sql: &impl Sql, rewrites: u64) -> Result<bool, SqlError> {
        match &mut self.0 {
            Kind::Scan(scan) => scan.slice(sql, rewrites),
            Kind::Page(page) => page.slice(sql, rewrites),
            Kind::Retention(count, from) => {
                let next = count.step(sql, *from)?;
                *from = next.unwrap_or(*from);
                Ok(next.is_some())
            }
        }
    }

    /// The next segments whose lines are asked for, each to be unpacked and given to [`Asking::cut`]; none when
    /// all lines are there. To be called without a pause after the last slice, and, after a pause, after another
    /// call of [`Asking::slice`]: where segments were rewritten meanwhile, the page is found anew.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn packed(&mut self, sql: &impl Sql) -> Result<Vec<Lines>, SqlError> {
        match &mut self.0 {
            Kind::Page(page) => page.packed(sql),
            Kind::Scan(scan) => scan.packed(sql),
            Kind::Retention(..) => Ok(Vec::new()),
        }
    }

    /// Takes what is asked for out of a segment's lines.
    pub fn cut(&mut self, from: &Lines, text: &str) {
        match &mut self.0 {
            Kind::Page(page) => page.cut(from, text),
            Kind::Scan(scan) => scan.cut(from, text),
            Kind::Retention(..) => {}
        }
    }

    /// The [`Part`], as JSON, when all of that is done.
    ///
    /// # Errors
    /// None, as what was found always serializes.
    pub fn part(&self) -> Result<String, SqlError> {
        let (unreadable, found) = match &self.0 {
            Kind::Scan(scan) => scan.part(),
            Kind::Page(page) => page.part(),
            Kind::Retention(count, _) => (0, serde_json::to_string(&count.rows())),
        };
        let found = found.map_err(|error| SqlError(error.to_string()))?;
        Ok(format!("{{\"unreadable\":{unreadable},\"found\":{found}}}"))
    }
}
