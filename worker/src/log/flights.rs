//! What was sent to the queue and is not confirmed, in memory.

use crate::base::sorted::Map;

/// Messages of a shard that may wait for confirmation at once, so that a stalled consumer does not
/// fill the queue with copies of the backlog.
pub(super) const MAX_UNCONFIRMED_MESSAGES: usize = 64;

/// A row that was sent this often without a confirmation goes alone from then on: whatever keeps it
/// back must not keep its neighbours back too.
const SENDS_IN_COMPANY: u32 = 3;

/// Messages that go alone at once, as many as may wait in company: a few rows that keep others back are found all the
/// same, and the queue is not filled with single rows where it is only slow.
const MAX_ALONE: usize = MAX_UNCONFIRMED_MESSAGES;

/// Messages that a confirmation has sent again before their time: two, so that a backlog goes out in a few rounds when
/// the consumer is back, each twice as large as the one before, and a slow queue is not sent all of it each time.
const REVIVED: usize = 2;

/// The resend delay stops doubling here: 2^5 × 2 minutes is about an hour.
const MAX_DOUBLINGS: u32 = 5;

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// Messages sent and not confirmed, by the first of their rows.
    pub(super) flights: Map<i64, Flight>,
    /// The highest number of a row that was sent.
    pub(super) sent_to: i64,
    /// The queue takes nothing before, Unix milliseconds.
    pub(super) paused_until: i64,
}

/// A message that was sent and is not confirmed.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    /// The numbers of its rows.
    pub(super) rows: Vec<i64>,
    /// How often it was sent.
    pub(super) sends: u32,
    /// When it was sent last, Unix milliseconds.
    pub(super) sent_at: i64,
    /// When it is sent again, Unix milliseconds.
    pub(super) due: i64,
}

impl Drain {
    /// Messages sent and not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.flights.len() < MAX_UNCONFIRMED_MESSAGES
    }

    /// The message that is to be sent again first, where one is overdue. It stays under way whatever
    /// becomes of this try.
    pub(super) fn overdue(&mut self, now_ms: i64) -> Option<(i64, Flight)> {
        let overdue = self.flights.iter().find(|(_, flight)| flight.due <= now_ms);
        let first = *overdue?.0;
        let alone = self.flights.iter().filter(|(_, flight)| flight.is_alone());
        let has_room = alone.count() < MAX_ALONE;
        let flight = self.flights.get_mut(&first)?;
        let mut company = Vec::new();
        if flight.sends >= SENDS_IN_COMPANY && has_room {
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

    /// A confirmation came, so the consumer works: the first of what waits longer than for the first try, because tries
    /// before failed, waits no more. One that fails for itself goes no sooner than that.
    pub(super) fn revive(&mut self, now_ms: i64, resend_ms: i64) {
        let mut revived = 0_usize;
        self.flights.retain(|_, flight| {
            if revived < REVIVED && flight.revive(now_ms, resend_ms) {
                revived = revived.saturating_add(1);
            }
            true
        });
    }

    /// The same for the message that was sent first alone, whose confirmation would be such a sign.
    pub(super) fn probe(&mut self, now_ms: i64, resend_ms: i64) {
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
    /// Whether it is sent sooner for it.
    fn revive(&mut self, now_ms: i64, resend_ms: i64) -> bool {
        let due = self.sent_at.saturating_add(resend_ms).max(now_ms);
        let is_sooner = due < self.due;
        self.due = self.due.min(due);
        is_sooner
    }

    /// Whether it has gone alone because it was not confirmed in company.
    fn is_alone(&self) -> bool {
        self.sends >= SENDS_IN_COMPANY && self.rows.len() == 1
    }
}

/// Milliseconds until a message that was sent `sends` times is sent again, unless it is confirmed.
pub(super) fn resend_delay_ms(sends: u32, first_ms: i64) -> i64 {
    let doublings = sends.saturating_sub(1).min(MAX_DOUBLINGS);
    first_ms.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(1))
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
