//! The last stage: an event in the one form in which it is stored, landed and answered.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event_type::{FEATURE_USE, PAGE_VIEW};
use crate::limits::SCHEMA_VERSION;
use crate::privacy::path_part;
use crate::sanitize::CleanEvent;

/// What the edge adds to an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The site.
    pub site_id: &'a str,
    /// The source of an event that names none: `tracker`, or the service's name.
    pub source: &'a str,
    /// The event's id, a lowercase UUID: its own, or one made for it.
    pub event_id: &'a str,
    /// When it was received, Unix milliseconds.
    pub received_at: i64,
    /// The batch it came in.
    pub batch_id: Option<&'a str>,
    /// ISO country code, by the edge's own data.
    pub country: Option<&'a str>,
    /// Region, likewise.
    pub region: Option<&'a str>,
    /// The event's moment with the sender's clock set right, where that is known: Unix milliseconds.
    pub timestamp: Option<i64>,
    /// Browser, by its user agent.
    pub browser: Option<&'a str>,
    /// Operating system, likewise.
    pub os: Option<&'a str>,
    /// Class of device, likewise.
    pub device: Option<&'a str>,
}

/// An event as it is stored. Made by [`stamp`], or read back by [`StampedEvent::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct StampedEvent {
    json: String,
    event_id: String,
    event_type: String,
    source: String,
    timestamp: i64,
    received_at: i64,
    user_id: Option<String>,
    page: Option<String>,
    feature: Option<String>,
}

/// One event as Shoreline stores and lands it: one line of the lake, one JSON object.
///
/// Fields are only ever added, and what is added may be absent: readers ignore fields that they do
/// not know, and lines of every version stay valid. docs/LAKE.md tells the rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "Event"))]
struct Stored<'a> {
    /// The event's id, a lowercase UUID; with `siteId` the key of deduplication.
    #[cfg_attr(test, schemars(extend("format" = "uuid", "pattern" = schema::UUID)))]
    event_id: &'a str,
    /// A tracker type such as `page_view`, or the name of a domain event.
    #[cfg_attr(test, schemars(extend("pattern" = schema::EVENT_TYPE)))]
    event_type: &'a str,
    /// The site.
    #[cfg_attr(test, schemars(length(min = 1)))]
    site_id: &'a str,
    /// `tracker`, or the service's name.
    #[cfg_attr(test, schemars(length(min = 1, max = schema::CHARS)))]
    source: &'a str,
    /// The tenant, where the sender names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str", length(min = 1, max = schema::CHARS)))]
    tenant_id: Option<&'a str>,
    /// The user; `anon-…` for one who asked not to be followed, `erased-…` for one who was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str", length(min = 1, max = schema::CHARS)))]
    user_id: Option<&'a str>,
    /// The session, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str", length(min = 1, max = schema::CHARS)))]
    session_id: Option<&'a str>,
    /// When it happened, Unix milliseconds: by the sender's clock, set right where that is possible.
    timestamp: i64,
    /// When it was received, Unix milliseconds; its UTC hour is the partition.
    received_at: i64,
    /// The version of this form.
    #[cfg_attr(test, schemars(range(min = 1, max = SCHEMA_VERSION)))]
    schema_version: u32,
    /// The batch it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    batch_id: Option<&'a str>,
    /// ISO 3166-1 country code, by the edge's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    country: Option<&'a str>,
    /// Region of the country, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    region: Option<&'a str>,
    /// The browser, by its user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    browser: Option<&'a str>,
    /// The operating system, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    os: Option<&'a str>,
    /// The class of device, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "str"))]
    device: Option<&'a str>,
    /// What the type brings: docs/EVENTS.md tells what metrics read of it. `{}` once erased.
    event_data: &'a Map<String, Value>,
    /// Facts of the sender: user agent, cut address, platform. `{}` once erased.
    metadata: &'a Map<String, Value>,
}

/// Stamps one event and writes its JSON, once in its life.
pub fn stamp(clean: CleanEvent, stamp: &Stamp<'_>) -> StampedEvent {
    let event_type = clean.event_type.as_str();
    let source = clean.source.as_deref().unwrap_or(stamp.source);
    let stored = Stored {
        event_id: stamp.event_id,
        event_type,
        site_id: stamp.site_id,
        source,
        tenant_id: clean.tenant_id.as_deref(),
        user_id: clean.user_id.as_deref(),
        session_id: clean.session_id.as_deref(),
        timestamp: stamp.timestamp.unwrap_or(clean.timestamp),
        received_at: stamp.received_at,
        schema_version: SCHEMA_VERSION,
        batch_id: stamp.batch_id,
        country: stamp.country,
        region: stamp.region,
        browser: stamp.browser,
        os: stamp.os,
        device: stamp.device,
        event_data: &clean.event_data,
        metadata: &clean.metadata,
    };
    StampedEvent {
        // Strings, numbers and maps of them always serialize.
        json: serde_json::to_string(&stored).unwrap_or_default(),
        event_id: stamp.event_id.to_owned(),
        source: source.to_owned(),
        timestamp: stamp.timestamp.unwrap_or(clean.timestamp),
        received_at: stamp.received_at,
        page: page(event_type, &clean.event_data),
        feature: feature(event_type, &clean.event_data),
        event_type: event_type.to_owned(),
        user_id: clean.user_id,
    }
}

impl StampedEvent {
    /// Reads a stored event back; `None` for what is none, or not on one line.
    pub fn from_json(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Facts {
            event_id: String,
            event_type: String,
            source: String,
            received_at: i64,
            timestamp: Option<i64>,
            user_id: Option<String>,
            event_data: Option<Map<String, Value>>,
        }
        if text.contains(['\n', '\r']) || !text.starts_with('{') {
            return None;
        }
        let facts: Facts = serde_json::from_str(text).ok()?;
        let data = facts.event_data.unwrap_or_default();
        Some(Self {
            json: text.to_owned(),
            page: page(&facts.event_type, &data),
            feature: feature(&facts.event_type, &data),
            event_id: facts.event_id,
            event_type: facts.event_type,
            source: facts.source,
            timestamp: facts.timestamp.unwrap_or(facts.received_at),
            received_at: facts.received_at,
            user_id: facts.user_id,
        })
    }

    /// The stored event: one line of JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Its id, a lowercase UUID.
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Its type's name.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Where it comes from: `tracker`, or a service's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// When it happened, Unix milliseconds; where nothing says so, when it was received.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// When it was received, Unix milliseconds.
    pub fn received_at(&self) -> i64 {
        self.received_at
    }

    /// The user, or the id that stands for them.
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The page, of a `page_view`: the path part of `eventData.path`, else of `url`, else of `page`.
    /// On a site with hash routing the route belongs to it.
    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// The feature, of a `feature_use`.
    pub fn feature(&self) -> Option<&str> {
        self.feature.as_deref()
    }
}

fn page(event_type: &str, data: &Map<String, Value>) -> Option<String> {
    if event_type != PAGE_VIEW {
        return None;
    }
    ["path", "url", "page"]
        .into_iter()
        .find_map(|key| path_part(key, data.get(key)?.as_str()?))
        .map(std::borrow::Cow::into_owned)
}

fn feature(event_type: &str, data: &Map<String, Value>) -> Option<String> {
    if event_type != FEATURE_USE {
        return None;
    }
    data.get("feature")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod schema;
