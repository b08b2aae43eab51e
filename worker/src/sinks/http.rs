//! Requests and answers as plain values.

/// A method that sinks are asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET, which only tests of the signature need.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
}

impl Method {
    /// As it goes on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request. `Host` and `Content-Length` follow from it, and are not among its headers.
#[derive(Clone, PartialEq, Eq)]
pub struct SinkRequest {
    /// The method.
    pub method: Method,
    /// Scheme, host, and the path percent-encoded as it is signed.
    pub url: String,
    /// Names in lower case, each once.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SinkRequest {
    /// A request without headers.
    pub fn new(method: Method, url: String, body: Vec<u8>) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Without header values and body: one is a session token, the other users' data.
impl std::fmt::Debug for SinkRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("SinkRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// What a sink answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, or the beginning of a very long one.
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// There was no answer: no connection, one that broke, no HTTP, or none in time. What was sent may
/// have arrived or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer(
    /// Why, as a short code: `timeout`, `no_answer`.
    pub &'static str,
);

/// What carries a request to a sink and its answer back.
pub trait Transport {
    /// Unix milliseconds, for the signature.
    fn now_ms(&self) -> i64;

    /// Sends a request, follows no redirect, and waits a limited time for the answer.
    ///
    /// # Errors
    /// [`NoAnswer`]; whatever was answered is no error here.
    fn send(&self, request: SinkRequest) -> impl Future<Output = Result<Answer, NoAnswer>>;
}
