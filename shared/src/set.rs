//! A set of numbers of 64 bits, in as little memory as a table can be.
//!
//! Here, not in the worker beside the questions that count users by it, for the reason that [`crate::bits`] is here.

/// Hashes, and pairs of a number and a hash. The hashes are keyed: who sends events cannot choose them.
#[derive(Debug, Default)]
pub struct Set {
    /// Several, so that one that grows keeps nobody waiting: of a million entries each has 60,000.
    tables: [Table; TABLES],
}

#[derive(Debug, Default)]
struct Table {
    /// A power of two; 0 is free.
    slots: Vec<u64>,
    len: usize,
}

/// Tables of a set: as many as four bits tell apart.
const TABLES: usize = 16;

/// Slots of a table with its first entry.
const FIRST_SLOTS: usize = 8;

/// 2^64 divided by the golden ratio: keys that differ in few bits lie far apart.
pub(crate) const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Which table a key is in. The bits are others than those that choose its slot.
pub(crate) fn table_of(key: u64) -> usize {
    (key.wrapping_mul(FACTOR) >> 60) as usize
}

impl Set {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        let slots = self.tables.iter().map(|table| table.slots.len());
        slots.fold(0, usize::saturating_add).saturating_mul(8)
    }

    /// Adds a key; whether it is new.
    ///
    /// ```
    /// let mut set = shoreline_shared::set::Set::default();
    /// assert!(set.insert(7) && !set.insert(7) && set.has(7));
    /// ```
    // Not a part of its caller, which is compiled for size.
    #[inline(never)]
    pub fn insert(&mut self, key: u64) -> bool {
        let key = key.max(1);
        let table = self.tables.get_mut(table_of(key));
        table.is_some_and(|table| table.insert(key))
    }

    /// The keys, in no order. Key 0 is told as 1.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        let slots = self.tables.iter().flat_map(|table| &table.slots);
        slots.copied().filter(|key| *key != 0)
    }

    /// Whether a key is there.
    pub fn has(&self, key: u64) -> bool {
        let key = key.max(1);
        let table = self.tables.get(table_of(key));
        table.is_some_and(|table| table.slots.get(table.slot(key)) == Some(&key))
    }
}

impl Table {
    fn insert(&mut self, key: u64) -> bool {
        if self.slots.len().saturating_mul(3) <= self.len.saturating_mul(4) {
            self.grow();
        }
        let slot = self.slot(key);
        match self.slots.get_mut(slot) {
            Some(free) if *free == 0 => {
                *free = key;
                self.len = self.len.wrapping_add(1);
                true
            }
            _ => false,
        }
    }

    /// Where a key is, or would be.
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = (key.wrapping_mul(FACTOR) >> 32) as usize & mask;
        while let Some(known) = self.slots.get(slot) {
            if *known == 0 || *known == key {
                break;
            }
            slot = slot.wrapping_add(1) & mask;
        }
        slot
    }

    #[inline(never)]
    fn grow(&mut self) {
        let size = self.slots.len().saturating_mul(2).max(FIRST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        for key in old {
            if key != 0 {
                let slot = self.slot(key);
                if let Some(free) = self.slots.get_mut(slot) {
                    *free = key;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_hash_set_is(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 1_u64..50, (1_u64..9).prop_map(|n| n << 32)], 0..500),
        ) {
            let (mut set, mut known) = (Set::default(), HashSet::new());
            prop_assert!(!set.has(7));
            for key in &keys {
                prop_assert_eq!(set.has(*key), known.contains(key));
                prop_assert_eq!(set.insert(*key), known.insert(*key));
            }
            prop_assert!(known.iter().all(|key| set.has(*key)));
        }
    }
}
