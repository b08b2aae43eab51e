//! Numbers in bytes: varints, and a reader that never runs past its end.

use super::Broken;

/// Adds a varint: seven bits a byte, the lowest first, the top bit set on all bytes but the last.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Adds a count or a length.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, count as u64);
}

/// A signed number as an unsigned one that is small where the number is near 0.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number of a [`zigzag`].
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ ((value & 1) as i64).wrapping_neg()
}

/// What is left to read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        let (byte, rest) = self.0.split_first().ok_or(Broken("it ends too early"))?;
        self.0 = rest;
        Ok(*byte)
    }

    /// The next varint.
    pub(super) fn varint(&mut self) -> Result<u64, Broken> {
        let first = self.byte()?;
        let mut value = u64::from(first & 0x7f);
        let (mut byte, mut shift) = (first, 7_u32);
        while byte >= 0x80 {
            byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let moved = bits.wrapping_shl(shift);
            if shift > 63 || moved.wrapping_shr(shift) != bits {
                return Err(Broken("a number is too large"));
            }
            value |= moved;
            shift = shift.saturating_add(7);
        }
        Ok(value)
    }

    /// The next varint as a count or a length.
    pub(super) fn count(&mut self) -> Result<usize, Broken> {
        usize::try_from(self.varint()?).map_err(|_| Broken("a number is too large"))
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], Broken> {
        let halves = self.0.split_at_checked(bytes);
        let (taken, rest) = halves.ok_or(Broken("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next bytes, of a fixed number.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(Broken("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// How many bytes are left: no list of things that take a byte at least is longer.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Broken> {
        match self.0 {
            [] => Ok(()),
            _ => Err(Broken("there is more than it says")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(values in prop::collection::vec(any::<i64>(), 0..20), small in -99_i64..99) {
            let mut out = Vec::new();
            for value in values.iter().chain([&small, &i64::MIN, &i64::MAX]) {
                put_varint(&mut out, zigzag(*value));
            }
            let mut reader = Reader(&out);
            for value in values.iter().chain([&small, &i64::MIN, &i64::MAX]) {
                prop_assert_eq!(unzigzag(reader.varint().unwrap()), *value);
            }
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_varint_of_more_than_64_bits_is_broken() {
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Reader(&most).varint(), Ok(u64::MAX));
        let mut over = most;
        over[9] = 2;
        assert!(Reader(&over).varint().is_err());
        assert!(Reader(&[0x80; 9]).varint().is_err());
        assert!(Reader(&[0x80; 20]).varint().is_err());
    }
}
