//! Headers that would become other headers, and pages that may not send.

use reqwest::Method;
use serde_json::json;
use shoreline_tests::contract::Checked as _;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Door, code};

/// Sends bytes as they are; the whole answer as text.
async fn raw(site: &Site, bytes: &[u8]) -> String {
    let address = site.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_line_break_in_a_header_makes_no_header_of_the_answer() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        let body = door.good_body(&site);
        let headers = door.headers(&site);
        let head = |name: &str, value: &str| {
            let mut head = format!(
                "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n",
                door.path()
            );
            for (own, good) in headers.iter().filter(|(own, _)| *own != name) {
                head.push_str(&format!("{own}: {good}\r\n"));
            }
            head.push_str(&format!(
                "{name}: {value}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ));
            head
        };
        for breaks in ["\r", "\n", "\r\n ", "\0", "%0d%0a", "%0D%0A%20", "\\r\\n"] {
            for name in [
                "authorization",
                "origin",
                "idempotency-key",
                "ce-source",
                "user-agent",
                "content-type",
            ] {
                let good = headers.iter().find(|(own, _)| *own == name);
                let good = good.map_or("x", |(_, value)| value);
                let value = format!("{good}{breaks}x-injected: 1{breaks}set-cookie: a=b");
                let answer = raw(&site, head(name, &value).as_bytes())
                    .await
                    .to_ascii_lowercase();
                let (answered, _) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
                assert!(
                    !answered.contains("\r\nx-injected") && !answered.contains("\r\nset-cookie"),
                    "{door:?} {name} {breaks:?}: {answer}"
                );
                let status = answered
                    .split(' ')
                    .nth(1)
                    .and_then(|status| status.parse::<u16>().ok());
                assert!(
                    status.is_none_or(|status| status < 500),
                    "{door:?} {name} {breaks:?}: {answer}"
                );
            }
        }
        door.still_works(&site).await;
    }
}

#[tokio::test]
async fn a_line_break_in_a_key_is_no_part_of_any_key() {
    let site = shared().new_site().await;
    let body = Door::Events.good_body(&site);
    for (key, what) in [(&site.browser_key, "good"), (&"slb_x".to_owned(), "none")] {
        for breaks in ["%0d%0a", "%0aX-Injected:%201", "%00", "%20", "%22", "%ff"] {
            let request = shoreline_tests::client()
                .post(format!("{}/v1/events?key={key}{breaks}", site.url))
                .header("origin", &site.origin)
                .header("user-agent", "Mozilla/5.0")
                .body(body.clone());
            assert_eq!(
                code(&reply(request).await),
                (401, "unknown_key"),
                "{what} {breaks}"
            );
        }
    }
    Door::Events.still_works(&site).await;
}

#[tokio::test]
async fn line_breaks_in_names_are_cleaned_like_any_text() {
    let site = shared().new_site().await;
    let named = Door::Ingest
        .post(&site)
        .header("idempotency-key", "a%0d%0aSet-Cookie: b=c");
    let command = json!({"eventType": "a.named", "source": "s\r\nx: 1", "payload": {}});
    assert_eq!(reply(named.body(command.to_string())).await.status, 202);
    let cloud = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1%0d%0aX: 1"),
        ("ce-source", "/s%0D%0ASet-Cookie:%20a=b"),
        ("ce-type", "a.cloud%0d%0a"),
        ("ce-subject", "%00%0d%0a<b>"),
    ];
    let request = cloud
        .iter()
        .fold(Door::Ingest.post(&site), |request, (name, value)| {
            request.header(*name, *value)
        });
    let answer = reply(request.body("{\"a\":1}")).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    site.settle().await;
    let stored = site.stored().await;
    assert_eq!(stored.len(), 2, "{stored:#?}");
    for event in &stored {
        let text = event.to_string();
        for control in ["\\r", "\\n", "\\u0000"] {
            assert!(!text.contains(control), "{text}");
        }
    }
    Door::Ingest.still_works(&site).await;
}

#[tokio::test]
async fn a_preflight_tells_any_page_how_to_ask_and_lets_no_stranger_send() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        for origin in [
            "https://evil.example",
            "null",
            "https://shop.example.evil.example",
            "chrome-extension://abc",
        ] {
            let preflight = shoreline_tests::client()
                .request(Method::OPTIONS, format!("{}{}", site.url, door.path()))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header(
                    "access-control-request-headers",
                    "authorization,content-type,x-retry-count,anonymousid",
                )
                .sent()
                .await
                .unwrap();
            assert_eq!(preflight.status(), 204, "{door:?}");
            let header = |name: &str| {
                preflight
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap())
            };
            assert_eq!(header("access-control-allow-origin"), Some(origin));
            assert_eq!(header("access-control-allow-credentials"), None);
            assert_eq!(header("vary"), Some("Origin"));
            let allowed = header("access-control-allow-headers").unwrap();
            for name in [
                "authorization",
                "content-type",
                "x-retry-count",
                "anonymousid",
            ] {
                assert!(
                    allowed.split(", ").any(|known| known == name),
                    "{name}: {allowed}"
                );
            }
            let request = door.post_without(&site, "origin").header("origin", origin);
            let answer = reply(request.body(door.good_body(&site))).await;
            if door == Door::Ingest {
                // A service's key is secret, and no page has it: where it is sent from says nothing.
                assert_eq!(answer.status, 202);
            } else {
                assert_eq!(
                    code(&answer),
                    (403, "origin_not_allowed"),
                    "{door:?} {origin}"
                );
            }
        }
        if door != Door::Ingest {
            let answer = reply(
                door.post_without(&site, "origin")
                    .body(door.good_body(&site)),
            )
            .await;
            assert_eq!(code(&answer), (403, "origin_not_allowed"), "{door:?}");
        }
        door.still_works(&site).await;
    }
}
