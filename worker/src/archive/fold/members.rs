//! Who had which key: pairs of a hash and the place of a key, each once, as far as memory goes.

use crate::base::sort;

/// Pairs that may wait before those that came more than once are taken out: 4 MB.
const SLACK: usize = 256 * 1024;

/// Pairs, in no order.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    pairs: Vec<(u64, u32)>,
    /// How many there were when each was there once.
    unique: usize,
}

impl Members {
    /// Adds a pair.
    pub(super) fn add(&mut self, hash: u64, place: usize) {
        self.pairs
            .push((hash, u32::try_from(place).unwrap_or(u32::MAX)));
        if self.pairs.len() >= self.unique.saturating_mul(2).saturating_add(SLACK) {
            sort(&mut self.pairs);
            self.unique = self.pairs.len();
        }
    }

    /// The pairs in order, each once, with other places: `of` tells them.
    pub(super) fn sorted(&self, of: impl Fn(u32) -> u32) -> Vec<(u64, u32)> {
        let pairs = self.pairs.iter().map(|(hash, place)| (*hash, of(*place)));
        let mut pairs: Vec<(u64, u32)> = pairs.collect();
        sort(&mut pairs);
        pairs
    }
}

fn sort(pairs: &mut Vec<(u64, u32)>) {
    sort::sort_pairs(pairs);
    pairs.dedup();
}
