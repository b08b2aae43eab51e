//! DEFLATE (RFC 1951) undone.

use super::GunzipError;
use super::huffman::{Bits, Code, MAX_SYMBOLS};

/// The symbol that ends a block.
const END: u16 = 256;

/// Symbols of lengths and of distances: the smallest of each, and how many bits say what is added to it.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// The order in which the lengths of the codes' own code are told.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Unpacks a stream of blocks behind what `out` has, to at most `limit` bytes in all; gives what is behind it.
pub(super) fn inflate<'a>(
    packed: &'a [u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<&'a [u8], GunzipError> {
    let start = out.len();
    let mut bits = Bits::of(packed);
    let broken = GunzipError::Broken;
    loop {
        let is_last = bits.take(1).ok_or(broken)? == 1;
        match bits.take(2).ok_or(broken)? {
            0 => bits = stored(&bits, limit, out)?,
            1 => {
                let (literals, distances) = fixed().ok_or(broken)?;
                block(&mut bits, &literals, &distances, start, limit, out)?;
            }
            2 => {
                let (literals, distances) = told(&mut bits).ok_or(broken)?;
                block(&mut bits, &literals, &distances, start, limit, out)?;
            }
            _ => return Err(broken),
        }
        if is_last {
            return Ok(bits.rest());
        }
    }
}

/// Copies a block that is not packed; gives the bits behind it.
fn stored<'a>(bits: &Bits<'a>, limit: usize, out: &mut Vec<u8>) -> Result<Bits<'a>, GunzipError> {
    let cut = || {
        let (head, rest) = bits.rest().split_first_chunk::<4>()?;
        let [a, b, c, d] = *head;
        let len = u16::from_le_bytes([a, b]);
        let is_sound = len == !u16::from_le_bytes([c, d]);
        rest.split_at_checked(usize::from(len)).filter(|_| is_sound)
    };
    let (bytes, rest) = cut().ok_or(GunzipError::Broken)?;
    if out.len().saturating_add(bytes.len()) > limit {
        return Err(GunzipError::TooLarge);
    }
    out.extend_from_slice(bytes);
    Ok(Bits::of(rest))
}

/// Unpacks a block.
fn block(
    bits: &mut Bits<'_>,
    literals: &Code,
    distances: &Code,
    start: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), GunzipError> {
    let broken = GunzipError::Broken;
    loop {
        let symbol = literals.read(bits).ok_or(broken)?;
        if let Ok(byte) = u8::try_from(symbol) {
            if out.len() >= limit {
                return Err(GunzipError::TooLarge);
            }
            out.push(byte);
            continue;
        }
        if symbol == END {
            return Ok(());
        }
        let length = number(bits, &LENGTHS, symbol.wrapping_sub(END + 1)).ok_or(broken)?;
        let symbol = distances.read(bits).ok_or(broken)?;
        let distance = number(bits, &DISTANCES, symbol).ok_or(broken)?;
        // A member knows nothing of the one before it.
        if distance > out.len().saturating_sub(start) {
            return Err(broken);
        }
        if out.len().saturating_add(length) > limit {
            return Err(GunzipError::TooLarge);
        }
        repeat(out, distance, length);
    }
}

/// A length or distance.
fn number(bits: &mut Bits<'_>, table: &[(u16, u8)], symbol: u16) -> Option<usize> {
    let (least, more) = *table.get(usize::from(symbol))?;
    let more = bits.take(u32::from(more))?;
    Some(usize::from(least).saturating_add(usize::from(more)))
}

/// Repeats what stands so far back; what is repeated may be repeated itself.
fn repeat(out: &mut Vec<u8>, distance: usize, length: usize) {
    let from = out.len().saturating_sub(distance);
    let mut left = length;
    while left > 0 && distance > 0 {
        let some = left.min(out.len().saturating_sub(from));
        out.extend_from_within(from..from.saturating_add(some));
        left = left.saturating_sub(some);
    }
}

/// The codes that need not be told.
fn fixed() -> Option<(Code, Code)> {
    let mut lengths = [8; MAX_SYMBOLS];
    lengths.get_mut(144..256)?.fill(9);
    lengths.get_mut(256..280)?.fill(7);
    Some((Code::of(&lengths)?, Code::of(&[5; 32])?))
}

/// The codes that a block tells.
fn told(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    let literals = usize::from(bits.take(5)?).saturating_add(257);
    let distances = usize::from(bits.take(5)?).saturating_add(1);
    let count = usize::from(bits.take(4)?).saturating_add(4);
    let mut lengths = [0; 19];
    for place in ORDER.iter().take(count) {
        *lengths.get_mut(*place)? = bits.take(3)? as u8;
    }
    let code = Code::of(&lengths)?;
    let mut lengths = [0_u8; 320];
    let (mut at, all) = (0_usize, literals.saturating_add(distances));
    while at < all {
        let (length, times) = match code.read(bits)? {
            16 => (
                *lengths.get(at.checked_sub(1)?)?,
                bits.take(2)?.wrapping_add(3),
            ),
            17 => (0, bits.take(3)?.wrapping_add(3)),
            18 => (0, bits.take(7)?.wrapping_add(11)),
            length => (length as u8, 1),
        };
        let end = at.saturating_add(usize::from(times));
        lengths.get_mut(..all)?.get_mut(at..end)?.fill(length);
        at = end;
    }
    let (literal_lengths, rest) = lengths.split_at_checked(literals)?;
    // Without its end a block has none.
    if *literal_lengths.get(usize::from(END))? == 0 || literals > 286 || distances > 30 {
        return None;
    }
    Some((
        Code::of(literal_lengths)?,
        Code::of(rest.get(..distances)?)?,
    ))
}
