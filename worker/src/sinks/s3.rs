//! S3: a sealed object is put whole, and only where nothing is yet.

use std::collections::HashMap;

use super::aws::Service;
use super::encode::encode_path;
use super::http::{Answer, Method, SinkRequest};
use super::sigv4::payload_hash;
use super::verdict::{Failure, judge};
use crate::sinks::{Landing, SealedObject};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// Where it is, the bucket included.
    pub(super) service: Service,
    /// What all keys begin with: empty, or a path that ends with a slash.
    pub(super) prefix: String,
}

/// The header of a metadata key.
const METADATA: &str = "x-amz-meta-";

impl S3 {
    /// The conditional put of an object, `body` being its gzipped lines. It is signed with its body,
    /// which is hashed here and nowhere else.
    pub fn put(&self, object: &SealedObject, body: Vec<u8>, at_ms: i64) -> SinkRequest {
        let hash = payload_hash(&body);
        let request = SinkRequest::new(Method::Put, self.url(object), body)
            // A gzip file, not a gzip-encoded text: engines read it by its name.
            .header("content-type", "application/gzip")
            .header("if-none-match", "*")
            .header("x-amz-content-sha256", hash.as_str())
            .header("x-amz-meta-events", object.events.to_string())
            .header("x-amz-meta-sha256", object.hash.as_str());
        self.service.signing(at_ms).sign(request, &hash)
    }

    /// Asks what lies under an object's key. The user needs `s3:GetObject` for it.
    pub fn head(&self, object: &SealedObject, at_ms: i64) -> SinkRequest {
        let hash = payload_hash(b"");
        let request = SinkRequest::new(Method::Head, self.url(object), Vec::new())
            .header("x-amz-content-sha256", hash.as_str());
        self.service.signing(at_ms).sign(request, &hash)
    }

    fn url(&self, object: &SealedObject) -> String {
        let path = encode_path(&format!("/{}{}", self.prefix, object.key));
        format!("{}{path}", self.service.url)
    }
}

/// Judges the answer of a put: landed, or failed; `None` where the key is taken (412), and it must
/// be asked by what.
pub(super) fn judge_put(answer: &Answer) -> Option<Landing> {
    match answer.status {
        // What is no S3 may answer 200 to anything, but has no ETag of an object.
        200 if answer.header("etag").is_some() => Some(Landing::Put),
        200..=299 => Some(Landing::Failed(Failure::passing("no_etag"))),
        412 => None,
        _ => Some(Landing::Failed(judge(answer))),
    }
}

/// Judges the answer to the question what lies under a taken key.
pub(super) fn judge_head(answer: &Answer) -> Landing {
    match answer.status {
        200 if answer.header("etag").is_some() => {
            let metadata: HashMap<String, String> = answer
                .headers
                .iter()
                .filter_map(|(name, value)| {
                    let key = name.strip_prefix(METADATA)?;
                    Some((key.to_owned(), value.clone()))
                })
                .collect();
            Landing::Taken(metadata)
        }
        200..=299 => Landing::Failed(Failure::passing("no_etag")),
        // Deleted since it was taken; the next put tells.
        404 => Landing::Failed(Failure::passing("taken_and_gone")),
        _ => Landing::Failed(judge(answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::credentials::{Credentials, Secret};
    use crate::sinks::verdict::FailureKind;
    use crate::testing::NOW;

    fn s3() -> S3 {
        S3 {
            service: Service {
                url: "http://127.0.0.1:9000/lake".into(),
                region: "eu-central-1".into(),
                name: "s3",
                credentials: Credentials {
                    access_key_id: "AK".into(),
                    secret_access_key: Secret::new("secret"),
                    session_token: Some(Secret::new("token")),
                },
            },
            prefix: "raw/".into(),
        }
    }

    fn object() -> SealedObject {
        SealedObject {
            sequence: 1,
            key: "events/date=2024-01-15/hour=16/demo-0-e-0000000001.ndjson.gz".into(),
            hash: "beef".into(),
            events: 2,
        }
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        Answer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: String::new(),
        }
    }

    #[test]
    fn a_put_is_conditional_signed_and_carries_the_content_hash() {
        let request = s3().put(&object(), b"gzip".to_vec(), NOW);
        assert_eq!(
            request.url,
            "http://127.0.0.1:9000/lake/raw/events/date%3D2024-01-15/hour%3D16/\
             demo-0-e-0000000001.ndjson.gz"
        );
        assert_eq!(request.method, Method::Put);
        let header = |name| {
            let found = request.headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(header("if-none-match"), Some("*"));
        assert_eq!(header("x-amz-meta-sha256"), Some("beef"));
        assert_eq!(header("x-amz-meta-events"), Some("2"));
        assert_eq!(header("x-amz-security-token"), Some("token"));
        assert_eq!(header("x-amz-date"), Some("20240115T160012Z"));
        assert_eq!(
            header("x-amz-content-sha256"),
            Some(&*payload_hash(b"gzip"))
        );
        let authorization = header("authorization").unwrap();
        assert!(authorization.contains(
            "SignedHeaders=content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;\
             x-amz-meta-events;x-amz-meta-sha256;x-amz-security-token,"
        ));
        // The very same request each time: nothing in it is random.
        assert_eq!(request, s3().put(&object(), b"gzip".to_vec(), NOW));
        assert!(!format!("{request:?}").contains("token,"));
    }

    #[test]
    fn only_an_answer_of_s3_says_that_an_object_landed() {
        let etag = ("etag", "\"x\"");
        assert_eq!(judge_put(&answer(200, &[etag])), Some(Landing::Put));
        for status in [200, 204] {
            let landing = judge_put(&answer(status, &[])).unwrap();
            assert_eq!(landing, Landing::Failed(Failure::passing("no_etag")));
        }
        assert_eq!(judge_put(&answer(412, &[])), None);
        let Some(Landing::Failed(failure)) = judge_put(&answer(403, &[])) else {
            panic!("403 is a failure");
        };
        assert_eq!(failure.kind, FailureKind::Lasting);
    }

    #[test]
    fn a_taken_key_is_done_only_with_our_hash() {
        let there = |hash| judge_head(&answer(200, &[("etag", "x"), ("x-amz-meta-sha256", hash)]));
        use crate::sinks::Outcome;
        assert_eq!(there("beef").outcome(&object()), Outcome::Done);
        assert_eq!(there("dead").outcome(&object()), Outcome::Conflict);
        let bare = judge_head(&answer(200, &[("etag", "x")]));
        assert_eq!(bare.outcome(&object()), Outcome::Conflict);
        for (status, code) in [(404, "taken_and_gone"), (200, "no_etag"), (503, "http_503")] {
            let failed = judge_head(&answer(status, &[]));
            assert_eq!(failed, Landing::Failed(Failure::passing(code)), "{status}");
        }
        assert_eq!(
            judge_head(&answer(403, &[])),
            Landing::Failed(Failure::lasting("http_403"))
        );
    }
}
