//! What the keys of a batch say of their values. The events of a batch have much the same keys, so
//! what was found of one is kept.

use super::tape;
use crate::privacy::KeyKind;
use crate::privacy::Style;
use crate::text::cleaned;

/// A key, and what tells it from most others at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// Its first eight bytes as a number, zeros behind a shorter one: numbers are in the order of the
    /// keys, and zeros in no key, which has its control characters escaped.
    rank: u64,
    pub(super) name: &'a str,
}

impl<'a> Key<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let rank = u64::from_be_bytes(first);
        Self { rank, name }
    }

    /// The key at this place of a text: eight bytes are there at once, though not all be the key's.
    #[inline]
    pub(super) fn at(text: &'a str, place: (u32, u32)) -> Self {
        let name = tape::at(text, place);
        let from = text.as_bytes().get(place.0 as usize..);
        let Some(first) = from.and_then(<[u8]>::first_chunk::<8>) else {
            return Self::of(name);
        };
        let bits = (name.len() as u32).min(8) << 3;
        let others = u64::MAX.checked_shr(bits).unwrap_or(0);
        let rank = u64::from_be_bytes(*first) & !others;
        Self { rank, name }
    }

    /// Whether it comes before another, by the bytes of both.
    #[inline]
    pub(super) fn is_below(self, other: Self) -> bool {
        self.rank < other.rank || (self.rank == other.rank && self.name < other.name)
    }

    #[inline]
    fn is(self, other: Self) -> bool {
        self.rank == other.rank
            && (self.name.len() <= 8 && other.name.len() <= 8 || self.name == other.name)
    }
}

/// log2 of [`SETS`].
const SET_BITS: u32 = 5;

/// Sets of keys that are kept, two in each: 32. A page's batch has some twenty keys.
const SETS: usize = 1 << SET_BITS;

/// What leaves [`SET_BITS`] of a hash.
const SET_SHIFT: u32 = u64::BITS - SET_BITS;

type Known<'a> = Option<(Key<'a>, KeyKind)>;

/// What is known of keys. Of those that share a set the two that came last are kept.
pub(super) struct Keys<'a> {
    sets: [[Known<'a>; 2]; SETS],
}

impl<'a> Keys<'a> {
    pub(super) const fn new() -> Self {
        Self {
            sets: [[None; 2]; SETS],
        }
    }

    /// The kind of a key; `None` of one that needs cleaning.
    #[inline]
    pub(super) fn kind(&mut self, key: Key<'a>, hash_routing: bool) -> Option<KeyKind> {
        let set = self.sets.get_mut(place(key))?;
        for (known, kind) in set.iter().flatten() {
            if known.is(key) {
                return Some(*kind);
            }
        }
        let kind = kind(key.name, hash_routing)?;
        let [first, second] = set;
        *second = first.replace((key, kind));
        Some(kind)
    }
}

#[cold]
fn kind(key: &str, hash_routing: bool) -> Option<KeyKind> {
    let style = Style::of(KeyKind::Plain, hash_routing);
    cleaned(key, style).is_none().then(|| KeyKind::of(key))
}

/// 2^64 over the golden ratio (Knuth).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline]
fn place(key: Key<'_>) -> usize {
    let hash = (key.rank ^ key.name.len() as u64).wrapping_mul(SPREAD);
    (hash >> SET_SHIFT) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_told_apart_and_ordered_as_texts(a in "[ab\u{e9}]{0,12}", b in "[ab\u{e9}]{0,12}") {
            let [one, other] = [&a, &b].map(|key| Key::of(key));
            prop_assert_eq!(one.is(other), a == b);
            prop_assert_eq!(one.is_below(other), a < b);
            let text = format!("{a}\":1}}{b}");
            let end = a.len() as u32;
            prop_assert_eq!(Key::at(&text, (0, end)), one);
        }
    }
}
