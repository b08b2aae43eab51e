//! Requests that wait for the script, by number.
//!
//! A page that is closed while it sends its body leaves its request here for good: nobody tells. So only the
//! latest are kept.

use crate::base::sorted::Map;

/// Requests at most that wait: more than an isolate answers at once, and below 10 MB.
const MAX_TURNS: usize = 1_000;

/// What is kept of each.
#[derive(Debug)]
pub struct Turns<T> {
    kept: Map<u32, T>,
    last: u32,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self {
            kept: Map::new(),
            last: 0,
        }
    }
}

impl<T> Turns<T> {
    /// Whether the next one takes the place of another.
    pub fn is_full(&self) -> bool {
        self.kept.len() >= MAX_TURNS
    }

    /// Keeps one, in the place of the oldest where there are too many; its number.
    pub fn keep(&mut self, turn: T) -> u32 {
        if self.is_full() {
            self.kept.pop_first();
        }
        self.last = self.last.wrapping_add(1);
        self.kept.insert(self.last, turn);
        self.last
    }

    /// Takes one out, where it is still kept.
    pub fn take(&mut self, number: u32) -> Option<T> {
        self.kept.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_taken_once() {
        let mut turns = Turns::default();
        let (a, b) = (turns.keep('a'), turns.keep('b'));
        assert_eq!((turns.take(b), turns.take(a)), (Some('b'), Some('a')));
        assert_eq!((turns.take(a), turns.take(7)), (None, None));
    }

    #[test]
    fn those_that_nobody_comes_back_for_fill_no_memory() {
        let mut turns = Turns::default();
        let first = turns.keep(0);
        for n in 1..5 * MAX_TURNS {
            let turn = turns.keep(n);
            if n % 2 == 0 {
                assert_eq!(turns.take(turn), Some(n));
            }
        }
        assert!(turns.is_full() && turns.kept.len() <= MAX_TURNS);
        assert_eq!(turns.take(first), None);
        // Numbers begin anew after the last of them.
        turns.last = u32::MAX;
        let turn = turns.keep(7);
        assert_eq!((turn, turns.take(turn)), (0, Some(7)));
    }
}
