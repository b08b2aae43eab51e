//! Bodies that are no JSON, too large, packed wrong, or said to be something else.

use std::io::Write;

use serde_json::{Value, json};
use shoreline_tests::site::reply;
use shoreline_tests::system::shared;

use super::{Door, code};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        let good = door.good_body(&site);
        let wide = |bytes: fn(u16) -> [u8; 2]| good.encode_utf16().flat_map(bytes).collect();
        let marked = door.body(&[door.event(&site, r#","k":"@""#)]);
        let not_utf8 = marked
            .bytes()
            .map(|byte| if byte == b'@' { 0xff } else { byte });
        let not_utf8: Vec<u8> = not_utf8.collect();
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("empty", Vec::new()),
            ("white space", b" \r\n\t".to_vec()),
            ("a word", b"hello".to_vec()),
            ("null", b"null".to_vec()),
            ("a number", b"1e999".to_vec()),
            ("cut", good.as_bytes()[..good.len() - 1].to_vec()),
            ("trailing", format!("{good}}}").into_bytes()),
            ("a byte order mark", format!("\u{feff}{good}").into_bytes()),
            ("UTF-16, little end first", wide(u16::to_le_bytes)),
            ("UTF-16, big end first", wide(u16::to_be_bytes)),
            ("no UTF-8", not_utf8),
            ("deep", deep.into_bytes()),
            ("form data", b"key=value&events=1".to_vec()),
            ("XML", b"<?xml version=\"1.0\"?><events/>".to_vec()),
        ];
        for (what, body) in bodies {
            let answer = door.send(&site, body).await;
            let want = match (what, door) {
                // Well-formed, and over the limit of an event: there the body is one, ...
                ("deep", Door::Plausible) => (413, "payload_too_large"),
                // ... here a list of one.
                ("deep", Door::Ingest) => (422, "no_valid_event"),
                _ => (400, "malformed_json"),
            };
            assert_eq!(code(&answer), want, "{door:?}, {what}: {}", answer.body);
            door.still_works(&site).await;
        }
    }
}

#[tokio::test]
async fn gzip_is_unpacked_to_the_limit_and_no_further() {
    let site = shared().new_site().await;
    let bomb = gzip(&vec![b' '; 200_000_000]);
    assert!(bomb.len() < 300_000);
    for door in Door::ALL {
        let send = async |body: Vec<u8>| {
            let request = door.post(&site).header("content-encoding", "gzip");
            reply(request.body(body)).await
        };
        let packed = gzip(door.good_body(&site).as_bytes());
        assert_eq!(send(packed.clone()).await.status, door.taken(), "{door:?}");
        assert_eq!(
            code(&send(bomb.clone()).await),
            (413, "payload_too_large"),
            "{door:?}"
        );
        // Several members are one body, and gzip has an older name.
        let body = door.good_body(&site).into_bytes();
        let (head, tail) = body.split_at(body.len() / 2);
        let members = [gzip(head), gzip(b""), gzip(tail)].concat();
        assert_eq!(send(members.clone()).await.status, door.taken(), "{door:?}");
        let request = door.post(&site).header("content-encoding", "x-gzip");
        let answer = reply(request.body(members)).await;
        assert_eq!(answer.status, door.taken(), "{door:?}");
        let half = packed[..packed.len() / 2].to_vec();
        let no_check = packed[..packed.len() - 4].to_vec();
        let plain = door.good_body(&site).into_bytes();
        for body in [half, no_check, plain, Vec::new()] {
            assert_eq!(code(&send(body).await), (400, "malformed_json"), "{door:?}");
        }
        door.still_works(&site).await;
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_to_the_limit_and_no_further() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        let chunked = async |text: String| {
            let chunks: Vec<Result<Vec<u8>, std::io::Error>> = text
                .into_bytes()
                .chunks(50_000)
                .map(|chunk| Ok(chunk.to_vec()))
                .collect();
            let body = reqwest::Body::wrap_stream(tokio_stream::iter(chunks));
            door.send(&site, body).await
        };
        let padded = format!(
            "{}{}",
            door.good_body(&site),
            " ".repeat(door.max_bytes() / 2)
        );
        // Of Plausible the whole body is one event, white space and all.
        let want = if door == Door::Plausible {
            413
        } else {
            door.taken()
        };
        assert_eq!(chunked(padded).await.status, want, "{door:?}");
        let big = " ".repeat(door.max_bytes() + 1);
        assert_eq!(
            code(&chunked(big.clone()).await),
            (413, "payload_too_large"),
            "{door:?}"
        );
        // And so is one that says its length.
        assert_eq!(
            code(&door.send(&site, big).await),
            (413, "payload_too_large"),
            "{door:?}"
        );
        door.still_works(&site).await;
    }
}

#[tokio::test]
async fn what_is_said_to_be_something_else_is_not_looked_at() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        let body = door.good_body(&site);
        for content_type in [
            "application/xml",
            "text/html",
            "image/png",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "nonsense",
            ";",
        ] {
            let request = door.post_without(&site, "content-type");
            let request = request.header("content-type", content_type);
            let answer = reply(request.body(body.clone())).await;
            let want = if content_type == ";" && door == Door::Ingest {
                door.taken()
            } else {
                415
            };
            assert_eq!(
                answer.status, want,
                "{door:?} {content_type}: {}",
                answer.body
            );
        }
        for encoding in ["br", "deflate", "zstd", "gzip, gzip", "nonsense"] {
            let request = door.post(&site).header("content-encoding", encoding);
            let answer = reply(request.body(body.clone())).await;
            assert_eq!(
                code(&answer),
                (415, "unsupported_media_type"),
                "{door:?} {encoding}"
            );
        }
        door.still_works(&site).await;
    }
}

#[tokio::test]
async fn too_many_items_are_to_be_split() {
    let site = shared().new_site().await;
    for (door, most) in [
        (Door::Events, 100),
        (Door::Ingest, 1_000),
        (Door::SegmentBatch, 1_000),
    ] {
        let items = |n: usize| vec!["{}".to_owned(); n];
        let answer = door.send(&site, door.body(&items(most + 1))).await;
        assert_eq!(code(&answer), (413, "payload_too_large"), "{door:?}");
        // A hundred times as many that are hardly there.
        let answer = door
            .send(&site, door.body(&vec!["0".to_owned(); 100_000]))
            .await;
        assert_eq!(code(&answer), (413, "payload_too_large"), "{door:?}");
        let answer = door.send(&site, door.body(&[])).await;
        assert_eq!(code(&answer), (422, "no_valid_event"), "{door:?}");
        let answer: Value = door.send(&site, door.body(&items(most))).await.body;
        let results = answer["results"].as_array().map(Vec::len);
        assert!(
            results == Some(most) || answer == json!({"success": true}),
            "{door:?}: {answer}"
        );
        door.still_works(&site).await;
    }
}
