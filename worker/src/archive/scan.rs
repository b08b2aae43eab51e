//! Answers by scan: segments are read one after the other, in slices between which appends get their turn.
//!
//! A `Scan` takes segments and comes to a part: the answer of one shard, as JSON. Parts of several shards are
//! made one answer by the worker ([`crate::read`]): users live in one shard each, so what is counted of
//! users adds up, and so do sessions, but for one that changes its user half-way between two shards.

mod ask;
mod funnel;
mod journeys;
mod page;
mod pick;
mod places;
mod timeline;
mod vitals;
mod walk;
mod walker;

use std::ops::Range;
use std::rc::Rc;

pub use ask::{Ask, Asked, Asking, Part, RetentionSpec};
pub use funnel::{FunnelSpec, Step};
pub use journeys::{End, JourneysPart, JourneysSpec};
pub(crate) use page::MAX_AT;
pub use page::{Line, Lines, PageSpec};
pub use pick::{Pick, Picked};
pub(crate) use places::Places;
pub use vitals::{VitalPart, VitalsSpec};
pub use walk::Walk;
pub(crate) use walker::VALUE_BITS;
pub use walker::{Dropped, FunnelGroup, FunnelPart, FunnelRule, Order};

use super::joined::{self, Joined};
use super::segment::{Broken, Segment, WHOLE};
use crate::base::sql::{Cell, Sql, SqlError};

/// Segments of the first slice. A message's segment is 1,000 events at most, of which a scan reads some 30 a
/// microsecond: half a millisecond.
const FIRST_ROWS: i64 = 16;

/// Segments of a slice at most: those of a quiet site hold a batch each.
const MAX_ROWS: i64 = 256;

/// Bytes of columns that a slice is to have, about: 20 to 40 bytes an event, so some milliseconds. Slices that
/// have less than half are doubled, those that have more than twice as much are halved. A compacted segment
/// has 1 MB of lines, and so a tenth of this.
const SLICE_BYTES: usize = 1_000_000;

/// [`Scan::work`] that a slice is to do, likewise, where it tells: five to twelve milliseconds.
const SLICE_WORK: usize = 600_000;

/// What looks at segments for an answer.
pub trait Scan {
    /// The moments (Unix milliseconds) whose events it is to be shown now.
    fn range(&self) -> Range<i64>;
    /// Forgets all that it was shown.
    fn reset(&mut self);
    /// Takes the events of a segment. Nothing of one that is broken may be counted.
    ///
    /// # Errors
    /// Where the segment is broken.
    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Broken>;
    /// Whether it needs to see the second parts of segments. Never before [`Scan::take_lines`], which sees all.
    fn needs_second(&self) -> bool {
        true
    }
    /// Whether the segment that was shown last was not taken, because the columns do not say what is asked:
    /// it is shown again with its lines.
    fn needs_lines(&self) -> bool {
        false
    }
    /// Takes the events of a segment for which it needed the lines.
    ///
    /// # Errors
    /// As [`Scan::take`].
    fn take_lines(&mut self, segment: &Segment<'_>, _lines: &str) -> Result<(), Broken> {
        self.take(segment)
    }
    /// What it has done so far, in units of 10 to 20 ns; 0 where bytes of columns say it well enough.
    fn work(&self) -> usize {
        0
    }
    /// Whether it has given up, and needs to see no more.
    fn is_over(&self) -> bool {
        false
    }
    /// Whether it has enough to go on with [`Scan::settle`].
    fn is_full(&self) -> bool {
        false
    }
    /// No segment that is left has an event of before this moment.
    fn settle(&mut self, _before: i64) {}
    /// All segments were shown. Whether it is to be shown them again, for other moments.
    fn again(&mut self) -> bool {
        false
    }
    /// What it found, as JSON. `alone`: of the only shard, so that what the answer leaves out can stay here.
    ///
    /// # Errors
    /// None, as what was found always serializes.
    fn part(&self, alone: bool) -> serde_json::Result<String>;
}

/// A scan under way.
struct Scanning {
    scan: Box<dyn Scan>,
    alone: bool,
    /// Who is one person, where the caller knows; else it is read.
    joined: Option<Rc<Joined>>,
    /// Who is one person in this answer.
    people: Rc<Joined>,
    /// The last segment that was read.
    cursor: i64,
    /// The last segment that there was when it began: what is appended later is not in the answer.
    last: Option<i64>,
    /// How often segments had been rewritten then.
    rewrites: u64,
    rows: i64,
    /// Segments that cannot be read, in order.
    unreadable: Vec<i64>,
    /// Segments whose lines are needed before the pass is over.
    deferred: Vec<i64>,
    /// All other segments of the pass were shown.
    is_shown: bool,
    /// Of runs of [`MARKED`] numbers of segments: the run, and the earliest event of it or a later one.
    /// Read when it is needed first.
    marks: Vec<(i64, i64)>,
}

/// Segments of a mark: a slice of the smallest size.
const MARKED: i64 = FIRST_ROWS;

impl Scanning {
    fn begin(scan: Box<dyn Scan>, alone: bool) -> Self {
        Self {
            scan,
            alone,
            joined: None,
            people: Rc::default(),
            cursor: 0,
            last: None,
            rewrites: 0,
            rows: FIRST_ROWS,
            unreadable: Vec::new(),
            deferred: Vec::new(),
            is_shown: false,
            marks: Vec::new(),
        }
    }

    /// Reads the next segments; whether there are more, as [`Asking::slice`] does.
    fn slice(&mut self, sql: &impl Sql, rewrites: u64) -> Result<bool, SqlError> {
        let last = match self.last {
            Some(last) if rewrites == self.rewrites => last,
            known => {
                if known.is_some() {
                    self.scan.reset();
                    self.marks.clear();
                    self.deferred.clear();
                    self.unreadable.clear();
                    (self.cursor, self.is_shown) = (0, false);
                }
                self.people = joined_in(&mut self.joined, sql)?;
                last_of(sql)?
            }
        };
        (self.last, self.rewrites) = (Some(last), rewrites);
        if !self.is_shown && self.show(sql, last)? {
            return Ok(true);
        }
        self.is_shown = true;
        if self.scan.is_over() {
            self.deferred.clear();
        } else if self.deferred.is_empty() {
            self.cursor = 0;
            let again = self.scan.again();
            self.is_shown = !again;
            return Ok(again);
        }
        Ok(false)
    }

    /// Shows the next segments; whether there are more.
    fn show(&mut self, sql: &impl Sql, last: i64) -> Result<bool, SqlError> {
        let range = self.scan.range();
        let second = match self.scan.needs_second() {
            true => "more",
            false => "x''",
        };
        let rows: Vec<[Cell; 5]> = sql.cells(
            &format!(
                "SELECT seq, first_at, last_at, columns, {second} FROM segments WHERE seq > ?1 AND seq <= ?2 \
                 AND last_at >= ?3 AND first_at < ?4 ORDER BY seq LIMIT ?5"
            ),
            &[
                self.cursor.into(),
                last.into(),
                range.start.into(),
                range.end.into(),
                self.rows.into(),
            ],
        )?;
        let (mut bytes, before) = (0_usize, self.scan.work());
        for [seq, first_at, last_at, columns, more] in &rows {
            self.cursor = seq.int();
            let (columns, more) = (columns.bytes(), more.bytes());
            bytes = bytes
                .saturating_add(columns.len())
                .saturating_add(more.len());
            let segment = Segment::of_parts(columns, more).map(|segment| {
                segment
                    .spanning(first_at.int(), last_at.int())
                    .with(&self.people)
            });
            let taken = segment.and_then(|segment| self.scan.take(&segment));
            if taken.is_err() {
                self.note_unreadable(self.cursor);
            } else if self.scan.needs_lines() {
                self.deferred.push(self.cursor);
            }
            if self.scan.is_over() {
                return Ok(false);
            }
        }
        let full = i64::try_from(rows.len()).is_ok_and(|read| read >= self.rows);
        let work = self.scan.work().saturating_sub(before);
        if bytes < SLICE_BYTES / 2 && work < SLICE_WORK / 2 {
            self.rows = self.rows.saturating_mul(2).min(MAX_ROWS);
        } else if bytes > SLICE_BYTES.saturating_mul(2) || work > SLICE_WORK.saturating_mul(2) {
            self.rows = (self.rows / 2).max(1);
        }
        // Segments that wait for their lines may have events of any time.
        if full && self.deferred.is_empty() && self.scan.is_full() {
            let before = self.first_left(sql, last)?;
            self.scan.settle(before);
        }
        Ok(full)
    }

    /// The next segments whose lines are needed, as [`Asking::packed`] does.
    fn packed(&mut self, sql: &impl Sql) -> Result<Vec<Lines>, SqlError> {
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        while bytes < page::MAX_PACKED
            && let Some(seq) = self.deferred.pop()
        {
            let rows: Vec<[Cell; 2]> = sql.cells(
                &format!("SELECT {WHOLE}, lines FROM segments WHERE seq = ?1"),
                &[seq.into()],
            )?;
            for [columns, packed] in &rows {
                bytes = bytes.saturating_add(packed.bytes().len());
                all.push(Lines {
                    packed: packed.bytes().to_vec(),
                    columns: columns.bytes().to_vec(),
                    seq,
                    cuts: Vec::new(),
                });
                // Until its lines come.
                self.note_unreadable(seq);
            }
        }
        Ok(all)
    }

    /// Shows a segment with its lines.
    fn cut(&mut self, from: &Lines, text: &str) {
        let segment = Segment::parse(&from.columns).map(|segment| segment.with(&self.people));
        let taken = segment.and_then(|segment| self.scan.take_lines(&segment, text));
        if taken.is_ok()
            && let Ok(place) = self.unreadable.binary_search(&from.seq)
        {
            self.unreadable.remove(place);
        }
    }

    /// Each once, though later passes meet it again.
    fn note_unreadable(&mut self, seq: i64) {
        if let Err(place) = self.unreadable.binary_search(&seq) {
            self.unreadable.insert(place, seq);
        }
    }

    /// When the earliest event of the segments that are left happened, or earlier, Unix milliseconds.
    fn first_left(&mut self, sql: &impl Sql, last: i64) -> Result<i64, SqlError> {
        if self.marks.is_empty() {
            let runs: Vec<[Cell; 2]> = sql.cells(
                "SELECT seq / ?1, min(first_at) FROM segments WHERE seq <= ?2 GROUP BY 1 ORDER BY 1",
                &[MARKED.into(), last.into()],
            )?;
            self.marks = runs.iter().map(|[run, at]| (run.int(), at.int())).collect();
            let mut first = i64::MAX;
            for (_, at) in self.marks.iter_mut().rev() {
                first = first.min(*at);
                *at = first;
            }
        }
        let next = self
            .cursor
            .saturating_add(1)
            .checked_div(MARKED)
            .unwrap_or(0);
        let index = self.marks.partition_point(|(run, _)| *run < next);
        Ok(self.marks.get(index).map_or(i64::MAX, |(_, at)| *at))
    }

    /// What could not be read, and what was found.
    fn part(&self) -> (i64, serde_json::Result<String>) {
        (self.unreadable.len() as i64, self.scan.part(self.alone))
    }
}

/// Who is one person: as the caller knew when the answer was begun; when it is begun anew, as it is then.
fn joined_in(known: &mut Option<Rc<Joined>>, sql: &impl Sql) -> Result<Rc<Joined>, SqlError> {
    match known.take() {
        Some(joined) => Ok(joined),
        None => joined::known(sql).map(Rc::new),
    }
}

/// The newest segment; 0 where there is none.
fn last_of(sql: &impl Sql) -> Result<i64, SqlError> {
    let rows: Vec<[Cell; 1]> = sql.cells("SELECT max(seq) FROM segments", &[])?;
    Ok(rows.first().map_or(0, |[seq]| seq.int()))
}

#[cfg(test)]
pub(crate) mod tests;
