//! What a key says about the value under it.

use std::sync::LazyLock;

/// The kinds of keys that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// Nothing special.
    Plain,
    /// A secret: the value is hidden, whatever it is.
    Sensitive,
    /// An IP address, or a list of them.
    Ip,
    /// A URL, perhaps a relative one.
    Url,
    /// A path, perhaps a whole URL: what begins with two slashes names no host.
    Path,
    /// What an error says: a text of several lines.
    Lines,
    /// A name with a meaning of its own in JavaScript: key and value go.
    Dropped,
}

/// Bytes of the longest names below.
const LONGEST: usize = 15;

impl KeyKind {
    /// The kind of a clean key. Names are compared in lowercase and without hyphens and
    /// underscores; the three that JavaScript gives a meaning, exactly.
    pub(crate) fn of(key: &str) -> Self {
        if matches!(key, "__proto__" | "constructor" | "prototype") {
            return Self::Dropped;
        }
        let Some(name) = normalized(key) else {
            return Self::Plain;
        };
        match NAMES.binary_search_by_key(&name, |(known, _)| *known) {
            Ok(at) => NAMES.get(at).map_or(Self::Plain, |(_, kind)| *kind),
            Err(_) => Self::Plain,
        }
    }
}

const SENSITIVE: [&str; 11] = [
    "password",
    "passwd",
    "secret",
    "token",
    "accesstoken",
    "refreshtoken",
    "apikey",
    "authorization",
    "cookie",
    "ssn",
    "cvv",
];

const IP: [&str; 19] = [
    "ip",
    "ips",
    "ipaddress",
    "ipaddresses",
    "clientip",
    "remoteaddr",
    "remoteaddress",
    "remoteip",
    "xforwardedfor",
    "forwardedfor",
    "forwarded",
    "realip",
    "xrealip",
    "sourceip",
    "sourceipaddress",
    "userip",
    "visitorip",
    "cfconnectingip",
    "trueclientip",
];

const URL: [&str; 3] = ["url", "referrer", "href"];

const LINES: [&str; 4] = ["message", "stack", "stacktrace", "componentstack"];

const PATH: [&str; 2] = ["path", "page"];

/// The names as numbers, in order.
static NAMES: LazyLock<Vec<(u128, KeyKind)>> = LazyLock::new(|| {
    let of = |kind| move |name: &&str| (number(name), kind);
    let all = SENSITIVE
        .iter()
        .map(of(KeyKind::Sensitive))
        .chain(IP.iter().map(of(KeyKind::Ip)))
        .chain(URL.iter().map(of(KeyKind::Url)))
        .chain(LINES.iter().map(of(KeyKind::Lines)))
        .chain(PATH.iter().map(of(KeyKind::Path)));
    let mut names: Vec<(u128, KeyKind)> = Vec::new();
    for (name, kind) in all {
        // The library's sort would be 4 KB for these few.
        let at = names.partition_point(|(other, _)| *other < name);
        names.insert(at, (name, kind));
    }
    names
});

/// A name as a number: its bytes, of which there are [`LONGEST`] at most, and how many they are.
fn number(name: &str) -> u128 {
    joined(name.bytes().map(Some)).unwrap_or(0)
}

/// The key in lowercase without `-` and `_`, as a number; `None` where it is too long to be of a kind.
fn normalized(key: &str) -> Option<u128> {
    if !key.is_ascii() {
        // Some letters beyond ASCII have a lowercase within it: the Kelvin sign is a k.
        let chars = key.chars().flat_map(char::to_lowercase);
        return joined(chars.map(|c| u8::try_from(c).ok()));
    }
    joined(key.bytes().map(|byte| Some(byte.to_ascii_lowercase())))
}

fn joined(bytes: impl Iterator<Item = Option<u8>>) -> Option<u128> {
    let mut name = [0_u8; LONGEST + 1];
    let mut len = 0_usize;
    for byte in bytes {
        let byte = byte?;
        if byte != b'-' && byte != b'_' {
            *name.get_mut(..LONGEST)?.get_mut(len)? = byte;
            len = len.wrapping_add(1);
        }
    }
    let [.., last] = &mut name;
    *last = len as u8;
    Some(u128::from_le_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::KeyKind;

    #[test]
    fn names_are_compared_without_case_hyphens_and_underscores() {
        for key in [
            "password",
            "passwd",
            "secret",
            "token",
            "accesstoken",
            "access_token",
            "access-token",
            "accessToken",
            "ACCESS__TOKEN",
            "refreshToken",
            "apiKey",
            "api_key",
            "X-Api-Key".trim_start_matches("X-"),
            "Authorization",
            "cookie",
            "SSN",
            "cvv",
            "_token_",
            "to\u{212a}en",
        ] {
            assert_eq!(KeyKind::of(key), KeyKind::Sensitive, "{key}");
        }
        for key in [
            "ip",
            "IP",
            "ip_address",
            "ipAddress",
            "client-ip",
            "remoteAddr",
            "remote_ip",
            "X-Forwarded-For",
            "ips",
            "sourceIPAddress",
            "user_ip",
            "CF-Connecting-IP",
            "Forwarded",
        ] {
            assert_eq!(KeyKind::of(key), KeyKind::Ip, "{key}");
        }
        for key in ["url", "URL", "referrer", "href"] {
            assert_eq!(KeyKind::of(key), KeyKind::Url, "{key}");
        }
        for key in ["path", "page", "Page"] {
            assert_eq!(KeyKind::of(key), KeyKind::Path, "{key}");
        }
        for key in ["message", "stack", "stackTrace", "componentStack"] {
            assert_eq!(KeyKind::of(key), KeyKind::Lines, "{key}");
        }
        for key in ["__proto__", "constructor", "prototype"] {
            assert_eq!(KeyKind::of(key), KeyKind::Dropped, "{key}");
        }
        for key in [
            "tokens",
            "",
            "-",
            "passwords",
            "secretary",
            "authorizationheader",
            "ipv4",
            "urls",
            "proto",
            "Constructor",
            "pass word",
            "tóken",
            "cookies",
        ] {
            assert_eq!(KeyKind::of(key), KeyKind::Plain, "{key}");
        }
    }
}
