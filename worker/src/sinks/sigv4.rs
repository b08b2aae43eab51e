//! AWS Signature Version 4 in the `Authorization` header.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use chrono::{DateTime, Datelike, Timelike};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::credentials::Credentials;
use super::http::SinkRequest;
use crate::base::hash::{hex, sha256_hex};
use crate::base::sorted::sorted;

/// Who signs, for what, and when.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// Whose secret signs.
    pub credentials: &'a Credentials,
    /// The region, as in `eu-central-1`.
    pub region: &'a str,
    /// The service's name in signatures: `s3`, `firehose`, `events`, `sqs`.
    pub service: &'a str,
    /// Unix milliseconds; the service takes a signature for some minutes.
    pub at_ms: i64,
}

/// The hash of a body, as it is signed. A body is hashed once: what needs the hash is given it.
pub fn payload_hash(body: &[u8]) -> String {
    sha256_hex(body)
}

impl Signing<'_> {
    /// Signs a request whose body has the hash `payload`: adds `x-amz-date`, the session token
    /// where there is one, and `authorization`. All headers that the request has are signed.
    ///
    /// The path is signed as it stands in the URL, which is right for S3 and for `/`.
    pub fn sign(&self, request: SinkRequest, payload: &str) -> SinkRequest {
        let time = basic_time(self.at_ms);
        let date = time.get(..8).unwrap_or_default();
        let mut request = request.header("x-amz-date", time.as_str());
        if let Some(token) = &self.credentials.session_token {
            request = request.header("x-amz-security-token", token.reveal());
        }
        let (canonical, signed) = canonical_request(&request, payload);
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let hash = sha256_hex(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
        let secret = format!("AWS4{}", self.credentials.secret_access_key.reveal());
        let key = [date, self.region, self.service, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key: Vec<u8>, part| {
                hmac(&key, part.as_bytes())
            });
        let signature = hex(&hmac(&key, text.as_bytes()));
        let id = &self.credentials.access_key_id;
        request.header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, \
                 Signature={signature}"
            ),
        )
    }
}

/// `YYYYMMDDTHHMMSSZ`
fn basic_time(at_ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The canonical request, and the names of the signed headers.
fn canonical_request(request: &SinkRequest, payload: &str) -> (String, String) {
    let (host, path, query) = split_url(&request.url);
    let mut headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, single_spaced(value)))
        .collect();
    headers.push(("host", host.to_owned()));
    let headers = sorted(headers);
    let params = sorted(query.split('&').filter(|param| !param.is_empty()));
    let signed = headers
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(";");
    let mut out = format!(
        "{}\n{path}\n{}\n",
        request.method.as_str(),
        params.join("&")
    );
    for (name, value) in &headers {
        out.push_str(&format!("{name}:{value}\n"));
    }
    out.push_str(&format!("\n{signed}\n{payload}"));
    (out, signed)
}

/// Host (with a port that is not the scheme's own), path and query of a URL.
pub(super) fn split_url(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let slash = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(slash).unwrap_or((rest, ""));
    (host, if path.is_empty() { "/" } else { path }, query)
}

fn single_spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length; if it did not, an empty result only fails the signature.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The first 16 hex digits of a hash over `parts`: enough to notice a change, too few to search
/// for what was hashed.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(hasher.finalize().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests;
