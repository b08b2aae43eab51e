//! Where e-mail addresses and bearer tokens stand in a text.

use std::ops::Range;

/// Finds e-mail addresses, their `@` plain or percent-encoded (once or twice).
///
/// An address is letters, digits and some signs, an `@`, and a domain of two or more labels of
/// which one after the first begins with a letter: `name@3.2.1` is a version.
pub(super) fn find_emails(text: &str, found: &mut Vec<Range<usize>>) {
    let mut last_end = None;
    for (at, byte) in text.bytes().enumerate() {
        let sign = match byte {
            b'@' => 1,
            b'%' => match encoded_at(text, at) {
                Some(len) => len,
                None => continue,
            },
            _ => continue,
        };
        let after = at.saturating_add(sign);
        let Some(domain) = domain(text.get(after..).unwrap_or_default()) else {
            continue;
        };
        let before = text.get(last_end.unwrap_or(0)..at).unwrap_or_default();
        let local = local_part(before);
        // Right behind another address, of which this one's beginning is the end.
        let chained = local.len() == before.len() && last_end.is_some();
        if local.is_empty() && !chained {
            continue;
        }
        let end = after.saturating_add(domain.len());
        found.push(at.saturating_sub(local.len())..end);
        last_end = Some(end);
    }
}

/// Bytes of the percent-encoded `@` that stands at `at`.
pub(super) fn encoded_at(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    ["%40", "%2540"]
        .into_iter()
        .find(|sign| rest.starts_with(sign))
        .map(str::len)
}

/// The end of `before` that is the part in front of an `@`.
fn local_part(before: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || "._%+-'!$*^~{|}".contains(c);
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(before.len(), |(start, _)| start);
    before
        .get(start..)
        .unwrap_or_default()
        .trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The domain that `after` begins with.
fn domain(after: &str) -> Option<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
    let domain = after.get(..end)?.trim_end_matches(['.', '-']);
    let mut labels = domain.split('.');
    let first = labels.next().filter(|label| !label.is_empty())?;
    let is_named = labels
        .clone()
        .any(|label| label.starts_with(char::is_alphabetic) && label.chars().nth(1).is_some());
    let is_image = is_density(first) && labels.next_back().is_some_and(is_image_type);
    (is_named && !is_image).then_some(domain)
}

/// `2x`, as in `logo@2x.png`.
fn is_density(label: &str) -> bool {
    label
        .strip_suffix('x')
        .is_some_and(|digits| matches!(digits, "1" | "2" | "3" | "4"))
}

fn is_image_type(label: &str) -> bool {
    matches!(
        label,
        "png" | "jpg" | "jpeg" | "webp" | "gif" | "svg" | "avif"
    )
}

const BEARER: &str = "bearer";

/// Whether the word stands at `at`.
pub(super) fn is_bearer(text: &str, at: usize) -> bool {
    let end = at.saturating_add(BEARER.len());
    text.as_bytes()
        .get(at..end)
        .is_some_and(|word| word.eq_ignore_ascii_case(BEARER.as_bytes()))
}

/// Finds the word `bearer`, in any case, with the token that follows it.
pub(super) fn find_bearers(text: &str, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        if at >= free_from
            && matches!(byte, b'b' | b'B')
            && is_bearer(text, at)
            && let Some(end) = token_end(text, at.saturating_add(BEARER.len()))
        {
            found.push(at..end);
            free_from = end;
        }
    }
}

/// Where the token ends that follows the word which ends at `from`.
fn token_end(text: &str, from: usize) -> Option<usize> {
    // RFC 6750's b64token, and `%` for one that is percent-encoded.
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=%".contains(c);
    let mut found = None;
    let mut from = from;
    loop {
        let rest = text.get(from..).unwrap_or_default();
        let gap = gap_len(rest);
        let token = rest.get(gap..).unwrap_or_default();
        let len = token.find(|c| !is_part(c)).unwrap_or(token.len());
        if gap == 0 || len == 0 {
            return found;
        }
        let end = from.saturating_add(gap).saturating_add(len);
        found = Some(end);
        // `Bearer Bearer abc`: the token is still to come.
        if len < BEARER.len() || !is_bearer(text, end.saturating_sub(BEARER.len())) {
            return found;
        }
        from = end;
    }
}

/// Bytes of what may stand between the word and its token: spaces, plain or encoded, and the
/// signs that logs put there.
fn gap_len(rest: &str) -> usize {
    let mut len = 0_usize;
    loop {
        let tail = rest.get(len..).unwrap_or_default();
        if tail.starts_with("%20") {
            len = len.saturating_add(3);
        } else if let Some(c) = tail.chars().next()
            && (c.is_whitespace() || matches!(c, ':' | '=' | '+'))
        {
            len = len.saturating_add(c.len_utf8());
        } else {
            return len;
        }
    }
}
