//! What a request says of itself, as plain values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use form_urlencoded::parse;

use crate::http::cloud_event::CloudEventHeaders;

/// What a request says in its method, URL and headers, as plain values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestFacts {
    /// The URL's query, without `?`.
    pub query: String,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `X-Link-Password`, of a shared link.
    pub link_password: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Length`, where it is a number.
    pub content_length: Option<usize>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The `ce-` headers of a CloudEvent in binary mode.
    pub cloud_event: CloudEventHeaders,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The visitor's address as the platform gives it (`CF-Connecting-IP`), never a forwarded one.
    pub ip: Option<String>,
    /// `Sec-GPC: 1` or `DNT: 1`.
    pub opted_out: bool,
    /// The platform itself takes the sender for a bot.
    pub known_bot: bool,
    /// ISO country of the address, by the edge's own data.
    pub country: Option<String>,
    /// Region of the address, likewise.
    pub region: Option<String>,
}

impl RequestFacts {
    /// The key: `?key=` first (a beacon can set no header), then `Authorization: Bearer`.
    pub fn key(&self) -> Option<String> {
        self.parameter("key").or_else(|| self.bearer())
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<String> {
        let (scheme, token) = self.authorization.as_deref()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    }

    /// The user name of `Authorization: Basic`, which is how Segment's libraries send a write key.
    pub fn basic_user(&self) -> Option<String> {
        let (scheme, packed) = self.authorization.as_deref()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64.decode(packed.trim()).ok()?).ok()?;
        let (user, _) = pair.split_once(':')?;
        Some(user.to_owned())
    }

    /// The key as libraries of Segment's and RudderStack's kind send it: the user name of HTTP Basic,
    /// `?writeKey=` of a beacon, or as everywhere.
    pub fn write_key(&self) -> Option<String> {
        self.basic_user()
            .or_else(|| self.parameter("writeKey"))
            .or_else(|| self.key())
    }

    /// The first query parameter of this name, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// `?dryRun=1`: judge the events, keep none.
    pub fn dry_run(&self) -> bool {
        self.parameter("dryRun")
            .is_some_and(|value| value == "1" || value == "true")
    }

    /// `?hashIds=1`: the page wants no user's id kept, but a keyed hash of it (`data-hash-ids`).
    pub fn hash_ids(&self) -> bool {
        self.parameter("hashIds").is_some_and(|value| value == "1")
    }

    /// `?private=1`: the page keeps nothing in the browser (`data-storage="none"`), so that its visits
    /// can be told apart by the edge's daily hash only, as with `Sec-GPC`.
    pub fn is_private(&self) -> bool {
        self.opted_out || self.parameter("private").is_some_and(|value| value == "1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_the_query_or_the_bearer() {
        let mut facts = RequestFacts::default();
        assert_eq!(facts.key(), None);
        facts.authorization = Some("bearer abc".into());
        assert_eq!(facts.key().as_deref(), Some("abc"));
        facts.query = "a=b&key=x%2Dy".into();
        assert_eq!(facts.key().as_deref(), Some("x-y"));
        facts = RequestFacts {
            authorization: Some("Basic abc".into()),
            ..RequestFacts::default()
        };
        assert_eq!(facts.key(), None);
    }

    #[test]
    fn a_write_key_may_stand_in_the_query() {
        let mut facts = RequestFacts {
            query: "writeKey=a&key=b".into(),
            ..RequestFacts::default()
        };
        assert_eq!(facts.write_key().as_deref(), Some("a"));
        facts.authorization = Some("Basic a2V5Og==".into());
        assert_eq!(facts.write_key().as_deref(), Some("key"));
        facts = RequestFacts {
            query: "key=b".into(),
            ..RequestFacts::default()
        };
        assert_eq!(facts.write_key().as_deref(), Some("b"));
    }

    #[test]
    fn a_write_key_is_the_user_of_basic() {
        let user = |header: &str| {
            let facts = RequestFacts {
                authorization: Some(header.into()),
                ..RequestFacts::default()
            };
            facts.basic_user()
        };
        // "key:" and "key:secret".
        assert_eq!(user("Basic a2V5Og==").as_deref(), Some("key"));
        assert_eq!(user("basic a2V5OnNlY3JldA==").as_deref(), Some("key"));
        for none in [
            "Basic",
            "Basic !",
            "Basic a2V5",
            "Basic /w==",
            "Bearer a2V5Og==",
        ] {
            assert_eq!(user(none), None, "{none}");
        }
    }
}
