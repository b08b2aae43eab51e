//! The body of a page: records in order of their hash. Each is the hash (eight bytes, big endian), the length
//! of the record, its bytes.

use crate::archive::people::varint::{Reader, put_len};
use crate::base::sql::SqlError;

/// What is done with a record of a hash.
pub(crate) type Visit<'v> = dyn FnMut(u64, &[u8]) -> Result<(), SqlError> + 'v;

/// Records on their way to pages.
#[derive(Default)]
pub(super) struct Records {
    pub(super) body: Vec<u8>,
    /// Of each record, its hash and where it begins.
    pub(super) starts: Vec<(u64, usize)>,
}

impl Records {
    /// Appends a record as it is; they come in order.
    pub(super) fn keep(&mut self, entry: Entry<'_>) {
        self.starts.push((entry.hash, self.body.len()));
        self.body.extend_from_slice(entry.whole);
    }

    /// Appends a record; they come in order.
    pub(super) fn push(&mut self, hash: u64, record: &[u8]) {
        self.starts.push((hash, self.body.len()));
        self.body.extend_from_slice(&hash.to_be_bytes());
        put_len(&mut self.body, record.len());
        self.body.extend_from_slice(record);
    }
}

/// Where pages end but the last: hash and place of the record that the next one begins with. New pages
/// are two thirds full, so that the next records do not split them again.
pub(super) fn splits(records: &Records, limit: usize) -> Vec<(u64, usize)> {
    let bytes = records.body.len();
    if bytes <= limit {
        return Vec::new();
    }
    let target = (limit.saturating_mul(2) / 3).max(1);
    let pages = bytes.div_ceil(target);
    let mut splits = Vec::new();
    let mut page = 0_usize;
    let ends = records.starts.iter().skip(1).map(|(_, start)| *start);
    let ends = ends.chain([bytes]);
    for ((hash, start), end) in records.starts.iter().zip(ends) {
        let done = splits.len().saturating_add(1);
        let is_due = start.saturating_mul(pages) >= bytes.saturating_mul(done);
        if *start > page && (is_due || end.saturating_sub(page) > limit) {
            splits.push((*hash, *start));
            page = *start;
        }
    }
    splits
}

/// A record of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) hash: u64,
    pub(super) record: &'a [u8],
    /// Hash and length, too.
    pub(super) whole: &'a [u8],
}

/// The records of a body, in order.
pub(super) struct Entries<'a>(Reader<'a>);

impl<'a> Entries<'a> {
    pub(super) fn of(body: &'a [u8]) -> Self {
        Self(Reader(body))
    }

    /// The next one.
    ///
    /// # Errors
    /// Where there is something else.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'a>>, SqlError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        self.read().map(Some).ok_or_else(unreadable)
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let all = self.0.0;
        let hash = u64::from_be_bytes(self.0.bytes(8)?.try_into().ok()?);
        let len = self.0.len()?;
        let record = self.0.bytes(len)?;
        let whole = all.get(..all.len().checked_sub(self.0.0.len())?)?;
        Some(Entry {
            hash,
            record,
            whole,
        })
    }
}

/// What is said of bytes that nothing here wrote. The fold fails, and nothing is lost: the segments are
/// there.
pub(crate) fn unreadable() -> SqlError {
    SqlError("a page of the archive cannot be read".into())
}
