//! The columns of a segment: what questions filter, group and count by, without the lines.
//!
//! Columns are packed one after the other behind a directory. A reader decodes those that it asks for,
//! and passes over kinds that it does not know, so later versions may add some. See `docs/ARCHIVE.md`.

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

/// A segment, as its bytes: only the directory is read. Each of its columns is decoded when it is asked for,
/// and each time.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    n: usize,
    columns: Vec<(u8, &'a [u8])>,
    joined: Option<&'a Joined>,
}

impl<'a> Segment<'a> {
    /// Reads the directory.
    ///
    /// # Errors
    /// Where the bytes are no segment of this version, or do not end where the directory says.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
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
        reader.end()?;
        let joined = None;
        let segment = Self { n, columns, joined };
        // A length takes a byte at least: so no number of events is larger than the bytes bear out.
        if segment.bytes(kind::LINES).len() < n {
            return Err(Broken("it has fewer lines than events"));
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

    /// The bytes of a column; none where it is not there.
    fn bytes(&self, kind: u8) -> &'a [u8] {
        let column = self.columns.iter().find(|(each, _)| *each == kind);
        column.map_or(&[], |(_, bytes)| bytes)
    }
}

#[cfg(test)]
mod tests;
