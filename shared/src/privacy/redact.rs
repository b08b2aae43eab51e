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

/// Looks at a text once, so that nearly every text needs no second look.
pub(crate) fn suspicion(text: &str) -> Suspicion {
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
    if !suspicion(text).private {
        return None;
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    contact::find_emails(text, &mut found);
    contact::find_bearers(text, &mut found);
    card::find(text, &mut found);
    if found.is_empty() {
        return None;
    }
    found.sort_unstable_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0_usize;
    let mut hidden = false;
    for Range { start, end } in found {
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
