//! Many streams of a site, and one that nobody reads.

use futures_util::future::join_all;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, uuid, view};
use shoreline_tests::eventually;
use shoreline_tests::live::{Frame, Stream, open, refusal, ticket, total};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;
use tokio_tungstenite::tungstenite::Message;

/// Streams that a site may have at once.
const MOST: usize = 500;

/// Bytes of frames that a stream is sent without a ping, where a site has few.
const UNHEARD: usize = 1_000_000;

async fn open_many(site: &Site, n: usize) -> Vec<Stream> {
    join_all((0..n).map(|_| Stream::of(site))).await
}

#[tokio::test]
async fn two_hundred_streams_at_once_are_told_the_same() {
    let site = shared().new_site().await;
    let mut streams = open_many(&site, 200).await;
    join_all(streams.iter_mut().map(Stream::frame)).await;
    let mut told: Vec<Frame> = Vec::new();
    for n in 1..=3 {
        site.send_ok(&batch(&[view("/", &format!("u{n}"))])).await;
        let frames = join_all(streams.iter_mut().map(async |stream| {
            loop {
                let frame = stream.frame().await;
                if total(&stream.view, "page_view") == n {
                    return frame;
                }
            }
        }))
        .await;
        told.extend(frames);
        assert!(streams.iter().all(|stream| stream.view == streams[0].view));
    }
    told.sort_by_key(|frame| frame.seq);
    let same = told.chunk_by(|a, b| a.seq == b.seq);
    assert!(
        same.into_iter()
            .all(|group| group.iter().all(|frame| frame.text == group[0].text))
    );

    // No more than a site may have; who closes makes room.
    while streams.len() < MOST {
        let n = (MOST - streams.len()).min(100);
        streams.extend(open_many(&site, n).await);
    }
    let more = format!("?ticket={}", ticket(&site).await);
    let Reply { status, body } = refusal(&site, &more).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (429, Some("too_many_streams"))
    );
    streams.pop().unwrap().close().await;
    eventually("there is room again", async || open(&site, &more).await).await;
}

/// Events whose types are all new, so that their minute's counts are large.
async fn send_types(site: &Site, n: usize) {
    let event =
        |_| json!({"eventType": format!("{}.{}", uuid(), uuid()), "source": "s", "payload": {}});
    let events: Vec<Value> = (0..n).map(event).collect();
    let answer = reply(site.ingest().body(json!(events).to_string())).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}

#[tokio::test]
async fn a_stream_that_nobody_reads_is_closed_and_holds_up_nobody() {
    let site = shared().new_site().await;
    let mut read = Stream::of(&site).await;
    let mut unread = Stream::of(&site).await;
    let mut bytes = read.frame().await.text.len();
    // More than twice of what is sent to who never pings.
    while bytes < 2 * UNHEARD {
        read.ping().await;
        send_types(&site, 250).await;
        bytes += read.frame().await.text.len();
    }
    let mut taken = 0;
    let code = loop {
        match unread.message().await {
            Message::Text(text) => taken += text.len(),
            Message::Close(close) => break close.map(|close| u16::from(close.code)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, Some(4001));
    assert!((1..=UNHEARD).contains(&taken), "{taken}");
    // The one that is read goes on.
    read.ping().await;
    site.send_ok(&batch(&[view("/", "u")])).await;
    read.until("the event is in a frame", |view| {
        (total(view, "page_view") == 1).then_some(())
    })
    .await;
}
