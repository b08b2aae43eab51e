//! A code for each event, packed: 0 is none, others name an entry of a dictionary.

use shoreline_shared::bits::{self, MAX_WIDTH, bytes_of, pack, width};

use super::Broken;
use super::bytes::Reader;

/// All events have one: codes less 1, in as many bits as the last needs.
const FULL: u8 = 0;
/// Codes, in as many bits as the last needs.
const MIXED: u8 = 1;
/// A bit for each event that has one, then the codes of those as in [`FULL`].
const SPARSE: u8 = 2;

/// Writes the codes of a dictionary of `size` entries in the smallest of three forms.
pub(super) fn put_codes(out: &mut Vec<u8>, codes: &[u32], size: usize) {
    let (all, full) = (width(size), width(size.saturating_sub(1)));
    let has = codes.iter().filter(|code| **code != 0).count();
    let present = || {
        let present = codes.iter().filter(|code| **code != 0);
        present.map(|code| code.wrapping_sub(1))
    };
    let sparse = bytes_of(codes.len(), 1).saturating_add(bytes_of(has, full));
    if has == codes.len() {
        out.push(FULL);
        pack(out, present(), full);
    } else if sparse < bytes_of(codes.len(), all) {
        out.push(SPARSE);
        pack(out, codes.iter().map(|code| u32::from(*code != 0)), 1);
        pack(out, present(), full);
    } else {
        out.push(MIXED);
        pack(out, codes.iter().copied(), all);
    }
}

/// Reads the codes of `n` events: each is one of a dictionary of `size` entries, or 0.
pub(super) fn read_codes(
    reader: &mut Reader<'_>,
    n: usize,
    size: usize,
) -> Result<Vec<u32>, Broken> {
    let full = width(size.saturating_sub(1));
    let (codes, most) = match reader.byte()? {
        FULL => {
            let mut codes = unpack(reader, n, full)?;
            let most = bits::count_from_one(&mut codes);
            (codes, most)
        }
        MIXED => {
            let codes = unpack(reader, n, width(size))?;
            let most = bits::largest(&codes);
            (codes, most)
        }
        SPARSE => {
            let mut codes = unpack(reader, n, 1)?;
            let has = codes.iter().filter(|has| **has == 1).count();
            let mut present = unpack(reader, has, full)?;
            let most = bits::count_from_one(&mut present);
            let places = codes.iter_mut().filter(|has| **has == 1);
            for (place, code) in places.zip(present) {
                *place = code;
            }
            (codes, most)
        }
        _ => return Err(Broken("its codes have an unknown form")),
    };
    if most as usize > size {
        return Err(Broken("a code is of no entry"));
    }
    Ok(codes)
}

/// Reads `n` numbers of `width` bits each; at most 32 bits.
pub(super) fn unpack(reader: &mut Reader<'_>, n: usize, width: u32) -> Result<Vec<u32>, Broken> {
    if width > MAX_WIDTH {
        return Err(Broken("a dictionary is too large"));
    }
    Ok(bits::unpack(reader.take(bytes_of(n, width))?, n, width))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(codes: &[u32], size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put_codes(&mut out, codes, size);
        out
    }

    proptest! {
        #[test]
        fn codes_come_back(
            size in prop_oneof![1_usize..5, 1_usize..70_000, Just(u32::MAX as usize)],
            parts in prop::collection::vec(any::<u32>(), 0..200),
            none in 0_u32..5,
        ) {
            let code = |part: &u32| match part % 5 < none {
                true => 0,
                false => (u64::from(*part) % size as u64) as u32 + 1,
            };
            let codes: Vec<u32> = parts.iter().map(code).collect();
            let out = written(&codes, size);
            let mut reader = Reader(&out);
            prop_assert_eq!(read_codes(&mut reader, codes.len(), size), Ok(codes));
            prop_assert_eq!(reader.left(), 0);
        }
    }

    #[test]
    fn one_value_of_all_events_takes_one_byte_and_few_values_a_bit_each() {
        assert_eq!(written(&[1; 1_000], 1), [FULL]);
        let mut few = [0; 1_000];
        few[7] = 200;
        assert_eq!(written(&few, 200).len(), 1 + 125 + 1);
        assert_eq!(written(&[0, 1, 2, 3].repeat(250), 3).len(), 1 + 250);
    }

    #[test]
    fn codes_that_no_entry_has_are_broken() {
        for wrong in [
            &[FULL, 7][..],
            &[MIXED, 7],
            &[SPARSE, 1, 7],
            &[3, 0],
            &[],
            &[SPARSE],
        ] {
            assert!(read_codes(&mut Reader(wrong), 1, 5).is_err(), "{wrong:?}");
        }
        // Without entries nothing can be in all events.
        assert!(read_codes(&mut Reader(&[FULL]), 1, 0).is_err());
        assert_eq!(read_codes(&mut Reader(&[FULL]), 0, 0), Ok(Vec::new()));
    }
}
