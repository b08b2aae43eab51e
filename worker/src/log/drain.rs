//! From the log to the queue: which rows go next, and which go again.
//!
//! What was sent, and when, is in memory. An instance that begins anew sends all rows that are not
//! confirmed again; the consumer meets what it did before.

use super::Log;
use super::flights::{Flight, resend_delay_ms};
use super::memory::Memory;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::message::{Message, MessageRow, fitting};

/// Rows looked at for one message: more than it can hold of rows of usual size.
const ROWS_PER_MESSAGE: i64 = 256;

/// A message for the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its bytes.
    pub body: Vec<u8>,
    rows: Vec<i64>,
    sends: u32,
}

impl<S: Sql> Log<S> {
    /// The message to send now: one whose confirmation is overdue, else of rows never sent.
    /// [`Log::sent`] follows where the queue took it, [`Log::pause`] where it did not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn next_message(
        &self,
        site: &str,
        shard: u32,
        now_ms: i64,
    ) -> Result<Option<Outgoing>, SqlError> {
        let memory = &mut *self.memory.borrow_mut();
        if now_ms < memory.drain.paused_until {
            return Ok(None);
        }
        while let Some((first, flight)) = memory.drain.overdue(now_ms) {
            let message = self.message(memory, (site, shard), &flight.rows, flight.sends)?;
            if message.is_some() {
                return Ok(message);
            }
            // Its rows were confirmed before it was noted as sent.
            memory.drain.flights.remove(&first);
        }
        if !memory.drain.has_room() || !memory.has_unsent() {
            return Ok(None);
        }
        let new: Vec<MessageRow<'_>> = memory.recent.after(memory.drain.sent_to).collect();
        if !new.is_empty() {
            let n = fitting(new.iter().map(|row| row.lines.len()));
            let rows = new.into_iter().take(n).collect();
            return Ok(Some(memory.outgoing((site, shard), rows, 0)));
        }
        let sizes: Vec<[Cell; 2]> = self.sql.cells(
            "SELECT seq, length(lines) FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            &[memory.drain.sent_to.into(), ROWS_PER_MESSAGE.into()],
        )?;
        let n = fitting(
            sizes
                .iter()
                .map(|[_, bytes]| usize::try_from(bytes.int()).unwrap_or(usize::MAX)),
        );
        let rows: Vec<i64> = sizes.iter().take(n).map(|[seq, _]| seq.int()).collect();
        if rows.is_empty() {
            // All that was not sent by this instance is confirmed.
            memory.drain.sent_to = memory.next_seq.saturating_sub(1);
            memory.recent.sent(memory.drain.sent_to);
            return Ok(None);
        }
        self.message(memory, (site, shard), &rows, 0)
    }

    /// The message of those of these rows that are still here; they follow each other.
    fn message(
        &self,
        memory: &Memory,
        (site, shard): (&str, u32),
        rows: &[i64],
        sends: u32,
    ) -> Result<Option<Outgoing>, SqlError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let found: Vec<[Cell; 4]> = self.sql.cells(
            "SELECT seq, at, n, lines FROM log WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
            &[(*first).into(), (*last).into()],
        )?;
        let rows: Vec<MessageRow<'_>> = found
            .iter()
            .filter(|[seq, ..]| rows.contains(&seq.int()))
            .map(|[seq, at, n, lines]| MessageRow {
                seq: seq.int(),
                at: at.int(),
                n: usize::try_from(n.int()).unwrap_or_default(),
                lines: lines.bytes(),
            })
            .collect();
        Ok((!rows.is_empty()).then(|| memory.outgoing((site, shard), rows, sends)))
    }

    /// Notes that the queue took a message.
    pub fn sent(&self, message: Outgoing, now_ms: i64) {
        let memory = &mut *self.memory.borrow_mut();
        let drain = &mut memory.drain;
        let sends = message.sends.saturating_add(1);
        let delay = resend_delay_ms(sends, self.resend_ms);
        let (Some(first), Some(last)) = (message.rows.first(), message.rows.last()) else {
            return;
        };
        let first = *first;
        drain.sent_to = drain.sent_to.max(*last);
        memory.recent.sent(drain.sent_to);
        let flight = Flight {
            rows: message.rows,
            sends,
            sent_at: now_ms,
            due: now_ms.saturating_add(delay),
        };
        drain.flights.insert(first, flight);
    }

    /// Notes that the queue did not take a message, and sends nothing until then: each would only be
    /// refused too.
    pub fn pause(&self, message: &Outgoing, until_ms: i64) {
        let drain = &mut self.memory.borrow_mut().drain;
        drain.paused_until = until_ms;
        // One that was sent before is still under way; one that is new stays unsent.
        let first = message.rows.first();
        if let Some(flight) = first.and_then(|first| drain.flights.get_mut(first)) {
            flight.due = until_ms;
        }
    }

    /// Tries one message again before its time: what kept the consumer from confirming it may be over, and nothing else
    /// would tell.
    pub fn probe(&self, now_ms: i64) {
        let drain = &mut self.memory.borrow_mut().drain;
        drain.probe(now_ms, self.resend_ms);
    }

    /// When the log needs the alarm to send: at once where something is due and may be sent.
    pub(super) fn drain_due(&self, now_ms: i64) -> Option<i64> {
        let memory = self.memory.borrow();
        let drain = &memory.drain;
        let again = drain.flights.values().map(|flight| flight.due).min();
        // New rows wait for a confirmation where there is no room, which looks at the alarm again.
        let new = (drain.has_room() && memory.has_unsent()).then_some(now_ms);
        let due = again.into_iter().chain(new).min()?;
        Some(due.max(drain.paused_until))
    }
}

impl Memory {
    /// The message of rows that follow each other.
    fn outgoing(
        &self,
        (site, shard): (&str, u32),
        rows: Vec<MessageRow<'_>>,
        sends: u32,
    ) -> Outgoing {
        let message = Message {
            site: site.to_owned(),
            shard,
            epoch: self.epoch.clone(),
            replay: None,
            rows,
        };
        Outgoing {
            body: message.write(),
            rows: message.rows.iter().map(|row| row.seq).collect(),
            sends,
        }
    }

    /// Whether there may be rows that this instance never sent.
    fn has_unsent(&self) -> bool {
        self.waiting.rows > 0 && self.drain.sent_to < self.next_seq.saturating_sub(1)
    }
}
