//! Sends the worker's requests by a real HTTP client.

use std::time::Duration;

use reqwest::{Client, Method, redirect};
use shoreline_worker::sinks::{Answer, NoAnswer, SinkRequest, Transport};

/// A transport for native tests.
#[derive(Debug, Clone)]
pub struct Wire {
    client: Client,
}

impl Wire {
    /// A client that follows no redirect, as the worker's does.
    pub fn new() -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(20));
        Self {
            client: client.build().unwrap(),
        }
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Wire {
    fn now_ms(&self) -> i64 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        i64::try_from(now.as_millis()).unwrap()
    }

    async fn send(&self, request: SinkRequest) -> Result<Answer, NoAnswer> {
        let method = Method::from_bytes(request.method.as_str().as_bytes()).unwrap();
        let mut sent = self.client.request(method, &request.url).body(request.body);
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        let answer = sent.send().await.map_err(|_| NoAnswer("no_answer"))?;
        let headers = answer.headers().iter();
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: answer.text().await.map_err(|_| NoAnswer("no_answer"))?,
        })
    }
}
