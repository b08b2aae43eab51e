//! A sink in trouble: it stands between the worker and a real one, and does with requests what a
//! test asks for.

use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, redirect};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::http::{Request, answer};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It passes.
    None,
    /// It is answered with a status, an S3 error code and perhaps a `Retry-After`; the sink sees
    /// nothing of it.
    Answer(u16, &'static str, Option<u32>),
    /// The connection is cut before the sink sees it.
    Cut,
    /// The sink has it, and the connection is cut before its answer.
    StoreAndCut,
    /// The sink has it, and no answer ever comes.
    StoreAndHang,
    /// No answer ever comes, and the sink sees nothing.
    Hang,
    /// It is answered with what is no HTTP.
    Garbage,
    /// It is answered with success, but not by the sink.
    Stranger,
}

/// The proxy. It ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct SinkProxy {
    /// Where the worker finds it.
    pub url: String,
    upstream: String,
    client: Client,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// How many more times, and what.
    trouble: (usize, Trouble),
    /// Methods, and what was done.
    seen: Vec<(String, Trouble)>,
    /// The `traceparent` of each.
    traces: Vec<Option<String>>,
}

impl SinkProxy {
    /// Starts one in front of a sink.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none());
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            upstream: upstream.to_owned(),
            client: client.build().unwrap(),
            state: Arc::new(Mutex::new(State {
                trouble: (0, Trouble::None),
                seen: Vec::new(),
                traces: Vec::new(),
            })),
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

    /// From now on all requests meet this.
    pub fn set(&self, trouble: Trouble) {
        self.set_times(usize::MAX, trouble);
    }

    /// The next requests meet this, all that follow pass.
    pub fn set_times(&self, times: usize, trouble: Trouble) {
        self.state.lock().unwrap().trouble = (times, trouble);
    }

    /// All requests that came: the method, and what was done.
    pub fn seen(&self) -> Vec<(String, Trouble)> {
        self.state.lock().unwrap().seen.clone()
    }

    /// The `traceparent` of each request that came.
    pub fn traces(&self) -> Vec<Option<String>> {
        self.state.lock().unwrap().traces.clone()
    }

    /// How many requests met a trouble.
    pub fn met(&self, trouble: Trouble) -> usize {
        let seen = self.seen();
        seen.iter().filter(|(_, met)| *met == trouble).count()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(mut request) = Request::read(&mut stream).await else {
            return;
        };
        let Some(body) = request.body(&mut stream).await else {
            return;
        };
        match self.note(&request) {
            Trouble::None => self.pass(&mut stream, &request, body).await,
            Trouble::Answer(status, code, wait) => {
                let headers = wait.map(|wait| ("retry-after".to_owned(), wait.to_string()));
                let headers: Vec<(String, String)> = headers.into_iter().collect();
                let body = format!("<Error><Code>{code}</Code></Error>");
                answer(&mut stream, status, &headers, body.as_bytes()).await;
            }
            Trouble::Cut => {}
            Trouble::StoreAndCut => drop(self.forward(&request, body).await),
            Trouble::StoreAndHang => {
                self.forward(&request, body).await;
                hang(&mut stream).await;
            }
            Trouble::Hang => hang(&mut stream).await,
            Trouble::Garbage => {
                let _ = stream
                    .write_all(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
                    .await;
            }
            Trouble::Stranger => answer(&mut stream, 200, &[], b"<html>Welcome</html>").await,
        }
    }

    fn note(&self, request: &Request) -> Trouble {
        let mut state = self.state.lock().unwrap();
        let mut met = Trouble::None;
        if state.trouble.0 > 0 {
            state.trouble.0 -= 1;
            met = state.trouble.1;
        }
        state.seen.push((request.method.clone(), met));
        let trace = request.header("traceparent").map(str::to_owned);
        state.traces.push(trace);
        met
    }

    /// Hands a request on as it is: its host, which is signed, stays this proxy's.
    async fn forward(&self, request: &Request, body: Vec<u8>) -> Option<reqwest::Response> {
        let method = Method::from_bytes(request.method.as_bytes()).ok()?;
        let url = format!("{}{}", self.upstream, request.target);
        let mut forwarded = self.client.request(method, url);
        for (name, value) in &request.headers {
            if !matches!(name.as_str(), "connection" | "content-length") {
                forwarded = forwarded.header(name, value);
            }
        }
        forwarded.body(body).send().await.ok()
    }

    async fn pass(&self, stream: &mut TcpStream, request: &Request, body: Vec<u8>) {
        let Some(got) = self.forward(request, body).await else {
            return;
        };
        let status = got.status().as_u16();
        let headers: Vec<(String, String)> = got
            .headers()
            .iter()
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "connection" | "transfer-encoding" | "content-length"
                )
            })
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = got.bytes().await.unwrap_or_default();
        answer(stream, status, &headers, &body).await;
    }
}

/// Until the other side gives up.
async fn hang(stream: &mut TcpStream) {
    while Request::read(stream).await.is_some() {}
}
