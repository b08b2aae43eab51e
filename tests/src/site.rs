//! A site of a running system: sending to it and reading it.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::contract::Checked as _;
use crate::system::{Keys, StateDir};

/// A site and its keys.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where its system listens.
    pub url: String,
    /// Its id.
    pub id: String,
    /// Its public key.
    pub browser_key: String,
    /// Its secret key for services.
    pub source_key: String,
    /// Its read token.
    pub read_token: String,
    /// The admin token of its system.
    pub admin_token: String,
    /// What Plausible's script calls it.
    pub domain: String,
    /// An origin on its list.
    pub origin: String,
    /// The state of its system.
    pub state: StateDir,
}

/// A status and a JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body; null where it is empty.
    pub body: Value,
}

impl Site {
    /// Makes a new site with an origin of its own, and further ones, by the admin API; `policy` is
    /// what else the call sets.
    pub(crate) async fn make(
        keys: &Keys,
        state: &StateDir,
        origins: &[&str],
        policy: &Value,
    ) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let id = format!("site-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let domain = format!("{id}.example");
        let origin = format!("https://{domain}");
        let admin = async |path: &str, body: Value| {
            let answer = crate::client()
                .post(format!("{}{path}", keys.url))
                .bearer_auth(&keys.admin_token)
                .json(&body)
                .sent()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::CREATED, "{path}");
            answer.json::<Value>().await.unwrap()
        };
        let origins = [&[origin.as_str()], origins].concat();
        let mut site = json!({"siteId": id, "origins": origins, "domain": domain});
        let own = policy.as_object().into_iter().flatten();
        site.as_object_mut()
            .unwrap()
            .extend(own.map(|(key, value)| (key.clone(), value.clone())));
        admin("/v1/sites", site).await;
        let mut made = Vec::new();
        for kind in ["browser", "source", "read"] {
            let key = admin(&format!("/v1/sites/{id}/keys"), json!({"kind": kind})).await;
            made.push(key["key"].as_str().unwrap().to_owned());
        }
        let read_token = made.pop().unwrap();
        let source_key = made.pop().unwrap();
        Self {
            url: keys.url.clone(),
            id,
            browser_key: made.pop().unwrap(),
            source_key,
            read_token,
            admin_token: keys.admin_token.clone(),
            domain,
            origin,
            state: state.clone(),
        }
    }

    /// A post to the collector as the site's pages make it, its body yet to be set.
    pub fn post(&self) -> RequestBuilder {
        crate::client()
            .post(format!("{}/v1/events?key={}", self.url, self.browser_key))
            .header("origin", &self.origin)
            .header("user-agent", "Mozilla/5.0 (test)")
            .header("content-type", "text/plain")
    }

    /// A post to the collector as a service makes it, its body yet to be set.
    pub fn ingest(&self) -> RequestBuilder {
        crate::client()
            .post(format!("{}/v1/ingest", self.url))
            .bearer_auth(&self.source_key)
            .header("content-type", "application/json")
    }

    /// Posts a batch.
    pub async fn send(&self, batch: &Value) -> Reply {
        reply(self.post().body(batch.to_string())).await
    }

    /// Posts a batch that must be taken.
    pub async fn send_ok(&self, batch: &Value) -> Value {
        let reply = self.send(batch).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        reply.body
    }

    /// Reads a path of the dashboard API.
    pub async fn get(&self, path: &str) -> Value {
        let reply = self.read(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// Asks a path of the dashboard API.
    pub async fn read(&self, path: &str) -> Reply {
        let request = crate::client()
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.read_token);
        reply(request).await
    }

    /// Live events of the last hour by type.
    pub async fn live_count(&self, event_type: &str) -> i64 {
        let live = self.get("/v1/analytics/live").await;
        live["minutes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|minute| minute["counts"][event_type].as_i64())
            .sum()
    }

    /// The newest stored events, newest first.
    pub async fn stored(&self) -> Vec<Value> {
        let mut recent = self.get("/v1/analytics/events/recent?limit=500").await;
        match recent["events"].take() {
            Value::Array(events) => events,
            other => panic!("no list of events: {other}"),
        }
    }

    /// The ids of the newest stored events.
    pub async fn stored_ids(&self) -> Vec<String> {
        let events = self.stored().await;
        events
            .iter()
            .map(|event| event["eventId"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether nothing waits any more: all that was taken is stored and has landed.
    pub async fn settled(&self) -> bool {
        let health = self.get("/health").await;
        health["backlog"]["outbox"]["parts"] == 0 && health["backlog"]["lake"]["pendingEvents"] == 0
    }

    /// Waits until all that was taken is stored and has landed.
    pub async fn settle(&self) {
        crate::eventually("the backlog empties", async || {
            self.settled().await.then_some(())
        })
        .await;
    }
}

/// Sends a request and reads the answer.
pub async fn reply(request: RequestBuilder) -> Reply {
    let answer = request.sent().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    Reply {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    }
}
