//! Strings and numbers: told to be clean at one look, cleaned otherwise, and written as JSON.

use serde_json::Number;

use super::scan::stops;
use crate::privacy::{Style, is_card_number};
use crate::swar::{equal, split_at};
use crate::text::{cleaned, is_dropped};

/// Digits of an integer that cannot be a card number, and that are printed as they stand.
const SHORT_NUMBER: usize = 13;

/// Significant digits with which two decimals are never the same double (DBL_DIG).
const EXACT_DIGITS: usize = 15;

/// Writes a text as it may be stored.
pub(super) fn push_cleaned(out: &mut String, text: &str, style: Style) {
    match cleaned(text, style) {
        Some(better) => push_text(out, &better),
        None => push_text(out, text),
    }
}

/// Writes a text as JSON, as `serde_json` does.
pub(super) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let (before, after) = split_at(rest, stops);
        out.push_str(before);
        if after.is_empty() {
            break;
        }
        let (sign, after) = after.split_at_checked(1).unwrap_or((after, ""));
        match sign {
            "\"" => out.push_str("\\\""),
            "\\" => out.push_str("\\\\"),
            control => {
                let quoted = serde_json::to_string(control).unwrap_or_default();
                out.push_str(quoted.trim_matches('"'));
            }
        }
        rest = after;
    }
    out.push('"');
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    push_text(&mut out, text);
    out
}

/// Undoes the escapes of a string's inside, without the control characters that they hide: every
/// string loses these first, but for the breaks of one that has lines. `None` of half a surrogate pair.
pub(super) fn unescape(raw: &str, has_lines: bool, out: &mut String) -> Option<Controls> {
    let mut controls = Controls::None;
    let mut rest = raw;
    loop {
        let (before, escape) = split_at(rest, |word| equal(word, b'\\'));
        out.push_str(before);
        if escape.is_empty() {
            return Some(controls);
        }
        let (sign, len) = unescaped(escape)?;
        if is_dropped(sign, has_lines) {
            controls = Controls::Some;
        } else {
            out.push(sign);
        }
        rest = escape.get(len..)?;
    }
}

/// Whether escaped control characters were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controls {
    None,
    Some,
}

/// The character that an escape stands for, and the escape's length.
fn unescaped(escape: &str) -> Option<(char, usize)> {
    let sign = match escape.as_bytes().get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = unit(escape)?;
            return match char::from_u32(unit) {
                Some(sign) => Some((sign, 6)),
                None => {
                    let pair = [unit, self::unit(escape.get(6..)?)?];
                    let pair = pair.map(|unit| u16::try_from(unit).unwrap_or(0));
                    let sign = char::decode_utf16(pair).next()?.ok()?;
                    Some((sign, 12))
                }
            };
        }
        sign => char::from(*sign),
    };
    Some((sign, 2))
}

/// The UTF-16 unit that `text` begins with an escape of.
fn unit(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(hex, 16).ok()
}

/// Writes a number as `serde_json` does, or hides it where it is a card number.
pub(super) fn push_number(out: &mut String, raw: &str) -> Option<()> {
    if prints_as_it_stands(raw) {
        out.push_str(raw);
        return Some(());
    }
    let number = number(raw)?;
    if is_card_number(&number) {
        push_text(out, crate::privacy::REDACTED);
    } else {
        out.push_str(&number.to_string());
    }
    Some(())
}

/// A number; `None` of one that no double can hold.
pub(super) fn number(raw: &str) -> Option<Number> {
    serde_json::from_str(raw).ok()
}

/// Whether a number is too short for a card's and already as `serde_json` prints it; `false` says
/// nothing. Of decimals with so few digits no two are the same double, so the shortest text that
/// gives a double back is the text that it came from.
pub(super) fn prints_as_it_stands(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    if bytes.len() <= SHORT_NUMBER && bytes.iter().all(u8::is_ascii_digit) {
        return true;
    }
    if bytes.len() > EXACT_DIGITS {
        return false;
    }
    let Some((whole, part)) = raw.split_once('.') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Over four zeros behind the point and `serde_json` writes an exponent; a zero at the end it
    // leaves out, but for the only one.
    digits(whole)
        && digits(part)
        && (part == "0" || !part.ends_with('0'))
        && !part.starts_with("0000")
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(raw: &str) -> String {
        let mut out = String::new();
        push_number(&mut out, raw).unwrap();
        out
    }

    #[test]
    fn numbers_are_printed_as_serde_json_does() {
        for raw in [
            "0",
            "-0",
            "7",
            "-7",
            "1.0",
            "1.50",
            "0.0001",
            "0.00001",
            "0.000012",
            "-0.0",
            "1e3",
            "1E-9",
            "1234567890123",
            "12345678901234",
            "18446744073709551615",
            "18446744073709551616",
            "123456789012.5",
            "0.1234567890123",
            "100000000000000000000.0",
            "9007199254740993",
        ] {
            let value: serde_json::Value = serde_json::from_str(raw).unwrap();
            assert_eq!(printed(raw), value.to_string(), "{raw}");
        }
        assert_eq!(printed("4111111111111111"), "\"[redacted]\"");
        assert_eq!(push_number(&mut String::new(), "1e999"), None);
    }

    proptest! {
        #[test]
        fn short_decimals_print_as_they_stand(raw in "(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?") {
            let value: serde_json::Value = serde_json::from_str(&raw).unwrap();
            prop_assert_eq!(printed(&raw), value.to_string());
        }

        #[test]
        fn texts_are_escaped_as_serde_json_does(text: String) {
            let mut out = String::new();
            push_text(&mut out, &text);
            prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
            let mut back = String::new();
            unescape(&out[1..out.len() - 1], false, &mut back).unwrap();
            let kept = |c: char| !(c.is_control() && u32::from(c) < 0x20);
            prop_assert_eq!(back, text.chars().filter(|c| kept(*c)).collect::<String>());
        }

        #[test]
        fn escapes_are_undone_as_serde_json_does(pieces in proptest::collection::vec(
            proptest::sample::select(&["\\u00fc", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\\"", "\\/", "\\\\", "a", "é", "\\n", "\\t", "\\u000a", "\\u0000", "\\u0085"][..]), 0..8,
        ), has_lines: bool) {
            let raw = pieces.concat();
            let mut mine = String::new();
            let told = unescape(&raw, has_lines, &mut mine);
            let theirs: Option<String> = serde_json::from_str(&format!("\"{raw}\"")).ok();
            prop_assert_eq!(told.is_some(), theirs.is_some());
            if let (Some(controls), Some(theirs)) = (told, theirs) {
                let kept = |c: &char| !c.is_control() || has_lines && matches!(c, '\n' | '\t');
                let without: String = theirs.chars().filter(kept).collect();
                prop_assert_eq!(controls == Controls::Some, without != theirs);
                prop_assert_eq!(mine, without);
            }
        }
    }
}
