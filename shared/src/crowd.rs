//! Very many hashes, each with its place in the order in which they came, and what is kept of each.
//!
//! Here, not in the worker beside the questions that look at sessions by it, for the reason that [`crate::bits`] is
//! here.

use crate::set::{FACTOR, Set, table_of};

/// Entries of a chunk, as a power of two: a list that doubles would hold twice what it needs, and three times while it
/// moves.
const CHUNK_BITS: u32 = 10;

const CHUNK: usize = 1 << CHUNK_BITS;

/// Tables of a crowd. Several, so that one that grows keeps nobody waiting.
const TABLES: usize = 16;

/// Slots of a table with its first entry.
const FIRST_SLOTS: usize = 8;

/// The place of nobody.
pub const NOBODY: u32 = u32::MAX;

/// The row of an event that is in none.
pub const NO_ROW: u32 = u32::MAX;

/// A list of any length whose entries are `none` at first. Chunks that nobody wrote to take no memory.
#[derive(Debug)]
pub struct Chunks<T> {
    none: T,
    chunks: Vec<Vec<T>>,
}

impl<T: Copy> Chunks<T> {
    /// Of nothing but `none`.
    pub const fn new(none: T) -> Self {
        Self {
            none,
            chunks: Vec::new(),
        }
    }

    /// An entry.
    pub fn get(&self, at: u32) -> T {
        let chunk = self.chunks.get((at >> CHUNK_BITS) as usize);
        let entry = chunk.and_then(|chunk| chunk.get(at as usize % CHUNK));
        entry.copied().unwrap_or(self.none)
    }

    /// An entry, to be written to. There is always one.
    pub fn slot(&mut self, at: u32) -> Option<&mut T> {
        let number = (at >> CHUNK_BITS) as usize;
        if number >= self.chunks.len() {
            self.chunks.resize_with(number.saturating_add(1), Vec::new);
        }
        let chunk = self.chunks.get_mut(number)?;
        if chunk.is_empty() {
            *chunk = vec![self.none; CHUNK];
        }
        chunk.get_mut(at as usize % CHUNK)
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let written = self.chunks.iter().filter(|chunk| !chunk.is_empty()).count();
        let entries = written.saturating_mul(CHUNK);
        entries.saturating_mul(size_of::<T>())
    }
}

/// Hashes and their places. The hashes are keyed: who sends events cannot choose them.
#[derive(Debug, Default)]
pub struct Crowd {
    len: u32,
    tables: [Table; TABLES],
}

/// A hash, its lower half first, and its place and 1; 0 is free. Side by side, because each look at a table of this
/// size waits for memory, and twelve bytes, because sixteen would be a quarter of it for nothing.
type Slot = [u32; 3];

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    len: usize,
}

impl Crowd {
    /// How many there are.
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let slots = self.tables.iter().map(|table| table.slots.len());
        let slots = slots.fold(0, usize::saturating_add);
        slots.saturating_mul(size_of::<Slot>())
    }

    /// The place of a hash, which is added where it is new: 0 for the first.
    ///
    /// ```
    /// let mut crowd = shoreline_shared::crowd::Crowd::default();
    /// assert_eq!((crowd.place(7), crowd.place(9), crowd.place(7)), (0, 1, 0));
    /// assert_eq!((crowd.find(9), crowd.find(8)), (Some(1), None));
    /// ```
    // Not a part of its caller, which is compiled for size.
    #[inline(never)]
    pub fn place(&mut self, hash: u64) -> u32 {
        let Some(table) = self.tables.get_mut(table_of(hash)) else {
            return 0;
        };
        if table.slots.len().saturating_mul(3) <= table.len.saturating_mul(4) {
            table.grow();
        }
        let slot = table.slot(hash);
        match table.slots.get_mut(slot) {
            Some(free @ [_, _, 0]) => {
                let place = self.len;
                self.len = place.saturating_add(1);
                *free = [hash as u32, (hash >> 32) as u32, self.len];
                table.len = table.len.wrapping_add(1);
                place
            }
            known => known.map_or(0, |[.., known]| known.saturating_sub(1)),
        }
    }

    /// The place of each event's hash, by its code from 1 on; [`NOBODY`] of an event that does not pass, and of one
    /// without a hash. No other hashes are added.
    #[inline(never)]
    pub fn places(&mut self, hashes: &[Option<u64>], codes: &[u32], passing: &[bool]) -> Vec<u32> {
        let mut known = vec![NOBODY; hashes.len()];
        let mut places = Vec::with_capacity(codes.len());
        for (code, passes) in codes.iter().zip(passing) {
            let code = (*code as usize).wrapping_sub(1);
            let place = match known.get_mut(code) {
                Some(known) if *passes => {
                    if *known == NOBODY
                        && let Some(Some(hash)) = hashes.get(code)
                    {
                        *known = self.place(*hash);
                    }
                    *known
                }
                _ => NOBODY,
            };
            places.push(place);
        }
        places
    }

    /// The place of a hash that is there.
    #[inline(never)]
    pub fn find(&self, hash: u64) -> Option<u32> {
        let table = self.tables.get(table_of(hash))?;
        let [.., place] = table.slots.get(table.slot(hash))?;
        place.checked_sub(1)
    }
}

impl Table {
    /// Where a hash is, or would be.
    fn slot(&self, hash: u64) -> usize {
        let (low, high) = (hash as u32, (hash >> 32) as u32);
        let size = self.slots.len();
        // A part of the size, by bits of the hash below those of the table: whatever the size is, the order stays.
        let part = u64::from((hash.wrapping_mul(FACTOR) >> 28) as u32);
        let mut slot = (part.wrapping_mul(size as u64) >> 32) as usize;
        while let Some([known_low, known_high, place]) = self.slots.get(slot) {
            if *place == 0 || *known_low == low && *known_high == high {
                break;
            }
            slot = slot.wrapping_add(1);
            if slot == size {
                slot = 0;
            }
        }
        slot
    }

    /// By a half: tables that double are half empty, at worst, before they are full.
    #[inline(never)]
    fn grow(&mut self) {
        let size = self.slots.len();
        let size = size.saturating_add(size / 2).max(FIRST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![[0; 3]; size]);
        for entry in old {
            let [low, high, place] = entry;
            if place != 0 {
                let slot = self.slot(u64::from(high) << 32 | u64::from(low));
                if let Some(free) = self.slots.get_mut(slot) {
                    *free = entry;
                }
            }
        }
    }
}

/// Which of a crowd are in which rows. Most are in one row, or in few.
#[derive(Debug)]
pub struct Rows {
    /// The row that each was seen in first.
    first: Chunks<u32>,
    len: u32,
    /// Further ones, each a [`pair`].
    more: Set,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            first: Chunks::new(NO_ROW),
            len: 0,
            more: Set::default(),
        }
    }
}

impl Rows {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.first.bytes().saturating_add(self.more.bytes())
    }

    /// Notes that who has this place is in a row: whether that is new, and whether it is the first row of theirs.
    #[inline(never)]
    pub fn add(&mut self, place: u32, row: u32) -> (bool, bool) {
        let Some(first) = self.first.slot(place) else {
            return (false, false);
        };
        if *first == NO_ROW {
            *first = row;
            self.len = self.len.max(place.saturating_add(1));
            return (true, true);
        }
        let is_new = *first != row && self.more.insert(pair(place, row));
        (is_new, false)
    }

    /// Tells each place with each of its rows, and whether that is the first one of the place.
    pub fn each(&self, tell: &mut dyn FnMut(u32, u32, bool)) {
        for place in 0..self.len {
            let row = self.first.get(place);
            if row != NO_ROW {
                tell(place, row, true);
            }
        }
        for key in self.more.keys() {
            let row = (key >> 32) as u32;
            tell(key as u32, row.saturating_sub(1), false);
        }
    }
}

/// A row and a place as one number, which is never 0.
fn pair(place: u32, row: u32) -> u64 {
    u64::from(row).saturating_add(1) << 32 | u64::from(place)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_hash_map_is(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..50, (0_u64..9).prop_map(|n| n << 32)], 0..500),
        ) {
            let (mut crowd, mut known) = (Crowd::default(), HashMap::new());
            prop_assert_eq!(crowd.find(7), None);
            for key in &keys {
                let next = known.len() as u32;
                prop_assert_eq!(crowd.find(*key), known.get(key).copied());
                prop_assert_eq!(crowd.place(*key), *known.entry(*key).or_insert(next));
                prop_assert_eq!(crowd.len() as usize, known.len());
            }
            prop_assert!(known.iter().all(|(key, place)| crowd.find(*key) == Some(*place)));
        }

        #[test]
        fn who_passes_has_a_place(all in prop::collection::vec((0_u32..6, any::<bool>()), 0..60)) {
            let hashes = [Some(9), None, Some(7), Some(9)];
            let (codes, passing): (Vec<u32>, Vec<bool>) = all.iter().copied().unzip();
            let mut crowd = Crowd::default();
            let places = crowd.places(&hashes, &codes, &passing);
            prop_assert_eq!(places.len(), all.len());
            for ((code, passes), place) in all.iter().zip(&places) {
                let hash = hashes.get((*code as usize).wrapping_sub(1)).copied().flatten();
                let want = hash.filter(|_| *passes).and_then(|hash| crowd.find(hash));
                prop_assert_eq!(*place, want.unwrap_or(NOBODY));
            }
            let mut known: Vec<u32> = places.into_iter().filter(|place| *place != NOBODY).collect();
            known.sort_unstable();
            known.dedup();
            prop_assert_eq!(known.len(), crowd.len() as usize);
        }

        #[test]
        fn a_list_of_chunks_is_what_a_map_is(
            all in prop::collection::vec((0_u32..5_000, any::<u16>()), 0..100), at in 0_u32..9_000,
        ) {
            let mut list = Chunks::new(7_u16);
            let mut known = BTreeMap::new();
            for (at, value) in all {
                *list.slot(at).unwrap() = value;
                known.insert(at, value);
            }
            prop_assert!(known.iter().all(|(at, value)| list.get(*at) == *value));
            prop_assert_eq!(list.get(at), known.get(&at).copied().unwrap_or(7));
            let most = known.len().saturating_mul(CHUNK).saturating_mul(2);
            prop_assert!(list.bytes() <= most);
        }

        #[test]
        fn rows_are_what_a_set_of_pairs_is(all in prop::collection::vec((0_u32..40, 0_u32..5), 0..300)) {
            let (mut rows, mut pairs, mut places) = (Rows::default(), BTreeSet::new(), BTreeSet::new());
            for (place, row) in all {
                let want = (pairs.insert((place, row)), places.insert(place));
                prop_assert_eq!(rows.add(place, row), want);
            }
            let (mut told, mut firsts) = (Vec::new(), Vec::new());
            rows.each(&mut |place, row, is_first| {
                told.push((place, row));
                firsts.extend(is_first.then_some(place));
            });
            told.sort_unstable();
            prop_assert_eq!(told, pairs.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(firsts, places.into_iter().collect::<Vec<_>>());
        }
    }
}
