//! One string: control characters, outer spaces, private things, length.

use crate::limits::MAX_STRING_CHARS;
use crate::privacy::{REDACTED, clean_url, is_absolute_url, redact, suspicion};

/// Passes that a string gets to settle after the first. One or two are needed where cutting a long
/// text leaves something at its end that is private or no longer whole; none was found that needs more.
const MAX_PASSES: usize = 4;

/// How a string is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// It stands under a key that holds URLs, so it is one even where it is relative.
    pub(crate) is_url: bool,
    /// Fragments of URLs are kept, cleaned.
    pub(crate) hash_routing: bool,
}

/// The string as it may be stored; `None` where it is so already, which one scan of its bytes
/// finds out for nearly all strings.
pub(crate) fn cleaned(text: &str, style: Style) -> Option<String> {
    if is_plain(text, style) {
        return None;
    }
    let mut now = pass(text, style);
    if now == text {
        return None;
    }
    for _ in 0..MAX_PASSES {
        if is_plain(&now, style) {
            return Some(now);
        }
        let next = pass(&now, style);
        if next == now {
            return Some(now);
        }
        now = next;
    }
    Some(REDACTED.to_owned())
}

/// Whether one scan of the bytes shows that [`pass`] would change nothing.
fn is_plain(text: &str, style: Style) -> bool {
    if text.len() > MAX_STRING_CHARS || !is_trimmed(text) {
        return false;
    }
    let found = suspicion(text);
    let is_url = style.is_url || is_absolute_url(text);
    !found.private && (!found.url_parts || !is_url)
}

/// An identifier as it may be stored: without control characters and outer spaces, cut.
pub(crate) fn identifier(text: String) -> String {
    if text.len() <= MAX_STRING_CHARS && text.bytes().all(|b| b.is_ascii_graphic()) {
        return text;
    }
    cut(without_controls(&text).trim()).to_owned()
}

fn pass(text: &str, style: Style) -> String {
    let mut now = without_controls(text);
    if style.is_url || is_absolute_url(now.trim()) {
        now = clean_url(now.trim(), style.hash_routing);
    }
    if let Some(redacted) = redact(now.trim()) {
        now = redacted;
    }
    cut(now.trim()).to_owned()
}

fn is_trimmed(text: &str) -> bool {
    text.trim().len() == text.len()
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The first [`MAX_STRING_CHARS`] characters, without spaces at the end of them.
fn cut(text: &str) -> &str {
    match text.char_indices().nth(MAX_STRING_CHARS) {
        Some((end, _)) => text.get(..end).unwrap_or_default().trim_end(),
        None => text,
    }
}
