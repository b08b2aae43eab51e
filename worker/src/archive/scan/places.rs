//! Numbers of 64 bits, each with its place in the order in which they came.

/// A table of its own: the standard one hashes with care for who chooses the keys, which here are keyed hashes
/// already or made by the scan, and it is asked for every event.
#[derive(Debug, Default)]
pub(crate) struct Places {
    keys: Vec<u64>,
    /// Places less 1, by the hash of their key; 0 is free. A power of two, at most half full.
    table: Vec<u32>,
}

/// The table of the first key.
const FIRST_TABLE: usize = 64;

/// 2^64 divided by the golden ratio: keys that differ in few bits lie far apart.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Places {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys, in the order of their places.
    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The place of a key, which is added where it is new: 0 for the first. Never more than 2^31.
    pub(crate) fn place(&mut self, key: u64) -> u32 {
        if self.table.len() <= self.keys.len().saturating_mul(2) {
            self.grow();
        }
        let slot = self.slot(key);
        match self.table.get_mut(slot) {
            Some(0) => {
                let place = self.keys.len() as u32;
                self.keys.push(key);
                if let Some(free) = self.table.get_mut(slot) {
                    *free = place.saturating_add(1);
                }
                place
            }
            Some(taken) => taken.saturating_sub(1),
            // The table is never empty here.
            None => 0,
        }
    }

    /// Where a key is, or would be.
    fn slot(&self, key: u64) -> usize {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = (key.wrapping_mul(FACTOR) >> 32) as usize & mask;
        while let Some(place) = self.table.get(slot) {
            let known = (*place as usize).checked_sub(1);
            if known.is_none_or(|known| self.keys.get(known) == Some(&key)) {
                break;
            }
            slot = slot.wrapping_add(1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len().saturating_mul(4).max(FIRST_TABLE)];
        for place in 0..self.keys.len() {
            let key = self.keys.get(place).copied().unwrap_or(0);
            let slot = self.slot(key);
            if let Some(free) = self.table.get_mut(slot) {
                *free = (place as u32).saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_hash_map_is(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..50, (0_u64..9).prop_map(|n| n << 32)], 0..500),
        ) {
            let (mut places, mut known) = (Places::default(), HashMap::new());
            for key in keys {
                let next = known.len() as u32;
                prop_assert_eq!(places.place(key), *known.entry(key).or_insert(next));
                prop_assert_eq!(places.len(), known.len());
            }
            prop_assert!(known.iter().all(|(key, place)| places.keys()[*place as usize] == *key));
        }
    }
}
