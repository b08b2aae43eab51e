//! An object read back: gzip members one after the other, which the platform unpacks one at a time. Its
//! `DecompressionStream` takes what follows the first for an error.

/// What a member of the platform's begins with: gzip, deflate, no flags, no time.
const HEADER: [u8; 8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];

/// Where members may end, ascending, the last at the end of the bytes. Compressed data may look like a
/// header: what cannot be unpacked up to one place is to be tried up to the next. A part of a member is
/// never taken for all of it, because its last block is missing.
pub fn member_ends(packed: &[u8]) -> impl Iterator<Item = usize> {
    let headers = packed.windows(HEADER.len()).enumerate().skip(1);
    let headers = headers.filter(|(_, bytes)| **bytes == HEADER);
    headers.map(|(at, _)| at).chain([packed.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::testing::pack;

    #[test]
    fn members_end_where_the_next_begins_and_at_the_end() {
        let (one, two) = (pack(b"{\"n\":1}\n"), pack(b""));
        let ends = |bytes: &[u8]| member_ends(bytes).collect::<Vec<_>>();
        assert_eq!(ends(&one), [one.len()]);
        let all = [one.clone(), two.clone(), one.clone()].concat();
        let first = one.len();
        assert_eq!(ends(&all), [first, first + two.len(), all.len()]);
        // What looks like a header within a member is one place more, never one less.
        let odd = pack(&HEADER);
        assert_eq!(ends(&odd), [15, odd.len()]);
        assert_eq!(ends(b""), [0]);
    }
}
