//! Looking for bytes, eight at a time: "SIMD within a register", on whatever machine it runs.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Eight times a byte.
const fn repeat(byte: u8) -> u64 {
    (byte as u64).wrapping_mul(ONES)
}

/// The top bits of those of eight bytes that are this one. Of the bits that are set the lowest is
/// right; a borrow may set others above it.
#[inline]
pub const fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ repeat(byte);
    other.wrapping_sub(ONES) & !other & TOPS
}

/// The same of those below this one, which is 0x80 at most.
#[inline]
pub const fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(repeat(byte)) & !word & TOPS
}

/// Where the first byte stands that `marks` marks, as [`equal`] and [`below`] do.
#[inline]
pub fn find(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut at = 0_usize;
    for chunk in chunks {
        let found = marks(u64::from_le_bytes(*chunk));
        if found != 0 {
            return Some(at.wrapping_add((found.trailing_zeros() >> 3) as usize));
        }
        at = at.wrapping_add(8);
    }
    find_in_rest(rest, marks).map(|place| at.wrapping_add(place))
}

/// The same of less than eight bytes, filled up with what no UTF-8 has and nothing marks.
#[inline]
fn find_in_rest(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    const X: u8 = u8::MAX;
    let word = match bytes {
        [] => return None,
        [a] => [*a, X, X, X, X, X, X, X],
        [a, b] => [*a, *b, X, X, X, X, X, X],
        [a, b, c] => [*a, *b, *c, X, X, X, X, X],
        [a, b, c, d] => [*a, *b, *c, *d, X, X, X, X],
        [a, b, c, d, e] => [*a, *b, *c, *d, *e, X, X, X],
        [a, b, c, d, e, f] => [*a, *b, *c, *d, *e, *f, X, X],
        [a, b, c, d, e, f, g, ..] => [*a, *b, *c, *d, *e, *f, *g, X],
    };
    let found = marks(u64::from_le_bytes(word));
    (found != 0).then(|| (found.trailing_zeros() >> 3) as usize)
}

/// Where a text is cut in two at the first of some bytes, all ASCII: before it, and from it on.
#[inline]
pub fn split_at(text: &str, marks: impl Fn(u64) -> u64) -> (&str, &str) {
    let at = find(text.as_bytes(), marks).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// What stands before the first of this ASCII byte, and after it.
#[inline]
pub fn split_once(text: &str, byte: u8) -> (&str, Option<&str>) {
    let (before, from) = split_at(text, |word| equal(word, byte));
    (before, from.get(1..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_is_found(text in "[ -~é\u{80}]{0,40}", byte in 0x20_u8..0x80) {
            let bytes = text.as_bytes();
            let equals = bytes.iter().position(|found| *found == byte);
            prop_assert_eq!(find(bytes, |word| equal(word, byte)), equals);
            let belows = bytes.iter().position(|found| *found < byte);
            prop_assert_eq!(find(bytes, |word| below(word, byte)), belows);
            let once = text.split_once(char::from(byte));
            let mine = split_once(&text, byte);
            prop_assert_eq!(mine, once.map_or((text.as_str(), None), |(a, b)| (a, Some(b))));
        }
    }
}
