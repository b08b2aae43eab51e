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
