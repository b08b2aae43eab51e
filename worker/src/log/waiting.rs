//! What the rows that wait for their confirmation are, summed up as they come and go.

use std::collections::HashMap;

use super::as_i64;
use crate::base::sorted::Map;
use crate::base::time::{HOUR_MS, floor_to};
use crate::protocol::Head;

/// Rows that wait from which on an import waits too: four times what may be under way to the
/// consumer, about 24 MB. Full enough that the consumer is never idle, and little enough that a page's
/// events are not kept from the dashboard for long by those before them.
pub(super) const FULL_ROWS: i64 = 256;

/// Sums over the rows of the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) rows: i64,
    pub(super) events: i64,
    pub(super) bytes: i64,
    /// Events by the hour of their `receivedAt`.
    pub(super) hours: Map<i64, i64>,
    /// Rows by the import that they are of.
    imports: HashMap<String, i64>,
}

impl Waiting {
    pub(super) fn add(&mut self, head: &Head<'_>) {
        self.change(head, 1);
    }

    pub(super) fn remove(&mut self, head: &Head<'_>) {
        self.change(head, -1);
    }

    fn change(&mut self, head: &Head<'_>, sign: i64) {
        let n = as_i64(head.n).saturating_mul(sign);
        let bytes = as_i64(head.bytes).saturating_mul(sign);
        self.rows = self.rows.saturating_add(sign);
        self.events = self.events.saturating_add(n);
        self.bytes = self.bytes.saturating_add(bytes);
        match &head.import {
            None => shift(&mut self.hours, floor_to(head.at, HOUR_MS), n),
            Some(import) => {
                for (hour, n) in &head.hours {
                    shift(&mut self.hours, *hour, n.saturating_mul(sign));
                }
                let rows = self.imports.entry(import.clone().into_owned()).or_default();
                *rows = rows.saturating_add(sign);
                if *rows == 0 {
                    self.imports.remove(import.as_ref());
                }
            }
        }
    }

    /// Whether an import has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.rows > FULL_ROWS
    }

    /// Rows of an import.
    pub(super) fn of_import(&self, import: &str) -> i64 {
        self.imports.get(import).copied().unwrap_or(0)
    }

    /// The imports that have rows here.
    pub(super) fn imports(&self) -> impl Iterator<Item = &String> {
        self.imports.keys()
    }
}

fn shift(hours: &mut Map<i64, i64>, hour: i64, n: i64) {
    let sum = hours.entry(hour).or_default();
    *sum = sum.saturating_add(n);
    if *sum == 0 {
        hours.remove(&hour);
    }
}
