//! HTTP(S) by reqwest.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url, redirect};

use super::{Answer, NoAnswer, Posting, Request, Transport};
use crate::config::ConfigError;

/// The path below the endpoint.
const INGEST: &str = "/v1/ingest";

/// Bytes of an answer that are read at most: 1 MiB. A thousand results of 300 bytes are a third of it.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// How the library names itself.
const USER_AGENT: &str = concat!("shoreline-publisher/", env!("CARGO_PKG_VERSION"));

/// A collector at a URL.
pub(crate) struct Http {
    client: Client,
    url: Url,
}

impl Http {
    /// Prepares connections; makes none yet.
    ///
    /// Redirects are not followed: a client makes a GET of a redirected POST, and would hand the key to
    /// whoever it is sent to.
    pub(crate) fn new(
        endpoint: &str,
        source_key: &str,
        connect: Duration,
        request: Duration,
        allow_http: bool,
    ) -> Result<Self, ConfigError> {
        let url = ingest_url(endpoint)?;
        let local = is_loopback(&url);
        if url.scheme() != "https" && !local && !allow_http {
            return Err(ConfigError::NotHttps);
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {source_key}"))
            .ok()
            .filter(|_| !source_key.is_empty())
            .ok_or(ConfigError::Key)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        let mut builder = Client::builder()
            .default_headers(headers)
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .connect_timeout(connect)
            .timeout(request);
        if local {
            // A proxy's localhost is another one.
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| ConfigError::Client(describe(error).into_owned()))?;
        Ok(Self { client, url })
    }

    async fn send(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let posting = self
            .client
            .post(self.url.clone())
            .header("idempotency-key", request.key)
            .body(request.body);
        let mut response = posting.send().await?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok().map(str::to_owned));
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
                // No collector's answer: what it says is not looked at.
                body.clear();
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            retry_after,
            body: Bytes::from(body),
        })
    }
}

impl Transport for Http {
    fn post(&self, request: Request) -> Posting<'_> {
        Box::pin(async { self.send(request).await.map_err(describe) })
    }
}

fn ingest_url(endpoint: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(&format!("{}{INGEST}", endpoint.trim_end_matches('/')))
        .map_err(|_| ConfigError::Endpoint)?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain && url.has_host() && matches!(url.scheme(), "http" | "https") {
        return Ok(url);
    }
    Err(ConfigError::Endpoint)
}

/// Whether the endpoint is on this machine, where nobody listens in between.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// What failed, in a few words and without the URL.
fn describe(error: reqwest::Error) -> NoAnswer {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let what = if error.is_connect() {
        "could not connect"
    } else {
        "the connection failed"
    };
    let error = error.without_url();
    let mut root: &dyn std::error::Error = &error;
    while let Some(source) = root.source() {
        root = source;
    }
    format!("{what}: {root}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_a_base_url() {
        for (endpoint, url) in [
            ("https://c.example", "https://c.example/v1/ingest"),
            ("https://c.example/", "https://c.example/v1/ingest"),
            (
                "https://c.example/base/",
                "https://c.example/base/v1/ingest",
            ),
            ("http://[::1]:8787", "http://[::1]:8787/v1/ingest"),
        ] {
            assert_eq!(
                ingest_url(endpoint).map(|url| url.to_string()),
                Ok(url.to_owned())
            );
        }
        for bad in [
            "",
            "c.example",
            "/v1",
            "ftp://c.example",
            "https://c.example?x=1",
            "https://c.example#x",
            "https://me:pw@c.example",
            "data:text/plain,x",
        ] {
            assert_eq!(ingest_url(bad), Err(ConfigError::Endpoint), "{bad}");
        }
    }

    #[test]
    fn a_key_is_sent_in_the_clear_to_this_machine_only() {
        let second = Duration::from_secs(1);
        let new = |endpoint, allow| Http::new(endpoint, "sls_demo_x", second, second, allow);
        for local in ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"] {
            assert!(new(local, false).is_ok(), "{local}");
        }
        for far in [
            "http://c.example",
            "http://10.0.0.1",
            "http://localhost.example",
        ] {
            assert_eq!(new(far, false).err(), Some(ConfigError::NotHttps), "{far}");
            assert!(new(far, true).is_ok(), "{far}");
        }
        assert!(new("https://c.example", false).is_ok());
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused() {
        let second = Duration::from_secs(1);
        for bad in ["", "a\nb"] {
            let made = Http::new("https://c.example", bad, second, second, false);
            assert_eq!(made.err(), Some(ConfigError::Key));
        }
    }
}
