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

/// The 128 bits of a UUID in the form that [`parse_uuid`] takes: the same for the same id in whatever
/// case.
#[cfg(feature = "pipeline")]
pub fn uuid_bits(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let (head, rest) = bytes.split_first_chunk::<19>()?;
    let [a @ .., h1, b1, b2, b3, b4, h2, c1, c2, c3, c4, h3] = head;
    let [d1, d2, d3, d4, h4, e @ ..] = rest.first_chunk::<17>()?;
    let hyphens = [h1, h2, h3, h4].map(|byte| u8::from(*byte != b'-'));
    let high = a.iter().chain([b1, b2, b3, b4, c1, c2, c3, c4]);
    let low = [d1, d2, d3, d4].into_iter().chain(e);
    let (mut bad, mut bits) = (hyphens.into_iter().fold(0, |a, b| a | b), [0_u64; 2]);
    let [upper, lower] = &mut bits;
    for byte in high {
        let digit = HEX.get(usize::from(*byte)).copied().unwrap_or(NO_HEX);
        bad |= digit & NO_HEX;
        *upper = (*upper << 4) | u64::from(digit & 0x0f);
    }
    for byte in low {
        let digit = HEX.get(usize::from(*byte)).copied().unwrap_or(NO_HEX);
        bad |= digit & NO_HEX;
        *lower = (*lower << 4) | u64::from(digit & 0x0f);
    }
    (bad == 0).then_some((u128::from(*upper) << 64) | u128::from(*lower))
}

/// What is no hex digit.
#[cfg(feature = "pipeline")]
const NO_HEX: u8 = 0x80;

/// The values of hex digits, by their bytes.
#[cfg(feature = "pipeline")]
static HEX: [u8; 256] = hex_digits();

#[cfg(feature = "pipeline")]
const fn hex_digits() -> [u8; 256] {
    let mut digits = [NO_HEX; 256];
    let mut rest: &mut [u8] = &mut digits;
    let mut byte = 0_u8;
    while let [first, after @ ..] = rest {
        *first = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
            b'A'..=b'F' => byte.wrapping_sub(b'A').wrapping_add(10),
            _ => NO_HEX,
        };
        byte = byte.wrapping_add(1);
        rest = after;
    }
    digits
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
