//! The newest events, page by page, also of a user or a type: found in columns alone, the newest hours first,
//! and no further than it takes.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::archive::segment::{Broken, Segment, WHOLE};
use crate::archive::{Column, Hasher, Joined, id_bits};
use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::HOUR_MS;
use crate::lake::hour_of;

mod lines;

pub(super) use lines::MAX_PACKED;
pub use lines::{Line, Lines};

/// How much later than it was appended an event can have been received, in milliseconds, by the clocks of two
/// machines that are set by the same ones, of which an object's stands still while it computes. So what is
/// found is the newest, where all that is left was appended this much before it.
const MAX_AHEAD_MS: i64 = 10_000;

/// Segments of a first slice, where nothing is filtered: one holds a page mostly.
const FIRST_ROWS: i64 = 1;

/// Segments of a slice at most. Their columns are 30 KB each, or 100 KB where they were compacted.
const MAX_ROWS: i64 = 32;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSpec {
    /// Events of the page.
    pub limit: usize,
    /// The last event of the page before: when it was received, and its id.
    pub before: Option<(i64, String)>,
    /// Events of this type alone.
    pub event_type: Option<String>,
    /// Events of this source alone.
    pub source: Option<String>,
    /// Events of this tenant alone.
    pub tenant: Option<String>,
    /// Events of this user alone.
    pub user: Option<String>,
    /// Events that happened from here on (Unix milliseconds) and before there.
    pub at: Option<(i64, i64)>,
}

impl PageSpec {
    /// What an event must have in columns.
    fn texts(&self) -> impl Iterator<Item = (Column, &str)> {
        let texts = [
            (Column::Type, &self.event_type),
            (Column::Source, &self.source),
            (Column::Tenant, &self.tenant),
        ];
        let told = texts.into_iter();
        told.filter_map(|(column, text)| Some((column, text.as_deref()?)))
    }
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
    /// It is of another id of the user's person.
    is_joined: bool,
}

/// A page under way.
pub(super) struct Page {
    spec: PageSpec,
    user: Option<u64>,
    /// Who is one person, where the caller knows; else it is read.
    pub(super) joined: Option<Rc<Joined>>,
    /// The ids of the user's person.
    users: Vec<u64>,
    /// Events that happened from here on, and before there.
    from: i64,
    until: i64,
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
    /// The segments that the page's lines are in, when it is found; those that are not read yet, the last first.
    unread: Option<Vec<i64>>,
    unreadable: i64,
}

/// After every time that an event may have (the year 275760, the last a JavaScript date can tell).
pub(crate) const MAX_AT: i64 = 8_640_000_000_000_000;

/// After every time there is.
const LAST: (i64, u128) = (i64::MAX, u128::MAX);

impl Page {
    /// Begins, for events that happened at `kept_from` (Unix milliseconds) or later.
    pub(super) fn begin(spec: PageSpec, kept_from: i64, hasher: &mut Hasher<'_>) -> Self {
        let before = spec.before.as_ref();
        let before = before.map_or(LAST, |(at, id)| (*at, id_bits(id)));
        let (from, until) = spec.at.unwrap_or((0, i64::MAX));
        let filtered = spec.user.is_some() || spec.at.is_some() || spec.texts().next().is_some();
        Self {
            user: spec.user.as_deref().map(|user| hasher.user(user)),
            joined: None,
            users: Vec::new(),
            from: from.max(kept_from),
            until,
            // A statement's numbers are below 2^53; no hour comes near it.
            cursor: (hour_of(before.0).saturating_add(1), 0),
            rewrites: None,
            rows: if filtered { MAX_ROWS } else { FIRST_ROWS },
            found: Vec::new(),
            least: i64::MIN,
            lines: Vec::new(),
            unread: None,
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
            self.unread = None;
            self.unreadable = 0;
        }
        if let Some(user) = self.user
            && self.rewrites != Some(rewrites)
        {
            self.users = super::joined_in(&mut self.joined, sql)?.ids_of(user);
        }
        self.rewrites = Some(rewrites);
        if self.unread.is_some() {
            return Ok(false);
        }
        // Most segments have nothing of a user: whether they do stands in their first part.
        let columns = match self.user {
            Some(_) => "columns",
            None => WHOLE,
        };
        let rows: Vec<[Cell; 3]> = sql.cells(
            &format!(
                "SELECT seq, hour, {columns} FROM segments WHERE (hour, seq) < (?1, ?2) \
                 AND last_at >= ?3 AND first_at < ?5 ORDER BY hour DESC, seq DESC LIMIT ?4"
            ),
            &[
                self.cursor.0.into(),
                self.cursor.1.into(),
                self.from.into(),
                self.rows.into(),
                // Numbers of a statement are below 2^53.
                self.until.min(MAX_AT).into(),
            ],
        )?;
        for [seq, hour, columns] in &rows {
            self.cursor = (hour.int(), seq.int());
            let mut is_taken = self.take(seq.int(), columns.bytes());
            if is_taken == Ok(false) {
                let rows: Vec<[Cell; 1]> = sql.cells(
                    &format!("SELECT {WHOLE} FROM segments WHERE seq = ?1"),
                    &[seq.int().into()],
                )?;
                let whole = rows.first().map_or(&[][..], |[columns]| columns.bytes());
                is_taken = self.take(seq.int(), whole);
            }
            if is_taken != Ok(true) {
                self.unreadable = self.unreadable.saturating_add(1);
            }
        }
        let full = i64::try_from(rows.len()).is_ok_and(|read| read >= self.rows);
        self.rows = self.rows.saturating_mul(2).min(MAX_ROWS);
        let mut more = full;
        if self.found.len() >= self.wanted() {
            self.sort();
            more = full && self.least <= self.newest_left(sql)?;
        }
        if !more {
            self.find_lines();
        }
        Ok(more)
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

    /// Takes what a segment has for the page; false where that needs its second part, which is not there.
    fn take(&mut self, seq: i64, columns: &[u8]) -> Result<bool, Broken> {
        let segment = Segment::parse(columns)?;
        let mut filters: Vec<(Vec<u32>, u32)> = Vec::new();
        for (column, text) in self.spec.texts() {
            match segment.column_code(column, text)? {
                None => return Ok(true),
                Some(code) => filters.push((segment.column(column)?.codes, code)),
            }
        }
        // Of each 0 for somebody else, 1 for the user, 2 for another id of their person.
        let mut theirs: Option<Vec<u32>> = None;
        if let Some(user) = self.user {
            let mut users = segment.users()?;
            let mut table = vec![0_u32];
            for (hash, _) in &users.dict {
                let is_theirs = self.users.binary_search(hash).is_ok();
                table.push(match is_theirs {
                    true if *hash == user => 1,
                    true => 2,
                    false => 0,
                });
            }
            if table.iter().all(|whose| *whose == 0) {
                return Ok(true);
            }
            for code in &mut users.codes {
                *code = table.get(*code as usize).copied().unwrap_or(0);
            }
            theirs = Some(users.codes);
        }
        if !segment.is_whole() {
            return Ok(false);
        }
        let received = segment.received()?;
        if received.iter().all(|received| *received < self.least) {
            return Ok(true);
        }
        let (at, ids) = (segment.at()?, segment.ids()?);
        let all = received.into_iter().zip(ids).zip(at).enumerate();
        for (index, ((received, id), at)) in all {
            let is_it = |(codes, code): &(Vec<u32>, u32)| codes.get(index) == Some(code);
            let whose = theirs
                .as_ref()
                .map_or(1, |all| all.get(index).copied().unwrap_or(0));
            let is_in = at >= self.from && at < self.until && whose > 0;
            if (received, id) < self.before && is_in && filters.iter().all(is_it) {
                self.found.push(Found {
                    received,
                    id,
                    seq,
                    index,
                    is_joined: whose > 1,
                });
            }
        }
        // So that a large segment's events are not all kept.
        if self.found.len() > self.wanted().saturating_mul(4) {
            self.sort();
        }
        Ok(true)
    }
}

#[cfg(test)]
pub(super) mod tests;
