//! What the consumer does with queue messages: D1, then the lake, then the confirmation.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::counted::Stored;
use crate::erase::nameless_text;
use crate::lake::{PART_MEMORY_MS, hour_of};
use crate::protocol::{Confirmation, Unreadable};
use crate::sorted::Map;

pub use crate::protocol::message::Replay;

mod batch;
mod store;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Findings, groups};
pub use store::{Database, NotStored, store};

/// How long a message that failed waits before it is tried again, in seconds.
pub const RETRY_DELAY_S: u32 = 5;

/// A message of the log, its events read as far as D1's columns and the lake's ownership need it; the
/// rest stays text.
#[derive(Debug)]
pub struct Message<'a> {
    /// The site.
    pub site: String,
    /// The shard, of `site_do` and of `lake_do` alike.
    pub shard: u32,
    /// Whether it is a replay of dead letters.
    pub replay: Option<Replay>,
    epoch: String,
    parts: Vec<Part<'a>>,
}

/// A row of the log: what owns its events in D1 and in the lake.
#[derive(Debug)]
struct Part<'a> {
    id: String,
    seq: i64,
    at: i64,
    events: Vec<Event<'a>>,
}

/// An event's text and what is counted of it.
#[derive(Debug)]
struct Event<'a> {
    body: &'a RawValue,
    head: Stored<'a>,
}

impl<'a> Event<'a> {
    fn parse(line: &'a str) -> Result<Self, Unreadable> {
        let unreadable = |error: serde_json::Error| Unreadable(error.to_string());
        Ok(Self {
            body: serde_json::from_str(line).map_err(unreadable)?,
            head: serde_json::from_str(line).map_err(unreadable)?,
        })
    }
}

/// What is to be told to whom once D1 has taken messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The body of the append call to `lake_do`.
    pub append: String,
    /// The confirmations to `site_do`: one, but where its storage was lost between two messages.
    pub confirmations: Vec<Confirmation>,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Unreadable`] for what no log of this version wrote.
    pub fn parse(body: &'a [u8]) -> Result<Self, Unreadable> {
        let message = crate::protocol::Message::parse(body)?;
        let parts = message
            .rows
            .iter()
            .map(|row| {
                let text = std::str::from_utf8(row.lines);
                let text = text.map_err(|error| Unreadable(error.to_string()))?;
                let events = text.lines().map(Event::parse);
                let events: Vec<Event<'_>> = events.collect::<Result<_, _>>()?;
                if events.len() != row.n {
                    return Err(Unreadable("a row with other lines than it says".to_owned()));
                }
                Ok(Part {
                    id: message.row_id(row.seq).to_string(),
                    seq: row.seq,
                    at: row.at,
                    events,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            site: message.site,
            shard: message.shard,
            replay: message.replay,
            epoch: message.epoch,
            parts,
        })
    }

    /// Lines of an object of the lake as a message of one part, to be told to D1 and nobody else.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no stored event.
    pub fn of_lines(site: &str, part: &str, lines: &[&'a str]) -> Result<Self, Unreadable> {
        let events = lines.iter().map(|line| Event::parse(line));
        let events: Vec<Event<'a>> = events.collect::<Result<_, _>>()?;
        Ok(Self {
            site: site.to_owned(),
            shard: 0,
            replay: None,
            epoch: String::new(),
            parts: vec![Part {
                id: part.to_owned(),
                seq: 0,
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
        let mut confirmed: Map<&str, Vec<(i64, Vec<String>)>> = Map::new();
        let mut seen = HashSet::new();
        for message in messages {
            for part in &message.parts {
                // The queue may have brought a message twice.
                if seen.insert(part.id.as_str()) {
                    if seen.len() > 1 {
                        append.push(',');
                    }
                    let duplicates = part.handover(&message.site, findings, &mut append);
                    let rows = confirmed.entry(&message.epoch).or_default();
                    rows.push((part.seq, duplicates));
                }
            }
        }
        append.push_str("]}");
        Self {
            append,
            confirmations: confirmed
                .into_iter()
                .map(|(epoch, rows)| Confirmation::of(epoch, rows))
                .collect(),
        }
    }
}

impl Part<'_> {
    /// Writes what the lake gets of the part, and returns the ids of its events that came before.
    fn handover(&self, site: &str, findings: &Findings<'_>, append: &mut String) -> Vec<String> {
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
        theirs
            .iter()
            .map(|event| event.head.event_id.clone().into_owned())
            .collect()
    }
}
