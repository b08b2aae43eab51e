//! URLs without what they carry about people.

use std::borrow::Cow;

use super::spelling::push_spelled;
use super::style::Style;
use super::{REDACTED, redact::redact};
use crate::swar::{self, equal};

/// Click ids of advertising networks: that there was one is kept, the id is not.
const CLICK_IDS: [&str; 10] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "yclid",
];

/// Whether a text begins with `http://` or `https://`.
pub(crate) fn is_absolute_url(text: &str) -> bool {
    ["http://", "https://"].into_iter().any(|scheme| {
        text.as_bytes()
            .get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

/// A URL, absolute or relative, without user information, query parameters off the allow-list
/// and its fragment; with `hash_routing` the fragment stays, cleaned likewise. Pieces of the path
/// and values that hide something private behind percent-encoding become `[redacted]`; what is
/// in plain sight is left to [`redact`]. Under a key that holds URLs, the path gets its one spelling ([`super::spelled`]).
pub(crate) fn clean_url(url: &str, style: Style) -> String {
    let (rest, fragment) = split(url, '#');
    let (base, query) = split(rest, '?');
    let mut out = String::with_capacity(url.len());
    let (origin, path) = split_origin(base, style.is_path);
    push_without_user(&mut out, origin);
    push_path(&mut out, path, style.is_url);
    push_query(&mut out, '?', query.unwrap_or_default());
    if style.hash_routing {
        push_fragment(&mut out, fragment.unwrap_or_default(), style.is_url);
    }
    out
}

/// The part of a cleaned URL that names the page: its path, with the route of a fragment that is
/// one (`#/…`, `#!…`). None where nothing is left. `key` is what it stands under: two slashes at the beginning of a
/// `url` stand before a host, in a `path` or `page` they are part of it.
pub fn path_part<'a>(key: &str, url: &'a str) -> Option<Cow<'a, str>> {
    let (base, rest) = swar::split_at(url, |word| equal(word, b'?') | equal(word, b'#'));
    let fragment = if rest.is_empty() {
        None
    } else {
        split(rest, '#').1
    };
    let (origin, path) = split_origin(base, key != "url");
    let path = if path.is_empty() && !origin.is_empty() {
        "/"
    } else {
        path
    };
    let route = fragment
        .map(|fragment| split(fragment, '?').0)
        .filter(|route| route.starts_with(['/', '!']));
    match route {
        Some(route) => Some(format!("{path}#{route}").into()),
        None if path.is_empty() => None,
        None => Some(path.into()),
    }
}

/// What stands before the first `sign`, and after it.
fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    swar::split_once(text, u8::try_from(sign).unwrap_or(0))
}

fn has(text: &str, sign: u8) -> bool {
    swar::find(text.as_bytes(), |word| equal(word, sign)).is_some()
}

/// Where the first two slashes stand.
fn slashes(text: &str) -> Option<usize> {
    let mut from = 0_usize;
    loop {
        let rest = text.as_bytes().get(from..)?;
        let at = swar::find(rest, |word| equal(word, b'/'))?;
        let next = at.saturating_add(1);
        if rest.get(next) == Some(&b'/') {
            return Some(from.saturating_add(at));
        }
        from = from.saturating_add(next);
    }
}

/// Scheme and authority (`https://user@host:1`, `//host`; empty for a relative URL), and the rest. A path has an
/// authority only behind a scheme.
fn split_origin(base: &str, is_path: bool) -> (&str, &str) {
    let is_slash = |c| c == '/' || c == '\\';
    let scheme = if base.starts_with("https://") {
        "https:".len()
    } else {
        match slashes(base) {
            Some(0) if !is_path => 0,
            Some(at) if is_scheme(base.get(..at).unwrap_or_default()) => at,
            _ => return ("", base),
        }
    };
    let after = base.get(scheme..).unwrap_or_default();
    // Browsers take any number of slashes here.
    let authority = after.trim_start_matches(is_slash);
    let (host, _) = swar::split_at(authority, |word| equal(word, b'/') | equal(word, b'\\'));
    let len = host.len();
    let end = base
        .len()
        .saturating_sub(authority.len())
        .saturating_add(len);
    base.split_at_checked(end).unwrap_or((base, ""))
}

fn is_scheme(text: &str) -> bool {
    text.strip_suffix(':').is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

fn push_without_user(out: &mut String, origin: &str) {
    if !has(origin, b'@') {
        out.push_str(origin);
        return;
    }
    match origin.rsplit_once('@') {
        Some((user, host)) => {
            let slashes = user.rfind(['/', '\\']).map_or(0, |at| at.saturating_add(1));
            out.push_str(user.get(..slashes).unwrap_or_default());
            out.push_str(host);
        }
        None => out.push_str(origin),
    }
}

fn push_path(out: &mut String, path: &str, is_spelled: bool) {
    if !has(path, b'%') {
        out.push_str(path);
        return;
    }
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        let hidden = segment.contains('%') && redact(&decoded(segment, false)).is_some();
        if hidden {
            out.push_str(REDACTED);
        } else if is_spelled {
            push_spelled(out, segment);
        } else {
            out.push_str(segment);
        }
    }
}

/// Writes the parameters that may stay, behind `sign` if there are any.
fn push_query(out: &mut String, sign: char, query: &str) {
    let mut sign = Some(sign);
    let mut rest = Some(query).filter(|query| !query.is_empty());
    while let Some(pairs) = rest {
        let pair;
        (pair, rest) = split(pairs, '&');
        let (name, value) = split(pair, '=');
        let is_click_id = CLICK_IDS.iter().any(|id| name.eq_ignore_ascii_case(id));
        if !is_click_id && !is_allowed(name) {
            continue;
        }
        if let Some(sign) = sign.replace('&') {
            out.push(sign);
        }
        out.push_str(name);
        if is_click_id {
            out.push_str("=true");
        } else if let Some(value) = value {
            out.push('=');
            push_value(out, value);
        }
    }
}

fn is_allowed(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_utm = name
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case("utm_"));
    name.eq_ignore_ascii_case("ref") || (is_utm && name.bytes().all(is_part))
}

/// Writes a value that is kept, up to where a second query would begin in it.
fn push_value(out: &mut String, value: &str) {
    let (value, _) = swar::split_at(value, |word| equal(word, b'?') | equal(word, b';'));
    let is_odd = |word| equal(word, b'%') | equal(word, b'+') | equal(word, b'@');
    if swar::find(value.as_bytes(), is_odd).is_none() {
        out.push_str(value);
        return;
    }
    let plain = decoded(value, true);
    if redact(&plain).is_some() {
        out.push_str(REDACTED);
    } else if is_absolute_url(plain.trim_start()) && plain.contains(['?', '#', '@']) {
        // A URL within the URL: where it carries more than a path, only that there was one.
        out.push_str(REDACTED);
    } else {
        out.push_str(value);
    }
}

/// Writes a fragment: a route with perhaps a query of its own, or parameters.
fn push_fragment(out: &mut String, fragment: &str, is_spelled: bool) {
    let (fragment, _) = split(fragment, '#');
    let (route, query) = split(fragment, '?');
    let mut clean = String::with_capacity(fragment.len());
    if route.starts_with(['/', '!']) {
        let (route, _) = split(route, ';');
        let (route, _) = split(route, '&');
        for (at, segment) in route.split('/').enumerate() {
            if at > 0 {
                clean.push('/');
            }
            if !names_a_value(segment) {
                push_path(&mut clean, segment, is_spelled);
            }
        }
    } else if names_a_value(route) || route.contains('&') {
        push_query(&mut clean, '#', route);
        clean = clean.trim_start_matches('#').to_owned();
    } else {
        push_path(&mut clean, route, is_spelled);
    }
    push_query(&mut clean, '?', query.unwrap_or_default());
    if !clean.is_empty() {
        out.push('#');
        out.push_str(&clean);
    }
}

/// Whether a piece of a route is `name=value`, plain or encoded, such as `access_token=…`.
fn names_a_value(segment: &str) -> bool {
    segment.contains('=') || (segment.contains('%') && decoded(segment, false).contains('='))
}

/// Percent-encoding undone; what is no UTF-8 then becomes U+FFFD.
fn decoded(text: &str, plus_is_space: bool) -> String {
    let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let pair = (hex(ahead.next()), hex(ahead.next()));
        match (byte, pair) {
            (b'%', (Some(high), Some(low))) => {
                let value = (high << 4) | low;
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
                rest = ahead;
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
