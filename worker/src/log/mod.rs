//! The core of `site_do`: a site's (and shard's) log of batches, and the live counts folded from it.
//!
//! A commit is one transaction of the batch's id and its rows, and is what a 202 stands for. Rows go
//! to the queue as messages until the consumer confirms them; nothing rests on the queue.
//!
//! Counts are in memory. They are a fold of the rows: of those that are here, and of what was saved
//! of those that are gone, in the transaction that deleted them. So an instance that begins anew
//! folds them again and has the same counts.

mod backlog;
mod batches;
mod confirm;
mod delta;
mod drain;
mod flights;
mod fold;
mod imports;
mod keep;
mod memory;
mod recent;
mod saved;
pub mod shards;
mod snapshot;
mod waiting;
mod watch;

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use crate::base::sql::{Sql, SqlError};
use crate::base::time::{HOUR_MS, MINUTE_MS, floor_to};
use crate::protocol::counters::OUTCOME_MEMORY_MS;
use crate::protocol::counters::{ACCEPTED, Counters, DUPLICATE, Kind, TRACKER_DROPPED};
use crate::protocol::{Commit, Head};

use memory::Memory;

pub use backlog::OutboxState;
pub use drain::Outgoing;
pub use imports::ImportState;
pub use snapshot::{Snapshot, State, first_minute};
pub use watch::{LEASE_LEFT_MS, Watch};

/// Minutes that the live view shows.
pub const LIVE_MINUTES: i64 = 60;

/// A user counts as active this long after an event.
pub const ACTIVE_MS: i64 = 5 * MINUTE_MS;

/// The answer of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// This very batch was committed before; nothing was added.
    #[serde(default)]
    pub duplicate: bool,
    /// Nothing was added: the site's quota of this hour is used up, or, of an import, too many rows
    /// wait. Seconds until there may be room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Receipt {
    /// Whether the batch was taken by this very call.
    pub fn is_taken(&self) -> bool {
        !self.duplicate && self.retry_after_s.is_none()
    }

    fn retry_after(seconds: u32) -> Self {
        Self {
            duplicate: false,
            retry_after_s: Some(seconds),
        }
    }
}

/// The log of one site and shard, on the SQLite of its Durable Object.
#[derive(Debug)]
pub struct Log<S> {
    sql: S,
    resend_ms: i64,
    memory: RefCell<Memory>,
}

const SCHEMA: [&str; 2] = [
    // `high` is the highest number that was ever deleted, but for what `saved` knows of it.
    "CREATE TABLE IF NOT EXISTS log_state (id INTEGER PRIMARY KEY CHECK (id = 1), \
     epoch TEXT NOT NULL, high INTEGER NOT NULL)",
    // The lines come last: who reads what stands before them does not read their pages.
    "CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, \
     n INTEGER NOT NULL, head TEXT NOT NULL, lines BLOB NOT NULL)",
];

impl<S: Sql> Log<S> {
    /// Opens the log, making its tables where they are missing, and folds what is there.
    /// `resend_ms` is how long a message waits for its first confirmation before it is sent again;
    /// `fresh_id` is the epoch of a log that is new.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn open(sql: S, resend_ms: i64, fresh_id: &str, now_ms: i64) -> Result<Self, SqlError> {
        for statement in SCHEMA
            .into_iter()
            .chain(saved::SCHEMA)
            .chain(imports::SCHEMA)
            .chain(watch::SCHEMA)
        {
            sql.run(statement, &[])?;
        }
        let memory = Memory::open(&sql, fresh_id, now_ms)?;
        Ok(Self {
            sql,
            resend_ms,
            memory: RefCell::new(memory),
        })
    }

    /// Commits a batch: its id and its rows together, or nothing.
    ///
    /// # Errors
    /// Whatever the database says; nothing was written then.
    pub fn commit(&self, commit: &Commit<'_>, now_ms: i64) -> Result<Receipt, SqlError> {
        let memory = &mut *self.memory.borrow_mut();
        let head = commit.head();
        memory.batches.turn(&self.sql, now_ms)?;
        if commit.is_empty() {
            return self.count(memory, head, now_ms);
        }
        if memory.is_over_quota(commit) && !memory.batches.knows(&self.sql, head)? {
            return Ok(Receipt::retry_after(seconds_to_next_hour(head.at)));
        }
        if head.import.is_some() && memory.waiting.is_full() {
            return Ok(Receipt::retry_after(imports::RETRY_AFTER_S));
        }
        let is_new = self.sql.transaction(&mut || {
            if !memory.batches.remember(&self.sql, head)? {
                return Ok(false);
            }
            if let Some(import) = &head.import {
                imports::note(&self.sql, import, head.at)?;
            }
            let mut seq = memory.next_seq;
            for row in commit.rows() {
                self.sql.run(
                    "INSERT INTO log (seq, at, n, head, lines) VALUES (?1, ?2, ?3, ?4, ?5)",
                    &[
                        seq.into(),
                        row.head.at.into(),
                        as_i64(row.head.n).into(),
                        row.head_text.into(),
                        row.lines.into(),
                    ],
                )?;
                seq = seq.saturating_add(1);
            }
            Ok(true)
        })?;
        if !is_new {
            // A step of an import that comes again was not sent again: it was not known to be done.
            if head.import.is_none() {
                let counters = of_duplicate(head);
                let slot = memory.save_counts(&self.sql, &counters, now_ms)?;
                memory.add_counts(&counters, slot);
            }
            return Ok(Receipt {
                duplicate: true,
                retry_after_s: None,
            });
        }
        memory.batches.note_if(head.batch.is_some());
        for row in commit.rows() {
            memory.recent.add(memory.next_seq, row);
            memory.next_seq = memory.next_seq.saturating_add(1);
            memory.counts.add_head(&row.head);
            memory.waiting.add(&row.head);
        }
        Ok(Receipt::default())
    }

    /// Commits counts that no row stands for. A step of an import whose every line was refused has a name,
    /// too, so that it is counted once however often it is repeated.
    fn count(
        &self,
        memory: &mut Memory,
        head: &Head<'_>,
        now_ms: i64,
    ) -> Result<Receipt, SqlError> {
        let saved = self.sql.transaction(&mut || {
            if !memory.batches.remember(&self.sql, head)? {
                return Ok(None);
            }
            memory
                .save_counts(&self.sql, &head.counters, now_ms)
                .map(Some)
        })?;
        let duplicate = saved.is_none();
        if let Some(slot) = saved {
            memory.add_counts(&head.counters, slot);
            memory.batches.note_if(head.batch.is_some());
        }
        Ok(Receipt {
            duplicate,
            retry_after_s: None,
        })
    }

    /// Saves what is due to be saved otherwise, and forgets what no answer needs any more.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn prune_if_due(&self, now_ms: i64) -> Result<(), SqlError> {
        let memory = &mut *self.memory.borrow_mut();
        memory.batches.turn(&self.sql, now_ms)?;
        let outcomes_from = now_ms.saturating_sub(OUTCOME_MEMORY_MS);
        if memory.saved.due().is_some_and(|due| due <= now_ms) {
            memory.saved.merge(&self.sql, now_ms, outcomes_from)?;
            imports::prune(&self.sql, outcomes_from, &memory.waiting)?;
        }
        memory.counts.prune(now_ms, outcomes_from);
        Ok(())
    }

    /// When the object must wake next: the earliest of all due times, or never.
    pub fn next_due(&self, now_ms: i64) -> Option<i64> {
        let drain = self.drain_due(now_ms);
        let memory = self.memory.borrow();
        let due = [drain, memory.saved.due(), memory.batches.due()];
        due.into_iter().flatten().min()
    }
}

/// What a batch seen before adds to the ledger alone: what it had accepted then are duplicates now; its
/// other outcomes are outcomes again. What its tracker dropped before is told once only.
fn of_duplicate<'a>(head: &'a Head<'_>) -> Counters<'a> {
    let mut counters = Counters::default();
    for (kind, hour, code, n) in head.counters.iter() {
        if kind == Kind::Outcome && code != TRACKER_DROPPED {
            let code = if code == ACCEPTED { DUPLICATE } else { code };
            counters.add_outcome(hour, code, n);
        }
    }
    counters
}

/// At most an hour; a tracker's own backoff never waits for longer than half of one anyway.
fn seconds_to_next_hour(now_ms: i64) -> u32 {
    let next = floor_to(now_ms, HOUR_MS).saturating_add(HOUR_MS);
    let seconds = next
        .saturating_sub(now_ms)
        .saturating_add(999)
        .checked_div(1_000);
    u32::try_from(seconds.unwrap_or(1).clamp(1, 3_600)).unwrap_or(3_600)
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
