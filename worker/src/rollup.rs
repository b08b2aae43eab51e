//! D1's side of a queue message: store its new events and roll them up, in one transaction.
//!
//! The ids are inserted or ignored with the part that owns the event from then on and the attempt
//! (random per execution) that inserted it. Everything else reads only the rows of this attempt,
//! so a message that comes again inserts nothing and rolls up nothing.
//!
//! The statements of the read models are written once over a table `f(received, x)` of facts
//! ([`crate::counted::Facts`]): here it holds the fresh events of a message, in
//! [`crate::recompute`] the stored events of a day.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::counted::Facts;
use crate::erase::Alias;
use crate::sql::Statement;

#[macro_use]
mod parts;
pub(crate) mod breakdowns;
pub(crate) mod counts;
pub(crate) mod people;

pub use breakdowns::{MAX_GAP, MAX_KEYS_PER_DAY, OTHER};

/// An event as D1 is told of it. As a JSON array, so that a statement needs one parameter for all
/// events; without user and body where the statement does not store it, for a body is most of it.
#[derive(Debug, Serialize)]
pub struct EventRow<'a>(
    /// 0: the part that brings it.
    pub &'a str,
    /// 1: its id.
    pub &'a str,
    /// 2: Unix milliseconds of receipt.
    pub i64,
    /// 3: what is counted of it.
    pub &'a Facts<'a>,
    /// 4: its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub Option<&'a str>,
    /// 5: what is stored; of an event without a user, 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub Option<&'a RawValue>,
);

const OWN: &str = "INSERT INTO event_ids (site_id, event_id, part_id, attempt, received_at) \
    SELECT ?1, e.value->>1, e.value->>0, ?3, ?4 FROM json_each(?2) AS e WHERE true \
    ON CONFLICT DO NOTHING";

/// The body is the last item of its row.
const STORE: &str = concat!(
    "INSERT INTO events (site_id, event_id, event_type, user_id, received_at, body, at, facts) \
     SELECT ?1, e.value->>1, e.value->>'$[3][2]', \
     CASE WHEN json_array_length(e.value) > 5 THEN e.value->>4 END, e.value->>2, \
     e.value->>'$[#-1]', e.value->>'$[3][0]', e.value->3 ",
    fresh_events!()
);

/// What of a message is another part's, and what of it belongs to users who are to be forgotten.
const FIND: &str = "SELECT e.value->>0 AS part, e.value->>1 AS event, NULL AS alias_key, \
    NULL AS erased_at \
    FROM json_each(?2) AS e CROSS JOIN event_ids AS i \
    WHERE i.site_id = ?1 AND i.event_id = e.value->>1 AND i.part_id <> e.value->>0 \
    UNION ALL SELECT e.value->>0, e.value->>1, g.alias_key, g.erased_at \
    FROM json_each(?2) AS e CROSS JOIN erasures AS g \
    WHERE g.site_id = ?1 AND g.user_hash = e.value->>'$[3][4]' AND e.value->>2 <= g.erased_at";

/// Something to know of an event of the message: a row of the last statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// The part of this message that brings it.
    pub part: String,
    /// The event.
    pub event: String,
    /// The secret of the ids that stand for its user, who is to be forgotten; without it, another
    /// part brought the event before.
    pub alias_key: Option<String>,
    /// When that was asked for.
    pub erased_at: Option<i64>,
}

impl Finding {
    /// What stands for the event's user, who is to be forgotten.
    pub fn alias(&self) -> Option<Alias> {
        Some(Alias {
            alias_key: self.alias_key.clone()?,
            erased_at: self.erased_at?,
        })
    }
}

/// The statements of one message, to be run as one transaction; the last one answers [`Finding`]s.
/// `taken_at` is when the collector took the message's events, by which their ids are forgotten
/// again; an import's were received long before.
pub fn store_statements(
    site: &str,
    events: &[EventRow<'_>],
    attempt: &str,
    taken_at: i64,
) -> Vec<Statement> {
    // A list of numbers and strings always serializes.
    let whole = serde_json::to_string(events).unwrap_or_default();
    let keys: Vec<EventRow<'_>> = events
        .iter()
        .map(|EventRow(part, id, at, facts, _, _)| EventRow(part, id, *at, facts, None, None))
        .collect();
    let keys = serde_json::to_string(&keys).unwrap_or_default();
    let with_attempt = [(STORE, &whole)]
        .into_iter()
        .chain(counts::COUNTS.into_iter().map(|sql| (sql, &keys)))
        .chain(people::FRESH.into_iter().map(|sql| (sql, &keys)))
        .chain(breakdowns::FRESH.into_iter().map(|sql| (sql, &keys)))
        .map(|(sql, rows)| {
            let params = [site.into(), rows.as_str().into(), attempt.into()];
            // A statement is given what it names, and no more.
            let taken_at = sql.contains("?4").then(|| taken_at.into());
            Statement::new(sql, params.into_iter().chain(taken_at))
        });
    let own = Statement::new(
        OWN,
        [
            site.into(),
            keys.as_str().into(),
            attempt.into(),
            taken_at.into(),
        ],
    );
    let find = Statement::new(FIND, [site.into(), keys.as_str().into()]);
    [own]
        .into_iter()
        .chain(with_attempt)
        .chain([find])
        .collect()
}

#[cfg(test)]
pub(crate) mod brute;
#[cfg(test)]
mod models;
#[cfg(test)]
mod tests;
