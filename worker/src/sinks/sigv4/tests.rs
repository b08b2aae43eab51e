//! AWS's published vectors (aws-sig-v4-test-suite, as kept in awslabs/aws-c-auth), and S3's example.

use super::*;
use crate::sinks::credentials::Secret;
use crate::sinks::http::Method::{self, Get, Post, Put};

const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

/// 2015-08-30T12:36:00Z
const AT_MS: i64 = 1_440_938_160_000;

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: token.map(Secret::new),
    }
}

fn signature(
    method: Method,
    target: &str,
    headers: &[(&'static str, &str)],
    body: &str,
    token: Option<&str>,
) -> String {
    let url = format!("https://example.amazonaws.com{target}");
    let mut request = SinkRequest::new(method, url, body.into());
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let signing = Signing {
        credentials: &credentials(token),
        region: "us-east-1",
        service: "service",
        at_ms: AT_MS,
    };
    let signed = signing.sign(request, &payload_hash(body.as_bytes()));
    let (_, authorization) = signed.headers.last().unwrap();
    authorization
        .rsplit_once("Signature=")
        .unwrap()
        .1
        .to_owned()
}

#[test]
fn published_vectors_are_signed_as_published() {
    let unreserved = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (name, got, want) in [
        (
            "get-vanilla",
            signature(Get, "/", &[], "", None),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            signature(Get, "/?Param2=value2&Param1=value1", &[], "", None),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-with-session-token",
            signature(Get, "/", &[], "", Some(TOKEN)),
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (
            "get-header-value-trim",
            signature(
                Get,
                "/",
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "",
                None,
            ),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "get-unreserved",
            signature(Get, unreserved, &[], "", None),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-utf8",
            signature(Get, &super::super::encode::encode_path("/ሴ"), &[], "", None),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "post-vanilla-query",
            signature(Post, "/?Param1=value1", &[], "", None),
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "post-header-key-sort",
            signature(Post, "/", &[("my-header1", "value1")], "", None),
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-x-www-form-urlencoded",
            signature(
                Post,
                "/",
                &[
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("content-length", "13"),
                    ("x-amz-content-sha256", &payload_hash(b"Param1=value1")),
                ],
                "Param1=value1",
                None,
            ),
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
    ] {
        assert_eq!(got, want, "{name}");
    }
}

/// The example "PUT Object" of Amazon S3's reference ("Signature Calculations for the Authorization
/// Header: Transferring Payload in a Single Chunk").
#[test]
fn the_put_of_s3s_reference_is_signed_as_published() {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token: None,
    };
    let body = b"Welcome to Amazon S3.".to_vec();
    let hash = payload_hash(&body);
    let url = "https://examplebucket.s3.amazonaws.com/test%24file.text";
    let request = SinkRequest::new(Put, url.into(), body)
        .header("date", "Fri, 24 May 2013 00:00:00 GMT")
        .header("x-amz-content-sha256", hash.as_str())
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY");
    let signing = Signing {
        credentials: &credentials,
        region: "us-east-1",
        service: "s3",
        at_ms: 1_369_353_600_000,
    };
    let signed = signing.sign(request, &hash);
    assert_eq!(
        signed.headers.last().unwrap().1,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, \
         Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
}

#[test]
fn another_secret_body_or_time_is_another_signature() {
    let base = signature(Post, "/", &[], "a", None);
    assert_ne!(base, signature(Post, "/", &[], "b", None));
    assert_ne!(base, signature(Post, "/", &[], "a", Some("token")));
    assert_ne!(base, signature(Put, "/", &[], "a", None));
}

#[test]
fn urls_are_split_as_they_are_signed() {
    assert_eq!(
        split_url("http://127.0.0.1:9000/b/k?x"),
        ("127.0.0.1:9000", "/b/k", "x")
    );
    assert_eq!(split_url("https://h.example"), ("h.example", "/", ""));
}

#[test]
fn a_fingerprint_tells_where_one_part_ends() {
    assert_ne!(fingerprint(["ab", "c"]), fingerprint(["a", "bc"]));
    assert_eq!(fingerprint(["a"]).len(), 16);
}
