//! Rows that are done: deleted, what they added saved, and what they added twice taken back.

use shoreline_shared::stamp::StampedEvent;

use super::Log;
use super::delta::Delta;
use super::imports::count_duplicates;
use super::memory::parse_head;
use crate::base::sorted::Map;
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::{HOUR_MS, floor_to};
use crate::protocol::counters::{ACCEPTED, Counters, DUPLICATE, Kind, LiveFacts, count_event};
use crate::protocol::{Confirmation, Head};

impl<S: Sql> Log<S> {
    /// Deletes confirmed rows, and takes events that were duplicates out of the counts: both together,
    /// so that a confirmation that comes twice takes nothing out twice. Whether the live counts changed.
    ///
    /// # Errors
    /// Whatever the database says; nothing was changed then.
    pub fn confirm(&self, confirmation: &Confirmation, now_ms: i64) -> Result<bool, SqlError> {
        let memory = &mut *self.memory.borrow_mut();
        if confirmation.epoch != memory.epoch {
            return Ok(false);
        }
        let mut rows: Vec<[Cell; 2]> = Vec::new();
        for (first, last) in &confirmation.ranges {
            rows.extend(self.sql.cells(
                "SELECT seq, head FROM log WHERE seq BETWEEN ?1 AND ?2",
                &[(*first).into(), (*last).into()],
            )?);
        }
        let heads: Map<i64, Head<'_>> = rows
            .iter()
            .map(|[seq, head]| Ok((seq.int(), parse_head(head.text())?)))
            .collect::<Result<_, SqlError>>()?;
        let Some((high, _)) = heads.last_key_value() else {
            memory.drain.confirmed(&confirmation.ranges);
            return Ok(false);
        };
        let mut delta = Delta::default();
        for head in heads.values() {
            delta.add_head(head, now_ms);
        }
        let mut taken_back = Counters::default();
        let mut of_imports: Vec<(&str, usize)> = Vec::new();
        for (seq, ids) in &confirmation.duplicates {
            let Some(head) = heads.get(seq) else {
                continue; // Confirmed before.
            };
            self.take_back(*seq, head, ids, &mut taken_back)?;
            if let Some(import) = &head.import {
                of_imports.push((import, ids.len()));
            }
        }
        delta.add_all(&taken_back, now_ms);
        let mut delta = Some(delta);
        let slot = self.sql.transaction(&mut || {
            for (first, last) in &confirmation.ranges {
                self.sql.run(
                    "DELETE FROM log WHERE seq BETWEEN ?1 AND ?2",
                    &[(*first).into(), (*last).into()],
                )?;
            }
            for (import, n) in &of_imports {
                count_duplicates(&self.sql, import, *n)?;
            }
            let delta = delta.take().unwrap_or_default();
            memory.saved.write(&self.sql, delta, *high, now_ms)
        })?;
        memory.saved.set(slot);
        memory.counts.add_all(&taken_back);
        for head in heads.values() {
            memory.waiting.remove(head);
        }
        memory.drain.confirmed(&confirmation.ranges);
        memory.drain.revive(now_ms, self.resend_ms);
        Ok(confirmation.changes_live())
    }

    /// Moves the counts of events of a row that were duplicates.
    fn take_back(
        &self,
        seq: i64,
        head: &Head<'_>,
        ids: &[String],
        counters: &mut Counters<'_>,
    ) -> Result<(), SqlError> {
        let rows: Vec<[Cell; 1]> = self
            .sql
            .cells("SELECT lines FROM log WHERE seq = ?1", &[seq.into()])?;
        let lines = rows
            .first()
            .map(|[lines]| lines.bytes())
            .unwrap_or_default();
        for event in lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| StampedEvent::from_json(std::str::from_utf8(line).ok()?))
            .filter(|event| ids.iter().any(|id| id == event.event_id()))
        {
            let hour = floor_to(event.received_at(), HOUR_MS);
            if head.import.is_some() {
                // It is in no live count, and ended in the hour it was imported in.
                let imported = floor_to(head.at, HOUR_MS);
                counters.add_outcome(imported, ACCEPTED, -1);
                counters.add_outcome(imported, DUPLICATE, 1);
                counters.add(Kind::Imported, imported, "", 1);
                counters.add(Kind::Imported, hour, "", -1);
            } else {
                let mut own = Counters::default();
                count_event(&mut own, &LiveFacts::of(&event.line()), -1);
                for (kind, bucket, key, n) in own.iter() {
                    counters.add(kind, bucket, key.to_owned(), n);
                }
                counters.add_outcome(hour, DUPLICATE, 1);
            }
        }
        Ok(())
    }
}
