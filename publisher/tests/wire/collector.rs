//! A collector on a real port of this machine: answers as the contract says, and fails as it is told.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    /// It is answered with a status and `Retry-After`, and nothing is taken.
    Refuse(u16, &'static str),
    /// It is sent elsewhere.
    Redirect(u16, String),
    /// It is taken, and the connection reset before the answer.
    TakeAndReset,
    /// It is taken, and the answer ends in the middle.
    TakeAndCut,
    /// It is taken, and the answer never ends.
    TakeAndHang,
    /// The connection is closed without a word.
    Close,
    /// It is answered 200 by somebody who is no collector.
    Portal,
    /// 413 if its body is over so many bytes. This for good.
    MostBytes(usize),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method, path and version.
    pub(crate) line: String,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The events of its body.
    pub(crate) fn events(&self) -> Vec<Value> {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Does>,
    seen: Vec<Seen>,
    /// Connections that were closed because what came was no HTTP.
    strangers: watch::Sender<usize>,
    /// All bytes that ever came.
    raw: Vec<u8>,
    stored: Vec<String>,
    bad_types: HashSet<String>,
}

/// The collector. It stops listening when it is dropped or stopped; what it stored it keeps.
#[derive(Debug)]
pub(crate) struct Collector {
    state: Arc<Mutex<State>>,
    port: u16,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Starts one with a script; after it, all is taken.
    pub(crate) async fn start(script: impl IntoIterator<Item = Does>) -> Self {
        let state = State {
            script: script.into_iter().collect(),
            ..State::default()
        };
        Self::listen(0, Arc::new(Mutex::new(state))).await
    }

    async fn listen(port: u16, state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, shared.clone()));
            }
        });
        Self {
            state,
            port,
            serving,
        }
    }

    /// Stops it, its connections too.
    pub(crate) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        *self = Self::listen(self.port, self.state.clone()).await;
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Events of this type are refused.
    pub(crate) fn refuse_type(&self, event_type: &str) {
        let mut state = self.state.lock().unwrap();
        state.bad_types.insert(event_type.to_owned());
    }

    /// The ids it stored, in their order.
    pub(crate) fn stored(&self) -> Vec<String> {
        self.state.lock().unwrap().stored.clone()
    }

    /// The requests that came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Waits until it has hung up on so many that spoke no HTTP.
    pub(crate) async fn hung_up(&self, times: usize) {
        let mut strangers = self.state.lock().unwrap().strangers.subscribe();
        strangers.wait_for(|hung| *hung >= times).await.unwrap();
    }

    /// All bytes that came, as text.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().unwrap().raw).into_owned()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while let Some(seen) = read(&mut stream, &state).await {
        let does = note(&state, &seen);
        let answer = match &does {
            Some(Does::Refuse(status, wait)) => refusal(*status, wait),
            Some(Does::Redirect(status, to)) => {
                message(*status, &format!("location: {to}\r\n"), "")
            }
            Some(Does::MostBytes(most)) if seen.body.len() > *most => refusal(413, ""),
            Some(Does::Close) => return,
            Some(Does::Portal) => message(200, "", "<html>Welcome to our Wi-Fi</html>"),
            _ => take(&state, &seen),
        };
        let sent = match does {
            Some(Does::TakeAndReset) => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Some(Does::TakeAndCut | Does::TakeAndHang) => &answer[..answer.len() - 5],
            _ => &answer[..],
        };
        if stream.write_all(sent.as_bytes()).await.is_err() || does == Some(Does::TakeAndCut) {
            return;
        }
        if does == Some(Does::TakeAndHang) {
            // Until the sender gives up.
            while stream
                .read_buf(&mut Vec::new())
                .await
                .is_ok_and(|read| read > 0)
            {}
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, state: &Mutex<State>) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n").map(str::to_owned);
            let line = lines.next().unwrap();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    Some((name.to_ascii_lowercase(), value.to_owned()))
                })
                .collect();
            let mut seen = Seen {
                line,
                headers,
                body: bytes.split_off(end + 4),
            };
            let length: usize = seen.header("content-length").parse().unwrap();
            if seen.body.len() < length {
                let mut rest = vec![0; length - seen.body.len()];
                stream.read_exact(&mut rest).await.ok()?;
                seen.body.extend(rest);
            }
            return Some(seen);
        }
        let before = bytes.len();
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let mut state = state.lock().unwrap();
        state.raw.extend(&bytes[before..]);
        if !bytes[0].is_ascii_uppercase() {
            state.strangers.send_modify(|hung| *hung += 1);
            return None;
        }
    }
}

fn note(state: &Mutex<State>, seen: &Seen) -> Option<Does> {
    let mut state = state.lock().unwrap();
    state.seen.push(seen.clone());
    match state.script.front() {
        Some(Does::MostBytes(_)) => state.script.front().cloned(),
        _ => state.script.pop_front(),
    }
}

/// Takes what is valid and new, and says what became of the rest.
fn take(state: &Mutex<State>, seen: &Seen) -> String {
    let mut state = state.lock().unwrap();
    let (mut accepted, mut duplicate, mut rejected) = (0, 0, 0);
    let mut results = Vec::new();
    for (index, event) in seen.events().iter().enumerate() {
        let id = event["eventId"].as_str().unwrap().to_owned();
        if state
            .bad_types
            .contains(event["eventType"].as_str().unwrap())
        {
            rejected += 1;
            results.push(
                json!({"index": index, "status": "rejected", "code": "invalid_event_type",
                "field": "eventType", "message": "Not this one."}),
            );
        } else if state.stored.contains(&id) {
            duplicate += 1;
            results.push(json!({"index": index, "eventId": id, "status": "duplicate",
                "code": "duplicate", "message": "Seen before."}));
        } else {
            accepted += 1;
            state.stored.push(id);
        }
    }
    if accepted + duplicate == 0 {
        let problem = json!({"code": "no_valid_event", "detail": "None.", "results": results});
        return message(422, "", &problem.to_string());
    }
    let body = json!({"accepted": accepted, "duplicate": duplicate, "rejected": rejected,
        "skipped": 0, "results": results});
    message(202, "", &body.to_string())
}

fn refusal(status: u16, wait: &str) -> String {
    let code = match status {
        401 => "unknown_key",
        413 => "payload_too_large",
        429 => "rate_limited",
        _ => "unavailable",
    };
    let problem = json!({"status": status, "code": code, "detail": "As the test wants it."});
    let header = if wait.is_empty() {
        String::new()
    } else {
        format!("retry-after: {wait}\r\n")
    };
    message(status, &header, &problem.to_string())
}

fn message(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

/// Longer than any request on this machine takes, and the longest that a test waits for one that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
