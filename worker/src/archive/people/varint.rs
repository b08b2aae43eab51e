//! Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, and of signed ones the
//! sign in the lowest bit.

/// Appends a number.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_bits(number) | 0x80);
        number >>= 7;
    }
    out.push(low_bits(number));
}

/// Appends a number that may be negative.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(
        out,
        (number.wrapping_shl(1) ^ (number >> 63)).cast_unsigned(),
    );
}

/// Appends a length.
pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    put(out, u64::try_from(len).unwrap_or(u64::MAX));
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or(0)
}

/// Reads what the functions above wrote. Each method answers `None` where the bytes end or say what
/// nothing of these writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// Whether all was read.
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10_u32 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let shift = place.saturating_mul(7);
            let bits = u64::from(byte & 0x7f);
            let shifted = bits.checked_shl(shift)?;
            if shifted >> shift != bits {
                return None;
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The next number that may be negative.
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        let sign = (number & 1).cast_signed().wrapping_neg();
        Some((number >> 1).cast_signed() ^ sign)
    }

    /// The next length or place.
    pub(crate) fn len(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// The next bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec((any::<u64>(), 0_u32..64), 0..40)) {
            let numbers: Vec<u64> = numbers.into_iter().map(|(n, shift)| n >> shift).collect();
            let mut out = Vec::new();
            for number in &numbers {
                put(&mut out, *number);
                put_signed(&mut out, number.cast_signed());
            }
            let mut reader = Reader(&out);
            for number in numbers {
                prop_assert_eq!(reader.number(), Some(number));
                prop_assert_eq!(reader.signed(), Some(number.cast_signed()));
            }
            prop_assert!(reader.is_empty());
            prop_assert_eq!(reader.number(), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = Reader(&bytes);
            let mut read = 0;
            while reader.signed().is_some() {
                read += 1;
            }
            prop_assert!(read <= bytes.len());
        }
    }

    #[test]
    fn small_numbers_are_a_byte() {
        for number in [0, 63, -64] {
            let mut out = Vec::new();
            put_signed(&mut out, number);
            assert_eq!(out.len(), 1, "{number}");
        }
        // Eleven bytes, and ten of which the last says more than 64 bits hold.
        assert_eq!(Reader(&[0xff; 11]).number(), None);
        assert_eq!(
            Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).number(),
            None
        );
    }
}
