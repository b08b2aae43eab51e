//! What one batch asks of its site's log: rows, each a head and the lines of its events.
//!
//! ```text
//! {"at":…,"n":25,"bytes":16402,"batch":["<uuid>","<hex>"],"counters":[["t",…,"page_view",20],…],"visitors":["…"]}
//! {"eventId":…}                                                      (n lines, `bytes` bytes in all)
//! {"at":…,"n":9,"bytes":…}                                           (a batch over MAX_ROW_BYTES goes on)
//! …
//! ```
//!
//! The log keeps each row as it comes, head and lines, so that what a row adds to the live counts can
//! be read again after the object was evicted.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use shoreline_shared::lines::{Line, Lines};

use super::{Unreadable, first_line, take};
use crate::base::sorted::Map;
use crate::base::time::{HOUR_MS, floor_to};
use crate::protocol::counters::Counters;

/// Bytes of lines in a row at most, a single event apart: 96 KiB, so that a row and what a message says
/// of it always fit a queue message (128,000 bytes).
pub const MAX_ROW_BYTES: usize = 96 * 1024;

/// Bytes of one stored event at most, so that it fits a row with its line break.
pub const MAX_EVENT_BYTES: usize = MAX_ROW_BYTES - 1;

/// What is said of a row, and, in the first of a batch, of the batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Head<'a> {
    /// When the collector took it, Unix milliseconds.
    pub at: i64,
    /// Events in the row.
    pub n: usize,
    /// Bytes of their lines.
    pub bytes: usize,
    /// What the batch is known again by.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchName<'a>>,
    /// Events that the shard may take in the hour of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// The import whose step it is: nothing of it happens now, so it is not counted live.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Cow<'a, str>>,
    /// Of an import's row: events by the hour of their `receivedAt`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hours: Map<i64, i64>,
    /// What the batch adds to the counts.
    #[serde(borrow, default, skip_serializing_if = "Counters::is_empty")]
    pub counters: Counters<'a>,
    /// Keyed hashes of its users, 16 hex digits each.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub visitors: Vec<Cow<'a, str>>,
}

/// The sender's id of a batch, and what tells a retry from another batch that wears the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchName<'a>(
    /// A UUID.
    #[serde(borrow)]
    pub Cow<'a, str>,
    /// Hex digits made of the ids of its events.
    #[serde(borrow)]
    pub Cow<'a, str>,
);

/// One row as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// What is said of it.
    pub head: Head<'a>,
    /// The same, as text.
    pub head_text: &'a str,
    /// Lines of stored events, each with its line break.
    pub lines: &'a [u8],
}

/// A batch, or counts alone where it has one row of no events.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit<'a> {
    /// Its rows, at least one.
    first: Row<'a>,
    more: Vec<Row<'a>>,
}

impl<'a> Commit<'a> {
    /// Reads the body that [`write()`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Unreadable> {
        let mut rest = body;
        let first = Row::take(&mut rest)?;
        let mut more = Vec::new();
        while !rest.is_empty() {
            more.push(Row::take(&mut rest)?);
        }
        Ok(Self { first, more })
    }

    /// What is said of the whole.
    pub fn head(&self) -> &Head<'a> {
        &self.first.head
    }

    /// The rows that hold events.
    pub fn rows(&self) -> impl Iterator<Item = &Row<'a>> {
        std::iter::once(&self.first)
            .chain(&self.more)
            .filter(|row| row.head.n > 0)
    }

    /// How many events it has.
    pub fn len(&self) -> usize {
        self.rows().map(|row| row.head.n).sum()
    }

    /// Whether it is counts alone.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> Row<'a> {
    fn take(rest: &mut &'a [u8]) -> Result<Self, Unreadable> {
        let (line, after) = first_line(rest)?;
        *rest = after;
        let unreadable = |error: &dyn std::fmt::Display| Unreadable(error.to_string());
        let head_text = std::str::from_utf8(line).map_err(|error| unreadable(&error))?;
        let head: Head<'a> = serde_json::from_str(head_text).map_err(|error| unreadable(&error))?;
        let lines = take(rest, head.bytes)?;
        Ok(Self {
            head,
            head_text,
            lines,
        })
    }
}

/// Writes a batch. `head` is of the whole; what it says of the first row is set here.
pub fn write(mut head: Head<'_>, events: &Lines) -> Vec<u8> {
    let mut body = Vec::with_capacity(events.text().len().saturating_add(1_024));
    let cuts = cut(events);
    let mut rest = events.text();
    let mut lines = events.iter();
    for (index, cut) in cuts.iter().enumerate() {
        if index > 0 {
            head = Head {
                at: head.at,
                import: head.import,
                ..Head::default()
            };
        }
        let row = lines.by_ref().take(cut.n);
        if head.import.is_some() {
            head.hours = by_hour(row);
        } else if index.saturating_add(1) < cuts.len() {
            row.for_each(drop);
        }
        (head.n, head.bytes) = (cut.n, cut.bytes);
        let (own, left) = rest.split_at_checked(cut.bytes).unwrap_or((rest, ""));
        push_row(&mut body, &head, own);
        rest = left;
    }
    if cuts.is_empty() {
        push_row(&mut body, &head, "");
    }
    body
}

fn push_row(body: &mut Vec<u8>, head: &Head<'_>, lines: &str) {
    // Texts, numbers and maps of them always serialize, and a vector takes all that is written to it.
    let _ = serde_json::to_writer(&mut *body, head);
    body.push(b'\n');
    body.extend_from_slice(lines.as_bytes());
}

fn by_hour<'a>(events: impl Iterator<Item = Line<'a>>) -> Map<i64, i64> {
    let mut hours = Map::new();
    for event in events {
        let n: &mut i64 = hours
            .entry(floor_to(event.received_at, HOUR_MS))
            .or_default();
        *n = n.saturating_add(1);
    }
    hours
}

/// A run of lines that share a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cut {
    n: usize,
    bytes: usize,
}

/// Cuts lines into the longest runs of [`MAX_ROW_BYTES`] at most.
fn cut(events: &Lines) -> Vec<Cut> {
    if !events.is_empty() && events.text().len() <= MAX_ROW_BYTES {
        return vec![Cut {
            n: events.len(),
            bytes: events.text().len(),
        }];
    }
    let mut cuts = Vec::new();
    let mut open = Cut::default();
    for event in events.iter() {
        let bytes = event.json.len().saturating_add(1);
        if open.n > 0 && open.bytes.saturating_add(bytes) > MAX_ROW_BYTES {
            cuts.push(std::mem::take(&mut open));
        }
        open.n = open.n.saturating_add(1);
        open.bytes = open.bytes.saturating_add(bytes);
    }
    if open.n > 0 {
        cuts.push(open);
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::counters::Kind;
    use crate::testing::{NOW, lines_of, uuid};

    #[test]
    fn counts_alone_are_a_batch_of_no_rows() {
        let mut counters = Counters::default();
        counters.add(Kind::Outcome, 0, "bot", 3);
        let head = Head {
            at: NOW,
            counters,
            ..Head::default()
        };
        let body = write(head.clone(), &Lines::default());
        let commit = Commit::parse(&body).unwrap();
        assert_eq!(commit.head(), &head);
        assert!(commit.is_empty());
        assert_eq!(commit.rows().count(), 0);
    }

    #[test]
    fn what_no_writer_wrote_is_unreadable() {
        let body = write(Head::default(), &lines_of(&[(1, NOW, 10)]));
        for end in 0..body.len() {
            assert!(Commit::parse(&body[..end]).is_err(), "{end}");
        }
        for bad in [
            &b"{}\n"[..],
            b"[1]\n",
            b"{\"at\":1,\"n\":1,\"bytes\":9}\nx",
            b"\xff\n",
        ] {
            assert!(Commit::parse(bad).is_err());
        }
    }

    proptest! {
        /// Whatever the sizes: every line once, in order, in rows that fit; only the first row has
        /// what is of the whole.
        #[test]
        fn rows_hold_all_lines_in_order(
            sizes in prop::collection::vec(1_usize..60_000, 1..30),
            import in prop::bool::ANY,
        ) {
            let events: Vec<(usize, i64, usize)> = sizes
                .iter()
                .enumerate()
                .map(|(n, size)| (n, NOW - (n as i64 % 3) * HOUR_MS, *size))
                .collect();
            let lines = lines_of(&events);
            let head = Head {
                at: NOW,
                batch: Some(BatchName(uuid(1).into(), "00ff".into())),
                quota: Some(7),
                import: import.then(|| "i".into()),
                visitors: vec!["0123456789abcdef".into()],
                ..Head::default()
            };
            let body = write(head.clone(), &lines);
            let commit = Commit::parse(&body).unwrap();
            prop_assert_eq!(commit.len(), lines.len());
            let mut text = Vec::new();
            for (index, row) in commit.rows().enumerate() {
                prop_assert!(row.lines.len() <= MAX_ROW_BYTES || row.head.n == 1);
                prop_assert_eq!(row.lines.iter().filter(|b| **b == b'\n').count(), row.head.n);
                prop_assert_eq!(serde_json::from_str::<Head<'_>>(row.head_text).unwrap(), row.head.clone());
                prop_assert_eq!(row.head.batch.is_some(), index == 0);
                prop_assert_eq!(row.head.visitors.len(), usize::from(index == 0));
                prop_assert_eq!(&row.head.import, &head.import);
                let hours: i64 = row.head.hours.values().sum();
                prop_assert_eq!(hours, if import { row.head.n as i64 } else { 0 });
                text.extend_from_slice(row.lines);
            }
            prop_assert_eq!(text, lines.text().as_bytes());
        }
    }
}
