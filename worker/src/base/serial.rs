//! Ids without asking for random bytes each time: an isolate asks once, and counts on from there.

use std::cell::Cell;

use shoreline_shared::id::uuid_v7;

/// Makes ids: unique, alike to random ones, and no secret.
#[derive(Debug)]
pub struct Serial {
    /// The random part of UUIDv7s that does not count.
    fixed: [u8; 2],
    ids: Cell<u64>,
    state: Cell<u64>,
    key: u64,
}

/// The step of the generator: the golden ratio, as SplitMix64 has it.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Serial {
    /// Begins at 32 random bytes.
    pub fn new(seed: [u8; 32]) -> Self {
        let mut words = [0_u64; 4];
        for (word, bytes) in words.iter_mut().zip(seed.chunks(8)) {
            *word = bytes
                .iter()
                .fold(0, |sum, byte| sum.wrapping_shl(8) | u64::from(*byte));
        }
        let [ids, state, key, rest] = words;
        let [fixed @ .., _, _, _, _, _, _] = rest.to_be_bytes();
        Self {
            fixed,
            ids: Cell::new(ids),
            state: Cell::new(state),
            key,
        }
    }

    /// The random part of a UUIDv7: it counts on, as RFC 9562 allows, so none comes twice.
    pub fn id(&self) -> [u8; 10] {
        let count = self.ids.get().wrapping_add(1);
        self.ids.set(count);
        let [a, b, c, d, e, f, g, h] = count.to_be_bytes();
        let [y, z] = self.fixed;
        [a, b, c, d, e, f, g, h, y, z]
    }

    /// A UUIDv7.
    pub fn uuid(&self, now_ms: i64) -> String {
        uuid_v7(now_ms, self.id())
    }

    /// Bytes that look random: those of a trace and its span.
    pub fn bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (place, word) in bytes.chunks_mut(8).zip([(); 3].map(|()| self.word())) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Half of a seed: SplitMix64's next number, under this isolate's key.
    pub fn word(&self) -> u64 {
        let state = self.state.get().wrapping_add(STEP);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31) ^ self.key
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::testing::NOW;

    fn seed(first: u8) -> [u8; 32] {
        let mut seed = [7; 32];
        seed[0] = first;
        seed[8] = first;
        seed
    }

    #[test]
    fn ids_are_unique_and_in_order() {
        let mut seen = HashSet::new();
        for serial in [Serial::new(seed(1)), Serial::new(seed(2))] {
            let ids: Vec<String> = (0..1_000).map(|_| serial.uuid(NOW)).collect();
            assert!(ids.is_sorted());
            assert!(ids.into_iter().all(|id| seen.insert(id)));
        }
        // Where the counter runs over, the order breaks, and nothing else.
        let serial = Serial::new([0xff; 32]);
        let ids: HashSet<String> = (0..10).map(|_| serial.uuid(NOW)).collect();
        assert_eq!(ids.len(), 10);
    }

    #[test]
    fn traces_are_unique_and_never_all_zero() {
        let mut seen = HashSet::new();
        for serial in [
            Serial::new(seed(1)),
            Serial::new(seed(2)),
            Serial::new([0; 32]),
        ] {
            for _ in 0..1_000 {
                let bytes = serial.bytes();
                let (trace, span) = bytes.split_at(16);
                assert!(
                    [trace, span]
                        .iter()
                        .all(|id| id.iter().any(|byte| *byte != 0))
                );
                assert!(seen.insert(bytes));
            }
        }
    }
}
