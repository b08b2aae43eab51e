//! gzip (RFC 1952) undone: of all members of a body, which may be several, one behind the other. The platform's own
//! stream takes one member alone, and costs a body several turns between JavaScript and wasm.

mod deflate;
mod huffman;

use deflate::inflate;

/// Why a body cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GunzipError {
    /// It unpacks to more bytes than allowed: a small body can unpack to gigabytes.
    TooLarge,
    /// It is cut off, damaged, or not gzip.
    Broken,
}

/// Bytes of a member's fixed header.
const HEADER: usize = 10;

/// Flags of a member's header: what stands behind it.
const HAS_CHECK: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// Unpacks a body to at most `limit` bytes. Zeros behind the last member are padding.
///
/// # Errors
/// See [`GunzipError`].
pub fn gunzip(packed: &[u8], limit: usize) -> Result<Vec<u8>, GunzipError> {
    let mut out = Vec::new();
    let mut rest = packed;
    loop {
        rest = member(rest, limit, &mut out)?;
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(out);
        }
    }
}

/// Unpacks the member that `packed` begins with; gives what is behind it.
fn member<'a>(packed: &'a [u8], limit: usize, out: &mut Vec<u8>) -> Result<&'a [u8], GunzipError> {
    let start = out.len();
    let data = header(packed).ok_or(GunzipError::Broken)?;
    let rest = inflate(data, limit, out)?;
    let (trailer, rest) = rest.split_first_chunk::<8>().ok_or(GunzipError::Broken)?;
    let unpacked = out.get(start..).unwrap_or_default();
    // The length counts modulo 2^32, which no body reaches.
    let want = u64::from(crc32(unpacked)) | (unpacked.len() as u64) << 32;
    if u64::from_le_bytes(*trailer) == want {
        Ok(rest)
    } else {
        Err(GunzipError::Broken)
    }
}

/// What stands behind a member's header.
fn header(packed: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = packed.split_first_chunk::<HEADER>()?;
    let [0x1f, 0x8b, 8, flags, ..] = *header else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & HAS_EXTRA != 0 {
        let (len, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end.checked_add(1)?..)?;
        }
    }
    if flags & HAS_CHECK != 0 {
        let (check, data) = rest.split_first_chunk::<2>()?;
        let checked = packed.get(..packed.len().checked_sub(rest.len())?)?;
        if !crc32(checked).to_le_bytes().starts_with(check) {
            return None;
        }
        rest = data;
    }
    Some(rest)
}

/// The check sum of each byte (polynomial 0xedb88320).
static CRC: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0_u32;
    while let [first, after @ ..] = rest {
        let (mut crc, mut bit) = (byte, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit = u32::wrapping_add(bit, 1);
        }
        *first = crc;
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        let known = CRC.get(usize::from(low ^ byte)).copied();
        (crc >> 8) ^ known.unwrap_or(0)
    });
    !sum
}

#[cfg(test)]
mod tests;
