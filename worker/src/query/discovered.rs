//! `GET /v1/analytics/properties`: which properties events have, and of which types.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, json};

use super::properties::Seen;
use super::rows::name;
use crate::archive::scan::Walk;
use crate::base::sort;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::read::question::{Ask, Meta, OfEvents, Told, fields_of, range_of};

/// Parameters of the call.
pub const PROPERTIES_PARAMS: &[&str] = &[
    "eventType",
    "startDate",
    "endDate",
    "range",
    "timeZone",
    "limit",
];

/// Properties of an answer where `limit` does not say, and at most.
const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 5_000;

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Properties {
    body: Map<String, serde_json::Value>,
    event_type: Option<String>,
    limit: usize,
}

/// The answer: most events first, equals by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Properties))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    events: Vec<Event>,
    /// Properties that are left out.
    other_properties: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = PropertiesEvent))]
#[serde(rename_all = "camelCase")]
struct Event {
    event_type: String,
    /// The name of a custom event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// How many there are.
    events: i64,
    properties: Vec<Property>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = PropertiesProperty))]
struct Property {
    /// What stands after `data.` in a question.
    name: String,
    /// Events in which it is a text.
    texts: i64,
    /// Events in which it is a number.
    numbers: i64,
    /// Events in which it is true or false.
    booleans: i64,
}

impl Property {
    fn events(&self) -> i64 {
        let some = self.texts.saturating_add(self.numbers);
        some.saturating_add(self.booleans)
    }
}

impl Properties {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the parameter.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        let days = Days::parse(params, now_ms)?;
        let fields = fields_of(params)?.unwrap_or_default();
        let mut body = Map::new();
        body.insert("range".to_owned(), range_of(&fields, days)?);
        if let Some(zone) = fields.get("timeZone") {
            body.insert("timeZone".to_owned(), zone.clone());
        }
        body.insert("panels".to_owned(), json!([{"metrics": ["events"]}]));
        let limit = match params.get("limit") {
            None => Some(DEFAULT_LIMIT),
            Some(text) => text.parse().ok(),
        };
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        Ok(Self {
            body,
            event_type: params.get("eventType").map(str::to_owned),
            limit: limit.ok_or(Fault::InvalidParameter {
                name: "limit",
                detail: "limit must be a whole number from 1 to 5000.",
            })?,
        })
    }

    /// What each shard of the archive is asked.
    pub fn asked(&self) -> Ask {
        Ask::Events(OfEvents {
            body: self.body.clone(),
            walk: Walk::Properties {
                event_type: self.event_type.clone(),
            },
        })
    }

    /// The answer from what the shards found.
    pub fn answer(&self, found: Vec<Told<Vec<Seen>>>, meta: Option<Meta>) -> Answer {
        let mut places: HashMap<String, u64> = HashMap::new();
        let mut events: Vec<Event> = Vec::new();
        for seen in found.into_iter().flat_map(|told| told.found) {
            let next = events.len() as u64;
            let key = name(&[Some(seen.event_type.clone()), seen.event.clone()]);
            let place = *places.entry(key).or_insert(next);
            if place == next {
                events.push(Event {
                    event_type: seen.event_type.clone(),
                    event: seen.event.clone(),
                    events: 0,
                    properties: Vec::new(),
                });
            }
            if let Some(event) = events.get_mut(place as usize) {
                event.take(seen);
            }
        }
        for event in &mut events {
            event.settle();
        }
        sort::sort_by(&mut events, |a, b| {
            let by_events = b.events.cmp(&a.events);
            let by_type = || a.event_type.cmp(&b.event_type);
            by_events.then_with(|| by_type().then_with(|| a.event.cmp(&b.event)))
        });
        let (mut left, mut others) = (self.limit, 0_usize);
        for event in &mut events {
            let all = event.properties.len();
            event.properties.truncate(left);
            left = left.saturating_sub(all);
            others = others.saturating_add(all.saturating_sub(event.properties.len()));
        }
        Answer {
            events,
            other_properties: others as i64,
            meta,
        }
    }
}

impl Event {
    /// Takes what a shard has of it.
    fn take(&mut self, seen: Seen) {
        let [texts, numbers, booleans] = seen.counts;
        if seen.name.is_empty() {
            self.events = self.events.saturating_add(texts);
            return;
        }
        self.properties.push(Property {
            name: seen.name,
            texts,
            numbers,
            booleans,
        });
    }

    /// Makes one of what several shards have of a property, and orders them.
    fn settle(&mut self) {
        sort::sort_by(&mut self.properties, |a, b| a.name.cmp(&b.name));
        self.properties.dedup_by(|next, known| {
            let same = next.name == known.name;
            if same {
                known.texts = known.texts.saturating_add(next.texts);
                known.numbers = known.numbers.saturating_add(next.numbers);
                known.booleans = known.booleans.saturating_add(next.booleans);
            }
            same
        });
        // Stable: equals stay in the order of their names.
        sort::sort_by(&mut self.properties, |a, b| b.events().cmp(&a.events()));
    }
}
