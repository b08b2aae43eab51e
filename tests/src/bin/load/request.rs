//! Requests as bytes: made once, then only the ids in them are written anew, so that making them costs next to nothing.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher, RandomState};
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shoreline_shared::id::uuid_v7;

/// Visitors, each with a batch now and then.
const VISITORS: u64 = 2_000;

/// What stands for an id until a request is sent.
const EVENT: &str = "eeeeeeee-eeee-eeee-eeee-eeeeeeeeeeee";
const BATCH: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";
const USER: &str = "dddddddd-dddd-dddd-dddd-dddddddddddd";
const SESSION: &str = "cccccccc-cccc-cccc-cccc-cccccccccccc";

/// Titles, one a visitor: as soon as one character is not Latin-1, which a dash is enough for, JavaScript
/// keeps the whole text in two bytes a character. Half of the visitors see such a page.
const TITLES: [&str; 2] = ["Catalog of the shop", "Catalog – the shop"];

/// How far a request goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// A preflight: the way of a request, and nothing of Shoreline's in it.
    Empty,
    /// Everything but the commit.
    Validate,
    /// All of it.
    Full,
}

impl Path {
    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "empty" => Self::Empty,
            "validate" => Self::Validate,
            "full" => Self::Full,
            _ => panic!("not a path: {name}"),
        }
    }

    /// Statuses that are no refusal.
    pub(crate) fn allows(self, status: u16) -> bool {
        match self {
            Self::Empty => matches!(status, 200 | 204),
            Self::Validate => status == 200,
            Self::Full => status == 202,
        }
    }
}

/// A request with places for ids.
#[derive(Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    batch: Vec<Range<usize>>,
    users: Vec<Range<usize>>,
    sessions: Vec<Range<usize>>,
    events: Vec<Range<usize>>,
}

impl Template {
    pub(crate) fn new(path: Path, target: &str, origin: &str, events: usize, title: usize) -> Self {
        let bytes = if path == Path::Empty {
            format!(
                "OPTIONS {target} HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n\
                 access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\r\n"
            )
        } else {
            let body = body(events, TITLES[title]);
            format!(
                "POST {target} HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n\
                 user-agent: Mozilla/5.0 (load)\r\ncf-connecting-ip: 192.0.2.7\r\n\
                 content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let places = |id: &str| {
            let found = bytes.match_indices(id);
            found.map(|(at, id)| at..at + id.len()).collect()
        };
        Self {
            batch: places(BATCH),
            users: places(USER),
            sessions: places(SESSION),
            events: places(EVENT),
            bytes: bytes.into_bytes(),
        }
    }

    /// All kinds there are.
    pub(crate) fn all(path: Path, target: &str, origin: &str, events: usize) -> Vec<Self> {
        let titles = 0..TITLES.len();
        let made = titles.map(|title| Self::new(path, target, origin, events, title));
        made.collect()
    }

    /// The request with new ids, of any visitor.
    pub(crate) fn fill(&mut self, visitor: u64) -> &[u8] {
        let (user, session) = (id_of("user", visitor), id_of("session", visitor));
        for (places, id) in [
            (&self.users, user),
            (&self.sessions, session),
            (&self.batch, uuid()),
        ] {
            for place in places {
                self.bytes[place.clone()].copy_from_slice(id.as_bytes());
            }
        }
        for place in &self.events {
            self.bytes[place.clone()].copy_from_slice(uuid().as_bytes());
        }
        &self.bytes
    }
}

/// Any visitor.
pub(crate) fn visitor() -> u64 {
    random() % VISITORS
}

fn body(events: usize, title: &str) -> String {
    let events = (0..events).map(|n| event(n, title));
    json!({"batchId": BATCH, "events": events.collect::<Vec<_>>()}).to_string()
}

fn event(n: usize, title: &str) -> Value {
    json!({
        "eventId": EVENT,
        "eventType": if n.is_multiple_of(3) { "feature_use" } else { "page_view" },
        "userId": USER,
        "sessionId": SESSION,
        "eventData": {
            "feature": "export",
            "url": format!("https://shop.example/catalog/{}?utm_source=news", n % 7),
            "title": title,
            "referrer": "https://search.example/",
        },
        "metadata": {"platform": "web"},
    })
}

/// A random number of the operating system's seed: ids that are alike would pack better than real ones.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// An id as the tracker makes it.
fn uuid() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random().to_be_bytes());
    bytes[8..].copy_from_slice(&random().to_be_bytes());
    let now = i64::try_from(now.as_millis()).unwrap();
    uuid_v7(now, bytes[..10].try_into().unwrap())
}

/// An id of a visitor or session, always the same one.
fn id_of(kind: &str, visitor: u64) -> String {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((kind, visitor));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hash.to_be_bytes());
    bytes[8..].copy_from_slice(&hash.rotate_left(17).to_be_bytes());
    uuid_v7(1_767_225_600_000, bytes[..10].try_into().unwrap())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{BATCH, EVENT, Path, SESSION, Template, USER};
    use serde_json::Value;

    fn body(request: &[u8]) -> (usize, Value) {
        let text = std::str::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let (_, rest) = head.split_once("content-length: ").unwrap();
        assert_eq!(rest.lines().next().unwrap(), body.len().to_string());
        (body.len(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn each_request_is_whole_and_has_ids_of_its_own() {
        for template in &mut Template::all(Path::Full, "/v1/events", "http://localhost", 25) {
            let mut ids = HashSet::new();
            for visitor in 0..3 {
                let (_, batch) = body(template.fill(visitor));
                ids.insert(batch["batchId"].as_str().unwrap().to_owned());
                for event in batch["events"].as_array().unwrap() {
                    ids.insert(event["eventId"].as_str().unwrap().to_owned());
                    assert_eq!(event["userId"], batch["events"][0]["userId"]);
                }
            }
            assert_eq!(ids.len(), 3 * 26);
            for placeholder in [EVENT, BATCH, USER, SESSION] {
                assert!(!ids.contains(placeholder));
            }
        }
    }

    #[test]
    fn a_visitor_keeps_their_ids() {
        let mut template = Template::new(Path::Full, "/v1/events", "http://localhost", 1, 0);
        let users: Vec<Value> = [7, 8, 7]
            .map(|visitor| body(template.fill(visitor)).1["events"][0]["userId"].clone())
            .to_vec();
        assert_eq!(users[0], users[2]);
        assert_ne!(users[0], users[1]);
        assert_ne!(users[0], USER);
    }

    #[test]
    fn half_of_the_visitors_see_a_title_beyond_latin_1() {
        let mut templates = Template::all(Path::Validate, "/v1/events", "http://localhost", 2);
        let wide = templates
            .iter_mut()
            .filter_map(|template| {
                body(template.fill(1)).1["events"][0]["eventData"]["title"]
                    .as_str()
                    .map(|title| title.chars().any(|c| u32::from(c) > 0xff))
            })
            .filter(|wide| *wide)
            .count();
        assert_eq!((templates.len(), wide), (2, 1));
    }
}
