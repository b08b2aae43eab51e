//! What the consumer does with queue messages: D1, then the lake, then the confirmation.

use std::collections::HashSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::counted::Stored;
use crate::erase::nameless_text;
use crate::lake::{PART_MEMORY_MS, hour_of};
use crate::site::{Confirmation, ConfirmedPart};

mod batch;
mod store;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Findings, groups};
pub use store::{Database, NotStored, store};

/// How long a message that failed waits before it is tried again, in seconds.
pub const RETRY_DELAY_S: u32 = 5;

/// A message that is sent again by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// It lands as any other.
    Plain,
    /// It lands even where the lake has forgotten whether it landed before.
    Forced,
}

/// A message as the outbox wrote it. Of an event only what D1's columns and the lake's ownership
/// need is read; the rest stays text.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// The site.
    pub site: String,
    /// The shard, of `site_do` and of `lake_do` alike.
    pub shard: u32,
    /// Whether it is a replay of dead letters.
    #[serde(default)]
    pub replay: Option<Replay>,
    #[serde(borrow)]
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    id: String,
    at: i64,
    #[serde(borrow)]
    events: Vec<Event<'a>>,
}

/// An event's text and what is counted of it.
#[derive(Debug)]
struct Event<'a> {
    body: &'a RawValue,
    head: Stored<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = <&'a RawValue>::deserialize(deserializer)?;
        let head = serde_json::from_str(body.get()).map_err(D::Error::custom)?;
        Ok(Self { body, head })
    }
}

/// What is to be told to whom once D1 has taken messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The body of the append call to `lake_do`.
    pub append: String,
    /// The confirmation to `site_do`.
    pub confirmation: Confirmation,
}

/// Why a message cannot be read. It was written by our own outbox, so this is a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl<'a> Message<'a> {
    /// Reads a message's text.
    ///
    /// # Errors
    /// [`Unreadable`] for what no outbox of this version wrote.
    pub fn parse(text: &'a str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))
    }

    /// Lines of an object of the lake as a message of one part, to be told to D1 and nobody else.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no stored event.
    pub fn of_lines(site: &str, part: &str, lines: &[&'a str]) -> Result<Self, Unreadable> {
        let events = lines.iter().map(|line| serde_json::from_str(line));
        let events: Vec<Event<'a>> = events
            .collect::<Result<_, _>>()
            .map_err(|error| Unreadable(error.to_string()))?;
        Ok(Self {
            site: site.to_owned(),
            shard: 0,
            replay: None,
            parts: vec![Part {
                id: part.to_owned(),
                at: events.first().map_or(0, |event| event.head.received_at),
                events,
            }],
        })
    }

    /// Takes out the parts that the lake would refuse, because it has forgotten whether it knows them,
    /// and returns their ids. A forced replay keeps them.
    pub fn take_too_old(&mut self, now_ms: i64) -> Vec<String> {
        if self.replay == Some(Replay::Forced) {
            return Vec::new();
        }
        let earliest = now_ms.saturating_sub(PART_MEMORY_MS);
        let old = |part: &Part<'_>| part.at < earliest;
        let ids = self.parts.iter().filter(|part| old(part));
        let ids = ids.map(|part| part.id.clone()).collect();
        self.parts.retain(|part| !old(part));
        ids
    }

    /// The parts of it.
    pub fn part_ids(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.id.clone()).collect()
    }

    /// How many events it has.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.events.len()).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Handover {
    /// Of each part of messages of one shard, the lake gets the events whose first owner it is, the
    /// same however often it comes; `site_do` hears which were not. A forced replay comes alone.
    pub fn of(messages: &[&Message<'_>], findings: &Findings<'_>) -> Self {
        let forced = messages
            .iter()
            .any(|message| message.replay == Some(Replay::Forced));
        let mut append = format!("{{\"forced\":{forced},\"parts\":[");
        let mut confirmed: Vec<ConfirmedPart> = Vec::new();
        let mut seen = HashSet::new();
        for message in messages {
            for part in &message.parts {
                // The queue may have brought a message twice.
                if seen.insert(part.id.as_str()) {
                    if !confirmed.is_empty() {
                        append.push(',');
                    }
                    confirmed.push(part.handover(&message.site, findings, &mut append));
                }
            }
        }
        append.push_str("]}");
        Self {
            append,
            confirmation: Confirmation { parts: confirmed },
        }
    }
}

impl Part<'_> {
    /// Writes what the lake gets of the part, and tells what `site_do` hears.
    fn handover(&self, site: &str, findings: &Findings<'_>, append: &mut String) -> ConfirmedPart {
        let (theirs, own): (Vec<&Event<'_>>, Vec<&Event<'_>>) = self
            .events
            .iter()
            .partition(|event| findings.is_foreign(&self.id, &event.head.event_id));
        append.push_str(&format!("{{\"id\":\"{}\",\"at\":{},", self.id, self.at));
        let hours: Vec<i64> = own
            .iter()
            .map(|event| hour_of(event.head.received_at))
            .collect();
        // Only an import's events are of other hours than their part.
        if hours.iter().any(|hour| *hour != hour_of(self.at)) {
            append.push_str(&format!("\"hours\":{hours:?},"));
        }
        append.push_str("\"events\":[");
        for (index, event) in own.iter().enumerate() {
            if index > 0 {
                append.push(',');
            }
            match findings.alias(&self.id, &event.head.event_id) {
                None => append.push_str(event.body.get()),
                Some(alias) => append.push_str(&nameless_text(site, event.body.get(), alias)),
            }
        }
        append.push_str("]}");
        ConfirmedPart {
            id: self.id.clone(),
            duplicates: theirs
                .iter()
                .map(|event| event.head.event_id.clone().into_owned())
                .collect(),
        }
    }
}
