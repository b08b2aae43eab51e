//! Keys and origins: who a request says it is.
//!
//! A key is `sl<kind>_<site>_<secret>`: `b` browser (public), `s` source (secret), `r` read; the token of a
//! shared link has the same form with `v`, and is no key. The
//! site is in the key, so that a key of no known form costs no look-up. Only the SHA-256 of a key
//! is stored, and the stores are asked by that hash, so there is no secret to compare in varying time.

use serde::{Deserialize, Serialize};

use crate::access::policy::Policy;
use crate::base::hash::sha256_hex;

/// The shortest secret part that is looked up: 26 base32 characters are 130 bits.
pub const MIN_SECRET_CHARS: usize = 26;

/// The longest key that is looked at: prefix, a site id of 40 characters and a secret of 64.
pub const MAX_KEY_CHARS: usize = 112;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(rename_all = "lowercase"))]
pub enum KeyKind {
    /// In pages: may send tracker events from the site's origins.
    Browser,
    /// In back ends: may send domain events.
    Source,
    /// For dashboards: may read its own site.
    Read,
}

impl KeyKind {
    /// The name in the `keys` table.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "browser" => Some(Self::Browser),
            "source" => Some(Self::Source),
            "read" => Some(Self::Read),
            _ => None,
        }
    }
}

/// What a known key may do.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The site whose key it is.
    pub site: String,
    /// What it is for.
    pub kind: KeyKind,
    /// The site's origins: exact (`https://shop.example`), with a wildcard host
    /// (`https://*.shop.example`) or any port (`http://localhost:*`).
    pub origins: Vec<String>,
    /// Whether the site routes by fragment, so that fragments are kept.
    pub hash_routing: bool,
    /// The site's own limits.
    pub policy: Policy,
    /// The time zone of questions about the site, where it has one of its own.
    pub time_zone: Option<String>,
    /// From when on the key is good no more, Unix milliseconds, where that is known.
    pub ends_at: Option<i64>,
}

impl Grant {
    /// Whether the key has ended.
    pub fn has_ended(&self, now_ms: i64) -> bool {
        self.ends_at.is_some_and(|at| at <= now_ms)
    }
}

/// The SHA-256 (lowercase hex) a presented key is looked up by; `None` where its form is no key's.
pub fn lookup_hash(key: &str) -> Option<String> {
    is_key(key).then(|| sha256_hex(key.as_bytes()))
}

/// Whether this has the form of a key.
pub fn is_key(key: &str) -> bool {
    site_of_key(key).is_some()
}

/// The site that a key names; `None` for what has the form of none.
pub fn site_of_key(key: &str) -> Option<&str> {
    let (prefix, site) = parts(key)?;
    matches!(prefix, "slb" | "sls" | "slr").then_some(site)
}

/// Whether this has the form of a shared link's token.
pub fn is_link(token: &str) -> bool {
    parts(token).is_some_and(|(prefix, _)| prefix == "slv")
}

/// The prefix and the site of a key, or of a ticket; `None` for what has the form of neither.
pub(crate) fn parts(key: &str) -> Option<(&str, &str)> {
    if key.len() > MAX_KEY_CHARS {
        return None;
    }
    let (prefix, rest) = key.split_once('_')?;
    let (site, secret) = rest.rsplit_once('_')?;
    let secret_ok = secret.len() >= MIN_SECRET_CHARS
        && secret
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (is_site_id(site) && secret_ok).then_some((prefix, site))
}

/// Random bytes as the secret part of a key: a character of 5 bits from each.
pub(crate) fn secret_text(random: &[u8]) -> String {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz234567";
    random
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(byte & 31)).copied())
        .map(char::from)
        .collect()
}

/// Whether `site` can be a site's id: 1 to 40 of `a-z 0-9 -`. No `_`: it parts a key, and begins
/// the name of Shoreline's own site, which no key can name.
pub fn is_site_id(site: &str) -> bool {
    (1..=40).contains(&site.len())
        && site
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a page of `origin` may use a key with these `patterns`.
pub fn origin_allowed(origin: &str, patterns: &[String]) -> bool {
    patterns
        .iter()
        .any(|pattern| origin_matches(origin, pattern))
}

/// A pattern for a site's list of origins, as a browser would write it: `http` or `https`, a host,
/// perhaps with `*.` before it, perhaps with a port or `:*`. In lower case and without the scheme's
/// own port, for a browser sends neither; `None` for what no origin could match.
pub fn origin_pattern(pattern: &str) -> Option<String> {
    let pattern = pattern.to_lowercase();
    let (scheme, host, port) = split_origin(&pattern)?;
    let name = host.strip_prefix("*.").unwrap_or(host);
    let host_ok = !name.is_empty() && name.is_ascii() && !name.contains('*');
    let port_ok = port.is_none_or(|port| port == "*" || port.parse::<u16>().is_ok());
    if !host_ok || !port_ok {
        return None;
    }
    match (scheme, port) {
        ("https", Some("443")) | ("http", Some("80")) | ("http" | "https", None) => {
            Some(format!("{scheme}://{host}"))
        }
        ("http" | "https", Some(port)) => Some(format!("{scheme}://{host}:{port}")),
        _ => None,
    }
}

/// Whether two hashes are the same, in a time that does not tell how much of them is.
pub fn same_hash(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |diff, (a, b)| diff | (a ^ b))
            == 0
}

fn origin_matches(origin: &str, pattern: &str) -> bool {
    let Some((scheme, host, port)) = split_origin(origin) else {
        return false;
    };
    let Some((want_scheme, want_host, want_port)) = split_origin(pattern) else {
        return false;
    };
    let host_ok = match want_host.strip_prefix("*.") {
        // `*.shop.example` is any subdomain, not `shop.example` and not `evilshop.example`.
        Some(parent) => host
            .strip_suffix(parent)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|sub| !sub.is_empty()),
        None => host == want_host,
    };
    scheme == want_scheme && host_ok && (want_port == Some("*") || port == want_port)
}

/// Scheme, host and port (as written) of `https://host[:port]`; nothing else is an origin.
fn split_origin(origin: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, authority) = origin.split_once("://")?;
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
        return None;
    }
    // `[::1]:8080`: the colons of an IPv6 address are not the port's.
    let host_end = authority.find(']').unwrap_or(0);
    match authority
        .rfind(':')
        .filter(|colon| *colon > host_end)
        .and_then(|colon| authority.split_at_checked(colon))
    {
        Some((host, port)) => Some((scheme, host, port.strip_prefix(':'))),
        None => Some((scheme, authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_a_known_form_are_looked_up() {
        let good = "slb_demo_abcdefghijklmnopqrstuvwxyz";
        assert_eq!(lookup_hash(good), Some(sha256_hex(good.as_bytes())));
        assert!(lookup_hash("slb_my-shop_abcdefghijklmnopqrstuvwxyz").is_some());
        assert!(is_link("slv_demo_abcdefghijklmnopqrstuvwxyz") && !is_link(good));
        for bad in [
            "",
            "slv_demo_abcdefghijklmnopqrstuvwxyz",
            "slb",
            "slb_demo",
            "slb_demo_short",
            "slx_demo_abcdefghijklmnopqrstuvwxyz",
            "slb__abcdefghijklmnopqrstuvwxyz",
            "slb__shoreline_abcdefghijklmnopqrstuvwxyz",
            "slb_Demo_abcdefghijklmnopqrstuvwxyz",
            "slb_demo_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "slb_demo_abcdefghijklmnopqrstuvwxyz'--",
        ] {
            assert_eq!(lookup_hash(bad), None, "{bad}");
        }
        assert_eq!(lookup_hash(&format!("{good}{}", "a".repeat(200))), None);
    }

    #[test]
    fn hashes_are_the_same_only_whole() {
        assert!(same_hash("abc", "abc"));
        assert!(!same_hash("abc", "abd"));
        assert!(!same_hash("abc", "ab"));
        assert!(!same_hash("", "a"));
    }

    #[test]
    fn origins_match_by_scheme_host_and_port() {
        let cases = [
            ("https://shop.example", "https://shop.example", true),
            ("https://shop.example", "http://shop.example", false),
            ("https://shop.example:8443", "https://shop.example", false),
            ("https://shop.example", "https://shop.example:8443", false),
            ("https://www.shop.example", "https://*.shop.example", true),
            ("https://a.b.shop.example", "https://*.shop.example", true),
            ("https://shop.example", "https://*.shop.example", false),
            ("https://evilshop.example", "https://*.shop.example", false),
            (
                "https://shop.example.evil.com",
                "https://*.shop.example",
                false,
            ),
            ("http://localhost:5173", "http://localhost:*", true),
            ("http://localhost", "http://localhost:*", true),
            ("http://localhost.evil.com:1", "http://localhost:*", false),
            ("http://[::1]:8080", "http://[::1]:*", true),
            ("http://[::1]", "http://[::1]", true),
            ("null", "https://shop.example", false),
            ("null", "null", false),
            ("", "https://shop.example", false),
            (
                "https://shop.example@evil.com",
                "https://shop.example",
                false,
            ),
        ];
        for (origin, pattern, want) in cases {
            assert_eq!(origin_matches(origin, pattern), want, "{origin} {pattern}");
        }
    }
}
