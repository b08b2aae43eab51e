//! What a caller is told when a request fails, named by fate.
//!
//! Every fault has a stable `code`, a status and one sentence, all free of user data, and is
//! answered as RFC 9457 `application/problem+json`.

use std::borrow::Cow;

use serde::Serialize;

use crate::http::outcome::EventResult;

/// Seconds a sender is asked to wait when nothing was taken because something of ours is down.
/// Short: the tracker's own backoff grows from here.
pub const UNAVAILABLE_RETRY_AFTER_S: u32 = 5;

/// Seconds that who finds all of a site's live streams taken is asked to wait: dashboards are closed by
/// people.
pub const STREAMS_RETRY_AFTER_S: u32 = 30;

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 400: the body, or `field` of its envelope, is not what the call takes.
    Malformed {
        /// The envelope's field, where one is to blame.
        field: Option<&'static str>,
        /// One sentence.
        detail: &'static str,
    },
    /// 400: a query parameter of the dashboard API.
    InvalidParameter {
        /// The parameter's name.
        name: &'static str,
        /// What it must be.
        detail: &'static str,
    },
    /// 400: a part of a question's body.
    InvalidField {
        /// Where it stands, such as `filters[1][0]`.
        path: String,
        /// What it must be.
        detail: &'static str,
    },
    /// 400: a query parameter that the call does not know, or that comes twice.
    UnknownParameter {
        /// The parameter's name, cut to a length that an answer may have.
        name: String,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// 401: a live stream's ticket that is missing, unknown, used or a minute old.
    InvalidTicket,
    /// 401: no key, a key of no known form, an unknown, expired or revoked one.
    UnknownKey,
    /// 401: a shared link whose password is missing or wrong.
    PasswordRequired,
    /// 403: a good key of the wrong kind for this call.
    WrongScope,
    /// 403: a part of a question that a shared link may not ask.
    NotShared {
        /// Where it stands, such as `metrics[1]`.
        path: String,
    },
    /// 403: a browser key from a page that is not on the site's list, or from no page at all.
    OriginNotAllowed,
    /// 404.
    NotFound,
    /// 405, with the methods that are allowed.
    MethodNotAllowed(&'static str),
    /// 409: what is to be made is there already.
    AlreadyExists,
    /// 409: the import was closed and takes no more parts.
    ImportClosed,
    /// 411: the body's length must be told.
    LengthRequired,
    /// 409: it would do harm as things are.
    Conflict(&'static str),
    /// 413: split the batch.
    PayloadTooLarge(&'static str),
    /// 415.
    UnsupportedMediaType,
    /// 415: a part of an import, which must be readable from its middle.
    PackedPart,
    /// 422: the question takes more than a question may; why, and what would help.
    QuestionTooLarge(&'static str),
    /// 422: not one event of the batch could be taken; the results say why.
    NoValidEvent(Vec<EventResult>),
    /// 426: the live stream is a WebSocket.
    UpgradeRequired,
    /// 429: the site has as many live streams as it may.
    TooManyStreams,
    /// 429: nothing was taken; the same batch may be sent again after so many seconds.
    RateLimited {
        /// Seconds.
        retry_after_s: u32,
    },
    /// 503: ours. Nothing was taken; the same batch may be sent again.
    Unavailable(&'static str),
}

impl Fault {
    /// A body that is not JSON of the right form.
    pub fn malformed(detail: &'static str) -> Self {
        Self::Malformed {
            field: None,
            detail,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_json",
            Self::InvalidParameter { .. }
            | Self::InvalidField { .. }
            | Self::UnknownParameter { .. } => "invalid_parameter",
            Self::InvalidTicket => "invalid_ticket",
            Self::UnknownKey => "unknown_key",
            Self::PasswordRequired => "password_required",
            Self::WrongScope | Self::NotShared { .. } => "wrong_scope",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::AlreadyExists => "already_exists",
            Self::ImportClosed => "import_closed",
            Self::LengthRequired => "length_required",
            Self::Conflict(_) => "conflict",
            Self::PayloadTooLarge(_) => "payload_too_large",
            Self::UnsupportedMediaType | Self::PackedPart => "unsupported_media_type",
            Self::QuestionTooLarge(_) => "question_too_large",
            Self::NoValidEvent(_) => "no_valid_event",
            Self::UpgradeRequired => "upgrade_required",
            Self::TooManyStreams => "too_many_streams",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed { .. }
            | Self::InvalidParameter { .. }
            | Self::InvalidField { .. }
            | Self::UnknownParameter { .. } => 400,
            Self::UnknownKey | Self::InvalidTicket | Self::PasswordRequired => 401,
            Self::WrongScope | Self::NotShared { .. } | Self::OriginNotAllowed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::AlreadyExists | Self::ImportClosed | Self::Conflict(_) => 409,
            Self::LengthRequired => 411,
            Self::PayloadTooLarge(_) => 413,
            Self::UnsupportedMediaType | Self::PackedPart => 415,
            Self::QuestionTooLarge(_) | Self::NoValidEvent(_) => 422,
            Self::UpgradeRequired => 426,
            Self::RateLimited { .. } | Self::TooManyStreams => 429,
            Self::Unavailable(_) => 503,
        }
    }

    /// One sentence for the developer who reads the answer.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed { detail, .. }
            | Self::PayloadTooLarge(detail)
            | Self::Unavailable(detail)
            | Self::Conflict(detail)
            | Self::QuestionTooLarge(detail)
            | Self::InvalidParameter { detail, .. }
            | Self::InvalidField { detail, .. }
            | Self::UnknownParameter { detail, .. } => Cow::Borrowed(detail),
            Self::InvalidTicket => "The ticket is missing, unknown, used or expired.".into(),
            Self::UnknownKey => "The key is missing, unknown, expired or revoked.".into(),
            Self::PasswordRequired => {
                "The shared link has a password; X-Link-Password has none, or another.".into()
            }
            Self::WrongScope => "This kind of key may not make this call.".into(),
            Self::NotShared { .. } => "The shared link may not ask this.".into(),
            Self::OriginNotAllowed => {
                "A browser key is taken only from the origins of its site.".into()
            }
            Self::NotFound => "There is nothing at this path.".into(),
            Self::MethodNotAllowed(allow) => format!("This path takes {allow}.").into(),
            Self::AlreadyExists => "There is one of this id already.".into(),
            Self::ImportClosed => "The import was closed and takes no more parts.".into(),
            Self::LengthRequired => "Send the body with a Content-Length.".into(),
            Self::UnsupportedMediaType => {
                "Send application/json or text/plain, plain or with Content-Encoding: gzip.".into()
            }
            Self::PackedPart => "A part is sent as it is, without a Content-Encoding.".into(),
            Self::UpgradeRequired => "Open a WebSocket (Upgrade: websocket).".into(),
            Self::TooManyStreams => "The site has as many live streams as it may.".into(),
            Self::RateLimited { .. } => {
                "Too many events; send the same batch again after Retry-After.".into()
            }
            Self::NoValidEvent(_) => {
                "Not one event of the batch could be taken; see results.".into()
            }
        }
    }

    /// Seconds for `Retry-After`, on the faults after which the same request may be sent again.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable(_) => Some(UNAVAILABLE_RETRY_AFTER_S),
            Self::TooManyStreams => Some(STREAMS_RETRY_AFTER_S),
            _ => None,
        }
    }

    /// The value of `Allow`, on a 405.
    pub fn allow(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed(allow) => Some(allow),
            _ => None,
        }
    }

    /// The `application/problem+json` body.
    pub fn to_json(&self) -> String {
        let (field, results) = match self {
            Self::Malformed { field, .. } => (*field, None),
            Self::InvalidParameter { name, .. } => (Some(*name), None),
            Self::InvalidField { path: name, .. }
            | Self::UnknownParameter { name, .. }
            | Self::NotShared { path: name } => (Some(name.as_str()), None),
            Self::NoValidEvent(results) => (None, Some(results.as_slice())),
            _ => (None, None),
        };
        let problem = Problem {
            r#type: format!("urn:shoreline:problem:{}", self.code()),
            title: title(self.status()),
            status: self.status(),
            code: self.code(),
            detail: self.detail(),
            field,
            results,
        };
        // A struct of strings and numbers always serializes.
        serde_json::to_string(&problem).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Problem<'a> {
    /// `urn:shoreline:problem:` and the code.
    r#type: String,
    /// The status's name.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// Stable.
    code: &'static str,
    /// One sentence.
    detail: Cow<'static, str>,
    /// The parameter or field that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// How each event of a batch ended of which none could be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Vec<EventResult>>))]
    results: Option<&'a [EventResult]>,
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        _ => "Service Unavailable",
    }
}
