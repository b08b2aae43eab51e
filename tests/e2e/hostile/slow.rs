//! Bodies that come a byte at a time, or never to their end.

use shoreline_tests::site::Site;
use shoreline_tests::system::shared;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Door;

/// A request whose head was sent, its body yet to come.
async fn begin(door: Door, site: &Site, length: &str) -> TcpStream {
    let address = site.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{length}\r\n",
        door.path()
    );
    for (name, value) in door.headers(site) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_sends_slowly_holds_up_nobody_and_is_served() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        let body = door.good_body(&site);
        let mut slow = begin(door, &site, &format!("content-length: {}", body.len())).await;
        let (last, most) = body.as_bytes().split_last().unwrap();
        for (n, byte) in most.iter().enumerate() {
            slow.write_all(&[*byte]).await.unwrap();
            slow.flush().await.unwrap();
            // Between two bytes others are served.
            if n % 40 == 0 {
                door.still_works(&site).await;
            }
        }
        slow.write_all(&[*last]).await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        let status = format!("HTTP/1.1 {}", door.taken());
        assert!(answer.starts_with(&status), "{door:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_without_its_end_is_no_event() {
    let site = shared().new_site().await;
    let mut good = 0;
    for door in Door::ALL {
        let body = door.good_body(&site);
        let mut held = Vec::new();
        for length in [
            format!("content-length: {}", body.len() + 100),
            "transfer-encoding: chunked".to_owned(),
        ] {
            for _ in 0..10 {
                let mut stream = begin(door, &site, &length).await;
                let chunk = match length.starts_with("transfer") {
                    true => format!("{:x}\r\n{body}\r\n", body.len()),
                    false => body.clone(),
                };
                stream.write_all(chunk.as_bytes()).await.unwrap();
                held.push(stream);
            }
        }
        // All of them wait; others do not.
        door.still_works(&site).await;
        drop(held);
        door.still_works(&site).await;
        good += 2;
    }
    site.settle().await;
    assert_eq!(site.stored().await.len(), good, "only what came whole");
}

#[tokio::test]
async fn a_request_that_tells_no_length_has_no_body() {
    let site = shared().new_site().await;
    for door in Door::ALL {
        for length in [
            "",
            "content-length: x",
            "content-length: -1",
            "content-length: 5, 6",
            "transfer-encoding: nonsense",
        ] {
            let mut stream = begin(
                door,
                &site,
                if length.is_empty() {
                    "x-none: 1"
                } else {
                    length
                },
            )
            .await;
            let _ = stream.write_all(door.good_body(&site).as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{door:?} {length}: {answer}"
            );
        }
        door.still_works(&site).await;
    }
}
