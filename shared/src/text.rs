//! One string: control characters, outer spaces, private things, length.

use std::borrow::Cow;

use crate::limits::MAX_STRING_CHARS;
use crate::privacy::{REDACTED, Style, clean_url, is_absolute_url, redact, suspicion};
use crate::swar::{equal, find};

/// Passes that a string gets to settle after the first. One or two are needed where cutting a long
/// text leaves something at its end that is private or no longer whole; none was found that needs more.
const MAX_PASSES: usize = 4;

/// What one look at a string's bytes tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Cleaning would change nothing.
    Plain,
    /// A URL of the usual kind: with a query or a fragment, and nothing that is private in plain sight
    /// or encoded.
    UsualUrl,
    /// It has to be looked at closely.
    Odd,
}

/// The string as it may be stored; `None` where it is so already, which one scan of its bytes
/// finds out for nearly all strings.
pub(crate) fn cleaned(text: &str, style: Style) -> Option<String> {
    cleaned_as(text, style, look(text, style))
}

/// The same of a string that was looked at.
pub(crate) fn cleaned_as(text: &str, style: Style, look: Look) -> Option<String> {
    match look {
        Look::Plain => None,
        // What is left of it stands as it stood, with its signs between, so nothing new comes about
        // that a second pass would change.
        Look::UsualUrl => {
            let url = clean_url(text, style);
            if url.len() <= MAX_STRING_CHARS && is_trimmed(&url) {
                (url != text).then_some(url)
            } else {
                settle(text, style)
            }
        }
        Look::Odd => settle(text, style),
    }
}

/// Looks at a string once.
pub(crate) fn look(text: &str, style: Style) -> Look {
    if text.len() > MAX_STRING_CHARS || !is_trimmed(text) {
        return Look::Odd;
    }
    let found = suspicion(text, style.has_lines);
    if found.private {
        Look::Odd
    } else if !found.url_parts || !is_url(text, style) {
        Look::Plain
    } else if style.hash_routing || find(text.as_bytes(), |word| equal(word, b'%')).is_some() {
        Look::Odd
    } else {
        Look::UsualUrl
    }
}

fn settle(text: &str, style: Style) -> Option<String> {
    let mut now = pass(text, style);
    if now == text {
        return None;
    }
    for _ in 0..MAX_PASSES {
        if look(&now, style) == Look::Plain {
            return Some(now.into_owned());
        }
        let next = pass(&now, style);
        if next == now {
            return Some(now.into_owned());
        }
        now = Cow::Owned(next.into_owned());
    }
    Some(REDACTED.to_owned())
}

/// An identifier as it may be stored: without control characters and outer spaces, cut.
pub(crate) fn identifier(text: String) -> String {
    if is_plain_identifier(&text) {
        return text;
    }
    cut(without_controls(&text, false).trim()).to_owned()
}

/// Whether an identifier is of visible ASCII alone, and not too long.
pub(crate) fn is_plain_identifier(text: &str) -> bool {
    // Looks at all bytes rather than stopping at the first, which lets it look at many at once.
    let is_odd = |byte: &u8| u8::from(!byte.is_ascii_graphic());
    text.len() <= MAX_STRING_CHARS && text.as_bytes().iter().map(is_odd).fold(0, |a, b| a | b) == 0
}

fn is_url(text: &str, style: Style) -> bool {
    style.is_url || is_absolute_url(text)
}

fn pass(text: &str, style: Style) -> Cow<'_, str> {
    let mut now = without_controls(text, style.has_lines);
    if is_url(now.trim(), style) {
        now = Cow::Owned(clean_url(now.trim(), style));
    }
    if let Some(redacted) = redact(now.trim()) {
        now = Cow::Owned(redacted);
    }
    match now {
        Cow::Borrowed(now) => Cow::Borrowed(cut(now.trim())),
        Cow::Owned(now) => {
            let kept = cut(now.trim());
            if kept.len() == now.len() {
                Cow::Owned(now)
            } else {
                Cow::Owned(kept.to_owned())
            }
        }
    }
}

fn is_trimmed(text: &str) -> bool {
    match text.as_bytes() {
        [] => true,
        [only] => only.is_ascii_graphic(),
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => true,
        _ => text.trim().len() == text.len(),
    }
}

fn without_controls(text: &str, has_lines: bool) -> Cow<'_, str> {
    // A control character is one byte, or two of which the first is 0xc2.
    let may_be = |byte: &u8| u8::from(*byte < b' ' || *byte == 0x7f || *byte == 0xc2);
    if text.as_bytes().iter().map(may_be).fold(0, |a, b| a | b) == 0 {
        return Cow::Borrowed(text);
    }
    let stays = |sign: &char| !is_dropped(*sign, has_lines);
    Cow::Owned(text.chars().filter(stays).collect())
}

/// Whether a character goes: every control character, but what makes lines where there are some.
#[inline]
pub(crate) fn is_dropped(sign: char, has_lines: bool) -> bool {
    sign.is_control() && !(has_lines && matches!(sign, '\n' | '\t'))
}

/// The first [`MAX_STRING_CHARS`] characters, without spaces at the end of them.
fn cut(text: &str) -> &str {
    if text.len() <= MAX_STRING_CHARS {
        return text;
    }
    match text.char_indices().nth(MAX_STRING_CHARS) {
        Some((end, _)) => text.get(..end).unwrap_or_default().trim_end(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::privacy::KeyKind;

    proptest! {
        /// The short ways say what the long one does.
        #[test]
        fn short_ways_end_where_the_long_one_does(
            text in prop_oneof![
                "(https?://|//)?([a-z0-9@%?#&=;+/. bBeEaArR:-]|%[2-7c][0-9a-fA-F]|%C3%BC|bearer x|=bea|rer x|utm_source=|ref=|gclid=|#/|1111|4111 |\u{a0}|£|é|\n|\t|\r|\u{85}|\u{7f}){0,20}",
                "(https://x.example|/a|)(/[a-z .]{0,4}){0,3}(\\?|#|)((utm_source|ref|q|gclid|yclid)(=[a-z+;0-9 ]{0,8})?(&|\\?|#|)){0,4}",
                "(https://x.example/\\?(gclid=a&){150,170}) {0,2}",
            ],
            kind in select(vec![KeyKind::Plain, KeyKind::Url, KeyKind::Path, KeyKind::Lines]),
            hash_routing: bool,
        ) {
            let style = Style::of(kind, hash_routing);
            prop_assert_eq!(cleaned(&text, style), settle(&text, style));
        }
    }
}
