//! Responses: JSON, problems, and the headers that let any page read them.

use std::cell::RefCell;
use std::collections::HashMap;

use web_sys::ResponseInit;
use worker::{Headers, Response, ResponseBuilder, Result};

use crate::http::error::Fault;
use crate::observe::operations::current;
use crate::read::exposition::CONTENT_TYPE;
use crate::read::metric::{Cached, server_timing};

/// Seconds a preflight's answer may be kept: a day, as the contract says.
const PREFLIGHT_MAX_AGE: &str = "86400";

/// The headers that a page may send: Shoreline's own, what tracing adds to every request, what
/// Segment's browser SDK adds to a retry, and RudderStack's to every request and a retry.
const ALLOWED_HEADERS: &str = "authorization, content-encoding, content-type, idempotency-key, if-none-match, \
     traceparent, tracestate, x-link-password, \
     x-retry-count, anonymousid, sentat, rsa-recovered, rsa-retry-attempt, rsa-retry-reason, \
     rsa-since-first-attempt, rsa-since-last-attempt";

/// Origins whose headers an isolate keeps of each kind of answer: of the pages of some hundred sites.
const MAX_ORIGINS: usize = 500;

/// Bytes of an origin whose headers are kept: `https://`, a host, which has 253 at most, and a port.
/// With [`MAX_ORIGINS`] it bounds what made-up origins can fill: 150 KB.
const MAX_ORIGIN_BYTES: usize = 300;

/// An answer whose status and headers are the same for all pages of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// [`taken`], with this status.
    Taken(u16),
    /// [`preflight`], with these methods.
    Preflight(&'static str),
}

thread_local! {
    /// Statuses and headers, by kind and origin: making them costs more than all else of an answer.
    static KEPT: RefCell<HashMap<Kind, HashMap<String, ResponseInit>>> = RefCell::default();
}

/// An answer of this kind to a page of `origin`; `make` makes its headers where none are kept.
fn kept(
    kind: Kind,
    origin: &str,
    text: Option<&str>,
    make: impl FnOnce() -> Result<(u16, Headers)>,
) -> Result<web_sys::Response> {
    let init = KEPT.with_borrow_mut(|kept| {
        let origins = kept.entry(kind).or_default();
        if let Some(init) = origins.get(origin) {
            return Ok(init.clone());
        }
        let (status, headers) = make()?;
        let init = ResponseInit::new();
        init.set_status(status);
        init.set_headers(&headers.0);
        if origin.len() <= MAX_ORIGIN_BYTES {
            if origins.len() >= MAX_ORIGINS {
                origins.clear();
            }
            origins.insert(origin.to_owned(), init.clone());
        }
        Ok::<_, worker::Error>(init)
    })?;
    Ok(web_sys::Response::new_with_opt_str_and_init(text, &init)?)
}

/// What a response lets pages of other origins do.
pub(crate) enum Cors<'a> {
    /// Ingest: any page may read the answer, so that a tracker can read a refusal. Whether events
    /// are taken is decided by key and origin list.
    Echo(Option<&'a str>),
    /// The dashboard API: its bearer token, not the origin, is what opens it.
    Any,
}

/// What a page or service is told of the events that it sent: the answer that is made most often.
pub(crate) fn taken(status: u16, text: &str, cors: &Cors<'_>) -> Result<web_sys::Response> {
    let origin = cors.origin();
    kept(Kind::Taken(status), origin, Some(text), || {
        Ok((status, headers("application/json", cors)?))
    })
}

impl Cors<'_> {
    /// What tells apart the answers of one kind. No page has the origin of [`Cors::Any`].
    fn origin(&self) -> &str {
        match self {
            Self::Echo(origin) => origin.unwrap_or_default(),
            Self::Any => " ",
        }
    }
}

/// JSON text with a status.
pub(crate) fn json(status: u16, text: String, cors: &Cors<'_>) -> Result<Response> {
    let headers = headers("application/json", cors)?;
    finish(status, text, headers)
}

/// A JSON answer, with the rows that D1 read for it where that is known.
pub(crate) fn answer(text: String, rows_read: Option<usize>) -> Result<Response> {
    let headers = headers("application/json", &Cors::Any)?;
    if let Some(rows) = rows_read {
        headers.set("server-timing", &server_timing(rows))?;
        headers.set(
            "access-control-expose-headers",
            "Server-Timing, X-Request-Id",
        )?;
    }
    finish(200, text, headers)
}

/// An answer that may be kept; 304 where the caller has it.
pub(crate) fn cached(answer: Cached, cors: &Cors<'_>) -> Result<Response> {
    let headers = headers(answer.content_type, cors)?;
    headers.set("cache-control", answer.cache_control)?;
    headers.set("etag", &answer.etag)?;
    headers.set("vary", "Authorization, Origin")?;
    if let Some(timing) = &answer.server_timing {
        headers.set("server-timing", timing)?;
    }
    headers.set(
        "access-control-expose-headers",
        "ETag, Server-Timing, X-Request-Id",
    )?;
    match answer.body {
        Some(body) => finish(200, body, headers),
        None => Ok(ResponseBuilder::new()
            .with_status(304)
            .with_headers(headers)
            .empty()),
    }
}

/// A page for Prometheus.
pub(crate) fn exposition(page: String) -> Result<Response> {
    finish(200, page, headers(CONTENT_TYPE, &Cors::Any)?)
}

/// CSV.
pub(crate) fn table(text: String) -> Result<Response> {
    finish(200, text, headers("text/csv; charset=utf-8", &Cors::Any)?)
}

/// A page of the dashboard, which pages of these sources may frame: `'none'`, or hosts as a policy writes them.
pub(crate) fn framed(text: String, ancestors: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", "text/html; charset=utf-8")?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("referrer-policy", "no-referrer")?;
    headers.set(
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    )?;
    // As www/_headers has it of the dashboard, but for who may frame it.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    headers.set("content-security-policy", &policy)?;
    finish(200, text, headers)
}

/// Plain text with a status.
pub(crate) fn text(status: u16, text: &str, cors: &Cors<'_>) -> Result<Response> {
    let headers = headers("text/plain; charset=utf-8", cors)?;
    finish(status, text.to_owned(), headers)
}

/// A fault as problem+json.
pub(crate) fn problem(fault: &Fault, cors: &Cors<'_>) -> Result<Response> {
    current(|call| call.note_code(fault.code()));
    let headers = headers("application/problem+json", cors)?;
    if let Some(seconds) = fault.retry_after_s() {
        headers.set("retry-after", &seconds.to_string())?;
    }
    if let Some(allow) = fault.allow() {
        headers.set("allow", allow)?;
    }
    finish(fault.status(), fault.to_json(), headers)
}

/// The answer of a preflight.
pub(crate) fn preflight(methods: &'static str, cors: &Cors<'_>) -> Result<web_sys::Response> {
    kept(Kind::Preflight(methods), cors.origin(), None, || {
        let headers = Headers::new();
        allow_origin(&headers, cors)?;
        headers.set("access-control-allow-methods", methods)?;
        headers.set("access-control-allow-headers", ALLOWED_HEADERS)?;
        headers.set("access-control-max-age", PREFLIGHT_MAX_AGE)?;
        Ok((204, headers))
    })
}

/// No content.
pub(crate) fn empty(status: u16, cors: &Cors<'_>) -> Result<Response> {
    let headers = Headers::new();
    allow_origin(&headers, cors)?;
    Ok(ResponseBuilder::new()
        .with_status(status)
        .with_headers(headers)
        .empty())
}

fn headers(content_type: &str, cors: &Cors<'_>) -> Result<Headers> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    allow_origin(&headers, cors)?;
    Ok(headers)
}

fn allow_origin(headers: &Headers, cors: &Cors<'_>) -> Result<()> {
    match cors {
        Cors::Echo(Some(origin)) => {
            headers.set("access-control-allow-origin", origin)?;
            headers.set(
                "access-control-expose-headers",
                "Retry-After, X-Plausible-Dropped, X-Request-Id",
            )?;
        }
        Cors::Echo(None) => {}
        Cors::Any => {
            headers.set("access-control-expose-headers", "X-Request-Id")?;
            return headers.set("access-control-allow-origin", "*");
        }
    }
    headers.set("vary", "Origin")
}

fn finish(status: u16, text: String, headers: Headers) -> Result<Response> {
    Ok(ResponseBuilder::new()
        .with_status(status)
        .with_headers(headers)
        .fixed(text.into_bytes()))
}
