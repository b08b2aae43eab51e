//! What an instance of a log knows beside its database: a fold of it, and what was sent.

use super::as_i64;
use super::batches::Batches;
use super::delta::Delta;
use super::flights::Drain;
use super::fold::Counts;
use super::recent::Recent;
use super::saved::{Saved, Slot};
use super::waiting::Waiting;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::{HOUR_MS, floor_to};
use crate::protocol::counters::{Counters, Kind};
use crate::protocol::{Commit, Head};

/// Rows that are folded at once when an instance begins: of some 500 bytes of head each.
const OPEN_ROWS: i64 = 1_000;

/// What an instance knows beside its database.
#[derive(Debug)]
pub(super) struct Memory {
    /// Made with the storage: numbers of rows are of this log alone.
    pub(super) epoch: String,
    /// The number of the next row. None is ever used twice, or a late confirmation of one row would
    /// delete another.
    pub(super) next_seq: i64,
    pub(super) counts: Counts,
    pub(super) waiting: Waiting,
    pub(super) saved: Saved,
    pub(super) batches: Batches,
    pub(super) drain: Drain,
    pub(super) recent: Recent,
}

impl Memory {
    /// Folds what a log holds.
    pub(super) fn open(sql: &impl Sql, fresh_id: &str, now_ms: i64) -> Result<Self, SqlError> {
        let (epoch, high) = state(sql, fresh_id)?;
        let mut counts = Counts::default();
        let saved = Saved::open(sql, &mut counts)?;
        let mut memory = Self {
            epoch,
            next_seq: high.max(saved.high()),
            counts,
            waiting: Waiting::default(),
            saved,
            batches: Batches::open(sql, now_ms)?,
            drain: Drain::default(),
            recent: Recent::default(),
        };
        memory.fold_rows(sql)?;
        memory.next_seq = memory.next_seq.saturating_add(1);
        Ok(memory)
    }

    /// Folds the rows that are here.
    fn fold_rows<S: Sql>(&mut self, sql: &S) -> Result<(), SqlError> {
        let mut after = i64::MIN;
        loop {
            let rows: Vec<[Cell; 2]> = sql.cells(
                "SELECT seq, head FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                &[after.into(), OPEN_ROWS.into()],
            )?;
            let Some([seq, _]) = rows.last() else {
                return Ok(());
            };
            after = seq.int();
            self.next_seq = self.next_seq.max(after);
            for [_, head] in &rows {
                let head = parse_head(head.text())?;
                self.counts.add_head(&head);
                self.waiting.add(&head);
            }
        }
    }

    /// Saves counts that no row stands for. [`Memory::add_counts`] follows once that stands.
    pub(super) fn save_counts(
        &self,
        sql: &impl Sql,
        counters: &Counters<'_>,
        now_ms: i64,
    ) -> Result<Slot, SqlError> {
        let mut delta = Delta::default();
        delta.add_all(counters, now_ms);
        self.saved.write(sql, delta, 0, now_ms)
    }

    /// Adds what was saved.
    pub(super) fn add_counts(&mut self, counters: &Counters<'_>, slot: Slot) {
        self.saved.set(slot);
        self.counts.add_all(counters);
    }

    /// Whether the batch is more than the shard may still take this hour.
    pub(super) fn is_over_quota(&self, commit: &Commit<'_>) -> bool {
        let head = commit.head();
        let Some(max) = head.quota else {
            return false;
        };
        let taken = self.counts.get(Kind::Quota, floor_to(head.at, HOUR_MS), "");
        taken.saturating_add(as_i64(commit.len())) > i64::from(max)
    }
}

/// The log's epoch, made now where the log is new, and the highest number of rows that are gone.
fn state(sql: &impl Sql, fresh_id: &str) -> Result<(String, i64), SqlError> {
    let look = || sql.cells("SELECT epoch, high FROM log_state", &[]);
    let mut rows: Vec<[Cell; 2]> = look()?;
    if rows.is_empty() {
        sql.run(
            "INSERT INTO log_state (id, epoch, high) VALUES (1, ?1, 0)",
            &[fresh_id.into()],
        )?;
        rows = look()?;
    }
    rows.first()
        .map(|[epoch, high]| (epoch.text().to_owned(), high.int()))
        .ok_or_else(|| SqlError("the log has no state".to_owned()))
}

/// Reads the head of a row.
pub(super) fn parse_head(text: &str) -> Result<Head<'_>, SqlError> {
    serde_json::from_str(text).map_err(|error| SqlError(format!("a head of the log: {error}")))
}
