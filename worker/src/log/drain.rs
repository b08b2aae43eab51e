//! From the log to the queue: which rows go next, and which go again.
//!
//! What was sent, and when, is in memory. An instance that begins anew sends all rows that are not
//! confirmed again; the consumer meets what it did before.

use super::Log;
use super::memory::Memory;
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::protocol::message::{Message, MessageRow, fitting};

/// Messages of a shard that may wait for confirmation at once, so that a stalled consumer does not
/// fill the queue with copies of the backlog.
pub(super) const MAX_UNCONFIRMED_MESSAGES: usize = 64;

/// Rows looked at for one message: more than it can hold of rows of usual size.
const ROWS_PER_MESSAGE: i64 = 256;

/// A row that was sent this often without a confirmation goes alone from then on: whatever keeps it
/// back must not keep its neighbours back too.
const SENDS_IN_COMPANY: u32 = 3;

/// The resend delay stops doubling here: 2^5 × 2 minutes is about an hour.
const MAX_DOUBLINGS: u32 = 5;

/// A message for the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its bytes.
    pub body: Vec<u8>,
    rows: Vec<i64>,
    sends: u32,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// Messages sent and not confirmed, by the first of their rows.
    flights: Map<i64, Flight>,
    /// The highest number of a row that was sent.
    sent_to: i64,
    /// The queue takes nothing before, Unix milliseconds.
    paused_until: i64,
}

#[derive(Debug, Clone)]
struct Flight {
    rows: Vec<i64>,
    sends: u32,
    /// When it was sent last, Unix milliseconds.
    sent_at: i64,
    due: i64,
}

impl Drain {
    /// Messages sent and not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.flights.len()
    }

    fn has_room(&self) -> bool {
        self.flights.len() < MAX_UNCONFIRMED_MESSAGES
    }

    /// The message that is to be sent again first, where one is overdue. It stays under way whatever
    /// becomes of this try.
    fn overdue(&mut self, now_ms: i64) -> Option<(i64, Flight)> {
        let overdue = self.flights.iter().find(|(_, flight)| flight.due <= now_ms);
        let first = *overdue?.0;
        let flight = self.flights.get_mut(&first)?;
        let mut company = Vec::new();
        if flight.sends >= SENDS_IN_COMPANY {
            company.extend(flight.rows.iter().skip(1).copied());
            flight.rows.truncate(1);
        }
        let overdue = flight.clone();
        for row in company {
            let alone = Flight {
                rows: vec![row],
                ..overdue
            };
            self.flights.insert(row, alone);
        }
        Some((first, overdue))
    }

    /// A confirmation came, so the consumer works: what waits longer than for the first try, because tries before failed,
    /// waits no more. One that fails for itself goes no sooner than that.
    pub(super) fn revive(&mut self, now_ms: i64, resend_ms: i64) {
        self.flights.retain(|_, flight| {
            flight.revive(now_ms, resend_ms);
            true
        });
    }

    /// The same for the message that was sent first alone, whose confirmation would be such a sign.
    fn probe(&mut self, now_ms: i64, resend_ms: i64) {
        let first = self.flights.iter().next().map(|(first, _)| *first);
        if let Some(flight) = first.and_then(|first| self.flights.get_mut(&first)) {
            flight.revive(now_ms, resend_ms);
        }
    }

    /// Forgets rows that are done.
    pub(super) fn confirmed(&mut self, ranges: &[(i64, i64)]) {
        let is_done = |row: &i64| {
            ranges
                .iter()
                .any(|(first, last)| (first..=last).contains(&row))
        };
        self.flights.retain(|_, flight| {
            flight.rows.retain(|row| !is_done(row));
            !flight.rows.is_empty()
        });
    }
}

impl Flight {
    fn revive(&mut self, now_ms: i64, resend_ms: i64) {
        let may = self.sent_at.saturating_add(resend_ms);
        self.due = self.due.min(may.max(now_ms));
    }
}

/// Milliseconds until a message that was sent `sends` times is sent again, unless it is confirmed.
fn resend_delay_ms(sends: u32, first_ms: i64) -> i64 {
    let doublings = sends.saturating_sub(1).min(MAX_DOUBLINGS);
    first_ms.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resends_double_up_to_an_hour() {
        let minutes: Vec<i64> = (1..9)
            .map(|sends| resend_delay_ms(sends, 120_000) / 60_000)
            .collect();
        assert_eq!(minutes, [2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(resend_delay_ms(0, 120_000), 120_000);
    }
}
