//! One spelling for the paths of pages, which browsers and people write in several.

use std::borrow::Cow;

use crate::swar::{equal, find, split_at};

/// A path in its one spelling, which is the one that people read: percent-encoding is undone wherever the sign
/// can stand for itself (RFC 3986, 6.2.2.2, and what browsers encode in a path), so `/%C3%BCber` becomes `/über` and
/// `/a%20b` becomes `/a b`. What would mean something else (`%2F`), what shows nothing and what is no UTF-8 stays,
/// with large letters; a `%` that encodes nothing becomes `%25`. Doing it twice equals doing it once.
///
/// ```
/// # use shoreline_shared::privacy::spelled;
/// assert_eq!(spelled("/%c3%bcber/a%2fb/%7Eme"), "/über/a%2Fb/~me");
/// ```
pub fn spelled(path: &str) -> Cow<'_, str> {
    if find(path.as_bytes(), |word| equal(word, b'%')).is_none() {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    push_spelled(&mut out, path);
    Cow::Owned(out)
}

/// Writes a path, or a piece of one, in its one spelling.
pub(super) fn push_spelled(out: &mut String, path: &str) {
    let mut rest = path;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let (plain, encoded) = split_at(rest, |word| equal(word, b'%'));
        out.push_str(plain);
        rest = encoded;
        bytes.clear();
        while let Some((byte, after)) = triplet(rest) {
            bytes.push(byte);
            rest = after;
        }
        push_decoded(out, &bytes);
        if bytes.is_empty()
            && let Some(after) = rest.strip_prefix('%')
        {
            push_triplet(out, b'%');
            rest = after;
        }
    }
}

/// The byte that `text` begins with the encoding of, and what comes behind it.
fn triplet(text: &str) -> Option<(u8, &str)> {
    let (hex, after) = text.strip_prefix('%')?.split_at_checked(2)?;
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(hex, 16).ok();
    Some((byte.filter(|_| is_hex)?, after))
}

fn push_decoded(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for sign in chunk.valid().chars() {
            if stands_for_itself(sign) {
                out.push(sign);
            } else {
                let mut bytes = [0; 4];
                let text = sign.encode_utf8(&mut bytes);
                text.bytes().for_each(|byte| push_triplet(out, byte));
            }
        }
        let invalid = chunk.invalid().iter();
        invalid.for_each(|byte| push_triplet(out, *byte));
    }
}

/// Whether a sign means the same encoded or not: letters, digits, what RFC 3986 does not reserve, and what browsers
/// encode because it may not stand in a URL.
fn stands_for_itself(sign: char) -> bool {
    match sign {
        '!' | '#'..='/' | ':' | ';' | '=' | '?' | '@' | '['..=']' => matches!(sign, '-' | '.'),
        _ => !sign.is_control(),
    }
}

fn push_triplet(out: &mut String, byte: u8) {
    out.push('%');
    for digit in [byte >> 4, byte & 15] {
        let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
        out.push(digit.to_ascii_uppercase());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_page_has_one_spelling() {
        for (path, want) in [
            ("/über", "/über"),
            ("/%C3%BCber", "/über"),
            ("/%c3%bcber", "/über"),
            ("/%61%2Db%2e%5F%7e", "/a-b._~"),
            ("/a%20b", "/a b"),
            ("/%22%3C%3E%5E%60%7B%7C%7D", "/\"<>^`{|}"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%3fb%23%26%3d%2b%25%5c", "/a%3Fb%23%26%3D%2B%25%5C"),
            ("/100%", "/100%25"),
            ("/100%25", "/100%25"),
            ("/%%34%31", "/%2541"),
            ("/%zz%+f%4", "/%25zz%25+f%254"),
            ("/%ff%C3%28", "/%FF%C3%28"),
            ("/%00%1f%7F%C2%85", "/%00%1F%7F%C2%85"),
            ("/%F0%9F%98%80", "/😀"),
            ("/%é", "/%25é"),
            ("", ""),
        ] {
            assert_eq!(spelled(path), want, "{path}");
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(path in "([a-zA-Z0-9/é%]|%[0-9a-fA-F]{2}|%C3%BC){0,20}") {
            let once = spelled(&path).into_owned();
            prop_assert_eq!(spelled(&once), once.as_str());
        }

        /// However much of a path is encoded, it is one page.
        #[test]
        fn what_a_browser_encodes_is_the_same_page(path in "[a-zA-Z0-9/éü 漢\"<>_~.-]{0,20}", all: bool) {
            let mut encoded = String::new();
            for byte in path.bytes() {
                if byte == b'/' || !all && byte.is_ascii_alphanumeric() {
                    encoded.push(char::from(byte));
                } else {
                    push_triplet(&mut encoded, byte);
                }
            }
            prop_assert_eq!(spelled(&encoded), path);
        }
    }
}
