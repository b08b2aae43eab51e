//! What the keys of a batch say of their values. The events of a batch have much the same keys, so
//! what was found of one is kept.

use crate::privacy::KeyKind;
use crate::sanitize::{Style, cleaned};

/// Keys that are kept. A page's batch has some twenty.
const SLOTS: usize = 64;

/// What is known of keys. Two that share a slot take it in turns.
pub(super) struct Keys<'a> {
    slots: [Option<(&'a str, KeyKind)>; SLOTS],
}

impl<'a> Keys<'a> {
    pub(super) const fn new() -> Self {
        Self {
            slots: [None; SLOTS],
        }
    }

    /// The kind of a key; `None` of one that needs cleaning.
    #[inline]
    pub(super) fn kind(&mut self, key: &'a str, hash_routing: bool) -> Option<KeyKind> {
        let slot = self.slots.get_mut(slot(key.as_bytes()))?;
        if let Some((known, kind)) = slot
            && *known == key
        {
            return Some(*kind);
        }
        let kind = kind(key, hash_routing)?;
        *slot = Some((key, kind));
        Some(kind)
    }
}

#[cold]
fn kind(key: &str, hash_routing: bool) -> Option<KeyKind> {
    let style = Style {
        is_url: false,
        hash_routing,
    };
    cleaned(key, style).is_none().then(|| KeyKind::of(key))
}

fn slot(key: &[u8]) -> usize {
    let (first, last) = match key {
        [] => (0, 0),
        [only] => (*only, 0),
        [first, .., last] => (*first, *last),
    };
    let sum = usize::from(first)
        .wrapping_mul(5)
        .wrapping_add(usize::from(last).wrapping_mul(3))
        .wrapping_add(key.len());
    sum & SLOTS.wrapping_sub(1)
}
