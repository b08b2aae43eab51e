//! Bad input, at every door that takes events: each is answered with a 4xx and its stable code, or
//! taken as the documents say, and the same worker serves the next good request.

mod bodies;
mod headers;
mod identity;
mod json;
mod slow;

use reqwest::RequestBuilder;
use serde_json::Value;
use shoreline_tests::events::uuid;
use shoreline_tests::site::{Reply, Site, reply};

const AGENT: &str = "Mozilla/5.0 (test)";

/// A way in, with one of its forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Events,
    Ingest,
    SegmentBatch,
    SegmentTrack,
    Plausible,
}

impl Door {
    const ALL: [Self; 5] = [
        Self::Events,
        Self::Ingest,
        Self::SegmentBatch,
        Self::SegmentTrack,
        Self::Plausible,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Events => "/v1/events",
            Self::Ingest => "/v1/ingest",
            Self::SegmentBatch => "/v1/batch",
            Self::SegmentTrack => "/v1/track",
            Self::Plausible => "/api/event",
        }
    }

    /// The headers of a good request: who sends, and what. The key is in none of its bodies.
    fn headers(self, site: &Site) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", AGENT.to_owned()),
        ];
        let key = match self {
            Self::Plausible => None,
            Self::Ingest => Some(&site.source_key),
            _ => Some(&site.browser_key),
        };
        headers.extend(key.map(|key| ("authorization", format!("Bearer {key}"))));
        if self != Self::Ingest {
            headers.push(("origin", site.origin.clone()));
        }
        headers
    }

    /// A post with the headers of a good one, without `left_out`, its body yet to be set.
    fn post_without(self, site: &Site, left_out: &str) -> RequestBuilder {
        let request = shoreline_tests::client().post(format!("{}{}", site.url, self.path()));
        let headers = self.headers(site).into_iter();
        headers
            .filter(|(name, _)| *name != left_out)
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
    }

    fn post(self, site: &Site) -> RequestBuilder {
        self.post_without(site, "")
    }

    /// An event as text; `more` is JSON members, each with a comma before it, for its data.
    fn event(self, site: &Site, more: &str) -> String {
        let (id, domain) = (uuid(), &site.domain);
        match self {
            Self::Events => format!(
                r#"{{"eventId":"{id}","eventType":"feature_use","userId":"u","sessionId":"s","eventData":{{"feature":"f"{more}}},"metadata":{{"platform":"web"}}}}"#
            ),
            Self::Ingest => format!(
                r#"{{"eventId":"{id}","eventType":"a.b","source":"s","payload":{{"x":1{more}}}}}"#
            ),
            Self::SegmentBatch | Self::SegmentTrack => format!(
                r#"{{"type":"track","messageId":"{id}","userId":"u","event":"f","properties":{{"x":1{more}}}}}"#
            ),
            Self::Plausible => {
                format!(r#"{{"n":"f","u":"https://{domain}/","d":"{domain}","p":{{"x":1{more}}}}}"#)
            }
        }
    }

    /// The body that holds these events; of a door that takes one, the first.
    fn body(self, events: &[String]) -> String {
        let list = events.join(",");
        match self {
            Self::Events => format!(r#"{{"events":[{list}]}}"#),
            Self::Ingest => format!("[{list}]"),
            Self::SegmentBatch => format!(r#"{{"batch":[{list}]}}"#),
            Self::SegmentTrack | Self::Plausible => events[0].clone(),
        }
    }

    fn good_body(self, site: &Site) -> String {
        self.body(&[self.event(site, "")])
    }

    /// The status of a request that was taken.
    fn taken(self) -> u16 {
        match self {
            Self::SegmentBatch | Self::SegmentTrack => 200,
            _ => 202,
        }
    }

    /// Bytes of a body at most, after decoding.
    fn max_bytes(self) -> usize {
        match self {
            Self::Ingest => 4 * 1024 * 1024,
            _ => 512 * 1024,
        }
    }

    async fn send(self, site: &Site, body: impl Into<reqwest::Body>) -> Reply {
        reply(self.post(site).body(body)).await
    }

    /// The next request after whatever was refused is served as ever.
    async fn still_works(self, site: &Site) {
        let good = self.send(site, self.good_body(site)).await;
        assert_eq!(good.status, self.taken(), "{self:?}: {}", good.body);
    }
}

fn code(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.body["code"].as_str().unwrap_or("none"))
}

/// The code of the first event that was not taken.
fn first_code(reply: &Reply) -> &str {
    let results = &reply.body["results"];
    results[0]["code"].as_str().unwrap_or("none")
}

/// The stored events' data, once `count` are stored.
async fn stored_data(site: &Site, count: usize) -> Vec<Value> {
    site.settle().await;
    let stored = site.stored().await;
    assert_eq!(stored.len(), count, "{stored:#?}");
    stored
        .iter()
        .map(|event| event["eventData"].clone())
        .collect()
}
