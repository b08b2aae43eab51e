//! The parts of a cleaned URL that tell where a visitor came from.

use std::borrow::Cow;

const WWW: &str = "www.";

/// Bytes of a name in the DNS (RFC 1035, 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// A URL, absolute or relative, cut into what is read of it.
pub(super) struct Url<'a> {
    authority: Option<&'a str>,
    query: &'a str,
    /// What stands behind the `?` of a fragment that is a route (`#/a?utm_source=b`).
    route_query: &'a str,
}

impl<'a> Url<'a> {
    pub(super) fn parse(url: &'a str) -> Self {
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = base
            .split_once("//")
            .filter(|(scheme, _)| is_scheme(scheme))
            .map(|(_, after)| after.split(['/', '\\']).next().unwrap_or_default());
        Self {
            authority,
            query,
            route_query: fragment.split_once('?').map_or("", |(_, query)| query),
        }
    }

    /// The host, in lowercase, without `www.`, user, port and the root's dot; `None` of what cannot
    /// be one. Of an Android application (`android-app://com.example`) its package.
    pub(super) fn host(&self) -> Option<Cow<'a, str>> {
        let host = self.authority?.rsplit('@').next()?;
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
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

    /// Its parameters, decoded, in order.
    pub(super) fn parameters(
        &self,
    ) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        [self.query, self.route_query]
            .into_iter()
            .flat_map(|query| form_urlencoded::parse(query.as_bytes()))
    }
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
