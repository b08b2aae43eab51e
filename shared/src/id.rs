//! Event ids: made fresh, read, or derived so that a retry makes the same one.

use alloc::string::String;

/// A UUIDv7 of a moment (Unix milliseconds; before 1970 counts as 1970) and ten random bytes, in
/// lowercase with hyphens. Ids of later milliseconds sort later.
///
/// ```
/// let id = shoreline_shared::id::uuid_v7(1_705_334_400_000, [0xff; 10]);
/// assert_eq!(id, "018d0dd9-e400-7fff-bfff-ffffffffffff");
/// ```
pub fn uuid_v7(now_ms: i64, random: [u8; 10]) -> String {
    let [_, _, a, b, c, d, e, f] = now_ms.max(0).to_be_bytes();
    let [g, h, i, j, k, l, m, n, o, p] = random;
    write([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], 0x70)
}

/// The UUID in lowercase, where `text` is one: the 36-character form with hyphens, of any version,
/// in upper or lower case.
pub fn parse_uuid(text: &str) -> Option<String> {
    let is_uuid = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid.then(|| text.to_ascii_lowercase())
}

/// The 128 bits of a UUID in the form that [`parse_uuid`] takes.
#[cfg(feature = "pipeline")]
pub fn uuid_bits(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let (a, rest) = bytes.split_first_chunk::<8>()?;
    let [h1, b1, b2, b3, b4, h2, c1, c2, c3, c4, h3, rest @ ..] = rest else {
        return None;
    };
    let [d1, d2, d3, d4, h4, e1, e2, e3, e4, f @ ..] = rest else {
        return None;
    };
    if [*h1, *h2, *h3, *h4] != *b"----" {
        return None;
    }
    let digits = [
        u64::from_le_bytes(*a),
        u64::from_le_bytes([*b1, *b2, *b3, *b4, *c1, *c2, *c3, *c4]),
        u64::from_le_bytes([*d1, *d2, *d3, *d4, *e1, *e2, *e3, *e4]),
        u64::from_le_bytes(f.try_into().ok()?),
    ];
    let valid = digits
        .into_iter()
        .fold(u64::MAX, |all, word| all & hex_digits(word));
    if valid & TOPS != TOPS {
        return None;
    }
    let [a, b, c, d] = digits.map(|word| u128::from(value(word)));
    Some(a << 96 | b << 64 | c << 32 | d)
}

#[cfg(feature = "pipeline")]
const ONES: u64 = 0x0101_0101_0101_0101;
#[cfg(feature = "pipeline")]
const TOPS: u64 = 0x80 * ONES;

/// The top bits of those of eight bytes that are hex digits.
#[cfg(feature = "pipeline")]
const fn hex_digits(word: u64) -> u64 {
    // Of bytes below 0x80 no sum runs into the next.
    let ascii = word & !TOPS;
    let lower = ascii | (0x20 * ONES);
    let digits = at_least(ascii, 0x30) & !at_least(ascii, 0x3a);
    let letters = at_least(lower, 0x61) & !at_least(lower, 0x67);
    (digits | letters) & !word & TOPS
}

/// The top bits of those of eight ASCII bytes that are this one or above it.
#[cfg(feature = "pipeline")]
const fn at_least(ascii: u64, first: u64) -> u64 {
    ascii.wrapping_add(0x80_u64.wrapping_sub(first).wrapping_mul(ONES))
}

/// The value of eight hex digits, of which the first is the lowest byte.
#[cfg(feature = "pipeline")]
const fn value(word: u64) -> u32 {
    let letters = (word >> 6) & ONES;
    let nibbles = (word & (0x0f * ONES)).wrapping_add(letters.wrapping_mul(9));
    // The first nibble is the highest now; two become a byte, which stands in every second one.
    let nibbles = nibbles.swap_bytes();
    let pairs = (nibbles << 4 | nibbles << 8) & 0xff00_ff00_ff00_ff00;
    let rest = pairs as u32;
    let low = (rest >> 16 & 0xff00) | (rest >> 8 & 0x00ff);
    let high = (pairs >> 48) as u32 & 0xff00 | (pairs >> 40) as u32 & 0x00ff;
    high << 16 | low
}

/// Whether a UUID, as [`parse_uuid`] gives it, is of version 8: those that the collector itself makes
/// of names, and that anybody can make who knows the name. Who holds no secret key may not send them,
/// or a page could take the place of a service's event before it comes.
pub fn is_derived(uuid: &str) -> bool {
    uuid.as_bytes().get(14) == Some(&b'8')
}

/// Writes 16 bytes as a UUID of this version (upper four bits) and of RFC 9562's variant.
fn write(mut bytes: [u8; 16], version: u8) -> String {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let [.., versioned, _, varied, _, _, _, _, _, _, _] = &mut bytes;
    *versioned = (*versioned & 0x0f) | version;
    *varied = (*varied & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(HEX.get(usize::from(nibble)).copied().unwrap_or('0'));
        }
    }
    text
}

/// The id of an event that has none: UUIDv8 of SHA-256 over the site, the batch id or idempotency
/// key, and the event's index in the batch, from 0. A retry makes the same ids.
#[cfg(feature = "pipeline")]
pub fn derived(site: &str, batch_or_key: &str, index: usize) -> String {
    let index = u64::try_from(index).unwrap_or(u64::MAX).to_be_bytes();
    hashed(&[b"batch", site.as_bytes(), batch_or_key.as_bytes(), &index])
}

/// The id of an event whose sender names it by something else than a UUID (Segment's `messageId`,
/// CloudEvents' `source` and `id` together): UUIDv8 of SHA-256 over the site and that name.
#[cfg(feature = "pipeline")]
pub fn foreign(site: &str, foreign_id: &str) -> String {
    hashed(&[b"foreign", site.as_bytes(), foreign_id.as_bytes()])
}

/// Hashes fields, each behind its length, so that no two lists of fields are the same bytes.
#[cfg(feature = "pipeline")]
fn hashed(fields: &[&[u8]]) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(field);
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    write(bytes, 0x80)
}

#[cfg(test)]
mod tests;
