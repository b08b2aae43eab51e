//! What is saved of rows that are gone, so that an instance that begins anew has the same counts.
//!
//! A confirmation deletes rows and saves what they had added, both in one transaction. What is saved is
//! added to one open slot, a row that is written again; a slot that has grown is left, and another is
//! begun. From time to time the older slots are merged: what the ledger shows goes to its hour, what
//! the live view shows stays together, and the rest is dropped.

use super::delta::Delta;
use super::fold::Counts;
use super::{ACTIVE_MS, LIVE_MINUTES};
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::MINUTE_MS;

pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS saved (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, \
     merged INTEGER NOT NULL, high INTEGER NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS saved_hours (hour INTEGER PRIMARY KEY, body TEXT NOT NULL)",
];

/// Bytes after which a slot is left for another: four database pages, which are what a confirmation
/// writes of counts at most.
const SLOT_BYTES: usize = 16 * 1024;

/// How long a slot is written, and how long it then waits to be merged: what it says of visitors is of
/// no use by then, and most of it is of visitors.
const MERGE_AFTER_MS: i64 = 3 * ACTIVE_MS;

/// How long merged slots wait to be merged again: nothing of them is shown then.
const MERGED_MS: i64 = (LIVE_MINUTES + 10) * MINUTE_MS;

/// Slots read at once: half a megabyte.
const READ_SLOTS: i64 = 32;

/// What is saved.
#[derive(Debug, Default)]
pub(super) struct Saved {
    high: i64,
    /// By id: when it was written last, and whether it is merged.
    slots: Map<i64, (i64, bool)>,
    open: Option<Slot>,
}

/// The slot that is written.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    id: i64,
    /// When it was begun, and when it was written last.
    since: i64,
    at: i64,
    high: i64,
    bytes: usize,
    delta: Delta,
}

impl Saved {
    /// Reads what is saved, and adds it to the counts.
    pub(super) fn open(sql: &impl Sql, counts: &mut Counts) -> Result<Self, SqlError> {
        let mut saved = Self::default();
        let hours: Vec<[Cell; 1]> = sql.cells("SELECT body FROM saved_hours", &[])?;
        for [body] in &hours {
            counts.add_delta(&parse(body)?);
        }
        for_each(sql, i64::MAX, |id, at, merged, high, delta| {
            saved.high = saved.high.max(high);
            saved.slots.insert(id, (at, merged));
            counts.add_delta(&delta);
        })?;
        Ok(saved)
    }

    /// The highest number of a row that is gone, as far as the slots tell.
    pub(super) fn high(&self) -> i64 {
        self.high
    }

    /// Writes what rows had added that are deleted in the same transaction; `high` is the highest
    /// number of them, 0 where there are none. [`Saved::set`] follows once the transaction stands.
    pub(super) fn write(
        &self,
        sql: &impl Sql,
        delta: Delta,
        high: i64,
        now_ms: i64,
    ) -> Result<Slot, SqlError> {
        let mut slot = match &self.open {
            Some(open)
                if open.bytes < SLOT_BYTES
                    && now_ms < open.since.saturating_add(MERGE_AFTER_MS) =>
            {
                open.clone()
            }
            _ => Slot {
                id: self.next_id(),
                since: now_ms,
                at: now_ms,
                high: self.high,
                bytes: 0,
                delta: Delta::default(),
            },
        };
        slot.at = slot.at.max(now_ms);
        slot.high = slot.high.max(high);
        slot.delta.forget(now_ms);
        slot.delta.add_delta(delta, now_ms);
        let body = text(&slot.delta);
        slot.bytes = body.len();
        sql.run(
            "INSERT INTO saved (id, at, merged, high, body) VALUES (?1, ?2, 0, ?3, ?4) \
             ON CONFLICT (id) DO UPDATE SET at = ?2, high = ?3, body = ?4",
            &[
                slot.id.into(),
                slot.at.into(),
                slot.high.into(),
                body.into(),
            ],
        )?;
        Ok(slot)
    }

    fn next_id(&self) -> i64 {
        self.slots
            .keys()
            .next_back()
            .unwrap_or(&0)
            .saturating_add(1)
    }

    /// Notes what was written.
    pub(super) fn set(&mut self, slot: Slot) {
        self.high = self.high.max(slot.high);
        self.slots.insert(slot.id, (slot.at, false));
        self.open = Some(slot);
    }

    /// When slots are to be merged next.
    pub(super) fn due(&self) -> Option<i64> {
        let due = |(at, merged): &(i64, bool)| {
            at.saturating_add(if *merged { MERGED_MS } else { MERGE_AFTER_MS })
        };
        self.slots.values().map(due).min()
    }

    /// Merges the slots that tell of no active visitor any more, all of it or nothing.
    pub(super) fn merge(
        &mut self,
        sql: &impl Sql,
        now_ms: i64,
        hours_from: i64,
    ) -> Result<(), SqlError> {
        let before = now_ms.saturating_sub(ACTIVE_MS);
        let next_id = self.next_id();
        let merged = sql.transaction(&mut || {
            let mut sum = Delta::default();
            let (mut last_at, mut last_high) = (0, 0);
            for_each(sql, before, |_, at, _, high, delta| {
                last_at = at.max(last_at);
                last_high = high.max(last_high);
                sum.add_delta(delta, now_ms);
            })?;
            for (hour, delta) in sum.take_hours() {
                if hour >= hours_from {
                    add_hour(sql, hour, delta, now_ms)?;
                }
            }
            sql.run("DELETE FROM saved WHERE at < ?1", &[before.into()])?;
            let mut slots = Vec::new();
            for (id, piece) in (next_id..).zip(sum.pieces()) {
                sql.run(
                    "INSERT INTO saved (id, at, merged, high, body) VALUES (?1, ?2, 1, ?3, ?4)",
                    &[
                        id.into(),
                        last_at.into(),
                        last_high.into(),
                        text(&piece).into(),
                    ],
                )?;
                slots.push((id, last_at));
            }
            sql.run(
                "UPDATE log_state SET high = max(high, ?1)",
                &[last_high.into()],
            )?;
            sql.run(
                "DELETE FROM saved_hours WHERE hour < ?1",
                &[hours_from.into()],
            )?;
            Ok(slots)
        })?;
        self.slots.retain(|_, (at, _)| *at >= before);
        let merged = merged.into_iter().map(|(id, at)| (id, (at, true)));
        self.slots.extend(merged);
        self.open.take_if(|open| open.at < before);
        Ok(())
    }
}

/// Reads the slots that were written last before a time, some at once.
fn for_each(
    sql: &impl Sql,
    before: i64,
    mut each: impl FnMut(i64, i64, bool, i64, Delta),
) -> Result<(), SqlError> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<[Cell; 5]> = sql.cells(
            "SELECT id, at, merged, high, body FROM saved WHERE id > ?1 AND at < ?2 \
             ORDER BY id LIMIT ?3",
            &[after.into(), before.into(), READ_SLOTS.into()],
        )?;
        let Some([id, ..]) = rows.last() else {
            return Ok(());
        };
        after = id.int();
        for [id, at, merged, high, body] in &rows {
            each(
                id.int(),
                at.int(),
                merged.int() != 0,
                high.int(),
                parse(body)?,
            );
        }
    }
}

fn add_hour(sql: &impl Sql, hour: i64, delta: Delta, now_ms: i64) -> Result<(), SqlError> {
    let known: Vec<[Cell; 1]> = sql.cells(
        "SELECT body FROM saved_hours WHERE hour = ?1",
        &[hour.into()],
    )?;
    let mut sum = known
        .first()
        .map_or_else(|| Ok(Delta::default()), |[body]| parse(body))?;
    sum.add_delta(delta, now_ms);
    sql.run(
        "INSERT INTO saved_hours (hour, body) VALUES (?1, ?2) \
         ON CONFLICT (hour) DO UPDATE SET body = ?2",
        &[hour.into(), text(&sum).into()],
    )
}

fn parse(body: &Cell) -> Result<Delta, SqlError> {
    serde_json::from_str(body.text()).map_err(|error| SqlError(format!("saved counts: {error}")))
}

/// Maps of texts and numbers always serialize.
fn text(delta: &Delta) -> String {
    serde_json::to_string(delta).unwrap_or_default()
}
