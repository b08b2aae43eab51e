//! What a key says about the value under it.

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
        let mut buffer = [0_u8; LONGEST];
        let Some(name) = normalized(key, &mut buffer) else {
            return Self::Plain;
        };
        match name {
            b"password" | b"passwd" | b"secret" | b"token" | b"accesstoken" | b"refreshtoken"
            | b"apikey" | b"authorization" | b"cookie" | b"ssn" | b"cvv" => Self::Sensitive,
            b"ip" | b"ips" | b"ipaddress" | b"ipaddresses" | b"clientip" | b"remoteaddr"
            | b"remoteaddress" | b"remoteip" | b"xforwardedfor" | b"forwardedfor"
            | b"forwarded" | b"realip" | b"xrealip" | b"sourceip" | b"sourceipaddress"
            | b"userip" | b"visitorip" | b"cfconnectingip" | b"trueclientip" => Self::Ip,
            b"url" | b"path" | b"page" | b"referrer" | b"href" => Self::Url,
            _ => Self::Plain,
        }
    }
}

/// The key in lowercase without `-` and `_`; `None` where it is too long to be of a kind.
fn normalized<'a>(key: &str, buffer: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let mut len = 0_usize;
    // Some letters beyond ASCII have a lowercase within it: the Kelvin sign is a k.
    for c in key.chars().flat_map(char::to_lowercase) {
        if c == '-' || c == '_' {
            continue;
        }
        *buffer.get_mut(len)? = u8::try_from(c).ok()?;
        len = len.saturating_add(1);
    }
    buffer.get(..len)
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
        for key in ["url", "URL", "path", "page", "referrer", "href"] {
            assert_eq!(KeyKind::of(key), KeyKind::Url, "{key}");
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
