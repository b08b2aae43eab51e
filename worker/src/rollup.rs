//! D1's side of queue messages: store their new events and roll them up, in one transaction.
//!
//! Which events are new is taken for granted: all of them, mostly. Their ids are inserted with the
//! part that owns the event from then on, and the transaction fails where one is known already.
//! Then D1 is asked which are, and told again without these ([`crate::consume::store`]). So what
//! an event adds to the read models is summed up here (`sums`), and D1 gets rows that it only has
//! to add; a message that comes again adds nothing.
//!
//! The hourly recount ([`crate::recompute`]) makes the same rows in SQL, of the facts
//! ([`crate::counted::Facts`]) of a day's stored events, and shares what is done with them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::counted::{Facts, Stored};
use crate::sorted::Map;
use crate::sql::Statement;
use crate::tally::OWN_SITE;

#[macro_use]
mod parts;
pub(crate) mod breakdowns;
pub(crate) mod counts;
mod operations;
pub(crate) mod people;
mod sums;

pub use breakdowns::{MAX_GAP, MAX_KEYS_PER_DAY, OTHER};

/// Bytes of stored events in a statement at most, before they are quoted: as much as a message of the
/// queue has. D1 takes 2 MB a parameter. The sums of ten messages stay below that, too, unless a sender
/// sees to it that hardly two events have anything in common; then D1 refuses the batch, and each
/// message goes alone.
const STORE_BYTES: usize = 128_000;

/// An event that D1 does not know.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// The part that brings it.
    pub part: &'a str,
    /// When the collector took the part, Unix milliseconds, by which the event's id is forgotten
    /// again; an import's events were received long before.
    pub taken_at: i64,
    /// Its columns.
    pub head: &'a Stored<'a>,
    /// What is counted of it.
    pub facts: &'a Facts<'a>,
    /// What is stored.
    pub body: &'a RawValue,
}

/// Of rows `[part, taken at, [id, …]]`. No conflict is resolved: see above. `attempt` is what earlier
/// versions told their own rows by.
const OWN: &str = "INSERT INTO event_ids (site_id, event_id, part_id, attempt, received_at) \
    SELECT ?1, e.value, p.value->>0, '', p.value->>1 \
    FROM json_each(?2) AS p CROSS JOIN json_each(p.value, '$[2]') AS e";

/// Of rows `[id, type, user, received, at, facts, body]`, the last two as texts: SQLite reads a text
/// in one go, an object piece by piece.
const STORE: &str = "INSERT INTO events \
    (site_id, event_id, event_type, user_id, received_at, at, facts, body) \
    SELECT ?1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 \
    FROM json_each(?2)";

const KNOWN: &str = "SELECT i.event_id AS event, i.part_id AS part \
    FROM json_each(?2) AS e CROSS JOIN event_ids AS i \
    WHERE i.site_id = ?1 AND i.event_id = e.value";

const ERASED: &str = "SELECT g.user_hash, g.alias_key, g.erased_at \
    FROM json_each(?2) AS e CROSS JOIN erasures AS g \
    WHERE g.site_id = ?1 AND g.user_hash = e.value";

/// An event that D1 knows: a row of [`known_statement`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// Its id.
    pub event: String,
    /// The part that owns it.
    pub part: String,
}

/// A user who is to be forgotten: a row of the last of [`store_statements`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErasedUser {
    /// The user.
    pub user_hash: String,
    /// The secret of the ids that stand for theirs.
    pub alias_key: String,
    /// When that was asked for, Unix milliseconds: what they did later stays.
    pub erased_at: i64,
}

/// The statement that tells which of these events D1 knows, as [`Known`]s.
pub fn known_statement(site: &str, ids: &[&str]) -> Statement {
    Statement::new(KNOWN, [site.into(), json(ids).into()])
}

/// The statements that store new events, to be run as one transaction, which fails where one of them
/// is not new. The last one answers which of these users (hashes) are [`ErasedUser`]s.
pub fn store_statements(site: &str, events: &[NewEvent<'_>], users: &[&str]) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !events.is_empty() {
        statements.push(own(site, events));
        statements.extend(store(site, events));
        let mut sums = sums::Sums::default();
        for event in events {
            sums.add(event.facts, event.head.received_at, event.taken_at);
        }
        statements.extend(sums.statements(site));
    }
    if site == OWN_SITE && !events.is_empty() {
        statements.extend(operations::statements(
            events.iter().map(|event| event.body.get()),
        ));
    }
    statements.push(Statement::new(ERASED, [site.into(), json(users).into()]));
    statements
}

fn own(site: &str, events: &[NewEvent<'_>]) -> Statement {
    let mut parts: Map<&str, (i64, Vec<&str>)> = Map::new();
    for event in events {
        let (_, ids) = parts
            .entry(event.part)
            .or_insert_with(|| (event.taken_at, Vec::new()));
        ids.push(&event.head.event_id);
    }
    let rows: Vec<(&str, i64, Vec<&str>)> = parts
        .into_iter()
        .map(|(part, (taken_at, ids))| (part, taken_at, ids))
        .collect();
    Statement::new(OWN, [site.into(), json(&rows).into()])
}

fn store(site: &str, events: &[NewEvent<'_>]) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    for event in events {
        let body = event.body.get();
        bytes = bytes.saturating_add(body.len());
        if bytes > STORE_BYTES && !rows.is_empty() {
            statements.push(Statement::new(STORE, [site.into(), json(&rows).into()]));
            rows.clear();
            bytes = body.len();
        }
        let Stored {
            event_id,
            event_type,
            user_id,
            received_at,
            ..
        } = event.head;
        let facts = event.facts.json();
        rows.push((
            event_id,
            event_type,
            user_id,
            received_at,
            event.facts.0,
            facts,
            body,
        ));
    }
    statements.push(Statement::new(STORE, [site.into(), json(&rows).into()]));
    statements
}

/// A list of numbers and strings, which always serializes.
fn json<T: serde::Serialize + ?Sized>(rows: &T) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod brute;
#[cfg(test)]
mod models;
#[cfg(test)]
mod tests;
