//! Rows that were just committed, kept until they are sent, so that the next message need not read
//! them back.

use std::collections::VecDeque;

use super::flights::MAX_UNCONFIRMED_MESSAGES;
use crate::protocol::Row;
use crate::protocol::message::{MAX_MESSAGE_BYTES, MessageRow};

/// Bytes of lines that are kept at most, 4 MB: half of what may be under way to the consumer. What comes beside
/// them is read from the log, as after a start.
const MAX_BYTES: usize = MAX_UNCONFIRMED_MESSAGES / 2 * MAX_MESSAGE_BYTES;

/// Rows without a gap between them, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Recent {
    rows: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    seq: i64,
    at: i64,
    n: usize,
    lines: Vec<u8>,
}

impl Recent {
    /// Keeps a row that was committed, where there is room and none is missing before it.
    pub(super) fn add(&mut self, seq: i64, row: &Row<'_>) {
        let bytes = self.bytes.saturating_add(row.lines.len());
        let last = self.rows.back().map(|row| row.seq.saturating_add(1));
        if bytes > MAX_BYTES || last.is_some_and(|next| next != seq) {
            return;
        }
        self.bytes = bytes;
        self.rows.push_back(Kept {
            seq,
            at: row.head.at,
            n: row.head.n,
            lines: row.lines.to_vec(),
        });
    }

    /// The rows that follow the one with the number `sent_to`, where they are all here.
    pub(super) fn after(&self, sent_to: i64) -> impl Iterator<Item = MessageRow<'_>> {
        let next = sent_to.saturating_add(1);
        let is_next = self.rows.front().is_some_and(|row| row.seq == next);
        let rows = self.rows.iter().take_while(move |_| is_next);
        rows.map(|row| MessageRow {
            seq: row.seq,
            at: row.at,
            n: row.n,
            lines: &row.lines,
        })
    }

    /// Forgets rows up to one that was sent.
    pub(super) fn sent(&mut self, sent_to: i64) {
        while let Some(row) = self.rows.front().filter(|row| row.seq <= sent_to) {
            self.bytes = self.bytes.saturating_sub(row.lines.len());
            self.rows.pop_front();
        }
    }
}
