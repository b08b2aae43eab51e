//! A client of the live stream, as `docs/API.md` tells one to be.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::PATIENCE;
use crate::site::{Reply, Site, reply};

/// A frame as it came.
#[derive(Debug, Clone)]
pub struct Frame {
    /// `state` or `delta`.
    pub kind: String,
    /// Its number.
    pub seq: u64,
    /// Its text.
    pub text: String,
}

/// An open stream and the view that its frames make.
#[derive(Debug)]
pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The view; null before the first frame.
    pub view: Value,
    seq: Option<u64>,
}

/// Asks for a ticket.
pub async fn ask_ticket(site: &Site, token: &str) -> Reply {
    let url = format!("{}/v1/analytics/live/ticket", site.url);
    reply(crate::client().post(url).bearer_auth(token)).await
}

/// A ticket.
///
/// # Panics
/// If none is given.
pub async fn ticket(site: &Site) -> String {
    let answer = ask_ticket(site, &site.read_token).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["ticket"].as_str().unwrap().to_owned()
}

/// Opens a stream with what `query` says; none where that is refused.
///
/// # Panics
/// If no answer comes.
pub async fn open(site: &Site, query: &str) -> Option<Stream> {
    let url = format!("{}/v1/analytics/live/stream{query}", site.url);
    match connect_async(url.replacen("http", "ws", 1)).await {
        Ok((socket, _)) => Some(Stream {
            socket,
            view: Value::Null,
            seq: None,
        }),
        Err(Error::Http(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// How a stream is refused: WebSocket clients do not read it, so it is asked as they ask, by another.
pub async fn refusal(site: &Site, query: &str) -> Reply {
    let url = format!("{}/v1/analytics/live/stream{query}", site.url);
    let request = crate::client()
        .get(url)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    reply(request).await
}

impl Stream {
    /// Opens one with a new ticket.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn of(site: &Site) -> Self {
        let ticket = ticket(site).await;
        open(site, &format!("?ticket={ticket}")).await.unwrap()
    }

    /// The next frame, put onto the view. Checks what every frame promises.
    ///
    /// # Panics
    /// If none comes, or it breaks a promise.
    pub async fn frame(&mut self) -> Frame {
        loop {
            let message = self.message().await;
            let Message::Text(text) = message else {
                panic!("not a frame: {message:?}");
            };
            if text.as_str() != "pong" {
                return self.take(text.as_str());
            }
        }
    }

    /// The next frame, put onto the view; none: the stream ended.
    ///
    /// # Panics
    /// If neither comes, or the frame breaks a promise.
    pub async fn frame_or_end(&mut self) -> Option<Frame> {
        loop {
            match self.next().await? {
                Message::Text(text) if text.as_str() == "pong" => {}
                Message::Text(text) => return Some(self.take(text.as_str())),
                Message::Close(_) => return None,
                other => panic!("not a frame: {other:?}"),
            }
        }
    }

    fn take(&mut self, text: &str) -> Frame {
        let frame: Value = serde_json::from_str(text).unwrap();
        let (kind, seq) = (
            frame["type"].as_str().unwrap(),
            frame["seq"].as_u64().unwrap(),
        );
        assert!(
            self.seq.is_none_or(|last| seq == last + 1),
            "after {:?}: {text}",
            self.seq
        );
        self.seq = Some(seq);
        let before = self.view["asOf"].as_i64();
        let at = frame["data"]["asOf"].as_i64().unwrap();
        assert!(
            before.is_none_or(|before| at - before >= 1_000),
            "two frames in a second: {before:?}, {at}"
        );
        match kind {
            "state" => self.view = frame["data"].clone(),
            "delta" => apply(&mut self.view, &frame["data"]),
            other => panic!("{other}"),
        }
        Frame {
            kind: kind.to_owned(),
            seq,
            text: text.to_owned(),
        }
    }

    /// Takes frames until the view answers `question`.
    ///
    /// # Panics
    /// After a minute, with `what` was waited for.
    pub async fn until<T>(&mut self, what: &str, question: impl Fn(&Value) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(answer) = question(&self.view) {
                    return answer;
                }
                self.frame().await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(answer) => answer,
            Err(_) => panic!("waited in vain: {what}: {}", self.view),
        }
    }

    /// Pings, and takes frames until it is answered.
    ///
    /// # Panics
    /// If it is not.
    pub async fn ping(&mut self) {
        self.send(Message::text("ping")).await;
        loop {
            match self.message().await {
                Message::Text(text) if text.as_str() == "pong" => return,
                Message::Text(text) => self.take(text.as_str()),
                other => panic!("{other:?}"),
            };
        }
    }

    /// Sends a message.
    ///
    /// # Panics
    /// If that fails.
    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message, whatever it is.
    ///
    /// # Panics
    /// If none comes.
    pub async fn message(&mut self) -> Message {
        self.next().await.expect("the stream ended")
    }

    /// The next message; none: the stream ended.
    ///
    /// # Panics
    /// If neither comes.
    pub async fn next(&mut self) -> Option<Message> {
        match tokio::time::timeout(PATIENCE, self.socket.next()).await {
            Ok(message) => message?.ok(),
            Err(_) => panic!("no message in {PATIENCE:?}"),
        }
    }

    /// How it is closed: code and reason, frames before that overlooked.
    ///
    /// # Panics
    /// If it is not.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(close) = self.message().await {
                let close = close.expect("a code");
                return (close.code.into(), close.reason.to_string());
            }
        }
    }

    /// Closes it, as a page that is left does.
    ///
    /// # Panics
    /// If that is not answered.
    pub async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        assert_eq!(self.closed().await.0, 1000);
    }
}

/// Puts a delta onto a view: `minutes` by minute, the last 60 stay; all else whole.
fn apply(view: &mut Value, delta: &Value) {
    for (field, value) in delta.as_object().unwrap() {
        if field != "minutes" {
            view[field] = value.clone();
            continue;
        }
        let minutes = view["minutes"].as_array_mut().unwrap();
        for new in value.as_array().unwrap() {
            match minutes
                .iter_mut()
                .find(|old| old["minute"] == new["minute"])
            {
                Some(old) => *old = new.clone(),
                None => minutes.push(new.clone()),
            }
        }
        let over = minutes.len().saturating_sub(60);
        minutes.drain(..over);
    }
}

/// Events of a type in a view.
pub fn total(view: &Value, event_type: &str) -> i64 {
    let minutes = view["minutes"].as_array().into_iter().flatten();
    minutes
        .filter_map(|minute| minute["counts"][event_type].as_i64())
        .sum()
}
