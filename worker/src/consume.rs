//! What the consumer does with one queue message: D1, then the lake, then the confirmation.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rollup::{Foreign, store_statements};
use crate::site::{Confirmation, ConfirmedPart};
use crate::sql::Statement;

/// The first wait of a message that failed, in seconds; the platform counts the tries.
pub const RETRY_DELAY_S: u32 = 5;

/// A message as the outbox wrote it; the events stay text.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// The site.
    pub site: String,
    /// The shard, of `site_do` and of `lake_do` alike.
    pub shard: u32,
    #[serde(borrow)]
    parts: &'a RawValue,
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    id: String,
    at: i64,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Id {
    event_id: String,
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

    /// The transaction that stores the message; its last statement answers [`Foreign`]s.
    pub fn statements(&self, attempt: &str) -> Vec<Statement> {
        store_statements(&self.site, self.parts.get(), attempt)
    }

    /// Of each part, the lake gets the events whose first owner it is, the same however often it
    /// comes; `site_do` hears which were not.
    ///
    /// # Errors
    /// [`Unreadable`], likewise.
    pub fn handover(&self, foreign: &[Foreign]) -> Result<Handover, Unreadable> {
        let unreadable = |error: serde_json::Error| Unreadable(error.to_string());
        let parts: Vec<Part<'_>> = serde_json::from_str(self.parts.get()).map_err(unreadable)?;
        let mut append = String::with_capacity(self.parts.get().len());
        append.push_str("{\"parts\":[");
        let mut confirmed = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            let duplicates: HashSet<&str> = foreign
                .iter()
                .filter(|row| row.part == part.id)
                .map(|row| row.event.as_str())
                .collect();
            if index > 0 {
                append.push(',');
            }
            append.push_str(&format!(
                "{{\"id\":\"{}\",\"at\":{},\"events\":[",
                part.id, part.at
            ));
            let mut first = true;
            for event in &part.events {
                if !duplicates.is_empty() {
                    let id: Id = serde_json::from_str(event.get()).map_err(unreadable)?;
                    if duplicates.contains(id.event_id.as_str()) {
                        continue;
                    }
                }
                if !std::mem::take(&mut first) {
                    append.push(',');
                }
                append.push_str(event.get());
            }
            append.push_str("]}");
            confirmed.push(ConfirmedPart {
                duplicates: duplicates.into_iter().map(str::to_owned).collect(),
                id: part.id,
            });
        }
        append.push_str("]}");
        Ok(Handover {
            append,
            confirmation: Confirmation { parts: confirmed },
        })
    }
}
