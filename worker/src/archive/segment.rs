//! The columns of a segment: what questions filter, group and count by, without the lines.
//!
//! Columns are packed one after the other behind a directory. A reader decodes those that it asks for,
//! and passes over kinds that it does not know, so later versions may add some. They are in two parts, so that a
//! question which needs only the first does not read the second. See `docs/ARCHIVE.md`.

mod bytes;
mod codes;
mod dict;
mod encode;
mod ids;
mod kind;
mod numbers;
mod property;
mod read;
mod scalars;
mod store;

use super::joined::Joined;
use std::fmt;

use self::bytes::Reader;
pub use self::encode::encode;
pub use self::property::{Found, MAX_NAME_BYTES, MAX_PROPERTIES, MAX_TEXT_BYTES, Property, Value};
pub use self::read::{Coded, Sessions, Users};
pub use self::scalars::Scalars;

/// The first bytes of a segment: its name, and the version of all that follows.
const MAGIC: [u8; 4] = *b"seg\x01";

/// Bytes before the number of events: [`MAGIC`], and the check of the directory.
const HEAD_BYTES: usize = 8;

/// The SQL of a segment's bytes, both parts: `||` makes a text of two blobs, byte by byte.
pub const WHOLE: &str = "CAST(columns || more AS BLOB)";

/// Bits that say whose a user's id is.
const WHO_BITS: u32 = 2;

/// Bytes that are no segment, or one of a later version; and what is wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a segment is broken: {}", self.0)
    }
}

impl std::error::Error for Broken {}

/// FNV-1a of the directory: a wrong number of events would be a wrong answer without an error.
fn check_of(head: &[u8]) -> u32 {
    head.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// The columns of a part, by their kinds.
type Columns<'a> = Vec<(u8, &'a [u8])>;

/// Reads a part: how many events it is of, its columns, and what follows it.
fn part(bytes: &[u8]) -> Result<(usize, Columns<'_>, &[u8]), Broken> {
    let mut reader = Reader(bytes);
    if reader.array()? != MAGIC {
        return Err(Broken("it is of another version"));
    }
    let check = u32::from_le_bytes(reader.array()?);
    let head = reader.0;
    let n = reader.count()?;
    let count = reader.count()?;
    let mut lengths = Vec::new();
    for _ in 0..count {
        let kind = reader.byte()?;
        if lengths.last().is_some_and(|(last, _)| *last >= kind) {
            return Err(Broken("its columns are in no order"));
        }
        lengths.push((kind, reader.count()?));
    }
    let length = head.len().saturating_sub(reader.left());
    if check_of(head.get(..length).unwrap_or_default()) != check {
        return Err(Broken("its directory is damaged"));
    }
    let mut columns = Vec::with_capacity(lengths.len());
    for (kind, length) in lengths {
        columns.push((kind, reader.take(length)?));
    }
    Ok((n, columns, reader.0))
}

/// Bytes of the first part; of what is no segment, all of them.
pub fn first_part(bytes: &[u8]) -> i64 {
    let rest = part(bytes).map_or(0, |(.., rest)| rest.len());
    bytes.len().saturating_sub(rest) as i64
}

/// A segment, as its bytes: only the directories are read. Each of its columns is decoded when it is asked for,
/// and each time.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    n: usize,
    columns: Columns<'a>,
    /// Whether all of its parts are there.
    is_whole: bool,
    joined: Option<&'a Joined>,
}

impl<'a> Segment<'a> {
    /// Reads the directories of both parts, or of the first one: whoever asks that for a column of the second is told
    /// that it is broken.
    ///
    /// # Errors
    /// Where the bytes are no segment of this version, or do not end where the directory says.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
        let (n, mut columns, rest) = part(bytes)?;
        let has_lines =
            |columns: &Columns<'_>| columns.iter().any(|(kind, _)| *kind == kind::LINES);
        // What was written before there were two parts has all in one.
        let mut is_whole = n == 0 || has_lines(&columns);
        if !rest.is_empty() {
            let (of, more, rest) = part(rest)?;
            if is_whole || of != n || !has_lines(&more) || !rest.is_empty() {
                return Err(Broken("its second part is of something else"));
            }
            is_whole = true;
            columns.extend(more);
        }
        let joined = None;
        let segment = Self {
            n,
            columns,
            is_whole,
            joined,
        };
        // A time takes a byte at least, and so does a length: so no number of events is larger than the bytes bear out.
        let is_borne = |kind| segment.bytes(kind).is_ok_and(|bytes| bytes.len() >= n);
        if !is_borne(kind::AT) || is_whole && !is_borne(kind::LINES) {
            return Err(Broken("it has fewer times or lines than events"));
        }
        Ok(segment)
    }

    /// Tells who is one person: its users are told by what stands for these.
    #[must_use]
    pub(crate) fn with(mut self, joined: &'a Joined) -> Self {
        self.joined = Some(joined).filter(|joined| !joined.is_empty());
        self
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Whether all of its parts are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The bytes of a column; none where it is not there.
    fn bytes(&self, kind: u8) -> Result<&'a [u8], Broken> {
        match self.columns.iter().find(|(each, _)| *each == kind) {
            Some((_, bytes)) => Ok(bytes),
            None if !self.is_whole && kind::SECOND.contains(&kind) => {
                Err(Broken("its second part was not read"))
            }
            None => Ok(&[]),
        }
    }
}

#[cfg(test)]
mod tests;
