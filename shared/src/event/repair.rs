//! What browsers send and a strict JSON parser refuses, put right in the text.

use serde::de::IgnoredAny;

/// Replaces numbers that no double can hold by `null`, and escapes of half a surrogate pair by
/// that of U+FFFD. Everything else stays as it is, well-formed or not.
pub(super) fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let (token, repaired) = match first {
            b'"' => {
                let token = head(rest, string_len(rest));
                (token, Some(repair_string(token)))
            }
            b'-' | b'0'..=b'9' => {
                let token = head(rest, number_len(rest));
                (token, overflows(token).then(|| "null".to_owned()))
            }
            _ => {
                let plain = |byte: u8| byte != b'"' && byte != b'-' && !byte.is_ascii_digit();
                let len = rest.bytes().take_while(|byte| plain(*byte)).count();
                (head(rest, len), None)
            }
        };
        out.push_str(repaired.as_deref().unwrap_or(token));
        rest = rest.get(token.len().max(1)..).unwrap_or_default();
    }
    out
}

fn head(text: &str, len: usize) -> &str {
    text.get(..len).unwrap_or(text)
}

/// Bytes of the string that `text` begins with, both quotes included.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    let closing = text.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    closing.map_or(text.len(), |at| at.saturating_add(2))
}

fn number_len(text: &str) -> usize {
    let part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    text.bytes().take_while(|byte| part(*byte)).count()
}

/// Whether it is a number, but one that no double can hold. Not by `f64::from_str`: its tables are 10 KB of
/// the worker, beside those of the JSON parser.
fn overflows(number: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(number).is_ok()
        && serde_json::from_str::<f64>(number).is_err()
}

fn repair_string(token: &str) -> String {
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let (len, lone) = match unit(escape) {
            Some(0xd800..=0xdbff) => {
                let next = escape.get(6..).and_then(unit);
                let paired = matches!(next, Some(0xdc00..=0xdfff));
                (if paired { 12 } else { 6 }, !paired)
            }
            Some(0xdc00..=0xdfff) => (6, true),
            Some(_) => (6, false),
            // An escape of one character, or of none at the end of a broken text.
            None => (escape.chars().take(2).map(char::len_utf8).sum(), false),
        };
        out.push_str(if lone { "\\ufffd" } else { head(escape, len) });
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit that `text` begins with an escape of.
fn unit(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    let all_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_hex.then(|| u32::from_str_radix(hex, 16).ok()).flatten()
}
