//! D1's side of a queue message: store its new events and roll them up, in one transaction.
//!
//! The ids are inserted or ignored with the part that owns the event from then on and the attempt
//! (random per execution) that inserted it. Everything else reads only the rows of this attempt,
//! so a message that comes again inserts nothing and rolls up nothing.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::sql::Statement;

/// An event as D1 is told of it. As a JSON array, so that a statement needs one parameter for all
/// events; without its body where the statement does not store it, for a body is most of an event.
#[derive(Debug, Serialize)]
pub struct EventRow<'a>(
    /// The part that brings it.
    pub &'a str,
    /// Its id.
    pub &'a str,
    /// Unix milliseconds of receipt.
    pub i64,
    /// Its type.
    pub &'a str,
    /// Its source.
    pub &'a str,
    /// Its user.
    pub Option<&'a str>,
    /// What is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub Option<&'a RawValue>,
);

/// The rows (`?2`) that this attempt (`?3`) was the first to bring. CROSS JOIN keeps SQLite to this
/// order: it knows no better than to walk all ids of the site first.
macro_rules! fresh_events {
    () => {
        "FROM json_each(?2) AS e CROSS JOIN event_ids AS i \
         WHERE i.site_id = ?1 AND i.event_id = e.value->>1 \
         AND i.part_id = e.value->>0 AND i.attempt = ?3"
    };
}

const OWN: &str = "INSERT INTO event_ids (site_id, event_id, part_id, attempt, received_at) \
    SELECT ?1, e.value->>1, e.value->>0, ?3, ?4 FROM json_each(?2) AS e WHERE true \
    ON CONFLICT DO NOTHING";

const STORE: &str = concat!(
    "INSERT INTO events (site_id, event_id, event_type, user_id, received_at, body) \
     SELECT ?1, e.value->>1, e.value->>3, e.value->>5, e.value->>2, e.value->>6 ",
    fresh_events!()
);

const COUNT_MINUTES: &str = concat!(
    "INSERT INTO minute_counts (site_id, minute, event_type, source, n) \
     SELECT ?1, e.value->>2 - e.value->>2 % 60000, e.value->>3, e.value->>4, count(*) ",
    fresh_events!(),
    " GROUP BY 2, 3, 4 \
     ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n"
);

const COUNT_DAYS: &str = concat!(
    "INSERT INTO daily_counts (site_id, date, event_type, n) \
     SELECT ?1, date(e.value->>2 / 1000, 'unixepoch'), e.value->>3, count(*) ",
    fresh_events!(),
    " GROUP BY 2, 3 \
     ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = n + excluded.n"
);

const FOREIGN: &str = "SELECT e.value->>0 AS part, e.value->>1 AS event \
    FROM json_each(?2) AS e CROSS JOIN event_ids AS i \
    WHERE i.site_id = ?1 AND i.event_id = e.value->>1 AND i.part_id <> e.value->>0";

/// An event of the message that another part brought before: a row of the last statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Foreign {
    /// The part of this message that brings it again.
    pub part: String,
    /// The event.
    pub event: String,
}

/// The statements of one message, to be run as one transaction; the last one answers [`Foreign`]s.
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
        .map(|EventRow(part, id, at, event_type, source, user, _)| {
            EventRow(part, id, *at, event_type, source, *user, None)
        })
        .collect();
    let keys = serde_json::to_string(&keys).unwrap_or_default();
    let with_attempt = [(STORE, &whole), (COUNT_MINUTES, &keys), (COUNT_DAYS, &keys)]
        .into_iter()
        .map(|(sql, rows)| {
            Statement::new(sql, [site.into(), rows.as_str().into(), attempt.into()])
        });
    let foreign = Statement::new(FOREIGN, [site.into(), keys.as_str().into()]);
    let own = Statement::new(
        OWN,
        [
            site.into(),
            keys.as_str().into(),
            attempt.into(),
            taken_at.into(),
        ],
    );
    [own]
        .into_iter()
        .chain(with_attempt)
        .chain([foreign])
        .collect()
}

#[cfg(test)]
mod tests;
