//! A segment of an old archive as segments of the new ones.

use super::super::compact::{Part, read_part};
use super::super::home::home_of;
use super::super::{Event, Hasher, Packable};
use crate::archive::counted::Stored;
use crate::base::sorted::Map;
use crate::base::sql::Cell;

use super::parcel::Row;

/// `landed` of what is given: the lake has had it.
const LANDED: i64 = 1;

/// A segment as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// Its columns and packed lines.
    pub part: Part,
    /// The values before these, in the order of [`Raw::HEAD`].
    pub(super) head: Vec<Cell>,
}

/// Where sessions are from now on: old hash, new hash, archive.
pub(super) type SessionHome = (u64, u64, u32);

/// What becomes of a segment.
#[derive(Debug, Default)]
pub struct Shared {
    /// Of each archive that gets some of it, which, and what; the lines are to be packed.
    pub parts: Vec<(u32, Packable)>,
    pub(super) homes: Vec<SessionHome>,
}

impl Raw {
    /// What stands before the blobs of a segment.
    pub(super) const HEAD: &str = "hour, at, n, bytes, first_at, last_at, landed";

    fn landed(&self) -> i64 {
        self.head.get(6).map_or(LANDED, Cell::int).max(LANDED)
    }

    fn value(&self, place: usize) -> i64 {
        self.head.get(place).map_or(0, Cell::int)
    }

    /// What of it is whose among so many archives; `text` is its lines. `is_new` where sessions get other hashes.
    ///
    /// # Errors
    /// Why it cannot be read. It is given to one archive as it is then, which tells the same of it.
    pub fn share(
        &self,
        text: Option<&str>,
        archives: u32,
        is_new: bool,
        hasher: &mut Hasher<'_>,
    ) -> Result<Shared, String> {
        let entries = read_part(&self.part, text).map_err(|why| why.to_string())?;
        let mut shared = Shared::default();
        let mut homes: Map<u32, Vec<(Event<'_>, &str)>> = Map::new();
        for (mut event, line) in entries {
            let stored: Stored<'_> =
                serde_json::from_str(line).map_err(|error| error.to_string())?;
            let home = home_of(&stored, archives, hasher);
            if let Some(was) = event.session {
                let id = stored.session_id.as_deref().filter(|_| is_new);
                let is = id.map_or(was, |id| hasher.session(id, stored.user_id.as_deref()));
                event.session = Some(is);
                if shared.homes.last() != Some(&(was, is, home)) {
                    shared.homes.push((was, is, home));
                }
            }
            homes.entry(home).or_default().push((event, line));
        }
        let hour = self.value(0);
        let parts = homes
            .into_iter()
            .map(|(home, entries)| (home, Packable::of(hour, &entries)));
        shared.parts = parts.collect();
        Ok(shared)
    }

    /// The row of a part of it.
    pub(super) fn row(&self, part: &Packable, packed: Vec<u8>) -> Row {
        let bytes = i64::try_from(part.lines.len()).unwrap_or(i64::MAX);
        let numbers = [
            part.hour,
            self.value(1),
            part.n,
            bytes,
            part.at.0,
            part.at.1,
            self.landed(),
        ];
        let numbers = numbers.into_iter().map(Cell::Int);
        let blobs = [Cell::Blob(part.columns.clone()), Cell::Blob(packed)];
        numbers.chain(blobs).collect()
    }

    /// The row of all of it, as it is.
    pub(super) fn whole(&self) -> Row {
        let mut row: Row = self.head.iter().take(6).cloned().collect();
        row.push(Cell::Int(self.landed()));
        row.push(Cell::Blob(self.part.columns.clone()));
        row.push(Cell::Blob(self.part.lines.clone()));
        row
    }
}
