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
}

impl Webhook {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let posts = Arc::<Mutex<Vec<Value>>>::default();
        let noted = Arc::clone(&posts);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let Some(mut request) = Request::read(&mut stream).await else {
                        return;
                    };
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
        Self { url, posts }
    }

    /// What was posted so far.
    pub fn posts(&self) -> Vec<Value> {
        self.posts.lock().unwrap().clone()
    }
}
