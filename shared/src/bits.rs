//! Numbers of a few bits each, one behind the other, the lowest bits first.
//!
//! Here, not in the worker beside the segments that are made of them: a question unpacks millions, and this crate is
//! the one that is compiled for speed.

/// Bits of a number at most.
pub const MAX_WIDTH: u32 = 32;

/// Bits that are left of a word of 64 bits wherever in a byte its first number begins.
const WORD_BITS: u32 = 57;

/// Bits that numbers up to `most` need.
pub fn width(most: usize) -> u32 {
    usize::BITS.saturating_sub(most.leading_zeros())
}

/// Bytes of so many numbers of so many bits.
pub fn bytes_of(count: usize, width: u32) -> usize {
    count.saturating_mul(width as usize).div_ceil(8)
}

/// Writes numbers of `width` bits each.
pub fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>, width: u32) {
    let (mut word, mut bits) = (0_u64, 0_u32);
    for number in numbers {
        word |= u64::from(number).wrapping_shl(bits);
        bits = bits.saturating_add(width);
        while bits >= 8 {
            out.push(word as u8);
            word >>= 8;
            bits = bits.saturating_sub(8);
        }
    }
    if bits > 0 {
        out.push(word as u8);
    }
}

/// Reads `n` numbers of `width` bits each, [`MAX_WIDTH`] at most; bytes that are missing are zero.
///
/// ```
/// let mut bytes = Vec::new();
/// shoreline_shared::bits::pack(&mut bytes, [1, 6, 3].into_iter(), 3);
/// assert_eq!(shoreline_shared::bits::unpack(&bytes, 3, 3), [1, 6, 3]);
/// ```
pub fn unpack(bytes: &[u8], n: usize, width: u32) -> Vec<u32> {
    let width = width.min(MAX_WIDTH);
    let Some(in_word) = WORD_BITS.checked_div(width) else {
        return vec![0; n];
    };
    let mask = 1_u64.wrapping_shl(width).wrapping_sub(1);
    let mut numbers = Vec::with_capacity(n);
    let mut bit = 0_usize;
    while numbers.len() < n {
        let rest = bytes.get(bit >> 3..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => last_word(rest),
        };
        let mut word = word >> (bit & 7);
        let some = (in_word as usize).min(n.wrapping_sub(numbers.len()));
        numbers.extend((0..some).map(|_| {
            let number = (word & mask) as u32;
            word = word.wrapping_shr(width);
            number
        }));
        bit = bit.wrapping_add(some.wrapping_mul(width as usize));
    }
    numbers
}

/// Adds one to each number, and tells the largest of all; 0 of none.
pub fn count_from_one(numbers: &mut [u32]) -> u32 {
    let mut most = 0;
    for number in numbers {
        *number = number.saturating_add(1);
        most = most.max(*number);
    }
    most
}

/// The largest number; 0 of none.
pub fn largest(numbers: &[u32]) -> u32 {
    numbers.iter().fold(0, |most, number| most.max(*number))
}

/// Of each code what it stands for in a table, whose first entry is for 0; `false` of what is not in it.
pub fn marked(codes: &[u32], table: &[bool]) -> Vec<bool> {
    let mark = |code: &u32| table.get(*code as usize) == Some(&true);
    codes.iter().map(mark).collect()
}

/// Fewer than eight bytes, the missing ones zero.
fn last_word(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(width in 0..=MAX_WIDTH, numbers in prop::collection::vec(any::<u32>(), 0..200)) {
            let mask = 1_u64.wrapping_shl(width).wrapping_sub(1) as u32;
            let numbers: Vec<u32> = numbers.into_iter().map(|number| number & mask).collect();
            let mut bytes = Vec::new();
            pack(&mut bytes, numbers.iter().copied(), width);
            prop_assert_eq!(bytes.len(), bytes_of(numbers.len(), width));
            prop_assert_eq!(unpack(&bytes, numbers.len(), width), numbers);
        }

        #[test]
        fn whatever_is_missing_is_zero(width in 0..40_u32, n in 0..100_usize, bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let read = unpack(&bytes, n, width);
            let mut padded = bytes.clone();
            padded.resize(bytes_of(n, MAX_WIDTH).max(bytes.len()).saturating_add(8), 0);
            prop_assert_eq!(read, unpack(&padded, n, width));
        }
    }
}
