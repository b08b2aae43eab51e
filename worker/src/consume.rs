//! What the consumer does with one queue message: D1, then the lake, then the confirmation.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::counted::{Facts, Stored};
use crate::erase::{Alias, nameless_text};
use crate::lake::{PART_MEMORY_MS, hour_of};
use crate::rollup::{EventRow, Finding, store_statements};
use crate::site::{Confirmation, ConfirmedPart};
use crate::sql::Statement;

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

/// What is to be told to whom once D1 has taken a message.
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

    /// The transaction that stores the message; its last statement answers [`Finding`]s. Users and
    /// sessions are counted by their hashes with `hash_key`.
    pub fn statements(&self, attempt: &str, hash_key: &[u8]) -> Vec<Statement> {
        let facts: Vec<(&str, &Event<'_>, Facts<'_>)> = self
            .parts
            .iter()
            .flat_map(|part| part.events.iter().map(|event| (part.id.as_str(), event)))
            .map(|(part, event)| (part, event, Facts::of(&event.head, &self.site, hash_key)))
            .collect();
        let rows: Vec<EventRow<'_>> = facts
            .iter()
            .map(|(part, event, facts)| {
                let Stored {
                    event_id,
                    user_id,
                    received_at,
                    ..
                } = &event.head;
                let (user, body) = (user_id.as_deref(), Some(event.body));
                EventRow(part, event_id, *received_at, facts, user, body)
            })
            .collect();
        // Not when its events were received, which of an import's is long ago: ids are forgotten by
        // the time they became known.
        let taken_at = self.parts.iter().map(|part| part.at).max().unwrap_or(0);
        store_statements(&self.site, &rows, attempt, taken_at)
    }

    /// The users of the message who are to be forgotten: of these D1 holds events again.
    pub fn erasures(&self, findings: &[Finding]) -> Vec<(String, Alias)> {
        let aliases = aliases(findings);
        let mut users: BTreeMap<&str, &Alias> = BTreeMap::new();
        for part in &self.parts {
            for event in &part.events {
                let alias = aliases.get(&(part.id.as_str(), &*event.head.event_id));
                if let (Some(user), Some(alias)) = (event.head.user_id.as_deref(), alias) {
                    users.insert(user, alias);
                }
            }
        }
        users
            .into_iter()
            .map(|(user, alias)| (user.to_owned(), alias.clone()))
            .collect()
    }

    /// Of each part, the lake gets the events whose first owner it is, the same however often it
    /// comes; `site_do` hears which were not.
    pub fn handover(&self, findings: &[Finding]) -> Handover {
        let foreign: HashSet<(&str, &str)> = findings
            .iter()
            .filter(|row| row.alias_key.is_none())
            .map(|row| (row.part.as_str(), row.event.as_str()))
            .collect();
        let aliases = aliases(findings);
        let forced = self.replay == Some(Replay::Forced);
        let mut append = format!("{{\"forced\":{forced},\"parts\":[");
        let mut confirmed = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let (theirs, own): (Vec<&Event<'_>>, Vec<&Event<'_>>) = part
                .events
                .iter()
                .partition(|event| foreign.contains(&(&part.id, &event.head.event_id)));
            if index > 0 {
                append.push(',');
            }
            append.push_str(&format!("{{\"id\":\"{}\",\"at\":{},", part.id, part.at));
            let hours: Vec<i64> = own
                .iter()
                .map(|event| hour_of(event.head.received_at))
                .collect();
            // Only an import's events are of other hours than their part.
            if hours.iter().any(|hour| *hour != hour_of(part.at)) {
                append.push_str(&format!("\"hours\":{hours:?},"));
            }
            append.push_str("\"events\":[");
            for (index, event) in own.iter().enumerate() {
                if index > 0 {
                    append.push(',');
                }
                match aliases.get(&(part.id.as_str(), &*event.head.event_id)) {
                    None => append.push_str(event.body.get()),
                    Some(alias) => {
                        append.push_str(&nameless_text(&self.site, event.body.get(), alias))
                    }
                }
            }
            append.push_str("]}");
            confirmed.push(ConfirmedPart {
                id: part.id.clone(),
                duplicates: theirs
                    .iter()
                    .map(|event| event.head.event_id.clone().into_owned())
                    .collect(),
            });
        }
        append.push_str("]}");
        Handover {
            append,
            confirmation: Confirmation { parts: confirmed },
        }
    }
}

/// What stands for users who are to be forgotten, by part and event.
fn aliases(findings: &[Finding]) -> HashMap<(&str, &str), Alias> {
    findings
        .iter()
        .filter_map(|row| Some(((row.part.as_str(), row.event.as_str()), row.alias()?)))
        .collect()
}
