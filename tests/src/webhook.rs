//! A webhook: a server that notes what is posted to it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpListener;

use crate::http::{Request, answer};

/// A running webhook; it ends with its runtime.
#[derive(Debug)]
pub struct Webhook {
    /// Where it listens.
    pub url: String,
    posts: Arc<Mutex<Vec<Value>>>,
    traces: Arc<Mutex<Vec<Option<String>>>>,
}

impl Webhook {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let posts = Arc::<Mutex<Vec<Value>>>::default();
        let noted = Arc::clone(&posts);
        let traces = Arc::<Mutex<Vec<Option<String>>>>::default();
        let traced = Arc::clone(&traces);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (noted, traced) = (Arc::clone(&noted), Arc::clone(&traced));
                tokio::spawn(async move {
                    let Some(mut request) = Request::read(&mut stream).await else {
                        return;
                    };
                    let trace = request.header("traceparent").map(str::to_owned);
                    traced.lock().unwrap().push(trace);
                    if let Some(body) = request.body(&mut stream).await {
                        noted
                            .lock()
                            .unwrap()
                            .push(serde_json::from_slice(&body).unwrap());
                    }
                    answer(&mut stream, 204, &[], b"").await;
                });
            }
        });
        Self { url, posts, traces }
    }

    /// The `traceparent` of each post so far.
    pub fn traces(&self) -> Vec<Option<String>> {
        self.traces.lock().unwrap().clone()
    }

    /// What was posted so far.
    pub fn posts(&self) -> Vec<Value> {
        self.posts.lock().unwrap().clone()
    }
}
