//! Shoreline's own calls, from the lines of its operation events. An event stands for `calls` calls that took
//! `totalDuration` in all. Where they are several, `durations` tells how many took how long; else the call
//! took as long as the event itself says.

use serde_json::Value;

use super::counts::{Counts, Texts};
use crate::base::time::{MINUTE_MS, floor_to};
use crate::observe::operations::{BOUNDS_MS, Histogram};

/// Amounts of a row: calls, milliseconds, and calls within each bound.
pub(super) const AMOUNTS: usize = BOUNDS_MS.len().saturating_add(2);

/// Calls and outcomes.
#[derive(Debug, Clone, Default)]
pub(super) struct Operations {
    /// By site, minute, action and status.
    pub(super) calls: Counts<AMOUNTS>,
    /// By outcome.
    pub(super) outcomes: Counts,
}

impl Operations {
    /// Counts the calls that the line of an event tells of. One that tells none, having been erased, counts
    /// nothing.
    pub(super) fn add(&mut self, line: &str, texts: &mut Texts) {
        let event: Option<Value> = serde_json::from_str(line).ok();
        if let Some(event) = event {
            self.count(&event, texts);
        }
    }

    fn count(&mut self, event: &Value, texts: &mut Texts) -> Option<()> {
        let data = event.get("eventData")?;
        let number = |name| data.get(name)?.as_i64();
        let calls = number("calls")?;
        let mut durations = Histogram::of(calls, number("totalDuration")?, &[]);
        match data.get("durations").and_then(Value::as_object) {
            Some(buckets) => {
                for (bound, n) in buckets {
                    durations.count(bound.parse().ok()?, n.as_i64()?);
                }
            }
            None => durations.count(event.get("metadata")?.get("duration")?.as_i64()?, calls),
        }
        let action = data.get("action")?.as_str()?;
        let status = number("httpStatus")?;
        let minute = floor_to(event.get("timestamp")?.as_i64()?, MINUTE_MS);
        let site = data.get("site").and_then(Value::as_str).unwrap_or_default();
        let mut amounts = [0; AMOUNTS];
        let all = [durations.n, durations.sum_ms]
            .into_iter()
            .chain(durations.within);
        for (slot, amount) in amounts.iter_mut().zip(all) {
            *slot = amount;
        }
        let key = [texts.number(site), minute, texts.number(action), status];
        self.calls.add(key, amounts);
        let outcomes = data.get("outcomes").and_then(Value::as_object);
        for (outcome, n) in outcomes.into_iter().flatten() {
            let key = [texts.number(outcome), 0, 0, 0];
            self.outcomes.add(key, [n.as_i64().unwrap_or(0), 0, 0]);
        }
        Some(())
    }
}
