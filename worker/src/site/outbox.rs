//! The outbox: parts wait here from the commit of their batch to their confirmation.

use serde::{Deserialize, Serialize};
use shoreline_shared::stamp::StampedEvent;

use super::SiteStore;
use crate::live::{ACCEPTED, Counters, DUPLICATE, HOUR_MS, Kind, LiveFacts, count_event, floor_to};
use crate::outbox::{
    MAX_MESSAGE_BYTES, MAX_UNCONFIRMED_MESSAGES, MESSAGES_PER_RUN, pack_messages, resend_delay_ms,
};
use crate::sql::{Sql, SqlError};

/// Parts looked at in one run: more than a run's messages can hold of parts of usual size.
const PARTS_PER_RUN: i64 = 512;

/// A part that was sent this often without a confirmation goes alone from then on: whatever keeps
/// it back must not keep its neighbours back too.
const SENDS_IN_COMPANY: i64 = 3;

/// A queue message, ready to be sent as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The parts in it.
    pub part_ids: Vec<String>,
    /// `{"site", "shard", "parts": [{"id", "at", "n", "events": […]}]}`.
    pub body: String,
}

/// What the consumer has done with parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Each part that is stored and handed to the lake.
    pub parts: Vec<ConfirmedPart>,
}

impl Confirmation {
    /// Whether it takes anything out of the live counts.
    pub fn changes_live(&self) -> bool {
        self.parts.iter().any(|part| !part.duplicates.is_empty())
    }
}

/// One part that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedPart {
    /// The part.
    pub id: String,
    /// Ids of its events that another part had brought before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<String>,
}

#[derive(Deserialize)]
struct DueRow {
    part_id: String,
    bytes: i64,
    sends: i64,
}

#[derive(Deserialize)]
struct PartRow {
    part_id: String,
    at: i64,
    n: i64,
    events: String,
}

impl<S: Sql> SiteStore<S> {
    /// The messages to send now: parts never sent, and parts whose confirmation is overdue.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn due_messages(
        &self,
        site: &str,
        shard: u32,
        now_ms: i64,
    ) -> Result<Vec<Message>, SqlError> {
        let room = self.room()?;
        // What was sent before is in the count of unconfirmed messages already; what is new needs room.
        let due: Vec<DueRow> = self.sql.rows(
            "SELECT part_id, bytes, sends FROM outbox \
             WHERE due_at <= ?1 AND (?3 OR message IS NOT NULL) ORDER BY seq LIMIT ?2",
            &[
                now_ms.into(),
                PARTS_PER_RUN.into(),
                i64::from(room > 0).into(),
            ],
        )?;
        let sizes: Vec<usize> = due
            .iter()
            .map(|row| match usize::try_from(row.bytes) {
                Ok(bytes) if row.sends < SENDS_IN_COMPANY => bytes,
                _ => MAX_MESSAGE_BYTES,
            })
            .collect();
        let allowed = if room == 0 {
            MESSAGES_PER_RUN
        } else {
            MESSAGES_PER_RUN.min(room)
        };
        pack_messages(&sizes)
            .into_iter()
            .take(allowed)
            .map(|run| self.message(site, shard, due.get(run).unwrap_or_default()))
            .collect()
    }

    fn message(&self, site: &str, shard: u32, rows: &[DueRow]) -> Result<Message, SqlError> {
        let part_ids: Vec<String> = rows.iter().map(|row| row.part_id.clone()).collect();
        let parts: Vec<PartRow> = self.sql.rows(
            "SELECT part_id, at, n, events FROM outbox \
             WHERE part_id IN (SELECT value FROM json_each(?1)) ORDER BY seq",
            &[ids_json(&part_ids).into()],
        )?;
        // Site ids, part ids and numbers need no escaping; events are JSON already.
        let mut body = format!("{{\"site\":\"{site}\",\"shard\":{shard},\"parts\":[");
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                body.push(',');
            }
            body.push_str(&format!(
                "{{\"id\":\"{}\",\"at\":{},\"n\":{},\"events\":{}}}",
                part.part_id, part.at, part.n, part.events
            ));
        }
        body.push_str("]}");
        Ok(Message { part_ids, body })
    }

    /// Notes that a message with these parts was handed to the queue under `message_id`.
    ///
    /// # Errors
    /// Whatever the database says; the parts are sent again then, which harms nothing.
    pub fn mark_sent(
        &self,
        message: &Message,
        message_id: &str,
        now_ms: i64,
    ) -> Result<(), SqlError> {
        #[derive(Deserialize)]
        struct Sends {
            part_id: String,
            sends: i64,
        }
        let ids = ids_json(&message.part_ids);
        let before: Vec<Sends> = self.sql.rows(
            "SELECT part_id, sends FROM outbox WHERE part_id IN (SELECT value FROM json_each(?1))",
            &[ids.into()],
        )?;
        let next: Vec<(String, i64)> = before
            .into_iter()
            .map(|row| {
                let sends = u32::try_from(row.sends)
                    .unwrap_or(u32::MAX)
                    .saturating_add(1);
                let due = now_ms.saturating_add(resend_delay_ms(sends, self.resend_ms));
                (row.part_id, due)
            })
            .collect();
        self.sql.run(
            "UPDATE outbox SET message = ?2, sends = sends + 1, due_at = d.due \
             FROM (SELECT value->>0 AS id, value->>1 AS due FROM json_each(?1)) AS d \
             WHERE outbox.part_id = d.id",
            &[
                serde_json::to_string(&next).unwrap_or_default().into(),
                message_id.into(),
            ],
        )
    }

    /// Puts off all that is due, because the queue takes nothing now: each of it would only be refused
    /// too.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn postpone(&self, now_ms: i64, until_ms: i64) -> Result<(), SqlError> {
        self.sql.run(
            "UPDATE outbox SET due_at = ?2 WHERE due_at <= ?1",
            &[now_ms.into(), until_ms.into()],
        )
    }

    /// Deletes confirmed parts, and takes events that were duplicates out of the live counts: both
    /// together, so that a confirmation that comes twice takes nothing out twice.
    ///
    /// # Errors
    /// Whatever the database says; nothing was changed then.
    pub fn confirm(&self, confirmation: &Confirmation) -> Result<(), SqlError> {
        let ids: Vec<String> = confirmation.parts.iter().map(|p| p.id.clone()).collect();
        self.sql.transaction(&mut || {
            for part in confirmation
                .parts
                .iter()
                .filter(|p| !p.duplicates.is_empty())
            {
                self.take_back(part)?;
            }
            self.settle_imported(&ids_json(&ids))?;
            self.sql.run(
                "DELETE FROM outbox WHERE part_id IN (SELECT value FROM json_each(?1))",
                &[ids_json(&ids).into()],
            )
        })
    }

    fn take_back(&self, part: &ConfirmedPart) -> Result<(), SqlError> {
        let row: Option<PartRow> = self.sql.first(
            "SELECT part_id, at, n, events FROM outbox WHERE part_id = ?1",
            &[part.id.as_str().into()],
        )?;
        let Some(row) = row else {
            return Ok(()); // Confirmed before.
        };
        let events: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(&row.events).map_err(|e| SqlError(e.to_string()))?;
        let mut counters = Counters::default();
        if self.take_back_imported(part)? {
            // Its events are in no live count, and ended in the hour they were imported in.
            let hour = floor_to(row.at, HOUR_MS);
            for event in events
                .iter()
                .filter_map(|raw| StampedEvent::from_json(raw.get()))
                .filter(|event| part.duplicates.iter().any(|id| id == event.event_id()))
            {
                counters.add_outcome(hour, ACCEPTED, -1);
                counters.add_outcome(hour, DUPLICATE, 1);
                let own = floor_to(event.received_at(), HOUR_MS);
                counters.add(Kind::Imported, hour, "", 1);
                counters.add(Kind::Imported, own, "", -1);
            }
            return self.apply(&counters);
        }
        for event in events
            .iter()
            .filter_map(|raw| StampedEvent::from_json(raw.get()))
        {
            if part.duplicates.iter().any(|id| id == event.event_id()) {
                count_event(&mut counters, &LiveFacts::of(&event.line()), -1);
                counters.add_outcome(floor_to(event.received_at(), HOUR_MS), DUPLICATE, 1);
            }
        }
        self.apply(&counters)
    }

    /// Moves counts: what is taken out, and what is put in its place.
    fn apply(&self, counters: &Counters) -> Result<(), SqlError> {
        // Buckets that were pruned meanwhile stay gone.
        self.sql.run(
            "UPDATE counters SET n = max(0, counters.n + d.n) \
             FROM (SELECT value->>0 AS kind, value->>1 AS bucket, value->>2 AS key, \
                          value->>3 AS n FROM json_each(?1)) AS d \
             WHERE counters.kind = d.kind AND counters.bucket = d.bucket \
               AND counters.key = d.key AND d.n < 0",
            &[counters.to_json().into()],
        )?;
        self.sql.run(
            "INSERT INTO counters (kind, bucket, key, n) \
             SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?1) \
             WHERE value->>3 > 0 \
             ON CONFLICT (kind, bucket, key) DO UPDATE SET n = n + excluded.n",
            &[counters.to_json().into()],
        )
    }

    /// When the outbox needs the alarm: at once where something is due and may be sent.
    pub(super) fn outbox_due(&self) -> Result<Option<i64>, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            due_at: Option<i64>,
        }
        let sql = if self.room()? > 0 {
            "SELECT min(due_at) AS due_at FROM outbox"
        } else {
            // New parts wait for a confirmation, which looks at the alarm again.
            "SELECT min(due_at) AS due_at FROM outbox WHERE message IS NOT NULL"
        };
        let row: Option<Row> = self.sql.first(sql, &[])?;
        Ok(row.and_then(|row| row.due_at))
    }

    /// Messages that may still be sent before the shard must wait for confirmations.
    fn room(&self) -> Result<usize, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            messages: usize,
        }
        let row: Option<Row> = self.sql.first(
            "SELECT count(DISTINCT message) AS messages FROM outbox WHERE message IS NOT NULL",
            &[],
        )?;
        Ok(MAX_UNCONFIRMED_MESSAGES.saturating_sub(row.map_or(0, |row| row.messages)))
    }
}

fn ids_json(ids: &[String]) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}
