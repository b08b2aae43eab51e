//! D1's side of a queue message: store its new events and roll them up, in one transaction.
//!
//! The ids are inserted or ignored with the part that owns the event from then on and the attempt
//! (random per execution) that inserted it. Everything else reads only the rows of this attempt,
//! so a message that comes again inserts nothing and rolls up nothing.

use serde::Deserialize;

use crate::sql::Statement;

/// The events of the message (`?2`, its parts) that this attempt (`?3`) was the first to bring.
macro_rules! fresh_events {
    () => {
        "FROM json_each(?2) AS p, json_each(p.value, '$.events') AS e \
         JOIN event_ids AS i ON i.site_id = ?1 AND i.event_id = e.value->>'eventId' \
         WHERE i.part_id = p.value->>'id' AND i.attempt = ?3"
    };
}

const OWN: &str = "INSERT INTO event_ids (site_id, event_id, part_id, attempt, received_at) \
    SELECT ?1, e.value->>'eventId', p.value->>'id', ?3, e.value->>'receivedAt' \
    FROM json_each(?2) AS p, json_each(p.value, '$.events') AS e WHERE true \
    ON CONFLICT DO NOTHING";

const STORE: &str = concat!(
    "INSERT INTO events (site_id, event_id, event_type, user_id, received_at, body) \
     SELECT ?1, e.value->>'eventId', e.value->>'eventType', e.value->>'userId', \
            e.value->>'receivedAt', e.value ",
    fresh_events!()
);

const COUNT_MINUTES: &str = concat!(
    "INSERT INTO minute_counts (site_id, minute, event_type, source, n) \
     SELECT ?1, e.value->>'receivedAt' - e.value->>'receivedAt' % 60000, \
            e.value->>'eventType', e.value->>'source', count(*) ",
    fresh_events!(),
    " GROUP BY 2, 3, 4 \
     ON CONFLICT (site_id, minute, event_type, source) DO UPDATE SET n = n + excluded.n"
);

const COUNT_DAYS: &str = concat!(
    "INSERT INTO daily_counts (site_id, date, event_type, n) \
     SELECT ?1, date(e.value->>'receivedAt' / 1000, 'unixepoch'), e.value->>'eventType', \
            count(*) ",
    fresh_events!(),
    " GROUP BY 2, 3 \
     ON CONFLICT (site_id, date, event_type) DO UPDATE SET n = n + excluded.n"
);

const FOREIGN: &str = "SELECT p.value->>'id' AS part, e.value->>'eventId' AS event \
    FROM json_each(?2) AS p, json_each(p.value, '$.events') AS e \
    JOIN event_ids AS i ON i.site_id = ?1 AND i.event_id = e.value->>'eventId' \
    WHERE i.part_id <> p.value->>'id'";

/// An event of the message that another part brought before: a row of the last statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Foreign {
    /// The part of this message that brings it again.
    pub part: String,
    /// The event.
    pub event: String,
}

/// The statements of one message, to be run as one transaction; the last one answers [`Foreign`]s.
/// `parts` is the message's JSON array of `{"id", "events": […]}`.
pub fn store_statements(site: &str, parts: &str, attempt: &str) -> Vec<Statement> {
    let with_attempt = [OWN, STORE, COUNT_MINUTES, COUNT_DAYS]
        .into_iter()
        .map(|sql| Statement::new(sql, [site.into(), parts.into(), attempt.into()]));
    let foreign = Statement::new(FOREIGN, [site.into(), parts.into()]);
    with_attempt.chain([foreign]).collect()
}

#[cfg(test)]
mod tests;
