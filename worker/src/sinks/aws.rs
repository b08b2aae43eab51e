//! What the services share: where one is, and a signed request of its JSON protocol.

use super::credentials::Credentials;
use super::http::{Method, SinkRequest};
use super::sigv4::{Signing, fingerprint, payload_hash};

/// A service, where it is, and whose requests it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Scheme and host, of S3 with the bucket; no slash at the end.
    pub(super) url: String,
    /// The region.
    pub(super) region: String,
    /// The service's name in signatures.
    pub(super) name: &'static str,
    /// Whose requests.
    pub(super) credentials: Credentials,
}

impl Service {
    pub(super) fn signing(&self, at_ms: i64) -> Signing<'_> {
        Signing {
            credentials: &self.credentials,
            region: &self.region,
            service: self.name,
            at_ms,
        }
    }

    /// A signed call of `target`, `version` 1.0 or 1.1 of the protocol `application/x-amz-json`.
    pub(super) fn call(
        &self,
        target: &'static str,
        version: &'static str,
        body: String,
        at_ms: i64,
    ) -> SinkRequest {
        let body = body.into_bytes();
        let hash = payload_hash(&body);
        let request = SinkRequest::new(Method::Post, format!("{}/", self.url), body)
            .header("content-type", version)
            .header("x-amz-target", target);
        self.signing(at_ms).sign(request, &hash)
    }

    pub(super) fn fingerprint(&self, own: &[&str]) -> String {
        let credentials = &self.credentials;
        let common = [
            self.name,
            &self.url,
            &self.region,
            &credentials.access_key_id,
            credentials.secret_access_key.reveal(),
            credentials
                .session_token
                .as_ref()
                .map_or("", |token| token.reveal()),
        ];
        fingerprint(common.into_iter().chain(own.iter().copied()))
    }
}

/// `content-type` of Firehose and EventBridge.
pub(super) const JSON_1_1: &str = "application/x-amz-json-1.1";

/// `content-type` of SQS.
pub(super) const JSON_1_0: &str = "application/x-amz-json-1.0";
