//! Admission: everything that can be refused before the body is read.

use std::rc::Rc;

use shoreline_shared::limits::MAX_BATCH_BYTES;

use crate::access::auth::{Grant, KeyKind, origin_allowed};
use crate::access::rate::Limit;
use crate::http::error::Fault;
use crate::http::facts::RequestFacts;
use crate::http::known;

/// Bytes of a body of `/v1/ingest` at most, after decoding: 4 MiB, a thousand events of usual size
/// twice over, and a third of what one call of a Durable Object is known to bear.
pub const MAX_INGEST_BYTES: usize = 4 * 1024 * 1024;

/// Query parameters of `/v1/events`.
pub const EVENTS_PARAMS: &[&str] = &["key", "private", "hashIds", "dryRun"];

/// Query parameters of `/v1/ingest`.
pub const INGEST_PARAMS: &[&str] = &["key", "dryRun"];

/// The way by which events come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/v1/events`: pages with our own tracker.
    Events,
    /// `/v1/ingest`: back ends.
    Ingest,
    /// Segment's HTTP API.
    Segment,
    /// Plausible's events API.
    Plausible,
}

impl Door {
    /// Bytes of a body at most, after decoding. Segment's own limit is 500 KB.
    pub fn max_bytes(self) -> usize {
        match self {
            Self::Ingest => MAX_INGEST_BYTES,
            _ => MAX_BATCH_BYTES,
        }
    }

    fn takes(self, kind: KeyKind) -> bool {
        match self {
            Self::Events | Self::Plausible => kind == KeyKind::Browser,
            Self::Ingest => kind == KeyKind::Source,
            Self::Segment => kind != KeyKind::Read,
        }
    }

    /// The query parameters that it knows; none: whatever another system's library sends.
    fn params(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Events => Some(EVENTS_PARAMS),
            Self::Ingest => Some(INGEST_PARAMS),
            Self::Segment | Self::Plausible => None,
        }
    }

    /// The fault of a body over the limit.
    pub fn too_large(self) -> Fault {
        Fault::PayloadTooLarge(match self {
            Self::Ingest => "A body is at most 4 MiB after decoding; split it.",
            _ => "A batch is at most 512 KiB after decoding; split it.",
        })
    }

    /// Whether a body of this type may come in, with any parameters; a beacon of bytes names none.
    /// What `/v1/ingest` takes by type is its adapters' affair.
    fn takes_media(self, content_type: Option<&str>) -> bool {
        let Some(content_type) = content_type else {
            return true;
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        self == Self::Ingest
            || essence.eq_ignore_ascii_case("application/json")
            || essence.eq_ignore_ascii_case("text/plain")
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

/// A request that may send events. Made by [`admit`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    facts: RequestFacts,
    grant: Rc<Grant>,
    door: Door,
    limits: Option<[Limit; 2]>,
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
    /// Where it came in.
    pub fn door(&self) -> Door {
        self.door
    }
    /// The limits of its visitor and network, once they were asked; a service has none.
    pub fn limits(&self) -> Option<[Limit; 2]> {
        self.limits
    }
    /// The same, held to these limits.
    #[must_use]
    pub fn limited_by(self, limits: Option<[Limit; 2]>) -> Self {
        Self { limits, ..self }
    }
    /// Whether a page sends it, and not a service: then the edge itself knows address and agent.
    pub fn is_page(&self) -> bool {
        self.grant.kind == KeyKind::Browser
    }
}

/// Decides whether a body may be read at all, and says how it is packed.
///
/// # Errors
/// 400 for a query parameter that nobody knows, 415, or 413 by `Content-Length`.
pub fn check_body(facts: &RequestFacts, door: Door) -> Result<Encoding, Fault> {
    if let Some(known) = door.params() {
        known::parameters(&facts.query, known)?;
    }
    if !door.takes_media(facts.content_type.as_deref()) {
        return Err(Fault::UnsupportedMediaType);
    }
    let encoding = match facts.content_encoding.as_deref().map(str::trim) {
        None | Some("") => Encoding::Identity,
        Some(name) if name.eq_ignore_ascii_case("identity") => Encoding::Identity,
        // The older name of the same (RFC 9110, 8.4.1.3).
        Some(name)
            if ["gzip", "x-gzip"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Encoding::Gzip
        }
        Some(_) => return Err(Fault::UnsupportedMediaType),
    };
    if facts
        .content_length
        .is_some_and(|length| length > door.max_bytes())
    {
        return Err(door.too_large());
    }
    Ok(encoding)
}

/// Decides whether the holder of this grant may send by this door.
///
/// # Errors
/// 403 for another kind of key, or a page whose origin is not on the list.
pub fn admit(facts: RequestFacts, grant: Rc<Grant>, door: Door) -> Result<Admitted, Fault> {
    if !door.takes(grant.kind) {
        return Err(Fault::WrongScope);
    }
    // A browser always says where a cross-origin or POST request comes from; what does not, is none.
    let is_page = grant.kind == KeyKind::Browser;
    let at_home = || {
        let origin = facts.origin.as_deref();
        origin.is_some_and(|origin| origin_allowed(origin, &grant.origins))
    };
    if is_page && !at_home() {
        return Err(Fault::OriginNotAllowed);
    }
    Ok(Admitted {
        facts,
        grant,
        door,
        limits: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::a_grant;

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
        check_body(&facts, Door::Events)
            .and_then(|_| admit(facts, a_grant(KeyKind::Browser).into(), Door::Events))
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
    fn gzip_has_two_names() {
        for (name, want) in [
            ("gzip", Encoding::Gzip),
            (" X-Gzip ", Encoding::Gzip),
            ("Identity", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let packed = RequestFacts {
                content_encoding: Some(name.into()),
                ..facts()
            };
            assert_eq!(check_body(&packed, Door::Events), Ok(want), "{name}");
        }
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
    }

    #[test]
    fn each_door_takes_its_kinds_of_keys() {
        use Door::{Events, Ingest, Plausible, Segment};
        use KeyKind::{Browser, Read, Source};
        for (door, kind, ok) in [
            (Events, Browser, true),
            (Events, Source, false),
            (Events, Read, false),
            (Ingest, Browser, false),
            (Ingest, Source, true),
            (Ingest, Read, false),
            (Segment, Browser, true),
            (Segment, Source, true),
            (Segment, Read, false),
            (Plausible, Browser, true),
            (Plausible, Source, false),
        ] {
            let admitted = admit(facts(), a_grant(kind).into(), door);
            assert_eq!(admitted.is_ok(), ok, "{door:?} {kind:?}");
        }
    }

    #[test]
    fn a_service_needs_no_origin_and_may_send_more() {
        let service = RequestFacts {
            content_type: Some("application/cloudevents+json".into()),
            content_length: Some(MAX_INGEST_BYTES),
            ..RequestFacts::default()
        };
        assert_eq!(check_body(&service, Door::Ingest), Ok(Encoding::Identity));
        let admitted = admit(
            service.clone(),
            a_grant(KeyKind::Source).into(),
            Door::Ingest,
        )
        .unwrap();
        assert!(!admitted.is_page());
        assert_eq!(
            check_body(&service, Door::Segment).map_err(|f| f.code()),
            Err("unsupported_media_type")
        );
        let huge = RequestFacts {
            content_length: Some(MAX_INGEST_BYTES + 1),
            ..service
        };
        assert_eq!(
            check_body(&huge, Door::Ingest),
            Err(Door::Ingest.too_large())
        );
    }
}
