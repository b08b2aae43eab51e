//! Private things inside a text, replaced where they stand.

use std::ops::Range;

use super::{REDACTED, card, contact};

/// What one scan of a text's bytes finds. It may suspect too much, never too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// There may be control characters, an e-mail address, a card number or a bearer token.
    pub(crate) private: bool,
    /// If it is a URL, it may have a query, a fragment, user information or something encoded.
    pub(crate) url_parts: bool,
}

/// Looks at a text once, so that nearly every text needs no second look. Of one that has lines, line breaks and
/// tabulators are no suspicion.
pub(crate) fn suspicion(text: &str, has_lines: bool) -> Suspicion {
    let counts = count(text);
    if counts.may_be_private() {
        return close_look(text, has_lines);
    }
    Suspicion {
        private: false,
        url_parts: counts.of(URL) > 0,
    }
}

/// Counts of classes of bytes, ten bits each.
#[derive(Clone, Copy)]
struct Counts(u64);

/// Bits of a count.
const LANE_BITS: u32 = 10;
/// A count; of as many bytes none overflows.
const LANE: u64 = (1 << LANE_BITS) - 1;

const DIGITS: u32 = 0;
/// What needs a closer look wherever it stands: `@`, `%`, and what begins a control character.
const HARD: u32 = LANE_BITS;
/// What needs one in a URL: `?` and `#`.
const URL: u32 = 2 * LANE_BITS;
/// Letters of `bearer`, of which it has one, two and two.
const B: u32 = 3 * LANE_BITS;
const R: u32 = 4 * LANE_BITS;
const E: u32 = 5 * LANE_BITS;

static CLASSES: [u64; 256] = classes();

const fn classes() -> [u64; 256] {
    let mut classes = [0; 256];
    let mut rest: &mut [u64] = &mut classes;
    let mut byte = 0_u8;
    while let [first, after @ ..] = rest {
        *first = match byte {
            b'0'..=b'9' => 1 << DIGITS,
            b'@' | b'%' | 0..=0x1f | 0x7f | 0xc2 => 1 << HARD,
            b'?' | b'#' => 1 << URL,
            b'b' | b'B' => 1 << B,
            b'r' | b'R' => 1 << R,
            b'e' | b'E' => 1 << E,
            _ => 0,
        };
        byte = byte.wrapping_add(1);
        rest = after;
    }
    classes
}

/// What a text is made of. A text that is too long to be counted is suspect.
fn count(text: &str) -> Counts {
    let bytes = text.as_bytes();
    if bytes.len() as u64 > LANE {
        return Counts(1 << HARD);
    }
    let class = |byte: &u8| CLASSES.get(usize::from(*byte)).copied().unwrap_or(0);
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut sum = 0_u64;
    for chunk in chunks {
        // Eight at a time, of a known number, so that no byte costs a branch.
        sum = chunk.iter().map(class).fold(sum, u64::wrapping_add);
    }
    Counts(rest.iter().map(class).fold(sum, u64::wrapping_add))
}

impl Counts {
    fn of(self, lane: u32) -> u64 {
        (self.0 >> lane) & LANE
    }

    fn may_be_private(self) -> bool {
        self.of(HARD) > 0
            || self.of(DIGITS) >= card::MIN_DIGITS as u64
            || (self.of(B) > 0 && self.of(R) > 1 && self.of(E) > 1)
    }
}

/// Looks at what stands where.
fn close_look(text: &str, has_lines: bool) -> Suspicion {
    let mut found = Suspicion {
        private: false,
        url_parts: false,
    };
    let mut digits = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.saturating_add(1);
                found.private |= digits >= card::MIN_DIGITS;
                continue;
            }
            b' ' | b'-' => continue,
            b'@' => {
                found = Suspicion {
                    private: true,
                    url_parts: true,
                }
            }
            b'%' => {
                found.url_parts = true;
                found.private |= contact::encoded_at(text, at).is_some();
            }
            b'?' | b'#' => found.url_parts = true,
            b'b' | b'B' => found.private |= contact::is_bearer(text, at),
            b'\n' | b'\t' if has_lines => {}
            0..=0x1f | 0x7f => found.private = true,
            // The first byte of two: of a control character, or of a sign such as `£`.
            0xc2 => found.private |= is_control_tail(text.as_bytes().get(at.saturating_add(1))),
            _ => {}
        }
        digits = 0;
    }
    found
}

fn is_control_tail(byte: Option<&u8>) -> bool {
    matches!(byte, Some(0x80..=0x9f))
}

/// The text with e-mail addresses, card numbers and bearer tokens replaced by `[redacted]`; `None`
/// where there are none. What overlaps or touches is replaced as one.
pub(crate) fn redact(text: &str) -> Option<String> {
    // No control character tells of anything private.
    if !suspicion(text, true).private {
        return None;
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    contact::find_emails(text, &mut found);
    contact::find_bearers(text, &mut found);
    card::find(text, &mut found);
    if found.is_empty() {
        return None;
    }
    // Not by the library's sort, which would be 4 KB: these are a few, in three runs.
    let mut in_order: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        let at = in_order.partition_point(|other| other.start <= range.start);
        in_order.insert(at, range);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0_usize;
    let mut hidden = false;
    for Range { start, end } in in_order {
        if start > done || !hidden {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(REDACTED);
            hidden = true;
        }
        done = done.max(end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}

#[cfg(test)]
mod tests;
