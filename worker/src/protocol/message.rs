//! A message of the events queue: rows of one log, as bytes.
//!
//! ```text
//! {"site":"demo","shard":0,"epoch":"9f0c…","rows":[[17,1705334412345,25,16402],…]}
//! {"eventId":…}                       (the lines of the rows, one row after the other)
//! ```
//! Of each row: its number in the log, when the collector took it, events, bytes of lines.

use serde::{Deserialize, Serialize};

use super::{Unreadable, first_line, take};

use crate::base::json;

/// Bytes of a message at most. The platform takes 128,000, its own metadata of about 100 included.
pub const MAX_MESSAGE_BYTES: usize = 127_000;

/// Bytes that the head takes beside its rows, at most: names of sites are at most 64 bytes.
const HEAD_BYTES: usize = 256;

/// Bytes that the head says of a row at most: four numbers of up to 19 digits and what parts them.
const ROW_HEAD_BYTES: usize = 84;

/// How a message is sent again by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// It lands as any other.
    Plain,
    /// It lands even where the lake has forgotten whether it landed before.
    Forced,
}

/// What is said of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
    site: String,
    shard: u32,
    epoch: String,
    /// Number, time, events, bytes.
    rows: Vec<(i64, i64, usize, usize)>,
}

/// The name of a row: no two rows of all logs that ever were share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// The log's, made when its storage was made.
    pub epoch: String,
    /// Its number in the log.
    pub seq: i64,
}

impl std::fmt::Display for RowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// A row in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRow<'a> {
    /// Its number in the log.
    pub seq: i64,
    /// When the collector took it, Unix milliseconds.
    pub at: i64,
    /// Events in it.
    pub n: usize,
    /// Their lines, each with its line break.
    pub lines: &'a [u8],
}

/// A message, its events not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The site.
    pub site: String,
    /// The shard of the log.
    pub shard: u32,
    /// The log's epoch.
    pub epoch: String,
    /// Whether it is a replay of dead letters.
    pub replay: Option<Replay>,
    /// Its rows.
    pub rows: Vec<MessageRow<'a>>,
}

impl<'a> Message<'a> {
    /// Reads what [`Message::write`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Unreadable> {
        let (line, mut rest) = first_line(body)?;
        let head: Head = json::read(line).map_err(|error| Unreadable(error.to_string()))?;
        let rows = head
            .rows
            .into_iter()
            .map(|(seq, at, n, bytes)| {
                let lines = take(&mut rest, bytes)?;
                Ok(MessageRow { seq, at, n, lines })
            })
            .collect::<Result<_, Unreadable>>()?;
        if !rest.is_empty() {
            return Err(Unreadable("a message with more than its rows".to_owned()));
        }
        Ok(Self {
            site: head.site,
            shard: head.shard,
            epoch: head.epoch,
            replay: head.replay,
            rows,
        })
    }

    /// The message's bytes.
    pub fn write(&self) -> Vec<u8> {
        let head = Head {
            replay: self.replay,
            site: self.site.clone(),
            shard: self.shard,
            epoch: self.epoch.clone(),
            rows: self
                .rows
                .iter()
                .map(|row| (row.seq, row.at, row.n, row.lines.len()))
                .collect(),
        };
        let lines = self.rows.iter().map(|row| row.lines.len());
        let bytes = lines.fold(HEAD_BYTES, usize::saturating_add);
        let mut body = Vec::with_capacity(bytes);
        // Texts and numbers always serialize, and a vector takes all that is written to it.
        let _ = serde_json::to_writer(&mut body, &head);
        body.push(b'\n');
        for row in &self.rows {
            body.extend_from_slice(row.lines);
        }
        body
    }

    /// The name of one of its rows.
    pub fn row_id(&self, seq: i64) -> RowId {
        RowId {
            epoch: self.epoch.clone(),
            seq,
        }
    }

    /// A message of one of its rows alone, sent again or not as this one.
    pub fn alone(&self, row: MessageRow<'a>) -> Self {
        Self {
            rows: vec![row],
            ..self.clone()
        }
    }
}

/// How many of rows with so many bytes of lines share a message, from the first on: one at least.
pub fn fitting(sizes: impl IntoIterator<Item = usize>) -> usize {
    let mut bytes = HEAD_BYTES;
    let mut n = 0_usize;
    for size in sizes {
        bytes = bytes.saturating_add(size).saturating_add(ROW_HEAD_BYTES);
        if n > 0 && bytes > MAX_MESSAGE_BYTES {
            break;
        }
        n = n.saturating_add(1);
    }
    n
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::commit::MAX_ROW_BYTES;
    use super::*;

    fn message(rows: &[Vec<u8>]) -> Message<'_> {
        Message {
            site: "s".repeat(64),
            shard: u32::MAX,
            epoch: "e".repeat(32),
            replay: Some(Replay::Forced),
            rows: rows
                .iter()
                .enumerate()
                .map(|(seq, lines)| MessageRow {
                    seq: i64::MAX - seq as i64,
                    at: i64::MAX,
                    n: usize::MAX,
                    lines,
                })
                .collect(),
        }
    }

    #[test]
    fn what_no_writer_wrote_is_unreadable() {
        let rows = [b"{}\n".to_vec()];
        let body = message(&rows).write();
        for end in 0..body.len() {
            assert!(Message::parse(&body[..end]).is_err(), "{end}");
        }
        assert!(Message::parse(&[&body[..], b"x"].concat()).is_err());
        for bad in [&b"{}\n"[..], b"nonsense", b"\n", b"{\"site\":1}\n"] {
            assert!(Message::parse(bad).is_err());
        }
    }

    #[test]
    fn a_rows_name_is_its_logs_and_its_number() {
        assert_eq!(
            message(&[]).row_id(7).to_string(),
            format!("{}-7", "e".repeat(32))
        );
    }

    proptest! {
        #[test]
        fn messages_that_fit_are_within_the_platforms_limit(
            sizes in prop::collection::vec(1_usize..=MAX_ROW_BYTES, 1..200),
            small in prop::bool::ANY,
        ) {
            let sizes: Vec<usize> = if small { sizes.iter().map(|s| s % 600 + 1).collect() } else { sizes };
            let n = fitting(sizes.iter().copied());
            prop_assert!((1..=sizes.len()).contains(&n));
            let rows: Vec<Vec<u8>> = sizes.iter().take(n).map(|size| vec![b'x'; *size]).collect();
            let message = message(&rows);
            let body = message.write();
            prop_assert!(body.len() <= MAX_MESSAGE_BYTES, "{}", body.len());
            prop_assert_eq!(Message::parse(&body).unwrap(), message.clone());
            let alone = message.alone(message.rows[n - 1]).write();
            prop_assert_eq!(Message::parse(&alone).unwrap().rows, &message.rows[n - 1..]);
        }
    }
}
