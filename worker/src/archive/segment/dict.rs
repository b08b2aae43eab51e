//! Distinct things in the order of their first use, each with a code.

use super::Broken;
use super::bytes::{Reader, put_count};

/// Distinct byte strings. A table of its own, not a `HashMap`: one piece of code serves texts, users,
/// sessions and properties, and what it collects is what is written.
#[derive(Debug)]
pub(super) struct Dict {
    seed: u64,
    /// All entries, one after the other.
    heap: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// Codes by the hash of their entry; 0 is a free place. A power of two, never more than half full.
    places: Vec<u32>,
}

/// Places of the smallest table: most columns have fewer than eight values.
const FIRST_PLACES: usize = 16;

/// FxHash's factor.
const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

fn hash(seed: u64, bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut tail = [0; 8];
    for (place, byte) in tail.iter_mut().zip(rest) {
        *place = *byte;
    }
    let words = words.iter().chain([&tail]);
    let mixed = words.fold(seed ^ bytes.len() as u64, |sum, word| {
        let product = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        // The upper bits are the mixed ones, the lower ones choose the place.
        product ^ product >> 32
    });
    mixed as usize
}

impl Dict {
    /// An empty one. The seed is what senders cannot know: they choose the entries, and could choose such as
    /// all fall on one place. Codes do not depend on it.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            heap: Vec::new(),
            ends: Vec::new(),
            places: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The entry of a code.
    pub(super) fn get(&self, code: u32) -> &[u8] {
        let index = code.wrapping_sub(1) as usize;
        let start = index.checked_sub(1).and_then(|last| self.ends.get(last));
        let start = start.copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.heap.get(start..end).unwrap_or_default()
    }

    /// The code of an entry, which is added where it is new: 1 for the first.
    pub(super) fn code(&mut self, entry: &[u8]) -> u32 {
        if self.places.len() <= self.len().saturating_mul(2) {
            self.grow();
        }
        let place = self.place(entry);
        match self.places.get(place) {
            Some(0) | None => {
                let code = self.push(entry);
                if let Some(slot) = self.places.get_mut(place) {
                    *slot = code;
                }
                code
            }
            Some(code) => *code,
        }
    }

    /// Adds an entry that is known to be new, to be found by its code alone.
    pub(super) fn push(&mut self, entry: &[u8]) -> u32 {
        self.heap.extend_from_slice(entry);
        self.ends.push(self.heap.len());
        self.ends.len() as u32
    }

    /// The place of an entry, or the free one that it would take.
    fn place(&self, entry: &[u8]) -> usize {
        let mask = self.places.len().wrapping_sub(1);
        let mut place = hash(self.seed, entry) & mask;
        while let Some(code) = self.places.get(place) {
            if *code == 0 || self.get(*code) == entry {
                break;
            }
            place = place.wrapping_add(1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let places = self.places.len().saturating_mul(4).max(FIRST_PLACES);
        self.places = vec![0; places];
        for code in 1..=self.len() as u32 {
            let place = self.place(self.get(code));
            if let Some(slot) = self.places.get_mut(place) {
                *slot = code;
            }
        }
    }

    /// Writes entries that are all of one length: how many, then all.
    pub(super) fn put_fixed(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        out.extend_from_slice(&self.heap);
    }

    /// Writes entries of any length: how many, their lengths, then all.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        let mut start = 0_usize;
        for end in &self.ends {
            put_count(out, end.saturating_sub(start));
            start = *end;
        }
        out.extend_from_slice(&self.heap);
    }
}

/// Texts as [`Dict::put`] wrote them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Texts<'a> {
    lengths: Reader<'a>,
    /// How many there are: at most one for each byte of `lengths`.
    pub(super) count: usize,
    heap: &'a str,
}

impl<'a> Texts<'a> {
    /// Reads the lengths, and that all of it is UTF-8.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Broken> {
        let count = reader.count()?;
        let lengths = *reader;
        let mut sum = 0_usize;
        for _ in 0..count {
            let length = reader.count()?;
            sum = sum
                .checked_add(length)
                .ok_or(Broken("a text is too long"))?;
        }
        let heap = std::str::from_utf8(reader.take(sum)?);
        Ok(Self {
            lengths,
            count,
            heap: heap.map_err(|_| Broken("a text is not UTF-8"))?,
        })
    }

    /// Each text, in the order of their codes; an error where one would end within a character.
    pub(super) fn iter(self) -> impl Iterator<Item = Result<&'a str, Broken>> {
        let Self {
            mut lengths,
            count,
            mut heap,
        } = self;
        (0..count).map(move |_| {
            let halves = heap.split_at_checked(lengths.count()?);
            let (text, rest) = halves.ok_or(Broken("a text ends within a character"))?;
            heap = rest;
            Ok(text)
        })
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
            entries in prop::collection::vec("[a-c]{0,3}|.{0,20}", 0..200),
            seed in any::<u64>(),
        ) {
            let (mut dict, mut known) = (Dict::new(seed), HashMap::new());
            for entry in &entries {
                let next = known.len() as u32 + 1;
                let code = *known.entry(entry).or_insert(next);
                prop_assert_eq!(dict.code(entry.as_bytes()), code);
                prop_assert_eq!(dict.get(code), entry.as_bytes());
            }
            prop_assert_eq!(dict.len(), known.len());
            let mut out = Vec::new();
            dict.put(&mut out);
            let mut reader = Reader(&out);
            let texts = Texts::read(&mut reader).unwrap();
            prop_assert_eq!(reader.left(), 0);
            for (at, text) in texts.iter().enumerate() {
                prop_assert_eq!(known[&text.unwrap().to_owned()] as usize, at + 1);
            }
        }
    }

    #[test]
    fn no_text_is_cut_within_a_character() {
        let wrong = [2, 1, 1, 0xc3, 0xa4];
        let texts = Texts::read(&mut Reader(&wrong)).unwrap();
        assert!(texts.iter().any(|text| text.is_err()));
        let bytes = [1, 1, 0xff];
        assert!(Texts::read(&mut Reader(&bytes)).is_err());
    }
}
