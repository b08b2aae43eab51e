//! The parts of a cleaned URL that tell where a visitor came from.

use std::borrow::Cow;

use shoreline_shared::swar::{equal, find, split_at, split_once};

const WWW: &str = "www.";

/// Bytes of a name in the DNS (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// A URL, absolute or relative, cut into what is read of it.
pub(super) struct Url<'a> {
    base: &'a str,
    query: &'a str,
    /// What stands behind the `?` of a fragment that is a route (`#/a?utm_source=b`).
    route_query: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn parse(url: &'a str) -> Self {
        let (rest, fragment) = split_once(url, b'#');
        let (base, query) = split_once(rest, b'?');
        let route_query = fragment.and_then(|fragment| split_once(fragment, b'?').1);
        Self {
            base,
            query: query.unwrap_or_default(),
            route_query: route_query.unwrap_or_default(),
        }
    }

    /// What stands between two slashes and the next.
    fn authority(&self) -> Option<&'a str> {
        let (scheme, after) = match self.base.strip_prefix("https://") {
            Some(after) => ("", after),
            None => self.base.split_once("//")?,
        };
        let ends = |word| equal(word, b'/') | equal(word, b'\\');
        is_scheme(scheme).then(|| split_at(after, ends).0)
    }

    /// The host, in lowercase, without `www.`, user, port and the root's dot; `None` of what cannot
    /// be one. Of an Android application (`android-app://com.example`) its package.
    pub(super) fn host(&self) -> Option<Cow<'a, str>> {
        let authority = self.authority()?;
        if is_plain_host(authority) {
            let host = authority.trim_end_matches('.');
            let host = host.strip_prefix(WWW).unwrap_or(host);
            return (1..=MAX_HOST_BYTES)
                .contains(&host.len())
                .then_some(Cow::Borrowed(host));
        }
        let host = match find(authority.as_bytes(), |word| equal(word, b'@')) {
            Some(_) => authority.rsplit('@').next()?,
            None => authority,
        };
        let host = match split_once(host, b':') {
            (host, None) => host,
            _ => match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
                _ => host,
            },
        };
        let host = host.trim_end_matches('.');
        let named = match host.get(..WWW.len()) {
            Some(head) if head.eq_ignore_ascii_case(WWW) => host.get(WWW.len()..)?,
            _ => host,
        };
        let fits = (1..=MAX_HOST_BYTES).contains(&named.len());
        if !fits || !named.chars().all(is_host_char) {
            return None;
        }
        Some(if named.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(named.to_ascii_lowercase())
        } else {
            Cow::Borrowed(named)
        })
    }

    /// Looks at its parameters in order: the name, decoded, and the value, which is decoded when it
    /// is asked for.
    pub(super) fn each_parameter(&self, mut look: impl FnMut(&str, &dyn Fn() -> Cow<'a, str>)) {
        for query in [self.query, self.route_query] {
            let mut rest = Some(query).filter(|query| !query.is_empty());
            while let Some(pairs) = rest {
                let pair;
                (pair, rest) = split_once(pairs, b'&');
                let (name, value) = split_once(pair, b'=');
                let value = || match value.unwrap_or_default() {
                    value if is_encoded(value) => decoded(pair).1,
                    value => Cow::Borrowed(value),
                };
                if is_encoded(name) {
                    look(&decoded(pair).0, &value);
                } else {
                    look(name, &value);
                }
            }
        }
    }
}

/// Whether something stands for something else in a name or value.
fn is_encoded(text: &str) -> bool {
    find(text.as_bytes(), |word| {
        equal(word, b'%') | equal(word, b'+')
    })
    .is_some()
}

/// A name and its value.
fn decoded(pair: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().unwrap_or_default()
}

/// Whether a host is spelled in the usual way, with no user and no port about it.
fn is_plain_host(authority: &str) -> bool {
    let is_odd = |byte: &u8| {
        let is_usual = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        u8::from(!is_usual)
    };
    authority
        .as_bytes()
        .iter()
        .map(is_odd)
        .fold(0, |a, b| a | b)
        == 0
}

/// Letters and digits of any script, what joins them, and what IPv6 addresses stand in.
fn is_host_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']')
}

fn is_scheme(text: &str) -> bool {
    text.is_empty()
        || text.strip_suffix(':').is_some_and(|name| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        })
}

/// A text in one spelling: without control characters, which an encoded parameter can hide, and
/// outer spaces; in lowercase if it `folds`. `None` if nothing is left.
pub(super) fn plain(text: Cow<'_, str>, folds: bool) -> Option<Cow<'_, str>> {
    let is_spelled = |byte: u8| byte.is_ascii_graphic() && !(folds && byte.is_ascii_uppercase());
    if !text.is_empty() && text.bytes().all(is_spelled) {
        return Some(text);
    }
    let kept: String = text.chars().filter(|c| !c.is_control()).collect();
    let kept = kept.trim();
    if kept.is_empty() {
        None
    } else if folds {
        Some(kept.to_lowercase().into())
    } else {
        Some(kept.to_owned().into())
    }
}
