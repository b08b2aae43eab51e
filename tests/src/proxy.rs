//! A collector in trouble: it stands between pages and the real one, and does with posted batches
//! what a test asks for. Everything else passes through.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_stream::StreamExt;

use crate::http::{Request, answer, begin};

/// What happens to a posted batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It passes.
    None,
    /// It is answered with a status, and a `Retry-After`; the collector sees nothing of it.
    Answer(u16, Option<String>),
    /// 413 if it has more events, else it passes.
    TooLarge(usize),
    /// The collector stores it, and the connection is cut before its answer.
    StoreAndCut,
    /// The collector stores it, and nothing more ever comes.
    StoreAndHold,
    /// The connection is cut before the collector sees any of it.
    Cut,
}

/// A batch that was posted.
#[derive(Debug, Clone)]
pub struct Post {
    /// When it was complete.
    pub at: Instant,
    /// Its body.
    pub body: Value,
    /// Its bytes.
    pub bytes: usize,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was done with it.
    pub fault: Fault,
    /// What the collector said, if it was asked and has answered.
    pub status: Option<u16>,
}

impl Post {
    /// The batch's id.
    pub fn batch_id(&self) -> &str {
        self.body["batchId"].as_str().unwrap_or_default()
    }

    /// The ids of its events, in their order.
    pub fn ids(&self) -> Vec<String> {
        let events = self.body["events"].as_array().unwrap().iter();
        events
            .map(|event| event["eventId"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Whether the collector took it.
    pub fn taken(&self) -> bool {
        self.status == Some(202)
    }
}

/// The proxy. It ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where pages find it.
    pub url: String,
    upstream: String,
    client: Client,
    state: Arc<Mutex<State>>,
    /// Whether the tracker's module is held back.
    held: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// How many more times, and what.
    faults: Vec<(usize, Fault)>,
    /// Headers that the browser would add.
    added: Vec<(String, String)>,
    posts: Vec<Post>,
    /// Paths of everything else that was asked for.
    asked: Vec<String>,
}

impl Proxy {
    /// Starts one in front of a system.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self {
            url: format!("http://localhost:{port}"),
            upstream: upstream.to_owned(),
            client: crate::client(),
            state: Arc::new(Mutex::new(State {
                faults: Vec::new(),
                added: Vec::new(),
                posts: Vec::new(),
                asked: Vec::new(),
            })),
            held: watch::Sender::new(false),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = serving.clone();
                tokio::spawn(async move { proxy.serve(stream).await });
            }
        });
        proxy
    }

    /// From now on all batches meet this.
    pub fn set(&self, fault: Fault) {
        self.state.lock().unwrap().faults = vec![(usize::MAX, fault)];
    }

    /// The next batches meet this, all that follow pass.
    pub fn set_times(&self, times: usize, fault: Fault) {
        self.state.lock().unwrap().faults = vec![(times, fault)];
    }

    /// Holds the tracker's module back on its way to pages, or lets it go.
    pub fn hold_module(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Adds a header to all batches, as a browser with such a setting would.
    pub fn add_header(&self, name: &str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.added.push((name.to_owned(), value.to_owned()));
    }

    /// All batches that came, in their order.
    pub fn posts(&self) -> Vec<Post> {
        self.state.lock().unwrap().posts.clone()
    }

    /// The batches that the collector took.
    pub fn taken(&self) -> Vec<Post> {
        self.posts().into_iter().filter(Post::taken).collect()
    }

    /// What else was asked for: paths in their order.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(mut request) = Request::read(&mut stream).await else {
            return;
        };
        let Some(body) = request.body(&mut stream).await else {
            return;
        };
        let is_batch = request.method == "POST" && request.path() == "/v1/events";
        if !is_batch {
            let asked = format!("{} {}", request.method, request.path());
            self.state.lock().unwrap().asked.push(asked);
            if request.path().ends_with(".wasm") {
                let mut held = self.held.subscribe();
                held.wait_for(|held| !held).await.unwrap();
            }
            self.pass(&mut stream, &request, body, None).await;
            return;
        }
        let (index, fault) = self.note(&mut request, &body);
        match fault {
            Fault::None | Fault::TooLarge(_) => {
                self.pass(&mut stream, &request, body, Some(index)).await;
            }
            Fault::Answer(status, retry_after) => {
                refuse(&mut stream, &request, status, retry_after).await;
            }
            Fault::StoreAndCut => {
                self.forward(&request, body, Some(index)).await;
            }
            Fault::StoreAndHold => {
                self.forward(&request, body, Some(index)).await;
                // Until the browser gives up.
                while Request::read(&mut stream).await.is_some() {}
            }
            Fault::Cut => {}
        }
    }

    /// Keeps a batch, and decides what is done with it.
    fn note(&self, request: &mut Request, body: &[u8]) -> (usize, Fault) {
        let mut state = self.state.lock().unwrap();
        request.headers.extend(state.added.clone());
        let body_json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let count = body_json["events"].as_array().map_or(0, Vec::len);
        let mut fault = Fault::None;
        if let Some((times, set)) = state.faults.first_mut()
            && *times > 0
        {
            *times -= 1;
            fault = set.clone();
        }
        if let Fault::TooLarge(most) = fault {
            fault = if count > most {
                Fault::Answer(413, None)
            } else {
                Fault::None
            };
        }
        state.posts.push(Post {
            at: Instant::now(),
            bytes: body.len(),
            body: body_json,
            headers: request.headers.clone(),
            fault: fault.clone(),
            status: None,
        });
        (state.posts.len() - 1, fault)
    }

    /// Hands a request on; the answer of the collector.
    async fn forward(
        &self,
        request: &Request,
        body: Vec<u8>,
        index: Option<usize>,
    ) -> Option<reqwest::Response> {
        let method = Method::from_bytes(request.method.as_bytes()).ok()?;
        let url = format!("{}{}", self.upstream, request.target);
        let mut forwarded = self.client.request(method, url);
        for (name, value) in &request.headers {
            if !matches!(name.as_str(), "host" | "connection" | "content-length") {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.body(body).send().await.ok()?;
        if let Some(index) = index {
            self.state.lock().unwrap().posts[index].status = Some(answer.status().as_u16());
        }
        Some(answer)
    }

    /// Hands a request on, and its answer back as it comes.
    async fn pass(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        body: Vec<u8>,
        index: Option<usize>,
    ) {
        let Some(answer) = self.forward(request, body, index).await else {
            return;
        };
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "connection" | "transfer-encoding"))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let head = begin(answer.status().as_u16(), &headers) + "\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        let mut chunks = answer.bytes_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            if stream.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = stream.shutdown().await;
    }
}

/// A refusal as the collector words it, readable from any origin.
async fn refuse(stream: &mut TcpStream, request: &Request, status: u16, wait: Option<String>) {
    let origin = request.header("origin").unwrap_or("*").to_owned();
    let mut headers = vec![
        ("access-control-allow-origin".to_owned(), origin),
        (
            "access-control-expose-headers".to_owned(),
            "Retry-After".to_owned(),
        ),
        ("vary".to_owned(), "Origin".to_owned()),
        (
            "content-type".to_owned(),
            "application/problem+json".to_owned(),
        ),
    ];
    if let Some(wait) = wait {
        headers.push(("retry-after".to_owned(), wait));
    }
    let body = json!({"status": status, "code": "test", "title": "A test asks for it."});
    answer(stream, status, &headers, body.to_string().as_bytes()).await;
}
