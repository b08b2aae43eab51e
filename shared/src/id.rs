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
pub fn uuid_bits(text: &str) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut bits = 0_u128;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            (byte == b'-').then_some(())?;
        } else {
            let digit = char::from(byte).to_digit(16)?;
            bits = (bits << 4) | u128::from(digit);
        }
    }
    Some(bits)
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
