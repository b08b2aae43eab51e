//! A request as a value, and what comes back.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

mod http;

pub(crate) use http::Http;

/// One try of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// `Idempotency-Key`.
    pub(crate) key: String,
    /// A JSON array of events.
    pub(crate) body: Bytes,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `Retry-After`, where there is one.
    pub(crate) retry_after: Option<String>,
    /// The body.
    pub(crate) body: Bytes,
}

/// Why no answer came, in a few words.
pub(crate) type NoAnswer = Cow<'static, str>;

/// What a try comes to.
pub(crate) type Posting<'a> = Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send + 'a>>;

/// Takes requests to a collector.
pub(crate) trait Transport: Send + Sync {
    /// Sends one request once, and ends in bounded time.
    fn post(&self, request: Request) -> Posting<'_>;
}
