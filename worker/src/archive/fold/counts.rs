//! Sums by keys of numbers, and texts by their numbers.

use std::collections::HashMap;

/// Amounts by up to four numbers, in the order in which they came.
#[derive(Debug, Clone)]
pub(super) struct Counts<const N: usize = 3> {
    places: HashMap<[i64; 4], usize>,
    rows: Vec<([i64; 4], [i64; N])>,
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            rows: Vec::new(),
        }
    }
}

impl<const N: usize> Counts<N> {
    /// Adds amounts and answers the key's place.
    pub(super) fn add(&mut self, key: [i64; 4], amounts: [i64; N]) -> usize {
        let place = *self.places.entry(key).or_insert(self.rows.len());
        match self.rows.get_mut(place) {
            Some((_, sums)) => {
                for (sum, amount) in sums.iter_mut().zip(amounts) {
                    *sum = sum.saturating_add(amount);
                }
            }
            None => self.rows.push((key, amounts)),
        }
        place
    }

    /// All of them, by their places.
    pub(super) fn rows(&self) -> &[([i64; 4], [i64; N])] {
        &self.rows
    }

    /// As rows of a table: the first `keys` numbers of the key, then as many amounts; none whose amounts
    /// are all 0.
    pub(super) fn table(&self, keys: usize, amounts: usize) -> Vec<i64> {
        let mut table = Vec::new();
        for (key, sums) in &self.rows {
            if sums.iter().any(|sum| *sum != 0) {
                table.extend(key.iter().take(keys));
                table.extend(sums.iter().take(amounts));
            }
        }
        table
    }
}

/// Texts, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    places: HashMap<String, u64>,
}

impl Texts {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> i64 {
        let next = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        let number = match self.places.get(text) {
            Some(number) => *number,
            None => *self.places.entry(text.to_owned()).or_insert(next),
        };
        number.cast_signed()
    }

    /// The texts by their numbers.
    pub(super) fn list(&self) -> Vec<&str> {
        let mut list = vec![""; self.places.len()];
        for (text, number) in &self.places {
            let slot = usize::try_from(*number).ok();
            if let Some(slot) = slot.and_then(|number| list.get_mut(number)) {
                *slot = text;
            }
        }
        list
    }
}
