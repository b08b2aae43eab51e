//! Admission: everything that can be refused before the body is read.

use form_urlencoded::parse;
use shoreline_shared::limits::MAX_BATCH_BYTES;

use crate::auth::{Grant, KeyKind, lookup_hash, origin_allowed};
use crate::error::Fault;

/// What a request says in its method, URL and headers, as plain values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestFacts {
    /// The URL's query, without `?`.
    pub query: String,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Length`, where it is a number.
    pub content_length: Option<usize>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The visitor's address as the platform gives it (`CF-Connecting-IP`), never a forwarded one.
    pub ip: Option<String>,
    /// `Sec-GPC: 1` or `DNT: 1`.
    pub opted_out: bool,
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

    /// `?private=1`: the page keeps nothing in the browser (`data-storage="none"`), so that its visits
    /// can be told apart by the edge's daily hash only, as with `Sec-GPC`.
    pub fn is_private(&self) -> bool {
        self.opted_out || self.parameter("private").is_some_and(|value| value == "1")
    }

    /// The hash to look the request's key up by.
    ///
    /// # Errors
    /// [`Fault::UnknownKey`] where there is no key, or one of no known form.
    pub fn key_hash(&self) -> Result<String, Fault> {
        self.key()
            .as_deref()
            .and_then(lookup_hash)
            .ok_or(Fault::UnknownKey)
    }
}

/// How the body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// `Content-Encoding: gzip`.
    Gzip,
}

/// A request that may send events, its body still unread. Made by [`admit`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    facts: RequestFacts,
    grant: Grant,
    encoding: Encoding,
}

impl Admitted {
    /// The request's facts.
    pub fn facts(&self) -> &RequestFacts {
        &self.facts
    }
    /// What its key may do.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
    /// How its body is packed.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// Decides whether `POST /v1/events` may go on to the body.
///
/// # Errors
/// 403 for another kind of key or an origin off the list, 415, or 413 by `Content-Length`.
pub fn admit(facts: RequestFacts, grant: Grant) -> Result<Admitted, Fault> {
    if grant.kind != KeyKind::Browser {
        return Err(Fault::WrongScope);
    }
    // A browser always says where a cross-origin or POST request comes from; what does not, is none.
    if !facts
        .origin
        .as_deref()
        .is_some_and(|origin| origin_allowed(origin, &grant.origins))
    {
        return Err(Fault::OriginNotAllowed);
    }
    check_media_type(facts.content_type.as_deref())?;
    let encoding = match facts.content_encoding.as_deref().map(str::trim) {
        None | Some("") => Encoding::Identity,
        Some(name) if name.eq_ignore_ascii_case("identity") => Encoding::Identity,
        Some(name) if name.eq_ignore_ascii_case("gzip") => Encoding::Gzip,
        Some(_) => return Err(Fault::UnsupportedMediaType),
    };
    if facts
        .content_length
        .is_some_and(|length| length > MAX_BATCH_BYTES)
    {
        return Err(too_large());
    }
    Ok(Admitted {
        facts,
        grant,
        encoding,
    })
}

/// The fault of a body over the limit.
pub fn too_large() -> Fault {
    Fault::PayloadTooLarge("A batch is at most 512 KiB after decoding; split it.")
}

/// `application/json` and `text/plain`, with any parameters; a beacon of bytes names none.
fn check_media_type(content_type: Option<&str>) -> Result<(), Fault> {
    let Some(content_type) = content_type else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("text/plain")
    {
        Ok(())
    } else {
        Err(Fault::UnsupportedMediaType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(kind: KeyKind) -> Grant {
        Grant {
            site: "demo".into(),
            kind,
            origins: vec!["https://shop.example".into()],
            hash_routing: false,
        }
    }

    fn facts() -> RequestFacts {
        RequestFacts {
            origin: Some("https://shop.example".into()),
            content_type: Some("text/plain;charset=UTF-8".into()),
            content_length: Some(100),
            ..RequestFacts::default()
        }
    }

    fn refused(change: impl FnOnce(&mut RequestFacts)) -> Option<&'static str> {
        let mut facts = facts();
        change(&mut facts);
        admit(facts, grant(KeyKind::Browser))
            .err()
            .map(|fault| fault.code())
    }

    #[test]
    fn a_good_request_is_admitted() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|f| f.content_type = None), None);
        assert_eq!(
            refused(|f| f.content_type = Some("Application/JSON".into())),
            None
        );
        assert_eq!(refused(|f| f.content_length = Some(MAX_BATCH_BYTES)), None);
        assert_eq!(refused(|f| f.content_length = None), None);
    }

    #[test]
    fn each_refusal_has_its_code() {
        assert_eq!(refused(|f| f.origin = None), Some("origin_not_allowed"));
        assert_eq!(
            refused(|f| f.origin = Some("https://evil.example".into())),
            Some("origin_not_allowed")
        );
        assert_eq!(
            refused(|f| f.content_type = Some("application/x-www-form-urlencoded".into())),
            Some("unsupported_media_type")
        );
        assert_eq!(
            refused(|f| f.content_encoding = Some("br".into())),
            Some("unsupported_media_type")
        );
        assert_eq!(
            refused(|f| f.content_length = Some(MAX_BATCH_BYTES + 1)),
            Some("payload_too_large")
        );
        for kind in [KeyKind::Source, KeyKind::Read] {
            assert_eq!(admit(facts(), grant(kind)), Err(Fault::WrongScope));
        }
    }

    #[test]
    fn a_key_comes_from_the_query_or_the_bearer() {
        let mut facts = facts();
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
}
