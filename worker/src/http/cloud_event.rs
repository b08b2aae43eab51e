//! The attributes of a CloudEvent in binary mode: headers that begin with `ce-`.

use crate::base::sorted::Map;

/// Attributes at most that are looked at. The four required, the optional ones, and more extensions
/// than anyone uses.
const MAX_ATTRIBUTES: usize = 64;

/// The `ce-*` headers of a request, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudEventHeaders(Map<String, String>);

impl CloudEventHeaders {
    /// Picks them out of a request's headers, in whatever case their names are. Of a name that is
    /// there twice the last counts.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        let attributes = headers.into_iter().filter_map(|(name, value)| {
            let name = name.as_ref().to_ascii_lowercase();
            let name = name.strip_prefix("ce-").filter(|name| !name.is_empty())?;
            Some((name.to_owned(), decoded(value.as_ref())))
        });
        Self(attributes.take(MAX_ATTRIBUTES).collect())
    }

    /// Whether the request says that it is a CloudEvent in binary mode.
    pub fn is_binary_mode(&self) -> bool {
        self.0.contains_key("specversion")
    }

    /// Its attributes, by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A header's value as the HTTP binding (3.1.3.2) wants it read: quotes and their escapes are taken
/// off, then `%xx` is decoded once. What decodes to no UTF-8 becomes U+FFFD.
fn decoded(value: &str) -> String {
    let value = value.trim();
    let quoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .map(unescaped);
    let value = quoted.as_deref().unwrap_or(value);
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = match (*first, after) {
            (b'%', [high, low, after @ ..]) => hex(*high, *low).map(|byte| (byte, after)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unescaped(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        };
        text.push(c);
    }
    text
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(header: &str) -> String {
        CloudEventHeaders::new([("CE-Subject", header)])
            .attributes()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn values_are_decoded_once() {
        for (header, expected) in [
            ("plain", "plain"),
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
            ("100%25", "100%"),
            ("%2541", "%41"),
            ("50% off %zz %4", "50% off %zz %4"),
            ("\"a b\"", "a b"),
            ("\"say \\\"hi\\\" %41\"", "say \"hi\" A"),
            ("\"", "\""),
            ("%ff", "\u{fffd}"),
            ("€", "€"),
        ] {
            assert_eq!(value(header), format!("subject={expected}"));
        }
    }

    #[test]
    fn only_ce_headers_are_attributes() {
        let headers = [
            ("Content-Type", "text/plain"),
            ("ce-", "x"),
            ("CE-ID", "1"),
            ("cE-id", "2"),
        ];
        let headers = CloudEventHeaders::new(headers);
        assert_eq!(headers.attributes().collect::<Vec<_>>(), [("id", "2")]);
        assert!(!headers.is_binary_mode());
        assert!(CloudEventHeaders::new([("Ce-SpecVersion", "1.0")]).is_binary_mode());
        let many = CloudEventHeaders::new((0..1_000).map(|n| (format!("ce-a{n}"), "x")));
        assert_eq!(many.attributes().count(), MAX_ATTRIBUTES);
    }
}
