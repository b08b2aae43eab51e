//! A question to a shard of the archive, answered segment by segment.

use std::ops;

use serde::{Deserialize, Serialize};
use shoreline_shared::event_type::PAGE_VIEW;

use super::ask::Question;
use super::groups::Groups;
use super::load::{Loaded, Source, by_code};
use super::measures::Amount;
use super::part::{Found, TooMuch};
use super::set::Set;
use super::visits::Visits;
use super::zone::Zone;
use crate::archive::scan::Scan;
use crate::archive::segment::{Broken, Segment};
use crate::archive::{Column, Who};
use crate::error::Fault;
use crate::json;

/// What a question may take of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Rows, of which pages of 10,000 are cut.
    pub(super) rows: usize,
    /// Bytes that it holds.
    pub(super) bytes: usize,
    /// Values that it decodes, and what else it does, in these.
    pub(super) work: usize,
}

impl Limits {
    /// 100,000 rows are 10 MB of JSON. 48 MB are three eighths of an object's memory. A unit of work takes some 10 ns
    /// natively and is taken for 20 ns in wasm, so all are some 2 s of CPU.
    const ALL: Self = Self {
        rows: 100_000,
        bytes: 48 << 20,
        work: 100_000_000,
    };
}

/// What an event that passes costs beside its values, for each that it is counted with.
const COUNT_WORK: usize = 4;

/// A checked question as the archive is told it: the body, and what the worker made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The body of the call.
    pub body: String,
    /// Events from here on (Unix milliseconds) and before there.
    pub at: (i64, i64),
    /// The offsets of the zone: see [`Zone`].
    pub zone: Vec<(i64, i64)>,
}

/// What a pass over all segments is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Sessions as a whole, before events are filtered and grouped by them.
    Visits,
    /// Who did what `did` asks for.
    Dids,
    /// Rows.
    Rows,
}

/// The events of a segment.
struct Events<'s, 'a> {
    segment: &'s Segment<'a>,
    lines: Option<&'s str>,
    at: &'s [i64],
    /// Whether each is in the range.
    is_in: &'s [bool],
}

/// A question under way.
pub struct Query {
    question: Question,
    zone: Zone,
    range: ops::Range<i64>,
    kept_from: i64,
    pass: Pass,
    needs_lines: bool,
    pub(super) limits: Limits,
    too_much: Option<TooMuch>,
    work: usize,
    scanned: i64,
    visits: Visits,
    /// The users who did, of each `did`.
    dids: Vec<Set>,
    groups: Groups,
}

impl Query {
    /// Begins to answer it, from events that happened at `kept_from` (Unix milliseconds) or later.
    ///
    /// # Errors
    /// Where the body is no [`Spec`], or its question is none.
    pub fn begin(body: &[u8], kept_from: i64) -> Result<Self, Fault> {
        let no_spec = |_| Fault::malformed("The archive cannot read the question.");
        let spec: Spec = json::told(body).map_err(no_spec)?;
        let question = Question::parse(spec.body.as_bytes())?;
        let mut query = Self {
            range: spec.at.0.max(kept_from)..spec.at.1,
            zone: Zone::new(spec.zone),
            kept_from,
            pass: Pass::Rows,
            needs_lines: false,
            limits: Limits::ALL,
            too_much: None,
            work: 0,
            scanned: 0,
            visits: Visits::default(),
            dids: Vec::new(),
            groups: Groups::default(),
            question,
        };
        query.reset();
        Ok(query)
    }

    fn give_up_if(&mut self, is_over: bool, why: TooMuch) {
        if is_over && self.too_much.is_none() {
            self.too_much = Some(why);
        }
    }

    /// Looks at a segment; nothing is counted where its lines are needed and not there.
    fn look(&mut self, segment: &Segment<'_>, lines: Option<&str>) -> Result<(), Broken> {
        self.needs_lines = false;
        let at = segment.at()?;
        let is_in: Vec<bool> = at.iter().map(|at| self.range.contains(at)).collect();
        let count = is_in.iter().filter(|is_in| **is_in).count();
        if count == 0 {
            return Ok(());
        }
        // Lines are half the work of values, a byte.
        self.work = self
            .work
            .saturating_add(lines.map_or(0, |lines| lines.len() / 2));
        let events = Events {
            segment,
            lines,
            at: &at,
            is_in: &is_in,
        };
        let mut loaded = Vec::new();
        let done = match self.pass {
            Pass::Visits => {
                self.load(&events, &mut loaded, Question::is_of_visits)?
                    && self.take_visits(&events, &loaded)?
            }
            Pass::Dids => {
                self.load(&events, &mut loaded, Question::is_of_dids)?
                    && self.take_dids(&events, &loaded)?
            }
            Pass::Rows => self.take_rows(&events, &mut loaded)?,
        };
        self.needs_lines = !done;
        if self.pass == Pass::Rows && done {
            self.scanned = self.scanned.saturating_add(count as i64);
        }
        let dids = self
            .dids
            .iter()
            .map(Set::bytes)
            .fold(0, usize::saturating_add);
        let bytes = self
            .groups
            .bytes()
            .saturating_add(self.visits.bytes())
            .saturating_add(dids);
        self.give_up_if(self.groups.len() > self.limits.rows, TooMuch::Rows);
        self.give_up_if(bytes > self.limits.bytes, TooMuch::Memory);
        self.give_up_if(self.work > self.limits.work, TooMuch::Work);
        Ok(())
    }

    /// Loads what events have of those fields that are wanted and not there yet; false where that takes lines.
    fn load<'a>(
        &mut self,
        events: &Events<'_, 'a>,
        loaded: &mut Vec<Option<Loaded<'a>>>,
        is_wanted: fn(&Question, usize) -> bool,
    ) -> Result<bool, Broken> {
        let source = Source {
            segment: events.segment,
            lines: events.lines,
            at: events.at,
            zone: &self.zone,
            visits: &self.visits,
        };
        loaded.resize_with(self.question.fields.0.len(), || None);
        let fields = self.question.fields.0.iter().enumerate();
        for ((place, field), slot) in fields.zip(loaded) {
            if slot.is_none() && is_wanted(&self.question, place) {
                self.work = self.work.saturating_add(events.at.len());
                *slot = source.load(field)?;
                if slot.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn take_visits(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<bool, Broken> {
        let engaged = self.question.engaged.and_then(|place| loaded.get(place));
        if let Some(Some(engaged)) = engaged {
            self.work = self
                .work
                .saturating_add(events.at.len().saturating_mul(COUNT_WORK));
            self.visits
                .take(events.segment, events.at, events.is_in, engaged)?;
        }
        Ok(true)
    }

    fn take_dids(
        &mut self,
        events: &Events<'_, '_>,
        loaded: &[Option<Loaded<'_>>],
    ) -> Result<bool, Broken> {
        let users = events.segment.users()?;
        for (filter, who) in self.question.dids.iter().zip(&mut self.dids) {
            let mask = filter.mask(events.at.len(), loaded, &[]);
            let all = mask.into_iter().zip(events.is_in).zip(&users.codes);
            for ((passes, is_in), code) in all {
                let user = users.dict.get((*code as usize).wrapping_sub(1));
                if let (true, true, Some((hash, _))) = (passes, *is_in, user) {
                    who.insert(*hash);
                }
            }
        }
        Ok(true)
    }

    /// Of each `did`, whether the user of each event is one who did.
    fn did(&self, segment: &Segment<'_>) -> Result<Vec<Vec<bool>>, Broken> {
        if self.dids.is_empty() {
            return Ok(Vec::new());
        }
        let users = segment.users()?;
        let mut masks = Vec::new();
        for who in &self.dids {
            let mut table = vec![false];
            for (hash, _) in &users.dict {
                table.push(who.has(*hash));
            }
            masks.push(by_code(&users.codes, &table, false));
        }
        Ok(masks)
    }

    /// Counts a segment's events in their rows; false where that takes its lines.
    fn take_rows<'a>(
        &mut self,
        events: &Events<'_, 'a>,
        loaded: &mut Vec<Option<Loaded<'a>>>,
    ) -> Result<bool, Broken> {
        let n = events.at.len();
        if !self.load(events, loaded, Question::is_of_filter)? {
            return Ok(false);
        }
        let mut passing = events.is_in.to_vec();
        if let Some(filter) = &self.question.filter {
            let did = self.did(events.segment)?;
            for (passes, more) in passing.iter_mut().zip(filter.mask(n, loaded, &did)) {
                *passes &= more;
            }
        }
        let counts_visits = self.question.counted.visits;
        let takes_visits = counts_visits && !self.question.by_session;
        let passed = passing.iter().filter(|passes| **passes).count();
        if passed == 0 && !takes_visits {
            return Ok(true);
        }
        if !self.load(events, loaded, Question::is_of_rows)? {
            return Ok(false);
        }
        // All is decoded before anything is counted: nothing of a broken segment is.
        let views = events.segment.column_code(Column::Type, PAGE_VIEW)?;
        let types = match views {
            Some(_) => events.segment.column(Column::Type)?.codes,
            None => vec![0; n],
        };
        let counted = &self.question.counted;
        let users = counted.users.then(|| events.segment.users()).transpose()?;
        let sessions = counted.sessions.then(|| events.segment.sessions());
        let sessions = sessions.transpose()?;
        if takes_visits {
            self.take_visits(events, loaded)?;
        }
        let question = &self.question;
        let dimensions = question.dimensions.iter();
        let dimensions = dimensions.filter_map(|place| loaded.get(*place)?.as_ref());
        let dimensions: Vec<&Loaded<'_>> = dimensions.collect();
        let rows = self.groups.place(&passing, &dimensions);
        let view = views.unwrap_or(u32::MAX);
        self.groups.count(&rows, &types, view);
        let counters = dimensions
            .len()
            .saturating_add(question.counted.measures.len());
        let counters = counters.saturating_add(usize::from(users.is_some()));
        let counters = counters.saturating_add(usize::from(sessions.is_some()));
        self.work = self
            .work
            .saturating_add(passed.saturating_mul(counters).saturating_mul(COUNT_WORK));
        if let Some(users) = users {
            let is_user = |who: &Who| matches!(who, Who::Known | Who::Erased);
            self.groups.count_users(&rows, &|at| {
                let code = users.codes.get(at)?;
                let user = users.dict.get((*code as usize).checked_sub(1)?);
                user.filter(|(_, who)| is_user(who)).map(|(hash, _)| *hash)
            });
        }
        if let Some(sessions) = sessions {
            let visits = counts_visits.then_some(&self.visits);
            let session = |at| {
                let code: &u32 = sessions.codes.get(at)?;
                sessions.dict.get((*code as usize).checked_sub(1)?).copied()
            };
            self.groups.count_sessions(&rows, &session, visits);
        }
        for (place, measure) in question.counted.measures.iter().enumerate() {
            if let Some(Some(loaded)) = loaded.get(measure.field) {
                let amounts = Amount::all(loaded);
                self.groups
                    .measure(&rows, place, &amounts, &loaded.codes, measure.each);
            }
        }
        Ok(true)
    }
}

impl Scan for Query {
    fn range(&self) -> ops::Range<i64> {
        self.range.clone()
    }

    fn reset(&mut self) {
        let question = &self.question;
        self.visits = Visits::new(self.question.by_session);
        self.dids = question.dids.iter().map(|_| Set::default()).collect();
        self.groups = Groups::new(question.dimensions.len(), question.counted.measures.len());
        (self.scanned, self.work) = (0, 0);
        self.pass = match (self.question.by_session, self.dids.is_empty()) {
            (true, _) => Pass::Visits,
            (false, false) => Pass::Dids,
            (false, true) => Pass::Rows,
        };
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken> {
        self.look(segment, None)
    }

    fn needs_lines(&self) -> bool {
        self.needs_lines
    }

    fn take_lines(&mut self, segment: &Segment<'_>, lines: &str) -> Result<(), Broken> {
        self.look(segment, Some(lines))
    }

    fn is_over(&self) -> bool {
        self.too_much.is_some()
    }

    fn again(&mut self) -> bool {
        let next = match self.pass {
            Pass::Visits if !self.dids.is_empty() => Pass::Dids,
            Pass::Visits | Pass::Dids => Pass::Rows,
            Pass::Rows => {
                self.groups.settle(&self.visits);
                return false;
            }
        };
        self.pass = next;
        true
    }

    fn part(&self, _alone: bool) -> serde_json::Result<String> {
        let mut found = Found {
            too_much: self.too_much.map_or(0, |why| why as u8),
            scanned: self.scanned,
            kept_from: self.kept_from,
            ..Found::default()
        };
        if self.too_much.is_none() {
            found.put(&self.groups, self.question.counted.measures.len());
        }
        serde_json::to_string(&found)
    }
}
