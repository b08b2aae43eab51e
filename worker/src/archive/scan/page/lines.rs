//! The lines of a page whose events were found.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Page;
use crate::archive::counted::Stored;
use crate::archive::segment::{Segment, WHOLE};
use crate::base::sort;
use crate::base::sql::{Cell, Sql, SqlError};

/// Bytes of packed lines that are held at once, unless a segment has more.
pub(in super::super) const MAX_PACKED: usize = 4_000_000;

/// A segment that has lines of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Its lines, packed.
    pub packed: Vec<u8>,
    /// Its columns, where a scan asks for the lines of all its events.
    pub(in super::super) columns: Vec<u8>,
    /// Its number.
    pub(in super::super) seq: i64,
    /// Of each event that the page has of it: the event's place on the page, and where its line stands.
    pub(in super::super) cuts: Vec<(usize, Range<usize>)>,
}

/// An event of the page as it is told: when it was received, its id, and its line; `null` for a line that
/// could not be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line(pub i64, pub String, pub Option<Box<RawValue>>);

impl Page {
    /// The page is found: notes where its lines are.
    pub(super) fn find_lines(&mut self) {
        self.sort();
        self.lines = vec![None; self.found.len()];
        let mut seqs: Vec<i64> = self.found.iter().map(|found| found.seq).collect();
        sort::sort(&mut seqs);
        seqs.dedup();
        seqs.reverse();
        self.unread = Some(seqs);
    }

    /// The next segments that the page's lines are in, as [`super::Asking::packed`] does.
    pub(in super::super) fn packed(&mut self, sql: &impl Sql) -> Result<Vec<Lines>, SqlError> {
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        while let Some(seq) = self.unread.as_mut().and_then(Vec::pop) {
            let rows: Vec<[Cell; 2]> = sql.cells(
                &format!("SELECT {WHOLE}, lines FROM segments WHERE seq = ?1"),
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
            bytes = bytes.saturating_add(packed.bytes().len());
            all.push(Lines {
                packed: packed.bytes().to_vec(),
                columns: Vec::new(),
                seq,
                cuts: cuts.collect(),
            });
            if bytes >= MAX_PACKED {
                break;
            }
        }
        Ok(all)
    }

    /// Takes the lines of the page out of a segment's, which were unpacked.
    pub(in super::super) fn cut(&mut self, from: &Lines, text: &str) {
        for (place, range) in &from.cuts {
            if let (Some(slot), Some(line)) = (self.lines.get_mut(*place), text.get(range.clone()))
            {
                *slot = Some(line.to_owned());
            }
        }
    }

    /// What could not be read, and [`Line`]s as JSON.
    pub(in super::super) fn part(&self) -> (i64, serde_json::Result<String>) {
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
            let asked = self.spec.user.as_deref();
            let is_theirs = asked.is_none() || found.is_joined || user == asked;
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
