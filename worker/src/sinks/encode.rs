//! The few encodings that AWS's protocols need.

/// Percent-encodes a path as AWS signs it: all but `A-Z a-z 0-9 - . _ ~ /`, UTF-8 byte by byte.
pub(super) fn encode_path(path: &str) -> String {
    use std::fmt::Write;
    path.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Base64 (RFC 4648, with padding) of `bytes` to the end of `out`.
pub(super) fn push_base64(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18_u32, 12, 6, 0].into_iter().enumerate() {
            out.push(if place > chunk.len() {
                '='
            } else {
                sextet(bits >> shift & 63)
            });
        }
    }
}

/// The length of `bytes` bytes in base64.
pub(super) fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

fn sextet(bits: u32) -> char {
    let byte = u8::try_from(bits).unwrap_or(0);
    char::from(match byte {
        0..=25 => b'A'.saturating_add(byte),
        26..=51 => b'a'.saturating_add(byte.saturating_sub(26)),
        52..=61 => b'0'.saturating_add(byte.saturating_sub(52)),
        62 => b'+',
        _ => b'/',
    })
}

/// A text as a JSON string, with all that SQS takes: of XML's characters U+FFFE and U+FFFF are
/// missing, which in JSON inside of JSON can be written as escapes.
pub(super) fn xml_safe(json: &str) -> std::borrow::Cow<'_, str> {
    if json.contains(['\u{FFFE}', '\u{FFFF}']) {
        json.replace('\u{FFFE}', "\\ufffe")
            .replace('\u{FFFF}', "\\uffff")
            .into()
    } else {
        json.into()
    }
}

/// `text` cut at `max` bytes, never inside a character.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(bytes: &[u8]) -> String {
        let mut out = String::new();
        push_base64(&mut out, bytes);
        out
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (n, want) in vectors.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..n]), *want);
            assert_eq!(base64_len(n), want.len());
        }
        assert_eq!(base64(&[0xfb, 0xff, 0x3e]), "+/8+");
        let all: Vec<u8> = (0..64_u32)
            .collect::<Vec<_>>()
            .chunks(4)
            .flat_map(|c| {
                let bits = c.iter().fold(0, |sum, six| sum << 6 | six);
                bits.to_be_bytes()[1..].to_vec()
            })
            .collect();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        assert_eq!(base64(&all), alphabet);
    }

    #[test]
    fn paths_are_encoded_as_they_are_signed() {
        assert_eq!(
            encode_path("/a/date=2024-01-15/x~y.gz"),
            "/a/date%3D2024-01-15/x~y.gz"
        );
        assert_eq!(encode_path("ሴ +"), "%E1%88%B4%20%2B");
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped_and_means_the_same() {
        let json = "{\"a\":\"\u{FFFE}x\u{FFFF}\"}";
        let safe = xml_safe(json);
        assert!(!safe.contains(['\u{FFFE}', '\u{FFFF}']));
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&safe), value(json));
        assert!(matches!(xml_safe("{}"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn a_cut_is_never_inside_a_character() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("a", 9), "a");
    }
}
