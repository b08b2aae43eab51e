//! The newest events, page by page, also of a user or a type: found in columns alone, the newest hours first,
//! and no further than it takes.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::archive::segment::{Broken, Segment};
use crate::archive::{Column, Hasher, id_bits};
use crate::counted::Stored;
use crate::lake::hour_of;
use crate::live::HOUR_MS;
use crate::sort;
use crate::sql::{Cell, Sql, SqlError};

/// How much later than it was appended an event can have been received, in milliseconds, by the clocks of two
/// machines that are set by the same ones, of which an object's stands still while it computes. So what is
/// found is the newest, where all that is left was appended this much before it.
const MAX_AHEAD_MS: i64 = 10_000;

/// Segments of a first slice, where nothing is filtered: one holds a page mostly.
const FIRST_ROWS: i64 = 1;

/// Segments of a slice at most. Their columns are 30 KB each, or 100 KB where they were compacted.
const MAX_ROWS: i64 = 32;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSpec {
    /// Events of the page.
    pub limit: usize,
    /// The last event of the page before: when it was received, and its id.
    pub before: Option<(i64, String)>,
    /// Events of this type alone.
    pub event_type: Option<String>,
    /// Events of this user alone.
    pub user: Option<String>,
}

/// An event of the page.
#[derive(Clone, Copy)]
struct Found {
    received: i64,
    id: u128,
    /// The segment.
    seq: i64,
    /// Its place there.
    index: usize,
}

/// A segment that has lines of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Its lines, packed.
    pub packed: Vec<u8>,
    /// Of each event that the page has of it: the event's place on the page, and where its line stands.
    cuts: Vec<(usize, Range<usize>)>,
}

/// An event of the page as it is told: when it was received, its id, and its line; `null` for a line that
/// could not be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line(pub i64, pub String, pub Option<Box<RawValue>>);

/// A page under way.
pub(super) struct Page {
    spec: PageSpec,
    user: Option<u64>,
    kept_from: i64,
    /// The page ends before this one.
    before: (i64, u128),
    /// The last segment that was looked at: its hour and number.
    cursor: (i64, i64),
    rewrites: Option<u64>,
    rows: i64,
    found: Vec<Found>,
    /// Nothing that was received before this is on the page.
    least: i64,
    lines: Vec<Option<String>>,
    unreadable: i64,
}

/// After every time there is.
const LAST: (i64, u128) = (i64::MAX, u128::MAX);

impl Page {
    /// Begins, for events that happened at `kept_from` (Unix milliseconds) or later.
    pub(super) fn begin(spec: PageSpec, kept_from: i64, hasher: &mut Hasher<'_>) -> Self {
        let before = spec.before.as_ref();
        let before = before.map_or(LAST, |(at, id)| (*at, id_bits(id)));
        let filtered = spec.user.is_some() || spec.event_type.is_some();
        Self {
            user: spec.user.as_deref().map(|user| hasher.user(user)),
            kept_from,
            // A statement's numbers are below 2^53; no hour comes near it.
            cursor: (hour_of(before.0).saturating_add(1), 0),
            rewrites: None,
            rows: if filtered { MAX_ROWS } else { FIRST_ROWS },
            found: Vec::new(),
            least: i64::MIN,
            lines: Vec::new(),
            unreadable: 0,
            before,
            spec,
        }
    }

    /// One more than a page has: it tells whether there is another page.
    fn wanted(&self) -> usize {
        self.spec.limit.saturating_add(1)
    }

    /// Looks at the next segments; whether there are more, as [`super::Asking::slice`] does.
    pub(super) fn slice(&mut self, sql: &impl Sql, rewrites: u64) -> Result<bool, SqlError> {
        if self.rewrites.is_some_and(|known| known != rewrites) {
            self.found.clear();
            self.least = i64::MIN;
            self.cursor = (hour_of(self.before.0).saturating_add(1), 0);
            self.unreadable = 0;
        }
        self.rewrites = Some(rewrites);
        let rows: Vec<[Cell; 3]> = sql.cells(
            "SELECT seq, hour, columns FROM segments WHERE (hour, seq) < (?1, ?2) \
             AND last_at >= ?3 ORDER BY hour DESC, seq DESC LIMIT ?4",
            &[
                self.cursor.0.into(),
                self.cursor.1.into(),
                self.kept_from.into(),
                self.rows.into(),
            ],
        )?;
        for [seq, hour, columns] in &rows {
            self.cursor = (hour.int(), seq.int());
            let segment = Segment::parse(columns.bytes());
            if segment
                .and_then(|segment| self.take(seq.int(), &segment))
                .is_err()
            {
                self.unreadable = self.unreadable.saturating_add(1);
            }
        }
        let full = i64::try_from(rows.len()).is_ok_and(|read| read >= self.rows);
        self.rows = self.rows.saturating_mul(2).min(MAX_ROWS);
        if self.found.len() < self.wanted() {
            return Ok(full);
        }
        self.sort();
        let newest = full.then(|| self.newest_left(sql)).transpose()?;
        Ok(newest.is_some_and(|newest| self.least <= newest))
    }

    /// When the newest event that was not looked at was received, at the latest.
    fn newest_left(&self, sql: &impl Sql) -> Result<i64, SqlError> {
        let (hour, seq) = self.cursor;
        let rows: Vec<[Cell; 1]> = sql.cells(
            "SELECT max(at) FROM segments WHERE hour = ?1 AND seq < ?2",
            &[hour.into(), seq.into()],
        )?;
        let start = hour.saturating_mul(HOUR_MS);
        Ok(match rows.first() {
            Some([Cell::Int(at)]) => at
                .saturating_add(MAX_AHEAD_MS)
                .min(start.saturating_add(HOUR_MS)),
            _ => start.saturating_sub(1),
        })
    }

    /// The page's events, the newest first, and one more.
    fn sort(&mut self) {
        let key = |found: &Found| (found.received, found.id);
        sort::sort_by(&mut self.found, |a, b| key(b).cmp(&key(a)));
        self.found.truncate(self.wanted());
        if let Some(last) = self.found.get(self.spec.limit) {
            self.least = last.received;
        }
    }

    fn take(&mut self, seq: i64, segment: &Segment<'_>) -> Result<(), Broken> {
        let mut filters: Vec<(Vec<u32>, u32)> = Vec::new();
        if let Some(event_type) = &self.spec.event_type {
            match segment.column_code(Column::Type, event_type)? {
                None => return Ok(()),
                Some(code) => filters.push((segment.column(Column::Type)?.codes, code)),
            }
        }
        if let Some(user) = self.user {
            let users = segment.users()?;
            let mut codes = users.dict.iter().zip(1..);
            match codes.find(|((hash, _), _)| *hash == user) {
                None => return Ok(()),
                Some((_, code)) => filters.push((users.codes, code)),
            }
        }
        let received = segment.received()?;
        if received.iter().all(|received| *received < self.least) {
            return Ok(());
        }
        let (at, ids) = (segment.at()?, segment.ids()?);
        let all = received.into_iter().zip(ids).zip(at).enumerate();
        for (index, ((received, id), at)) in all {
            let is_it = |(codes, code): &(Vec<u32>, u32)| codes.get(index) == Some(code);
            if (received, id) < self.before && at >= self.kept_from && filters.iter().all(is_it) {
                self.found.push(Found {
                    received,
                    id,
                    seq,
                    index,
                });
            }
        }
        // So that a large segment's events are not all kept.
        if self.found.len() > self.wanted().saturating_mul(4) {
            self.sort();
        }
        Ok(())
    }

    /// The segments that the page's lines are in.
    pub(super) fn packed(&mut self, sql: &impl Sql) -> Result<Vec<Lines>, SqlError> {
        self.sort();
        self.lines = vec![None; self.found.len()];
        let mut seqs: Vec<i64> = self.found.iter().map(|found| found.seq).collect();
        sort::sort(&mut seqs);
        seqs.dedup();
        let mut all = Vec::with_capacity(seqs.len());
        for seq in seqs {
            let rows: Vec<[Cell; 2]> = sql.cells(
                "SELECT columns, lines FROM segments WHERE seq = ?1",
                &[seq.into()],
            )?;
            let Some([columns, packed]) = rows.first() else {
                continue;
            };
            let lines = Segment::parse(columns.bytes()).and_then(|segment| segment.lines());
            let lines = lines.unwrap_or_default();
            let mine = self.found.iter().enumerate();
            let mine = mine.filter(|(_, found)| found.seq == seq);
            let cuts =
                mine.filter_map(|(place, found)| Some((place, lines.get(found.index)?.clone())));
            all.push(Lines {
                packed: packed.bytes().to_vec(),
                cuts: cuts.collect(),
            });
        }
        Ok(all)
    }

    /// Takes the lines of the page out of a segment's, which were unpacked.
    pub(super) fn cut(&mut self, from: &Lines, text: &str) {
        for (place, range) in &from.cuts {
            if let (Some(slot), Some(line)) = (self.lines.get_mut(*place), text.get(range.clone()))
            {
                *slot = Some(line.to_owned());
            }
        }
    }

    /// What could not be read, and [`Line`]s as JSON.
    pub(super) fn part(&self) -> (i64, serde_json::Result<String>) {
        let mut unreadable = self.unreadable;
        let mut list = String::new();
        for (found, line) in self.found.iter().zip(&self.lines) {
            let stored: Option<Stored<'_>> = line
                .as_deref()
                .and_then(|line| serde_json::from_str(line).ok());
            let (text, user) = match (&stored, line) {
                (Some(stored), Some(line)) => (line.as_str(), stored.user_id.as_deref()),
                _ => {
                    unreadable = unreadable.saturating_add(1);
                    ("null", self.spec.user.as_deref())
                }
            };
            // Two users' hashes can be one.
            let is_theirs = self.spec.user.is_none() || user == self.spec.user.as_deref();
            let text = if is_theirs { text } else { "null" };
            if !list.is_empty() {
                list.push(',');
            }
            let (received, id) = (found.received, uuid(found.id));
            list.push_str(&format!("[{received},\"{id}\",{text}]"));
        }
        (unreadable, Ok(format!("[{list}]")))
    }
}

/// An id as a text.
fn uuid(id: u128) -> String {
    let mut text = format!("{id:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
pub(super) mod tests;
